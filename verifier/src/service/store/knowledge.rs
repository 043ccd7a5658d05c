//! What was looked up beforehand: documents of types, and the keys of issuers that are known by their names.

use super::{Store, StoreError};
use credentials::trust::AnchorLimits;
use rusqlite::{Row, params};
use schemas::Timestamp;

/// A type's document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredType {
    pub(crate) vct: String,
    pub(crate) document: Vec<u8>,
    /// Where it came from; `None` for a file.
    pub(crate) source: Option<String>,
    pub(crate) fetched_at: Timestamp,
}

/// An issuer that is known by the keys which it publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredIssuer {
    pub(crate) iss: String,
    /// Its JWK Set, as JSON.
    pub(crate) keys: Vec<u8>,
    pub(crate) limits: Option<AnchorLimits>,
    pub(crate) fetched_at: Timestamp,
    /// Until when the keys are relied on.
    pub(crate) until: Timestamp,
}

/// How many sources of types are known at most, and how many issuers; each is named by whoever runs the desk, or by a type
/// that such a one extends.
const MOST: i64 = 100;

impl Store {
    /// Counts what was changed here, by any process.
    pub(crate) fn knowledge(&self) -> Result<i64, StoreError> {
        Ok(self.lock().query_row("SELECT generation FROM knowledge", [], |row| row.get(0))?)
    }

    /// Makes a source of a type's document known, or puts off when it is fetched next; false when there are too many.
    pub(crate) fn put_type_source(&self, url: &str, refresh_at: Timestamp) -> Result<bool, StoreError> {
        let put = self.lock().execute(
            "INSERT INTO type_sources (url, refresh_at) SELECT ?1, ?2
             WHERE EXISTS (SELECT 1 FROM type_sources WHERE url = ?1) OR (SELECT count(*) FROM type_sources) < ?3
             ON CONFLICT (url) DO UPDATE SET refresh_at = excluded.refresh_at",
            params![url, refresh_at.unix(), MOST],
        )?;
        Ok(put > 0)
    }

    /// The sources to fetch again at `now`; all that are known when `now` is `None`.
    pub(crate) fn type_sources_due(&self, now: Option<Timestamp>) -> Result<Vec<String>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT url FROM type_sources WHERE ?1 IS NULL OR refresh_at <= ?1 ORDER BY url")?;
        let found = statement.query_map(params![now.map(Timestamp::unix)], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Keeps a type's document in place of what was known of it.
    pub(crate) fn put_type(&self, known: &StoredType) -> Result<(), StoreError> {
        let StoredType { vct, document, source, fetched_at } = known;
        self.write(|change| {
            change.execute(
                "INSERT INTO types (vct, document, source, fetched_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (vct) DO UPDATE SET document = excluded.document, source = excluded.source,
                 fetched_at = excluded.fetched_at",
                params![vct, document, source, fetched_at.unix()],
            )?;
            count(change)
        })
    }

    /// Forgets what is known of a type, and where it came from; false when nothing was.
    pub(crate) fn remove_type(&self, name: &str) -> Result<bool, StoreError> {
        self.write(|change| {
            let sources = change.execute(
                "DELETE FROM type_sources WHERE url = ?1 OR url IN (SELECT source FROM types WHERE vct = ?1)",
                params![name],
            )?;
            let types = change.execute("DELETE FROM types WHERE vct = ?1 OR source = ?1", params![name])?;
            count(change)?;
            Ok(sources + types > 0)
        })
    }

    /// All documents of types, by `vct`. One that was fetched from elsewhere than the address which its type names, as earlier
    /// versions did, is not among them.
    pub(crate) fn types(&self) -> Result<Vec<StoredType>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT * FROM types WHERE source IS NULL OR source = vct ORDER BY vct")?;
        let read = |row: &Row<'_>| {
            Ok(StoredType {
                vct: row.get("vct")?,
                document: row.get("document")?,
                source: row.get("source")?,
                fetched_at: Timestamp::from_unix(row.get("fetched_at")?),
            })
        };
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }

    /// Keeps the keys of an issuer; without `limits` those that it has stay. False when there are too many issuers.
    pub(crate) fn put_issuer(&self, issuer: &StoredIssuer, refresh_at: Timestamp) -> Result<bool, StoreError> {
        let StoredIssuer { iss, keys, limits, fetched_at, until } = issuer;
        let limits = limits.as_ref().map(serde_json::to_string).transpose().map_err(|_| StoreError::Damaged)?;
        self.write(|change| {
            let put = change.execute(
                "INSERT INTO issuers (iss, keys, limits, fetched_at, until, refresh_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE EXISTS (SELECT 1 FROM issuers WHERE iss = ?1) OR (SELECT count(*) FROM issuers) < ?7
                 ON CONFLICT (iss) DO UPDATE SET keys = excluded.keys, limits = coalesce(excluded.limits, limits),
                 fetched_at = excluded.fetched_at, until = excluded.until, refresh_at = excluded.refresh_at",
                params![iss, keys, limits, fetched_at.unix(), until.unix(), refresh_at.unix(), MOST],
            )?;
            count(change)?;
            Ok(put > 0)
        })
    }

    /// Puts off when an issuer's keys are fetched next.
    pub(crate) fn put_off_issuer(&self, iss: &str, refresh_at: Timestamp) -> Result<(), StoreError> {
        self.lock().execute("UPDATE issuers SET refresh_at = ?2 WHERE iss = ?1", params![iss, refresh_at.unix()])?;
        Ok(())
    }

    /// No longer knows an issuer by its name; false when it was not known so.
    pub(crate) fn remove_issuer(&self, iss: &str) -> Result<bool, StoreError> {
        self.write(|change| {
            let removed = change.execute("DELETE FROM issuers WHERE iss = ?1", params![iss])?;
            count(change)?;
            Ok(removed > 0)
        })
    }

    /// The issuers whose keys are to be fetched again at `now`; all that are known when `now` is `None`.
    pub(crate) fn issuers_due(&self, now: Option<Timestamp>) -> Result<Vec<StoredIssuer>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT * FROM issuers WHERE ?1 IS NULL OR refresh_at <= ?1 ORDER BY iss")?;
        let rows = statement.query_map(params![now.map(Timestamp::unix)], |row| {
            let limits: Option<String> = row.get("limits")?;
            let issuer = StoredIssuer {
                iss: row.get("iss")?,
                keys: row.get("keys")?,
                limits: None,
                fetched_at: Timestamp::from_unix(row.get("fetched_at")?),
                until: Timestamp::from_unix(row.get("until")?),
            };
            Ok((issuer, limits))
        })?;
        rows.map(|row| {
            let (issuer, limits) = row?;
            // Limits that cannot be read are not no limits.
            let limits = limits.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| StoreError::Damaged)?;
            Ok(StoredIssuer { limits, ..issuer })
        })
        .collect()
    }
}

fn count(change: &rusqlite::Transaction<'_>) -> Result<(), StoreError> {
    change.execute("UPDATE knowledge SET generation = generation + 1", [])?;
    Ok(())
}
