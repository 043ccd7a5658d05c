//! The verifier's check of a grant, in the order of `security.md` §4.1.

use super::grant::VERSION;
use super::{Caps, ConsentError, ConsentId, ProposedConsent};
use crate::dcql::check_path;
use crate::key_binding::KeyBinding;
use schemas::consent::Grant;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};

/// How far the holder's clock may be ahead of ours. There is no such allowance for the end of a consent.
///
/// # Source
/// `security.md` §4.6, the same as for the `iat` of a key binding.
const SKEW: Seconds = Seconds::MINUTE;

const MAX_LIST: usize = 64;

/// A consent that this verifier may rely on until it ends. Not checked, because they need a store: that its revocation
/// secret was not published, that its `uses` are not spent, and that no other presentation came with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedConsent {
    id: ConsentId,
    grant: Grant,
    retention: Seconds,
    ends_at: Timestamp,
}

impl AgreedConsent {
    /// Its identifier, under which the verifier keeps count of its uses until a day after it ended.
    pub const fn id(&self) -> ConsentId {
        self.id
    }

    /// The grant.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The purposes agreed to.
    pub fn purposes(&self) -> &[Purpose] {
        &self.grant.purpose
    }

    /// When it ends: its own end, or when the data may no longer be kept, whichever is earlier.
    ///
    /// # Source
    /// `security.md` §4.2 `min(exp, received + ret)`.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// How long the data may be kept.
    pub const fn retention(&self) -> Seconds {
        self.retention
    }

    /// How often the data may be opened; no limit when absent.
    pub const fn uses(&self) -> Option<u32> {
        self.grant.uses
    }

    /// The digest of the secret that revokes it: see [`super::revocation_digest`].
    pub fn revocation(&self) -> &str {
        &self.grant.rev
    }
}

/// Checks the grant in a verified key binding against the proposal that this verifier made.
///
/// `disclosed` are the paths of all that the holder disclosed under this proposal, as [`crate::dcql::presented_leaves`]
/// gives them: of every presentation, when several came. `received` is when they came, `now` is now, which is later when
/// a stored presentation is looked at again.
///
/// # Errors
/// [`ConsentError`], its second group, in that order.
///
/// # Source
/// `security.md` §4.1 "Verifier check order"; OpenID4VP 1.0 §B.3.3.1.
pub fn check_grant(
    key_binding: &KeyBinding,
    proposal: &ProposedConsent,
    own_client_id: &str,
    disclosed: &[ClaimPath],
    received: Timestamp,
    now: Timestamp,
) -> Result<AgreedConsent, ConsentError> {
    let signed = Signed {
        grant: key_binding.consent(),
        transaction_data_hashes: key_binding.transaction_data_hashes(),
        transaction_data_hashes_alg: key_binding.transaction_data_hashes_alg(),
        audience: key_binding.audience(),
    };
    check_signed(&signed, proposal, own_client_id, disclosed, received, now)
}

/// What a key binding signs, as far as consent goes.
#[derive(Clone, Copy)]
pub(super) struct Signed<'k> {
    pub(super) grant: Option<&'k Grant>,
    pub(super) transaction_data_hashes: Option<&'k [String]>,
    pub(super) transaction_data_hashes_alg: Option<&'k str>,
    pub(super) audience: &'k str,
}

pub(super) fn check_signed(
    signed: &Signed<'_>,
    proposal: &ProposedConsent,
    own_client_id: &str,
    disclosed: &[ClaimPath],
    received: Timestamp,
    now: Timestamp,
) -> Result<AgreedConsent, ConsentError> {
    let grant = signed.grant.ok_or(ConsentError::NoGrant)?;
    let (id, retention) = parse(grant)?;
    // One proposal, one hash, by the algorithm that everyone has.
    let is_ours = |hashes: &[String]| matches!(hashes, [hash] if hash == proposal.hash());
    let sha_256 = signed.transaction_data_hashes_alg.is_none_or(|algorithm| algorithm == "sha-256");
    if !sha_256 || !signed.transaction_data_hashes.is_some_and(is_ours) {
        return Err(ConsentError::NotSigned);
    }
    if grant.req != proposal.hash() {
        return Err(ConsentError::OtherRequest);
    }
    let request = proposal.request();
    if [grant.aud.as_str(), signed.audience, request.controller.client_id.as_str()].iter().any(|a| *a != own_client_id)
    {
        return Err(ConsentError::WrongAudience);
    }
    if !disclosed.iter().all(|path| grant.claims.iter().any(|granted| granted.covers(path))) {
        return Err(ConsentError::OverDisclosure);
    }
    let within = |purposes: &[Purpose]| {
        grant.claims.iter().all(|granted| proposal.claims_for(purposes).any(|asked| asked.covers(granted)))
    };
    let proposed: Vec<Purpose> = proposal.purposes().collect();
    if !within(&proposed) {
        return Err(ConsentError::WiderThanRequest);
    }
    // A claim must be needed by a purpose that was agreed to, not by another one of the proposal.
    if grant.purpose.is_empty() || !grant.purpose.iter().all(|p| proposed.contains(p)) || !within(&grant.purpose) {
        return Err(ConsentError::WrongPurpose);
    }
    let ends_at = check_time(grant, retention, proposal, received, now)?;
    Ok(AgreedConsent { id, grant: grant.clone(), retention, ends_at })
}

/// The members that must be well-formed before any of them is compared.
fn parse(grant: &Grant) -> Result<(ConsentId, Seconds), ConsentError> {
    let digest = |text: &str| crate::b64::decode(text).is_ok_and(|bytes| bytes.len() == 32);
    if grant.v != VERSION {
        return Err(ConsentError::Grant("v"));
    }
    let id = grant.id.parse().map_err(|_| ConsentError::Grant("id"))?;
    if !digest(&grant.req) {
        return Err(ConsentError::Grant("req"));
    }
    if !digest(&grant.rev) {
        return Err(ConsentError::Grant("rev"));
    }
    if grant.claims.len() > MAX_LIST || grant.claims.iter().any(|path| check_path(path).is_err()) {
        return Err(ConsentError::Grant("claims"));
    }
    if grant.purpose.len() > Purpose::ALL.len() {
        return Err(ConsentError::Grant("purpose"));
    }
    if grant.uses == Some(0) {
        return Err(ConsentError::Grant("uses"));
    }
    if grant.exp <= grant.nbf {
        return Err(ConsentError::Grant("exp"));
    }
    Ok((id, Seconds::parse_iso8601(&grant.ret).map_err(|_| ConsentError::Grant("ret"))?))
}

/// Gives the end. The boundary: at `exp` itself the consent has ended.
fn check_time(
    grant: &Grant,
    retention: Seconds,
    proposal: &ProposedConsent,
    received: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, ConsentError> {
    let not_after = proposal.request().not_after;
    if received >= not_after {
        return Err(ConsentError::RequestEnded { not_after });
    }
    if grant.nbf > now.plus(SKEW) {
        return Err(ConsentError::NotYet { not_before: grant.nbf });
    }
    if now >= grant.exp {
        return Err(ConsentError::Ended { ended: grant.exp });
    }
    let caps = Caps::of(&grant.purpose);
    let lasting = grant.exp.since(grant.nbf);
    if lasting > caps.lasting {
        return Err(ConsentError::TooLasting { got: lasting, cap: caps.lasting });
    }
    let cap = proposal.retention().min(caps.retention);
    if retention > cap {
        return Err(ConsentError::WiderRetention { got: retention, cap });
    }
    let ends_at = grant.exp.min(received.plus(retention));
    if now >= ends_at {
        return Err(ConsentError::Ended { ended: ends_at });
    }
    Ok(ends_at)
}
