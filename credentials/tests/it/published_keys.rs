//! Issuers that are known by the keys they publish, beside those that are known by certificates.

use crate::world::{ISS, NOW, WORLD, key, map};
use credentials::issuer_metadata::{IssuerMetadata, KeySource};
use credentials::jws::{self, JwsError};
use credentials::key::{KeySet, SelectKeyError};
use credentials::sd_jwt::{SdJwtVc, VerifyError, verify_issued, verify_presented};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{
    AnchorLimits, ChainError, ChainPolicy, PublishedIssuers, PublishedKeyError, Trust, TrustAnchors,
};
use schemas::{Seconds, Timestamp};
use serde_json::{Value, json};

const NAME: &str = "https://registry.example/tenant/7";
const UNTIL: Timestamp = NOW.plus(Seconds::DAY);

/// What `NAME` publishes: two keys.
fn keys() -> KeySet {
    let named = |seed: u64, kid: &str| {
        let mut jwk = key(seed).public_key().to_jwk();
        jwk.insert("kid".into(), kid.into());
        jwk
    };
    let metadata = json!({"issuer": NAME, "jwks": {"keys": [named(41, "one"), named(42, "two")]}});
    match IssuerMetadata::parse(metadata.to_string().as_bytes(), NAME).unwrap().keys() {
        KeySource::Here(keys) => keys.clone(),
        other => panic!("{other:?}"),
    }
}

fn published(limits: Option<AnchorLimits>) -> PublishedIssuers {
    let mut published = PublishedIssuers::new();
    published.insert(NAME, keys(), limits, UNTIL);
    published
}

/// A credential with this header and `iss`.
fn credential(header: Value, iss: Value, signer: &SoftwareKey) -> String {
    let mut payload = WORLD.payload();
    payload.insert("iss".into(), iss);
    let mut whole = map(json!({"alg": "ES256", "typ": "dc+sd-jwt"}));
    whole.extend(map(header));
    format!("{}~", jws::sign_object(&whole, &payload, signer).unwrap())
}

fn verify(text: &str, published: &PublishedIssuers) -> Result<SdJwtVc, VerifyError> {
    verify_issued(text, &WORLD.policy().with_published(published), NOW)
}

#[test]
fn a_credential_of_a_published_key_is_received_kept_and_presented() {
    let published = published(None);
    for (kid, seed) in [("one", 41), ("two", 42)] {
        let text = credential(json!({"kid": kid}), json!(NAME), &key(seed));
        let held = verify(&text, &published).unwrap();
        let issuer = held.issuer().unwrap();
        assert_eq!((issuer.subject(), issuer.trust(), issuer.not_after()), (NAME, Trust::Known, UNTIL));
        assert!(SdJwtVc::reopen(&text).is_ok());
        let mut expected = WORLD.expected();
        assert!(verify_presented(&WORLD.bind(&text), &expected).is_err(), "it must be asked for");
        expected.issuers = expected.issuers.with_published(&published);
        assert_eq!(verify_presented(&WORLD.bind(&text), &expected).unwrap().issuer_identifier(), Some(NAME));
    }
    // Those with certificates are verified as before.
    assert!(verify(&WORLD.issue(&WORLD.draft()), &published).is_ok());
}

#[test]
fn certificates_beside_a_published_key_must_be_of_that_key() {
    // An issuer that is known by either way to different verifiers sends both; the certificate decides nothing.
    let mut jwk = WORLD.issuer.public_key().to_jwk();
    jwk.insert("kid".into(), "own".into());
    let mut published = PublishedIssuers::new();
    let set = json!({"keys": [jwk]}).to_string();
    published.insert(NAME, KeySet::parse(set.as_bytes()).unwrap(), None, UNTIL);
    let with = |header: Value, signer: &SoftwareKey| verify(&credential(header, json!(NAME), signer), &published);
    let x5c = WORLD.chain.to_x5c();
    let held = with(json!({"kid": "own", "x5c": x5c}), &WORLD.issuer).unwrap();
    assert_eq!(held.issuer().unwrap().subject(), NAME, "the name is the published one, not the certificate's");
    assert!(with(json!({"kid": "own", "x5c": x5c}), &key(41)).is_err());
}

#[test]
fn without_being_asked_for_published_keys_are_nothing() {
    let text = credential(json!({"kid": "one"}), json!(NAME), &key(41));
    let empty = VerifyError::Chain(ChainError::Empty);
    assert_eq!(verify_issued(&text, &WORLD.policy(), NOW).unwrap_err(), empty);
    assert_eq!(verify(&text, &PublishedIssuers::new()).unwrap_err(), empty);
    let strangers = TrustAnchors::default();
    assert_eq!(verify_issued(&text, &ChainPolicy::unknown_allowed(&strangers), NOW).unwrap_err(), empty);
    let mut gone = published(None);
    gone.remove(NAME);
    assert_eq!(gone.iter().count(), 0);
    assert_eq!(verify(&text, &gone).unwrap_err(), empty);
}

#[test]
fn attack_06_08_a_key_or_name_of_the_attackers_choice_is_refused() {
    let published = published(None);
    let attacker = key(66);
    let with =
        |header: Value, signer: &SoftwareKey| verify(&credential(header, json!(NAME), signer), &published).unwrap_err();
    let select = |error: SelectKeyError| VerifyError::PublishedKey(PublishedKeyError::Select(error));
    assert_eq!(with(json!({"kid": "one"}), &attacker), VerifyError::Jws(JwsError::Signature));
    assert_eq!(with(json!({"kid": "two"}), &key(41)), VerifyError::Jws(JwsError::Signature));
    assert_eq!(with(json!({"kid": "three"}), &key(41)), select(SelectKeyError::Unknown));
    assert_eq!(with(json!({}), &key(41)), select(SelectKeyError::Ambiguous));
    let jwk = attacker.public_key().to_jwk();
    let error = with(json!({"kid": "one", "jwk": jwk}), &attacker);
    assert_eq!(error, VerifyError::Jws(JwsError::Parameter("jwk")));
}

#[test]
fn how_an_issuer_is_verified_follows_from_its_name_and_not_from_the_credential() {
    // SD-JWT VC §7.3. A good chain does not help where the issuer is known by its keys…
    let published = published(None);
    let x5c = json!({"kid": "one", "x5c": WORLD.chain.to_x5c()});
    for signer in [&WORLD.issuer, &key(41)] {
        let error = verify(&credential(x5c.clone(), json!(NAME), signer), &published).unwrap_err();
        assert_eq!(error, VerifyError::PublishedKey(PublishedKeyError::Certificates));
    }
    // … nor a published key where the name is another's, or only looks the same.
    for name in
        [ISS, "https://registry.example/tenant/7/", "https://registry.example", "https://REGISTRY.example/tenant/7"]
    {
        let error = verify(&credential(json!({"kid": "one"}), json!(name), &key(41)), &published).unwrap_err();
        assert_eq!(error, VerifyError::Chain(ChainError::Empty), "{name}");
        let chain = credential(json!({"x5c": WORLD.chain.to_x5c()}), json!(name), &key(41));
        assert_eq!(verify(&chain, &published).unwrap_err(), VerifyError::Jws(JwsError::Signature), "{name}");
    }
    let error = verify(&credential(json!({"kid": "one"}), json!([NAME]), &key(41)), &published).unwrap_err();
    assert_eq!(error, VerifyError::Chain(ChainError::Empty));
}

#[test]
fn keys_that_are_too_old_are_not_relied_on() {
    let text = credential(json!({"kid": "one"}), json!(NAME), &key(41));
    let published = published(None);
    let mut payload = WORLD.payload();
    payload.insert("exp".into(), (UNTIL.unix() + 3600).into());
    payload.insert("iss".into(), NAME.into());
    let header = map(json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": "one"}));
    let long = format!("{}~", jws::sign_object(&header, &payload, &key(41)).unwrap());
    let at = |text: &str, now| verify_issued(text, &WORLD.policy().with_published(&published), now).map(|_| ());
    assert_eq!(at(&text, NOW), Ok(()));
    assert_eq!(at(&long, UNTIL), Ok(()));
    let stale = VerifyError::PublishedKey(PublishedKeyError::Stale { until: UNTIL });
    assert_eq!(at(&long, UNTIL.plus(Seconds::new(1))), Err(stale));
}

#[test]
fn attack_36_a_published_issuer_may_be_limited_too() {
    let text = credential(json!({"kid": "one"}), json!(NAME), &key(41));
    let limits = |vct: &str| Some(AnchorLimits { types: Some(vec![vct.to_owned()]), status_hosts: None });
    assert!(verify(&text, &published(limits("urn:amparo:identity:1"))).is_ok());
    let error = verify(&text, &published(limits("urn:amparo:attestation:1"))).unwrap_err();
    assert_eq!(error, VerifyError::TypeNotIssuers);
}
