//! What a provider says of this wallet: had beforehand, kept in the vault, each shown in one issuance and never again.
//!
//! [`enrol`] with a provider → [`Enrolling`] → [`Enrolled`] → [`Holdings::enrol`](crate::holdings::Holdings::enrol), save.
//! [`Holdings::restock`](crate::holdings::Holdings::restock) → [`Restocking`] → [`Stock`] →
//! [`Holdings::stock`](crate::holdings::Holdings::stock), save. An issuance takes one with
//! [`Holdings::take_attestation`](crate::holdings::Holdings::take_attestation), and the vault is saved before it is shown.
//!
//! A provider could mark the attestations of one wallet, so that issuers who compare notes know it again. What comes is
//! therefore held against each other and against what the provider says publicly: see [`TellsApart`].

mod cohort;
mod error;
mod keys;
mod provider;
mod stock;
#[cfg(test)]
mod tests;

pub use cohort::TellsApart;
pub use error::AttestationError;
pub(crate) use keys::{ask_keys, read_keys};
pub(crate) use provider::Provider;
pub use provider::{Enrolled, Enrolling, ProviderCode, enrol};
pub use stock::{Restocking, Stock, WalletAttestation};
