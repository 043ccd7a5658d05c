//! The janitor: every second it destroys the keys of what has ended, whether or not anyone looks.

use super::desk::{Desk, DeskError, interrupted, system_actor};
use super::key_files::KeyKind;
use super::store::Progress;
use crate::guarded::{AuditEntry, AuditEvent, RecordId, Terms};
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// A transaction that is over is forgotten this much later.
const KEPT: Seconds = Seconds::DAY.times(7);
/// The audit is kept this long.
const AUDITED: Seconds = Seconds::DAY.times(90);
/// How often, in ticks, that is done which need not be done every second.
const RARELY: u32 = 60;
/// How often, in ticks, it is looked whether the time of a status list has come.
const LISTS_EVERY: u32 = 5;

impl Desk {
    /// Destroys the keys of all that has ended, and ends what nobody answered.
    ///
    /// The key goes first, then the ciphertext, then the record says so: whatever is interrupted is done again next time.
    ///
    /// # Errors
    /// The first failure, after all else was done; what failed is tried again at the next sweep.
    pub fn sweep(&self) -> Result<(), DeskError> {
        let local = self.now_unjudged();
        let at = self.store().peek_floor()?.effective(local);
        let ended = self.store().ended(at)?;
        let mut outcome = Ok(());
        // Every key before any record: neither a key that cannot be destroyed nor a full disk keeps the others alive.
        let mut gone = Vec::with_capacity(ended.len());
        for terms in &ended {
            match self.keys().destroy(terms.id(), KeyKind::Guard) {
                Ok(()) => gone.push(terms),
                Err(error) => outcome = outcome.and(Err(error.into())),
            }
        }
        for terms in gone {
            outcome = outcome.and(self.note_end(terms, at));
        }
        for row in self.store().overdue(at, at.minus(super::desk::PATIENCE))? {
            let ended = match row.progress {
                Progress::Taken if interrupted(&row, at) => self.interrupt(&row),
                _ => self.expire(&row),
            };
            outcome = outcome.and(ended.map(drop));
        }
        outcome
    }

    /// What need not be done every second: remembers the time, finishes what a process that died had begun, destroys keys
    /// that no record needs, forgets old records.
    ///
    /// # Errors
    /// The first failure.
    pub fn tidy(&self) -> Result<(), DeskError> {
        let local = self.now_unjudged();
        let at = self.store().time_floor(local)?.effective(local);
        let mut outcome = self.keys().finish_destroying();
        for (kind, stages) in
            [(KeyKind::Answer, &[Progress::Waiting][..]), (KeyKind::Guard, &[Progress::Taken, Progress::Verified][..])]
        {
            for id in self.keys().list(kind)? {
                if !self.is_at(&id, stages)? {
                    outcome = outcome.and(self.keys().destroy(&id, kind));
                }
            }
        }
        self.store().prune(at.minus(KEPT), at.minus(AUDITED), at)?;
        Ok(outcome?)
    }

    fn note_end(&self, terms: &Terms, at: Timestamp) -> Result<(), DeskError> {
        let id = terms.id();
        let actor = system_actor()?;
        let purpose = terms.purposes().first().copied().unwrap_or(Purpose::SupportService);
        // So that a clock set back finds a floor behind which this end lies.
        self.store().time_floor(at)?;
        let entry = AuditEntry { id, at, actor: &actor, purpose, event: AuditEvent::Ended };
        if self.store().note_end(&entry, terms.end())? {
            tracing::info!(transaction = %id, "consent ended; key destroyed");
        }
        Ok(())
    }

    fn is_at(&self, id: &RecordId, stages: &[Progress]) -> Result<bool, DeskError> {
        // A request being made writes its key first and its record right after: a key may be without a record for a moment.
        let Some(row) = self.store().transaction(id)? else { return Ok(self.keys().is_young(id)) };
        Ok(stages.contains(&row.progress))
    }
}

/// Sweeps every second until it is dropped, and fetches status lists whose time has come.
pub(super) async fn janitor(desk: Arc<Desk>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0u32;
    loop {
        ticks.tick().await;
        let (sweeper, rarely) = (Arc::clone(&desk), count.is_multiple_of(RARELY));
        let swept = tokio::task::spawn_blocking(move || {
            let swept = sweeper.sweep();
            swept.and(if rarely { sweeper.tidy() } else { Ok(()) })
        });
        if let Ok(Err(error)) = swept.await {
            tracing::error!(%error, "the janitor failed and will try again");
        }
        if count.is_multiple_of(LISTS_EVERY) {
            refresh(&desk).await;
        }
        count = count.wrapping_add(1);
    }
}

/// Not by a clock that cannot be believed: a list would seem expired, or from the future.
async fn refresh(desk: &Arc<Desk>) {
    let Ok(now) = desk.time() else { return };
    let (lists, types) = (Arc::clone(desk), Arc::clone(desk));
    // In tasks of their own: slow hosts must keep the janitor from destroying no key, and each other from no refresh. Where the
    // one before still runs, nothing is begun.
    tokio::spawn(async move {
        if let Err(error) = lists.refresh_due_lists(now).await {
            tracing::error!(%error, "status lists could not be refreshed");
        }
    });
    tokio::spawn(async move {
        if let Err(error) = types.look_up_due(now).await {
            tracing::error!(%error, "types and issuers' keys could not be refreshed");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::clock::SetClock;
    use crate::service::config::{Config, VerifierName, VerifierUrl};
    use schemas::Timestamp;
    use std::net::TcpListener;

    #[tokio::test]
    async fn attack_45_a_source_that_hangs_is_asked_once_however_often_its_time_comes() {
        let now = Timestamp::from_unix(1_795_000_000);
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("desk");
        let config = Config {
            version: Config::VERSION,
            url: VerifierUrl::parse("http://127.0.0.1:8090").unwrap(),
            name: VerifierName::parse("Desk").unwrap(),
            contact: None,
            client_id: "x509_hash".into(),
            made_at: now,
        };
        Desk::create(&data, &config).unwrap();
        let desk = Desk::open(&data, Arc::new(SetClock::new(now))).unwrap();
        // Somebody who takes every connection, and never says a word: the system does that.
        let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
        hanging.set_nonblocking(true).unwrap();
        let address = hanging.local_addr().unwrap();
        desk.learn_type_source(&format!("http://{address}/type")).unwrap();
        desk.store().learn_list(&format!("http://{address}/list"), now).unwrap();
        for _ in 0..3 {
            refresh(&desk).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let connections = std::iter::from_fn(|| hanging.accept().ok()).count();
        assert_eq!(connections, 2, "one for the type, one for the list");
    }
}
