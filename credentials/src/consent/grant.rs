//! What the holder grants: never more than was proposed, and never for longer than the caps.

use super::{ProposedConsent, caps};
use crate::b64::B64Error;
use rand_core::CryptoRng;
use schemas::consent::Grant;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// How long a consent lasts, and how long what was received may be kept, at most and whatever the purpose.
pub const MAX_LASTING: Seconds = Seconds::DAY.times(90);
/// How long a consent lasts when the holder does not say.
pub const DEFAULT_LASTING: Seconds = Seconds::DAY;
/// The version of [`Grant`] that we write and read.
pub(super) const VERSION: u8 = 1;

const REVOCATION_LABEL: &[u8] = b"amparo/v1/consent-rev";

/// The longest a consent may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// From its beginning to its end.
    pub lasting: Seconds,
    /// How long what was received may be kept.
    pub retention: Seconds,
}

impl Caps {
    /// The caps that hold for all of `purposes` together: the shortest of theirs.
    pub fn of(purposes: &[Purpose]) -> Self {
        let widest = Self { lasting: MAX_LASTING, retention: MAX_LASTING };
        purposes
            .iter()
            .map(|purpose| caps(*purpose))
            .fold(widest, |a, b| Self { lasting: a.lasting.min(b.lasting), retention: a.retention.min(b.retention) })
    }
}

/// The identifier of a consent: 16 random bytes, of which nothing can be learned. Base64url on the wire and for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsentId([u8; 16]);

impl ConsentId {
    /// A fresh one.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    /// Its bytes, from which the holder derives the revocation secret.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::b64::encode(&self.0))
    }
}

impl FromStr for ConsentId {
    type Err = B64Error;

    /// Reads base64url of 16 bytes; another length is as wrong as another alphabet.
    fn from_str(text: &str) -> Result<Self, B64Error> {
        crate::b64::decode_array(text).map(Self)
    }
}

/// What the holder chose. Every member can only narrow what was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The claims to be disclosed.
    pub claims: Vec<ClaimPath>,
    /// The purposes agreed to; all that were proposed when absent.
    pub purposes: Option<Vec<Purpose>>,
    /// How long the consent lasts; [`DEFAULT_LASTING`] when absent.
    pub lasting: Option<Seconds>,
    /// How long the verifier may keep the data; as long as it proposed when absent.
    pub retention: Option<Seconds>,
    /// How often the verifier may open them; as often as it likes within the time when absent.
    pub uses: Option<u32>,
}

/// Why there is nothing to grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// A claim that no agreed purpose asks for.
    #[error("claim {0} is not asked for by any purpose agreed to")]
    NotAskedFor(ClaimPath),
    /// A purpose that was not proposed, or none.
    #[error("no purpose, or one that was not proposed")]
    Purpose,
    /// No time, or no use.
    #[error("consent without any time or use")]
    Nothing,
    /// The proposal could be agreed to earlier.
    #[error("the request could be agreed to until {not_after} only")]
    RequestEnded {
        /// Until when.
        not_after: Timestamp,
    },
}

/// Grants a proposal as narrowed by the holder.
///
/// Times are clipped, not refused: the consent lasts from `now` for as long as the holder chose, at most for as long as
/// the verifier would keep the data, and at most to the caps of the purposes. `revocation_secret` must be derived from
/// `id` by a key of the holder's, and be given away to revoke only.
///
/// # Errors
/// [`GrantError`] when the holder's choice is not within the proposal.
///
/// # Source
/// `security.md` §4.1 "Grant", §4.3 `rev`.
pub fn grant(
    proposal: &ProposedConsent,
    choice: &Choice,
    id: ConsentId,
    revocation_secret: &[u8; 32],
    now: Timestamp,
) -> Result<Grant, GrantError> {
    let request = proposal.request();
    if now >= request.not_after {
        return Err(GrantError::RequestEnded { not_after: request.not_after });
    }
    let purposes = choice.purposes.clone().unwrap_or_else(|| proposal.purposes().collect());
    if purposes.is_empty() || !purposes.iter().all(|purpose| proposal.purposes().any(|proposed| proposed == *purpose)) {
        return Err(GrantError::Purpose);
    }
    let asked_for = |claim: &&ClaimPath| proposal.claims_for(&purposes).any(|path| path.covers(claim));
    if let Some(stray) = choice.claims.iter().find(|claim| !asked_for(claim)) {
        return Err(GrantError::NotAskedFor(stray.clone()));
    }
    let caps = Caps::of(&purposes);
    let retention = choice.retention.unwrap_or(proposal.retention()).min(proposal.retention()).min(caps.retention);
    let lasting = choice.lasting.unwrap_or(DEFAULT_LASTING).min(retention).min(caps.lasting);
    if lasting == Seconds::new(0) || choice.uses == Some(0) {
        return Err(GrantError::Nothing);
    }
    Ok(Grant {
        v: VERSION,
        id: id.to_string(),
        req: proposal.hash().to_owned(),
        aud: request.controller.client_id.clone(),
        purpose: purposes,
        claims: choice.claims.clone(),
        nbf: now,
        exp: now.plus(lasting),
        ret: retention.iso8601(),
        uses: choice.uses,
        rev: revocation_digest(revocation_secret),
    })
}

/// What stands in a grant for its revocation secret: whoever sees the secret published knows which grant it ends.
///
/// # Source
/// `security.md` §4.3: SHA-256 of `amparo/v1/consent-rev` and the secret, base64url.
pub fn revocation_digest(revocation_secret: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(REVOCATION_LABEL).chain_update(revocation_secret).finalize();
    crate::b64::encode(&digest)
}
