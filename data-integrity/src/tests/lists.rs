//! Bitstring status lists.

use super::*;
use crate::bitstring::{BitstringError, BitstringStatus, VerifiedBitstring};
use credentials::b64;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

fn encoded(bits: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bits).unwrap();
    format!("u{}", b64::encode(&gzip.finish().unwrap()))
}

fn subject(purpose: &str, encoded: &str) -> Value {
    json!({"id": "https://registry.example/status/3#list", "type": "BitstringStatusList", "statusPurpose": purpose, "encodedList": encoded})
}

fn list(issuer: &Issuer, subject: Value) -> Result<VerifiedBitstring, BitstringError> {
    let document = issuer.sign(issuer.list(subject), json!({}));
    VerifiedBitstring::verify(document.to_string().as_bytes(), &issuer.did(), &Desk::of(issuer).verifier())
}

fn credential(issuer: &Issuer, own: Value) -> VerifiedDocument {
    let mut entry =
        object(json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567",
        "statusListCredential": "https://registry.example/status/3"}));
    entry.extend(object(own));
    verify(issuer, &issuer.sign(issuer.credential(json!({ "credentialStatus": entry })), json!({}))).unwrap()
}

#[test]
fn w3c_30_a_bit_says_whether_it_was_taken_back() {
    let issuer = Issuer::p256();
    let mut bits = vec![0; 16_384];
    bits[94_567 / 8] = 0x80 >> (94_567 % 8);
    let revoked = list(&issuer, subject("revocation", &encoded(&bits))).unwrap();
    let status = |own: Value| {
        let credential = credential(&issuer, own);
        revoked.status(&credential.statuses()[0], credential.issuer())
    };
    assert_eq!(status(json!({})), Ok(BitstringStatus::Revoked));
    assert_eq!(status(json!({"statusListIndex": "94566"})), Ok(BitstringStatus::Clear));
    assert_eq!(status(json!({"statusListIndex": "94568"})), Ok(BitstringStatus::Clear));
    assert_eq!(status(json!({"statusListIndex": "131071"})), Ok(BitstringStatus::Clear));
    assert_eq!(status(json!({"statusListIndex": "131072"})), Err(BitstringError::Range));
    assert_eq!(status(json!({"statusListIndex": "18446744073709551615"})), Err(BitstringError::Range));
    assert_eq!(
        status(json!({"statusListCredential": "https://registry.example/status/4"})),
        Err(BitstringError::Other)
    );
    assert_eq!(status(json!({"statusPurpose": "suspension"})), Err(BitstringError::Other));
    assert_eq!(status(json!({"statusPurpose": "message"})), Err(BitstringError::Kind));
    let held = credential(&issuer, json!({}));
    assert_eq!(revoked.status(&held.statuses()[0], "did:web:else.example"), Err(BitstringError::Other));
    let suspended = list(&issuer, subject("suspension", &encoded(&bits))).unwrap();
    let held = credential(&issuer, json!({"statusPurpose": "suspension"}));
    assert_eq!(suspended.status(&held.statuses()[0], &issuer.did()), Ok(BitstringStatus::Suspended));
}

#[test]
fn w3c_31_an_index_is_digits_and_nothing_else() {
    let issuer = Issuer::p256();
    for index in [json!(""), json!("-1"), json!("1.5"), json!("0x1"), json!(7), json!("99999999999999999999")] {
        let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index,
            "statusListCredential": "https://registry.example/status/3"});
        let document = issuer.sign(issuer.credential(json!({ "credentialStatus": entry })), json!({}));
        assert_eq!(verify(&issuer, &document).unwrap_err(), DocumentRefused::Form("credentialStatus"), "{index}");
    }
}

#[test]
fn w3c_32_lists_too_short_too_long_or_cut_are_refused() {
    let issuer = Issuer::p256();
    let why = |encoded: &str| list(&issuer, subject("revocation", encoded)).err();
    let length = Some(BitstringError::Form("the length of encodedList"));
    let form = Some(BitstringError::Form("encodedList"));
    assert_eq!(why(&encoded(&vec![0; 16_384])), None);
    assert_eq!(why(&encoded(&vec![0; 16_383])), length, "so short that the index tells who");
    assert_eq!(why(&encoded(&vec![0; (4 << 20) + 1])), length, "a bomb");
    let good = encoded(&vec![0; 16_384]);
    assert_eq!(why(&good[..good.len() - 8]), form);
    let more = [b64::decode(&good[1..]).unwrap(), vec![0]].concat();
    assert_eq!(why(&format!("u{}", b64::encode(&more))), length, "something after its end");
    assert_eq!(why(&format!("z{}", &good[1..])), form);
    assert_eq!(why(""), form);
}

#[test]
fn w3c_33_a_list_of_another_issuer_type_or_time_is_refused() {
    let (issuer, other) = (Issuer::p256(), Issuer::ed25519());
    let bits = encoded(&vec![0; 16_384]);
    let document = other.sign(other.list(subject("revocation", &bits)), json!({})).to_string();
    let read =
        |of: &Issuer, desk: &Desk| VerifiedBitstring::verify(document.as_bytes(), &of.did(), &desk.verifier()).err();
    assert_eq!(read(&other, &Desk::of(&other)), None);
    assert_eq!(read(&issuer, &Desk::of(&issuer)), Some(BitstringError::List(DocumentRefused::Issuer)));
    let late = Desk::of(&other).at("2027-02-01T00:00:00Z");
    assert!(matches!(read(&other, &late), Some(BitstringError::List(DocumentRefused::Ended(_)))));
    let credential = issuer.sign(issuer.credential(json!({})), json!({})).to_string();
    let none = VerifiedBitstring::verify(credential.as_bytes(), &issuer.did(), &Desk::of(&issuer).verifier());
    assert_eq!(none.err(), Some(BitstringError::List(DocumentRefused::NotAccepted)));
    let mut wrong = subject("revocation", &bits);
    wrong["type"] = json!(["BitstringStatusList"]);
    assert_eq!(list(&issuer, wrong).err(), Some(BitstringError::Form("type")));
}

#[test]
fn w3c_34_a_status_of_an_unknown_kind_is_never_a_good_one() {
    let issuer = Issuer::p256();
    let entry = json!({"type": "RevocationRegistry", "url": "x"});
    let document = issuer.sign(issuer.credential(json!({ "credentialStatus": entry })), json!({}));
    let held = verify(&issuer, &document).unwrap();
    let clear = list(&issuer, subject("revocation", &encoded(&vec![0; 16_384]))).unwrap();
    assert_eq!(clear.status(&held.statuses()[0], &issuer.did()), Err(BitstringError::Kind));
}
