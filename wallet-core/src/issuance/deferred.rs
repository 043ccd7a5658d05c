//! What an issuer promised for later: kept in the vault, asked for again until it comes or is declined.

use super::access::{Access, AccessRecord, Secret, key_from_text, key_to_text};
use super::answered::{Answered, read_answer};
use super::delivered::{Batch, Delivered};
use super::encryption::{self, Encryption, Opener};
use super::error::{Answer, IssuanceError};
use super::notice::Notices;
use super::offered::Kind;
use super::renewal::{Renewal, RenewalRecord};
use crate::display::Shown;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address};
use crate::holdings::{Holdings, HoldingsError, label};
use crate::vault::{RecordId, RecordKind};
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// What an issuer promised for later.
///
/// Keep it with [`Holdings::defer`] before the process ends: it holds the keys of the copies and the token that opens
/// them, and nobody else has either.
#[must_use = "without it, what the issuer promised is lost"]
pub struct Deferred {
    issuer: String,
    doors: Doors,
    access: Access,
    transactions: VecDeque<Transaction>,
    asked_at: Timestamp,
    renewal: Option<Renewal>,
}

/// Where to ask and to tell, and how.
pub(super) struct Doors {
    pub(super) endpoint: Url,
    pub(super) notification: Option<Url>,
    pub(super) encryption: Option<Encryption>,
}

/// One credential request that the issuer answers later.
pub(super) struct Transaction {
    pub(super) kind: Kind,
    pub(super) keys: Vec<SoftwareKey>,
    pub(super) id: Zeroizing<String>,
    /// The shortest time between two questions.
    pub(super) interval: Seconds,
}

/// The name of a promise in this vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeferredId(RecordId);

/// What came of asking.
#[derive(Debug)]
pub struct Asked {
    /// What came, to be verified; nothing in it when nothing came.
    pub delivered: Delivered,
    /// What the issuer still promises.
    pub left: Option<Deferred>,
    /// The types that the issuer will not issue, or that it does not know any more.
    pub declined: Vec<Shown>,
}

/// The issuer is being asked.
pub struct Asking {
    effect: Effect,
    promise: Deferred,
    current: Transaction,
    opener: Option<Opener>,
    retried: bool,
    later: VecDeque<Transaction>,
    batches: Vec<Batch>,
    declined: Vec<Shown>,
}

impl Deferred {
    pub(super) const fn new(
        issuer: String,
        doors: Doors,
        access: Access,
        transactions: VecDeque<Transaction>,
        asked_at: Timestamp,
    ) -> Self {
        Self { issuer, doors, access, transactions, asked_at, renewal: None }
    }

    pub(super) fn and_renewal(self, renewal: Option<Renewal>) -> Self {
        Self { renewal, ..self }
    }

    /// The issuer that promised it.
    pub fn issuer(&self) -> Shown {
        Shown::text(&self.issuer)
    }

    /// The types that were promised, for people.
    pub fn types(&self) -> Vec<Shown> {
        let mut types: Vec<Shown> = self.transactions.iter().map(|transaction| transaction.kind.shown()).collect();
        types.dedup();
        types
    }

    /// When the issuer was asked last.
    pub const fn asked_at(&self) -> Timestamp {
        self.asked_at
    }

    /// From when on the issuer wants to be asked again.
    pub fn ask_again_at(&self) -> Timestamp {
        let interval = self.transactions.iter().map(|transaction| transaction.interval).max();
        self.asked_at.plus(interval.unwrap_or_default())
    }

    /// Asks the issuer for what it promised.
    ///
    /// # Errors
    /// [`IssuanceError::Key`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §9.1.
    pub fn ask(mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Asking, IssuanceError> {
        let current = self.transactions.pop_front().ok_or(IssuanceError::Malformed(Answer::Deferred))?;
        self.asked_at = now;
        let (effect, opener) = self.question(&current, now, rng)?;
        let (later, batches, declined) = (VecDeque::new(), Vec::new(), Vec::new());
        Ok(Asking { effect, promise: self, current, opener, retried: false, later, batches, declined })
    }

    fn question(
        &self,
        transaction: &Transaction,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Effect, Option<Opener>), IssuanceError> {
        let request = Map::from_iter([("transaction_id".to_owned(), Value::from(transaction.id.as_str()))]);
        let (message, opener) = encryption::seal(self.doors.encryption.as_ref(), request, rng)?;
        Ok((self.access.post(&self.doors.endpoint, message, now, rng)?, opener))
    }
}

impl Errand for Asking {
    type Ready = Asked;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        mut self,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let answered = match outcome {
            Outcome::Response(response) => {
                if self.promise.access.must_repeat(&response) && !self.retried {
                    (self.effect, self.opener) = self.promise.question(&self.current, now, rng)?;
                    self.retried = true;
                    return Ok(Progress::Waiting(self));
                }
                let status = response.status;
                encryption::open(self.opener.as_ref(), response, Answer::Deferred)
                    .and_then(|response| read_answer(&response, Answer::Deferred, self.current.keys.len()))
                    .map_err(|error| (status, error))
            }
            Outcome::Unreachable => Err((0, IssuanceError::Unreachable(Answer::Deferred))),
        };
        let Self { effect: _, mut promise, mut current, opener: _, retried: _, mut later, mut batches, mut declined } =
            self;
        match answered {
            Ok(Answered::Copies { texts, notification_id }) => {
                let Transaction { kind, keys, .. } = current;
                batches.push(Batch { kind, keys, texts, notification_id });
            }
            // §9.2: the identifier stays what it was.
            Ok(Answered::Later { transaction_id, interval }) if *transaction_id == *current.id => {
                current.interval = interval;
                later.push_back(current);
            }
            Ok(Answered::Later { .. }) => return Err(IssuanceError::Malformed(Answer::Deferred)),
            Err((status, IssuanceError::Refused { code, .. })) if is_final(status, code.as_deref()) => {
                declined.push(current.kind.shown());
            }
            // What came before the fault is not lost: only where nothing came, the fault is the answer.
            Err((_, error)) if batches.is_empty() => return Err(error),
            Err(_) => {
                later.push_back(current);
                return Ok(Progress::Ready(end(promise, later, batches, declined)));
            }
        }
        let Some(current) = promise.transactions.pop_front() else {
            return Ok(Progress::Ready(end(promise, later, batches, declined)));
        };
        let (effect, opener) = promise.question(&current, now, rng)?;
        Ok(Progress::Waiting(Self { effect, promise, current, opener, retried: false, later, batches, declined }))
    }
}

fn end(mut promise: Deferred, later: VecDeque<Transaction>, batches: Vec<Batch>, declined: Vec<Shown>) -> Asked {
    promise.transactions.extend(later);
    let notices = Notices::new(promise.doors.notification.clone(), promise.access.clone());
    let delivered = Delivered::new(promise.issuer.clone(), batches, notices).and_renewal(promise.renewal.clone());
    let left = if promise.transactions.is_empty() { None } else { Some(promise) };
    Asked { delivered, left, declined }
}

/// Whether the issuer will not change its mind: declined, not known (any more), or the time of the token is over.
///
/// # Source
/// OpenID4VCI 1.0 §9.3: "SHOULD stop making requests"; RFC 6750 §3.1.
fn is_final(status: u16, code: Option<&str>) -> bool {
    matches!(code, Some("credential_request_denied" | "invalid_transaction_id" | "invalid_token")) || status == 401
}

/// A promise as it stands in the vault.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u8,
    issuer: String,
    endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
    access: AccessRecord,
    transactions: Vec<TransactionRecord>,
    asked_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renewal: Option<RenewalRecord>,
}

#[derive(Serialize, Deserialize)]
struct TransactionRecord {
    kind: Kind,
    keys: Vec<Secret>,
    id: Secret,
    interval: Seconds,
}

impl Holdings<'_> {
    /// Keeps what an issuer promised. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`] when there is no room; [`IssuanceError::Key`].
    pub fn defer(&mut self, promise: &Deferred, rng: &mut dyn CryptoRng) -> Result<DeferredId, IssuanceError> {
        let record = Record::of(promise)?;
        Ok(DeferredId(self.write(RecordKind::DEFERRED, None, &record, rng)?))
    }

    /// What issuers have promised, the oldest first. One whose record is damaged is left out.
    pub fn deferred(&self) -> Vec<(DeferredId, Deferred)> {
        let ids = self.records.ids(RecordKind::DEFERRED).into_iter();
        let mut promises: Vec<(DeferredId, Deferred)> =
            ids.filter_map(|id| Some((DeferredId(id), self.parse::<Record>(id).ok()?.open()?))).collect();
        promises.sort_by_key(|(id, promise)| (promise.asked_at, *id));
        promises
    }

    /// Writes down what is left of a promise; nothing left: it is forgotten.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`], [`IssuanceError::Key`].
    pub fn settle_deferred(
        &mut self,
        id: DeferredId,
        left: Option<&Deferred>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), IssuanceError> {
        match left {
            Some(promise) => {
                let record = Record::of(promise)?;
                self.write(RecordKind::DEFERRED, Some(id.0), &record, rng)?;
            }
            None => self.records.remove(id.0, rng).map_err(HoldingsError::from)?,
        }
        Ok(())
    }
}

impl Record {
    fn of(promise: &Deferred) -> Result<Self, IssuanceError> {
        let Deferred { issuer, doors, access, transactions, asked_at, renewal } = promise;
        let Doors { endpoint, notification, encryption } = doors;
        let transaction = |t: &Transaction| -> Result<TransactionRecord, IssuanceError> {
            let keys = t.keys.iter().map(key_to_text).collect::<Result<_, _>>()?;
            Ok(TransactionRecord { kind: t.kind.clone(), keys, id: Secret::new(&t.id), interval: t.interval })
        };
        Ok(Self {
            v: VERSION,
            issuer: issuer.clone(),
            endpoint: endpoint.to_string(),
            notification: notification.as_ref().map(Url::to_string),
            encryption: encryption.clone(),
            access: access.to_record()?,
            transactions: transactions.iter().map(transaction).collect::<Result<_, _>>()?,
            asked_at: *asked_at,
            renewal: renewal.as_ref().map(Renewal::to_record).transpose()?,
        })
    }

    fn open(self) -> Option<Deferred> {
        let Self { v: VERSION, issuer, endpoint, notification, encryption, access, transactions, asked_at, renewal } =
            self
        else {
            return None;
        };
        // What led to this machine when the person's link did may do so again, and nothing else.
        let loopback = Loopback::as_named_by(&issuer);
        let reach = |text: &str| address(text, loopback).ok();
        let transaction = |t: TransactionRecord| {
            let keys = t.keys.iter().map(|text| key_from_text(text.as_str())).collect::<Option<_>>()?;
            Some(Transaction { kind: t.kind, keys, id: Zeroizing::new(t.id.as_str().to_owned()), interval: t.interval })
        };
        Some(Deferred {
            doors: Doors {
                endpoint: reach(&endpoint)?,
                notification: notification.as_deref().and_then(reach),
                encryption,
            },
            issuer,
            access: Access::from_record(access)?,
            transactions: transactions.into_iter().map(transaction).collect::<Option<_>>()?,
            asked_at,
            renewal: renewal.and_then(Renewal::from_record),
        })
    }
}

impl Kind {
    /// Its type for people.
    pub(super) fn shown(&self) -> Shown {
        label(&self.type_id, self.label.as_deref())
    }
}

impl fmt::Display for DeferredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Keys and a token are in it.
impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, doors: _, access: _, transactions, asked_at, renewal: _ } = self;
        f.debug_struct("Deferred")
            .field("issuer", issuer)
            .field("transactions", &transactions.len())
            .field("asked_at", asked_at)
            .finish_non_exhaustive()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("effect", &self.effect).finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
