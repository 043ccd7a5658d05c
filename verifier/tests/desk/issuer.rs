//! An issuer with its authority, and a host for its status lists that counts who asks.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use credentials::b64;
use credentials::consent::holder_authorizations;
use credentials::mdoc::{self, Mdoc};
use credentials::sd_jwt::{IssuanceDraft, issue};
use credentials::signer::{Signer, SoftwareKey};
use credentials::status_list::{Bits, StatusList, TokenDraft};
use credentials::trust::{CertificateChain, Usage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer as Authority, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey as _,
};
use schemas::mdoc::IDENTITY_DOCUMENT;
use schemas::status::{Status, StatusReference};
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub(crate) const VCT: &str = "urn:amparo:identity:1";

pub(crate) struct Issuer {
    pub(crate) anchor: String,
    pub(crate) chain: CertificateChain,
    pub(crate) key: SoftwareKey,
    pub(crate) status_chain: CertificateChain,
    pub(crate) status_key: SoftwareKey,
    authority: Authority<'static, KeyPair>,
    rng: Mutex<ChaCha20Rng>,
}

struct LeafKey(Vec<u8>);

impl PublicKeyData for LeafKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A credential in its holder's hands.
pub(crate) struct Card {
    pub(crate) text: String,
    pub(crate) holder: SoftwareKey,
}

/// A mobile document in its holder's hands.
pub(crate) struct Document {
    pub(crate) mdoc: Mdoc,
    pub(crate) holder: SoftwareKey,
}

impl Issuer {
    pub(crate) fn new(seed: u64) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("Authority {seed}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let anchor = params.self_signed(&key).unwrap().pem();
        let authority = Authority::new(params, key);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (chain, key) = leaf(&authority, Usage::CredentialIssuing, &mut rng);
        let (status_chain, status_key) = leaf(&authority, Usage::StatusSigning, &mut rng);
        Self { anchor, chain, key, status_chain, status_key, authority, rng: Mutex::new(rng) }
    }

    pub(crate) fn leaf(&self, usage: Usage) -> (CertificateChain, SoftwareKey) {
        leaf(&self.authority, usage, &mut self.rng.lock().unwrap())
    }

    pub(crate) fn draft(now: Timestamp, status: Option<StatusReference>) -> IssuanceDraft {
        let claims = json!({
            "given_name": "Ana", "family_name": "Pérez", "birth_date": "2001-02-03", "nationalities": ["ES", "FR"],
            "age_over_18": true, "address": {"locality": "Cádiz", "street": "Calle 1"},
        });
        let nested: [ClaimPath; 2] = [
            serde_json::from_value(json!(["nationalities", null])).unwrap(),
            ClaimPath::names(["address", "locality"]),
        ];
        IssuanceDraft {
            vct: VCT.into(),
            issuer: None,
            issued_at: now.floor_to(Seconds::DAY),
            not_before: None,
            expires_at: now.plus(Seconds::DAY.times(30)),
            status,
            visible: Map::new(),
            disclosable: claims.as_object().unwrap().clone(),
            nested: nested.to_vec(),
            decoys: true,
        }
    }

    pub(crate) fn issue(&self, draft: &IssuanceDraft) -> Card {
        let mut rng = self.rng.lock().unwrap();
        let holder = SoftwareKey::generate(&mut *rng).unwrap();
        let text = issue(draft, &self.chain, holder.public_key(), &self.key, &mut *rng).unwrap();
        Card { text, holder }
    }

    /// The same credential, signed by EdDSA under a certificate of its own.
    pub(crate) fn issue_by_eddsa(&self, draft: &IssuanceDraft) -> Card {
        let Card { text, holder } = self.issue(draft);
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let leaf = leaf_params(Usage::CredentialIssuing).signed_by(&key, &self.authority).unwrap();
        let chain = CertificateChain::from_der([leaf.der().to_vec()]).unwrap();
        let header = json!({"alg": "EdDSA", "typ": "dc+sd-jwt", "x5c": chain.to_x5c()});
        let (jwt, disclosures) = text.split_once('~').unwrap();
        let signed = format!("{}.{}", b64::encode(header.to_string().as_bytes()), jwt.split('.').nth(1).unwrap());
        let signature = b64::encode(&key.sign(signed.as_bytes()).unwrap());
        Card { text: format!("{signed}.{signature}~{disclosures}"), holder }
    }

    /// A mobile document of `identity`, as our issuer makes it.
    pub(crate) fn document_draft(now: Timestamp, status: Option<StatusReference>) -> mdoc::IssuanceDraft {
        let claims = json!({
            "given_name": "Ana", "family_name": "Pérez", "birth_date": "2001-02-03", "nationalities": ["ES", "FR"],
            "age_over_18": true,
        });
        mdoc::IssuanceDraft {
            doc_type: IDENTITY_DOCUMENT.doc_type.to_owned(),
            elements: mdoc::elements_of(&IDENTITY_DOCUMENT, claims.as_object().unwrap()).unwrap(),
            signed_at: now.floor_to(Seconds::DAY),
            valid_from: now.floor_to(Seconds::DAY),
            valid_until: now.plus(Seconds::DAY.times(30)),
            expected_update: None,
            status,
            authorizations: holder_authorizations(),
            decoys: true,
        }
    }

    pub(crate) fn issue_document(&self, draft: &mdoc::IssuanceDraft) -> Document {
        let mut rng = self.rng.lock().unwrap();
        let holder = SoftwareKey::generate(&mut *rng).unwrap();
        let bytes = mdoc::issue(draft, &self.chain, holder.public_key(), &self.key, &mut *rng).unwrap();
        Document { mdoc: Mdoc::reopen(&bytes).unwrap(), holder }
    }

    /// The same in CWT format.
    pub(crate) fn list_cwt(&self, uri: &str, now: Timestamp, lasting: Seconds, revoked: &[u64]) -> Vec<u8> {
        let mut list = StatusList::new(1024, Bits::One).unwrap();
        for index in revoked {
            list.set(*index, Status::Invalid).unwrap();
        }
        let (expires_at, ttl) = (now.plus(lasting), Seconds::HOUR.times(12));
        let draft = TokenDraft { uri, issued_at: now, expires_at, ttl, aggregation_uri: None };
        list.sign_cwt(&draft, &self.status_chain, &self.status_key).unwrap()
    }

    /// A status list in which these entries are revoked.
    pub(crate) fn list(&self, uri: &str, now: Timestamp, lasting: Seconds, revoked: &[u64]) -> String {
        let mut list = StatusList::new(1024, Bits::One).unwrap();
        for index in revoked {
            list.set(*index, Status::Invalid).unwrap();
        }
        let hours = Seconds::HOUR.times(12);
        list.to_token(uri, now, now.plus(lasting), hours, &self.status_chain, &self.status_key).unwrap()
    }
}

fn leaf(authority: &Authority<'_, KeyPair>, usage: Usage, rng: &mut ChaCha20Rng) -> (CertificateChain, SoftwareKey) {
    let key = SoftwareKey::generate(rng).unwrap();
    let public = LeafKey(key.public_key().to_sec1().to_vec());
    let certificate = leaf_params(usage).signed_by(&public, authority).unwrap();
    (CertificateChain::from_der([certificate.der().to_vec()]).unwrap(), key)
}

fn leaf_params(usage: Usage) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["issuer.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Casa Abierta");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
    params.use_authority_key_identifier_extension = true;
    params
}

/// Serves status lists and counts how often each was asked for.
#[derive(Clone, Default)]
pub(crate) struct StatusHost(Arc<Mutex<HashMap<String, Served>>>);

/// What is served, and how often it was asked for.
type Served = (Vec<u8>, usize);

impl StatusHost {
    pub(crate) async fn start() -> (Self, String) {
        let this = Self::default();
        let router = Router::new().route("/{name}", get(give)).with_state(this.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, base)
    }

    pub(crate) fn put(&self, name: &str, token: String) {
        self.put_bytes(name, token.into_bytes());
    }

    pub(crate) fn put_bytes(&self, name: &str, token: Vec<u8>) {
        self.0.lock().unwrap().entry(name.to_owned()).or_default().0 = token;
    }

    pub(crate) fn asked(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).map_or(0, |(_, count)| *count)
    }
}

async fn give(State(host): State<StatusHost>, Path(name): Path<String>) -> impl IntoResponse {
    let mut lists = host.0.lock().unwrap();
    let (token, count) = lists.entry(name).or_default();
    *count += 1;
    let status = if token.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    (status, [(header::CONTENT_TYPE, "application/statuslist+jwt")], token.clone())
}

/// What stands in a JWT.
pub(crate) fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&credentials::b64::decode(part).unwrap()).unwrap()
}
