//! Amparo: credential formats and their checks.
//!
//! Bytes of a peer come in, become `…In` types (parsed, not verified), and leave as verified types or a typed refusal.
//! Nothing here does I/O, reads a clock or draws randomness: `now` and `rng` are arguments.

pub mod algorithm;
pub mod b64;
pub mod escape;
pub mod jws;
pub mod json;
pub mod key;
pub mod signer;
pub mod trust;
