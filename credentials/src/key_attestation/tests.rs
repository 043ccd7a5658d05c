//! An attestation in order, and each way in which one is not.

use super::*;
use crate::signer::SoftwareKey;
use crate::testing::{Authority, NOW, key};
use crate::trust::CertificateChain;
use serde_json::json;

struct Attester {
    authority: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
}

impl Attester {
    fn new(usage: Usage) -> Self {
        Self::named("Attester", usage)
    }

    fn named(name: &str, usage: Usage) -> Self {
        let authority = Authority::new(name);
        let (chain, key) = authority.leaf(usage, &["wallets.example"], 31);
        Self { authority, chain, key }
    }

    fn sign(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut header = json!({"alg": "ES256", "typ": TYPE, "x5c": self.chain.to_x5c()});
        let mut claims = json!({
            "iss": "https://wallets.example", "iat": NOW, "exp": NOW.plus(Seconds::DAY), "nonce": "n-1",
            "key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_basic"],
            "attested_keys": [key(1).public_key().to_jwk(), key(2).public_key().to_jwk()],
        });
        change(&mut header, &mut claims);
        let (header, claims) = (header.as_object().unwrap(), claims.as_object().unwrap());
        crate::jws::sign_object(header, claims, &self.key).unwrap()
    }

    fn verify(&self, text: &str) -> Result<KeyAttestation, KeyAttestationError> {
        verify(text, &self.authority.anchors(), |nonce| nonce == "n-1", NOW)
    }
}

#[test]
fn vci_d_1_an_attestation_says_which_keys_are_kept_how_well() {
    let attester = Attester::new(Usage::WalletAttesting);
    let said = attester.verify(&attester.sign(|_, _| {})).unwrap();
    assert_eq!(said.keys, [key(1).public_key().clone(), key(2).public_key().clone()]);
    let expected = json!({"key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_basic"]});
    assert_eq!(Value::from(said.assurance().unwrap()), expected);
    // Neither is demanded; then nothing is said.
    let silent = attester.sign(|_, claims| {
        claims
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !["key_storage", "user_authentication"].contains(&name.as_str()));
    });
    assert_eq!(attester.verify(&silent).unwrap().assurance(), None);
    // Only what the specification defines is copied, in its order: other words could mark one holder.
    let own = attester.sign(|_, claims| {
        claims["key_storage"] = json!(["urn:example:holder-4711", "iso_18045_basic", "iso_18045_high"]);
        claims["user_authentication"] = json!(["urn:example:holder-4711"]);
    });
    let expected = json!({"key_storage": ["iso_18045_high", "iso_18045_basic"]});
    assert_eq!(Value::from(attester.verify(&own).unwrap().assurance().unwrap()), expected);
    // What we sign ourselves is read the same way.
    let draft = Draft {
        attester: "https://wallets.example",
        issued_at: NOW,
        expires_at: NOW.plus(Seconds::DAY),
        nonce: "n-1",
        key_storage: &["iso_18045_high".into()],
        user_authentication: &[],
        status: Some(StatusReference { idx: 5, uri: "https://wallets.example/status".into() }),
    };
    let signed = draft.sign(&[key(3).public_key().clone()], &attester.chain, &attester.key).unwrap();
    let said = attester.verify(&signed).unwrap();
    assert_eq!((said.keys, said.status.unwrap().idx), (vec![key(3).public_key().clone()], 5));
    // To the second.
    attester.verify(&attester.sign(|_, claims| claims["exp"] = json!(NOW.plus(Seconds::new(1))))).unwrap();
    attester.verify(&attester.sign(|_, claims| claims["iat"] = json!(NOW.plus(AHEAD)))).unwrap();
}

#[test]
fn vci_d_1_what_is_not_in_order_is_refused() {
    use KeyAttestationError as Fault;
    let attester = Attester::new(Usage::WalletAttesting);
    let refused = |change: fn(&mut Value, &mut Value), expected: Fault| {
        assert_eq!(attester.verify(&attester.sign(change)), Err(expected));
    };
    refused(|header, _| header["typ"] = "JWT".into(), Fault::Jws(JwsError::Type { expected: TYPE }));
    refused(|header, _| header["typ"] = crate::proof::TYPE.into(), Fault::Jws(JwsError::Type { expected: TYPE }));
    refused(|header, _| header["alg"] = "none".into(), Fault::Jws(JwsError::Algorithm));
    refused(|header, _| drop(header.as_object_mut().unwrap().remove("x5c")), Fault::Chain(ChainError::Empty));
    refused(|_, claims| claims["exp"] = json!(NOW), Fault::Time);
    refused(|_, claims| drop(claims.as_object_mut().unwrap().remove("exp")), Fault::Malformed("exp"));
    refused(|_, claims| drop(claims.as_object_mut().unwrap().remove("iat")), Fault::Malformed("iat"));
    refused(|_, claims| claims["iat"] = json!(NOW.plus(AHEAD).plus(Seconds::new(1))), Fault::Time);
    refused(|_, claims| claims["attested_keys"] = json!([]), Fault::Malformed("attested_keys"));
    refused(
        |_, claims| claims["attested_keys"] = json!(vec![json!({}); MAX_KEYS + 1]),
        Fault::Malformed("attested_keys"),
    );
    refused(|_, claims| claims["key_storage"] = json!([]), Fault::Malformed("key_storage"));
    refused(|_, claims| claims["user_authentication"] = json!([1]), Fault::Malformed("user_authentication"));
    refused(|_, claims| claims["nonce"] = "n-2".into(), Fault::Nonce);
    refused(|_, claims| drop(claims.as_object_mut().unwrap().remove("nonce")), Fault::Nonce);
    refused(|_, claims| claims["status"] = json!({"status_list": {"idx": -1, "uri": ""}}), Fault::Malformed("status"));
    let private = attester.sign(|_, claims| claims["attested_keys"][1]["d"] = "AA".into());
    assert!(matches!(attester.verify(&private), Err(Fault::Key(_))));
    let mut forged = attester.sign(|_, _| {});
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    assert!(attester.verify(&forged).is_err());
}

#[test]
fn vci_d_1_only_who_is_trusted_to_attest_is_believed() {
    let attester = Attester::new(Usage::WalletAttesting);
    let stranger = Attester::named("Stranger", Usage::WalletAttesting);
    let said = stranger.sign(|_, _| {});
    assert!(matches!(attester.verify(&said), Err(KeyAttestationError::Chain(ChainError::UnknownIssuer))));
    // Whoever signs credentials or requests does not say how well keys are kept.
    for usage in [Usage::CredentialIssuing, Usage::Verifier, Usage::StatusSigning] {
        let other = Attester::new(usage);
        let refused = other.verify(&other.sign(|_, _| {}));
        assert_eq!(refused, Err(KeyAttestationError::Chain(ChainError::WrongUsage)), "{usage:?}");
    }
    // HAIP 1.0 §4.5.1: the anchor is not among the certificates.
    let anchor = attester.authority.anchors().iter().next().unwrap().der().to_vec();
    let long = CertificateChain::from_der(attester.chain.iter().map(<[u8]>::to_vec).chain([anchor])).unwrap();
    let said = attester.sign(|header, _| header["x5c"] = json!(long.to_x5c()));
    assert_eq!(attester.verify(&said), Err(KeyAttestationError::Chain(ChainError::AnchorInside)));
    // By another key than the certificate's.
    let other = Attester { key: key(40), ..Attester::new(Usage::WalletAttesting) };
    assert_eq!(other.verify(&other.sign(|_, _| {})), Err(KeyAttestationError::Jws(JwsError::Signature)));
}
