//! Every error once more, as a person or a script meets it: an exit code, a code word, a sentence, a hint.

use crate::service::desk::DeskError;
use crate::service::identity::IdentityError;
use crate::service::knowledge::LookUpError;
use crate::service::listen::ListenError;
use crate::service::store::StoreError;
use credentials::trust::list::TrustListError;
use serde_json::{Value, json};
use std::io;
use std::path::Path;

/// How the command ends when it does not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Internal = 1,
    Usage = 2,
    Refused = 4,
    Consent = 5,
    Network = 6,
    Storage = 7,
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

impl Failure {
    pub(super) fn new(exit: Exit, code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self { exit, code, message: message.into(), hint }
    }

    pub(super) fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self::new(Exit::Usage, "usage", message, hint)
    }

    /// A file that the command line names cannot be read.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(Exit::Usage, "file", format!("{} cannot be read: {error}", path.display()), "check the path")
    }

    /// What `--json` prints.
    pub(super) fn json(&self) -> Value {
        let Self { exit: _, code, message, hint } = self;
        json!({"error": {"code": code, "message": message, "hint": hint}})
    }
}

const CLOCK: &str = "set this machine's clock; if it was ahead by mistake before and is right now, run \
                     amparo-verifier reset-clock";
const RENEW: &str = "check this machine's clock; if it is right, amparo-verifier renew makes a new certificate under the same \
                     trust anchor";

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        let message = error.to_string();
        let (exit, code, hint) = match &error {
            DeskError::Exists(_) => {
                (Exit::Usage, "exists", "choose another folder, or go on with the verifier in this one")
            }
            DeskError::Registration(_) => (
                Exit::Usage,
                "not_registered",
                "ask the registrar for a registration of this verifier that is good now",
            ),
            DeskError::Inquiry(_) => (Exit::Usage, "usage", "amparo-verifier request --help says what it takes"),
            DeskError::NotInPerson(_) => {
                (Exit::Usage, "usage", "ask for mobile documents, each type once, by their elements")
            }
            DeskError::Anchor(_) => (Exit::Usage, "not_an_anchor", "give the issuer's trust-anchor.pem"),
            DeskError::NoListSigner => (
                Exit::Usage,
                "no_list_signer",
                "say who signs it: --list-signer ANCHOR, which you had by a way you trust",
            ),
            DeskError::OtherAuthorities(_) => (
                Exit::Refused,
                "other_authorities",
                "if the authority has really changed, take the list out with --remove and name it anew",
            ),
            DeskError::TooManyLists => (Exit::Usage, "too_many_lists", "take one out with trust --list NAME --remove"),
            DeskError::TrustList(error) => (Exit::Refused, "trust_list", trust_list(error)),
            DeskError::Unfetched(_) => {
                (Exit::Network, "unreachable", "check the address and the network, or bring the list as a file")
            }
            DeskError::OtherSession => (
                Exit::Refused,
                "other_session",
                "give the response_code with which the holder's browser came back; without it this is not their session",
            ),
            DeskError::UnknownTransaction => (
                Exit::Usage,
                "unknown_transaction",
                "give the transaction as request printed it; old ones are forgotten",
            ),
            DeskError::ClockSuspect(_) => (Exit::Internal, "clock_suspect", CLOCK),
            DeskError::Config { .. } => (Exit::Storage, "storage", "check the folder and its permissions"),
            DeskError::Identity(error) => identity(error),
            DeskError::Store(error) => store(error),
            DeskError::Key(_) => {
                (Exit::Storage, "storage", "check the folder keys and its permissions, and the space on the disk")
            }
            DeskError::Corrupt => {
                (Exit::Storage, "corrupt", "restore the store from a backup, and find out who changed it")
            }
            DeskError::Internal(_) => {
                (Exit::Internal, "internal", "try again; if it happens again, report it with the log")
            }
        };
        Self::new(exit, code, message, hint)
    }
}

const fn trust_list(error: &TrustListError) -> &'static str {
    match error {
        TrustListError::OtherAuthority => "the list that is here stays; ask its authority before you believe another",
        TrustListError::RolledBack { .. } | TrustListError::Contradiction(_) => {
            "the list that is here stays; somebody gives out another than its authority's newest"
        }
        TrustListError::IssuedLater { .. } => CLOCK,
        _ => "do not rely on it; ask its authority for the list again",
    }
}

const fn identity(error: &IdentityError) -> (Exit, &'static str, &'static str) {
    match error {
        IdentityError::File { .. } => (Exit::Storage, "storage", "check the folder and its permissions"),
        IdentityError::Exposed(_) => (Exit::Storage, "exposed_key", "make it readable by its owner alone: chmod 600"),
        IdentityError::Malformed(_) => (Exit::Storage, "identity", "restore it from a backup, or run renew"),
        IdentityError::Chain(_) => (Exit::Internal, "identity", RENEW),
        IdentityError::Making(_) => {
            (Exit::Internal, "internal", "try again; if it happens again, report it with the log")
        }
        IdentityError::OfOneRequest => (Exit::Usage, "usage", "give it to request, with --consent none"),
        IdentityError::NoDnsName => (Exit::Usage, "usage", "use x509_hash, or init with a URL that has a DNS name"),
    }
}

const fn store(error: &StoreError) -> (Exit, &'static str, &'static str) {
    match error {
        StoreError::Missing(_) => (Exit::Usage, "no_verifier", "amparo-verifier init makes one"),
        StoreError::Newer => (Exit::Storage, "newer", "use the newer version of this program"),
        StoreError::Full => (Exit::Storage, "disk_full", "make room on the disk, then try again"),
        StoreError::Busy => (Exit::Storage, "busy", "try again in a moment"),
        StoreError::Damaged => (Exit::Storage, "damaged", "restore the store from a backup"),
        StoreError::File(_) | StoreError::Sqlite(_) => {
            (Exit::Storage, "storage", "check the folder and its permissions")
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<LookUpError> for Failure {
    fn from(error: LookUpError) -> Self {
        let message = error.to_string();
        match error {
            LookUpError::Fetch(error) if error.is_peer_fault() => {
                Self::new(Exit::Refused, "not_fetched", message, error.hint())
            }
            LookUpError::Fetch(error) => Self::new(Exit::Network, "not_fetched", message, error.hint()),
            LookUpError::Status { .. } => {
                Self::new(Exit::Network, "not_fetched", message, "check the address, and try again later")
            }
            LookUpError::Document(_) => {
                Self::new(Exit::Refused, "type_metadata_invalid", message, "ask whoever wrote the document")
            }
            LookUpError::Elsewhere { .. } => Self::new(
                Exit::Refused,
                "type_metadata_invalid",
                message,
                "a type is fetched from the address that is its name; give the document of another one as a file",
            ),
            LookUpError::Known { .. } => Self::usage(message, "forget it first: amparo-verifier sync --forget-type"),
            LookUpError::Metadata(_) | LookUpError::Keys(_) => Self::new(
                Exit::Refused,
                "issuer_metadata_invalid",
                message,
                "ask the issuer; without keys it is not trusted",
            ),
            LookUpError::TooMany => Self::usage(message, "forget some that are not needed any more"),
            LookUpError::Store(error) => error.into(),
        }
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        let message = error.to_string();
        match error.source.kind() {
            io::ErrorKind::AddrInUse => Self::new(
                Exit::Network,
                "port_taken",
                message,
                "stop the program that has the port, or choose another one",
            ),
            io::ErrorKind::InvalidInput => Self::usage(message, "give a host and a port, such as 127.0.0.1:8090"),
            _ => Self::new(Exit::Network, "cannot_listen", message, "check host, port and permissions"),
        }
    }
}
