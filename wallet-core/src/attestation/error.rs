//! Why a provider's word did not come into the wallet.

use super::TellsApart;
use crate::effect::AddressError;
use crate::fault::{Blame, Fault};
use crate::holdings::HoldingsError;

/// Why an attestation did not come into the wallet. Nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    // What was given cannot be used.
    /// Not the address of a provider.
    #[error("the provider's address is not one that is safe to open: {0}")]
    Address(#[from] AddressError),
    /// No provider vouches for this wallet.
    #[error("no provider vouches for this wallet")]
    NotEnrolled,
    /// The code is empty or no plain text.
    #[error("the provider's code is empty, or no plain line of text")]
    Code,

    // The provider's fault: refused.
    /// Its answer is not what it should be.
    #[error("the provider's answer is malformed")]
    Malformed,
    /// It says that it is another, or vouches for other wallets than this.
    #[error("the provider is another than this address, or vouches for other programs than this")]
    OtherProvider,
    /// It said no.
    #[error("the provider refused{}", if *.code { ": the code is not its own" } else { "" })]
    Refused {
        /// Whether it was for the code.
        code: bool,
    },
    /// What it attests to is not the key that was shown, or not for now.
    #[error("an attestation is not for the key that was shown, or not for now")]
    NotOurs,
    /// It marks this wallet.
    #[error(transparent)]
    TellsApart(#[from] TellsApart),

    // The surroundings.
    /// The provider cannot be reached.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// It answered with a status that says nothing more.
    #[error("the provider answered with status {0}")]
    Status(u16),
    /// A key could not be made or used.
    #[error("a key could not be made or used")]
    Key,
    /// The vault.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
}

impl Blame for AttestationError {
    fn fault(&self) -> Fault {
        match self {
            Self::Address(_) | Self::NotEnrolled | Self::Code => Fault::Input,
            Self::Malformed | Self::OtherProvider | Self::Refused { .. } | Self::NotOurs | Self::TellsApart(_) => {
                Fault::Peer
            }
            Self::Unreachable => Fault::Network,
            Self::Status(status) if *status >= 500 => Fault::Network,
            Self::Status(_) => Fault::Peer,
            Self::Key => Fault::Storage,
            Self::Holdings(error) => error.fault(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Address(_) => "give the https address of the provider",
            Self::NotEnrolled => "have this wallet vouched for with `amparo attest --provider URL --code-file FILE`",
            Self::Code | Self::Refused { code: true } => {
                "the code comes with the wallet, or from who provides it: give the file that holds it with --code-file"
            }
            Self::TellsApart(_) => "nothing was kept: this provider could let issuers know you again; use another",
            Self::OtherProvider => "ask who provides this wallet for the right address",
            Self::Unreachable | Self::Status(_) => "check the network, then try again",
            Self::Key => {
                "try again; if it stays so, the machine's random generator or cryptographic library is at fault"
            }
            Self::Holdings(error) => error.hint(),
            Self::Malformed | Self::Refused { code: false } | Self::NotOurs => {
                "nothing was kept: check this machine's clock, then tell who provides this wallet"
            }
        }
    }
}
