//! The chain of keys, byte for byte, against the standards' vectors and an implementation of other people.
//!
//! The pinned values were computed with argon2-cffi and Python's `hmac`, from `security.md` §1.2 and not from this code.

use super::*;
use crate::vault::committed::MessageKey;
use crate::vault::record::{BlobName, Bucket, RecordId, RecordKind};
use proptest::prelude::*;

/// `first`, `first + 1`, …
fn count<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|at| first.wrapping_add(at as u8))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hkdf_is_that_of_rfc_5869() {
    // Appendix A.3: no salt is 32 zero bytes, no info.
    let prk = extract(&[0; 32], &[&[0x0b; 22]]);
    assert_eq!(hex(&prk[..]), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    let okm = expand::<42>(&prk, &[]);
    assert_eq!(hex(&okm[..]), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

proptest! {
    #[test]
    fn hkdf_agrees_with_the_crate(salt: [u8; 32], ikm: Vec<u8>, info: Vec<u8>) {
        let ours = expand::<76>(&extract(&salt, &[&ikm]), &[&info]);
        let mut theirs = [0; 76];
        hkdf::Hkdf::<Sha256>::new(Some(&salt), &ikm).expand(&info, &mut theirs).unwrap();
        prop_assert_eq!(&ours[..], &theirs[..]);
    }
}

#[test]
fn the_chain_from_pin_to_slot_is_pinned() {
    let (container, salt) = (ContainerId::from_bytes(count(0x20)), ContainerSalt::from_bytes(count(0x30)));
    let slot_salt = count(0x40);
    let pin = Pin::parse("cafe\u{301} 1234").unwrap();
    let pin_key = pin_key(Some(&pin), &salt, Argon2Cost::FLOOR).unwrap();
    assert_eq!(hex(pin_key.bytes()), "f3092bade9a3e12efe8a45677e7cef9460f301b41c3c4fc5a8231ba1223d339c");
    let mac = hmac(&count(0), &device_message(&container, &pin_key));
    let device = device_part(DeviceMac::from_bytes(mac));
    assert_eq!(hex(device.bytes()), "2681fca01d8bbfb595d2c78f66f103d2dec652e970bea2e808908ab114545931");
    let root = SlotRoot::derive(&slot_salt, &device, &pin_key);
    assert_eq!(
        hex(&root.pad[..]),
        "64eb4304fe2500751623c5b76bc697e6347b4cffad120c81ef8444c20f0adc1475a63bd0a25e6ae3258ce6b648e9a3d618a11811daa69cc2\
         70cd97ed21c350d1"
    );
    assert_eq!(hex(&root.transform[..]), "838554ecfca28bcc3039eb94debd176e67e95dcaaf3239f5eced011cfae0ebcf");
    let secret = root.secret(Some(&count(0x80)));
    assert_eq!(hex(secret.bytes()), "1b6e0674a5433e3f2aaad9a01c2326fd4c9e732a84f811765791535ca963a3aa");
    assert_eq!(hex(root.secret(None).bytes()), "91229e9f983353e1ea99510e01021011e9d6a039c4955e64449f360375025f73");
    assert_eq!(
        hex(&slot_okm(&secret, &container, &slot_salt)[..]),
        "ba988f1aef0faa76b9e7fa49c15601ea86f90ebf836f2957747481bbf623a34c7d442e8782beb7fed92bfabec88e8669a4ddd17cc6b10f0b\
         233746624f6391b4b48241f59341953e64674283"
    );
}

#[test]
fn no_pin_is_the_empty_one() {
    let key = pin_key(None, &ContainerSalt::from_bytes(count(0x30)), Argon2Cost::FLOOR).unwrap();
    assert_eq!(hex(key.bytes()), "f9ac84850d33ed974786ff479311c32a672b7bf3e26613220a5615d7f44a4d6a");
}

#[test]
fn the_keys_below_the_master_key_are_pinned() {
    let keys = CompartmentKeys::derive(&Vmk::fill_with(|out| *out = count(0x90)));
    assert_eq!(hex(keys.record.bytes()), "819ba98bdfc1dff26f9cbcc1844e16330d6fb9b420f317eff1662cd75552ae09");
    assert_eq!(hex(keys.log.bytes()), "a5563c336bceaf3a6f3c8acc0d3b2e6aac69c29e2a4aeb18ee0eb36517138f0c");
    assert_eq!(hex(keys.consent.bytes()), "75faae5dd9c10124be9679979af443898ad19b90d79d15328d658085006d8f3e");
    let id = count(0xd0);
    let revocation = hmac(keys.consent.bytes(), &[b"amparo/v1/consent-rev", &id]);
    assert_eq!(hex(&revocation[..]), "e0ce4268cf3b8222fd871f37ac38fdecf067e0e924430a2c801d13bcefe27e8a");
    let name = BlobName {
        container: &ContainerId::from_bytes(count(0x20)),
        compartment: 0,
        id: RecordId::from_bytes(id),
        kind: RecordKind::CREDENTIAL,
        generation: 7,
        bucket: Bucket::MANIFEST,
    };
    let expected = MessageKey::from_okm(Zeroizing::new(unhex(
        "0706469d03b8ae31082c66af950dfbce5706a99d94286f36392ab866fd53eddd32ac0dbfce8979419f660875d4f9c7111cc31d1ef4d9a86081\
         becda6e0568a8cc68936c7bc15e84e5e4e7047",
    )));
    let key = name.key(&keys.record, &count(0xe0));
    assert_eq!(key.commitment(), expected.commitment());
    assert_eq!(key.seal(b"", &mut []).unwrap(), expected.seal(b"", &mut []).unwrap());
}

#[test]
fn the_keys_of_file_and_device_are_pinned() {
    let outer = outer_key(&EpochKey::fill_with(|out| *out = count(0xb0)), &count(0x60));
    assert_eq!(hex(outer.bytes()), "1ac3e5e723e16d59b51b1fc6cbff02fcefc68e13cc8755208941f12c1467bda0");
    let container = ContainerId::from_bytes(count(0x20));
    let params = hmac(&count(0), &crate::vault::params::Params::device_message(&container));
    assert_eq!(hex(&params[..]), "22980513a2417199d2094a35ff89259df81d72dde0e10406bdb058831ea7bca1");
}

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}
