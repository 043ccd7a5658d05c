//! Time by the clock and by the processor: other programs lengthen the one and not the other.

use std::time::{Duration, Instant};

/// Now, by the clock and by the processor time of this thread; the latter where Linux tells it.
pub(super) struct Moment {
    clock: Instant,
    processor: Option<Duration>,
}

/// What lies between two moments.
pub(super) struct Spent {
    pub(super) clock: Duration,
    pub(super) processor: Option<Duration>,
}

impl Moment {
    pub(super) fn now() -> Self {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
        Self { processor: nanoseconds.map(Duration::from_nanos), clock: Instant::now() }
    }

    pub(super) fn since(&self, earlier: &Self) -> Spent {
        let processor = self.processor.zip(earlier.processor).map(|(now, then)| now.saturating_sub(then));
        Spent { clock: self.clock - earlier.clock, processor }
    }
}

impl Spent {
    /// The processor's time; the clock's where the former is not told.
    pub(super) fn own(&self) -> Duration {
        self.processor.unwrap_or(self.clock)
    }
}
