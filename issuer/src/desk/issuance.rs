//! Answering a credential request: an access token and key proofs for a batch of credentials.

use super::encryption::Reply;
use super::offering::Waiting;
use super::proofs::Holders;
use super::redemption::RedeemError;
use super::renewal::Shown;
use super::{Issuer, randomness};
use crate::claims::{ClaimSet, ClaimsError};
use crate::configuration::Configuration;
use crate::issuing::{self, Batch, IssueBatchError, Span};
use crate::keys::{Fingerprint, Purpose};
use crate::metadata::{BATCH_SIZE, CREDENTIAL_PATH};
use crate::nonce::{self, LiveNonce};
use crate::seal::{self, SealError};
use crate::secret::{Handle, NotificationId, TransactionId};
use crate::status::Entry;
use crate::store::{Committed, Issuance, Spends, StoreError, TokenRecord};
use credentials::key::PublicKey;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// How the wallet shows its access token.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// `Authorization: Bearer …`
    Bearer(&'a str),
    /// `Authorization: DPoP …`
    Dpop(&'a str),
}

/// A credential request, as it came.
pub struct CredentialCall<'a> {
    /// The access token, if there was one.
    pub authorization: Option<Authorization<'a>>,
    /// The DPoP header.
    pub dpop: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// Whether the body is said to be encrypted (`application/jwt`).
    pub encrypted: bool,
}

/// With what a wallet came.
pub(super) struct Called {
    pub(super) spends: Spends,
    pub(super) token: Fingerprint,
    pub(super) dpop_key: Option<[u8; 32]>,
    /// The copy that was shown to have new ones.
    pub(super) shown: Option<Shown>,
}

/// What a credential request was answered with.
#[derive(Debug)]
pub enum Issued {
    /// The copies.
    Copies {
        /// In the order of the proofs.
        copies: Vec<String>,
        /// What the wallet calls this issuance when it tells how it went.
        notification_id: NotificationId,
    },
    /// The registry decides first.
    Later {
        /// What the wallet asks with.
        transaction_id: TransactionId,
        /// How long it waits at least.
        interval: Seconds,
    },
}

/// Why a credential request was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    // The wallet's fault: refuse.
    /// No access token.
    #[error("no access token")]
    NoToken,
    /// Not a live token, or shown in another way than it was given.
    #[error("the access token is unknown, expired, used, or shown in another way than it was given")]
    InvalidToken,
    /// The DPoP proof is missing, invalid, spent, or of another key.
    #[error("invalid DPoP proof")]
    InvalidDpop,
    /// The DPoP proof needs a nonce of ours.
    #[error("the DPoP proof needs a nonce")]
    UseDpopNonce {
        /// A fresh one.
        nonce: String,
    },
    /// The token is good for another configuration.
    #[error("the access token is not for this credential configuration")]
    InsufficientScope,
    /// The request is malformed.
    #[error("credential request: {0}")]
    InvalidRequest(&'static str),
    /// No such configuration.
    #[error("unknown credential configuration")]
    UnknownConfiguration,
    /// No such identifier.
    #[error("unknown credential identifier")]
    UnknownIdentifier,
    /// A key proof is missing or wrong.
    #[error("key proof: {0}")]
    InvalidProof(&'static str),
    /// A nonce is not ours, expired or spent.
    #[error("a key proof has a c_nonce that is unknown, expired or spent")]
    InvalidNonce,
    /// Not a transaction that waits under this token.
    #[error("the transaction identifier is unknown, or was answered")]
    InvalidTransaction,
    /// The request is not encrypted as it must be, or asks for an answer that is not.
    #[error("encryption: {0}")]
    InvalidEncryption(&'static str),
    /// What was offered can no longer be issued.
    #[error("this credential can no longer be issued: {0}")]
    Denied(&'static str),
    // Our fault, or that of what we stand on: try again later.
    /// What was sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The waiting claims no longer fit their type: they were offered by another version.
    #[error("the waiting claims do not fit their type")]
    Claims(#[from] ClaimsError),
    /// The credentials could not be made.
    #[error(transparent)]
    Issue(#[from] IssueBatchError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Committed> for CredentialError {
    /// What a commit found when it was not done.
    fn from(committed: Committed) -> Self {
        match committed {
            Committed::Done | Committed::TokenGone => Self::InvalidToken,
            Committed::TransactionGone => Self::InvalidTransaction,
            Committed::NonceSpent => Self::InvalidNonce,
            Committed::KeySeen => Self::InvalidProof(KEY_SEEN),
        }
    }
}

impl Issuer {
    /// A fresh `c_nonce`.
    pub fn nonce(&self) -> String {
        nonce::generate(&*self.keys, self.now(), &mut randomness())
    }

    /// Answers a credential request: one copy for each key proof, at most as many as the desk ordered. What the token grants,
    /// the nonces and the keys are spent, and with the last of what it grants the claims forgotten, in one transaction;
    /// whatever fails before it changes nothing.
    ///
    /// # Errors
    /// [`CredentialError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8, §F.4; RFC 6750 §3; RFC 9449 §7.
    pub fn issue(&self, call: &CredentialCall<'_>) -> Result<Reply, CredentialError> {
        let now = self.now();
        let (token, record) = self.admit(call, now)?;
        let (request, to) = self.read_request(call)?;
        let configuration = check_configuration(&request, &record)?;
        let (mut holders, nonces) = self.verify_proofs(&request, now)?;
        let waiting = self.open_waiting(Purpose::SealToken, token, &record.sealed)?;
        let shown = if waiting.renews {
            // Of one nonce, which the copy bears as well: proofs and copy are of one moment.
            let mut shared = nonces.keys();
            let (Some(nonce), None) = (shared.next(), shared.next()) else {
                return Err(CredentialError::InvalidProof("all proofs must bear one c_nonce"));
            };
            let handle = Handle::parse(&waiting.handle).map_err(|_| SealError::Broken)?;
            Some(self.shown_copy(&request, configuration, &handle, nonce, now)?)
        } else {
            None
        };
        let nonces: Vec<LiveNonce> = nonces.into_values().collect();
        holders.keys.truncate(usize::try_from(waiting.count).unwrap_or(usize::MAX));
        if waiting.decision_time.is_some() {
            let issued = self.defer(configuration, waiting, &holders, nonces, (token, record.dpop_key), now)?;
            return Ok(Reply { issued, to });
        }
        let token = self.token_key(token);
        let called = Called { spends: Spends::Token(token.clone()), token, dpop_key: record.dpop_key, shown };
        let issued = self.issue_copies(configuration, waiting, &holders, nonces, called, now)?;
        Ok(Reply { issued, to })
    }

    /// Makes the copies, and writes down that they were made and what they spent.
    pub(super) fn issue_copies(
        &self,
        configuration: Configuration,
        waiting: Waiting,
        holders: &Holders,
        nonces: Vec<LiveNonce>,
        called: Called,
        now: Timestamp,
    ) -> Result<Issued, CredentialError> {
        let Called { spends, token, dpop_key, shown } = called;
        // New copies have the times of the old: they are of the same cohort, and live no longer than the desk has said.
        let (claims, span, part) = match shown {
            Some(Shown { claims, span, .. }) => {
                let claims = ClaimSet::check(configuration.credential_type, claims, issuing::date(now));
                let claims =
                    claims.map_err(|_| CredentialError::InvalidProof("the copy shows too little of itself"))?;
                (claims, span, Self::next_part(configuration))
            }
            None => {
                let claims = ClaimSet::check(configuration.credential_type, waiting.claims, issuing::date(now))?;
                (claims, Span::new(now, waiting.valid), configuration.to_string())
            }
        };
        let handle = Handle::parse(&waiting.handle).map_err(|_| SealError::Broken)?;
        // The keys of a deferred request were spent when it was put off.
        let (notification_id, awaited) = self.await_notice(token, dpop_key, now);
        let holder_keys = match spends {
            Spends::Token(_) => holders.keys.iter().map(|key| self.holder_key(key)).collect(),
            Spends::Transaction(_) => Vec::new(),
        };
        if !self.signs_until(span.until) {
            return Err(CredentialError::Denied("it would outlive the certificate of the issuer"));
        }

        let rng = &mut randomness();
        let entries = self.store.allocate(holders.keys.len(), rng)?;
        let statuses: Vec<_> = entries.iter().map(|e| e.reference(&self.config.url)).collect();
        let type_document = self.types.find(configuration.credential_type.vct);
        let batch = Batch {
            type_document: type_document.as_deref(),
            format: configuration.format,
            claims: &claims,
            issuer: &self.config.url,
            span,
            holders: &holders.keys,
            assurance: holders.assurance.as_ref(),
            statuses: &statuses,
        };
        let outcome = issuing::issue(&batch, self.keys.credential(), now, rng).map_err(CredentialError::from).and_then(
            |credentials| {
                let committed = self.store.commit(
                    &Issuance {
                        spends,
                        awaited,
                        nonces: nonces.into_iter().map(|n| (n.spent, n.expires)).collect(),
                        holder_keys,
                        handle: self.handle(&handle),
                        cohort: span.from,
                        expires: span.until,
                        configuration: configuration.to_string(),
                        sealed_entries: self.seal_entries(&handle, &part, &entries)?,
                        part,
                    },
                    now,
                )?;
                match committed {
                    Committed::Done => Ok(Issued::Copies { copies: credentials, notification_id }),
                    other => Err(other.into()),
                }
            },
        );
        if outcome.is_err() {
            // Nobody received them. If this fails as well, some indices are never used: no harm worth another error.
            if let Err(error) = self.store.release(&entries) {
                tracing::warn!(%error, "unused status entries were not given back");
            }
        }
        outcome
    }

    /// Finds what the token grants, and holds it to the way it was given: a bound token with its key's proof, another without.
    fn admit<'a>(&self, call: &CredentialCall<'a>, now: Timestamp) -> Result<(&'a str, TokenRecord), CredentialError> {
        let (token, shown_bound) = match call.authorization.ok_or(CredentialError::NoToken)? {
            Authorization::Bearer(token) => (token, false),
            Authorization::Dpop(token) => (token, true),
        };
        let record = self.store.token(&self.token_key(token), now)?.ok_or(CredentialError::InvalidToken)?;
        self.hold_to_key(call.dpop, CREDENTIAL_PATH, token, record.dpop_key, shown_bound, now)?;
        Ok((token, record))
    }

    /// How the store knows a token.
    pub(super) fn token_key(&self, token: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::Token, &[token.as_bytes()])
    }

    /// Holds a token to the way it was given.
    pub(super) fn hold_to_key(
        &self,
        proof: Option<&str>,
        path: &str,
        token: &str,
        bound_to: Option<[u8; 32]>,
        shown_bound: bool,
        now: Timestamp,
    ) -> Result<(), CredentialError> {
        match (bound_to, shown_bound) {
            (None, false) => Ok(()),
            (Some(bound), true) => {
                let proof = proof.ok_or(CredentialError::InvalidDpop)?;
                match self.spend_dpop(proof, path, Some(token), now) {
                    Ok(thumbprint) if thumbprint == bound => Ok(()),
                    Err(RedeemError::UseDpopNonce { nonce }) => Err(CredentialError::UseDpopNonce { nonce }),
                    Err(RedeemError::Store(error)) => Err(error.into()),
                    _ => Err(CredentialError::InvalidDpop),
                }
            }
            _ => Err(CredentialError::InvalidToken),
        }
    }

    pub(super) fn holder_key(&self, key: &PublicKey) -> Fingerprint {
        self.keys.fingerprint(Purpose::HolderKey, &[&key.thumbprint()])
    }

    /// Which entries belong together, sealed under the handle; of one length for every batch.
    fn seal_entries(&self, handle: &Handle, part: &str, entries: &[Entry]) -> Result<Vec<u8>, SealError> {
        let mut bytes = Vec::with_capacity(BATCH_SIZE as usize * 8);
        for entry in entries {
            bytes.extend_from_slice(&entry.list.number().to_be_bytes());
            bytes.extend_from_slice(&entry.index.to_be_bytes());
        }
        bytes.resize(BATCH_SIZE as usize * 8, 0);
        let secret = entries_secret(handle, part);
        seal::seal(&*self.keys, Purpose::SealHandle, &secret, &bytes)
    }
}

/// The secret under which the entries of one batch are sealed. A secret seals once, and a handle may stand for many batches.
pub(super) fn entries_secret(handle: &Handle, part: &str) -> Zeroizing<String> {
    // What was issued before there were several formats has no configuration, and was sealed under the handle alone.
    let separator = if part.is_empty() { "" } else { "/" };
    Zeroizing::new(format!("{}{separator}{part}", handle.as_str()))
}

pub(super) const KEY_SEEN: &str = "a key was bound to a credential before";

/// Which configuration is asked for: by identifier if the token response gave one, by configuration id otherwise.
fn check_configuration(request: &Map<String, Value>, record: &TokenRecord) -> Result<Configuration, CredentialError> {
    let text = |name| match request.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(CredentialError::InvalidRequest("an identifier must be a string")),
    };
    let granted = |id: &str| record.configurations.iter().any(|granted| granted == id);
    match (text("credential_identifier")?, text("credential_configuration_id")?) {
        (Some(_), Some(_)) => Err(CredentialError::InvalidRequest("an identifier or a configuration id, not both")),
        (None, None) => Err(CredentialError::InvalidRequest("credential_configuration_id is missing")),
        (Some(id), None) if record.by_identifier && granted(id) => {
            Configuration::by_id(id).ok_or(CredentialError::UnknownIdentifier)
        }
        (Some(_), None) => Err(CredentialError::UnknownIdentifier),
        (None, Some(_)) if record.by_identifier => {
            Err(CredentialError::InvalidRequest("credential_identifier from the token response must be used"))
        }
        (None, Some(id)) => match Configuration::by_id(id) {
            Some(configuration) if granted(id) => Ok(configuration),
            Some(_) => Err(CredentialError::InsufficientScope),
            None => Err(CredentialError::UnknownConfiguration),
        },
    }
}
