//! The two headers of a COSE structure.

use super::{ALG, CRIT, CoseError, TYP, X5CHAIN, X5U};
use crate::cbor::{FieldError, Limits, Value, Writer, parse};
use crate::trust::CertificateChain;

/// The four parts that `COSE_Sign1` and `COSE_Mac0` have alike.
pub(super) struct Parts {
    /// As it was received: what is signed.
    pub(super) protected: Vec<u8>,
    /// What kind of structure it says it is, where the protected header says so in words.
    pub(super) typ: Option<String>,
    pub(super) chain: Option<CertificateChain>,
    pub(super) payload: Option<Vec<u8>>,
    /// Signature or MAC.
    pub(super) proof: Vec<u8>,
}

impl Parts {
    /// Takes a structure apart whose algorithm must be `algorithm`.
    ///
    /// Refused: an algorithm anywhere but in the protected header, `crit`, `x5u`, a label in both headers, a certificate
    /// chain that is protected (ISO/IEC 18013-5 has it unprotected, and one place is enough to look at).
    ///
    /// # Source
    /// RFC 9052 §3, §3.1; RFC 9360 §2.
    pub(super) fn read(value: Value, what: &'static str, algorithm: i64) -> Result<Self, CoseError> {
        let malformed = FieldError::Malformed(what);
        let parts: [Value; 4] = value.into_array().and_then(|parts| parts.try_into().ok()).ok_or(malformed)?;
        let [protected, unprotected, payload, proof] = parts;
        let protected = protected.into_bytes().ok_or(malformed)?;
        let signed = parse(&protected, &Limits::MESSAGE).map_err(FieldError::Cbor)?.into_map().ok_or(malformed)?;
        let unsigned = unprotected.into_map().ok_or(malformed)?;
        let find = |label: i64| signed.iter().find(|(key, _)| key.as_integer() == Some(label)).map(|(_, value)| value);
        if find(ALG).and_then(Value::as_integer) != Some(algorithm) {
            return Err(CoseError::Algorithm);
        }
        let typ = find(TYP).and_then(Value::as_text).map(str::to_owned);
        let is_bent = [CRIT, X5U, X5CHAIN].iter().any(|label| find(*label).is_some());
        let mut chain = None;
        for (key, value) in unsigned {
            if signed.iter().any(|(other, _)| *other == key) || matches!(key.as_integer(), Some(CRIT | X5U)) {
                return Err(CoseError::Header);
            }
            if key.as_integer() == Some(X5CHAIN) {
                chain = Some(read_chain(value)?);
            }
        }
        if is_bent {
            return Err(CoseError::Header);
        }
        let payload = match payload {
            Value::Null => None,
            value => Some(value.into_bytes().ok_or(malformed)?),
        };
        Ok(Self { protected, typ, chain, payload, proof: proof.into_bytes().ok_or(malformed)? })
    }
}

/// One certificate as bytes, or several as an array.
///
/// # Source
/// RFC 9360 §2 `COSE_X509`.
fn read_chain(value: Value) -> Result<CertificateChain, CoseError> {
    let malformed = FieldError::Malformed("x5chain");
    let certificates = match value {
        Value::Bytes(certificate) => vec![certificate],
        Value::Array(certificates) if certificates.len() > 1 => {
            certificates.into_iter().map(|value| value.into_bytes().ok_or(malformed)).collect::<Result<_, _>>()?
        }
        _ => return Err(malformed.into()),
    };
    Ok(CertificateChain::from_der(certificates)?)
}

/// The protected header with this algorithm and nothing else.
pub(super) fn protected(algorithm: i64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(1).integer(ALG).integer(algorithm);
    writer.into_bytes()
}

/// The protected header with this algorithm and type.
///
/// # Source
/// RFC 9596 §2.
pub(super) fn protected_with_type(algorithm: i64, typ: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(2).integer(ALG).integer(algorithm).integer(TYP).text(typ);
    writer.into_bytes()
}

/// The unprotected header: the certificates, if there are any.
pub(super) fn write_unprotected(writer: &mut Writer, chain: Option<&CertificateChain>) {
    let Some(chain) = chain else {
        writer.map(0);
        return;
    };
    writer.map(1).integer(X5CHAIN);
    let certificates = chain.iter().count();
    if certificates != 1 {
        writer.array(certificates);
    }
    for certificate in chain.iter() {
        writer.bytes(certificate);
    }
}

/// What is signed or authenticated: `Sig_structure` or `MAC_structure`, no external data.
///
/// # Source
/// RFC 9052 §4.4, §6.3.
pub(super) fn to_be_proved(context: &str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(4).text(context).bytes(protected).bytes(&[]).bytes(payload);
    writer.into_bytes()
}
