//! Every error once more, as a person or a script meets it: an exit code, a code word, a sentence, a hint.

use crate::adapters::cards::CardError;
use crate::adapters::film::FilmError;
use crate::adapters::home::HomeError;
use crate::adapters::inputs::PinFileError;
use crate::adapters::pictures::{FaceReaderError, PictureError};
use crate::adapters::recording::RecordingError;
use crate::adapters::vault_file::KeepError;
use crate::adapters::{LockError, StorageError};
use crate::messages;
use crate::perform::ErrandError;
use credentials::time_floor::ClockSuspect;
use guarded_http::FetchError;
use nearby::LinkError;
use nearby::ble::radio::RadioError;
use serde_json::{Value, json};
use wallet_core::enrolment::CreateError;
use wallet_core::fault::{Blame, Fault};

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A fault of ours.
    Internal = 1,
    /// The command line, or a file it names, cannot be used.
    Usage = 2,
    /// Locked or not recognised: one answer, whatever the reason.
    Unavailable = 3,
    /// The other party or its data was refused.
    Refused = 4,
    /// The person said no, or a consent is missing or has ended.
    Declined = 5,
    /// The network, or the other side's machine.
    Network = 6,
    /// The disk, or another process at work on the vault.
    Storage = 7,
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Failure {
    /// The command line cannot be used.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "usage", message: message.into(), hint: hint.into() }
    }

    /// Locked or not recognised. Without an argument, so that no reason can slip in.
    pub(crate) fn unavailable() -> Self {
        Self {
            exit: Exit::Unavailable,
            code: "unavailable",
            message: messages::UNAVAILABLE.to_owned(),
            hint: messages::UNAVAILABLE_HINT.to_owned(),
        }
    }

    /// A picture that cannot be used, judged before the vault was touched: it speaks of the picture only.
    pub(crate) fn picture(message: &str, hint: &str) -> Self {
        let (message, hint) = (messages::sentence(message), messages::sentence(hint));
        Self { exit: Exit::Unavailable, code: "unavailable", message, hint }
    }

    /// A camera that sent no film.
    pub(crate) fn film(error: &FilmError) -> Self {
        Self::picture(&error.to_string(), messages::FILM_HINT)
    }

    /// Frames that are not there.
    pub(crate) fn recording(error: &RecordingError) -> Self {
        Self::picture(&error.to_string(), messages::RECORDING_HINT)
    }

    /// The person said no.
    pub(crate) fn declined() -> Self {
        Self {
            exit: Exit::Declined,
            code: "declined",
            message: messages::DECLINED.to_owned(),
            hint: messages::DECLINED_HINT.to_owned(),
        }
    }

    /// A fault of ours.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Internal,
            code: "internal",
            message: message.into(),
            hint: messages::INTERNAL_HINT.to_owned(),
        }
    }

    /// This machine's clock cannot be believed.
    pub(crate) fn clock(suspect: ClockSuspect) -> Self {
        Self {
            exit: Exit::Internal,
            code: "clock_suspect",
            message: messages::sentence(&suspect.to_string()),
            hint: messages::CLOCK_HINT.to_owned(),
        }
    }

    /// A vault could not be made.
    pub(crate) fn create(error: CreateError) -> Self {
        let message = messages::sentence(&error.to_string());
        match error {
            CreateError::PinTooShort { .. } => Self::usage(message, messages::LONGER_PIN_HINT),
            CreateError::Impressions { .. } => Self::usage(message, messages::MORE_FINGERS_HINT),
            CreateError::ImpressionsDisagree { .. } => Self::picture(&message, messages::SAME_FINGER_HINT),
            CreateError::LedgerFull(_) => Self::storage(message, messages::LEDGER_FULL_HINT),
            CreateError::NoMemory => Self::storage(message, messages::NO_MEMORY_HINT),
            // Of a device key that is a file and of records that are fresh.
            _ => Self::internal(message),
        }
    }

    /// The system gives no event queue for the network.
    pub(crate) fn runtime(error: std::io::Error) -> Self {
        Self::internal(messages::sentence(&error.to_string()))
    }

    /// What can go wrong in a ceremony with another party says itself who can mend it.
    pub(crate) fn from_blame(error: &impl Blame) -> Self {
        let (exit, code) = match error.fault() {
            Fault::Input => (Exit::Usage, "usage"),
            Fault::Peer => (Exit::Refused, "refused"),
            Fault::Person => (Exit::Declined, "declined"),
            Fault::Network => (Exit::Network, "network"),
            Fault::Storage => (Exit::Storage, "storage"),
        };
        Self { exit, code, message: messages::sentence(&error.to_string()), hint: messages::sentence(error.hint()) }
    }

    /// The network, or what is on the other end of it.
    fn fetch(error: &FetchError) -> Self {
        let (exit, code) = if error.is_peer_fault() { (Exit::Refused, "refused") } else { (Exit::Network, "network") };
        Self { exit, code, message: messages::sentence(&error.to_string()), hint: error.hint().to_owned() }
    }

    /// The link to a reader nearby.
    pub(crate) fn link(error: &LinkError) -> Self {
        let message = messages::sentence(&error.to_string());
        let (exit, code, hint) = match error {
            LinkError::Frame(_) | LinkError::Chunk(_) | LinkError::TooMany { .. } => {
                (Exit::Refused, "refused", messages::READER_AT_FAULT_HINT)
            }
            LinkError::Beyond(_) => (Exit::Usage, "usage", messages::BEYOND_HINT),
            LinkError::Radio(error) => {
                let exit = if *error == RadioError::NotBuilt { Exit::Usage } else { Exit::Network };
                return Self { exit, code: "no_radio", message, hint: messages::sentence(error.hint()) };
            }
            _ => (Exit::Network, "network", messages::NO_READER_HINT),
        };
        Self { exit, code, message, hint: hint.to_owned() }
    }

    /// A card that cannot be drawn: the template of the type is at fault.
    pub(crate) fn card(error: &CardError) -> Self {
        Self {
            exit: Exit::Refused,
            code: "card",
            message: messages::sentence(&error.to_string()),
            hint: messages::NO_CARD_HINT.to_owned(),
        }
    }

    /// The reader has the answer, and could not read it.
    pub(crate) fn turned_down() -> Self {
        Self {
            exit: Exit::Refused,
            code: "refused",
            message: messages::NOT_READ.to_owned(),
            hint: messages::NOT_READ_HINT.to_owned(),
        }
    }

    fn storage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Storage, code: "storage", message: message.into(), hint: hint.into() }
    }

    /// What `--json` prints.
    pub(crate) fn json(&self) -> Value {
        let Self { exit: _, code, message, hint } = self;
        json!({ "error": { "code": code, "message": message, "hint": hint } })
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::storage(messages::sentence(&error.to_string()), error.hint())
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Storage(error) => error.into(),
            KeepError::Save(error) => Self::storage(messages::sentence(&error.to_string()), messages::NOT_SAVED_HINT),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { .. } => Self {
                exit: Exit::Storage,
                code: "busy",
                message: messages::sentence(&error.to_string()),
                hint: messages::BUSY_HINT.to_owned(),
            },
            LockError::Storage(error) => error.into(),
        }
    }
}

impl From<PinFileError> for Failure {
    fn from(error: PinFileError) -> Self {
        match error {
            PinFileError::Storage(error) => error.into(),
            PinFileError::NotText { .. } | PinFileError::Pin { .. } => {
                Self::usage(messages::sentence(&error.to_string()), messages::PIN_FILE_HINT)
            }
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        Self {
            exit: Exit::Storage,
            code: "setup",
            message: messages::no_models(&error),
            hint: messages::SETUP_HINT.to_owned(),
        }
    }
}

impl From<FaceReaderError> for Failure {
    fn from(error: FaceReaderError) -> Self {
        match error {
            FaceReaderError::Home(error) => error.into(),
            FaceReaderError::Engine(error) => Self {
                exit: Exit::Storage,
                code: "setup",
                message: messages::models_refused(&error),
                hint: messages::SETUP_AGAIN_HINT.to_owned(),
            },
            FaceReaderError::Network { .. } => Self {
                exit: Exit::Storage,
                code: "setup",
                message: messages::sentence(&error.to_string()),
                hint: messages::NETWORK_HINT.to_owned(),
            },
        }
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        Self::picture(&error.to_string(), &error.hint())
    }
}

impl<E: Blame> From<ErrandError<E>> for Failure {
    fn from(error: ErrandError<E>) -> Self {
        match error {
            ErrandError::Ended(error) => error.into(),
            ErrandError::Fetch(error) => Self::fetch(&error),
        }
    }
}

impl<E: Blame> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::from_blame(&error)
    }
}
