//! The type metadata documents of our own credential types.

/// The document of one of our own types; the name is compared byte for byte. It is in the program, so that nobody is asked.
///
/// Its names and labels agree with [`crate::credential_type`], which a test in `credentials` holds.
///
/// # Source
/// SD-JWT VC §5 "SD-JWT VC Type Metadata", §8.4.
pub fn document(vct: &str) -> Option<&'static str> {
    match vct {
        "urn:amparo:identity:1" => Some(include_str!("../type_metadata/identity.json")),
        "urn:amparo:attestation:1" => Some(include_str!("../type_metadata/attestation.json")),
        _ => None,
    }
}
