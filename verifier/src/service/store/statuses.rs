//! Status lists as they were fetched, and when to fetch them again.

use super::{Store, StoreError};
use rusqlite::{OptionalExtension, Row, params};
use schemas::Timestamp;

/// A list that the verifier knows of.
#[derive(Debug, Clone)]
pub(crate) struct StoredList {
    pub(crate) uri: String,
    /// The newest token; `None` while none could be fetched.
    pub(crate) token: Option<String>,
    /// When the newest token was issued.
    pub(crate) issued_at: Option<Timestamp>,
    /// When it was fetched.
    pub(crate) fetched_at: Option<Timestamp>,
    /// Counts the tokens that were stored for it.
    pub(crate) generation: i64,
}

/// How many lists are known at most. Only issuers that are believed can name one.
const MOST: i64 = 10_000;
/// How many aggregations are known at most; each is named by whoever runs the desk.
const MOST_AGGREGATIONS: i64 = 100;

impl Store {
    /// Makes a list known; true for exactly one caller, ever: who is told so fetches it.
    pub(crate) fn learn_list(&self, uri: &str, retry_at: Timestamp) -> Result<bool, StoreError> {
        let added = self.lock().execute(
            "INSERT INTO status_lists (uri, refresh_at) SELECT ?1, ?2 WHERE (SELECT count(*) FROM status_lists) < ?3
             ON CONFLICT (uri) DO NOTHING",
            params![uri, retry_at.unix(), MOST],
        )?;
        Ok(added > 0)
    }

    /// A list, if it is known.
    pub(crate) fn list(&self, uri: &str) -> Result<Option<StoredList>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT * FROM status_lists WHERE uri = ?1")?;
        Ok(statement.query_row(params![uri], read).optional()?)
    }

    /// The lists to fetch again at `now`; all that are known when `now` is `None`.
    pub(crate) fn lists_due(&self, now: Option<Timestamp>) -> Result<Vec<StoredList>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT * FROM status_lists WHERE ?1 IS NULL OR refresh_at <= ?1 ORDER BY refresh_at")?;
        let found = statement.query_map(params![now.map(Timestamp::unix)], read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Keeps a newer token. An older one than is kept already changes nothing: another process was faster.
    pub(crate) fn put_list(
        &self,
        uri: &str,
        token: &str,
        issued_at: Timestamp,
        fetched_at: Timestamp,
        refresh_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE status_lists SET token = ?2, issued_at = ?3, fetched_at = ?4, refresh_at = ?5, generation = generation + 1
             WHERE uri = ?1 AND (issued_at IS NULL OR issued_at <= ?3)",
            params![uri, token, issued_at.unix(), fetched_at.unix(), refresh_at.unix()],
        )?;
        Ok(())
    }

    /// Makes an aggregation known, or puts off when it is fetched next.
    pub(crate) fn put_aggregation(&self, uri: &str, refresh_at: Timestamp) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO aggregations (uri, refresh_at) SELECT ?1, ?2
             WHERE EXISTS (SELECT 1 FROM aggregations WHERE uri = ?1) OR (SELECT count(*) FROM aggregations) < ?3
             ON CONFLICT (uri) DO UPDATE SET refresh_at = excluded.refresh_at",
            params![uri, refresh_at.unix(), MOST_AGGREGATIONS],
        )?;
        Ok(())
    }

    /// The aggregations to fetch again at `now`; all that are known when `now` is `None`.
    pub(crate) fn aggregations_due(&self, now: Option<Timestamp>) -> Result<Vec<String>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT uri FROM aggregations WHERE ?1 IS NULL OR refresh_at <= ?1 ORDER BY uri")?;
        let found = statement.query_map(params![now.map(Timestamp::unix)], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Notes that fetching failed, and when to try again.
    pub(crate) fn put_off_list(&self, uri: &str, refresh_at: Timestamp) -> Result<(), StoreError> {
        self.lock()
            .execute("UPDATE status_lists SET refresh_at = ?2 WHERE uri = ?1", params![uri, refresh_at.unix()])?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredList> {
    Ok(StoredList {
        uri: row.get("uri")?,
        token: row.get("token")?,
        issued_at: row.get::<_, Option<i64>>("issued_at")?.map(Timestamp::from_unix),
        fetched_at: row.get::<_, Option<i64>>("fetched_at")?.map(Timestamp::from_unix),
        generation: row.get("generation")?,
    })
}
