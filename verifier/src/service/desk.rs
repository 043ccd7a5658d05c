//! The desk: everything the service does, without HTTP and without a command line.

mod answering;
mod asking;
mod in_person;
mod reading;

pub(super) use answering::{Answered, system_actor};
pub use asking::{Ask, Begun};
pub use in_person::Encounter;
pub use reading::{ConsentShown, Outcome, Report, Shown};
pub(super) use reading::{PATIENCE, interrupted};

use super::clock::Clock;
use super::config::Config;
use super::identity::{Identity, IdentityError};
use super::key_files::{KeyFileError, KeyFiles, create_private_dir, private_file, sync_dir};
use super::ledger::LedgerError;
use super::registrar::OwnRegistration;
use super::status_keeper::StatusKeeper;
use super::store::{AuditLine, Store, StoreError, StoredAnchor};
use crate::guarded::SealError;
use crate::in_person::NotInPerson;
use crate::time_floor::ClockSuspect;
use crate::transaction::{Endpoints, InquiryError};
use credentials::registration::RegistrationError;
use credentials::trust::list::TrustListError;
use credentials::trust::{AnchorError, AnchorLimits, ChainCache, TrustAnchors};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use schemas::Timestamp;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Why the desk could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    // The caller's fault.
    /// There is a verifier in the folder already.
    #[error("there is a verifier in {} already", .0.display())]
    Exists(PathBuf),
    /// The inquiry cannot be made.
    #[error(transparent)]
    Inquiry(#[from] InquiryError),
    /// The inquiry cannot be made of somebody who stands at the desk.
    #[error(transparent)]
    NotInPerson(#[from] NotInPerson),
    /// The text holds no trust anchor.
    #[error("not a trust anchor: {0}")]
    Anchor(#[from] AnchorError),
    /// Nobody was named who signs the list.
    #[error("this trust list is not here yet, and nobody was named who signs it")]
    NoListSigner,
    /// Somebody else was named for the list before.
    #[error("other authorities were named before for the trust list {0}")]
    OtherAuthorities(String),
    /// There are more lists than a desk needs.
    #[error("there are as many trust lists as a desk may have")]
    TooManyLists,
    // The other side's fault.
    /// A trust list does not hold.
    #[error(transparent)]
    TrustList(#[from] TrustListError),
    /// A trust list could not be had.
    #[error("the trust list could not be had: {0}")]
    Unfetched(String),
    // The caller's again.
    /// There is no such transaction.
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// Another session than the one that the person came back to.
    #[error("the answer is for the browser session that it came back to: the response_code is missing or another's")]
    OtherSession,
    /// What a registrar says of this verifier cannot be shown.
    #[error("the registration cannot be used: {0}")]
    Registration(#[from] RegistrationError),
    // The surroundings' fault.
    /// The clock was set back.
    #[error(transparent)]
    ClockSuspect(#[from] ClockSuspect),
    /// The settings could not be read.
    #[error("the settings in {} cannot be read: {why}", path.display())]
    Config {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The verifier's own key or certificates.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The stored presentation or its terms were changed.
    #[error("the stored presentation, or its terms, were changed; it does not open")]
    Corrupt,
    /// Something that cannot happen: a key that does not sign, a cipher that does not seal.
    #[error("an operation failed that should not: {0}")]
    Internal(&'static str),
}

impl From<LedgerError> for DeskError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Store(error) => Self::Store(error),
            LedgerError::Key(error) => Self::Key(error),
        }
    }
}

impl From<SealError> for DeskError {
    fn from(_: SealError) -> Self {
        Self::Internal("sealing")
    }
}

/// A verifier's desk, its state in one folder. Several processes may have the same folder open.
pub struct Desk {
    config: Config,
    endpoints: Endpoints,
    identity: Identity,
    store: Store,
    keys: KeyFiles,
    clock: Arc<dyn Clock>,
    keeper: StatusKeeper,
    chains: ChainCache,
    anchors: Mutex<(AnchorMarks, Arc<TrustAnchors>)>,
    registration: OnceLock<OwnRegistration>,
}

/// What tells whether the anchors changed: those named by hand, and which trust lists there are.
type AnchorMarks = (Vec<StoredAnchor>, Vec<(i64, Vec<u8>)>);

impl Desk {
    /// Makes a new verifier in `dir`: its key and certificates, an empty store, its settings.
    ///
    /// # Errors
    /// [`DeskError::Exists`] when there is one; otherwise when a file could not be made.
    pub fn create(dir: &Path, config: &Config) -> Result<(), DeskError> {
        let path = dir.join(Config::FILE);
        if path.exists() {
            return Err(DeskError::Exists(dir.to_owned()));
        }
        let failed = |error: std::io::Error| DeskError::Config { path: path.clone(), why: error.to_string() };
        create_private_dir(dir).map_err(failed)?;
        KeyFiles::below(dir).create()?;
        Identity::create(dir, &config.url, &config.name, config.made_at, &mut rng())?;
        // Last: whoever finds the settings finds all the rest.
        match Store::create(dir) {
            Err(StoreError::File(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(DeskError::Exists(dir.to_owned()));
            }
            done => done?,
        }
        let text = serde_json::to_string_pretty(config).map_err(|_| DeskError::Internal("settings"))?;
        private_file(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| sync_dir(dir))
            .map_err(failed)
    }

    /// Opens the verifier in `dir`.
    ///
    /// # Errors
    /// [`DeskError`] when a part of it is missing or cannot be read.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Self>, DeskError> {
        let config = Self::config_in(dir)?;
        let identity = Identity::open(dir, &config.url)?;
        Ok(Arc::new(Self {
            endpoints: Endpoints::below(config.url.as_str()),
            keeper: StatusKeeper::new(config.url.is_loopback()),
            config,
            identity,
            store: Store::open(dir)?,
            keys: KeyFiles::below(dir),
            clock,
            chains: ChainCache::new(),
            anchors: Mutex::default(),
            registration: OnceLock::new(),
        }))
    }

    /// The settings of the verifier in `dir`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none, [`DeskError::Config`] when they cannot be read.
    pub fn config_in(dir: &Path) -> Result<Config, DeskError> {
        let path = dir.join(Config::FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Err(StoreError::Missing(dir.to_owned()).into());
            }
            Err(error) => return Err(DeskError::Config { path, why: error.to_string() }),
        };
        let config: Config = serde_json::from_slice(&text)
            .map_err(|error| DeskError::Config { path: path.clone(), why: error.to_string() })?;
        if config.version > Config::VERSION {
            return Err(StoreError::Newer.into());
        }
        Ok(config)
    }

    /// Adds the trust anchors in a PEM text, for what `limits` name or, without any, for everything; gives their names and
    /// whether each is new or limited anew. One that is there keeps its limits unless others are given.
    ///
    /// # Errors
    /// [`DeskError::Anchor`] when there is none in it, or one that may not sign others: then none is added.
    pub fn trust(&self, pem: &[u8], limits: Option<&AnchorLimits>) -> Result<Vec<(String, bool)>, DeskError> {
        let anchors = TrustAnchors::from_pem(pem)?;
        let now = self.clock.now();
        let mut added = Vec::new();
        for anchor in anchors.iter() {
            let new = self.store.add_anchor(&anchor.sha256(), &pem_of(anchor.der()), limits, now)?;
            added.push((anchor.subject().to_owned(), new));
        }
        Ok(added)
    }

    /// Takes the trust anchors in a PEM text out again; gives their names and whether each was there.
    ///
    /// # Errors
    /// [`DeskError::Anchor`] when there is none in it.
    pub fn distrust(&self, pem: &[u8]) -> Result<Vec<(String, bool)>, DeskError> {
        let anchors = TrustAnchors::from_pem(pem)?;
        let mut removed = Vec::new();
        for anchor in anchors.iter() {
            removed.push((anchor.subject().to_owned(), self.store.remove_anchor(&anchor.sha256())?));
        }
        Ok(removed)
    }

    /// The issuers that are believed, as they are now: `trust` may have run in another process.
    pub(super) fn anchors(&self) -> Result<Arc<TrustAnchors>, StoreError> {
        let marks = (self.store.anchors()?, self.store.trust_list_marks()?);
        let mut cached = self.anchors.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0 != marks {
            let mut anchors = TrustAnchors::default();
            for StoredAnchor { pem, limits } in &marks.0 {
                let added = match limits {
                    Some(limits) => anchors.add_pem_limited(pem.as_bytes(), limits.clone()),
                    None => anchors.add_pem(pem.as_bytes()),
                };
                added.map_err(|_| StoreError::Damaged)?;
            }
            *cached = (marks, Arc::new(self.with_listed(anchors)?));
            // Lists that were verified under anchors that may be gone are verified again.
            self.keeper.forget();
        }
        Ok(Arc::clone(&cached.1))
    }

    /// The time to judge by, if the clock can be believed.
    pub(super) fn time(&self) -> Result<Timestamp, DeskError> {
        let local = self.clock.now();
        Ok(self.store.time_floor(local)?.judge(local)?)
    }

    /// What the clock says, believed or not.
    pub(super) fn now_unjudged(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the memory for time back to the clock, after destroying everything that had ended by then.
    ///
    /// # Errors
    /// When a key could not be destroyed or the store not be written: then nothing is set back.
    pub fn reset_clock(&self) -> Result<(), DeskError> {
        self.sweep()?;
        Ok(self.store.reset_clock(self.clock.now())?)
    }

    /// The audit, oldest first, of one transaction or of all.
    pub(super) fn audit(&self, id: Option<&str>) -> Result<Vec<AuditLine>, DeskError> {
        Ok(self.store.audit(id)?)
    }

    /// Shows this with every signed request that has no registration of its own, from now on and once for all.
    ///
    /// # Errors
    /// [`DeskError::Registration`] when it is of another verifier, or has ended.
    pub fn register(&self, registration: OwnRegistration) -> Result<(), DeskError> {
        let client_id = self.identity.client_id(self.config.client_id_prefix())?;
        registration.check(&client_id, self.config.name.as_str(), self.now_unjudged())?;
        self.registration.set(registration).map_err(|_| DeskError::Internal("a second registration"))
    }

    /// What was given to [`Desk::register`].
    pub(super) fn registration(&self) -> Option<&OwnRegistration> {
        self.registration.get()
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Who signs the requests.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many issuers are believed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn known_issuers(&self) -> Result<usize, DeskError> {
        Ok(self.anchors()?.len())
    }

    /// Who is believed, for what and until when: by hand, and by trust lists, ended ones among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn believed(&self) -> Result<Arc<TrustAnchors>, DeskError> {
        Ok(self.anchors()?)
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    pub(super) const fn keys(&self) -> &KeyFiles {
        &self.keys
    }

    pub(super) const fn keeper(&self) -> &StatusKeeper {
        &self.keeper
    }
}

/// The machine's randomness. When it fails, so does the process: there is nothing to go on with.
pub(in crate::service) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn pem_of(der: &[u8]) -> String {
    use base64ct::{Base64, Encoding};
    let text = Base64::encode_string(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}
