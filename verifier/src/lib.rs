//! The verifier: asks for a presentation, checks it, and keeps it only as long as the holder allowed.
//!
//! A library first, without I/O: [`transaction`] asks, [`answer`] reads what came back, [`verification`] checks it in a
//! documented order, [`guarded`] keeps it. `now` and randomness are arguments. The desk service stands behind the default
//! feature `service`.
//!
//! What can go wrong, and is the caller's to prevent: a transaction must be consumed once and atomically before its answer is
//! verified; the key of a guarded value must live apart from it and out of backups; the floor of time must be kept.

pub use credentials::time_floor;

pub mod answer;
pub mod guarded;
pub mod in_person;
pub mod policy;
pub mod preset;
#[cfg(feature = "service")]
pub mod service;
pub mod transaction;
pub mod type_rules;
pub mod verification;
