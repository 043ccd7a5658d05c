//! `COSE_Sign1`.

use super::header::{Parts, protected, protected_with_type, to_be_proved, write_unprotected};
use super::{CoseError, ES256};
use crate::algorithm::SignatureAlgorithm;
use crate::cbor::{Value, Writer};
use crate::key::CheckSignature;
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use std::fmt;

/// A `COSE_Sign1` as it came, not verified.
pub struct Sign1In {
    parts: Parts,
    signature: [u8; 64],
}

impl Sign1In {
    /// Reads one; `what` names it in errors. The tagged form is refused, because ISO/IEC 18013-5 does not have it.
    ///
    /// # Errors
    /// [`CoseError`]; also for any algorithm but ES256.
    ///
    /// # Source
    /// RFC 9052 §4.2.
    pub fn read(value: Value, what: &'static str) -> Result<Self, CoseError> {
        let parts = Parts::read(value, what, ES256)?;
        let signature = parts.proof.as_slice().try_into().map_err(|_| CoseError::Signature)?;
        Ok(Self { parts, signature })
    }

    /// The certificates in `x5chain`.
    pub const fn chain(&self) -> Option<&CertificateChain> {
        self.parts.chain.as_ref()
    }

    /// The type in the protected header, where it is a text.
    ///
    /// # Source
    /// RFC 9596 §2.
    pub fn typ(&self) -> Option<&str> {
        self.parts.typ.as_deref()
    }

    /// The payload, where it is not detached.
    pub fn payload(&self) -> Option<&[u8]> {
        self.parts.payload.as_deref()
    }

    /// Verifies the signature by `key` over the payload that is there.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when it is detached, [`CoseError::Signature`].
    pub fn verify(&self, key: &impl CheckSignature) -> Result<(), CoseError> {
        self.verify_payload(self.payload().ok_or(CoseError::Payload)?, key)
    }

    /// Verifies the signature by `key` over `payload`, which must be detached.
    ///
    /// # Errors
    /// [`CoseError::Payload`] when one is there, [`CoseError::Signature`].
    pub fn verify_detached(&self, payload: &[u8], key: &impl CheckSignature) -> Result<(), CoseError> {
        if self.parts.payload.is_some() {
            return Err(CoseError::Payload);
        }
        self.verify_payload(payload, key)
    }

    fn verify_payload(&self, payload: &[u8], key: &impl CheckSignature) -> Result<(), CoseError> {
        let message = to_be_proved(CONTEXT, &self.parts.protected, payload);
        if key.checks(SignatureAlgorithm::Es256, &message, &self.signature) {
            Ok(())
        } else {
            Err(CoseError::Signature)
        }
    }

    /// Writes it again, with nothing in the unprotected header but the certificates.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(4).bytes(&self.parts.protected);
        write_unprotected(writer, self.parts.chain.as_ref());
        match &self.parts.payload {
            Some(payload) => writer.bytes(payload),
            None => writer.null(),
        };
        writer.bytes(&self.signature);
    }
}

/// Signs `payload` and writes the structure, with the payload in it or (`is_detached`) without.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// RFC 9052 §4.4; ES256 of RFC 9053 §2.1; `x5chain` unprotected, ISO/IEC 18013-5 §9.1.2.4.
pub fn write_sign1(
    writer: &mut Writer,
    payload: &[u8],
    is_detached: bool,
    chain: Option<&CertificateChain>,
    signer: &dyn Signer,
) -> Result<(), SignError> {
    write(writer, &protected(ES256), payload, is_detached, chain, signer)
}

/// As [`write_sign1`] with the payload in it, and `typ` in the protected header.
///
/// # Errors
/// As [`write_sign1`].
///
/// # Source
/// RFC 9596 §2.
pub fn write_typed_sign1(
    writer: &mut Writer,
    typ: &str,
    payload: &[u8],
    chain: &CertificateChain,
    signer: &dyn Signer,
) -> Result<(), SignError> {
    write(writer, &protected_with_type(ES256, typ), payload, false, Some(chain), signer)
}

fn write(
    writer: &mut Writer,
    protected: &[u8],
    payload: &[u8],
    is_detached: bool,
    chain: Option<&CertificateChain>,
    signer: &dyn Signer,
) -> Result<(), SignError> {
    let signature = signer.sign(&to_be_proved(CONTEXT, protected, payload))?;
    writer.array(4).bytes(protected);
    write_unprotected(writer, chain);
    if is_detached {
        writer.null();
    } else {
        writer.bytes(payload);
    }
    writer.bytes(signature.as_bytes());
    Ok(())
}

impl fmt::Debug for Sign1In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parts: _, signature: _ } = self;
        f.debug_struct("Sign1In").finish_non_exhaustive()
    }
}

const CONTEXT: &str = "Signature1";
