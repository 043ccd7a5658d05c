//! The memory for time: the highest ever seen.

use super::{Store, StoreError};
use crate::time_floor::TimeFloor;
use rusqlite::{Connection, params};
use schemas::Timestamp;

const HIGHEST: &str = "SELECT max(highest) FROM clock";
const NEWEST_LIST: &str = "SELECT max(issued_at) FROM status_lists";

fn time(connection: &Connection, sql: &str) -> Result<Option<Timestamp>, StoreError> {
    let unix: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(unix.map(Timestamp::from_unix))
}

/// Remembers that it was `at` already.
pub(super) fn raise(connection: &Connection, at: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO clock (one, highest) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET highest = max(highest, ?1)",
        params![at.unix()],
    )?;
    Ok(())
}

impl Store {
    /// The floor of time. Remembers nothing.
    pub(crate) fn peek_floor(&self) -> Result<TimeFloor, StoreError> {
        let connection = self.lock();
        Ok(TimeFloor::new(time(&connection, NEWEST_LIST)?, time(&connection, HIGHEST)?))
    }

    /// The floor of time, after which `now` is remembered. A clock that is behind raises nothing.
    pub(crate) fn time_floor(&self, now: Timestamp) -> Result<TimeFloor, StoreError> {
        self.write(|transaction| {
            let highest = time(transaction, HIGHEST)?;
            let newest_list = time(transaction, NEWEST_LIST)?;
            if highest.is_none_or(|highest| now > highest) {
                raise(transaction, now)?;
            }
            Ok(TimeFloor::new(newest_list, highest))
        })
    }

    /// Sets the memory for time back to `now`: after a clock was ahead by mistake.
    ///
    /// Status lists from later than that are forgotten too. Whoever calls this has destroyed what ended before the floor.
    pub(crate) fn reset_clock(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM clock", [])?;
            transaction.execute("INSERT INTO clock (one, highest) VALUES (1, ?1)", params![now.unix()])?;
            transaction.execute(
                "UPDATE status_lists SET token = NULL, issued_at = NULL, refresh_at = 0, generation = generation + 1
                 WHERE issued_at > ?1",
                params![now.unix()],
            )?;
            Ok(())
        })
    }
}
