//! What arrived and was verified: shown to the person, confirmed, and kept.

use super::error::IssuanceError;
use super::offered::Kind;
use super::renewal::Renewal;
use super::sameness::say_the_same_again;
use crate::display::Shown;
use crate::holdings::{Copy, Credential, CredentialId, Format, Holdings, NewBatch, Unsaved};
use credentials::signer::SoftwareKey;
use credentials::trust::{Trust, VerifiedChain};
use rand_core::CryptoRng;
use schemas::{ClaimPath, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// Verified credentials, not kept yet: the person must see whose they are and say yes.
///
/// An attacker can get a credential about somebody else, or about themself, and have this wallet take it: the offer
/// proves nothing (OpenID4VCI 1.0 §13.5). So what came is shown, and only its confirmation lets it be kept:
/// ```compile_fail,E0061
/// use rand_core::CryptoRng;
/// use schemas::Timestamp;
/// use wallet_core::holdings::Holdings;
/// use wallet_core::issuance::Arrived;
/// fn unasked(arrived: Arrived, holdings: &mut Holdings<'_>, now: Timestamp, rng: &mut dyn CryptoRng) {
///     let _ = arrived.keep(holdings, now, rng);
/// }
/// ```
/// The confirmation is made by [`Summary::confirmed`] and by nothing else:
/// ```compile_fail,E0423
/// let _ = wallet_core::issuance::Confirmed([0; 32]);
/// ```
pub struct Arrived {
    pub(super) issuer: String,
    pub(super) batches: Vec<VerifiedBatch>,
    pub(super) digest: [u8; 32],
    pub(super) renewal: Option<Renewal>,
    /// Documents of types, looked up now.
    pub(super) fetched: BTreeMap<String, Vec<u8>>,
}

pub(super) struct VerifiedBatch {
    pub(super) kind: Kind,
    pub(super) copies: Vec<VerifiedCopy>,
}

pub(super) struct VerifiedCopy {
    pub(super) credential: Credential,
    pub(super) key: SoftwareKey,
}

/// What came, for the person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The address it came from.
    pub issuer: Shown,
    /// The name in the certificate that signed it.
    pub issuer_name: Shown,
    /// Whether that certificate leads to a trust anchor.
    pub trust: Trust,
    /// What came.
    pub credentials: Vec<SummaryEntry>,
    digest: [u8; 32],
}

/// One credential of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryEntry {
    /// Its type for people.
    pub label: Shown,
    /// Its `vct` or its document type; not safe to show.
    pub type_id: String,
    /// Its format.
    pub format: Format,
    /// The initials of whom it is about, such as `A. B.`; none when it names nobody.
    pub subject: Option<Shown>,
    /// Whether the wallet already holds a credential with another name: then it may be about somebody else.
    pub other_subject: bool,
    /// What is in it.
    pub claims: Vec<ClaimPath>,
    /// How many copies.
    pub copies: usize,
    /// When the first of them ends.
    pub expires_at: Option<Timestamp>,
}

/// The person has seen a [`Summary`] and said yes.
#[derive(Debug)]
pub struct Confirmed([u8; 32]);

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The names of the credentials in this vault.
    pub credentials: Vec<CredentialId>,
}

impl VerifiedCopy {
    fn into_copy(self) -> Copy {
        let Self { credential, key } = self;
        Copy { key, format: credential.format(), bytes: Zeroizing::new(credential.as_bytes().to_vec()) }
    }
}

impl Arrived {
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) const fn fetched(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.fetched
    }

    pub(super) const fn fetched_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.fetched
    }

    /// The copies, thing by thing.
    pub(super) fn copies(&self) -> Vec<Vec<&Credential>> {
        self.batches.iter().map(|batch| batch.copies.iter().map(|copy| &copy.credential).collect()).collect()
    }

    pub(super) fn type_ids(&self) -> impl Iterator<Item = &str> {
        self.batches.iter().map(|batch| batch.kind.type_id.as_str())
    }

    /// What came, for the person to look at.
    pub fn summary(&self, holdings: &Holdings<'_>) -> Summary {
        let first = self.batches.iter().flat_map(|batch| &batch.copies).next();
        let issuer = |copy: &VerifiedCopy| copy.credential.issuer().cloned();
        let known = |copy: &VerifiedCopy| issuer(copy).is_some_and(|issuer| issuer.trust() == Trust::Known);
        let all_known = self.batches.iter().flat_map(|batch| &batch.copies).all(known);
        Summary {
            issuer: Shown::text(&self.issuer),
            issuer_name: Shown::name(first.and_then(issuer).as_ref().map_or("", VerifiedChain::subject)),
            trust: if all_known { Trust::Known } else { Trust::NotKnown },
            credentials: self.batches.iter().map(|batch| batch.summary(holdings)).collect(),
            digest: self.digest,
        }
    }

    /// Keeps what came, once the person has confirmed it.
    ///
    /// Save the vault before saying so: what is inside [`Unsaved`] stands in memory only.
    ///
    /// # Errors
    /// [`IssuanceError::NotConfirmed`] when something else was confirmed, [`IssuanceError::TypeRules`] and
    /// [`IssuanceError::TypeDocument`] as [`Arrived::look_up`], [`IssuanceError::Holdings`] when there is no
    /// room; then nothing of the failing credential was kept.
    pub fn keep(
        self,
        confirmed: Confirmed,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Kept>, IssuanceError> {
        let Confirmed(digest) = confirmed;
        if digest != self.digest {
            return Err(IssuanceError::NotConfirmed);
        }
        let documents = self.hold_to_types(&holdings.type_documents())?;
        holdings.keep_types(&documents, rng)?;
        let (mut kept, mut renewable) = (Vec::new(), Vec::new());
        for batch in self.batches {
            let kind = batch.kind.clone();
            match holdings.keep(batch.into_new(&self.issuer, now), rng) {
                Ok(id) => {
                    kept.push(id);
                    renewable.push((id, kind));
                }
                Err(error) => {
                    kept.into_iter().try_for_each(|id| holdings.forget(id, rng))?;
                    holdings.forget_unused_types(rng)?;
                    return Err(error.into());
                }
            }
        }
        if let Some(renewal) = &self.renewal {
            holdings.keep_renewal(renewal, renewable, rng)?;
        }
        Ok(Unsaved::new(Kept { credentials: kept }))
    }

    /// Adds new copies to the credential that they were shown for: of the same issuer, saying the same. What is derived from
    /// the day, `age_over_NN`, may have changed.
    ///
    /// Save the vault before saying so: what is inside [`Unsaved`] stands in memory only.
    ///
    /// # Errors
    /// [`IssuanceError::Changed`], [`IssuanceError::NotKnown`] when the first came from a known issuer and these do not,
    /// [`IssuanceError::Holdings`].
    pub fn refill(
        self,
        id: CredentialId,
        holdings: &mut Holdings<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Kept>, IssuanceError> {
        let held = holdings.credential(id)?;
        let before = holdings.look(&held)?;
        let rules = self.hold_to_types(&holdings.type_documents());
        let from_the_same = Shown::text(&self.issuer) == held.issuer();
        let (Ok([batch]), true) = (<[VerifiedBatch; 1]>::try_from(self.batches), from_the_same) else {
            return Err(IssuanceError::Changed);
        };
        if !batch.copies.first().is_some_and(|copy| say_the_same_again(&before, &copy.credential)) {
            return Err(IssuanceError::Changed);
        }
        let known = |copy: &VerifiedCopy| copy.credential.issuer().is_some_and(|chain| chain.trust() == Trust::Known);
        if held.issuer_known() && !batch.copies.iter().all(known) {
            return Err(IssuanceError::NotKnown);
        }
        rules?;
        let expires_at = batch.expires_at();
        let copies = batch.copies.into_iter().map(VerifiedCopy::into_copy).collect();
        holdings.add_copies(id, copies, expires_at, rng)?;
        Ok(Unsaved::new(Kept { credentials: vec![id] }))
    }
}

impl Summary {
    /// Only issuers of this wallet's trust anchors are accepted.
    ///
    /// # Errors
    /// [`IssuanceError::NotKnown`].
    pub const fn require_known(&self) -> Result<(), IssuanceError> {
        match self.trust {
            Trust::Known => Ok(()),
            _ => Err(IssuanceError::NotKnown),
        }
    }

    /// The person has seen this summary and said yes.
    pub fn confirmed(self) -> Confirmed {
        Confirmed(self.digest)
    }
}

impl VerifiedBatch {
    fn summary(&self, holdings: &Holdings<'_>) -> SummaryEntry {
        let first = self.copies.first().map(|copy| &copy.credential);
        let name = first.and_then(Credential::full_name);
        SummaryEntry {
            label: self.kind.shown(),
            type_id: self.kind.type_id.clone(),
            format: self.kind.format,
            subject: first.and_then(initials),
            other_subject: name.is_some_and(|name| holdings.names().iter().any(|held| *held != name)),
            claims: first.map(Credential::disclosable_paths).unwrap_or_default(),
            copies: self.copies.len(),
            expires_at: self.expires_at(),
        }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.copies.iter().filter_map(|copy| copy.credential.expires_at()).min()
    }

    fn into_new(self, issuer: &str, now: Timestamp) -> NewBatch {
        let first = self.copies.first().and_then(|copy| copy.credential.issuer().cloned());
        NewBatch {
            format: self.kind.format,
            type_id: self.kind.type_id.clone(),
            label: self.kind.label.clone(),
            issuer: issuer.to_owned(),
            issuer_name: first.as_ref().map(|chain| chain.subject().to_owned()).unwrap_or_default(),
            issuer_known: first.is_some_and(|chain| chain.trust() == Trust::Known),
            received_at: now,
            not_before: self.copies.iter().filter_map(|copy| copy.credential.not_before()).max(),
            expires_at: self.expires_at(),
            copies: self.copies.into_iter().map(VerifiedCopy::into_copy).collect(),
        }
    }
}

fn initials(credential: &Credential) -> Option<Shown> {
    let claims = credential.claims();
    let parts =
        ["given_name", "family_name"].into_iter().filter_map(|name| Shown::initial(claims.get(name)?.as_str()?));
    let shown = parts.map(|initial| initial.to_string()).collect::<Vec<_>>().join(" ");
    if shown.is_empty() { None } else { Some(Shown::name(&shown)) }
}

/// Claims of a person are in it.
impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, batches: _, digest: _, renewal: _, fetched: _ } = self;
        f.debug_struct("Arrived").field("issuer", issuer).finish_non_exhaustive()
    }
}
