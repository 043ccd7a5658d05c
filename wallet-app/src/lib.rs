//! Amparo: the wallet application, all its I/O and its command line.
//!
//! `wallet-core` decides; this crate does. [`perform`] is the only place that carries out what the core asks of the
//! network, [`adapters`] are the only places that touch files, pictures, clock and randomness, and [`cli`] is the person's
//! side: what to ask, what to show, and which exit code.

#![allow(
    clippy::disallowed_methods,
    reason = "floor 4: the files, the clock and the environment are read here, and only here"
)]

pub mod adapters;
pub mod cli;
mod failure;
mod language;
mod messages;
pub mod perform;
mod session;
