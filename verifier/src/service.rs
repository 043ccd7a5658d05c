//! The desk service: an OpenID4VP verifier over HTTP, with its state in one folder.
//!
//! For tests in process: [`Desk::open`] with a [`clock::Clock`] of their own, then [`router`].

#![allow(
    clippy::disallowed_methods,
    reason = "the service half: it reads the clock, files and the network for the library"
)]

pub mod cli;
pub mod clock;
pub mod config;
mod desk;
pub mod go_on;
mod http;
pub mod identity;
mod key_files;
mod ledger;
mod listen;
mod problem;
pub mod registrar;
mod status_keeper;
mod store;
mod sweep;
mod trust_keeper;

pub use desk::{Ask, Begun, ConsentShown, Desk, DeskError, Encounter, Outcome, Report, Shown};
pub use http::router;
pub use key_files::KeyFileError;
pub use ledger::LedgerError;
pub use listen::{ListenError, serve};
pub use problem::Problem;
pub use status_keeper::ListState;
pub use store::StoreError;
pub use trust_keeper::TrustListState;
