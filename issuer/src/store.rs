//! The store port: what an issuer must remember, and what must happen in one transaction.

pub mod sqlite;

use crate::grant::Verdict;
use crate::keys::Fingerprint;
use crate::seal::SealError;
use crate::status::{Entry, ListId, SignListError};
use rand_core::CryptoRng;
use schemas::Timestamp;

/// What an issuer remembers. Every call is one transaction, whole or not at all, also against other processes.
///
/// Implementations block; the service calls them off its async threads.
pub trait Store: Send + Sync {
    /// Keeps a new offer.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_offer(&self, offer: &NewOffer) -> Result<(), StoreError>;

    /// The sealed claims of a live offer, found by its code.
    ///
    /// # Errors
    /// [`StoreError`].
    fn offer(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<OfferRecord>, StoreError>;

    /// Judges a redemption with [`crate::grant::judge`] and writes its outcome: the token on success, the count on failure.
    ///
    /// # Errors
    /// [`StoreError`].
    fn redeem(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict, StoreError>;

    /// Keeps a pushed authorization request.
    ///
    /// # Errors
    /// [`StoreError`].
    fn push(&self, pushed: &Pushed) -> Result<(), StoreError>;

    /// A live pushed request, sealed under its name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn request(&self, request: &Fingerprint, now: Timestamp) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets a pushed request.
    ///
    /// # Errors
    /// [`StoreError`].
    fn forget_request(&self, request: &Fingerprint) -> Result<(), StoreError>;

    /// Judges the desk's code with [`crate::grant::judge`] and writes its outcome: on success offer and request are gone,
    /// and the authorization code is there.
    ///
    /// # Errors
    /// [`StoreError`].
    fn authorize(&self, exchange: &Exchange, now: Timestamp) -> Result<Verdict, StoreError>;

    /// What an authorization code grants, sealed under the code; inside `None` when it was exchanged already.
    ///
    /// # Errors
    /// [`StoreError`].
    fn code(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<Option<Vec<u8>>>, StoreError>;

    /// Exchanges an authorization code for a token, once; `false` if it was exchanged or is over.
    ///
    /// # Errors
    /// [`StoreError`].
    fn exchange(&self, redemption: &Redemption, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends the token that an authorization code was exchanged for.
    ///
    /// # Errors
    /// [`StoreError`].
    fn burn(&self, code: &Fingerprint) -> Result<(), StoreError>;

    /// What a live refresh token renews.
    ///
    /// # Errors
    /// [`StoreError`].
    fn renewal(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<RenewalRecord>, StoreError>;

    /// Takes a refresh token for the next one and an access token; `false` if it is over. The old one stays good until
    /// its successor has been used, so that an answer that got lost costs nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn renew(&self, renewal: &Renewal, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends all refresh and access tokens that come from the same offer as this refresh token.
    ///
    /// # Errors
    /// [`StoreError`].
    fn burn_renewals(&self, token: &Fingerprint) -> Result<(), StoreError>;

    /// What was issued under a handle: the name of each batch, and its sealed entries.
    ///
    /// # Errors
    /// [`StoreError`].
    fn issued(&self, handle: &Fingerprint, now: Timestamp) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Whether an entry is revoked, or will be within the hour.
    ///
    /// # Errors
    /// [`StoreError`].
    fn is_revoked(&self, entry: Entry) -> Result<bool, StoreError>;

    /// What a live access token grants.
    ///
    /// # Errors
    /// [`StoreError`].
    fn token(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<TokenRecord>, StoreError>;

    /// Remembers something that may be used once, until it expires; `false` if it was known.
    ///
    /// # Errors
    /// [`StoreError`].
    fn spend(&self, what: &Fingerprint, expires: Timestamp) -> Result<bool, StoreError>;

    /// Whether it was spent.
    ///
    /// # Errors
    /// [`StoreError`].
    fn is_spent(&self, what: &Fingerprint) -> Result<bool, StoreError>;

    /// Takes `count` entries that nobody had before, at random, spread as [`crate::status::spread`] says.
    ///
    /// # Errors
    /// [`StoreError`].
    fn allocate(&self, count: usize, rng: &mut dyn CryptoRng) -> Result<Vec<Entry>, StoreError>;

    /// Gives back entries of copies that nobody received.
    ///
    /// # Errors
    /// [`StoreError`].
    fn release(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Spends a configuration of the token or a transaction, the nonces and the holder keys, with the last one forgets the claims, and keeps
    /// what revocation needs.
    ///
    /// # Errors
    /// [`StoreError`].
    fn commit(&self, issuance: &Issuance, now: Timestamp) -> Result<Committed, StoreError>;

    /// Puts an issuance off: spends a configuration of the token, the nonces and the holder keys, and keeps what was asked.
    ///
    /// # Errors
    /// [`StoreError`].
    fn defer(&self, deferral: &Deferral, now: Timestamp) -> Result<Committed, StoreError>;

    /// All that waits for a decision, or to be fetched after one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn pending(&self, now: Timestamp) -> Result<Vec<PendingRecord>, StoreError>;

    /// What waits and was asked for with this token.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transactions(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<TransactionRecord>, StoreError>;

    /// Decides all that is undecided under a handle; gives how many that were.
    ///
    /// # Errors
    /// [`StoreError`].
    fn decide(&self, handle: &Fingerprint, decision: Decision, now: Timestamp) -> Result<usize, StoreError>;

    /// What the wallet with this token may tell of.
    ///
    /// # Errors
    /// [`StoreError`].
    fn awaited(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<Awaited>, StoreError>;

    /// Ends everything under a handle: an offer, a token, or what was issued. What was issued becomes invalid, and the
    /// lists are signed anew in the same transaction; or at `due`, for each copy at its own time.
    ///
    /// # Errors
    /// [`RevokeError`].
    fn revoke(&self, handle: &Fingerprint, when: &mut dyn When, lists: &dyn Lists) -> Result<Revoked, RevokeError>;

    /// Carries out what is due, and signs lists anew whose token was signed before `signed_before`.
    ///
    /// # Errors
    /// [`RevokeError`].
    fn refresh(&self, now: Timestamp, signed_before: Timestamp, lists: &dyn Lists) -> Result<(), RevokeError>;

    /// All lists there are.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lists(&self) -> Result<Vec<ListId>, StoreError>;

    /// The signed list, if there is such a list and it was signed.
    ///
    /// # Errors
    /// [`StoreError`].
    fn list(&self, list: ListId) -> Result<Option<SignedList>, StoreError>;

    /// Forgets what has expired.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// How a store signs a list and opens which entries belong together: in the middle of its transaction.
pub trait Lists {
    /// Opens what [`Issuance::sealed_entries`] sealed.
    ///
    /// # Errors
    /// [`SealError`] if it is anything else.
    fn open(&self, part: &str, sealed: &[u8]) -> Result<Vec<Entry>, SealError>;

    /// Signs a list in which `revoked` are invalid.
    ///
    /// # Errors
    /// [`SignListError`].
    fn sign(&self, list: ListId, revoked: &[u32]) -> Result<SignedList, SignListError>;
}

/// When each copy becomes invalid.
pub trait When {
    /// The time for the next copy; `None` for at once.
    fn next(&mut self) -> Option<Timestamp>;
}

/// An offer to keep.
#[derive(Debug)]
pub struct NewOffer {
    /// Finds it.
    pub code: Fingerprint,
    /// Checks its transaction code.
    pub tx_code: Fingerprint,
    /// Finds it for revocation.
    pub handle: Fingerprint,
    /// The configurations offered.
    pub configurations: Vec<String>,
    /// When it ends.
    pub expires: Timestamp,
    /// The claims and all else, sealed under the code.
    pub sealed: Vec<u8>,
}

/// A live offer.
#[derive(Debug)]
pub struct OfferRecord {
    /// The configurations offered.
    pub configurations: Vec<String>,
    /// Sealed under the code.
    pub sealed: Vec<u8>,
}

/// A pushed authorization request to keep.
#[derive(Debug)]
pub struct Pushed {
    /// Finds it.
    pub request: Fingerprint,
    /// The offer that it is for.
    pub offer: Fingerprint,
    /// When it ends.
    pub expires: Timestamp,
    /// The request, sealed under its name.
    pub sealed: Vec<u8>,
}

/// A person's answer, ready to be judged.
#[derive(Debug)]
pub struct Exchange {
    /// Which offer.
    pub offer: Fingerprint,
    /// The desk's code as given.
    pub tx_code: Fingerprint,
    /// The request that it answers.
    pub request: Fingerprint,
    /// How the new authorization code will be found.
    pub code: Fingerprint,
    /// When that ends.
    pub expires: Timestamp,
    /// Request and claims, sealed under the code.
    pub sealed: Vec<u8>,
}

/// A token request, ready to be judged.
#[derive(Debug)]
pub struct Redemption {
    /// Which offer.
    pub code: Fingerprint,
    /// The transaction code given.
    pub tx_code: Fingerprint,
    /// How the new token will be found.
    pub token: Fingerprint,
    /// When the new token ends.
    pub token_expires: Timestamp,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// What the token is good for.
    pub configurations: Vec<String>,
    /// Whether the wallet asked with `authorization_details`, and so must name an identifier.
    pub by_identifier: bool,
    /// The claims and all else, sealed under the token.
    pub sealed: Vec<u8>,
    /// The refresh token that goes with it.
    pub refresh: Option<NewRefresh>,
}

/// A refresh token to keep; all else of it is that of the access token beside it.
#[derive(Debug)]
pub struct NewRefresh {
    /// Finds it.
    pub token: Fingerprint,
    /// When it ends.
    pub expires: Timestamp,
    /// What it renews, without any claim, sealed under it.
    pub sealed: Vec<u8>,
}

/// What a live refresh token renews.
#[derive(Debug)]
pub struct RenewalRecord {
    /// The configurations.
    pub configurations: Vec<String>,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: [u8; 32],
    /// When it ends.
    pub expires: Timestamp,
    /// Sealed under it; gone once its successor has been used.
    pub sealed: Option<Vec<u8>>,
}

/// A refresh, ready to be written.
#[derive(Debug)]
pub struct Renewal {
    /// The refresh token that was shown.
    pub shown: Fingerprint,
    /// The next one.
    pub next: NewRefresh,
    /// How the new access token will be found.
    pub token: Fingerprint,
    /// When it ends.
    pub token_expires: Timestamp,
    /// What it grants, sealed under it.
    pub sealed: Vec<u8>,
}

/// What a live access token grants.
#[derive(Debug)]
pub struct TokenRecord {
    /// The configurations that were not issued on it yet.
    pub configurations: Vec<String>,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Whether the wallet must name a credential identifier.
    pub by_identifier: bool,
    /// Sealed under the token.
    pub sealed: Vec<u8>,
}

/// An issuance of which a wallet may tell how it went.
#[derive(Debug)]
pub struct Awaited {
    /// Its notification identifier.
    pub id: Fingerprint,
    /// The token that it was asked for with.
    pub token: Fingerprint,
    /// The thumbprint of the DPoP key that the token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Until when.
    pub expires: Timestamp,
}

/// What an issuance spends.
#[derive(Debug)]
pub enum Spends {
    /// A token, or a part of it.
    Token(Fingerprint),
    /// A transaction that was approved.
    Transaction(Fingerprint),
}

/// An issuance that is put off.
#[derive(Debug)]
pub struct Deferral {
    /// Finds it.
    pub id: Fingerprint,
    /// The token that it was asked for with.
    pub token: Fingerprint,
    /// The thumbprint of the DPoP key that the token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Finds it for a decision and for revocation.
    pub handle: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The nonces it spends, each with its expiry.
    pub nonces: Vec<(Fingerprint, Timestamp)>,
    /// The holder keys it will be bound to.
    pub holder_keys: Vec<Fingerprint>,
    /// Until when these are known again.
    pub keys_until: Timestamp,
    /// The day on which it was asked for.
    pub asked: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// Claims and keys, sealed under the transaction identifier.
    pub sealed: Vec<u8>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is issued when the wallet asks again.
    Approved,
    /// It is not.
    Declined,
}

/// What waits, without what it is.
#[derive(Debug)]
pub struct PendingRecord {
    /// Its handle.
    pub handle: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The day on which it was asked for.
    pub asked: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// What waits, for the wallet that asks.
#[derive(Debug)]
pub struct TransactionRecord {
    /// Its identifier.
    pub id: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The thumbprint of the DPoP key that its token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// Sealed under the transaction identifier; gone when it was declined.
    pub sealed: Option<Vec<u8>>,
}

/// An issuance to be written down.
#[derive(Debug)]
pub struct Issuance {
    /// What it spends.
    pub spends: Spends,
    /// What the wallet may tell of.
    pub awaited: Awaited,
    /// The configuration that is issued.
    pub configuration: String,
    /// What this batch is called under its handle.
    pub part: String,
    /// The nonces it spends, each with its expiry.
    pub nonces: Vec<(Fingerprint, Timestamp)>,
    /// The holder keys it binds to.
    pub holder_keys: Vec<Fingerprint>,
    /// Finds it for revocation.
    pub handle: Fingerprint,
    /// The day of issuance, which many share.
    pub cohort: Timestamp,
    /// When its credentials end.
    pub expires: Timestamp,
    /// Which entries belong to it, sealed under handle and part.
    pub sealed_entries: Vec<u8>,
}

/// How writing down an issuance went. Anything but `Done` has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is written.
    Done,
    /// The token is spent, at least for this configuration, or revoked or expired.
    TokenGone,
    /// The transaction was answered, or revoked, or its time is over.
    TransactionGone,
    /// A nonce is spent.
    NonceSpent,
    /// A holder key was bound to a credential before.
    KeySeen,
}

/// What a revocation met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// An offer or a token that had not been used: it is gone, and nothing was issued.
    Unused,
    /// Issued copies, now or soon invalid; again, if they were already.
    Issued,
    /// Nothing under this handle.
    Nothing,
}

/// A signed list.
#[derive(Debug, Clone)]
pub struct SignedList {
    /// The Status List Token.
    pub token: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process held it for too long.
    #[error("the issuer's database is busy with another process")]
    Busy,
    /// The disk is full.
    #[error("the disk of the issuer's database is full")]
    Full,
    /// It is not ours, or was written by a newer version.
    #[error("the issuer's database has version {found}, this program understands {known}")]
    Version {
        /// What it says.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// It holds something that cannot be.
    #[error("the issuer's database is damaged: {0}")]
    Damaged(&'static str),
    /// Anything else below us.
    #[error("the issuer's database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a revocation, or signing lists anew, failed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What belongs to the handle does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A list could not be signed.
    #[error(transparent)]
    Sign(#[from] SignListError),
}
