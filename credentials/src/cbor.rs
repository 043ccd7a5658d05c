//! Strict CBOR: one reading for one sequence of bytes, bounded in size, depth and number of items.
//!
//! Heads and numbers are read and written by `minicbor`; what is here is the strictness. Because lengths and integers must
//! be in their shortest form, the head of a byte string follows from its length: what is embedded as a byte string can be
//! hashed from its content, exactly as it was received.

mod fields;
mod read;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use fields::{FieldError, Fields};
pub use read::{CborError, Limits, parse};
pub use value::Value;
pub use write::Writer;

/// The tag of a byte string that holds CBOR.
///
/// # Source
/// RFC 8949 §3.4.5.1.
pub const EMBEDDED: u64 = 24;
/// The tag of a date and time as RFC 3339 text.
///
/// # Source
/// RFC 8949 §3.4.1.
pub const DATE_TIME: u64 = 0;
/// The tag of a date as RFC 3339 `full-date` text.
///
/// # Source
/// RFC 8943 §2.
pub const FULL_DATE: u64 = 1004;
