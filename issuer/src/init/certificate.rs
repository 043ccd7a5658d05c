//! The certificates of an issuer.

use super::{FreshKey, INTERMEDIATE_LIFETIME, InitError, LEAF_LIFETIME, ROOT_LIFETIME};
use crate::config::{IssuerName, IssuerUrl, MAX_NAME};
use credentials::trust::Usage;
use rand_core::CryptoRng;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use schemas::{Seconds, Timestamp};
use time::OffsetDateTime;
use url::Host;

/// What a leaf certificate is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leaf {
    Credential,
    Status,
    TrustList,
}

/// A certificate authority: its certificate, and its key.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A self-signed root.
    pub(super) fn root<R: CryptoRng + ?Sized>(
        name: &IssuerName,
        now: Timestamp,
        key: &FreshKey,
        rng: &mut R,
    ) -> Result<Self, InitError> {
        let params = authority(name, "root", 1, (now, ROOT_LIFETIME), rng)?;
        let pem = params.self_signed(&key.pair)?.pem();
        Ok(Self { issuer: Issuer::new(params, KeyPair::from_pem(&key.pem)?), pem })
    }

    /// An intermediate under this root.
    pub(super) fn intermediate<R: CryptoRng + ?Sized>(
        &self,
        name: &IssuerName,
        now: Timestamp,
        key: &FreshKey,
        rng: &mut R,
    ) -> Result<Self, InitError> {
        let params = authority(name, INTERMEDIATE, 0, (now, INTERMEDIATE_LIFETIME), rng)?;
        let pem = params.signed_by(&key.pair, &self.issuer)?.pem();
        Ok(Self { issuer: Issuer::new(params, KeyPair::from_pem(&key.pem)?), pem })
    }

    /// The intermediate that `init` made: its subject follows from the name, its key identifier from the key.
    pub(super) fn existing_intermediate(name: &IssuerName, key: KeyPair, pem: String) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(name, INTERMEDIATE);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's certificate.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// A leaf under this intermediate. Its subject is the issuer's name, its alternative names are the issuer's URL and
    /// host, so that `iss` can be held against it.
    pub(super) fn leaf<R: CryptoRng + ?Sized>(
        &self,
        leaf: Leaf,
        url: &IssuerUrl,
        name: &IssuerName,
        now: Timestamp,
        key: &FreshKey,
        rng: &mut R,
    ) -> Result<String, InitError> {
        let (suffix, usage) = match leaf {
            Leaf::Credential => ("", Usage::CredentialIssuing),
            Leaf::Status => ("status", Usage::StatusSigning),
            Leaf::TrustList => ("trust lists", Usage::TrustListSigning),
        };
        let mut params = base(name, suffix, (now, LEAF_LIFETIME), rng)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        params.subject_alt_names.push(SanType::URI(url.as_str().try_into()?));
        match url.host() {
            Some(Host::Domain(name)) => params.subject_alt_names.push(SanType::DnsName(name.try_into()?)),
            Some(Host::Ipv4(address)) => params.subject_alt_names.push(SanType::IpAddress(address.into())),
            Some(Host::Ipv6(address)) => params.subject_alt_names.push(SanType::IpAddress(address.into())),
            None => {}
        }
        Ok(params.signed_by(&key.pair, &self.issuer)?.pem())
    }
}

const INTERMEDIATE: &str = "intermediate";

fn authority<R: CryptoRng + ?Sized>(
    name: &IssuerName,
    suffix: &str,
    below: u8,
    span: (Timestamp, Seconds),
    rng: &mut R,
) -> Result<CertificateParams, InitError> {
    let mut params = base(name, suffix, span, rng)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// From yesterday's midnight, so that a verifier whose clock is behind takes what was issued today.
fn base<R: CryptoRng + ?Sized>(
    name: &IssuerName,
    suffix: &str,
    (now, lifetime): (Timestamp, Seconds),
    rng: &mut R,
) -> Result<CertificateParams, InitError> {
    let from = now.floor_to(Seconds::DAY).minus(Seconds::DAY);
    let mut params = CertificateParams::default();
    params.not_before = instant(from)?;
    params.not_after = instant(now.plus(lifetime).floor_to(Seconds::DAY))?;
    params.distinguished_name = subject(name, suffix);
    params.use_authority_key_identifier_extension = true;
    // RFC 5280 §4.1.2.2: positive, at most 20 octets; 127 random bits, the first of them 1, so of one length always.
    let mut serial = [0u8; 16];
    rng.fill_bytes(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// The common name: the issuer's, and what the certificate is where it is not the one that people see.
fn subject(name: &IssuerName, suffix: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    let text = if suffix.is_empty() {
        name.as_str().to_owned()
    } else {
        let room = MAX_NAME - suffix.len() - 1;
        let short: String = name.as_str().chars().take(room).collect();
        format!("{} {suffix}", short.trim_end())
    };
    subject.push(DnType::CommonName, text);
    subject
}

fn instant(time: Timestamp) -> Result<OffsetDateTime, InitError> {
    OffsetDateTime::from_unix_timestamp(time.unix()).map_err(|_| InitError::Clock)
}
