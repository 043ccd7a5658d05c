//! How each failure looks on the command line: exit code, code, message, hint. In one place, exhaustively.

use crate::claims::ClaimsError;
use crate::config::{IssuerNameError, IssuerUrlError};
use crate::desk::{OfferError, OpenError};
use crate::init::InitError;
use crate::keys::software::KeyFileError;
use crate::published_types::PublishError;
use crate::secret::HandleError;
use crate::store::{RevokeError, StoreError};

/// Why a command failed, for people and for programs.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: u8,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
}

const INTERNAL: u8 = 1;
const USAGE: u8 = 2;
const NETWORK: u8 = 6;
const STORAGE: u8 = 7;

impl Failure {
    pub(super) fn usage(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: USAGE, code, message: message.into(), hint: hint.into() }
    }

    pub(super) fn network(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: NETWORK, code, message: message.into(), hint: hint.into() }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        let hint = "Run it again with RUST_LOG=debug; if it stays, please report it with the log.".to_owned();
        Self { exit: INTERNAL, code: "internal", message: message.into(), hint }
    }

    fn storage(code: &'static str, message: String, hint: &str) -> Self {
        Self { exit: STORAGE, code, message, hint: hint.to_owned() }
    }
}

impl From<IssuerUrlError> for Failure {
    fn from(error: IssuerUrlError) -> Self {
        Self::usage("invalid_url", error.to_string(), "Give the public address, such as --url https://issuer.example.")
    }
}

impl From<IssuerNameError> for Failure {
    fn from(error: IssuerNameError) -> Self {
        Self::usage(
            "invalid_name",
            error.to_string(),
            "Give the name that people shall see, such as --name 'Casa Abierta'.",
        )
    }
}

impl From<HandleError> for Failure {
    fn from(error: HandleError) -> Self {
        Self::usage("invalid_handle", error.to_string(), "Copy the handle from the output of `amparo-issuer offer`.")
    }
}

impl From<ClaimsError> for Failure {
    fn from(error: ClaimsError) -> Self {
        let hint = match error {
            ClaimsError::TooLarge => "Leave out what the type does not need; a portrait has at most 12 KiB.",
            ClaimsError::NotJson(_) | ClaimsError::NotAnObject => {
                "Write one object, such as {\"given_name\": \"Ana\", \"family_name\": \"Vega\"}."
            }
            ClaimsError::Unknown { .. } | ClaimsError::Missing { .. } => {
                "`amparo-issuer types` lists the claims of each type."
            }
            ClaimsError::Derived { .. } => "Give birth_date instead; the ages follow from it.",
            ClaimsError::WrongKind { .. } => "Mend the value in the claims file.",
            ClaimsError::ImplausibleBirthDate => "Check the year, month and day.",
            ClaimsError::Picture { .. } => "Use a JPEG of about 240 by 320 pixels, or \"\" for no picture.",
        };
        Self::usage("invalid_claims", error.to_string(), hint)
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Self {
        let message = error.to_string();
        match error {
            InitError::Exists { .. } => Self::storage(
                "already_initialised",
                message,
                "Choose another --data directory. Keys are never overwritten; to renew them use `amparo-issuer renew`.",
            ),
            InitError::Absent { .. } => not_initialised(message),
            InitError::Write { .. } => Self::storage("storage", message, WRITABLE),
            InitError::Keys(error) => error.into(),
            InitError::Key(_) | InitError::Certificate(_) => Self::internal(message),
            InitError::Clock => Self { hint: "Set the machine's clock.".to_owned(), ..Self::internal(message) },
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        let message = error.to_string();
        match error {
            PublishError::Document(_) => {
                Self::usage("invalid_document", message, "Write it as SD-JWT VC, section 5.2, says.")
            }
            PublishError::NotOurs { .. } => Self::usage(
                "not_our_type",
                message,
                "Give the type a vct below this issuer's URL, such as URL/types/residence/1.",
            ),
            PublishError::Changed { .. } => Self::usage(
                "type_is_published",
                message,
                "Credentials name the digest of what is out. Publish what is new under another vct, such as …/2.",
            ),
            PublishError::Resolve(_) => Self::usage(
                "invalid_document",
                message,
                "A type extends `urn:amparo:identity:1`, `urn:amparo:attestation:1`, or one that is published here; give \
                 both with --document.",
            ),
            PublishError::Write { .. } => Self::storage("storage", message, WRITABLE),
        }
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        let message = error.to_string();
        let hint = match error {
            KeyFileError::File { .. } => "Check that the file is there and belongs to this account.",
            KeyFileError::Exposed { .. } => "Make it private with `chmod 600`, and think about who may have read it.",
            KeyFileError::Malformed { .. } => "Put the file back from a backup.",
        };
        Self::storage("key_file", message, hint)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::NotInitialised { .. } => not_initialised(message),
            OpenError::Unreadable { .. } => Self::storage("storage", message, "Put the file back from a backup."),
            OpenError::Keys(error) => error.into(),
            OpenError::RequestKey(_) => Self::internal(message),
            OpenError::Chain { .. } => Self::storage(
                "certificate",
                message,
                "Check the machine's clock; if it is right, run `amparo-issuer renew`.",
            ),
            OpenError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Busy => Self::storage("busy", message, "Try again in a moment."),
            StoreError::Full => Self::storage("full", message, "Free some space; nothing was changed."),
            StoreError::Version { .. } => {
                Self::storage("version", message, "Use the version of amparo-issuer that wrote it, or a newer one.")
            }
            StoreError::Damaged(_) => Self::storage("damaged", message, "Put issuer.sqlite back from a backup."),
            StoreError::Failed(_) => Self::storage("storage", with_causes(&error), WRITABLE),
        }
    }
}

impl From<OfferError> for Failure {
    fn from(error: OfferError) -> Self {
        let message = error.to_string();
        match error {
            OfferError::Count { .. } => Self::usage("invalid_count", message, "Give --count 1 to --count 30."),
            OfferError::Lifetime { .. } => {
                Self::usage("invalid_lifetime", message, "Give --redeem-within 10m, and at most 24h.")
            }
            OfferError::DecisionTime { .. } => {
                Self::usage("invalid_decision_time", message, "Give --decide-within 7d, and at most 30d.")
            }
            OfferError::NeverValid => Self::usage("invalid_validity", message, "Give --valid 365d, for example."),
            OfferError::OutlivesCertificate { .. } => Self::usage(
                "outlives_certificate",
                message,
                "Give a shorter --valid, or run `amparo-issuer renew` for a new certificate.",
            ),
            OfferError::Seal(_) => Self::internal(message),
            OfferError::Store(error) => error.into(),
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        let message = with_causes(&error);
        match error {
            RevokeError::Store(error) => error.into(),
            RevokeError::Seal(_) => Self::storage(
                "damaged",
                message,
                "The database and keys/fingerprint.key must be of one backup. Nothing was revoked.",
            ),
            RevokeError::Sign(_) => Self::internal(message),
        }
    }
}

const WRITABLE: &str = "Check that the directory is there, can be written by this account, and has space.";

fn not_initialised(message: String) -> Failure {
    Failure::storage(
        "not_initialised",
        message,
        "Make one with `amparo-issuer init --data DIR --url URL --name NAME`, or give the right --data.",
    )
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}
