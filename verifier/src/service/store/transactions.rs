//! Transactions: waiting, taken by exactly one answer, then verified, refused or ended.

use super::{Store, StoreError, rows};
use crate::guarded::RecordId;
use crate::policy::UnknownStatus;
use crate::transaction::{Inquiry, Secret, Transaction, TransactionParts};
use credentials::consent::ProposedConsent;
use credentials::dcql::Query;
use rusqlite::{Connection, OptionalExtension, Row, params};
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::str::FromStr;

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nobody has answered yet.
    Waiting,
    /// An answer has taken it and is being verified. Nobody else can.
    Taken,
    /// The answer holds, and is under guard.
    Verified,
    /// The answer was refused, or the holder refused.
    Refused,
    /// The consent has ended, or nobody answered in time.
    Ended,
}

impl Progress {
    const ALL: [Self; 5] = [Self::Waiting, Self::Taken, Self::Verified, Self::Refused, Self::Ended];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }
}

impl FromStr for Progress {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|progress| progress.as_str() == text).ok_or(StoreError::Damaged)
    }
}

/// What the desk is told about a transaction.
#[derive(Debug, Clone)]
pub(crate) struct TransactionRow {
    pub(crate) id: RecordId,
    pub(crate) progress: Progress,
    pub(crate) purpose: Purpose,
    pub(crate) expires_at: Timestamp,
    pub(crate) taken_at: Option<Timestamp>,
    /// Where the person's browser goes on after the answer, in the same-device flow.
    pub(crate) go_on: Option<String>,
    /// The SHA-256 of the secret that it takes along, once there is one.
    pub(crate) response_code: Option<Vec<u8>>,
    /// What went wrong last: a word and a sentence.
    pub(crate) error: Option<(String, String)>,
}

/// So many unreadable answers, and the transaction is refused.
const MOST_UNREADABLE: i64 = 8;

impl Store {
    /// Keeps a new transaction, where the person's browser goes on after it, and the registration that it shows.
    pub(crate) fn put_transaction(
        &self,
        transaction: Transaction,
        go_on: Option<&str>,
        registration: Option<&str>,
    ) -> Result<(), StoreError> {
        let parts = TransactionParts::from(transaction);
        let inquiry = &parts.inquiry;
        let query = serde_json::to_string(inquiry.query().as_wire()).map_err(|_| StoreError::Damaged)?;
        self.lock().execute(
            "INSERT INTO transactions (id, request_handle, response_handle, nonce, state_text, client_id, query, purpose,
                 retention, consent, proposal, response_mode, unknown_status, made_at, expires_at, progress,
                 go_on, registration, issuer_algorithms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'waiting', ?16, ?17, ?18)",
            params![
                parts.id.as_str(),
                parts.request_handle.expose(),
                parts.response_handle.expose(),
                parts.nonce.expose(),
                parts.state.expose(),
                parts.client_id,
                query,
                inquiry.purpose().code(),
                rows::signed(inquiry.retention().get()),
                inquiry.consent().as_str(),
                parts.proposal.as_ref().map(ProposedConsent::raw),
                inquiry.response_mode().as_str(),
                inquiry.unknown_status().as_str(),
                parts.made_at.unix(),
                parts.expires_at.unix(),
                go_on,
                registration,
                inquiry.issuer_algorithms().to_string(),
            ],
        )?;
        Ok(())
    }

    /// The transaction whose request is asked for, while it waits.
    pub(crate) fn by_request_handle(&self, handle: &str, now: Timestamp) -> Result<Option<Transaction>, StoreError> {
        self.waiting("request_handle", handle, now)
    }

    /// The transaction that is being answered, while it waits. Looking takes nothing.
    pub(crate) fn by_response_handle(&self, handle: &str, now: Timestamp) -> Result<Option<Transaction>, StoreError> {
        self.waiting("response_handle", handle, now)
    }

    fn waiting(&self, column: &str, handle: &str, now: Timestamp) -> Result<Option<Transaction>, StoreError> {
        let sql =
            format!("SELECT * FROM transactions WHERE {column} = ?1 AND progress = 'waiting' AND expires_at > ?2");
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = statement.query(params![handle, now.unix()])?;
        found.next()?.map(read).transpose()
    }

    /// The registration that a request shows.
    pub(crate) fn registration(&self, id: &RecordId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT registration FROM transactions WHERE id = ?1";
        let found: Option<Option<String>> =
            self.lock().prepare_cached(sql)?.query_row(params![id.as_str()], |row| row.get(0)).optional()?;
        Ok(found.flatten())
    }

    /// Takes a waiting transaction for one answer: true for exactly one caller. With that its nonce is spent.
    pub(crate) fn take(&self, id: &RecordId, now: Timestamp) -> Result<bool, StoreError> {
        let connection = self.lock();
        let taken: Option<String> = connection
            .prepare_cached(
                "UPDATE transactions SET progress = 'taken', taken_at = ?2, request_handle = NULL, response_handle = NULL,
                     nonce = NULL, state_text = NULL, error_code = NULL, error_message = NULL
                 WHERE id = ?1 AND progress = 'waiting' AND expires_at > ?2 RETURNING id",
            )?
            .query_row(params![id.as_str(), now.unix()], |row| row.get(0))
            .optional()?;
        Ok(taken.is_some())
    }

    /// Keeps the hash of the secret that the person's browser takes along.
    pub(crate) fn put_response_code(&self, id: &RecordId, sha256: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "UPDATE transactions SET response_code = ?2 WHERE id = ?1 AND go_on IS NOT NULL";
        self.lock().execute(sql, params![id.as_str(), sha256.as_slice()])?;
        Ok(())
    }

    /// Refuses a transaction that was taken.
    pub(crate) fn refuse(&self, id: &RecordId, code: &str, message: &str) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE transactions SET progress = 'refused', error_code = ?2, error_message = ?3
             WHERE id = ?1 AND progress = 'taken'",
            params![id.as_str(), code, message],
        )?;
        Ok(())
    }

    /// Notes an answer that could not be read. The transaction waits on, for a while.
    pub(crate) fn note_unreadable(&self, id: &RecordId, code: &str, message: &str) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE transactions SET unreadable = unreadable + 1, error_code = ?2, error_message = ?3,
                 progress = CASE WHEN unreadable + 1 >= ?4 THEN 'refused' ELSE progress END
             WHERE id = ?1 AND progress = 'waiting'",
            params![id.as_str(), code, message, MOST_UNREADABLE],
        )?;
        Ok(())
    }

    /// Takes back the offer of a consent, for a wallet that must refuse what it does not know. The nonce is not spent.
    pub(crate) fn drop_offer(&self, id: &RecordId) -> Result<bool, StoreError> {
        let dropped = self.lock().execute(
            "UPDATE transactions SET proposal = NULL
             WHERE id = ?1 AND progress = 'waiting' AND consent = 'offered' AND proposal IS NOT NULL",
            params![id.as_str()],
        )?;
        Ok(dropped > 0)
    }

    /// Ends a transaction.
    pub(crate) fn end(&self, id: &RecordId, code: &str, message: &str) -> Result<(), StoreError> {
        end(&self.lock(), id, code, message)
    }

    /// What is known of a transaction.
    pub(crate) fn transaction(&self, id: &RecordId) -> Result<Option<TransactionRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT * FROM transactions WHERE id = ?1")?;
        let mut found = statement.query(params![id.as_str()])?;
        found.next()?.map(read_row).transpose()
    }

    /// The transactions that still wait or are taken although their time is over.
    pub(crate) fn overdue(
        &self,
        waiting_until: Timestamp,
        taken_until: Timestamp,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT * FROM transactions WHERE (progress = 'waiting' AND expires_at <= ?1) OR (progress = 'taken' AND taken_at <= ?2)
             LIMIT 1000",
        )?;
        let mut found = statement.query(params![waiting_until.unix(), taken_until.unix()])?;
        let mut overdue = Vec::new();
        while let Some(row) = found.next()? {
            overdue.push(read_row(row)?);
        }
        Ok(overdue)
    }

    /// Forgets what is over for so long that nobody will ask: transactions, consents and the audit.
    pub(crate) fn prune(&self, transactions: Timestamp, audit: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let connection = self.lock();
        connection.execute(
            "DELETE FROM transactions WHERE progress IN ('refused', 'ended') AND expires_at < ?1
                 AND id NOT IN (SELECT id FROM guarded WHERE ends_at >= ?1)",
            params![transactions.unix()],
        )?;
        connection.execute("DELETE FROM consents WHERE until < ?1", params![now.unix()])?;
        connection.execute("DELETE FROM audit WHERE at < ?1", params![audit.unix()])?;
        Ok(())
    }
}

/// As [`Store::end`], within what else is written.
pub(super) fn end(connection: &Connection, id: &RecordId, code: &str, message: &str) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE transactions SET progress = 'ended', request_handle = NULL, response_handle = NULL, nonce = NULL,
             state_text = NULL, error_code = ?2, error_message = ?3
         WHERE id = ?1 AND progress <> 'ended'",
        params![id.as_str(), code, message],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Transaction, StoreError> {
    let query = Query::parse(row.get::<_, String>("query")?.as_bytes()).map_err(|_| StoreError::Damaged)?;
    let retention = Seconds::new(rows::unsigned(row, "retention")?);
    // A transaction of before there was a choice.
    let algorithms = row.get::<_, Option<String>>("issuer_algorithms")?;
    let algorithms = algorithms.map(|names| names.parse()).transpose().map_err(|_| StoreError::Damaged)?;
    let inquiry = Inquiry::new(query, rows::word(row, "purpose")?, retention, rows::word(row, "consent")?)
        .map_err(|_| StoreError::Damaged)?
        .answered_by(rows::word(row, "response_mode")?)
        .with_unknown_status(rows::word::<UnknownStatus>(row, "unknown_status")?)
        .with_issuer_algorithms(algorithms.unwrap_or_default());
    let proposal = row.get::<_, Option<String>>("proposal")?;
    let proposal = proposal.map(|raw| ProposedConsent::parse(&raw)).transpose().map_err(|_| StoreError::Damaged)?;
    let secret = |column| -> Result<Secret, StoreError> { Ok(Secret::from_stored(row.get(column)?)) };
    Ok(Transaction::from(TransactionParts {
        id: id(row)?,
        request_handle: secret("request_handle")?,
        response_handle: secret("response_handle")?,
        nonce: secret("nonce")?,
        state: secret("state_text")?,
        client_id: row.get("client_id")?,
        inquiry,
        proposal,
        made_at: rows::time(row, "made_at")?,
        expires_at: rows::time(row, "expires_at")?,
    }))
}

fn read_row(row: &Row<'_>) -> Result<TransactionRow, StoreError> {
    let code: Option<String> = row.get("error_code")?;
    let message: Option<String> = row.get("error_message")?;
    Ok(TransactionRow {
        id: id(row)?,
        progress: rows::word(row, "progress")?,
        purpose: rows::word(row, "purpose")?,
        expires_at: rows::time(row, "expires_at")?,
        taken_at: rows::optional_time(row, "taken_at")?,
        go_on: row.get("go_on")?,
        response_code: row.get("response_code")?,
        error: code.zip(message),
    })
}

fn id(row: &Row<'_>) -> Result<RecordId, StoreError> {
    RecordId::parse(&row.get::<_, String>("id")?).ok_or(StoreError::Damaged)
}
