//! One issuer with a chain, one holder, a fixed time, seeded randomness; and a forger who signs anything.

use credentials::key::PublicKey;
use credentials::key_binding::KeyBindingClaims;
use credentials::sd_jwt::{Expected, IssuanceDraft, SdJwtVc, issue, verify_issued};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, TrustAnchors, Usage};
use credentials::{b64, jws};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use schemas::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// 2027-01-15T08:00:00Z
pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
pub const AUDIENCE: &str = "x509_san_dns:verifier.example";
pub const NONCE: &str = "n-0S6_WzA2Mj-n-0S6_WzA2Mj";
pub const ISS: &str = "https://issuer.example";

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut rng(seed)).unwrap()
}

/// A public key as rcgen takes it.
pub struct Point([u8; 65]);

impl Point {
    pub fn of(key: &PublicKey) -> Self {
        Self(key.to_sec1())
    }
}

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// A certificate authority.
pub struct Authority {
    pub issuer: Issuer<'static, KeyPair>,
    pub der: Vec<u8>,
    pub pem: String,
}

pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2028, 1, 1);
    params
}

pub fn authority_params(name: &str, path_length: Option<u8>) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(path_length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    params
}

pub fn leaf_params(name: &str, usage: Usage) -> CertificateParams {
    let mut params = params(name);
    params.subject_alt_names = vec![SanType::DnsName("issuer.example".try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
    params
}

impl Authority {
    pub fn root(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { der: certificate.der().to_vec(), pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    pub fn below(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { der: certificate.der().to_vec(), pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    pub fn leaf(&self, params: &CertificateParams, key: &PublicKey) -> Vec<u8> {
        params.signed_by(&Point::of(key), &self.issuer).unwrap().der().to_vec()
    }
}

pub struct World {
    pub anchors: TrustAnchors,
    pub chain: CertificateChain,
    pub issuer: SoftwareKey,
    pub holder: SoftwareKey,
}

/// Made once: certificates take time.
pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = Authority::root(authority_params("Root", None));
    let middle = root.below(authority_params("Intermediate", Some(0)));
    let issuer = key(1);
    let leaf = middle.leaf(&leaf_params("Issuer", Usage::CredentialIssuing), issuer.public_key());
    World {
        anchors: TrustAnchors::from_pem(root.pem.as_bytes()).unwrap(),
        chain: CertificateChain::from_der([leaf, middle.der]).unwrap(),
        issuer,
        holder: key(2),
    }
});

pub fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("not an object"),
    }
}

impl World {
    pub fn policy(&self) -> ChainPolicy<'_> {
        ChainPolicy::known_only(&self.anchors)
    }

    pub fn expected(&self) -> Expected<'_> {
        Expected::new(self.policy(), AUDIENCE, NONCE, NOW)
    }

    pub fn draft(&self) -> IssuanceDraft {
        IssuanceDraft {
            vct: "urn:amparo:identity:1".into(),
            issuer: Some(ISS.into()),
            issued_at: NOW,
            not_before: None,
            expires_at: Timestamp::from_unix(NOW.unix() + 86_400),
            status: None,
            visible: Map::new(),
            disclosable: map(json!({
                "given_name": "Олена", "family_name": "Коваль", "nationalities": ["UA", "PL"],
                "address": {"locality": "Львів", "country": "UA"},
            })),
            nested: Vec::new(),
            decoys: true,
        }
    }

    pub fn issue(&self, draft: &IssuanceDraft) -> String {
        issue(draft, &self.chain, self.holder.public_key(), &self.issuer, &mut rng(7)).unwrap()
    }

    pub fn held(&self, draft: &IssuanceDraft) -> SdJwtVc {
        verify_issued(&self.issue(draft), &self.policy(), NOW).unwrap()
    }

    pub fn header(&self) -> Map<String, Value> {
        map(json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": self.chain.to_x5c()}))
    }

    /// The least that is a credential.
    pub fn payload(&self) -> Map<String, Value> {
        map(json!({
            "iss": ISS, "vct": "urn:amparo:identity:1", "exp": NOW.unix() + 3600,
            "cnf": {"jwk": self.holder.public_key().to_jwk()},
        }))
    }

    /// Signs any payload with the issuer's key: what a careless or malicious issuer could.
    pub fn forge(&self, header: &Map<String, Value>, payload: &[u8], disclosures: &[String]) -> String {
        let mut text = jws::sign(header, payload, &self.issuer).unwrap();
        text.push('~');
        for disclosure in disclosures {
            text.push_str(disclosure);
            text.push('~');
        }
        text
    }

    /// A credential whose payload is the least one with `more` in it.
    pub fn forged(&self, more: Value, disclosures: &[String]) -> String {
        let mut payload = self.payload();
        payload.extend(map(more));
        self.forge(&self.header(), &serde_json::to_vec(&payload).unwrap(), disclosures)
    }

    pub fn key_binding(&self) -> KeyBindingClaims {
        KeyBindingClaims {
            audience: AUDIENCE.into(),
            nonce: NONCE.into(),
            issued_at: NOW,
            transaction_data_hashes: None,
            consent: None,
            amr: Vec::new(),
            acr: None,
            auth_time: None,
        }
    }

    /// Binds any SD-JWT text, as a malicious holder could.
    pub fn bind(&self, sd_jwt: &str) -> String {
        let claims = json!({"iat": NOW.unix(), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": hash(sd_jwt)});
        self.bind_with(sd_jwt, &json!({"alg": "ES256", "typ": "kb+jwt"}), &claims, &self.holder)
    }

    pub fn bind_with(&self, sd_jwt: &str, header: &Value, claims: &Value, key: &SoftwareKey) -> String {
        let header = header.as_object().unwrap();
        format!("{sd_jwt}{}", jws::sign_object(header, claims.as_object().unwrap(), key).unwrap())
    }
}

/// The text of a disclosure of `contents`, and its digest.
pub fn disclosure(contents: &Value) -> (String, String) {
    disclosure_of(&contents.to_string())
}

pub fn disclosure_of(contents: &str) -> (String, String) {
    let text = b64::encode(contents.as_bytes());
    let digest = hash(&text);
    (text, digest)
}

pub fn hash(text: &str) -> String {
    b64::encode(&Sha256::digest(text))
}
