//! Who stands behind a credential, as its certificates name them.

use crate::sd_jwt::SdJwtIn;
use crate::trust::CertificateChain;
use schemas::dcql::TrustedAuthority;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

/// The one kind of trusted authority that is matched here.
///
/// # Source
/// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier"; HAIP 1.0 §5.
pub const AKI: &str = "aki";

/// The key identifiers of the AuthorityKeyIdentifier extensions in the chain of an SD-JWT VC, leaf first.
///
/// For a credential whose chain was verified before; none for a text that is not one.
///
/// # Source
/// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier"; RFC 5280 §4.2.1.1.
pub fn authority_key_ids(credential: &str) -> Vec<Vec<u8>> {
    let parsed = SdJwtIn::parse(credential).ok();
    let chain = parsed.as_ref().and_then(|parsed| parsed.jws().header().x5c.as_ref());
    chain.map(key_ids).unwrap_or_default()
}

/// The same of a chain.
pub(crate) fn key_ids(chain: &CertificateChain) -> Vec<Vec<u8>> {
    chain.iter().filter_map(key_id).collect()
}

fn key_id(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(der).ok()?;
    let (_, authority) = certificate.tbs_certificate().get_extension::<AuthorityKeyIdentifier>().ok()??;
    Some(authority.key_identifier?.as_bytes().to_vec())
}

/// Whether one of the authorities stands behind the chain. Kinds other than [`AKI`] are never known to match: a query that
/// names no other is one that nothing answers.
pub(super) fn is_trusted(authorities: Option<&[TrustedAuthority]>, authority_key_ids: &[Vec<u8>]) -> bool {
    let Some(authorities) = authorities else {
        return true;
    };
    authorities
        .iter()
        .filter(|authority| authority.type_ == AKI)
        .flat_map(|authority| &authority.values)
        .any(|value| crate::b64::decode(value).is_ok_and(|wanted| authority_key_ids.contains(&wanted)))
}
