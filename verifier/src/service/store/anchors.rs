//! The issuers that are believed.

use super::{Store, StoreError};
use rusqlite::params;
use schemas::Timestamp;

impl Store {
    /// Adds an anchor; false when it was there already.
    pub(crate) fn add_anchor(&self, sha256: &[u8; 32], pem: &str, now: Timestamp) -> Result<bool, StoreError> {
        let added = self.lock().execute(
            "INSERT OR IGNORE INTO anchors (sha256, pem, added_at) VALUES (?1, ?2, ?3)",
            params![sha256.as_slice(), pem, now.unix()],
        )?;
        Ok(added > 0)
    }

    /// Takes an anchor out; false when it was not there.
    pub(crate) fn remove_anchor(&self, sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let removed = self.lock().execute("DELETE FROM anchors WHERE sha256 = ?1", params![sha256.as_slice()])?;
        Ok(removed > 0)
    }

    /// All anchors in PEM form, in the order in which they came.
    pub(crate) fn anchors(&self) -> Result<Vec<String>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT pem FROM anchors ORDER BY added_at, sha256")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
