//! The issuers that are believed, and what of them.

use super::{Store, StoreError};
use credentials::trust::AnchorLimits;
use rusqlite::params;
use schemas::Timestamp;

/// An anchor as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAnchor {
    /// Its certificate, PEM.
    pub(crate) pem: String,
    /// What it may vouch for; anything when there are none.
    pub(crate) limits: Option<AnchorLimits>,
}

impl Store {
    /// Adds an anchor, or limits one anew that is there; false when neither changed anything. Without `limits` those that it
    /// has stay: naming an anchor once more must not widen what it may.
    pub(crate) fn add_anchor(
        &self,
        sha256: &[u8; 32],
        pem: &str,
        limits: Option<&AnchorLimits>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let limits = limits.map(serde_json::to_string).transpose().map_err(|_| StoreError::Damaged)?;
        let changed = self.lock().execute(
            "INSERT INTO anchors (sha256, pem, added_at, limits) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (sha256) DO UPDATE SET limits = excluded.limits
             WHERE excluded.limits IS NOT NULL AND excluded.limits IS NOT limits",
            params![sha256.as_slice(), pem, now.unix(), limits],
        )?;
        Ok(changed > 0)
    }

    /// Takes an anchor out; false when it was not there.
    pub(crate) fn remove_anchor(&self, sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let removed = self.lock().execute("DELETE FROM anchors WHERE sha256 = ?1", params![sha256.as_slice()])?;
        Ok(removed > 0)
    }

    /// All anchors, in the order in which they came.
    pub(crate) fn anchors(&self) -> Result<Vec<StoredAnchor>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT pem, limits FROM anchors ORDER BY added_at, sha256")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
        rows.map(|row| {
            let (pem, limits) = row?;
            // Limits that cannot be read are not no limits.
            let limits = limits.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| StoreError::Damaged)?;
            Ok(StoredAnchor { pem, limits })
        })
        .collect()
    }
}
