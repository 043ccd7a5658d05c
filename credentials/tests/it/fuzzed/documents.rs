//! CBOR: documents as issued and as presented, and what is said in person.

use crate::mdoc::world as documents;
use crate::world::{NOW, WORLD, key};
use credentials::cbor::{self, Writer};
use credentials::cose::write_sign1;
use credentials::mdoc::{Expected, Mdoc, verify_issued, verify_presented, verify_response};
use credentials::proximity::{DeviceEngagement, HolderEngagement, ReaderEngagement, RequestIn};

/// CBOR: what is read is written back to the same byte.
pub fn cbor(data: &[u8]) {
    for limits in [cbor::Limits::MESSAGE, cbor::Limits { bytes: 256, depth: 3, items: 12 }] {
        if let Ok(value) = cbor::parse(data, &limits) {
            let mut writer = Writer::new();
            writer.value(&value);
            let again = cbor::parse(writer.as_bytes(), &limits).unwrap();
            assert_eq!(again, value, "written and read again");
            let _ = value.to_json();
        }
    }
}

/// An `IssuerSigned`; and a security object that an issuer signs.
pub fn mdoc_issued(data: &[u8]) {
    if let Ok(held) = verify_issued(data, &WORLD.policy(), NOW) {
        Mdoc::reopen(held.as_bytes()).unwrap();
    }
    let _ = Mdoc::reopen(data);
    let mut payload = Writer::new();
    payload.embedded(data);
    let mut auth = Writer::new();
    write_sign1(&mut auth, payload.as_bytes(), false, Some(&WORLD.chain), &WORLD.issuer).unwrap();
    let mut bytes = Writer::new();
    bytes.map(2).text("nameSpaces").map(0).text("issuerAuth").raw(auth.as_bytes());
    if let Ok(held) = verify_issued(bytes.as_bytes(), &WORLD.policy(), NOW) {
        assert!(held.elements().iter().next().is_none(), "nothing was shown that could be believed");
    }
}

/// A `DeviceResponse`; and what a holder's key says of itself beside a real document.
pub fn mdoc_presented(data: &[u8]) {
    let transcript = documents::transcript();
    let expected = Expected::new(WORLD.policy(), &transcript, NOW);
    let _ = verify_presented(data, &expected);
    let _ = verify_response(data, &expected);
    let changed = documents::edited(&documents::response(), |response| {
        documents::rebound(response, documents::TYPE, data.to_vec(), &WORLD.holder);
    });
    if let Ok(presented) = verify_presented(&changed, &expected) {
        for (name_space, _, _) in presented.own_elements().iter() {
            assert!([documents::OWN, "org.amparo.presence.1"].contains(&name_space), "what the issuer did not allow");
        }
    }
}

/// Everything that a reader or a holder says in person: engagement, establishment, request, session data.
pub fn proximity(data: &[u8]) {
    if let Ok(engagement) = DeviceEngagement::parse(data) {
        let again = DeviceEngagement::from_uri(&engagement.to_uri()).unwrap();
        assert_eq!(again.as_bytes(), engagement.as_bytes(), "as a code and back");
    }
    if let Ok(text) = str::from_utf8(data) {
        let _ = ReaderEngagement::scan(text, key(21));
    }
    let _ = RequestIn::parse(data);
    let _ = HolderEngagement::new(key(22), Vec::new()).accept(data);
    let holder = HolderEngagement::new(key(22), Vec::new());
    let reader = ReaderEngagement::scan(&holder.qr_uri(), key(23)).unwrap();
    let (_, establishment) = reader.establish(data).unwrap();
    let (session, request) = holder.accept(&establishment).unwrap();
    assert_eq!(request, data, "what was said is what is heard");
    drop(session.receive(data));
}
