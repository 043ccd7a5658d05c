//! What the person set.

use super::{Holdings, HoldingsError};
use crate::vault::RecordKind;
use rand_core::CryptoRng;
use schemas::Seconds;
use serde::{Deserialize, Serialize};

/// What the person set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How long an entry of the history is kept; zero keeps no history.
    pub history_kept_for: Seconds,
}

impl Default for Settings {
    /// A history of 90 days.
    fn default() -> Self {
        Self { history_kept_for: Seconds::DAY.times(90) }
    }
}

impl Holdings<'_> {
    /// The settings; the defaults when there are none or their record is damaged.
    pub fn settings(&self) -> Settings {
        self.records.ids(RecordKind::SETTING).into_iter().find_map(|id| self.parse(id).ok()).unwrap_or_default()
    }

    /// Changes the settings. Save the vault to keep them.
    ///
    /// # Errors
    /// [`HoldingsError`] of the vault.
    pub fn set(&mut self, settings: &Settings, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let id = self.records.ids(RecordKind::SETTING).into_iter().next();
        self.write(RecordKind::SETTING, id, settings, rng).map(|_| ())
    }
}
