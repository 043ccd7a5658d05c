//! The object identifiers of extended key usages.
//!
//! Ours stand under `2.25`, the arc that needs no registration (ITU-T X.667), at the number `0x414d5041`; those of
//! ISO/IEC 18013-5 Annex B stand under `1.0.18013.5`.

use super::Usage;

/// Credential issuing, as numbers for whoever makes certificates.
pub const CREDENTIAL_ISSUING: [u64; 4] = [2, 25, 1_095_585_857, 1];
/// Status List Token signing.
pub const STATUS_SIGNING: [u64; 4] = [2, 25, 1_095_585_857, 2];
/// Request object signing.
pub const VERIFIER: [u64; 4] = [2, 25, 1_095_585_857, 3];
/// Verifier attestation signing.
pub const VERIFIER_ATTESTING: [u64; 4] = [2, 25, 1_095_585_857, 4];
/// Wallet and key attestation signing.
pub const WALLET_ATTESTING: [u64; 4] = [2, 25, 1_095_585_857, 5];
/// Trust list signing.
pub const TRUST_LIST_SIGNING: [u64; 4] = [2, 25, 1_095_585_857, 7];
/// Signing mobile documents (`id-mdl-kp-mdlDS`).
pub const MDOC_ISSUING: [u64; 6] = [1, 0, 18_013, 5, 1, 2];
/// Signing requests of a reader (`id-mdl-kp-mdlReaderAuth`).
pub const MDOC_READER: [u64; 6] = [1, 0, 18_013, 5, 1, 6];

impl Usage {
    /// The object identifier as numbers, for whoever makes certificates.
    pub const fn oid(self) -> &'static [u64] {
        match self {
            Self::CredentialIssuing => &CREDENTIAL_ISSUING,
            Self::StatusSigning => &STATUS_SIGNING,
            Self::Verifier => &VERIFIER,
            Self::VerifierAttesting => &VERIFIER_ATTESTING,
            Self::WalletAttesting => &WALLET_ATTESTING,
            Self::TrustListSigning => &TRUST_LIST_SIGNING,
            Self::MdocIssuing => &MDOC_ISSUING,
            Self::MdocReader => &MDOC_READER,
        }
    }

    /// The content octets of its DER encoding.
    pub(super) const fn der(self) -> &'static [u8] {
        match self {
            Self::CredentialIssuing => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 1],
            Self::StatusSigning => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 2],
            Self::Verifier => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 3],
            Self::VerifierAttesting => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 4],
            Self::WalletAttesting => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 5],
            Self::TrustListSigning => &[0x69, 0x84, 0x8a, 0xb5, 0xa0, 0x41, 7],
            Self::MdocIssuing => &[0x28, 0x81, 0x8c, 0x5d, 5, 1, 2],
            Self::MdocReader => &[0x28, 0x81, 0x8c, 0x5d, 5, 1, 6],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_cert::der::asn1::ObjectIdentifier;

    #[test]
    fn numbers_and_octets_agree() {
        for usage in [
            Usage::CredentialIssuing,
            Usage::StatusSigning,
            Usage::Verifier,
            Usage::VerifierAttesting,
            Usage::WalletAttesting,
            Usage::TrustListSigning,
            Usage::MdocIssuing,
            Usage::MdocReader,
        ] {
            let dotted = usage.oid().iter().map(u64::to_string).collect::<Vec<_>>().join(".");
            assert_eq!(ObjectIdentifier::new(&dotted).unwrap().as_bytes(), usage.der());
        }
    }
}
