//! What a trust anchor may vouch for: attack 36, with two tenants.

use crate::world::{Authority, NOW, WORLD, authority_params, key, leaf_params, map};
use credentials::jws;
use credentials::sd_jwt::{SdJwtVc, VerifyError, verify_issued, verify_presented};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::status_list::{Bits, StatusError, StatusList, verify};
use credentials::trust::{AnchorLimits, CertificateChain, ChainCache, ChainPolicy, TrustAnchors, Usage};
use schemas::Seconds;
use serde_json::{Value, json};

const IDENTITY: &str = "urn:amparo:identity:1";
const ATTESTATION: &str = "urn:amparo:attestation:1";

/// A tenant with an authority of its own.
struct Tenant {
    pem: String,
    issuer: (CertificateChain, SoftwareKey),
    status: (CertificateChain, SoftwareKey),
}

impl Tenant {
    fn new(name: &str, seed: u64) -> Self {
        let root = Authority::root(authority_params(name, None));
        let leaf = |usage, seed| {
            let key = key(seed);
            (CertificateChain::from_der([root.leaf(&leaf_params("Leaf", usage), key.public_key())]).unwrap(), key)
        };
        let (issuer, status) = (leaf(Usage::CredentialIssuing, seed), leaf(Usage::StatusSigning, seed + 1));
        Self { pem: root.pem, issuer, status }
    }

    fn credential(&self, claims: Value) -> String {
        let (chain, key) = &self.issuer;
        let header = map(json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": chain.to_x5c()}));
        let mut payload = WORLD.payload();
        payload.extend(map(claims));
        format!("{}~", jws::sign_object(&header, &payload, key).unwrap())
    }

    fn status_list(&self, uri: &str) -> String {
        let (chain, key) = &self.status;
        let list = StatusList::new(16, Bits::One).unwrap();
        list.to_token(uri, NOW, NOW.plus(Seconds::DAY), Seconds::HOUR, chain, key).unwrap()
    }
}

fn limits(types: &[&str], hosts: &[&str]) -> AnchorLimits {
    let owned = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
    AnchorLimits { types: owned(types), status_hosts: owned(hosts) }
}

/// A may attest, B may identify; each has its own status host.
fn two() -> (Tenant, Tenant, TrustAnchors) {
    let (a, b) = (Tenant::new("A", 100), Tenant::new("B", 200));
    let mut anchors = TrustAnchors::default();
    anchors.add_pem_limited(a.pem.as_bytes(), limits(&[ATTESTATION], &["status.a.example"])).unwrap();
    anchors.add_pem_limited(b.pem.as_bytes(), limits(&[IDENTITY], &["status.b.example"])).unwrap();
    (a, b, anchors)
}

fn issued(text: &str, anchors: &TrustAnchors) -> Result<SdJwtVc, VerifyError> {
    verify_issued(text, &ChainPolicy::known_only(anchors), NOW)
}

#[test]
fn attack_36_a_tenant_cannot_issue_the_type_of_another() {
    let (a, b, anchors) = two();
    assert!(issued(&a.credential(json!({"vct": ATTESTATION})), &anchors).is_ok());
    assert!(issued(&b.credential(json!({"vct": IDENTITY})), &anchors).is_ok());
    for text in [
        a.credential(json!({"vct": IDENTITY})),
        b.credential(json!({"vct": ATTESTATION})),
        // Nor by calling an own type by another's name too, nor by one that looks alike.
        a.credential(json!({"vct": ATTESTATION, "aka_vcts": [IDENTITY]})),
        a.credential(json!({"vct": "urn:amparo:attestation:1 "})),
        a.credential(json!({"vct": "urn:amparo:attestation:%31"})),
        a.credential(json!({"vct": "URN:amparo:attestation:1"})),
    ] {
        assert_eq!(issued(&text, &anchors).unwrap_err(), VerifyError::TypeNotIssuers);
        // The verifier refuses for the same reason as the holder.
        let mut expected = WORLD.expected();
        expected.issuers = ChainPolicy::known_only(&anchors);
        let presented = verify_presented(&WORLD.bind(&text), &expected);
        assert_eq!(presented.unwrap_err(), VerifyError::TypeNotIssuers);
    }
}

#[test]
fn attack_36_a_tenant_cannot_issue_the_doc_type_of_another() {
    use crate::mdoc::world::{TYPE, draft, grant, names, transcript};
    use credentials::mdoc;
    let (a, _, mut anchors) = two();
    let (chain, key) = &a.issuer;
    let bytes = mdoc::issue(&draft(), chain, WORLD.holder.public_key(), key, &mut crate::world::rng(3)).unwrap();
    let refused = |anchors: &TrustAnchors| mdoc::verify_issued(&bytes, &ChainPolicy::known_only(anchors), NOW).err();
    assert_eq!(refused(&anchors), Some(mdoc::VerifyError::TypeNotIssuers));
    let held = mdoc::Mdoc::reopen(&bytes).unwrap();
    let document = held.select(&names()).unwrap();
    let response = mdoc::device_response(&[document.sign(&transcript(), &grant(), &WORLD.holder).unwrap()]);
    let presented = |anchors: &TrustAnchors| {
        let transcript = transcript();
        let expected = mdoc::Expected::new(ChainPolicy::known_only(anchors), &transcript, NOW);
        mdoc::verify_presented(&response, &expected).err()
    };
    assert_eq!(presented(&anchors), Some(mdoc::VerifyError::TypeNotIssuers));
    anchors.add_pem_limited(a.pem.as_bytes(), limits(&[ATTESTATION, TYPE], &[])).unwrap();
    assert_eq!((refused(&anchors), presented(&anchors)), (None, None));
}

#[test]
fn attack_36_a_tenant_cannot_revoke_or_unrevoke_what_another_issued() {
    let (a, b, anchors) = two();
    for (tenant, uri, accepted) in [
        (&a, "https://status.a.example/1", true),
        (&a, "https://STATUS.A.example:8443/1", true),
        (&b, "https://status.b.example/1", true),
        (&a, "https://status.b.example/1", false),
        (&a, "https://status.a.example.attacker.example/1", false),
        (&a, "https://status.a.example@status.b.example/1", false),
        (&a, "https://attacker.example/status.a.example", false),
        (&a, "status.a.example", false),
    ] {
        let result = verify(&tenant.status_list(uri), uri, &anchors, NOW, None);
        match result {
            Ok(_) => assert!(accepted, "{uri}"),
            Err(StatusError::NotItsHost) => assert!(!accepted, "{uri}"),
            Err(other) => panic!("{uri}: {other}"),
        }
    }
}

#[test]
fn attack_36_without_limits_an_anchor_vouches_for_anything_and_a_later_word_limits_it() {
    let a = Tenant::new("A", 300);
    let cache = ChainCache::new();
    let text = a.credential(json!({"vct": IDENTITY}));
    let mut anchors = TrustAnchors::from_pem(a.pem.as_bytes()).unwrap();
    let verify = |anchors: &TrustAnchors| {
        verify_issued(&text, &ChainPolicy::known_only(anchors).with_cache(&cache), NOW).map(|_| ())
    };
    assert_eq!(verify(&anchors), Ok(()));
    assert!(anchors.iter().all(|anchor| anchor.limits().is_none()));
    // The cache does not remember it as it was.
    assert_eq!(anchors.add_pem_limited(a.pem.as_bytes(), limits(&[ATTESTATION], &[])), Ok(0));
    assert_eq!(verify(&anchors), Err(VerifyError::TypeNotIssuers));
    // To add it again plainly does not lift the limits; to limit it otherwise does.
    assert_eq!(anchors.add_pem(a.pem.as_bytes()), Ok(0));
    assert_eq!(verify(&anchors), Err(VerifyError::TypeNotIssuers));
    anchors.add_pem_limited(a.pem.as_bytes(), AnchorLimits { types: None, ..limits(&[], &[]) }).unwrap();
    assert_eq!(verify(&anchors), Ok(()));
    let uri = "https://status.a.example/1";
    let list = credentials::status_list::verify(&a.status_list(uri), uri, &anchors, NOW, None);
    assert!(matches!(list, Err(StatusError::NotItsHost)), "an empty list allows nothing");
}

#[test]
fn attack_36_limits_survive_being_kept() {
    let limits = limits(&[IDENTITY, "org.iso.18013.5.1.mDL"], &["status.a.example"]);
    let kept = serde_json::to_string(&limits).unwrap();
    assert_eq!(serde_json::from_str::<AnchorLimits>(&kept).unwrap(), limits);
    assert_eq!(serde_json::from_str::<AnchorLimits>("{}").unwrap(), AnchorLimits::default());
    // A word that is not understood might have been a limit.
    assert!(serde_json::from_str::<AnchorLimits>(r#"{"typs":[]}"#).is_err());
}
