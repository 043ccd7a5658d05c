//! Why a verifier asks: the closed list of purposes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a verifier asks. Purposes not in this list are not understood and never agreed to.
///
/// On the wire with the prefix `amparo:`; on the command line without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// To let a person cross a border.
    #[serde(rename = "amparo:border-entry")]
    BorderEntry,
    /// To learn that a person is older than some age, and nothing else.
    #[serde(rename = "amparo:age-check")]
    AgeCheck,
    /// To give help that the person asks for.
    #[serde(rename = "amparo:support-service")]
    SupportService,
}

/// A purpose code that is not in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown purpose: expected border-entry, age-check or support-service")]
pub struct UnknownPurpose;

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 3] = [Self::BorderEntry, Self::AgeCheck, Self::SupportService];

    /// The code as the command line writes it, without the prefix.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BorderEntry => "border-entry",
            Self::AgeCheck => "age-check",
            Self::SupportService => "support-service",
        }
    }

    /// The code as it stands on the wire, with the prefix.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::BorderEntry => "amparo:border-entry",
            Self::AgeCheck => "amparo:age-check",
            Self::SupportService => "amparo:support-service",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    /// Reads a code with or without the prefix.
    fn from_str(text: &str) -> Result<Self, UnknownPurpose> {
        let code = text.strip_prefix("amparo:").unwrap_or(text);
        Self::ALL.into_iter().find(|p| p.code() == code).ok_or(UnknownPurpose)
    }
}
