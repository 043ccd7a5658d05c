//! Issuing: from data elements to the bytes that go to the holder.

use super::issuer_signed::write_issuer_signed;
use super::item::{Item, SHORTEST_SALT};
use super::mso::{DigestAlgorithm, SecurityObject, Validity};
use super::{Elements, KeyAuthorizations, MOST_ITEMS};
use crate::cbor::{Limits, Value, Writer};
use crate::cose::write_sign1;
use crate::key::PublicKey;
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::status::StatusReference;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What an issuer wants to say.
#[derive(Debug, Clone)]
pub struct IssuanceDraft {
    /// The document type.
    pub doc_type: String,
    /// The data elements, each of which the holder may show or keep.
    pub elements: Elements,
    /// When it is signed. Round it: security.md §8.
    pub signed_at: Timestamp,
    /// From when on it is valid; not before `signed_at`.
    pub valid_from: Timestamp,
    /// Until when it is valid.
    pub valid_until: Timestamp,
    /// When the issuer expects to issue it anew.
    pub expected_update: Option<Timestamp>,
    /// Where its status is found.
    pub status: Option<StatusReference>,
    /// What the device key may say for itself.
    pub authorizations: KeyAuthorizations,
    /// Whether to fill up each name space's digests to 8, 16, 32 … so that their number says little.
    pub decoys: bool,
}

/// Why a document is not issued. All the caller's fault, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// No document type.
    #[error("the document type is empty")]
    EmptyType,
    /// No elements.
    #[error("a document without elements")]
    Empty,
    /// More items than anyone reads.
    #[error("{got} items, at most {most} are read")]
    TooMany {
        /// The most.
        most: usize,
        /// What it would be.
        got: usize,
    },
    /// A value nested deeper than anyone reads, or one that no strict reader takes.
    #[error("element {at} of the draft cannot be read by a strict reader")]
    Value {
        /// Its place in the draft, from 0.
        at: usize,
    },
    /// Longer than anyone reads.
    #[error("document of {got} bytes, at most {most} are read")]
    TooLong {
        /// The most.
        most: usize,
        /// What it would be.
        got: usize,
    },
    /// The times are in another order than signed, from, until.
    #[error("the document would never be valid")]
    NeverValid,
    /// A time outside the years that can be written, or a status index that no reader takes.
    #[error("a time or a status index that cannot be written")]
    Range,
    /// The signer's key is not the one in the leaf certificate.
    #[error("the signing key is not the leaf certificate's")]
    WrongKey,
    /// The key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Issues a document to the holder of `holder`: `IssuerSigned` with ES256, SHA-256, salts of 128 bits, digest identifiers
/// drawn at random, and the certificates in `x5chain`.
///
/// Not checked: the certificates themselves, beyond the key of the leaf; who verifies the document will.
///
/// # Errors
/// [`IssueError`].
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.4, §9.1.2.5; the form is that of OpenID4VCI 1.0 Annex A.2.4 before base64url.
pub fn issue<R: CryptoRng + ?Sized>(
    draft: &IssuanceDraft,
    chain: &CertificateChain,
    holder: &PublicKey,
    signer: &dyn Signer,
    rng: &mut R,
) -> Result<Vec<u8>, IssueError> {
    check(draft)?;
    if !chain.leaf_is_of(signer.public_key()) {
        return Err(IssueError::WrongKey);
    }
    let mut digests = BTreeMap::new();
    let mut items = Vec::new();
    for (name_space, elements) in draft.elements.name_spaces() {
        let (space_items, space_digests) = make_items(elements, draft.decoys, rng);
        items.push((name_space.as_str(), space_items));
        digests.insert(name_space.clone(), space_digests);
    }
    let object = SecurityObject {
        algorithm: DigestAlgorithm::Sha256,
        digests,
        device_key: holder.clone(),
        authorizations: draft.authorizations.clone(),
        doc_type: draft.doc_type.clone(),
        validity: Validity {
            signed: draft.signed_at,
            from: draft.valid_from,
            until: draft.valid_until,
            expected_update: draft.expected_update,
        },
        status: draft.status.clone(),
    };
    let mut auth = Writer::new();
    write_sign1(&mut auth, &object.encode(), false, Some(chain), signer)?;
    let mut writer = Writer::new();
    let items = items.iter().map(|(name_space, items)| (*name_space, items.iter().map(Vec::as_slice).collect()));
    write_issuer_signed(&mut writer, items, auth.as_bytes());
    let most = Limits::MESSAGE.bytes;
    if writer.len() > most {
        return Err(IssueError::TooLong { most, got: writer.len() });
    }
    Ok(writer.into_bytes())
}

/// Refuses drafts that no verifier would accept.
fn check(draft: &IssuanceDraft) -> Result<(), IssueError> {
    if draft.doc_type.is_empty() {
        return Err(IssueError::EmptyType);
    }
    let got = draft.elements.len();
    if got == 0 || draft.elements.name_spaces().any(|(_, elements)| elements.is_empty()) {
        return Err(IssueError::Empty);
    }
    if got > MOST_ITEMS {
        return Err(IssueError::TooMany { most: MOST_ITEMS, got });
    }
    if draft.valid_from < draft.signed_at || draft.valid_until <= draft.valid_from {
        return Err(IssueError::NeverValid);
    }
    let times = [Some(draft.signed_at), Some(draft.valid_from), Some(draft.valid_until), draft.expected_update];
    let has_index = draft.status.as_ref().is_none_or(|status| i64::try_from(status.idx).is_ok());
    if !has_index || !times.into_iter().flatten().all(Writer::can_write) {
        return Err(IssueError::Range);
    }
    for (at, (_, _, value)) in draft.elements.iter().enumerate() {
        // One level for the item's own map.
        if !is_readable(value, Limits::MESSAGE.depth - 1) {
            return Err(IssueError::Value { at });
        }
    }
    Ok(())
}

/// Whether a strict reader takes `value` with `left` levels to go. Recursion is bounded by `left`.
fn is_readable(value: &Value, left: usize) -> bool {
    let Some(inner) = left.checked_sub(1) else {
        return !matches!(value, Value::Array(_) | Value::Map(_) | Value::Tag(..));
    };
    match value {
        Value::Array(items) => items.iter().all(|item| is_readable(item, inner)),
        Value::Map(members) => {
            let is_key = |key: &Value| matches!(key, Value::Integer(_) | Value::Text(_));
            let is_once = |at: usize, key: &Value| !members.iter().skip(at + 1).any(|(other, _)| other == key);
            members
                .iter()
                .enumerate()
                .all(|(at, (key, value))| is_key(key) && is_once(at, key) && is_readable(value, inner))
        }
        Value::Tag(_, value) => is_readable(value, inner),
        _ => true,
    }
}

/// Items with fresh salts, and the digests of them and of decoys, under identifiers that say nothing of their order.
fn make_items<R: CryptoRng + ?Sized>(
    elements: &BTreeMap<String, Value>,
    decoys: bool,
    rng: &mut R,
) -> (Vec<Vec<u8>>, BTreeMap<u32, Vec<u8>>) {
    let places = if decoys { elements.len().next_power_of_two().max(8) } else { elements.len() };
    let mut ids: Vec<u32> = (0u32..).take(places).collect();
    shuffle(&mut ids, rng);
    let mut digests = BTreeMap::new();
    let mut ids = ids.into_iter();
    let mut items = Vec::with_capacity(elements.len());
    let mut salt = [0; SHORTEST_SALT];
    for ((identifier, value), id) in elements.iter().zip(ids.by_ref()) {
        rng.fill_bytes(&mut salt);
        let item = Item::encode(id, &salt, identifier, value);
        digests.insert(id, Sha256::digest(&item).to_vec());
        items.push(item);
    }
    let mut random = [0; 32];
    for id in ids {
        rng.fill_bytes(&mut random);
        digests.insert(id, Sha256::digest(random).to_vec());
    }
    (items, digests)
}

/// Fisher and Yates. The bias of 64 random bits over at most 256 places is below 2^-55.
fn shuffle<R: CryptoRng + ?Sized>(ids: &mut [u32], rng: &mut R) {
    for last in (1..ids.len()).rev() {
        let chosen = rng.next_u64() % (last as u64 + 1);
        ids.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}
