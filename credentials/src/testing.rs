//! Authorities and certificates for tests, made afresh; the keys of leaves are the product's own.

use crate::signer::{Signer as _, SoftwareKey};
use crate::trust::{CertificateChain, TrustAnchors, Usage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use schemas::Timestamp;

/// When the tests take place.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut rng(seed)).unwrap()
}

/// Someone who makes certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
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

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.pem.as_bytes()).unwrap()
    }

    /// A leaf for `usage` and these DNS names, and its key.
    pub(crate) fn leaf(&self, usage: Usage, dns_names: &[&str], seed: u64) -> (CertificateChain, SoftwareKey) {
        let key = key(seed);
        let names: Vec<String> = dns_names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("leaf {seed}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        params.use_authority_key_identifier_extension = true;
        let public = LeafKey(key.public_key().to_sec1().to_vec());
        let certificate = params.signed_by(&public, &self.issuer).unwrap();
        (CertificateChain::from_der([certificate.der().to_vec()]).unwrap(), key)
    }
}
