//! The Status List Token in CWT format.

use super::token::{StatusIssueError, TokenDraft};
use super::verified::{Said, VerifiedStatusList};
use super::{Bits, StatusError, StatusList};
use crate::cbor::{FieldError, Fields, Limits, Value, Writer, parse};
use crate::cose::{CoseError, Sign1In, write_typed_sign1};
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};

/// The `typ` of a Status List Token in CWT format.
pub(super) const TYP: &str = "application/statuslist+cwt";

/// The tag of a `COSE_Sign1` (RFC 9052 §2).
const SIGN1: u64 = 18;

/// The claims (RFC 8392 §4; Token Status List §5.2).
const SUBJECT: i64 = 2;
const EXPIRES: i64 = 4;
const ISSUED: i64 = 6;
const STATUS_LIST: i64 = 65_533;
const TTL: i64 = 65_534;

/// 2^20 entries of 8 bits that do not compress, and the chain; few items.
const LIMITS: Limits = Limits { bytes: (1 << 20) + 128 * 1024, depth: 8, items: 256 };

impl StatusList {
    /// Signs the list as a Status List Token in CWT format: a tagged `COSE_Sign1`, the certificates in `x5chain`.
    ///
    /// The chain must be one for status signing, which is checked by whoever reads the token.
    ///
    /// # Errors
    /// [`StatusIssueError`].
    ///
    /// # Source
    /// Token Status List §5.2 "Status List Token in CWT Format", §4.3.
    pub fn sign_cwt(
        &self,
        draft: &TokenDraft<'_>,
        chain: &CertificateChain,
        signer: &dyn Signer,
    ) -> Result<Vec<u8>, StatusIssueError> {
        draft.check()?;
        let ttl = i64::try_from(draft.ttl.get()).map_err(|_| SignError::Unavailable)?;
        let mut claims = Writer::new();
        claims.map(5).integer(SUBJECT).text(draft.uri).integer(EXPIRES).integer(draft.expires_at.unix());
        claims.integer(ISSUED).integer(draft.issued_at.unix()).integer(STATUS_LIST);
        self.write(draft.aggregation_uri, &mut claims);
        claims.integer(TTL).integer(ttl);
        let mut token = Writer::new();
        token.tag(SIGN1);
        write_typed_sign1(&mut token, TYP, claims.as_bytes(), chain, signer)?;
        Ok(token.into_bytes())
    }

    /// Writes the `StatusList` structure.
    ///
    /// # Source
    /// Token Status List §4.3.
    pub(super) fn write(&self, aggregation_uri: Option<&str>, writer: &mut Writer) {
        writer.map(2 + usize::from(aggregation_uri.is_some()));
        writer.text("bits").integer(self.bits().get().into()).text("lst").bytes(&self.to_zlib());
        if let Some(uri) = aggregation_uri {
            writer.text("aggregation_uri").text(uri);
        }
    }
}

/// Verifies a Status List Token in CWT format for the list at `uri`: as [`super::verify`] does one in JWT format.
///
/// # Errors
/// [`StatusError`], as [`super::verify`]. A `COSE_Mac0` is refused: there is nobody with whom we would share a key.
///
/// # Source
/// Token Status List §8.3 "Validation Rules", §5.2; RFC 8392 §7.2.
pub fn verify_cwt(
    bytes: &[u8],
    uri: &str,
    anchors: &TrustAnchors,
    now: Timestamp,
    previous_iat: Option<Timestamp>,
) -> Result<VerifiedStatusList, StatusError> {
    let malformed = |error: FieldError| StatusError::Cose(CoseError::Form(error));
    let token = parse(bytes, &LIMITS).map_err(|error| malformed(FieldError::Cbor(error)))?;
    let token = token.into_tagged(SIGN1).ok_or_else(|| malformed(FieldError::Malformed("COSE_Sign1_Tagged")))?;
    let token = Sign1In::read(token, "COSE_Sign1").map_err(StatusError::Cose)?;
    if token.typ() != Some(TYP) {
        return Err(StatusError::WrongType);
    }
    let chain = token.chain().ok_or(StatusError::NoChain)?;
    let signer = chain.verify(anchors, Usage::StatusSigning, now).map_err(StatusError::Chain)?;
    token.verify(signer.leaf_key()).map_err(|_| StatusError::Signature)?;

    let (said, list) = claims(token.payload().unwrap_or_default())?;
    said.accept(uri, now, previous_iat, signer, || list.inflate())
}

/// A list as it came.
pub(super) struct ListIn {
    bits: u64,
    deflated: Vec<u8>,
}

impl ListIn {
    /// Takes the `StatusList` structure apart; gives `aggregation_uri` too.
    pub(super) fn read(value: Value) -> Result<(Self, Option<String>), StatusError> {
        let mut fields = Fields::of(value, "status_list").map_err(|_| StatusError::Claims)?;
        let bits = fields.unsigned("bits").map_err(|_| StatusError::Claims)?;
        let deflated = fields.bytes("lst").map_err(|_| StatusError::Claims)?;
        let aggregation_uri = fields.optional("aggregation_uri").map(|uri| uri.into_text().ok_or(StatusError::Claims));
        Ok((Self { bits, deflated }, aggregation_uri.transpose()?))
    }

    pub(super) fn inflate(&self) -> Result<StatusList, StatusError> {
        StatusList::from_zlib(Bits::try_from(self.bits)?, &self.deflated)
    }
}

/// Reads the claims of a token.
pub(super) fn claims(payload: &[u8]) -> Result<(Said, ListIn), StatusError> {
    let payload = parse(payload, &LIMITS).map_err(|_| StatusError::Claims)?;
    let mut fields = Fields::of(payload, "claims").map_err(|_| StatusError::Claims)?;
    let mut optional_integer = |label: i64| match fields.labelled(label) {
        None => Ok(None),
        // Times before 1970, and those that JSON could not say, are nobody's.
        Some(value) => match value.as_integer() {
            Some(n @ 0..=0x1f_ffff_ffff_ffff) => Ok(Some(n)),
            _ => Err(StatusError::Claims),
        },
    };
    let (issued_at, expires_at, ttl) = (optional_integer(ISSUED)?, optional_integer(EXPIRES)?, optional_integer(TTL)?);
    let uri = fields.labelled(SUBJECT).and_then(Value::into_text).ok_or(StatusError::Claims)?;
    let (list, aggregation_uri) = ListIn::read(fields.labelled(STATUS_LIST).ok_or(StatusError::Claims)?)?;
    let said = Said {
        uri,
        issued_at: issued_at.map(Timestamp::from_unix).ok_or(StatusError::Claims)?,
        expires_at: expires_at.map(Timestamp::from_unix),
        ttl: ttl.map(|ttl| Seconds::new(ttl.unsigned_abs())),
        aggregation_uri,
    };
    Ok((said, list))
}

#[cfg(test)]
mod tests;
