//! The audit: who opened what, when, for what. It never holds a claim.

use super::{Store, StoreError, rows};
use crate::guarded::{Admitted, AuditEntry};
use rusqlite::{OptionalExtension, params};
use schemas::Timestamp;

/// One line of the audit, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditLine {
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) actor: String,
    pub(crate) purpose: String,
}

impl Store {
    /// Writes an entry.
    pub(crate) fn record(&self, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
        insert(&self.lock(), entry)
    }

    /// Takes a use and writes the entry, both or neither.
    pub(crate) fn admit(&self, entry: &AuditEntry<'_>) -> Result<Admitted, StoreError> {
        self.write(|transaction| {
            let left: Option<Option<i64>> = transaction
                .query_row(
                    "UPDATE guarded SET uses_left = uses_left - 1
                     WHERE id = ?1 AND sealed IS NOT NULL AND (uses_left IS NULL OR uses_left > 0) RETURNING uses_left",
                    params![entry.id.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            let admitted = match left {
                None => return Ok(Admitted::No),
                Some(Some(0)) => Admitted::Last,
                Some(_) => Admitted::Yes,
            };
            insert(transaction, entry)?;
            Ok(admitted)
        })
    }

    /// The audit, oldest first, of one transaction or of all.
    pub(crate) fn audit(&self, id: Option<&str>) -> Result<Vec<AuditLine>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT * FROM audit WHERE ?1 IS NULL OR id = ?1 ORDER BY n LIMIT 10000")?;
        let mut found = statement.query(params![id])?;
        let mut lines = Vec::new();
        while let Some(row) = found.next()? {
            lines.push(AuditLine {
                at: rows::time(row, "at")?,
                id: row.get("id")?,
                event: row.get("event")?,
                actor: row.get("actor")?,
                purpose: row.get("purpose")?,
            });
        }
        Ok(lines)
    }
}

pub(super) fn insert(connection: &rusqlite::Connection, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO audit (at, id, event, actor, purpose) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![entry.at.unix(), entry.id.as_str(), entry.event.as_str(), entry.actor.as_str(), entry.purpose.code()],
    )?;
    Ok(())
}
