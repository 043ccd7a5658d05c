//! How much a verification costs above the two signatures in it, which the same backend verifies beside it in turns.

use crate::backends;
use crate::contest::{Contestant as _, Job, ours::Ours};
use cpu_time::ThreadTime;

const TURNS: usize = 400;
const RUNS: u32 = 20;

/// Prints one line.
pub fn print(job: &Job) {
    let mut ours = Ours::new(job);
    let mut bare = backends::aws_lc();
    let (mut least_bare, mut least_ours) = (f64::MAX, f64::MAX);
    for _ in 0..TURNS {
        least_bare = least_bare.min(microseconds(|| {
            (bare.verify)();
            (bare.verify)();
        }));
        least_ours = least_ours.min(microseconds(|| ours.verify()));
    }
    println!(
        "Verifying: {least_ours:.1} µs, two signatures alone ({}) {least_bare:.1} µs: {:.1} % above them ({TURNS} turns, least of each)\n",
        bare.name,
        (least_ours / least_bare - 1.0) * 100.0
    );
}

/// Of this thread's time, for one of [`RUNS`].
fn microseconds(mut run: impl FnMut()) -> f64 {
    let started = ThreadTime::now();
    for _ in 0..RUNS {
        run();
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(RUNS)
}
