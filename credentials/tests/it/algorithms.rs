//! Issuer signatures under other algorithms than ES256: refused unless the caller names them, and never confused.

use crate::world::{Authority, NOW, WORLD, World, authority_params, leaf_params, map};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use credentials::algorithm::{SignatureAlgorithm, SignatureAlgorithms};
use credentials::b64;
use credentials::json::Limits;
use credentials::jws::{JwsError, JwsIn};
use credentials::key::IssuerKey;
use credentials::key_binding::KeyBindingError;
use credentials::sd_jwt::{ParseError, SdJwtVc, VerifyError, verify_issued, verify_presented};
use credentials::trust::{CertificateChain, ChainCache, ChainError, ChainPolicy, TrustAnchors, Usage};
use rcgen::SignatureAlgorithm as Named;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A key that signs issuers' tokens.
enum Key {
    Ecdsa(EcdsaKeyPair, &'static Named),
    Ed25519(Ed25519KeyPair),
}

impl rcgen::PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Ecdsa(key, _) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> &'static Named {
        match self {
            Self::Ecdsa(_, named) => named,
            Self::Ed25519(_) => &rcgen::PKCS_ED25519,
        }
    }
}

struct Issuer {
    key: Key,
    chain: CertificateChain,
}

impl Issuer {
    /// A credential under `alg`, whatever the key.
    fn sign(&self, alg: &str) -> String {
        let header = json!({"alg": alg, "typ": "dc+sd-jwt", "x5c": self.chain.to_x5c()});
        let payload = Value::Object(WORLD.payload());
        let input =
            format!("{}.{}", b64::encode(header.to_string().as_bytes()), b64::encode(payload.to_string().as_bytes()));
        let signature = match &self.key {
            Key::Ecdsa(key, _) => key.sign(&SystemRandom::new(), input.as_bytes()).unwrap(),
            Key::Ed25519(key) => key.sign(input.as_bytes()),
        };
        format!("{input}.{}~", b64::encode(signature.as_ref()))
    }
}

struct Issuers {
    anchors: TrustAnchors,
    p256: Issuer,
    p384: Issuer,
    ed25519: Issuer,
}

static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| {
    let root = Authority::root(authority_params("Root", None));
    let issuer = |key: Key| {
        let leaf = leaf_params("Issuer", Usage::CredentialIssuing).signed_by(&key, &root.issuer).unwrap();
        Issuer { key, chain: CertificateChain::from_der([leaf.der().to_vec()]).unwrap() }
    };
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    Issuers {
        anchors: TrustAnchors::from_pem(root.pem.as_bytes()).unwrap(),
        p256: issuer(Key::Ecdsa(p256, &rcgen::PKCS_ECDSA_P256_SHA256)),
        p384: issuer(Key::Ecdsa(p384, &rcgen::PKCS_ECDSA_P384_SHA384)),
        ed25519: issuer(Key::Ed25519(Ed25519KeyPair::generate().unwrap())),
    }
});

fn verify(text: &str, algorithms: SignatureAlgorithms) -> Result<SdJwtVc, VerifyError> {
    verify_issued(text, &ChainPolicy::known_only(&ISSUERS.anchors).with_algorithms(algorithms), NOW)
}

fn algorithm() -> VerifyError {
    VerifyError::Parse(ParseError::Jws(JwsError::Algorithm))
}

#[test]
fn attack_03_es384_and_eddsa_are_refused_unless_the_caller_names_them() {
    use SignatureAlgorithm::{Ed25519, Es256, Es384};
    let Issuers { p256, p384, ed25519, .. } = &*ISSUERS;
    for (issuer, names, own) in
        [(p256, &["ES256"][..], Es256), (p384, &["ES384"], Es384), (ed25519, &["EdDSA", "Ed25519"], Ed25519)]
    {
        for name in names {
            let text = issuer.sign(name);
            for set in [&[Es256][..], &[Es384], &[Ed25519], &[Es256, Es384], &[Es384, Ed25519]] {
                let result = verify(&text, SignatureAlgorithms::of(set)).map(|_| ());
                assert_eq!(result, if set.contains(&own) { Ok(()) } else { Err(algorithm()) }, "{name} {set:?}");
            }
            assert!(verify(&text, SignatureAlgorithms::ALL).is_ok());
            let by_default = verify_issued(&text, &ChainPolicy::known_only(&ISSUERS.anchors), NOW).map(|_| ());
            assert_eq!(by_default.is_ok(), own == Es256);
            // What its holder has accepted once opens again.
            assert!(SdJwtVc::reopen(&text).is_ok());
        }
    }
}

#[test]
fn attack_03_no_header_makes_a_key_one_for_another_algorithm() {
    let Issuers { p256, p384, ed25519, .. } = &*ISSUERS;
    let signature = || VerifyError::Jws(JwsError::Signature);
    let length = || VerifyError::Parse(ParseError::Jws(JwsError::Signature));
    for (issuer, alg, refusal) in [
        (p256, "ES384", length()),
        (p256, "EdDSA", signature()),
        (p384, "ES256", length()),
        (p384, "EdDSA", length()),
        (ed25519, "ES256", signature()),
        (ed25519, "ES384", length()),
    ] {
        assert_eq!(verify(&issuer.sign(alg), SignatureAlgorithms::ALL).unwrap_err(), refusal, "{alg}");
    }
}

#[test]
fn attack_03_a_leaf_for_an_algorithm_that_is_not_named_is_refused_also_from_the_cache() {
    let Issuers { anchors, p384, .. } = &*ISSUERS;
    let cache = ChainCache::new();
    let narrow = ChainPolicy::known_only(anchors).with_cache(&cache);
    let wide = narrow.with_algorithms(SignatureAlgorithms::ALL);
    for _ in 0..2 {
        assert!(wide.verify(&p384.chain, Usage::CredentialIssuing, NOW).is_ok());
        assert_eq!(narrow.verify(&p384.chain, Usage::CredentialIssuing, NOW), Err(ChainError::LeafKey));
        assert_eq!(p384.chain.verify(anchors, Usage::CredentialIssuing, NOW), Err(ChainError::LeafKey));
        assert_eq!(p384.chain.verify_or_unknown(anchors, Usage::CredentialIssuing, NOW), Err(ChainError::LeafKey));
    }
}

#[test]
fn attack_03_a_changed_payload_does_not_verify_under_any_algorithm() {
    let Issuers { p256, p384, ed25519, .. } = &*ISSUERS;
    for (issuer, alg) in [(p256, "ES256"), (p384, "ES384"), (ed25519, "EdDSA")] {
        let text = issuer.sign(alg);
        let mut parts: Vec<&str> = text.split('.').collect();
        let mut payload = WORLD.payload();
        payload.insert("admin".into(), json!(true));
        let payload = b64::encode(Value::Object(payload).to_string().as_bytes());
        parts[1] = &payload;
        let error = verify(&parts.join("."), SignatureAlgorithms::ALL).unwrap_err();
        assert_eq!(error, VerifyError::Jws(JwsError::Signature), "{alg}");
    }
}

#[test]
fn a_presentation_of_a_wide_credential_is_bound_by_es256_still() {
    let world: &World = &WORLD;
    let mut expected = world.expected();
    expected.issuers = ChainPolicy::known_only(&ISSUERS.anchors).with_algorithms(SignatureAlgorithms::ALL);
    for (issuer, alg) in [(&ISSUERS.p384, "ES384"), (&ISSUERS.ed25519, "EdDSA")] {
        let text = issuer.sign(alg);
        assert!(verify_presented(&world.bind(&text), &expected).is_ok(), "{alg}");
        for wide in ["ES384", "EdDSA"] {
            let claims =
                json!({"iat": NOW.unix(), "aud": crate::world::AUDIENCE, "nonce": crate::world::NONCE, "sd_hash": ""});
            let bound = world.bind_with(&text, &json!({"alg": wide, "typ": "kb+jwt"}), &claims, &world.holder);
            let refusal = VerifyError::KeyBinding(KeyBindingError::Jws(JwsError::Algorithm));
            assert_eq!(verify_presented(&bound, &expected).unwrap_err(), refusal);
        }
        expected.issuers = expected.issuers.with_algorithms(SignatureAlgorithms::ES256);
        assert_eq!(verify_presented(&world.bind(&text), &expected).unwrap_err(), algorithm());
        expected.issuers = expected.issuers.with_algorithms(SignatureAlgorithms::ALL);
    }
}

#[test]
fn the_example_of_rfc_8037_verifies() {
    // Appendix A.2 and A.4.
    let key = map(json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    let key = IssuerKey::from_jwk(&key).unwrap();
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let token = JwsIn::parse_accepting(text, &Limits::TOKEN, SignatureAlgorithms::ALL).unwrap();
    assert_eq!(token.payload_bytes(), b"Example of Ed25519 signing");
    assert_eq!(token.verify(&key), Ok(()));
    assert_eq!(JwsIn::parse(text, &Limits::TOKEN).unwrap_err(), JwsError::Algorithm);
}
