//! An attestation with its proof in order, and each way in which one is not.

use super::*;
use crate::signer::{Signer as _, SoftwareKey};
use crate::testing::{Authority, NOW, key};
use crate::trust::CertificateChain;
use serde_json::json;

const SERVER: &str = "https://issuer.example";

struct Provider {
    authority: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
}

impl Provider {
    fn new(usage: Usage) -> Self {
        Self::named("Provider", usage)
    }

    fn named(name: &str, usage: Usage) -> Self {
        let authority = Authority::new(name);
        let (chain, key) = authority.leaf(usage, &["wallets.example"], 31);
        Self { authority, chain, key }
    }

    fn sign(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut header = json!({"alg": "ES256", "typ": TYPE, "x5c": self.chain.to_x5c()});
        let mut claims = json!({
            "iss": "https://wallets.example", "sub": "org.example.wallet", "iat": NOW, "exp": NOW.plus(Seconds::DAY),
            "wallet_name": "Wallet", "cnf": {"jwk": key(1).public_key().to_jwk()},
        });
        change(&mut header, &mut claims);
        crate::jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &self.key).unwrap()
    }

    fn verify(&self, text: &str) -> Result<WalletAttestation, WalletAttestationError> {
        verify(text, &self.authority.anchors(), NOW)
    }

    fn attested(&self) -> WalletAttestation {
        self.verify(&self.sign(|_, _| {})).unwrap()
    }
}

/// A proof in order but for one thing, by this key.
fn pop(signer: &SoftwareKey, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let mut header = json!({"alg": "ES256", "typ": POP_TYPE});
    let mut claims = json!({"iss": "org.example.wallet", "aud": SERVER, "jti": "j-1", "iat": NOW, "challenge": "c-1"});
    change(&mut header, &mut claims);
    crate::jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), signer).unwrap()
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name).unwrap();
}

fn check(attestation: &WalletAttestation, text: &str) -> Result<Possession, PopError> {
    verify_pop(text, attestation, SERVER, |challenge| challenge == "c-1", NOW)
}

#[test]
fn vci_e_an_attestation_says_which_wallet_has_which_key() {
    let provider = Provider::new(Usage::WalletAttesting);
    let attested = provider.attested();
    assert_eq!(
        (attested.provider.as_str(), attested.client_id.as_str()),
        ("https://wallets.example", "org.example.wallet")
    );
    assert_eq!((&attested.key, attested.status.as_ref()), (key(1).public_key(), None));
    // What we sign ourselves is read the same way, and `iat` may be left out.
    let draft = Draft {
        provider: "https://wallets.example",
        client_id: "org.example.wallet",
        wallet_name: "Wallet",
        wallet_link: Some("https://wallets.example/about"),
        issued_at: NOW,
        expires_at: NOW.plus(Seconds::new(1)),
        status: Some(StatusReference { idx: 7, uri: "https://wallets.example/status/1".into() }),
    };
    let signed = draft.sign(key(1).public_key(), &provider.chain, &provider.key).unwrap();
    assert_eq!(provider.verify(&signed).unwrap().status.unwrap().idx, 7);
    provider.verify(&provider.sign(|_, claims| remove(claims, "iat"))).unwrap();
    // The proof of possession, as we make it and as another may.
    let ours = create("org.example.wallet", SERVER, Some("c-1"), NOW, [7; 16], &key(1)).unwrap();
    assert_eq!(check(&attested, &ours).unwrap().jti.len(), 22);
    assert_eq!(check(&attested, &pop(&key(1), |_, _| {})).unwrap().jti, "j-1");
    check(&attested, &pop(&key(1), |_, claims| claims["iat"] = json!(NOW.minus(Seconds::new(300))))).unwrap();
}

/// OIDF `client-attestation` modules: exp past, no sub, bad signature; and what else there is.
#[test]
fn vci_e_an_attestation_that_is_not_in_order_is_refused() {
    use WalletAttestationError as Fault;
    let provider = Provider::new(Usage::WalletAttesting);
    let refused = |change: fn(&mut Value, &mut Value), expected: Fault| {
        assert_eq!(provider.verify(&provider.sign(change)), Err(expected));
    };
    refused(|header, _| header["typ"] = "JWT".into(), Fault::Jws(JwsError::Type { expected: TYPE }));
    refused(|header, _| header["typ"] = POP_TYPE.into(), Fault::Jws(JwsError::Type { expected: TYPE }));
    refused(|header, _| header["alg"] = "none".into(), Fault::Jws(JwsError::Algorithm));
    refused(|header, _| header["jwk"] = json!({"kty": "EC"}), Fault::Jws(JwsError::Parameter("jwk")));
    refused(|header, _| remove(header, "x5c"), Fault::Chain(ChainError::Empty));
    refused(|_, claims| claims["exp"] = json!(NOW), Fault::Time);
    refused(|_, claims| remove(claims, "exp"), Fault::Malformed("exp"));
    refused(|_, claims| claims["exp"] = json!("tomorrow"), Fault::Malformed("exp"));
    refused(|_, claims| claims["iat"] = json!(NOW.plus(Seconds::new(61))), Fault::Time);
    refused(|_, claims| claims["nbf"] = json!(NOW.plus(Seconds::new(61))), Fault::Time);
    refused(|_, claims| remove(claims, "sub"), Fault::Malformed("sub"));
    refused(|_, claims| claims["sub"] = "".into(), Fault::Malformed("sub"));
    refused(|_, claims| remove(claims, "iss"), Fault::Malformed("iss"));
    refused(|_, claims| claims["iss"] = "x".repeat(MAX_TEXT + 1).into(), Fault::Malformed("iss"));
    refused(|_, claims| remove(claims, "cnf"), Fault::Malformed("cnf"));
    refused(|_, claims| claims["cnf"] = json!({"kid": "1"}), Fault::Malformed("cnf"));
    refused(|_, claims| claims["cnf"]["jwk"]["d"] = "AA".into(), Fault::Key(KeyError::PrivateKey));
    refused(|_, claims| claims["cnf"]["jwk"]["crv"] = "P-384".into(), Fault::Key(KeyError::NotP256));
    refused(|_, claims| claims["status"] = json!({"other": 1}), Fault::Malformed("status"));
    let forged = provider.sign(|_, _| {});
    let (head, signature) = forged.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    assert!(provider.verify(&format!("{head}.{turned}")).is_err());
}

#[test]
fn vci_e_only_a_provider_that_is_trusted_for_it_is_believed() {
    let provider = Provider::new(Usage::WalletAttesting);
    let stranger = Provider::named("Stranger", Usage::WalletAttesting);
    let refused = provider.verify(&stranger.sign(|_, _| {}));
    assert_eq!(refused, Err(WalletAttestationError::Chain(ChainError::UnknownIssuer)));
    for usage in [Usage::CredentialIssuing, Usage::Verifier, Usage::StatusSigning] {
        let other = Provider::new(usage);
        let refused = other.verify(&other.sign(|_, _| {}));
        assert_eq!(refused, Err(WalletAttestationError::Chain(ChainError::WrongUsage)), "{usage:?}");
    }
    // HAIP 1.0 §4.4.1: the anchor is not among the certificates, and none vouches for itself.
    let anchor = provider.authority.anchors().iter().next().unwrap().der().to_vec();
    let with_anchor = provider.chain.iter().map(<[u8]>::to_vec).chain([anchor.clone()]);
    let with_anchor = CertificateChain::from_der(with_anchor).unwrap();
    let said = provider.sign(|header, _| header["x5c"] = json!(with_anchor.to_x5c()));
    assert_eq!(provider.verify(&said), Err(WalletAttestationError::Chain(ChainError::AnchorInside)));
    let alone = CertificateChain::from_der([anchor]).unwrap();
    let said = provider.sign(|header, _| header["x5c"] = json!(alone.to_x5c()));
    assert_eq!(provider.verify(&said), Err(WalletAttestationError::Chain(ChainError::SelfSigned)));
    // By another key than the certificate's.
    let other = Provider { key: key(40), ..Provider::new(Usage::WalletAttesting) };
    assert_eq!(other.verify(&other.sign(|_, _| {})), Err(WalletAttestationError::Jws(JwsError::Signature)));
}

/// OIDF `client-attestation` modules: wrong aud, bad pop, mismatched key; and what else there is.
#[test]
fn vci_e_a_proof_of_possession_that_is_not_in_order_is_refused() {
    let attested = Provider::new(Usage::WalletAttesting).attested();
    let refused = |change: fn(&mut Value, &mut Value), expected: PopError| {
        assert_eq!(check(&attested, &pop(&key(1), change)), Err(expected));
    };
    assert_eq!(check(&attested, &pop(&key(2), |_, _| {})), Err(PopError::Jws(JwsError::Signature)));
    refused(|header, _| header["typ"] = TYPE.into(), PopError::Jws(JwsError::Type { expected: POP_TYPE }));
    refused(|header, _| header["alg"] = "HS256".into(), PopError::Jws(JwsError::Algorithm));
    refused(|_, claims| claims["aud"] = "https://other.example".into(), PopError::Audience);
    refused(|_, claims| claims["aud"] = "https://issuer.example/".into(), PopError::Audience);
    refused(|_, claims| claims["aud"] = json!([SERVER]), PopError::Malformed);
    refused(|_, claims| claims["iss"] = "org.example.other".into(), PopError::Client);
    for name in ["iss", "aud", "jti", "iat"] {
        assert_eq!(
            check(&attested, &pop(&key(1), |_, claims| remove(claims, name))),
            Err(PopError::Malformed),
            "{name}"
        );
    }
    refused(|_, claims| claims["jti"] = "".into(), PopError::Malformed);
    refused(|_, claims| claims["jti"] = "j".repeat(1_025).into(), PopError::Malformed);
    refused(|_, claims| claims["iat"] = json!(NOW.minus(Seconds::new(301))), PopError::Time);
    refused(|_, claims| claims["iat"] = json!(NOW.plus(Seconds::new(61))), PopError::Time);
    refused(|_, claims| claims["nbf"] = json!(NOW.plus(Seconds::new(61))), PopError::Time);
    refused(|_, claims| claims["challenge"] = "c-2".into(), PopError::Challenge);
    refused(|_, claims| remove(claims, "challenge"), PopError::Challenge);
    for text in ["", "x", "a.b.c", "a.b"] {
        assert!(matches!(check(&attested, text), Err(PopError::Jws(_))), "{text}");
    }
}
