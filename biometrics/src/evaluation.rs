//! Error rates, counted: FMR, FNMR, EER, thresholds, exact intervals, the DET curve. Pure arithmetic on scores.
//!
//! # Source
//! ISO/IEC 19795-1:2021 for the rates; Maio et al., "FVC2000", IEEE Trans. Pattern Anal. Mach. Intell. 24(3), 2002 for the
//! bracket of the EER; Clopper and Pearson, Biometrika 26(4), 1934 for the intervals.

mod bootstrap;
mod discard;
mod fpir;
mod interval;

use crate::comparison::ComparisonScore;

pub use bootstrap::{BySubject, Subject, SubjectScore, by_subject, failures_by_subject};
pub use discard::{DiscardPoint, GradedScore, error_versus_discard};
pub use fpir::Fpir;
pub use interval::Interval;

/// The scores of an evaluation, sorted.
#[derive(Debug)]
pub struct Evaluation {
    mated: Vec<f64>,
    non_mated: Vec<f64>,
}

impl Evaluation {
    /// Takes the scores of all mated and all non-mated pairs; those that could not be compared as
    /// [`ComparisonScore::LOWEST`].
    ///
    /// # Errors
    /// [`EvaluationError`] if either list is empty.
    pub fn new(
        mated: impl IntoIterator<Item = ComparisonScore>,
        non_mated: impl IntoIterator<Item = ComparisonScore>,
    ) -> Result<Self, EvaluationError> {
        let mated = sorted(mated).ok_or(EvaluationError::NoMatedPair)?;
        let non_mated = sorted(non_mated).ok_or(EvaluationError::NoNonMatedPair)?;
        Ok(Self { mated, non_mated })
    }

    /// Non-mated pairs whose score reaches the threshold.
    #[must_use]
    pub fn fmr(&self, threshold: f64) -> Rate {
        let below = self.non_mated.partition_point(|score| *score < threshold);
        Rate { misses: self.non_mated.len() - below, trials: self.non_mated.len() }
    }

    /// Mated pairs whose score does not reach the threshold.
    #[must_use]
    pub fn fnmr(&self, threshold: f64) -> Rate {
        let below = self.mated.partition_point(|score| *score < threshold);
        Rate { misses: below, trials: self.mated.len() }
    }

    /// The lowest threshold whose FMR is at most `most`, and the FNMR there.
    ///
    /// With fewer non-mated pairs than `1 / most`, that is the lowest threshold with no false match at all: it says less
    /// than it seems, which the interval shows.
    #[must_use]
    pub fn at_fmr(&self, most: f64) -> OperatingPoint {
        let allowed = (most * self.non_mated.len() as f64).floor() as usize;
        // Just above the score that would be one false match too many.
        let threshold = self.non_mated.iter().rev().nth(allowed).map_or(-1.0, |score| score.next_up());
        OperatingPoint { threshold, fmr: self.fmr(threshold), fnmr: self.fnmr(threshold) }
    }

    /// The equal error rate: half the sum of both rates where they are nearest, on the better side of the crossing.
    #[must_use]
    pub fn eer(&self) -> f64 {
        let both = |threshold: f64| (self.fmr(threshold).value(), self.fnmr(threshold).value());
        let mut thresholds: Vec<f64> = self.mated.iter().chain(&self.non_mated).copied().collect();
        thresholds.sort_by(f64::total_cmp);
        // FNMR rises and FMR falls with the threshold: the first place where FNMR is not below FMR, and the last before.
        let crossing = thresholds.partition_point(|t| {
            let (fmr, fnmr) = both(*t);
            fnmr < fmr
        });
        let sides = [thresholds.get(crossing), crossing.checked_sub(1).and_then(|i| thresholds.get(i))];
        let sum = |(fmr, fnmr): (f64, f64)| fmr + fnmr;
        let best = sides.into_iter().flatten().map(|t| sum(both(*t))).fold(f64::INFINITY, f64::min);
        if best.is_finite() { best / 2.0 } else { 0.0 }
    }

    /// The DET curve: FMR and FNMR at every score where one of them changes, from the lowest threshold up.
    #[must_use]
    pub fn det(&self) -> Vec<OperatingPoint> {
        let mut thresholds: Vec<f64> = self.mated.iter().chain(&self.non_mated).copied().collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds
            .into_iter()
            .map(|threshold| OperatingPoint { threshold, fmr: self.fmr(threshold), fnmr: self.fnmr(threshold) })
            .collect()
    }

    /// The scores of the mated pairs, ascending.
    #[must_use]
    pub fn mated(&self) -> &[f64] {
        &self.mated
    }

    /// The scores of the non-mated pairs, ascending.
    #[must_use]
    pub fn non_mated(&self) -> &[f64] {
        &self.non_mated
    }
}

/// Both rates at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Scores from here up match.
    pub threshold: f64,
    /// Non-mated pairs that match.
    pub fmr: Rate,
    /// Mated pairs that do not.
    pub fnmr: Rate,
}

/// So many errors in so many trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Errors.
    pub misses: usize,
    /// Trials, at least 1 in an [`Evaluation`].
    pub trials: usize,
}

impl Rate {
    /// Errors by trials.
    #[must_use]
    pub fn value(self) -> f64 {
        self.misses as f64 / self.trials.max(1) as f64
    }

    /// The most that these trials allow to be claimed, in bits: a stranger's attempt succeeds at most once in two to the power of
    /// it, with 97.5 % confidence, if trials were independent.
    #[must_use]
    pub fn bits(self) -> f64 {
        -self.interval().high.log2()
    }

    /// The exact interval that holds the true rate with 95 % confidence, if trials were independent. Pairs of the same
    /// people are not: the true interval is wider.
    #[must_use]
    pub fn interval(self) -> Interval {
        Interval::clopper_pearson(self.misses, self.trials)
    }
}

/// Why scores cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Nothing to count non-matches in.
    #[error("there is no mated pair")]
    NoMatedPair,
    /// Nothing to count matches in.
    #[error("there is no non-mated pair")]
    NoNonMatedPair,
}

fn sorted(scores: impl IntoIterator<Item = ComparisonScore>) -> Option<Vec<f64>> {
    let mut values: Vec<f64> = scores.into_iter().map(ComparisonScore::value).collect();
    values.sort_by(f64::total_cmp);
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests;
