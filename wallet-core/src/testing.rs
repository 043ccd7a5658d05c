//! Parties with real certificates, an issuer without a socket, and a clock that stands still: for the tests.

mod issuer;
mod provider;
mod verifier;

pub(crate) use issuer::{Desk, Encrypts, Issuer};
pub(crate) use provider::Provider;
pub(crate) use verifier::{Checkpoint, Signed, Verified, Verifier, asking};

use crate::effect::{Effect, Errand, Method, Outcome, Progress, Response};
use credentials::signer::SoftwareKey;
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use rand_core::CryptoRng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use schemas::Timestamp;
use serde_json::Value;

/// 2026-11-23T14:07:31Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_442_851);

/// Someone with a certificate under an anchor of their own.
pub(crate) struct Party {
    pub(crate) anchor_pem: String,
    pub(crate) chain: CertificateChain,
    pub(crate) key: SoftwareKey,
}

impl Party {
    pub(crate) fn new(name: &str, dns: &[&str], usage: Usage, rng: &mut dyn CryptoRng) -> Self {
        Self::calling_itself(name, dns, usage, None, rng)
    }

    /// As [`Party::new`], with another key identifier of its authority than that of the key.
    pub(crate) fn calling_itself(
        name: &str,
        dns: &[&str],
        usage: Usage,
        key_id: Option<Vec<u8>>,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let (root_key, key) = (key(rng), key(rng));
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.distinguished_name.push(DnType::CommonName, format!("{name} Root"));
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        if let Some(key_id) = key_id {
            root.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(key_id);
        }
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (root.not_before, root.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2036, 1, 1));
        let mut leaf = CertificateParams::new(dns.iter().map(|dns| (*dns).to_owned()).collect::<Vec<_>>()).unwrap();
        leaf.distinguished_name.push(DnType::CommonName, name);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        leaf.use_authority_key_identifier_extension = true;
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2026, 10, 1), date_time_ymd(2027, 10, 1));
        let root_pair = pair(&root_key);
        let anchor_pem = root.self_signed(&root_pair).unwrap().pem();
        let signed = leaf.signed_by(&pair(&key), &rcgen::Issuer::new(root, root_pair)).unwrap();
        Self { anchor_pem, chain: CertificateChain::from_der([signed.der().to_vec()]).unwrap(), key }
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.anchor_pem.as_bytes()).unwrap()
    }
}

fn key(mut rng: &mut dyn CryptoRng) -> SoftwareKey {
    SoftwareKey::generate(&mut rng).unwrap()
}

/// The same key for the maker of certificates: PKCS #8 (RFC 5958) around the scalar.
fn pair(key: &SoftwareKey) -> KeyPair {
    let mut der = vec![0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8];
    der.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20]);
    der.extend_from_slice(&*key.scalar().unwrap());
    KeyPair::try_from(der).unwrap()
}

/// What was asked of the network: method and URL.
pub(crate) type Asked = Vec<(Method, String)>;

/// Runs an errand to its end against somebody who answers.
pub(crate) fn run<E: Errand>(
    errand: impl Into<Progress<E>>,
    asked: &mut Asked,
    mut answer: impl FnMut(&Effect) -> Outcome,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<E::Ready, E::Error> {
    let mut progress = errand.into();
    for _ in 0..20 {
        let errand = match progress {
            Progress::Waiting(errand) => errand,
            Progress::Ready(ready) => return Ok(ready),
        };
        asked.push((errand.effect().method(), errand.effect().url().to_string()));
        let outcome = answer(errand.effect());
        progress = errand.resume(outcome, now, rng)?;
    }
    panic!("the errand does not end: {asked:?}");
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Outcome {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Outcome::Response(Response { status, headers, body: serde_json::to_vec(body).unwrap() })
}

/// The value of a form field in the body.
pub(crate) fn field(effect: &Effect, name: &str) -> Option<String> {
    url::form_urlencoded::parse(effect.body()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn header<'e>(effect: &'e Effect, name: &str) -> Option<&'e str> {
    effect.headers().find(|(n, _)| *n == name).map(|(_, value)| value)
}
