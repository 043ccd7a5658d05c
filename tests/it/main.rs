//! Everything together, by theme: real commands, real servers, real photographs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop where they stand"
)]

mod attested;
mod bad_input;
mod by_hand;
#[cfg(unix)]
mod going_on;
mod issuance;
mod paper;
mod peers;
mod proximity;
mod registration;
mod world;
