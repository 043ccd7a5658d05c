//! Amparo: the provider of a wallet, which vouches for wallets and for the keys in them.
//!
//! It sees fresh keys and a code that all its wallets share, and never an issuer, a person, or a key a second time. It keeps
//! nothing of what it is asked. [`attesting`] is the pure half, [`service`] the same over HTTP, [`cli`] the command.

pub mod attesting;
pub mod cli;
pub mod config;
pub mod identity;
pub mod service;

pub use attesting::Attester;
