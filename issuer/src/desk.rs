//! The desk: what the issuer does, over its ports. Everything the service and the command line ask goes through here.

mod authorization;
mod client;
mod deferral;
mod encryption;
mod issuance;
mod notification;
mod offering;
mod proofs;
mod redemption;
mod renewal;
mod revocation;

pub use authorization::{Answered, Asked, AuthorizeError, CODE_LIFETIME, PushCall, REQUEST_LIFETIME};
pub use client::ClientCall;
pub use deferral::{DECISION_TIME, INTERVAL, MAX_DECISION_TIME, Pending};
pub use encryption::Reply;
pub use issuance::{Authorization, CredentialCall, CredentialError, Issued};
pub use notification::{Event, NOTICE_TIME, NotificationError};
pub use offering::{Grant, Link, LinkScheme, OfferError, Offered, Order};
pub use redemption::{RedeemError, Redeemed, TokenCall};
pub use renewal::MAX_BATCHES;
pub use revocation::{Outcome, Pace};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::demands::Demands;
use crate::encryption::RequestKey;
use crate::keys::Keys;
use crate::keys::software::{KeyFileError, SoftwareKeys};
use crate::lists::HttpLists;
use crate::metadata;
use crate::published_keys;
use crate::published_types::PublishedTypes;
use crate::status::ListId;
use crate::statuses::Statuses;
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{Store, StoreError};
use credentials::key::KeyError;
use credentials::signer::SignError;
use credentials::trust::{CertificateChain, ChainError, TrustAnchors, Usage};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use schemas::Timestamp;
use schemas::openid4vci::IssuerMetadata;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The file of the configuration, below the data directory.
pub const CONFIG_FILE: &str = "issuer.json";
/// The file of the trust anchor, below the data directory: what verifiers and wallets are given.
pub const ANCHOR_FILE: &str = "trust-anchor.pem";

/// The file of the newest trust list, below the data directory, of an authority that makes them.
pub const TRUST_LIST_FILE: &str = "trust-list.jwt";

/// An issuer: its configuration, and its ports.
pub struct Issuer {
    dir: PathBuf,
    config: Config,
    demands: Demands,
    request_key: RequestKey,
    types: PublishedTypes,
    anchors: TrustAnchors,
    keys: Box<dyn Keys>,
    statuses: Statuses,
    store: Box<dyn Store>,
    clock: Box<dyn Clock>,
    /// Lists in CWT format, each beside the JWT that it says the same as.
    cwts: Mutex<BTreeMap<ListId, (String, Vec<u8>)>>,
}

/// Why an issuer cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// `init` did not run here.
    #[error("{dir} holds no issuer")]
    NotInitialised {
        /// Where.
        dir: String,
    },
    /// The configuration or the anchor cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// No key for encryption comes of the key files.
    #[error("no key for encryption can be derived")]
    RequestKey(#[from] KeyError),
    /// A chain does not hold today.
    #[error("the {which} certificate does not hold now")]
    Chain {
        /// Which chain.
        which: &'static str,
        /// Why.
        source: ChainError,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Issuer {
    /// Opens what `init` made in `dir`, with the machine's clock.
    ///
    /// # Errors
    /// [`OpenError`], naming the file.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_at(dir, SystemClock)
    }

    /// Opens what `init` made in `dir`, with another clock.
    ///
    /// # Errors
    /// [`OpenError`], naming the file.
    pub fn open_at(dir: &Path, clock: impl Clock + 'static) -> Result<Self, OpenError> {
        let config = read(dir, CONFIG_FILE)?;
        let config: Config = serde_json::from_slice(&config)
            .map_err(|e| OpenError::Unreadable { file: CONFIG_FILE.to_owned(), reason: e.to_string() })?;
        let anchors = TrustAnchors::from_pem(&read(dir, ANCHOR_FILE)?)
            .map_err(|e| OpenError::Unreadable { file: ANCHOR_FILE.to_owned(), reason: e.to_string() })?;
        let keys = SoftwareKeys::open(dir)?;
        let is_plain = config.url.is_plain();
        let store = SqliteStore::open(&dir.join(sqlite::FILE))?;
        let issuer = Self {
            dir: dir.to_owned(),
            types: PublishedTypes::below(dir),
            config,
            demands: Demands::default(),
            request_key: RequestKey::derive(&keys)?,
            anchors,
            keys: Box::new(keys),
            statuses: Statuses::new(Box::new(HttpLists::new(is_plain))),
            store: Box::new(store),
            clock: Box::new(clock),
            cwts: Mutex::default(),
        };
        // An issuer whose chain no verifier would take must not find out at the border.
        let now = issuer.now();
        issuer.check(issuer.keys.credential().chain, Usage::CredentialIssuing, "credential", now)?;
        issuer.check(issuer.keys.status().chain, Usage::StatusSigning, "status", now)?;
        Ok(issuer)
    }

    /// The same issuer, demanding more of wallets.
    #[must_use]
    pub fn demanding(self, demands: Demands) -> Self {
        Self { demands, ..self }
    }

    /// Who it is.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The issuer's metadata.
    pub fn metadata(&self) -> IssuerMetadata {
        metadata::issuer(&self.config, &self.demands, &self.request_key)
    }

    /// The documents of types that it publishes.
    pub const fn types(&self) -> &PublishedTypes {
        &self.types
    }

    /// Whether it publishes the keys that credentials are verified with.
    pub const fn publishes_keys(&self) -> bool {
        self.demands.publish_keys
    }

    /// Its JWT VC issuer metadata.
    pub fn key_metadata(&self) -> Value {
        let identity = self.keys.credential();
        published_keys::issuer_metadata(&self.dir, &self.config.url, identity, &self.anchors, self.now())
    }

    /// The metadata of its authorization server.
    pub fn server_metadata(&self) -> Value {
        metadata::authorization_server(&self.config, &self.demands)
    }

    /// The issuer's metadata, signed.
    ///
    /// # Errors
    /// [`SignError`] when the key is out of reach.
    pub fn signed_metadata(&self) -> Result<String, SignError> {
        metadata::signed_issuer(&self.metadata(), self.keys.credential(), self.now())
    }

    /// The newest trust list, where this authority makes any.
    ///
    /// # Errors
    /// When the file cannot be read.
    #[allow(clippy::disallowed_methods, reason = "the issuer's own file, written by another process")]
    pub fn trust_list(&self) -> std::io::Result<Option<String>> {
        match std::fs::read_to_string(self.dir.join(TRUST_LIST_FILE)) {
            Ok(text) => Ok(Some(text.trim_end().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The time, as this issuer's clock has it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the chain for credentials still holds at `time`: no credential may outlive it.
    fn signs_until(&self, time: Timestamp) -> bool {
        self.check(self.keys.credential().chain, Usage::CredentialIssuing, "credential", time).is_ok()
    }

    fn check(
        &self,
        chain: &CertificateChain,
        usage: Usage,
        which: &'static str,
        at: Timestamp,
    ) -> Result<(), OpenError> {
        chain.verify(&self.anchors, usage, at).map(drop).map_err(|source| OpenError::Chain { which, source })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dir: _,
            config,
            demands: _,
            request_key: _,
            types: _,
            anchors: _,
            keys: _,
            statuses: _,
            store: _,
            clock: _,
            cwts: _,
        } = self;
        f.debug_struct("Issuer").field("url", &config.url.as_str()).finish_non_exhaustive()
    }
}

/// The machine's randomness; that it fails is fatal (`security.md` §0).
const fn randomness() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

#[allow(clippy::disallowed_methods, reason = "the issuer's own files")]
fn read(dir: &Path, file: &str) -> Result<Vec<u8>, OpenError> {
    std::fs::read(dir.join(file)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotInitialised { dir: dir.display().to_string() },
        _ => OpenError::Unreadable { file: file.to_owned(), reason: error.to_string() },
    })
}
