//! Trust lists as they were taken, under whom, and when to fetch them again.

use super::rows::{signed, time, unsigned};
use super::{Store, StoreError};
use credentials::trust::list::Known;
use rusqlite::{Row, params};
use schemas::Timestamp;

/// A trust list that the desk relies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTrustList {
    /// Its name, as its authority writes it.
    pub(crate) name: String,
    /// Where it is fetched; `None` for one that is brought as a file.
    pub(crate) address: Option<String>,
    /// The anchors of who signs it, PEM: believed for this list and nothing else.
    pub(crate) signers: String,
    /// The newest list that was taken.
    pub(crate) token: String,
    /// Its number.
    pub(crate) sequence: u64,
    /// The SHA-256 of what it says.
    pub(crate) sha256: [u8; 32],
    /// When it was taken.
    pub(crate) fetched_at: Timestamp,
    /// Why the last try brought nothing, when it did not.
    pub(crate) trouble: Option<String>,
}

impl StoredTrustList {
    /// What must be remembered of it, so that no older one follows.
    pub(crate) fn known(&self) -> Known {
        Known { name: self.name.clone(), sequence: self.sequence, sha256: self.sha256 }
    }
}

impl Store {
    /// The trust lists in the order in which they were named.
    pub(crate) fn trust_lists(&self) -> Result<Vec<StoredTrustList>, StoreError> {
        self.trust_lists_due(None)
    }

    /// Those to fetch again at `now`; all when it is `None`.
    pub(crate) fn trust_lists_due(&self, now: Option<Timestamp>) -> Result<Vec<StoredTrustList>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT * FROM trust_lists WHERE ?1 IS NULL OR address IS NOT NULL AND refresh_at <= ?1 ORDER BY n",
        )?;
        let mut rows = statement.query(params![now.map(Timestamp::unix)])?;
        let mut lists = Vec::new();
        while let Some(row) = rows.next()? {
            lists.push(read(row)?);
        }
        Ok(lists)
    }

    /// What tells whether the lists changed: cheaper than reading them.
    pub(crate) fn trust_list_marks(&self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT n, sha256 FROM trust_lists ORDER BY n")?;
        let marks = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    /// Keeps a list, new or in place of the one of that name; its place among the others stays. One with a lower number than
    /// is kept already changes nothing: another process was faster. When it was issued raises the floor of time, whatever
    /// becomes of the list.
    pub(crate) fn put_trust_list(
        &self,
        list: &StoredTrustList,
        issued_at: Timestamp,
        refresh_at: Timestamp,
    ) -> Result<(), StoreError> {
        let StoredTrustList { name, address, signers, token, sequence, sha256, fetched_at, trouble: _ } = list;
        self.write(|transaction| {
            super::time::raise(transaction, issued_at)?;
            transaction.execute(
                "INSERT INTO trust_lists (name, address, signers, token, sequence, sha256, fetched_at, refresh_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                     ON CONFLICT (name) DO UPDATE SET address = coalesce(excluded.address, address), token = excluded.token,
                         sequence = excluded.sequence, sha256 = excluded.sha256, fetched_at = excluded.fetched_at,
                         refresh_at = excluded.refresh_at, trouble = NULL
                     WHERE excluded.sequence >= sequence",
                    params![
                        name,
                        address,
                        signers,
                        token,
                        signed(*sequence),
                        sha256.as_slice(),
                        fetched_at.unix(),
                        refresh_at.unix()
                    ],
            )?;
            Ok(())
        })
    }

    /// Notes why fetching brought nothing, and when to try again.
    pub(crate) fn put_off_trust_list(&self, name: &str, trouble: &str, at: Timestamp) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE trust_lists SET trouble = ?2, refresh_at = ?3 WHERE name = ?1",
            params![name, trouble, at.unix()],
        )?;
        Ok(())
    }

    /// Takes a list out, by its name or address; false when there is none.
    pub(crate) fn remove_trust_list(&self, which: &str) -> Result<bool, StoreError> {
        let removed = self.lock().execute("DELETE FROM trust_lists WHERE name = ?1 OR address = ?1", params![which])?;
        Ok(removed > 0)
    }
}

fn read(row: &Row<'_>) -> Result<StoredTrustList, StoreError> {
    let sha256: Vec<u8> = row.get("sha256")?;
    Ok(StoredTrustList {
        name: row.get("name")?,
        address: row.get("address")?,
        signers: row.get("signers")?,
        token: row.get("token")?,
        sequence: unsigned(row, "sequence")?,
        sha256: sha256.try_into().map_err(|_| StoreError::Damaged)?,
        fetched_at: time(row, "fetched_at")?,
        trouble: row.get("trouble")?,
    })
}
