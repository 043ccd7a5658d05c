//! Key attestations (OpenID4VCI 1.0 Appendix D): believed where the operator has said whose, and copied into the credential.

use crate::support::{World, keys, refusal, refused};
use credentials::jws;
use credentials::proof;
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use issuer::demands::Demands;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use schemas::Seconds;
use serde_json::{Value, json};

/// Who makes wallets.
pub(crate) struct Attester {
    anchor: String,
    pub(crate) chain: CertificateChain,
    pub(crate) key: SoftwareKey,
    /// With which it signs status lists.
    pub(crate) lists: (CertificateChain, SoftwareKey),
}

fn pair(key: &SoftwareKey) -> KeyPair {
    // PKCS #8 (RFC 5958) around the scalar.
    let mut der = vec![0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8];
    der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20]);
    der.extend_from_slice(&*key.scalar().unwrap());
    KeyPair::try_from(der).unwrap()
}

impl Attester {
    pub(crate) fn new(seed: u64) -> Self {
        let [root_key, key, list_key] = <[SoftwareKey; 3]>::try_from(keys(3, seed)).ok().unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.distinguished_name.push(DnType::CommonName, "Wallets Root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_pair = pair(&root_key);
        let anchor = root.self_signed(&root_pair).unwrap().pem();
        let authority = rcgen::Issuer::new(root, root_pair);
        let leaf = |key: &SoftwareKey, usage: Usage| {
            let mut leaf = CertificateParams::new(vec!["wallets.example".to_owned()]).unwrap();
            leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
            leaf.use_authority_key_identifier_extension = true;
            let signed = leaf.signed_by(&pair(key), &authority).unwrap();
            CertificateChain::from_der([signed.der().to_vec()]).unwrap()
        };
        let (chain, list_chain) = (leaf(&key, Usage::WalletAttesting), leaf(&list_key, Usage::StatusSigning));
        Self { anchor, chain, key, lists: (list_chain, list_key) }
    }

    fn demands(&self, key_attestation: bool) -> Demands {
        Demands { key_attesters: Some(self.anchors()), key_attestation, ..Demands::default() }
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.anchor.as_bytes()).unwrap()
    }

    fn attest(&self, world: &World, holders: &[SoftwareKey], nonce: &str, storage: &str) -> String {
        self.attest_with(world, holders, nonce, storage, |_| {})
    }

    pub(crate) fn attest_with(
        &self,
        world: &World,
        holders: &[SoftwareKey],
        nonce: &str,
        storage: &str,
        change: impl FnOnce(&mut Value),
    ) -> String {
        let header = json!({"alg": "ES256", "typ": "key-attestation+jwt", "x5c": self.chain.to_x5c()});
        let keys: Vec<Value> = holders.iter().map(|key| key.public_key().to_jwk().into()).collect();
        let now = world.issuer.now();
        let mut claims = json!({
            "iat": now, "exp": now.plus(Seconds::DAY), "nonce": nonce, "attested_keys": keys, "key_storage": [storage],
        });
        change(&mut claims);
        jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &self.key).unwrap()
    }
}

/// A proof with an attestation in its header.
fn attested(world: &World, holder: &SoftwareKey, nonce: &str, attestation: &str) -> String {
    let header = json!({
        "alg": "ES256", "typ": proof::TYPE, "jwk": holder.public_key().to_jwk(), "key_attestation": attestation,
    });
    let claims = json!({"aud": world.url, "iat": world.issuer.now(), "nonce": nonce});
    jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), holder).unwrap()
}

async fn ask(world: &World, proofs: Vec<String>) -> reqwest::Response {
    let token = world.token(&world.offer()).await;
    world.request(&token, &json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}})).await
}

pub(crate) async fn ask_alone(world: &World, attestations: &Value) -> reqwest::Response {
    let token = world.token(&world.offer()).await;
    let body = json!({"credential_configuration_id": "identity", "proofs": {"attestation": attestations}});
    world.request(&token, &body).await
}

pub(crate) async fn copies(response: reqwest::Response) -> Vec<SdJwtVc> {
    let body: Value = response.json().await.unwrap();
    let copies = body["credentials"].as_array().unwrap_or_else(|| panic!("{body}"));
    copies.iter().map(|copy| SdJwtVc::reopen(copy["credential"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_d_1_what_is_attested_of_the_keys_stands_in_the_copies() {
    let attester = Attester::new(400);
    let world = World::demanding(attester.demands(true)).await;
    let url = format!("{}/.well-known/openid-credential-issuer", world.url);
    let metadata: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let types = &metadata["credential_configurations_supported"]["identity"]["proof_types_supported"]["jwt"];
    assert_eq!(types["key_attestations_required"], json!({}));

    // A proof for each key, or one for all that are attested with it.
    for alone in [false, true] {
        let (holders, nonce) = (keys(3, 410 + u64::from(alone)), world.nonce().await);
        let attestation = attester.attest(&world, &holders, &nonce, "iso_18045_moderate");
        let count = if alone { 1 } else { 3 };
        let proofs = holders[..count].iter().map(|key| attested(&world, key, &nonce, &attestation)).collect();
        let got = copies(ask(&world, proofs).await).await;
        let bound: Vec<_> = got.iter().map(|copy| copy.confirmation_key().clone()).collect();
        assert_eq!(bound, holders.iter().map(|key| key.public_key().clone()).collect::<Vec<_>>());
        for copy in &got {
            let said = &copy.claims()["holder_key_assurance"];
            assert_eq!(*said, json!({"key_storage": ["iso_18045_moderate"]}));
        }
        assert!(got[0].disclosable_paths().contains(&schemas::ClaimPath::names(["holder_key_assurance"])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_d_1_attestations_that_do_not_hold_are_refused() {
    let attester = Attester::new(420);
    let world = World::demanding(attester.demands(true)).await;
    let (holders, nonce) = (keys(3, 422), world.nonce().await);
    let good = attester.attest(&world, &holders, &nonce, "iso_18045_high");
    let stranger = Attester::new(430).attest(&world, &holders, &nonce, "iso_18045_high");
    let other_keys = attester.attest(&world, &keys(2, 424), &nonce, "iso_18045_high");
    let weaker = attester.attest(&world, &holders, &nonce, "iso_18045_basic");
    let stale = attester.attest(&world, &holders, "stale", "iso_18045_high");
    let many = attester.attest(&world, &keys(31, 425), &nonce, "iso_18045_high");
    let with = |n: usize, attestation: &str| attested(&world, &holders[n], &nonce, attestation);
    for (proofs, expected, what) in [
        (world.proofs(&nonce, &holders), "invalid_proof", "none"),
        (vec![with(0, &stranger)], "invalid_proof", "of a stranger"),
        (vec![with(0, &other_keys)], "invalid_proof", "of other keys"),
        (vec![with(0, &good), with(1, &weaker)], "invalid_proof", "not alike"),
        (vec![with(0, &stale)], "invalid_nonce", "of another moment"),
        (vec![attested(&world, &keys(1, 425)[0], &nonce, &many)], "invalid_proof", "too many"),
        (vec![with(0, "x")], "invalid_proof", "not one"),
    ] {
        assert_eq!(refusal(ask(&world, proofs).await).await, refused(400, expected), "{what}");
    }
    assert_eq!(copies(ask(&world, vec![with(0, &good), with(1, &good)]).await).await.len(), 2);

    // Where one is not demanded, a wallet without is served, and the copies say nothing of its keys; what is shown holds or
    // is refused all the same.
    let world = World::demanding(attester.demands(false)).await;
    let nonce = world.nonce().await;
    let got = copies(ask(&world, world.proofs(&nonce, &keys(1, 440))).await).await;
    assert!(!got[0].claims().contains_key("holder_key_assurance"));
    let nonce = world.nonce().await;
    let holder = &keys(1, 441)[0];
    let stranger = Attester::new(442).attest(&world, &keys(1, 441), &nonce, "iso_18045_high");
    let response = ask(&world, vec![attested(&world, holder, &nonce, &stranger)]).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_proof"));
    // An issuer that asks nobody believes nobody.
    let world = World::new().await;
    let nonce = world.nonce().await;
    let holder = &keys(1, 443)[0];
    let claimed = attester.attest(&world, &keys(1, 443), &nonce, "iso_18045_high");
    let got = copies(ask(&world, vec![attested(&world, holder, &nonce, &claimed)]).await).await;
    assert!(!got[0].claims().contains_key("holder_key_assurance"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_f_3_an_attestation_alone_is_good_for_all_its_keys() {
    let attester = Attester::new(450);
    let world = World::demanding(attester.demands(true)).await;
    let url = format!("{}/.well-known/openid-credential-issuer", world.url);
    let metadata: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let types = &metadata["credential_configurations_supported"]["identity"]["proof_types_supported"]["attestation"];
    let expected = json!({"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}});
    assert_eq!(*types, expected);
    let (holders, nonce) = (keys(3, 451), world.nonce().await);
    let good = attester.attest(&world, &holders, &nonce, "iso_18045_moderate");
    // OIDF `invalid-key-attestation-signature`, and what else there is.
    let forged = format!("{}A", &good[..good.len() - 2]);
    let stranger = Attester::new(452).attest(&world, &holders, &nonce, "iso_18045_high");
    let stale = attester.attest(&world, &holders, "stale", "iso_18045_high");
    let many = attester.attest(&world, &keys(31, 453), &nonce, "iso_18045_high");
    let one_twice: Vec<SoftwareKey> = [454, 454].into_iter().flat_map(|seed| keys(1, seed)).collect();
    let twice = attester.attest(&world, &one_twice, &nonce, "iso_18045_high");
    for (attestations, expected, what) in [
        (json!([]), "invalid_proof", "none"),
        (json!([good, good]), "invalid_proof", "two"),
        (json!([7]), "invalid_proof", "no text"),
        (json!(good), "invalid_proof", "no array"),
        (json!([forged]), "invalid_proof", "forged"),
        (json!([stranger]), "invalid_proof", "of a stranger"),
        (json!([many]), "invalid_proof", "too many keys"),
        (json!([twice]), "invalid_proof", "one key twice"),
        (json!([stale]), "invalid_nonce", "of another moment"),
    ] {
        assert_eq!(refusal(ask_alone(&world, &attestations).await).await, refused(400, expected), "{what}");
    }
    let token = world.token(&world.offer()).await;
    let both = json!({"jwt": world.proofs(&nonce, &holders), "attestation": [good]});
    let body = json!({"credential_configuration_id": "identity", "proofs": both});
    assert_eq!(refusal(world.request(&token, &body).await).await, refused(400, "invalid_proof"), "two proof types");
    let got = copies(ask_alone(&world, &json!([good])).await).await;
    let bound: Vec<_> = got.iter().map(|copy| copy.confirmation_key().clone()).collect();
    assert_eq!(bound, holders.iter().map(|key| key.public_key().clone()).collect::<Vec<_>>());
    assert_eq!(got[0].claims()["holder_key_assurance"], json!({"key_storage": ["iso_18045_moderate"]}));
    assert_eq!(refusal(ask_alone(&world, &json!([good])).await).await, refused(400, "invalid_nonce"), "used");

    // Words of the attester's own are not copied: a verifier could know the holder by them.
    let (holders, nonce) = (keys(1, 455), world.nonce().await);
    let own = attester.attest(&world, &holders, &nonce, "urn:example:holder-4711");
    let got = copies(ask_alone(&world, &json!([own])).await).await;
    assert!(!got[0].claims().contains_key("holder_key_assurance"));
    // Where nobody is believed, an attestation proves nothing.
    let world = World::new().await;
    let nonce = world.nonce().await;
    let alone = attester.attest(&world, &keys(1, 456), &nonce, "iso_18045_high");
    assert_eq!(refusal(ask_alone(&world, &json!([alone])).await).await, refused(400, "invalid_proof"));
}
