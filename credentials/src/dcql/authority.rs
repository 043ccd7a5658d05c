//! Who stands behind a credential, as its certificates name them.

use crate::sd_jwt::SdJwtIn;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

/// The key identifiers of the AuthorityKeyIdentifier extensions in the chain of an SD-JWT VC, leaf first.
///
/// For a credential whose chain was verified before; none for a text that is not one.
///
/// # Source
/// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier"; RFC 5280 §4.2.1.1.
pub fn authority_key_ids(credential: &str) -> Vec<Vec<u8>> {
    let Ok(parsed) = SdJwtIn::parse(credential) else {
        return Vec::new();
    };
    parsed.jws().header().x5c.iter().flat_map(|chain| chain.iter()).filter_map(key_id).collect()
}

fn key_id(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(der).ok()?;
    let (_, authority) = certificate.tbs_certificate().get_extension::<AuthorityKeyIdentifier>().ok()??;
    Some(authority.key_identifier?.as_bytes().to_vec())
}
