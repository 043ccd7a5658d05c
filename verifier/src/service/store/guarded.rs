//! Guarded presentations: ciphertext and terms. Their keys are elsewhere.

use super::{Store, StoreError, audit, rows, transactions};
use crate::guarded::{AuditEntry, Basis, Guarded, RecordId, Terms};
use crate::verification::Held;
use rusqlite::{Row, params};
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};

/// What may be told about the consent, after its end too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentFacts {
    /// The identifier in the grant; `None` when the verifier's own limit holds.
    pub(crate) id: Option<String>,
    /// Until when.
    pub(crate) ends_at: Timestamp,
    /// How long the data may be kept after they came.
    pub(crate) retention: Seconds,
}

/// A guarded presentation as it is stored.
#[derive(Debug)]
pub(crate) struct StoredGuard {
    /// The value; `None` once its ciphertext is gone.
    pub(crate) guarded: Option<Guarded<Held>>,
    /// Its terms.
    pub(crate) terms: Terms,
    /// What may be told.
    pub(crate) facts: ConsentFacts,
}

impl Store {
    /// Keeps a guarded presentation and says that its transaction is verified: all or nothing.
    ///
    /// False when the consent came before, with another presentation: then nothing is kept.
    pub(crate) fn put_guarded(
        &self,
        guarded: &Guarded<Held>,
        facts: &ConsentFacts,
        entry: &AuditEntry<'_>,
        remember_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let terms = guarded.terms();
        let purposes = terms.purposes().iter().map(|purpose| purpose.code()).collect::<Vec<_>>().join(" ");
        self.write(|transaction| {
            if let Some(consent) = &facts.id {
                let new = transaction.execute(
                    "INSERT OR IGNORE INTO consents (id, until) VALUES (?1, ?2)",
                    params![consent, remember_until.unix()],
                )?;
                if new == 0 {
                    return Ok(false);
                }
            }
            transaction.execute(
                "INSERT INTO guarded (id, basis, purposes, received, ends_at, uses, uses_left, consent_id, consent_ends_at,
                     consent_retention, wrapped_key, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    terms.id().as_str(),
                    basis_word(terms.basis()),
                    purposes,
                    terms.received().unix(),
                    terms.end().unix(),
                    terms.uses(),
                    facts.id,
                    facts.ends_at.unix(),
                    rows::signed(facts.retention.get()),
                    guarded.wrapped_key(),
                    guarded.sealed(),
                ],
            )?;
            let done = transaction.execute(
                "UPDATE transactions SET progress = 'verified' WHERE id = ?1 AND progress = 'taken'",
                params![terms.id().as_str()],
            )?;
            if done != 1 {
                return Err(StoreError::Damaged);
            }
            audit::insert(transaction, entry)?;
            Ok(true)
        })
    }

    /// A guarded presentation.
    pub(crate) fn guarded(&self, id: &RecordId) -> Result<Option<StoredGuard>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT * FROM guarded WHERE id = ?1")?;
        let mut found = statement.query(params![id.as_str()])?;
        found.next()?.map(read).transpose()
    }

    /// Deletes the ciphertext. Its terms stay, to be told.
    pub(crate) fn delete_ciphertext(&self, id: &RecordId) -> Result<(), StoreError> {
        self.lock()
            .execute("UPDATE guarded SET wrapped_key = NULL, sealed = NULL WHERE id = ?1", params![id.as_str()])?;
        Ok(())
    }

    /// Notes that a presentation ended at `end`: the ciphertext goes, the transaction has ended and the audit says so, all or
    /// nothing. True for exactly one caller: a service's janitor and a command may both come to it.
    pub(crate) fn note_end(&self, entry: &AuditEntry<'_>, end: Timestamp) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let first = transaction.execute(
                "UPDATE guarded SET wrapped_key = NULL, sealed = NULL WHERE id = ?1 AND sealed IS NOT NULL",
                params![entry.id.as_str()],
            )? > 0;
            if first {
                audit::insert(transaction, entry)?;
                transactions::end(transaction, entry.id, "consent_ended", &format!("the consent ended at {end}"))?;
            }
            Ok(first)
        })
    }

    /// All presentations whose terms have ended and whose ciphertext is still there.
    pub(crate) fn ended(&self, now: Timestamp) -> Result<Vec<Terms>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT * FROM guarded WHERE sealed IS NOT NULL AND ends_at <= ?1 ORDER BY ends_at")?;
        let mut found = statement.query(params![now.unix()])?;
        let mut ended = Vec::new();
        while let Some(row) = found.next()? {
            ended.push(terms(row)?);
        }
        Ok(ended)
    }
}

const fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "consent",
        Basis::OwnLimit => "own-limit",
    }
}

fn terms(row: &Row<'_>) -> Result<Terms, StoreError> {
    let basis = match row.get::<_, String>("basis")?.as_str() {
        "consent" => Basis::Consent,
        "own-limit" => Basis::OwnLimit,
        _ => return Err(StoreError::Damaged),
    };
    let purposes = row.get::<_, String>("purposes")?;
    let purposes = purposes.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<Purpose>, _>>();
    Ok(Terms::from_stored(
        RecordId::parse(&row.get::<_, String>("id")?).ok_or(StoreError::Damaged)?,
        basis,
        purposes.map_err(|_| StoreError::Damaged)?,
        rows::time(row, "received")?,
        rows::time(row, "ends_at")?,
        row.get("uses")?,
    ))
}

fn read(row: &Row<'_>) -> Result<StoredGuard, StoreError> {
    let terms = terms(row)?;
    let wrapped_key: Option<Vec<u8>> = row.get("wrapped_key")?;
    let sealed: Option<Vec<u8>> = row.get("sealed")?;
    let facts = ConsentFacts {
        id: row.get("consent_id")?,
        ends_at: rows::time(row, "consent_ends_at")?,
        retention: Seconds::new(rows::unsigned(row, "consent_retention")?),
    };
    let guarded = wrapped_key.zip(sealed).map(|(key, sealed)| Guarded::from_stored(terms.clone(), key, sealed));
    Ok(StoredGuard { guarded, terms, facts })
}
