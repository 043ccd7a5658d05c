//! When to stop waiting: for a whole message, however many parts it comes in.

#![allow(clippy::disallowed_methods, reason = "how long somebody takes is what is measured here")]

use crate::LinkError;
use std::time::{Duration, Instant};

/// The end of somebody's patience.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// How long it is until then.
    ///
    /// # Errors
    /// [`LinkError::Late`] when it is over.
    pub(crate) fn left(self) -> Result<Duration, LinkError> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(LinkError::Late) } else { Ok(left) }
    }
}
