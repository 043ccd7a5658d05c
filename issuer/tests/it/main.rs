//! The issuer over real HTTP on a loopback port, with real keys, and the command as a process.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests touch the world, and stop where they stand"
)]

mod abuse;
mod attestation;
mod authorization;
mod command;
mod credential;
mod deferral;
mod dpop;
mod encryption;
mod foreign;
mod issuance;
mod mdoc;
mod notification;
mod properties;
mod renewal;
mod status;
mod support;
mod token;
mod types;
mod wallet_attestation;
