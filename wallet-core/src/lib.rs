//! Amparo: the holder's side of the wallet, without I/O.

pub mod attestation;
pub mod card;
pub mod consent;
pub mod device_key;
pub mod display;
pub mod effect;
pub mod enrolment;
pub mod fault;
mod fields;
pub mod history;
pub mod holdings;
pub mod issuance;
pub mod paper;
pub mod presentation;
pub mod secret;
#[cfg(test)]
pub(crate) mod testing;
pub mod unlock;
pub mod vault;
mod wire;
pub mod words;
