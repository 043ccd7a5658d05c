//! What one certificate says.

use super::{ChainError, Usage};
use crate::escape::escaped;
use crate::key::{IssuerKey, PublicKey};
use schemas::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5912::{ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_384_R_1};
use x509_cert::der::oid::db::rfc8410::ID_ED_25519;
use x509_cert::ext::pkix::name::{DirectoryString, GeneralName};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

/// What one certificate says of itself; nothing of it is verified by reading it.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) is_authority: bool,
    pub(super) path_length: Option<u8>,
    /// The extended key usages; `None` when the extension is absent.
    usages: Option<Vec<Vec<u8>>>,
    /// Of the key usage bits: may sign data, may sign certificates. Both when the extension is absent.
    pub(super) signs_data: bool,
    pub(super) signs_certificates: bool,
    pub(super) is_self_issued: bool,
    /// DER of the subject and issuer names, to compare.
    pub(super) names_match: NamesOf,
    /// The common name, or what stands for it; safe to show.
    pub(super) subject: String,
    pub(super) dns_names: Vec<String>,
    pub(super) uri_names: Vec<String>,
    /// The key identifier in its AuthorityKeyIdentifier extension; `None` as well when that cannot be read.
    pub(super) authority_key_id: Option<Vec<u8>>,
    key: Option<(Curve, Vec<u8>)>,
}

/// The curves of keys that we read.
#[derive(Debug, Clone, Copy)]
enum Curve {
    P256,
    P384,
    Ed25519,
}

/// Who it is for and who made it.
#[derive(Debug)]
pub(super) struct NamesOf {
    pub(super) subject: x509_cert::name::Name,
    pub(super) issuer: x509_cert::name::Name,
}

impl Facts {
    /// Reads a certificate.
    pub(super) fn read(der: &[u8]) -> Result<Self, ChainError> {
        let bad = |_: x509_cert::der::Error| ChainError::BadCertificate;
        let certificate = Certificate::from_der(der).map_err(bad)?;
        let tbs = certificate.tbs_certificate();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs())
                .map_or(Timestamp::from_unix(i64::MAX), Timestamp::from_unix)
        };
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(bad)?.map(|(_, c)| c);
        let key_usage = tbs.get_extension::<KeyUsage>().map_err(bad)?.map(|(_, usage)| usage);
        let usages = tbs.get_extension::<ExtendedKeyUsage>().map_err(bad)?.map(|(_, usages)| usages);
        let (mut dns_names, mut uri_names) = (Vec::new(), Vec::new());
        if let Some((_, names)) = tbs.get_extension::<SubjectAltName>().map_err(bad)? {
            for name in &names.0 {
                match name {
                    GeneralName::DnsName(name) => dns_names.push(name.as_str().to_owned()),
                    GeneralName::UniformResourceIdentifier(name) => uri_names.push(name.as_str().to_owned()),
                    _ => {}
                }
            }
        }
        let common_name =
            tbs.subject().common_name().ok().flatten().map(|name: DirectoryString| name.value().into_owned());
        let subject = common_name.as_ref().or(dns_names.first()).or(uri_names.first()).map_or("(no name)", |name| name);
        let spki = tbs.subject_public_key_info();
        let curve = spki.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        let curve = match (spki.algorithm.oid, curve) {
            (ID_EC_PUBLIC_KEY, Some(SECP_256_R_1)) => Some(Curve::P256),
            (ID_EC_PUBLIC_KEY, Some(SECP_384_R_1)) => Some(Curve::P384),
            // RFC 8410 §3: without parameters.
            (ID_ED_25519, None) if spki.algorithm.parameters.is_none() => Some(Curve::Ed25519),
            _ => None,
        };
        let key = curve.and_then(|curve| Some((curve, spki.subject_public_key.as_bytes()?.to_vec())));
        let authority =
            tbs.get_extension::<AuthorityKeyIdentifier>().ok().flatten().and_then(|(_, a)| a.key_identifier);
        Ok(Self {
            not_before: seconds(tbs.validity().not_before),
            not_after: seconds(tbs.validity().not_after),
            is_authority: constraints.as_ref().is_some_and(|c| c.ca),
            path_length: constraints.and_then(|c| c.path_len_constraint),
            usages: usages.map(|usages| usages.0.iter().map(|oid| oid.as_bytes().to_vec()).collect()),
            signs_data: key_usage.as_ref().is_none_or(KeyUsage::digital_signature),
            signs_certificates: key_usage.as_ref().is_none_or(KeyUsage::key_cert_sign),
            is_self_issued: tbs.subject() == tbs.issuer(),
            subject: escaped(subject).into_owned(),
            names_match: NamesOf { subject: tbs.subject().clone(), issuer: tbs.issuer().clone() },
            dns_names,
            uri_names,
            authority_key_id: authority.map(|id| id.as_bytes().to_vec()),
            key,
        })
    }

    /// Whether it is good for `usage`. One that names usages must name this one; one that names none is good for all but signing
    /// status lists, attesting verifiers and signing trust lists, which a leaf must name: a key that revokes, or un-revokes, was
    /// meant to, and one that says who others are, or whom to believe.
    ///
    /// # Source
    /// RFC 5280 §4.2.1.12; Token Status List §10; `docs/decisions/0013-usages-in-certificates.md`.
    pub(super) fn allows(&self, usage: Usage, is_leaf: bool) -> bool {
        match &self.usages {
            Some(usages) => usages.iter().any(|oid| oid == usage.der()),
            None => {
                let named = [
                    Usage::StatusSigning,
                    Usage::VerifierAttesting,
                    Usage::VerifierRegistering,
                    Usage::TrustListSigning,
                ];
                !is_leaf || !named.contains(&usage)
            }
        }
    }

    /// Its public key, when it is one of the kinds that we read.
    pub(super) fn public_key(&self) -> Result<IssuerKey, ChainError> {
        let key = match self.key.as_ref().ok_or(ChainError::LeafKey)? {
            (Curve::P256, bytes) => PublicKey::from_sec1(bytes).map(IssuerKey::from),
            (Curve::P384, bytes) => IssuerKey::from_p384(bytes),
            (Curve::Ed25519, bytes) => IssuerKey::from_ed25519(bytes),
        };
        key.map_err(|_| ChainError::LeafKey)
    }

    /// Refuses a time outside its validity; both ends belong to it.
    ///
    /// # Source
    /// RFC 5280 §4.1.2.5.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), ChainError> {
        if now < self.not_before {
            Err(ChainError::NotYetValid)
        } else if now > self.not_after {
            Err(ChainError::Expired)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds two to the length of the DER value that begins at `at`.
    fn lengthen(der: &mut [u8], at: usize) {
        match der[at + 1] {
            0x82 => {
                let length = u16::from_be_bytes([der[at + 2], der[at + 3]]) + 2;
                der[at + 2..at + 4].copy_from_slice(&length.to_be_bytes());
            }
            0x81 => der[at + 2] = der[at + 2].checked_add(2).unwrap(),
            _ => der[at + 1] += 2,
        }
    }

    #[test]
    fn rfc8410_3_an_ed25519_key_with_parameters_is_no_key() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let params = rcgen::CertificateParams::new(vec!["issuer.example".to_owned(); 12]).unwrap();
        let mut der = params.self_signed(&key).unwrap().der().to_vec();
        assert!(Facts::read(&der).unwrap().public_key().is_ok());
        // SubjectPublicKeyInfo, AlgorithmIdentifier, the identifier of Ed25519: a NULL behind it.
        let info = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
        let at = der.windows(info.len()).position(|window| window == info).unwrap();
        for value in [0, 4, at, at + 2] {
            lengthen(&mut der, value);
        }
        der.splice(at + info.len()..at + info.len(), [0x05, 0x00]);
        assert_eq!(Facts::read(&der).unwrap().public_key().unwrap_err(), ChainError::LeafKey);
    }
}
