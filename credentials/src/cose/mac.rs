//! `COSE_Mac0`.

use super::header::{Parts, protected, to_be_proved, write_unprotected};
use super::{CoseError, HMAC_256};
use crate::cbor::{Value, Writer};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The key of a MAC. Wiped when dropped.
pub struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    /// From 32 bytes that only the two parties know.
    pub const fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        Some(Hmac::<Sha256>::new_from_slice(&self.0[..]).ok()?.chain_update(message))
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("MacKey")
    }
}

/// A `COSE_Mac0` with a detached payload as it came, not verified.
pub struct Mac0In(Parts);

impl Mac0In {
    /// Reads one; `what` names it in errors.
    ///
    /// # Errors
    /// [`CoseError`]; also for any algorithm but HMAC 256/256, and for a payload that is not detached.
    ///
    /// # Source
    /// RFC 9052 §6.2.
    pub fn read(value: Value, what: &'static str) -> Result<Self, CoseError> {
        let parts = Parts::read(value, what, HMAC_256)?;
        if parts.payload.is_some() { Err(CoseError::Payload) } else { Ok(Self(parts)) }
    }

    /// Verifies the MAC under `key` over `payload`, in constant time.
    ///
    /// # Errors
    /// [`CoseError::Mac`]; also for a MAC that was cut short.
    pub fn verify_detached(&self, payload: &[u8], key: &MacKey) -> Result<(), CoseError> {
        let message = to_be_proved(CONTEXT, &self.0.protected, payload);
        let mac = key.mac(&message).ok_or(CoseError::Mac)?;
        mac.verify_slice(&self.0.proof).map_err(|_| CoseError::Mac)
    }
}

/// Authenticates `payload` under `key` and writes the structure without it.
///
/// # Source
/// RFC 9052 §6.3; HMAC 256/256 of RFC 9053 §3.1.
pub fn write_mac0(writer: &mut Writer, payload: &[u8], key: &MacKey) {
    let protected = protected(HMAC_256);
    let mac = key.mac(&to_be_proved(CONTEXT, &protected, payload)).map(|mac| mac.finalize().into_bytes());
    writer.array(4).bytes(&protected);
    write_unprotected(writer, None);
    writer.null().bytes(mac.as_ref().map_or(&[], |mac| mac.as_slice()));
}

impl fmt::Debug for Mac0In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("Mac0In").finish_non_exhaustive()
    }
}

const CONTEXT: &str = "MAC0";
