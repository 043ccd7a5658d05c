//! The issuer over real HTTP on a loopback port, with real keys, and the command as a process.

#![allow(clippy::disallowed_methods, reason = "tests touch the world")]

mod abuse;
mod command;
mod credential;
mod dpop;
mod issuance;
mod status;
mod support;
mod token;
