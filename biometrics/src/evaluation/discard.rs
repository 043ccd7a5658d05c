//! Error versus discard: what the FNMR becomes when the pictures of lowest quality are not taken.

use super::Rate;
use crate::comparison::{ComparisonScore, Decision, Threshold};

/// A mated pair: its score, and how good its worse picture is by some measure.
#[derive(Debug, Clone, Copy)]
pub struct GradedScore {
    /// Larger is better.
    pub goodness: f64,
    /// How alike the two are.
    pub score: ComparisonScore,
}

/// One point of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscardPoint {
    /// The share of pairs left out, those of lowest quality.
    pub discarded: f64,
    /// The FNMR of the rest.
    pub fnmr: Rate,
}

/// The curve at a fixed threshold, at each of the shares. Among pairs of equal quality those that match go first, so that
/// a measure that tells nothing gains nothing.
///
/// # Source
/// Grother and Tabassi, IEEE Trans. Pattern Anal. Mach. Intell. 29(4), 2007; ISO/IEC 29794-1:2024, Annex (error versus discard
/// characteristic).
#[must_use]
pub fn error_versus_discard(mated: &[GradedScore], threshold: Threshold, shares: &[f64]) -> Vec<DiscardPoint> {
    let mut sorted: Vec<&GradedScore> = mated.iter().collect();
    sorted.sort_by(|a, b| a.goodness.total_cmp(&b.goodness).then_with(|| b.score.value().total_cmp(&a.score.value())));
    let point = |share: &f64| {
        let kept = sorted.iter().skip((share * mated.len() as f64).round() as usize);
        let fnmr = kept.fold(Rate { misses: 0, trials: 0 }, |Rate { misses, trials }, pair| Rate {
            misses: misses + usize::from(threshold.decide(pair.score) == Decision::NonMatch),
            trials: trials + 1,
        });
        DiscardPoint { discarded: *share, fnmr }
    };
    shares.iter().map(point).collect()
}
