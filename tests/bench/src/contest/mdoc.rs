//! What both contestants of mobile documents need.

use super::Job;
use credentials::key_agreement::KeyAgreement;
use credentials::mdoc::{Handover, SessionTranscript};
use credentials::proximity::{DeviceEngagement, ReaderEngagement};
use credentials::signer::SoftwareKey;
use credentials::trust::oid;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

pub const TYPE: &str = "org.iso.18013.5.1.mDL";
pub const SPACE: &str = "org.iso.18013.5.1";

/// What the one issued, for the other to begin with.
pub struct Document<'d> {
    pub issued: &'d [u8],
    pub chain: &'d [u8],
}

/// A session in person, as both can read it.
pub fn transcript() -> SessionTranscript {
    let key = |byte| SoftwareKey::from_scalar(&[byte; 32]).expect("key");
    let engagement = DeviceEngagement::new(key(1).agreement_key(), Vec::new());
    ReaderEngagement::new(engagement, key(2), &Handover::Qr).transcript().clone()
}

/// An anchor and the chain below it, for the issuer's key.
pub fn certificates(job: &Job) -> (String, String) {
    certificates_for(job, &oid::MDOC_ISSUING)
}

/// The same for another usage of that key.
pub fn certificates_for(job: &Job, usage: &[u64]) -> (String, String) {
    let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "Root of the contest");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2036, 1, 1);
    let root_key = KeyPair::generate().expect("key");
    let root = parameters.self_signed(&root_key).expect("root");
    let mut leaf = CertificateParams::new(Vec::new()).expect("parameters");
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "Issuer of the contest");
    leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(2036, 1, 1);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.to_vec())];
    let leaf_key = KeyPair::from_pem(&Job::pem(&job.issuer)).expect("key");
    let leaf = leaf.signed_by(&leaf_key, &Issuer::from_params(&parameters, &root_key)).expect("leaf");
    (root.pem(), leaf.pem())
}
