//! Issuing later: what waits for the registry's decision, the decision, and the wallet that asks again.

use super::encryption::Reply;
use super::issuance::{Authorization, Called, CredentialCall, CredentialError, Issued};
use super::offering::Waiting;
use super::proofs::Holders;
use super::{Issuer, randomness};
use crate::configuration::Configuration;
use crate::keys::{Fingerprint, Purpose};
use crate::metadata::DEFERRED_PATH;
use crate::nonce::LiveNonce;
use crate::seal::{self, SealError};
use crate::secret::{Handle, TransactionId};
use crate::store::{Committed, Decision, Deferral, PendingRecord, Spends, StoreError};
use credentials::key::PublicKey;
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// How long a wallet waits at least before it asks again.
pub const INTERVAL: Seconds = Seconds::new(5);
/// How long a registry may take unless the desk says otherwise.
pub const DECISION_TIME: Seconds = Seconds::DAY.times(7);
/// The longest that a registry may take: personal data waits no longer than this, sealed under the wallet's secret.
pub const MAX_DECISION_TIME: Seconds = Seconds::DAY.times(30);

/// An issuance that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Eight digits that the desk was given with the offer: which one it is, not a key to it.
    pub reference: String,
    /// The configuration asked for.
    pub configuration: String,
    /// The day on which the wallet asked.
    pub asked: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// What was decided, if it was.
    pub decision: Option<Decision>,
}

/// What waits, sealed under the transaction identifier.
#[derive(Serialize, Deserialize)]
struct Held {
    waiting: Waiting,
    holders: Vec<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assurance: Option<Map<String, Value>>,
}

impl Issuer {
    /// What waits for a decision, and what was decided and not fetched yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let records = self.store.pending(self.now())?;
        let pending = records.into_iter().map(|PendingRecord { handle, configuration, asked, expires, decision }| {
            Pending { reference: reference(&handle), configuration, asked, expires, decision }
        });
        Ok(pending.collect())
    }

    /// Decides what waits under a handle; gives how many credentials that were. A decision stands: whoever declined makes
    /// a new offer, whoever approved revokes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn decide(&self, handle: &Handle, decision: Decision) -> Result<usize, StoreError> {
        self.store.decide(&self.handle(handle), decision, self.now())
    }

    /// How the desk and the registry call an offer between them.
    pub(super) fn handle(&self, handle: &Handle) -> Fingerprint {
        self.keys.fingerprint(Purpose::Handle, &[handle.as_str().as_bytes()])
    }

    /// Answers a deferred credential request.
    ///
    /// # Errors
    /// [`CredentialError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §9.
    pub fn deferred(&self, call: &CredentialCall<'_>) -> Result<Reply, CredentialError> {
        let now = self.now();
        let (token, shown_bound) = match call.authorization.ok_or(CredentialError::NoToken)? {
            Authorization::Bearer(token) => (token, false),
            Authorization::Dpop(token) => (token, true),
        };
        let transactions = self.store.transactions(&self.token_key(token), now)?;
        let first = transactions.first().ok_or(CredentialError::InvalidToken)?;
        self.hold_to_key(call.dpop, DEFERRED_PATH, token, first.dpop_key, shown_bound, now)?;
        // How this answer is encrypted is said anew; what the first request said is not kept.
        let (request, to) = self.read_request(call)?;
        let id = request.get("transaction_id").and_then(Value::as_str);
        let id = id.ok_or(CredentialError::InvalidRequest("transaction_id is missing"))?;
        let key = self.keys.fingerprint(Purpose::Transaction, &[id.as_bytes()]);
        let transaction = transactions.into_iter().find(|transaction| transaction.id.matches(&key));
        let transaction = transaction.ok_or(CredentialError::InvalidTransaction)?;
        match transaction.decision {
            None => {
                let issued = Issued::Later { transaction_id: TransactionId::from_wallet(id), interval: INTERVAL };
                return Ok(Reply { issued, to });
            }
            Some(Decision::Declined) => return Err(CredentialError::Denied("the registry has declined it")),
            Some(Decision::Approved) => {}
        }
        let sealed = transaction.sealed.ok_or(SealError::Broken)?;
        let plaintext = seal::open(&*self.keys, Purpose::SealTransaction, id, &sealed)?;
        let Held { waiting, holders, assurance } = serde_json::from_slice(&plaintext).map_err(|_| SealError::Broken)?;
        let keys = holders
            .iter()
            .map(|jwk| PublicKey::from_jwk(jwk).map_err(|_| SealError::Broken))
            .collect::<Result<_, _>>()?;
        let holders = Holders { keys, assurance };
        let configuration =
            Configuration::by_id(&transaction.configuration).ok_or(CredentialError::UnknownConfiguration)?;
        let called = Called {
            spends: Spends::Transaction(key),
            token: self.token_key(token),
            dpop_key: transaction.dpop_key,
            shown: None,
        };
        let issued = self.issue_copies(configuration, waiting, &holders, Vec::new(), called, now)?;
        Ok(Reply { issued, to })
    }

    /// Puts a credential request off until somebody has decided; the wallet's keys and the claims wait under the
    /// transaction identifier, which only the wallet holds.
    pub(super) fn defer(
        &self,
        configuration: Configuration,
        waiting: Waiting,
        holders: &Holders,
        nonces: Vec<LiveNonce>,
        token: (&str, Option<[u8; 32]>),
        now: Timestamp,
    ) -> Result<Issued, CredentialError> {
        let id = TransactionId::generate(&mut randomness());
        let handle = Handle::parse(&waiting.handle).map_err(|_| SealError::Broken)?;
        let expires = now.plus(waiting.decision_time.unwrap_or(DECISION_TIME));
        let until = crate::issuing::Span::new(expires, waiting.valid).until;
        let Holders { keys, assurance } = holders;
        let jwks = keys.iter().map(PublicKey::to_jwk).collect();
        let held = Held { waiting, holders: jwks, assurance: assurance.clone() };
        let plaintext = Zeroizing::new(serde_json::to_vec(&held).map_err(|_| SealError::TooLong)?);
        let (token, dpop_key) = token;
        let committed = self.store.defer(
            &Deferral {
                id: self.keys.fingerprint(Purpose::Transaction, &[id.as_str().as_bytes()]),
                token: self.token_key(token),
                dpop_key,
                handle: self.handle(&handle),
                configuration: configuration.to_string(),
                nonces: nonces.into_iter().map(|nonce| (nonce.spent, nonce.expires)).collect(),
                holder_keys: keys.iter().map(|key| self.holder_key(key)).collect(),
                keys_until: until,
                asked: now.floor_to(Seconds::DAY),
                expires,
                sealed: seal::seal(&*self.keys, Purpose::SealTransaction, id.as_str(), &plaintext)?,
            },
            now,
        )?;
        match committed {
            Committed::Done => Ok(Issued::Later { transaction_id: id, interval: INTERVAL }),
            other => Err(other.into()),
        }
    }
}

/// The first digits of a handle's fingerprint.
pub(super) fn reference(handle: &Fingerprint) -> String {
    handle.as_bytes().iter().take(4).fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
