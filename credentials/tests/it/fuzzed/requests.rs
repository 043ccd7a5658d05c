//! What is asked and what is published: queries, request objects, status lists, metadata.

use crate::world::{Authority, NOW, WORLD, authority_params, key, leaf_params, map};
use credentials::dcql::{Candidate, Query};
use credentials::issuer_metadata::IssuerMetadata;
use credentials::request_object::{ClientId, RequestObjectIn};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::status_list::{self, Aggregation, Bits, StatusList};
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use credentials::type_metadata::{SvgTemplate, TypeMetadata};
use credentials::{b64, jws};
use serde_json::{Value, json};
use std::sync::LazyLock;

const LIST: &str = "https://issuer.example/status/1";

struct StatusWorld {
    anchors: TrustAnchors,
    chain: CertificateChain,
    key: SoftwareKey,
}

static STATUS: LazyLock<StatusWorld> = LazyLock::new(|| {
    let root = Authority::root(authority_params("Root of lists", None));
    let key = key(31);
    let leaf = root.leaf(&leaf_params("Lists", Usage::StatusSigning), key.public_key());
    StatusWorld {
        anchors: TrustAnchors::from_pem(root.pem.as_bytes()).unwrap(),
        chain: CertificateChain::from_der([leaf]).unwrap(),
        key,
    }
});

struct Desk {
    chain: CertificateChain,
    key: SoftwareKey,
    anchors: TrustAnchors,
    client: String,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let root = Authority::root(authority_params("Root of desks", None));
    let key = key(32);
    let leaf = root.leaf(&leaf_params("Desk", Usage::Verifier), key.public_key());
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let chain = CertificateChain::from_der([leaf]).unwrap();
    let verified = chain.verify(&anchors, Usage::Verifier, NOW).unwrap();
    let client = ClientId::x509_hash(&verified.leaf_sha256()).to_string();
    Desk { chain, key, anchors, client }
});

/// A query, and what a real credential would answer to it.
pub fn dcql(data: &[u8]) {
    let Ok(query) = Query::parse(data) else { return };
    let held = WORLD.held(&WORLD.draft());
    let authorities = [vec![1_u8; 20]];
    let candidates = [Candidate::new(&held, &authorities), Candidate::new(&held, &[])];
    let plan = query.plan(&candidates);
    let _ = query.asked_paths();
    if let Some(answers) = plan.least() {
        assert!(plan.is_satisfiable());
        for answer in answers {
            let credential = query.credential(&answer.query).expect("a query that was asked");
            assert_eq!(credential.format, "dc+sd-jwt");
            // What it promises can be shown.
            held.select(&answer.paths).unwrap();
        }
    }
}

/// A request object; and a payload that a verifier signs.
pub fn request_object(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let _ = RequestObjectIn::parse(text);
    let Ok(Value::Object(mut payload)) = serde_json::from_str::<Value>(text) else { return };
    let Desk { chain, key, anchors, client } = &*DESK;
    for (name, value) in [("client_id", client.as_str()), ("aud", "https://self-issued.me/v2")] {
        payload.entry(name).or_insert_with(|| value.into());
    }
    if let Some(Value::Object(entry)) = payload.get("consent").cloned() {
        payload.insert("transaction_data".into(), vec![b64::encode(&serde_json::to_vec(&entry).unwrap())].into());
        payload.remove("consent");
    }
    let header = map(json!({"alg": "ES256", "typ": "oauth-authz-req+jwt", "x5c": chain.to_x5c()}));
    let signed = jws::sign_object(&header, &payload, key).unwrap();
    let Ok(request) = RequestObjectIn::parse(&signed) else { return };
    if let Ok(request) = request.authenticate(client, anchors, NOW, None) {
        assert!(["https", "http"].contains(&request.response_uri().scheme()));
        assert_eq!(payload.get("client_id").and_then(Value::as_str), Some(client.as_str()));
        assert!(payload.get("nonce").and_then(Value::as_str).is_some_and(|nonce| nonce.len() >= 22));
    }
}

/// A status list token in both formats, a list, an aggregation; and claims that an issuer signs.
pub fn status_list(data: &[u8]) {
    let StatusWorld { anchors, chain, key } = &*STATUS;
    let _ = status_list::verify_cwt(data, LIST, anchors, NOW, None);
    let _ = Aggregation::parse(data);
    for bits in [1, 2, 4, 8] {
        let bits = Bits::try_from(bits).unwrap();
        if let Ok(list) = StatusList::from_zlib(bits, data) {
            let again = StatusList::from_zlib(bits, &list.to_zlib()).unwrap();
            assert_eq!(again.as_bytes(), list.as_bytes(), "written and read again");
            list.get(list.len()).unwrap_err();
        }
    }
    let Ok(text) = str::from_utf8(data) else { return };
    let _ = status_list::verify(text, LIST, anchors, NOW, None);
    let header = map(json!({"alg": "ES256", "typ": "statuslist+jwt", "x5c": chain.to_x5c()}));
    let signed = jws::sign(&header, data, key).unwrap();
    if status_list::verify(&signed, LIST, anchors, NOW, None).is_ok() {
        let claims = serde_json::from_slice::<Value>(data).unwrap();
        assert_eq!(claims["sub"], LIST);
        assert!(claims["iat"].as_i64().is_some_and(|iat| iat <= NOW.unix() + 60));
        assert!(claims["exp"].as_i64().is_none_or(|exp| exp > NOW.unix()));
    }
}

/// Type metadata, a picture that comes with it, and the keys that an issuer publishes.
pub fn metadata(data: &[u8]) {
    let _ = TypeMetadata::parse(data);
    if let Ok(template) = SvgTemplate::parse(data) {
        let _ = template.placeholders().count();
    }
    let _ = IssuerMetadata::parse(data, "https://issuer.example");
}
