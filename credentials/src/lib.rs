//! Amparo: credential formats and their checks.
//!
//! Bytes of a peer come in, become `…In` types (parsed, not verified), and leave as verified types or a typed refusal.
//! Nothing here does I/O, reads a clock or draws randomness: `now` and `rng` are arguments.

pub mod algorithm;
pub mod b64;
pub mod cbor;
pub mod consent;
pub mod cose;
pub mod dcql;
pub mod did;
pub mod dpop;
pub mod escape;
pub mod issuer_metadata;
pub mod json;
pub mod jwe;
pub mod jws;
pub mod key;
pub mod key_agreement;
pub mod key_attestation;
pub mod key_binding;
pub mod mdoc;
pub mod paper;
pub mod proof;
pub mod proximity;
pub mod registration;
pub mod request_object;
pub mod sd_jwt;
pub mod signer;
pub mod status_list;
pub mod time_floor;
pub mod trust;
pub mod type_metadata;
pub mod wallet_attestation;
mod zlib;

#[cfg(test)]
mod testing;
