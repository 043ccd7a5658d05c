//! The world of the SD-JWT tests, seen as one of mobile documents; and a forger who signs anything.

use crate::world::{NOW, WORLD, World, rng};
use credentials::cbor::{Limits, Value, Writer, parse};
use credentials::cose::write_sign1;
use credentials::mdoc::{
    Elements, Expected, IssuanceDraft, KeyAuthorizations, Mdoc, PresentedMdoc, SessionTranscript, VerifyError,
    device_response, issue, verify_issued, verify_presented,
};
use credentials::signer::{Signer as _, SoftwareKey};
use schemas::{ClaimPath, Timestamp};

pub const TYPE: &str = "eu.europa.ec.eudi.pid.1";
pub const SPACE: &str = "eu.europa.ec.eudi.pid.1";
pub const OWN: &str = "org.amparo.consent.1";

pub fn transcript() -> SessionTranscript {
    SessionTranscript::openid4vp("x509_san_dns:verifier.example", "nonce-1", None, "https://verifier.example/answer")
}

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW.unix() + seconds)
}

pub fn draft() -> IssuanceDraft {
    let mut elements = Elements::new();
    elements.insert(SPACE, "given_name", "Олена");
    elements.insert(SPACE, "family_name", "Коваль");
    elements.insert(SPACE, "age_over_18", true);
    elements.insert(SPACE, "portrait", vec![0xff, 0xd8, 0xff]);
    elements.insert("org.amparo.identity.1", "languages", Value::Array(vec!["uk".into(), "es".into()]));
    IssuanceDraft {
        doc_type: TYPE.into(),
        elements,
        signed_at: NOW,
        valid_from: NOW,
        valid_until: later(86_400),
        expected_update: None,
        status: None,
        authorizations: KeyAuthorizations::new().with_name_space(OWN).with_element("org.amparo.presence.1", "acr"),
        decoys: true,
    }
}

pub fn issued(draft: &IssuanceDraft) -> Vec<u8> {
    let World { chain, issuer, holder, .. } = &*WORLD;
    issue(draft, chain, holder.public_key(), issuer, &mut rng(7)).unwrap()
}

pub fn held(draft: &IssuanceDraft) -> Mdoc {
    verify_issued(&issued(draft), &WORLD.policy(), NOW).unwrap()
}

pub fn names() -> Vec<ClaimPath> {
    vec![ClaimPath::names([SPACE, "given_name"]), ClaimPath::names([SPACE, "age_over_18"])]
}

pub fn grant() -> Elements {
    let mut own = Elements::new();
    own.insert(OWN, "grant", b"{\"v\":1}".to_vec());
    own
}

/// A response as it should be: two elements, one word of the holder's own, signed.
pub fn response() -> Vec<u8> {
    let held = held(&draft());
    let document = held.select(&names()).unwrap().sign(&transcript(), &grant(), &WORLD.holder).unwrap();
    device_response(&[document])
}

pub fn verified(bytes: &[u8]) -> Result<PresentedMdoc, VerifyError> {
    let transcript = transcript();
    verify_presented(bytes, &Expected::new(WORLD.policy(), &transcript, NOW))
}

pub fn encode(value: &Value) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.value(value);
    writer.into_bytes()
}

pub fn decode(bytes: &[u8]) -> Value {
    parse(bytes, &Limits::MESSAGE).unwrap()
}

/// One step into a value: a member or an item.
pub enum Step {
    Name(&'static str),
    Item(usize),
}

impl From<&'static str> for Step {
    fn from(name: &'static str) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Step {
    fn from(at: usize) -> Self {
        Self::Item(at)
    }
}

/// The value at the end of `steps`; through bytes that hold CBOR as through anything else with [`within`].
pub fn at(value: &mut Value, steps: Vec<Step>) -> &mut Value {
    steps.into_iter().fold(value, |value, step| match (value, step) {
        (Value::Map(members), Step::Name(name)) => {
            &mut members.iter_mut().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
        }
        (Value::Array(items), Step::Item(at)) => &mut items[at],
        _ => panic!("no such place"),
    })
}

#[macro_export]
macro_rules! at {
    ($value:expr $(, $step:expr)*) => { $crate::mdoc::world::at($value, vec![$($crate::mdoc::world::Step::from($step)),*]) };
}

/// The members of a map.
pub fn members(value: &mut Value) -> &mut Vec<(Value, Value)> {
    match value {
        Value::Map(members) => members,
        _ => panic!("no map"),
    }
}

/// The items of an array.
pub fn items(value: &mut Value) -> &mut Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => panic!("no array"),
    }
}

/// Edits CBOR that stands as tag 24 and bytes in `value`.
pub fn within(value: &mut Value, edit: impl FnOnce(&mut Value)) {
    let Value::Tag(24, inner) = value else { panic!("nothing embedded") };
    let mut content = decode(inner.as_bytes().unwrap());
    edit(&mut content);
    **inner = Value::Bytes(encode(&content));
}

/// Bytes with one edit.
pub fn edited(bytes: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = decode(bytes);
    edit(&mut value);
    encode(&value)
}

/// Changes the security object of an `IssuerSigned` and signs it anew with the issuer's key: what a careless or malicious
/// issuer could.
pub fn reissued(issuer_signed: &mut Value, edit: impl FnOnce(&mut Value)) {
    let auth = at!(issuer_signed, "issuerAuth");
    let mut payload = decode(items(auth)[2].as_bytes().unwrap());
    within(&mut payload, edit);
    let mut writer = Writer::new();
    write_sign1(&mut writer, &encode(&payload), false, Some(&WORLD.chain), &WORLD.issuer).unwrap();
    *auth = decode(writer.as_bytes());
}

/// Signs the document at 0 of a response anew with `key`, over `own` and this session: what a malicious holder could.
pub fn rebound(response: &mut Value, doc_type: &str, own: Vec<u8>, key: &SoftwareKey) {
    let mut authentication = Writer::new();
    authentication.array(4).text("DeviceAuthentication").raw(transcript().as_bytes()).text(doc_type).embedded(&own);
    let mut payload = Writer::new();
    payload.embedded(authentication.as_bytes());
    let mut auth = Writer::new();
    write_sign1(&mut auth, payload.as_bytes(), true, None, key).unwrap();
    let device_signed = at!(response, "documents", 0, "deviceSigned");
    *at!(device_signed, "nameSpaces") = Value::Tag(24, Box::new(Value::Bytes(own)));
    *at!(device_signed, "deviceAuth") = Value::Map(vec![("deviceSignature".into(), decode(auth.as_bytes()))]);
}
