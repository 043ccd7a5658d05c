//! The draft's vectors, and what must never be taken for *valid*.

use super::*;
use crate::b64;
use crate::jws;
use crate::signer::SoftwareKey;
use crate::testing::{Authority, NOW, rng};
use crate::trust::{CertificateChain, Usage};
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use proptest::prelude::*;
use schemas::Seconds;
use schemas::status::{Status, StatusReference};
use serde_json::{Map, Value, json};
use std::io::Write as _;

const URI: &str = "https://issuer.example/status/1";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// An authority, and a chain for signing statuses with its key.
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

    fn sign(&self, header: Value, payload: Value) -> String {
        let mut header = object(header);
        header.entry("x5c").or_insert_with(|| self.chain.to_x5c().into());
        jws::sign_object(&header, &object(payload), &self.key).unwrap()
    }

    /// A token with this payload, in order otherwise.
    fn token(&self, payload: Value) -> String {
        self.sign(json!({"alg": "ES256", "typ": "statuslist+jwt"}), payload)
    }

    fn verify(&self, token: &str) -> Result<VerifiedStatusList, StatusError> {
        verify(token, URI, &self.authority.anchors(), NOW, None)
    }
}

fn list() -> StatusList {
    let mut list = StatusList::new(1 << 10, Bits::Two).unwrap();
    list.set(7, Status::Invalid).unwrap();
    list.set(9, Status::Suspended).unwrap();
    list
}

fn payload() -> Value {
    json!({"sub": URI, "iat": NOW, "exp": NOW.plus(Seconds::DAY), "ttl": 43200,
           "status_list": {"bits": 2, "lst": list().to_lst()}})
}

fn with(member: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[member] = value;
    payload
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn value(status: Status) -> u8 {
    match status {
        Status::Valid => 0,
        Status::Invalid => 1,
        Status::Suspended => 2,
        Status::Other(other) => other,
    }
}

fn reference(idx: u64) -> StatusReference {
    StatusReference { idx, uri: URI.to_owned() }
}

#[test]
fn attack_63_the_least_significant_bit_comes_first() {
    // Token Status List §4.1 and §4.2, both examples: the bytes, the statuses, and the published encodings.
    let mut one = StatusList::new(16, Bits::One).unwrap();
    for index in [0, 3, 4, 5, 7, 8, 9, 13, 15] {
        one.set(index, Status::Invalid).unwrap();
    }
    assert_eq!(one.as_bytes(), [0xb9, 0xa3]);
    let mut two = StatusList::new(12, Bits::Two).unwrap();
    let statuses = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    for (index, status) in (0..).zip(statuses) {
        two.set(index, Status::Other(status)).unwrap();
    }
    assert_eq!(two.as_bytes(), [0xc9, 0x44, 0xf9]);
    for (list, published) in [(&one, "eNrbuRgAAhcBXQ"), (&two, "eNo76fITAAPfAgc")] {
        assert_eq!(&StatusList::from_lst(list.bits(), published).unwrap(), list);
        assert_eq!(&StatusList::from_lst(list.bits(), &list.to_lst()).unwrap(), list);
    }
    let read: Vec<u8> = (0..12).map(|index| value(two.get(index).unwrap())).collect();
    assert_eq!(read, statuses);
    assert_eq!(two.get(0).unwrap(), Status::Invalid);
    assert_eq!(two.get(1).unwrap(), Status::Suspended);
    assert_eq!(two.get(3).unwrap(), Status::Other(3));
}

#[test]
fn attack_63_every_vector_of_the_draft_reads_as_published() {
    let vectors = [
        include_str!("../../../tests/vectors/token-status-list/1-bit.json"),
        include_str!("../../../tests/vectors/token-status-list/2-bit.json"),
        include_str!("../../../tests/vectors/token-status-list/4-bit.json"),
        include_str!("../../../tests/vectors/token-status-list/8-bit.json"),
    ];
    for vector in vectors {
        let vector: Value = serde_json::from_str(vector).unwrap();
        let bits = Bits::try_from(vector["bits"].as_u64().unwrap()).unwrap();
        let list = StatusList::from_lst(bits, vector["lst"].as_str().unwrap()).unwrap();
        assert_eq!(list.len(), 1 << 20);
        let mut expected = vec![0; 1 << 20];
        for pair in vector["statuses"].as_array().unwrap() {
            expected[pair[0].as_u64().unwrap() as usize] = pair[1].as_u64().unwrap() as u8;
        }
        let read: Vec<u8> = (0..list.len()).map(|index| value(list.get(index).unwrap())).collect();
        assert!(read == expected, "{} bits", bits.get());
        // And written again it reads the same, though another deflater may choose other codes.
        assert_eq!(StatusList::from_lst(bits, &list.to_lst()).unwrap(), list);
    }
}

#[test]
fn a_list_is_verified_and_read() {
    let provider = Provider::new();
    let token =
        list().to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &provider.chain, &provider.key).unwrap();
    let verified = provider.verify(&token).unwrap();
    assert_eq!(verified.status(&reference(7), NOW).unwrap(), Status::Invalid);
    assert_eq!(verified.status(&reference(8), NOW).unwrap(), Status::Valid);
    assert_eq!(verified.status(&reference(9), NOW).unwrap(), Status::Suspended);
    assert_eq!((verified.uri(), verified.issued_at()), (URI, NOW));
    assert_eq!(verified.refresh_at(NOW), NOW.plus(Seconds::HOUR));
    assert!(matches!(
        list().to_token(URI, NOW, NOW, Seconds::HOUR, &provider.chain, &provider.key),
        Err(StatusIssueError::EndsBeforeIssued { .. })
    ));
}

#[test]
fn a_list_may_say_where_its_issuers_other_lists_are_named() {
    let provider = Provider::new();
    let aggregation_uri = Some("https://issuer.example/status");
    let draft = TokenDraft {
        uri: URI,
        issued_at: NOW,
        expires_at: NOW.plus(Seconds::DAY),
        ttl: Seconds::HOUR,
        aggregation_uri,
    };
    let token = list().sign(&draft, &provider.chain, &provider.key).unwrap();
    assert_eq!(provider.verify(&token).unwrap().aggregation_uri(), aggregation_uri);
    let token = list().sign(&TokenDraft { aggregation_uri: None, ..draft }, &provider.chain, &provider.key).unwrap();
    assert_eq!(provider.verify(&token).unwrap().aggregation_uri(), None);
    let list = json!({"bits": 2, "lst": list().to_lst(), "aggregation_uri": 7});
    assert!(matches!(provider.verify(&provider.token(with("status_list", list))), Err(StatusError::Claims)));
}

/// `tests/vectors/token-status-list/SOURCE.md` says what is expected of each.
pub(crate) fn examples() -> Map<String, Value> {
    serde_json::from_str(include_str!("../../../tests/vectors/token-status-list/examples.json")).unwrap()
}

#[test]
fn every_json_example_of_the_draft_is_read() {
    let examples = examples();
    let mut seen = 0;
    for (name, entries) in [
        ("status_list_encoding_json", 16),
        ("status_list_encoding2_json", 12),
        ("status_list_encoding1_long_json", 1 << 20),
        ("status_list_encoding2_long_json", 1 << 20),
        ("status_list_encoding4_json", 1 << 20),
        ("status_list_encoding8_json", 1 << 20),
    ] {
        let example = &examples[name];
        let bits = Bits::try_from(example["bits"].as_u64().unwrap()).unwrap();
        let list = StatusList::from_lst(bits, example["lst"].as_str().unwrap()).unwrap();
        assert_eq!(list.len(), entries, "{name}");
        seen += 1;
    }
    assert_eq!(seen, examples.keys().filter(|name| name.ends_with("_json")).count());
}

#[test]
fn the_jwt_example_of_the_draft_says_what_it_says_and_is_not_accepted() {
    let examples = examples();
    let provider = Provider::new();
    let raw = examples["status_list_jwt_raw"].as_str().unwrap();
    let token = crate::jws::JwsIn::parse(raw, &crate::json::Limits::TOKEN).unwrap();
    let said = &examples["status_list_jwt"];
    assert_eq!(token.header().typ.as_deref(), said[0]["typ"].as_str());
    let mut payload = token.payload_object(&crate::json::Limits::TOKEN).unwrap();
    assert_eq!(
        payload.shift_remove("iss"),
        Some(json!("https://example.com")),
        "an older draft's claim is still in it"
    );
    assert_eq!(Value::Object(payload.clone()), said[1]);
    assert!(matches!(provider.verify(raw), Err(StatusError::NoChain)), "its key is named by kid only");
    // The same claims under our key are accepted, in their time.
    let (uri, now) = ("https://example.com/statuslists/1", schemas::Timestamp::from_unix(1_686_920_170));
    let again = provider.token(payload.into());
    let at = |now| verify(&again, uri, &provider.authority.anchors(), now, None);
    // The certificate of the test is not as old as the example; its validity starts in 1975.
    let list = at(now).unwrap();
    assert_eq!(list.list().as_bytes(), [0xb9, 0xa3]);
    assert_eq!(list.refresh_at(now), now.plus(Seconds::HOUR.times(12)));
    assert_eq!(list.ends_at(), now.plus(MAX_LIFETIME));
}

#[test]
fn attack_61_an_index_outside_the_list_is_never_valid() {
    let provider = Provider::new();
    let verified = provider.verify(&provider.token(payload())).unwrap();
    for index in [1 << 10, 1 << 32, u64::MAX] {
        assert!(matches!(verified.status(&reference(index), NOW), Err(StatusError::IndexOutOfRange { entries: 1024 })));
        assert!(list().set(index, Status::Valid).is_err());
    }
    assert!(verified.status(&reference(1023), NOW).is_ok());
    // What is not a non-negative integer does not even parse as a reference.
    for idx in [json!(-1), json!(1.5), json!(1.0), json!("1"), json!(null), json!(18_446_744_073_709_551_616.0)] {
        assert!(serde_json::from_value::<StatusReference>(json!({"idx": idx, "uri": URI})).is_err());
    }
    assert!(serde_json::from_value::<StatusReference>(json!({"uri": URI})).is_err());
    // Nor does an index into another list say anything.
    let other = StatusReference { idx: 1, uri: "https://issuer.example/status/2".to_owned() };
    assert!(matches!(verified.status(&other, NOW), Err(StatusError::OtherList)));
}

#[test]
fn attack_62_bombs_and_broken_streams_are_refused() {
    let refused = |lst: &[u8]| StatusList::from_lst(Bits::One, &b64::encode(lst)).unwrap_err();
    // 64 MiB of zeros in 64 KiB of zlib: inflation stops at 1 MiB, however much more would come.
    let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        bomb.write_all(&zeros).unwrap();
    }
    assert!(matches!(refused(&bomb.finish().unwrap()), StatusError::Size));
    assert!(matches!(refused(&zlib(&vec![0; (1 << 20) + 1])), StatusError::Size));
    assert!(StatusList::from_lst(Bits::One, &b64::encode(&zlib(&zeros))).is_ok());

    let good = zlib(&[0xb9, 0xa3]);
    for cut in 0..good.len() {
        assert!(matches!(refused(&good[..cut]), StatusError::Compression), "cut at {cut}");
    }
    assert!(matches!(refused(&[&good[..], &[0]].concat()), StatusError::Compression));
    assert!(matches!(refused(&[&good[..], &good[..]].concat()), StatusError::Compression));
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(&[0xb9, 0xa3]).unwrap();
    assert!(matches!(refused(&raw.finish().unwrap()), StatusError::Compression));
    let mut checksum = good.clone();
    *checksum.last_mut().unwrap() ^= 1;
    assert!(matches!(refused(&checksum), StatusError::Compression));
    assert!(matches!(refused(&zlib(&[])), StatusError::Size));
    assert!(matches!(StatusList::from_lst(Bits::One, "eNrbuRgAAhcBXQ=="), Err(StatusError::Compression)));

    let provider = Provider::new();
    for bits in [0, 3, 5, 16, u64::MAX] {
        let token = provider.token(with("status_list", json!({"bits": bits, "lst": list().to_lst()})));
        assert!(matches!(provider.verify(&token), Err(StatusError::Bits)), "{bits}");
    }
    for list in [json!({"bits": 1.5, "lst": "eNrbuRgAAhcBXQ"}), json!({"bits": 1}), json!({"lst": ""}), json!([])] {
        let token = provider.token(with("status_list", list));
        assert!(matches!(provider.verify(&token), Err(StatusError::Claims)));
    }
}

#[test]
fn attack_64_another_list_type_or_signer_is_refused() {
    let provider = Provider::new();
    let token = provider.token(with("sub", json!("https://issuer.example/status/10")));
    assert!(matches!(provider.verify(&token), Err(StatusError::WrongSubject)));
    for typ in [json!("JWT"), json!("statuslist+cwt"), json!("STATUSLIST+JWT"), json!("dc+sd-jwt")] {
        let token = provider.sign(json!({"alg": "ES256", "typ": typ}), payload());
        assert!(matches!(provider.verify(&token), Err(StatusError::WrongType)));
    }
    assert!(matches!(provider.verify(&provider.sign(json!({"alg": "ES256"}), payload())), Err(StatusError::WrongType)));

    // The credential key of the same authority may not sign statuses, nor may a stranger's status key.
    let stranger = Authority::new("Stranger");
    for (chain, key) in [
        provider.authority.leaf(Usage::CredentialIssuing, &[], 2),
        provider.authority.leaf(Usage::Verifier, &[], 3),
        stranger.leaf(Usage::StatusSigning, &[], 4),
    ] {
        let token = list().to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &chain, &key).unwrap();
        assert!(matches!(provider.verify(&token), Err(StatusError::Chain(_))));
    }
    // The right chain over a signature of another key.
    let (_, other) = provider.authority.leaf(Usage::StatusSigning, &[], 5);
    let token = list().to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &provider.chain, &other).unwrap();
    assert!(matches!(provider.verify(&token), Err(StatusError::Signature)));
    let header = object(json!({"alg": "ES256", "typ": "statuslist+jwt"}));
    let token = jws::sign_object(&header, &object(payload()), &provider.key).unwrap();
    assert!(matches!(provider.verify(&token), Err(StatusError::NoChain)));
}

#[test]
fn attack_65_an_ended_list_says_nothing_and_times_are_clamped() {
    let provider = Provider::new();
    let ends = NOW.plus(Seconds::DAY);
    let verified = provider.verify(&provider.token(payload())).unwrap();
    assert!(verified.status(&reference(8), ends.minus(Seconds::new(1))).is_ok());
    // At `exp` itself it has ended, and no status is told, let alone `Valid`.
    assert!(matches!(verified.status(&reference(8), ends), Err(StatusError::StatusUnknown { ended }) if ended == ends));
    assert!(matches!(
        provider.verify(&provider.token(with("exp", json!(NOW)))),
        Err(StatusError::StatusUnknown { ended }) if ended == NOW
    ));

    let refreshed = |ttl: Value| provider.verify(&provider.token(with("ttl", ttl))).unwrap().refresh_at(NOW);
    assert_eq!(refreshed(json!(0)), NOW.plus(Seconds::MINUTE));
    assert_eq!(refreshed(json!(0.5)), NOW.plus(Seconds::MINUTE));
    assert_eq!(refreshed(json!(315_360_000)), NOW.plus(Seconds::DAY));
    assert_eq!(refreshed(json!(1e300)), NOW.plus(Seconds::DAY));
    assert_eq!(refreshed(json!(7200)), NOW.plus(Seconds::HOUR.times(2)));
    assert!(matches!(provider.verify(&provider.token(with("ttl", json!("60")))), Err(StatusError::Claims)));

    let ends_at = |exp: Value| provider.verify(&provider.token(with("exp", exp))).unwrap().ends_at();
    assert_eq!(ends_at(json!(NOW.plus(Seconds::DAY.times(3650)))), NOW.plus(MAX_LIFETIME));
    assert_eq!(ends_at(Value::Null), NOW.plus(Seconds::DAY.times(2)));

    // From the future, all else in order: evidence about this clock.
    let later = NOW.plus(Seconds::MINUTE.times(2));
    assert!(matches!(
        provider.verify(&provider.token(with("iat", json!(later)))),
        Err(StatusError::IssuedLater { issued_at }) if issued_at == later
    ));
    assert!(provider.verify(&provider.token(with("iat", json!(NOW.plus(Seconds::MINUTE))))).is_ok());
    for member in ["iat", "sub"] {
        assert!(matches!(provider.verify(&provider.token(with(member, Value::Null))), Err(StatusError::Claims)));
    }
}

#[test]
fn attack_66_a_list_older_than_one_seen_is_refused() {
    let provider = Provider::new();
    let token = provider.token(payload());
    let verify_after = |seen| verify(&token, URI, &provider.authority.anchors(), NOW, Some(seen));
    assert!(verify_after(NOW.minus(Seconds::new(1))).is_ok());
    assert!(verify_after(NOW).is_ok());
    assert!(matches!(
        verify_after(NOW.plus(Seconds::new(1))),
        Err(StatusError::RolledBack { seen, got }) if got == NOW && seen == NOW.plus(Seconds::new(1))
    ));
}

#[test]
fn a_full_list_of_random_bytes_fits_in_a_token() {
    use rand_core::Rng as _;
    let provider = Provider::new();
    let mut bytes = vec![0; 1 << 20];
    rng(6).fill_bytes(&mut bytes);
    let list = StatusList::from_bytes(Bits::Eight, bytes).unwrap();
    let token = list.to_token(URI, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, &provider.chain, &provider.key).unwrap();
    assert_eq!(provider.verify(&token).unwrap().list(), &list);
}

#[test]
fn a_status_that_needs_more_bits_is_refused() {
    assert!(matches!(StatusList::new(8, Bits::One).unwrap().set(0, Status::Suspended), Err(StatusError::TooWide)));
    assert!(matches!(StatusList::new(8, Bits::Four).unwrap().set(0, Status::Other(16)), Err(StatusError::TooWide)));
    assert!(StatusList::new(0, Bits::One).is_err() && StatusList::new((1 << 23) + 1, Bits::One).is_err());
    assert_eq!(StatusList::new(9, Bits::One).unwrap().len(), 16);
    assert!(!StatusList::new(1, Bits::One).unwrap().is_empty());
    let of_bytes = |n: usize| StatusList::from_bytes(Bits::One, vec![0; n]);
    assert!(of_bytes(1).is_ok() && of_bytes(1 << 20).is_ok());
    assert!(matches!((of_bytes(0), of_bytes((1 << 20) + 1)), (Err(StatusError::Size), Err(StatusError::Size))));
}

proptest! {
    #[test]
    fn a_list_survives_the_round_trip(
        bits in prop::sample::select(vec![Bits::One, Bits::Two, Bits::Four, Bits::Eight]),
        size in 1_u64..5000,
        set in prop::collection::vec((any::<u64>(), any::<u8>()), 0..200),
    ) {
        let mut list = StatusList::new(size, bits).unwrap();
        let mut expected = std::collections::BTreeMap::new();
        for (index, status) in set {
            let (index, status) = (index % size, status & (0xff >> (8 - bits.get())));
            list.set(index, Status::Other(status)).unwrap();
            expected.insert(index, status);
        }
        let read = StatusList::from_lst(bits, &list.to_lst()).unwrap();
        prop_assert_eq!(&read, &list);
        for index in 0..list.len() {
            prop_assert_eq!(value(read.get(index).unwrap()), expected.get(&index).copied().unwrap_or(0));
        }
    }

    #[test]
    fn no_bytes_make_inflation_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), flip in any::<(usize, u8)>()) {
        let _ = StatusList::from_lst(Bits::One, &b64::encode(&bytes));
        let mut damaged = zlib(&bytes);
        let at = flip.0 % damaged.len();
        damaged[at] ^= flip.1;
        let _ = StatusList::from_lst(Bits::One, &b64::encode(&damaged));
    }

    #[test]
    fn no_text_makes_verification_panic(text in ".{0,200}") {
        let provider = TrustAnchorsOnce::get();
        prop_assert!(verify(&text, URI, provider, NOW, None).is_err());
    }
}

/// One authority for all cases of a property.
struct TrustAnchorsOnce;

impl TrustAnchorsOnce {
    fn get() -> &'static crate::trust::TrustAnchors {
        static ANCHORS: std::sync::OnceLock<crate::trust::TrustAnchors> = std::sync::OnceLock::new();
        ANCHORS.get_or_init(|| Authority::new("Anchor").anchors())
    }
}
