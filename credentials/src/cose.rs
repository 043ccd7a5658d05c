//! COSE: `COSE_Sign1` with ES256, `COSE_Mac0` with HMAC-SHA-256, and keys of P-256.
//!
//! One signature algorithm and one MAC algorithm, by number, from the protected header only.

mod header;
mod key;
mod mac;
mod sign;

#[cfg(test)]
mod tests;

pub use key::{key_from_cbor, write_key};
pub use mac::{Mac0In, MacKey, write_mac0};
pub use sign::{Sign1In, write_sign1, write_typed_sign1};

use crate::cbor::FieldError;
use crate::key::KeyError;
use crate::trust::ChainError;

/// Why something is not COSE that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoseError {
    /// Not of the form.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// No algorithm in the protected header, or another than the one that this structure may have.
    #[error("alg is not the one algorithm accepted here")]
    Algorithm,
    /// A header parameter that bends the meaning of others, stands in both headers, or would fetch a key.
    #[error("a header parameter that is not accepted")]
    Header,
    /// The certificates in `x5chain`.
    #[error("x5chain: {0}")]
    Chain(#[from] ChainError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A payload where none belongs, or none where one does.
    #[error("the payload is there where it should not be, or the reverse")]
    Payload,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The MAC does not verify.
    #[error("the MAC does not verify")]
    Mac,
}

/// `alg`
const ALG: i64 = 1;
/// `crit`
const CRIT: i64 = 2;
/// `typ` (RFC 9596 §2)
const TYP: i64 = 16;
/// `x5chain`
const X5CHAIN: i64 = 33;
/// `x5u`
const X5U: i64 = 35;
/// ES256 (RFC 9053 §2.1).
const ES256: i64 = -7;
/// HMAC 256/256 (RFC 9053 §3.1).
const HMAC_256: i64 = 5;
