//! The object identifiers of our extended key usages.
//!
//! They stand under `2.25`, the arc that needs no registration (ITU-T X.667), at the number `0x414d5041`.

use super::Usage;

/// Credential issuing, as numbers for whoever makes certificates.
pub const CREDENTIAL_ISSUING: [u64; 4] = [2, 25, 1_095_585_857, 1];
/// Status List Token signing.
pub const STATUS_SIGNING: [u64; 4] = [2, 25, 1_095_585_857, 2];
/// Request object signing.
pub const VERIFIER: [u64; 4] = [2, 25, 1_095_585_857, 3];

impl Usage {
    /// The object identifier as numbers, for whoever makes certificates.
    pub const fn oid(self) -> [u64; 4] {
        match self {
            Self::CredentialIssuing => CREDENTIAL_ISSUING,
            Self::StatusSigning => STATUS_SIGNING,
            Self::Verifier => VERIFIER,
        }
    }

    /// The content octets of its DER encoding.
    pub(super) const fn der(self) -> &'static [u8] {
        match self {
            Self::CredentialIssuing => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 1],
            Self::StatusSigning => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 2],
            Self::Verifier => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_cert::der::asn1::ObjectIdentifier;

    #[test]
    fn numbers_and_octets_agree() {
        for usage in [Usage::CredentialIssuing, Usage::StatusSigning, Usage::Verifier] {
            let dotted = usage.oid().map(|n| n.to_string()).join(".");
            assert_eq!(ObjectIdentifier::new(&dotted).unwrap().as_bytes(), usage.der());
        }
    }
}
