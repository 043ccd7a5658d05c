//! Issuing, pure: from checked claims and holder keys to a batch of credentials that cannot be told to belong together.

use crate::claims::ClaimSet;
use crate::claims::picture::{Picture, PictureError};
use crate::config::IssuerUrl;
use crate::configuration::Format;
use crate::keys::SigningIdentity;
use credentials::key::PublicKey;
use credentials::sd_jwt::{self, IssuanceDraft};
use credentials::type_metadata::Integrity;
use credentials::{b64, consent, mdoc};
use rand_core::CryptoRng;
use schemas::credential_type::ClaimKind;
use schemas::status::StatusReference;
use schemas::{ClaimPath, PathElement, Seconds, Timestamp};
use serde_json::{Map, Value};
use time::{Date, OffsetDateTime};

/// A batch to be issued: one copy for each holder key, each with its own status entry.
#[derive(Debug)]
pub struct Batch<'a> {
    /// In which format.
    pub format: Format,
    /// What is said.
    pub claims: &'a ClaimSet,
    /// Who says it.
    pub issuer: &'a IssuerUrl,
    /// The metadata document of the type; what is issued names its digest.
    pub type_document: Option<&'a [u8]>,
    /// When it holds.
    pub span: Span,
    /// Whose it is: one key for each copy.
    pub holders: &'a [PublicKey],
    /// How well these keys are kept, by the word of whom the operator trusts; documents have no place for it.
    pub assurance: Option<&'a Map<String, Value>>,
    /// Where the status of each copy stands; as many as there are keys.
    pub statuses: &'a [StatusReference],
}

/// Why a batch could not be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueBatchError {
    /// There are not as many status entries as keys.
    #[error("a batch needs one status entry for each holder key")]
    Uneven,
    /// The portrait could not be encoded for every copy.
    #[error("the portrait could not be encoded")]
    Picture(#[from] PictureError),
    /// A copy could not be made.
    #[error("a credential could not be issued")]
    Issue(#[from] sd_jwt::IssueError),
    /// There is no document type for the credential type.
    #[error("a credential of this type is not issued as a document")]
    NoDocument,
    /// A claim has no place in the document.
    #[error(transparent)]
    Claim(#[from] mdoc::ClaimMismatch),
    /// A document could not be made.
    #[error("a document could not be issued")]
    Document(#[from] mdoc::IssueError),
}

/// When a batch holds: every time a midnight UTC, which it shares with all others of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// `iat` and `nbf`: the last midnight, so never in the future.
    pub from: Timestamp,
    /// `exp`: the first midnight at or after the time asked for.
    pub until: Timestamp,
}

impl Span {
    /// The span of a credential that is issued at `now` and shall hold for `valid`.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §15.4.1; RFC 9901 §10.1; `security.md` §8.
    pub const fn new(now: Timestamp, valid: Seconds) -> Self {
        let end = now.plus(valid);
        let floor = end.floor_to(Seconds::DAY);
        let until = if floor.unix() < end.unix() { floor.plus(Seconds::DAY) } else { floor };
        Self { from: now.floor_to(Seconds::DAY), until }
    }
}

/// Issues a batch. Salts, decoys, the order of digests, the status entry, the key, the signature and the bytes of a
/// portrait are each copy's own; the times are those of the day; what remains equal is what is said.
///
/// # Errors
/// [`IssueBatchError`].
///
/// # Source
/// RFC 9901 §4.2, §10.1; SD-JWT VC §2; ISO/IEC 18013-5 §9.1.2; OpenID4VCI 1.0 §8.3, §A.2.4.
pub fn issue<R: CryptoRng + ?Sized>(
    batch: &Batch<'_>,
    identity: SigningIdentity<'_>,
    now: Timestamp,
    rng: &mut R,
) -> Result<Vec<String>, IssueBatchError> {
    if batch.holders.len() != batch.statuses.len() {
        return Err(IssueBatchError::Uneven);
    }
    let (span, claims) = (batch.span, batch.claims);
    let mut disclosable = claims.values().clone();
    disclosable.extend(claims.derived(date(now)));
    if let (Some(assurance), Format::SdJwtVc) = (batch.assurance, batch.format) {
        disclosable.insert(ASSURANCE.to_owned(), Value::Object(assurance.clone()));
    }
    let nested = nested(claims);
    let integrity = batch.type_document.map(|document| Value::from(Integrity::of(document).to_string()));
    let visible: Map<String, Value> = integrity.into_iter().map(|value| (TYPE_INTEGRITY.to_owned(), value)).collect();
    let mut portraits = portraits(claims, batch.holders.len(), rng)?.into_iter();

    let copies = batch.holders.iter().zip(batch.statuses).map(|(holder, status)| {
        if let Some((name, portrait)) = portraits.next() {
            disclosable.insert(name.to_owned(), Value::String(portrait));
        }
        if batch.format == Format::Mdoc {
            let draft = document(claims, &disclosable, span, status)?;
            return Ok(b64::encode(&mdoc::issue(&draft, identity.chain, holder, identity.signer, rng)?));
        }
        let draft = IssuanceDraft {
            vct: claims.credential_type().vct.to_owned(),
            issuer: Some(batch.issuer.as_str().to_owned()),
            issued_at: span.from,
            not_before: Some(span.from),
            expires_at: span.until,
            status: Some(status.clone()),
            visible: visible.clone(),
            disclosable: disclosable.clone(),
            nested: nested.clone(),
            decoys: true,
        };
        Ok(sd_jwt::issue(&draft, identity.chain, holder, identity.signer, rng)?)
    });
    copies.collect()
}

/// The digest of the type's document (SD-JWT VC §6).
const TYPE_INTEGRITY: &str = "vct#integrity";

/// What an issuer was told of the holder's keys (`security.md` §3.2).
pub const ASSURANCE: &str = "holder_key_assurance";

/// The same as a document: every claim an element, and the device key may sign the holder's consent and presence.
fn document(
    claims: &ClaimSet,
    disclosable: &Map<String, Value>,
    span: Span,
    status: &StatusReference,
) -> Result<mdoc::IssuanceDraft, IssueBatchError> {
    let known = schemas::mdoc::by_credential_type(claims.credential_type()).ok_or(IssueBatchError::NoDocument)?;
    Ok(mdoc::IssuanceDraft {
        doc_type: known.doc_type.to_owned(),
        elements: mdoc::elements_of(known, disclosable)?,
        signed_at: span.from,
        valid_from: span.from,
        valid_until: span.until,
        expected_update: None,
        status: Some(status.clone()),
        authorizations: consent::holder_authorizations(),
        decoys: true,
    })
}

/// The day of `now`, in UTC.
pub fn date(now: Timestamp) -> Date {
    OffsetDateTime::from_unix_timestamp(now.unix()).map_or(Date::MIN, OffsetDateTime::date)
}

/// What can be shown by itself within a claim: each element of a list, each member of a map. One nationality of two, or the
/// town without the street, is the holder's to choose.
fn nested(claims: &ClaimSet) -> Vec<ClaimPath> {
    let mut paths = Vec::new();
    for claim in claims.credential_type().claims {
        match (claim.kind, claims.values().get(claim.name)) {
            (ClaimKind::TextList, Some(_)) => {
                let elements = vec![PathElement::Name(claim.name.to_owned()), PathElement::Every(())];
                paths.push(ClaimPath::new(elements));
            }
            (ClaimKind::TextMap, Some(Value::Object(members))) => {
                paths.extend(members.keys().map(|member| ClaimPath::names([claim.name, member])));
            }
            _ => {}
        }
    }
    paths
}

/// For each copy the name and the bytes of its portrait; empty when there is none.
fn portraits<R: CryptoRng + ?Sized>(
    claims: &ClaimSet,
    count: usize,
    rng: &mut R,
) -> Result<Vec<(&'static str, String)>, PictureError> {
    let pictures = claims.credential_type().claims.iter().filter(|c| c.kind == ClaimKind::Picture);
    let mut given = pictures.filter_map(|claim| {
        let text = claims.values().get(claim.name)?.as_str().filter(|text| !text.is_empty())?;
        Some((claim.name, text))
    });
    let Some((name, text)) = given.next() else { return Ok(Vec::new()) };
    Ok(Picture::decode(text)?.copies(count, rng)?.into_iter().map(|copy| (name, copy)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_midnights_and_never_in_the_future() {
        for now in ["2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z", "2026-11-23T23:59:59Z"] {
            let now = at(now);
            let span = Span::new(now, Seconds::DAY.times(365));
            assert_eq!(span.from, at("2026-11-23T00:00:00Z"));
            assert!(span.from <= now && span.until >= now.plus(Seconds::DAY.times(365)));
            assert_eq!(span.until.unix() % 86_400, 0);
        }
        assert_eq!(Span::new(at("2026-11-23T00:00:00Z"), Seconds::DAY).until, at("2026-11-24T00:00:00Z"));
        assert_eq!(Span::new(at("2026-11-23T14:00:00Z"), Seconds::HOUR).until, at("2026-11-24T00:00:00Z"));
        assert_eq!(Span::new(at("2026-11-23T14:00:00Z"), Seconds::DAY).until, at("2026-11-25T00:00:00Z"));
    }
}
