//! What the size of a gallery makes of an error rate.

use super::{Interval, Rate};

/// The false positive identification rate that a gallery implies: how often a search for someone who is not in it brings up
/// somebody.
///
/// `1 − (1 − FMR)^N`, as if the comparisons of one search were independent. They are not: people of one family, age and
/// origin are more alike, so the truth is worse.
///
/// # Source
/// ISO/IEC 19795-1:2021 (FPIR); the law of independent comparisons: Daugman, Proc. IEEE 94(11), 2006.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fpir {
    /// The rate that the measured FMR implies.
    pub value: f64,
    /// What the exact interval of the FMR implies.
    pub interval: Interval,
}

impl Fpir {
    /// From a counted FMR, for a gallery of this many references.
    #[must_use]
    pub fn implied(fmr: Rate, references: usize) -> Self {
        let among = |rate: f64| -((-rate).ln_1p() * references as f64).exp_m1();
        let Interval { low, high } = fmr.interval();
        Self { value: among(fmr.value()), interval: Interval { low: among(low), high: among(high) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_threat_model_is_met() {
        // N × FMR: security.md §9.1.
        for (fmr, references, expected) in
            [(1e-4, 1_000, 0.095), (1e-5, 10_000, 0.095), (1e-6, 1_000_000, 0.632), (1e-7, 1_000, 1e-4)]
        {
            let trials = 10_000_000;
            let rate = Rate { misses: (fmr * trials as f64).round() as usize, trials };
            let fpir = Fpir::implied(rate, references);
            assert!((fpir.value - expected).abs() < expected * 0.01, "{fpir:?}");
            assert!(fpir.interval.low < fpir.value && fpir.value < fpir.interval.high);
        }
        let none = Fpir::implied(Rate { misses: 0, trials: 19_000 }, 1_000);
        assert!(none.value == 0.0 && none.interval.high > 0.15, "{none:?}");
        assert_eq!(Fpir::implied(Rate { misses: 1, trials: 2 }, 0).value, 0.0);
    }
}
