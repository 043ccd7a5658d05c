//! Failures: what a person reads, what a program reads, and the exit code.

use biometrics::engine::{CaptureError, EngineError};
use biometrics::sample::DecodeError;

/// One failure, to be printed once.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: u8,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Failure {
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: USAGE, code: "usage", message: message.into(), hint: hint.into() }
    }

    pub(super) fn storage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: STORAGE, code: "storage", message: message.into(), hint: hint.into() }
    }

    /// A fault that is nobody's to mend from outside.
    pub(super) fn internal(message: impl std::fmt::Display) -> Self {
        Self {
            exit: INTERNAL,
            code: "internal",
            message: message.to_string(),
            hint: "this is a fault in the program: please report it".to_owned(),
        }
    }

    pub(super) fn engine(error: &EngineError) -> Self {
        Self { exit: STORAGE, code: "models", message: error.to_string(), hint: error.hint().to_owned() }
    }

    /// A sample that cannot be used.
    pub(super) fn unavailable(message: String, hint: &str) -> Self {
        Self { exit: NOT_RECOGNISED, code: "unavailable", message, hint: hint.to_owned() }
    }

    /// A picture that is no usable sample.
    pub(super) fn decode(path: &str, error: DecodeError) -> Self {
        Self {
            exit: NOT_RECOGNISED,
            code: "unavailable",
            message: format!("{path}: {error}"),
            hint: error.hint().to_owned(),
        }
    }

    /// A sample in which no usable face is.
    pub(super) fn capture(path: &str, error: &CaptureError) -> Self {
        let (exit, code) = match error {
            CaptureError::Runtime { .. } => (INTERNAL, "internal"),
            _ => (NOT_RECOGNISED, "unavailable"),
        };
        Self { exit, code, message: format!("{path}: {error}"), hint: error.hint().to_owned() }
    }
}

const INTERNAL: u8 = 1;
const USAGE: u8 = 2;
const NOT_RECOGNISED: u8 = 3;
const STORAGE: u8 = 7;
