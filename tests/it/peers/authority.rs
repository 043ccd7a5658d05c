//! An authority for one test: an anchor, and leaves below it for keys that we and the peer both hold.

use base64ct::{Base64, Encoding as _};
use credentials::b64;
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use schemas::Timestamp;
use serde_json::{Value, json};

pub(super) struct Authority {
    pub(super) anchors: TrustAnchors,
    /// The anchor as base64 of DER.
    pub(super) anchor: String,
    root: Issuer<'static, KeyPair>,
}

/// A public key as a certificate has it.
struct Certified {
    bytes: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl rcgen::PublicKeyData for Certified {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Root of the peers");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        in_our_time(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            anchors: TrustAnchors::from_pem(certificate.pem().as_bytes()).unwrap(),
            anchor: Base64::encode_string(certificate.der()),
            root: Issuer::new(params, key),
        }
    }

    /// A leaf for that key: as we hold it, and as `x5c` has it.
    pub(super) fn certify(&self, key: &SoftwareKey, usage: Usage) -> (CertificateChain, Vec<String>) {
        let bytes = key.public_key().to_sec1().to_vec();
        self.certify_key(&Certified { bytes, algorithm: &rcgen::PKCS_ECDSA_P256_SHA256 }, usage)
    }

    /// The same for a key of a peer, of P-384 or Ed25519.
    pub(super) fn certify_jwk(&self, jwk: &Value, usage: Usage) -> (CertificateChain, Vec<String>) {
        let part = |name: &str| b64::decode(jwk[name].as_str().unwrap()).unwrap();
        let key = match jwk["crv"].as_str() {
            Some("P-384") => Certified {
                bytes: [&[4][..], &part("x"), &part("y")].concat(),
                algorithm: &rcgen::PKCS_ECDSA_P384_SHA384,
            },
            Some("Ed25519") => Certified { bytes: part("x"), algorithm: &rcgen::PKCS_ED25519 },
            other => panic!("{other:?}"),
        };
        self.certify_key(&key, usage)
    }

    fn certify_key(&self, key: &Certified, usage: Usage) -> (CertificateChain, Vec<String>) {
        let mut params = CertificateParams::default();
        // ISO/IEC 18013-5 Annex B wants a country in the name of who signs documents, and peers look for it.
        params.distinguished_name = named("Issuer of the peers");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        in_our_time(&mut params);
        let leaf = params.signed_by(key, &self.root).unwrap();
        let x5c = vec![Base64::encode_string(leaf.der())];
        (CertificateChain::from_der([leaf.der().to_vec()]).unwrap(), x5c)
    }
}

fn named(name: &str) -> rcgen::DistinguishedName {
    let mut names = rcgen::DistinguishedName::new();
    names.push(DnType::CountryName, "SV");
    names.push(DnType::CommonName, name);
    names
}

fn in_our_time(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 1, 1);
}

pub(super) fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut rng(seed)).unwrap()
}

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The same key as a peer takes it.
pub(super) fn private_jwk(key: &SoftwareKey) -> Value {
    let mut jwk = key.public_key().to_jwk();
    jwk.insert("d".to_owned(), json!(b64::encode(&key.scalar().unwrap()[..])));
    Value::Object(jwk)
}

pub(super) fn public_jwk(key: &SoftwareKey) -> Value {
    Value::Object(key.public_key().to_jwk())
}

/// Peers read the clock of the machine: so do we.
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix(since.as_secs().try_into().unwrap())
}
