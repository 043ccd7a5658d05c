//! What an issuer delivered: first unverified, then verified, then confirmed by the person, then kept.

use super::deferred::Deferred;
use super::error::IssuanceError;
use super::notice::Notices;
use super::offered::Kind;
use super::refill::Renewal;
use crate::display::Shown;
use crate::holdings::{Copy, Credential, CredentialId, Format, Holdings, NewBatch, Unsaved};
use credentials::mdoc::{self, Elements, Mdoc};
use credentials::sd_jwt::{self, SdJwtVc};
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{ChainCache, ChainPolicy, Trust, TrustAnchors, VerifiedChain};
use credentials::{b64, cbor};
use rand_core::CryptoRng;
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use zeroize::Zeroizing;

/// Copies as they came. Nothing in them is believed yet.
pub struct Delivered {
    issuer: String,
    batches: Vec<Batch>,
    notices: Notices,
    later: Option<Deferred>,
    renewal: Option<Renewal>,
}

/// The answer to one credential request.
pub(super) struct Batch {
    pub(super) kind: Kind,
    pub(super) keys: Vec<SoftwareKey>,
    pub(super) texts: Vec<Zeroizing<String>>,
    /// Under which name the issuer wants to hear of them.
    pub(super) notification_id: Option<String>,
}

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
    issuer: String,
    batches: Vec<VerifiedBatch>,
    digest: [u8; 32],
    renewal: Option<Renewal>,
    /// Documents of types, looked up now.
    fetched: BTreeMap<String, Vec<u8>>,
}

struct VerifiedBatch {
    kind: Kind,
    copies: Vec<VerifiedCopy>,
}

struct VerifiedCopy {
    credential: Credential,
    key: SoftwareKey,
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

impl Delivered {
    pub(super) fn new(issuer: String, batches: Vec<Batch>, mut notices: Notices) -> Self {
        batches.iter().for_each(|batch| notices.add(batch.notification_id.as_deref()));
        Self { issuer, batches, notices, later: None, renewal: None }
    }

    pub(super) fn and_later(self, promise: Deferred) -> Self {
        Self { later: Some(promise), ..self }
    }

    pub(super) fn and_renewal(self, renewal: Option<Renewal>) -> Self {
        Self { renewal, ..self }
    }

    /// Takes out what the issuer promised for later. Keep it, or it is lost.
    pub const fn take_deferred(&mut self) -> Option<Deferred> {
        self.later.take()
    }

    /// Whether nothing came.
    pub const fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// What the issuer wants to hear of it, once it is kept or was found unusable.
    pub fn notices(&self) -> Notices {
        self.notices.clone()
    }

    /// Verifies every copy, as strictly as a verifier would: signature and certificates, time, no key binding yet, the
    /// type that was offered, and a key of ours that no other copy has. And that all copies say the same.
    ///
    /// An issuer that leads to no trust anchor is let through: [`Summary::trust`] says so.
    ///
    /// # Errors
    /// [`IssuanceError`]; one bad copy spoils the batch.
    ///
    /// # Source
    /// RFC 9901 §7.1, SD-JWT VC §2.4; ISO/IEC 18013-5 §9.3.1, OpenID4VCI 1.0 §A.2.4; §8.3 ("each key … to bind to, at most, one Credential").
    pub fn verify(self, anchors: &TrustAnchors, now: Timestamp) -> Result<Arrived, IssuanceError> {
        let cache = ChainCache::new();
        let policy = ChainPolicy::unknown_allowed(anchors).with_cache(&cache);
        let batches: Vec<VerifiedBatch> =
            self.batches.into_iter().map(|batch| batch.verify(&policy, now)).collect::<Result<_, _>>()?;
        let mut digest = Sha256::new();
        for copy in batches.iter().flat_map(|batch| &batch.copies) {
            digest.update(Sha256::digest(copy.credential.as_bytes()));
        }
        Ok(Arrived {
            issuer: self.issuer,
            batches,
            digest: digest.finalize().into(),
            renewal: self.renewal,
            fetched: BTreeMap::new(),
        })
    }
}

impl Batch {
    fn verify(self, policy: &ChainPolicy<'_>, now: Timestamp) -> Result<VerifiedBatch, IssuanceError> {
        let Self { kind, mut keys, texts, notification_id: _ } = self;
        let mut copies: Vec<VerifiedCopy> = Vec::with_capacity(texts.len());
        for text in texts {
            let credential = verify(kind.format, &text, policy, now)?;
            if credential.type_id() != kind.type_id {
                return Err(IssuanceError::WrongType);
            }
            // Taken out of the list: a second copy for the same key finds none.
            let bound_to = match &credential {
                Credential::SdJwtVc(credential) => credential.confirmation_key(),
                Credential::Mdoc(document) => document.device_key(),
            };
            let at = keys.iter().position(|key| key.public_key() == bound_to).ok_or(IssuanceError::WrongKey)?;
            let key = keys.remove(at);
            if copies.first().is_some_and(|first| !say_the_same(&first.credential, &credential)) {
                return Err(IssuanceError::Unlike);
            }
            copies.push(VerifiedCopy { credential, key });
        }
        Ok(VerifiedBatch { kind, copies })
    }
}

impl VerifiedCopy {
    fn into_copy(self) -> Copy {
        let Self { credential, key } = self;
        Copy { key, format: credential.format(), bytes: Zeroizing::new(credential.as_bytes().to_vec()) }
    }
}

/// Verifies one copy as it stands in the credential response.
fn verify(format: Format, text: &str, policy: &ChainPolicy<'_>, now: Timestamp) -> Result<Credential, IssuanceError> {
    match format {
        Format::SdJwtVc => sd_jwt::verify_issued(text, policy, now)
            .map(|credential| Credential::SdJwtVc(Box::new(credential)))
            .map_err(IssuanceError::Copy),
        Format::Mdoc => {
            let bytes = b64::decode(text).map_err(|_| IssuanceError::DocumentEncoding)?;
            let document = mdoc::verify_issued(&bytes, policy, now).map_err(IssuanceError::Document)?;
            Ok(Credential::Mdoc(Box::new(document)))
        }
    }
}

/// Whether two copies say the same of the same person by the word of the same issuer, and let the holder hide the same: the
/// person is asked by the look of one copy, and another is shown. What must differ from copy to copy may: key, status, the
/// bytes of the portrait (`security.md` §3.2), and times, which an issuer may spread (RFC 9901 §10.1).
fn say_the_same(one: &Credential, other: &Credential) -> bool {
    let signed_alike = one.issuer().map(VerifiedChain::leaf_sha256) == other.issuer().map(VerifiedChain::leaf_sha256);
    signed_alike
        && match (one, other) {
            (Credential::SdJwtVc(one), Credential::SdJwtVc(other)) => claim_the_same(one, other),
            (Credential::Mdoc(one), Credential::Mdoc(other)) => hold_the_same(one, other),
            _ => false,
        }
}

/// The same for documents: every element can be hidden, and what the device key may say must be the same too.
fn hold_the_same(one: &Mdoc, other: &Mdoc) -> bool {
    let held = |document: &Mdoc| -> Elements {
        let mut elements = document.elements();
        let portraits: Vec<(String, String)> = elements
            .iter()
            .filter(|(_, identifier, value)| PORTRAITS.contains(identifier) && value.as_bytes().is_some())
            .map(|(name_space, identifier, _)| (name_space.to_owned(), identifier.to_owned()))
            .collect();
        for (name_space, identifier) in portraits {
            elements.insert(&name_space, &identifier, cbor::Value::Null);
        }
        elements
    };
    one.authorizations() == other.authorizations() && held(one) == held(other)
}

/// [`say_the_same`] for SD-JWT VC.
fn claim_the_same(one: &SdJwtVc, other: &SdJwtVc) -> bool {
    let hidden = |credential: &SdJwtVc| -> BTreeSet<ClaimPath> { credential.disclosable_paths().into_iter().collect() };
    said(one) == said(other) && hidden(one) == hidden(other)
}

/// What is said, without what is each copy's own.
fn said(credential: &SdJwtVc) -> Map<String, Value> {
    let mut claims = credential.claims().clone();
    for name in ["cnf", "status", "iat", "nbf", "exp"] {
        claims.remove(name);
    }
    if let Some(picture @ Value::String(_)) = claims.get_mut("picture") {
        *picture = Value::Null;
    }
    claims
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

/// Whether a new copy says the same as an old one, but for what is derived from the day of its issuance.
fn say_the_same_again(before: &Credential, now: &Credential) -> bool {
    let shape =
        |credential: &Credential| -> BTreeSet<ClaimPath> { credential.disclosable_paths().into_iter().collect() };
    let allowed = match (before, now) {
        (Credential::Mdoc(one), Credential::Mdoc(other)) => one.authorizations() == other.authorizations(),
        (Credential::SdJwtVc(_), Credential::SdJwtVc(_)) => true,
        _ => false,
    };
    let steady = |credential: &Credential| {
        let mut claims = match credential {
            Credential::SdJwtVc(credential) => said(credential),
            Credential::Mdoc(_) => credential.claims(),
        };
        claims.retain(|name, _| !name.starts_with("age_over_") && !PORTRAITS.contains(&name.as_str()));
        claims
    };
    allowed && before.type_id() == now.type_id() && shape(before) == shape(now) && steady(before) == steady(now)
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

/// The elements whose bytes differ from copy to copy.
const PORTRAITS: [&str; 2] = ["portrait", "picture"];

/// Claims of a person are in it.
impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, batches: _, notices: _, later: _, renewal: _ } = self;
        f.debug_struct("Delivered").field("issuer", issuer).finish_non_exhaustive()
    }
}

/// Claims of a person are in it.
impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, batches: _, digest: _, renewal: _, fetched: _ } = self;
        f.debug_struct("Arrived").field("issuer", issuer).finish_non_exhaustive()
    }
}
