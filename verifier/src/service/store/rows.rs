//! Reading columns back into types: what cannot be read means a damaged store.

use super::StoreError;
use rusqlite::Row;
use schemas::Timestamp;
use std::str::FromStr;

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_unix(row.get(column)?))
}

pub(super) fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_unix))
}

pub(super) fn word<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T, StoreError> {
    row.get::<_, String>(column)?.parse().map_err(|_| StoreError::Damaged)
}

pub(super) fn unsigned(row: &Row<'_>, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| StoreError::Damaged)
}

/// A span or count as a column; no span we allow comes near the limit.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
