//! `COSE_Key` of P-256.

use super::CoseError;
use crate::cbor::{FieldError, Fields, Value, Writer};
use crate::key::{KeyError, PublicKey};

/// `kty`
const KTY: i64 = 1;
/// `crv`
const CRV: i64 = -1;
/// `x`
const X: i64 = -2;
/// `y`
const Y: i64 = -3;
/// `d`
const D: i64 = -4;
/// `EC2`, the key type of curves with both coordinates.
const EC2: i64 = 2;
/// P-256.
const P256: i64 = 1;

/// Reads a public key. Parameters that say nothing about the key itself are not looked at.
///
/// # Errors
/// [`CoseError::Key`] for another type or curve, a private key, a compressed point, or a point off the curve.
///
/// # Source
/// RFC 9053 §7.1.1.
pub fn key_from_cbor(value: Value) -> Result<PublicKey, CoseError> {
    let mut fields = Fields::of(value, "COSE_Key")?;
    if fields.labelled(D).is_some() {
        return Err(KeyError::PrivateKey.into());
    }
    let mut number = |label| fields.labelled(label).as_ref().and_then(Value::as_integer);
    if number(KTY) != Some(EC2) || number(CRV) != Some(P256) {
        return Err(KeyError::NotP256.into());
    }
    let mut coordinate = |label, name| {
        let bytes = fields.labelled(label).ok_or(FieldError::Missing(name))?;
        let bytes: Option<[u8; 32]> = bytes.as_bytes().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or(CoseError::Key(KeyError::Coordinates))
    };
    let (x, y) = (coordinate(X, "x")?, coordinate(Y, "y")?);
    let mut sec1 = [4; 65];
    let (_, coordinates) = sec1.split_at_mut(1);
    let (left, right) = coordinates.split_at_mut(32);
    left.copy_from_slice(&x);
    right.copy_from_slice(&y);
    Ok(PublicKey::from_sec1(&sec1)?)
}

/// Writes a public key: `kty`, `crv`, `x`, `y`, in the order that the deterministic encoding demands.
pub fn write_key(writer: &mut Writer, key: &PublicKey) {
    let sec1 = key.to_sec1();
    let (_, coordinates) = sec1.split_at(1);
    let (x, y) = coordinates.split_at(32);
    writer.map(4).integer(KTY).integer(EC2).integer(CRV).integer(P256);
    writer.integer(X).bytes(x).integer(Y).bytes(y);
}
