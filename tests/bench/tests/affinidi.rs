//! `affinidi-openid4vp` 0.1.4 asks by OpenID4VP 1.0 and reads the encrypted answer; its wallet's half is of drafts before 1.0, and left out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may stop where they stand"
)]

use affinidi_oid4vc_core::es256::Es256Signer;
use affinidi_oid4vc_core::jwe::{ContentEncryption, EcdhEsDecryptionKey};
use affinidi_openid4vp::response::{DirectPostJwt, receive_direct_post_jwt};
use affinidi_openid4vp::{CandidateCredential, ClientId, DcqlQuery, JarHeader, RequestObject, VerifierClientMetadata};
use base64ct::{Base64, Encoding as _};
use credentials::key_binding::KeyBindingClaims;
use credentials::request_object::{RequestObjectError, RequestObjectIn};
use credentials::sd_jwt::{Expected, IssuanceDraft, issue, verify_issued, verify_presented};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, TrustAnchors, Usage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

const VCT: &str = "urn:amparo:identity:1";
const NONCE: &str = "n-0S6_WzA2Mj7kPq3vXyZb";
const RESPONSE_URI: &str = "https://desk.example/response";

struct Point([u8; 65]);

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut rng(seed)).unwrap()
}

struct World {
    anchors: TrustAnchors,
    issuing: CertificateChain,
    /// The leaf of the verifier, DER.
    asking: Vec<u8>,
    now: Timestamp,
}

fn world() -> World {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&root_key).unwrap().pem();
    let root = Issuer::new(params, root_key);
    let leaf = |usage: Usage, seed| {
        let mut params = CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        params.signed_by(&Point(key(seed).public_key().to_sec1()), &root).unwrap().der().to_vec()
    };
    World {
        issuing: CertificateChain::from_der([leaf(Usage::CredentialIssuing, 1)]).unwrap(),
        asking: leaf(Usage::Verifier, 3),
        anchors: TrustAnchors::from_pem(pem.as_bytes()).unwrap(),
        now: Timestamp::from_unix(OffsetDateTime::now_utc().unix_timestamp()),
    }
}

fn query() -> DcqlQuery {
    let query = json!({
        "credentials": [
            {"id": "who", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["given_name"]}, {"path": ["nationalities", null]}]},
            {"id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["age_over_18"], "values": [true]}]},
        ],
        "credential_sets": [{"options": [["who"], ["age"]]}],
    });
    DcqlQuery::from_json(&query).unwrap()
}

impl World {
    fn client(&self) -> ClientId {
        ClientId::x509_hash(&self.asking)
    }

    /// Their request, signed by them.
    fn asked(&self, answers: &EcdhEsDecryptionKey) -> String {
        let metadata = VerifierClientMetadata {
            jwks: json!({"keys": [answers.public_jwk().unwrap()]}),
            encrypted_response_enc_values_supported: vec!["A256GCM".into()],
            vp_formats_supported: Some(
                json!({"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}}),
            ),
            additional: serde_json::Map::new(),
        };
        let mut request = RequestObject::direct_post_jwt(&self.client(), RESPONSE_URI, NONCE, query(), metadata);
        request.state = Some("af0ifjsldkj".into());
        let signer = Es256Signer::from_bytes(&key(3).scalar().unwrap()[..]).unwrap();
        request.sign(&JarHeader::with_x5c(vec![Base64::encode_string(&self.asking)]), &signer).unwrap()
    }

    fn presented(&self, client_id: &str, nonce: &str) -> String {
        let Value::Object(disclosable) =
            json!({"given_name": "Inés", "nationalities": ["SV", "MX"], "age_over_18": true})
        else {
            unreachable!()
        };
        let draft = IssuanceDraft {
            vct: VCT.into(),
            issuer: None,
            issued_at: self.now,
            not_before: None,
            expires_at: Timestamp::from_unix(self.now.unix() + 3_600),
            status: None,
            visible: serde_json::Map::new(),
            disclosable,
            nested: Vec::new(),
            decoys: true,
        };
        let issued = issue(&draft, &self.issuing, key(2).public_key(), &key(1), &mut rng(9)).unwrap();
        let held = verify_issued(&issued, &ChainPolicy::known_only(&self.anchors), self.now).unwrap();
        let paths = ["given_name", "nationalities"].map(|name| ClaimPath::names([name]));
        held.select(&paths).unwrap().bind(&KeyBindingClaims::new(client_id, nonce, self.now), &key(2)).unwrap()
    }
}

#[test]
fn we_answer_what_affinidi_asks_and_it_reads_the_answer() {
    let world = world();
    let answers = EcdhEsDecryptionKey::generate("answers");
    let signed = world.asked(&answers);
    let client = world.client().to_string();
    let request =
        RequestObjectIn::parse(&signed).unwrap().authenticate(&client, &world.anchors, world.now, None).unwrap();
    assert_eq!(request.request().nonce, NONCE);
    assert_eq!(request.query().credentials().len(), 2);

    let presentation = world.presented(&client, NONCE);
    let answer = json!({"vp_token": {"who": [presentation]}, "state": "af0ifjsldkj"});
    let jwe = request.recipient().unwrap().encrypt(answer.to_string().as_bytes(), &mut rng(5)).unwrap();
    let body = format!("response={jwe}");
    let DirectPostJwt::Response(read) =
        receive_direct_post_jwt(body.as_bytes(), &answers, &[ContentEncryption::A256Gcm]).unwrap()
    else {
        panic!("an error was read")
    };
    assert_eq!(read.state.as_deref(), Some("af0ifjsldkj"));
    // What it leaves to its caller, the presentation itself, is verified here; what the query wants is its word again.
    let expected = Expected::new(ChainPolicy::known_only(&world.anchors), &client, NONCE, world.now);
    let seen = verify_presented(read.vp_token["who"][0].as_str().unwrap(), &expected).unwrap();
    let candidate = |claims: Value| CandidateCredential {
        id: "1".into(),
        format: "dc+sd-jwt".into(),
        claims,
        vct: Some(seen.vct().to_owned()),
        doctype: None,
        supports_holder_binding: true,
    };
    let shown = |query: &str, claims: Value| BTreeMap::from([(query.to_owned(), vec![candidate(claims)])]);
    let claims = Value::Object(seen.claims().clone());
    query().evaluate_presentation(&shown("who", claims.clone())).unwrap();
    // It can refuse: another query than the one that was answered, and a claim too few.
    assert!(query().evaluate_presentation(&shown("age", claims)).is_err());
    assert!(query().evaluate_presentation(&shown("who", json!({"given_name": "Inés"}))).is_err());
    // And what was encrypted to another key it does not read.
    let other = EcdhEsDecryptionKey::generate("answers");
    assert!(receive_direct_post_jwt(body.as_bytes(), &other, &[ContentEncryption::A256Gcm]).is_err());
}

#[test]
fn a_request_of_affinidi_that_was_changed_or_is_of_another_client_is_refused() {
    let world = world();
    let signed = world.asked(&EcdhEsDecryptionKey::generate("answers"));
    let client = world.client().to_string();
    let authenticate = |text: &str, client: &str| {
        RequestObjectIn::parse(text)
            .and_then(|r| r.authenticate(client, &world.anchors, world.now, None))
            .map(|_| ())
            .unwrap_err()
    };
    let mut parts: Vec<String> = signed.split('.').map(str::to_owned).collect();
    let payload = credentials::b64::decode(&parts[1]).unwrap();
    let changed = String::from_utf8(payload).unwrap().replace("given_name", "family_name");
    parts[1] = credentials::b64::encode(changed.as_bytes());
    assert!(matches!(authenticate(&parts.join("."), &client), RequestObjectError::Signature));
    assert!(matches!(authenticate(&signed, "x509_hash:other"), RequestObjectError::OtherClient));
}

#[test]
fn affinidi_reads_a_refusal() {
    let answers = EcdhEsDecryptionKey::generate("answers");
    let read =
        receive_direct_post_jwt(b"error=access_denied&state=af0ifjsldkj", &answers, &[ContentEncryption::A256Gcm]);
    assert!(matches!(read.unwrap(), DirectPostJwt::Error(refusal) if refusal.error == "access_denied"));
}
