use super::*;
use crate::cbor::CborError;
use crate::cose::write_sign1;
use crate::signer::SoftwareKey;
use crate::status_list::MAX_LIFETIME;
use crate::status_list::tests::examples;
use crate::testing::{Authority, NOW};
use crate::trust::ChainError;
use schemas::status::{Status, StatusReference};

const URI: &str = "https://issuer.example/status/1";

struct Provider {
    authority: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
}

impl Provider {
    fn new() -> Self {
        let authority = Authority::new("Anchor");
        let (chain, key) = authority.leaf(Usage::StatusSigning, &[], 1);
        Self { authority, chain, key }
    }

    fn verify(&self, token: &[u8]) -> Result<VerifiedStatusList, StatusError> {
        verify_cwt(token, URI, &self.authority.anchors(), NOW, None)
    }

    /// A token with these claims and this type, in order otherwise.
    fn sign(&self, typ: &str, claims: &[u8]) -> Vec<u8> {
        let mut token = Writer::new();
        token.tag(SIGN1);
        write_typed_sign1(&mut token, typ, claims, &self.chain, &self.key).unwrap();
        token.into_bytes()
    }

    fn token(&self, claims: &Value) -> Result<VerifiedStatusList, StatusError> {
        let mut writer = Writer::new();
        writer.value(claims);
        self.verify(&self.sign(TYP, writer.as_bytes()))
    }
}

fn draft() -> TokenDraft<'static> {
    TokenDraft {
        uri: URI,
        issued_at: NOW,
        expires_at: NOW.plus(Seconds::DAY),
        ttl: Seconds::HOUR,
        aggregation_uri: Some("https://issuer.example/status"),
    }
}

fn list() -> StatusList {
    let mut list = StatusList::new(1 << 10, Bits::Two).unwrap();
    list.set(9, Status::Suspended).unwrap();
    list
}

/// The least that is a token, with `label` as `value` (or without it).
fn claims(label: i64, value: Option<Value>) -> Value {
    let list = Value::Map(vec![("bits".into(), 2.into()), ("lst".into(), list().to_zlib().into())]);
    let mut claims: Vec<(Value, Value)> = vec![
        (SUBJECT.into(), URI.into()),
        (ISSUED.into(), NOW.unix().into()),
        (EXPIRES.into(), NOW.plus(Seconds::DAY).unix().into()),
        (STATUS_LIST.into(), list),
    ];
    claims.retain(|(key, _)| *key != label.into());
    claims.extend(value.map(|value| (label.into(), value)));
    Value::Map(claims)
}

fn bytes(digits: &serde_json::Value) -> Vec<u8> {
    hex::decode(digits.as_str().unwrap()).unwrap()
}

#[test]
fn a_list_is_signed_verified_and_read() {
    let provider = Provider::new();
    let token = list().sign_cwt(&draft(), &provider.chain, &provider.key).unwrap();
    let verified = provider.verify(&token).unwrap();
    assert_eq!(verified.list(), &list());
    let reference = StatusReference { idx: 9, uri: URI.to_owned() };
    assert_eq!(verified.status(&reference, NOW).unwrap(), Status::Suspended);
    assert_eq!(verified.refresh_at(NOW), NOW.plus(Seconds::HOUR));
    assert_eq!(verified.ends_at(), NOW.plus(Seconds::DAY));
    assert_eq!(verified.aggregation_uri(), draft().aggregation_uri);
    let ended = TokenDraft { expires_at: NOW, ..draft() };
    assert!(list().sign_cwt(&ended, &provider.chain, &provider.key).is_err());
}

#[test]
fn every_cbor_example_of_the_draft_holds_the_list_of_its_json_twin() {
    let examples = examples();
    let mut seen = 0;
    for (cbor, json) in [
        ("status_list_encoding_cbor", "status_list_encoding_json"),
        ("status_list_encoding2_cbor", "status_list_encoding2_json"),
        ("status_list_encoding1_long_cbor", "status_list_encoding1_long_json"),
        ("status_list_encoding2_long_cbor", "status_list_encoding2_long_json"),
        ("status_list_encoding4_cbor", "status_list_encoding4_json"),
        ("status_list_encoding8_cbor", "status_list_encoding8_json"),
    ] {
        let read = parse(&bytes(&examples[cbor]), &LIMITS).unwrap();
        let (list, aggregation_uri) = ListIn::read(read).unwrap();
        let list = list.inflate().unwrap();
        let twin = &examples[json];
        let bits = Bits::try_from(twin["bits"].as_u64().unwrap()).unwrap();
        assert!(list == StatusList::from_lst(bits, twin["lst"].as_str().unwrap()).unwrap(), "{cbor}");
        assert_eq!(aggregation_uri, None);
        let mut written = Writer::new();
        list.write(None, &mut written);
        let (again, _) = ListIn::read(parse(written.as_bytes(), &LIMITS).unwrap()).unwrap();
        assert!(again.inflate().unwrap() == list, "{cbor}");
        seen += 1;
    }
    assert_eq!(seen, examples.keys().filter(|name| name.ends_with("_cbor")).count());
}

#[test]
fn the_cwt_example_of_the_draft_says_what_it_says_and_is_not_accepted() {
    let example = bytes(&examples()["status_list_cwt"]);
    assert!(matches!(Provider::new().verify(&example), Err(StatusError::NoChain)), "its key is named by kid only");
    let token = Sign1In::read(parse(&example, &LIMITS).unwrap().into_tagged(SIGN1).unwrap(), "example").unwrap();
    assert_eq!(token.typ(), Some(TYP));
    let (said, list) = super::claims(token.payload().unwrap()).unwrap();
    assert_eq!(said.uri, "https://example.com/statuslists/1");
    assert_eq!(said.issued_at, Timestamp::from_unix(1_686_920_170));
    assert_eq!(said.expires_at, Some(Timestamp::from_unix(2_291_720_170)));
    assert_eq!(said.ttl, Some(Seconds::new(43_200)));
    assert_eq!(list.inflate().unwrap().as_bytes(), [0xb9, 0xa3]);
    // The same claims under our key are accepted, in their time.
    let provider = Provider::new();
    let again = provider.sign(TYP, token.payload().unwrap());
    let now = Timestamp::from_unix(1_686_920_170);
    let verified = verify_cwt(&again, &said.uri, &provider.authority.anchors(), now, None).unwrap();
    assert_eq!(verified.ends_at(), now.plus(MAX_LIFETIME));
}

#[test]
fn attack_64_another_list_type_form_or_signer_is_refused_in_cwt_too() {
    let provider = Provider::new();
    let good = list().sign_cwt(&draft(), &provider.chain, &provider.key).unwrap();
    assert!(matches!(
        provider.token(&claims(SUBJECT, Some("https://x.example".into()))),
        Err(StatusError::WrongSubject)
    ));
    let mut least = Writer::new();
    least.value(&claims(TTL, None));
    assert!(provider.verify(&provider.sign(TYP, least.as_bytes())).is_ok());
    for typ in ["statuslist+jwt", "statuslist+cwt", "application/statuslist+jwt", ""] {
        assert!(matches!(provider.verify(&provider.sign(typ, least.as_bytes())), Err(StatusError::WrongType)), "{typ}");
    }
    let mut untyped = Writer::new();
    untyped.tag(SIGN1);
    write_sign1(&mut untyped, least.as_bytes(), false, Some(&provider.chain), &provider.key).unwrap();
    assert!(matches!(provider.verify(untyped.as_bytes()), Err(StatusError::WrongType)));
    // Without its tag, under the CWT tag, as a MAC, cut, with something after it.
    let retagged = |tag: &[u8]| [tag, &good[1..]].concat();
    for bad in [good[1..].to_vec(), retagged(&[0xd1]), [&[0xd8, 61], &good[..]].concat(), good[..40].to_vec()] {
        assert!(matches!(provider.verify(&bad), Err(StatusError::Cose(_))));
    }
    let trailing = FieldError::Cbor(CborError::Trailing);
    let error = provider.verify(&[&good[..], &[0]].concat()).unwrap_err();
    assert!(matches!(error, StatusError::Cose(CoseError::Form(form)) if form == trailing));
    // Signed by somebody else, or by a key for something else.
    let stranger = Authority::new("Stranger");
    for (chain, key) in
        [provider.authority.leaf(Usage::CredentialIssuing, &[], 2), stranger.leaf(Usage::StatusSigning, &[], 4)]
    {
        let token = list().sign_cwt(&draft(), &chain, &key).unwrap();
        let error = provider.verify(&token).unwrap_err();
        assert!(matches!(error, StatusError::Chain(ChainError::WrongUsage | ChainError::UnknownIssuer)));
    }
    let (_, other) = provider.authority.leaf(Usage::StatusSigning, &[], 5);
    let token = list().sign_cwt(&draft(), &provider.chain, &other).unwrap();
    assert!(matches!(provider.verify(&token), Err(StatusError::Signature)));
}

#[test]
fn attack_14_15_39_claims_of_another_kind_are_refused() {
    let provider = Provider::new();
    for (label, value) in [
        (SUBJECT, None),
        (SUBJECT, Some(Value::from(7))),
        (ISSUED, None),
        (ISSUED, Some(Value::Float(1e9))),
        (ISSUED, Some((-1).into())),
        (ISSUED, Some(i64::MAX.into())),
        (EXPIRES, Some("2030".into())),
        (EXPIRES, Some(Value::Tag(1, Box::new(NOW.unix().into())))),
        (TTL, Some((-5).into())),
        (TTL, Some(Value::Float(60.0))),
        (STATUS_LIST, None),
        (STATUS_LIST, Some(Value::Map(vec![("bits".into(), 1.into())]))),
        (STATUS_LIST, Some(Value::Map(vec![("bits".into(), 1.into()), ("lst".into(), "eNrbuRgAAhcBXQ".into())]))),
    ] {
        assert!(matches!(provider.token(&claims(label, value)), Err(StatusError::Claims)), "{label}");
    }
    let with = |bits: i64, lst: Vec<u8>| {
        let list = Value::Map(vec![("bits".into(), bits.into()), ("lst".into(), lst.into())]);
        provider.token(&claims(STATUS_LIST, Some(list)))
    };
    assert!(matches!(with(3, list().to_zlib()), Err(StatusError::Bits)));
    assert!(matches!(with(1, vec![1, 2, 3]), Err(StatusError::Compression)));
    let huge = vec![0; LIMITS.bytes + 1];
    assert!(matches!(provider.verify(&huge), Err(StatusError::Cose(CoseError::Form(FieldError::Cbor(_))))));
}

#[test]
fn attack_65_66_an_ended_or_older_list_says_nothing_in_cwt_too() {
    let provider = Provider::new();
    assert!(matches!(
        provider.token(&claims(EXPIRES, Some(NOW.unix().into()))),
        Err(StatusError::StatusUnknown { ended }) if ended == NOW
    ));
    let later = NOW.plus(Seconds::MINUTE.times(2));
    assert!(matches!(
        provider.token(&claims(ISSUED, Some(later.unix().into()))),
        Err(StatusError::IssuedLater { issued_at }) if issued_at == later
    ));
    let token = list().sign_cwt(&draft(), &provider.chain, &provider.key).unwrap();
    let seen = NOW.plus(Seconds::new(1));
    let again = verify_cwt(&token, URI, &provider.authority.anchors(), NOW, Some(seen));
    assert!(matches!(again, Err(StatusError::RolledBack { .. })));
}

#[test]
fn a_full_list_of_random_bytes_fits_in_a_cwt() {
    use rand_core::Rng as _;
    // Whose chain is long, too.
    let names: Vec<String> = (0..150).map(|i| format!("a-name-of-this-provider-{i}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let authority = Authority::new("Anchor");
    let (chain, key) = authority.leaf(Usage::StatusSigning, &names, 1);
    let provider = Provider { authority, chain, key };
    let mut bytes = vec![0; 1 << 20];
    crate::testing::rng(6).fill_bytes(&mut bytes);
    let list = StatusList::from_bytes(Bits::Eight, bytes).unwrap();
    let token = list.sign_cwt(&draft(), &provider.chain, &provider.key).unwrap();
    assert!(provider.verify(&token).unwrap().list() == &list);
}
