//! Tests of the error rates.

use proptest::prelude::*;

use super::*;
use crate::comparison::{ComparisonScore, Threshold};

fn scores(values: &[f64]) -> Vec<ComparisonScore> {
    values.iter().map(|v| ComparisonScore::from_value(*v)).collect()
}

fn evaluation(mated: &[f64], non_mated: &[f64]) -> Evaluation {
    Evaluation::new(scores(mated), scores(non_mated)).unwrap()
}

#[test]
fn perfect_separation_has_no_error() {
    let e = evaluation(&[0.8, 0.9], &[0.1, 0.2, 0.3]);
    assert_eq!(e.eer(), 0.0);
    let point = e.at_fmr(0.01);
    assert_eq!((point.fnmr.misses, point.fmr.misses), (0, 0));
    assert!(point.threshold > 0.3 && point.threshold < 0.300_001);
}

#[test]
fn total_confusion_errs_always() {
    let e = evaluation(&[0.1, 0.2], &[0.8, 0.9]);
    // The better side of the bracket: FMR 1 and FNMR 1/2, at 0.2.
    assert_eq!(e.eer(), 0.75);
    assert_eq!(e.at_fmr(0.01).fnmr.misses, 2);
}

#[test]
fn what_is_discarded_first_is_the_worst_and_equal_quality_gains_nothing() {
    let pair = |goodness: f64, score: f64| GradedScore { goodness, score: ComparisonScore::from_value(score) };
    let threshold = Threshold::new(0.5).unwrap();
    let at = |pairs: &[GradedScore], share: f64| error_versus_discard(pairs, threshold, &[share])[0].fnmr;
    let telling = [pair(1.0, 0.9), pair(0.1, 0.2), pair(0.2, 0.3), pair(0.8, 0.6)];
    assert_eq!(at(&telling, 0.0), Rate { misses: 2, trials: 4 });
    assert_eq!(at(&telling, 0.25), Rate { misses: 1, trials: 3 });
    assert_eq!(at(&telling, 0.5), Rate { misses: 0, trials: 2 });
    let telling_nothing = telling.map(|p| pair(0.7, p.score.value()));
    assert_eq!(at(&telling_nothing, 0.5), Rate { misses: 2, trials: 2 });
    assert_eq!(at(&telling, 1.0), Rate { misses: 0, trials: 0 });
}

#[test]
fn rates_are_those_counted_by_hand() {
    let e = evaluation(&[0.2, 0.5, 0.6, 0.9], &[-0.5, 0.0, 0.3, 0.4, 0.55]);
    assert_eq!(e.fmr(0.4), Rate { misses: 2, trials: 5 });
    assert_eq!(e.fnmr(0.5), Rate { misses: 1, trials: 4 });
    // At 0.5: FMR 1/5, FNMR 1/4.
    assert!((e.eer() - 0.225).abs() < 1e-12);
    let point = e.at_fmr(0.2);
    assert_eq!((point.fmr.misses, point.fnmr.misses), (1, 1));
    assert!(point.threshold > 0.4 && point.threshold < 0.400_001);
}

#[test]
fn a_failure_to_extract_is_a_non_match_on_both_sides() {
    let lowest = ComparisonScore::LOWEST.value();
    let e = evaluation(&[lowest, 0.9], &[lowest, 0.1]);
    assert_eq!(e.at_fmr(0.01).fnmr, Rate { misses: 1, trials: 2 });
    assert_eq!(e.fmr(0.0).misses, 1);
}

#[test]
fn one_sided_lists_are_refused() {
    assert_eq!(Evaluation::new(scores(&[]), scores(&[0.1])).err(), Some(EvaluationError::NoMatedPair));
    assert_eq!(Evaluation::new(scores(&[0.1]), scores(&[])).err(), Some(EvaluationError::NoNonMatedPair));
}

#[test]
fn a_threshold_decides_from_itself_up() {
    use crate::comparison::Decision;
    let threshold = Threshold::new(0.5).unwrap();
    assert_eq!(threshold.decide(ComparisonScore::from_value(0.5)), Decision::Match);
    assert_eq!(threshold.decide(ComparisonScore::from_value(0.499_999)), Decision::NonMatch);
    assert!(Threshold::new(f64::NAN).is_err() && Threshold::new(1.1).is_err());
}

proptest! {
    #[test]
    fn rates_agree_with_counting(
        mated in proptest::collection::vec(-1.0_f64..1.0, 1..60),
        non_mated in proptest::collection::vec(-1.0_f64..1.0, 1..60),
        threshold in -1.0_f64..1.0,
        most in 0.0_f64..0.5,
    ) {
        let e = evaluation(&mated, &non_mated);
        prop_assert_eq!(e.fmr(threshold).misses, non_mated.iter().filter(|s| **s >= threshold).count());
        prop_assert_eq!(e.fnmr(threshold).misses, mated.iter().filter(|s| **s < threshold).count());
        let point = e.at_fmr(most);
        prop_assert!(point.fmr.value() <= most);
        // No lower threshold keeps the FMR.
        prop_assert!(point.fmr.misses == non_mated.len() || e.fmr(point.threshold.next_down()).value() > most);
        prop_assert!((0.0..=1.0).contains(&e.eer()));
        let det = e.det();
        prop_assert!(det.windows(2).all(|w| w[0].fmr.misses >= w[1].fmr.misses && w[0].fnmr.misses <= w[1].fnmr.misses));
    }
}
