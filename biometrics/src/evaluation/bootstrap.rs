//! Intervals that know that pairs of the same people are not independent: people are drawn again, not pairs.

use std::collections::BTreeMap;

use rand_core::CryptoRng;

use super::Interval;
use crate::comparison::ComparisonScore;

/// A score, and whose samples were compared. The same person on both sides is a mated pair.
#[derive(Debug, Clone, Copy)]
pub struct SubjectScore {
    /// Who is enrolled.
    pub reference: Subject,
    /// Who was captured.
    pub probe: Subject,
    /// How alike they are.
    pub score: ComparisonScore,
}

/// A person of an evaluation, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub usize);

/// What drawing other people would have given, at an FMR of at most some number: 95 % intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BySubject {
    /// Of the FNMR.
    pub fnmr: Interval,
    /// Of the score from which on there is a match. Its upper end is a threshold that keeps the FMR for other people too, as far
    /// as these tell.
    pub threshold: Interval,
}

/// The 95 % intervals of FNMR and threshold at an FMR of at most `fmr`, by drawing as many subjects as there are, with repetition,
/// so often.
///
/// A pair counts as often as both its people were drawn; each draw finds its own threshold. Nothing if a draw has no mated
/// or no non-mated pair throughout.
///
/// # Source
/// Efron, Ann. Statist. 7(1), 1979 (percentile bootstrap); ISO/IEC 19795-1:2021, Annex B (subjects as the unit of resampling).
#[must_use]
pub fn by_subject<R: CryptoRng + ?Sized>(
    scores: &[SubjectScore],
    fmr: f64,
    draws: usize,
    rng: &mut R,
) -> Option<BySubject> {
    let subjects = scores.iter().map(|s| s.reference.0.max(s.probe.0) + 1).max()?;
    let mut sorted: Vec<&SubjectScore> = scores.iter().collect();
    sorted.sort_by(|a, b| b.score.value().total_cmp(&a.score.value()));
    let (mut rates, mut thresholds) = (Vec::new(), Vec::new());
    for _ in 0..draws {
        let times = drawn(subjects, rng);
        if let Some((rate, threshold)) = at_fmr(&sorted, &times, fmr) {
            rates.push(rate);
            thresholds.push(threshold);
        }
    }
    Some(BySubject { fnmr: middle(rates)?, threshold: middle(thresholds)? })
}

/// The 95 % interval of a share of failures, by drawing people anew, each with all that they tried. Nothing where fewer than two
/// people tried: who one person is says nothing of others.
///
/// # Source
/// As [`by_subject`].
#[must_use]
pub fn failures_by_subject<R: CryptoRng + ?Sized>(
    trials: &[(Subject, bool)],
    draws: usize,
    rng: &mut R,
) -> Option<Interval> {
    let mut people: BTreeMap<Subject, (u64, u64)> = BTreeMap::new();
    for (subject, failed) in trials {
        let (failures, all) = people.entry(*subject).or_default();
        *failures += u64::from(*failed);
        *all += 1;
    }
    if people.len() < 2 {
        return None;
    }
    let rate = |times: Vec<u64>| {
        let each = people.values().zip(times);
        let (failed, all) = each.fold((0, 0), |(f, a), ((failures, all), n)| (f + n * failures, a + n * all));
        failed as f64 / all as f64
    };
    middle((0..draws).map(|_| rate(drawn(people.len(), rng))).collect())
}

/// How often each of so many subjects is drawn, when as many are drawn with repetition.
fn drawn<R: CryptoRng + ?Sized>(subjects: usize, rng: &mut R) -> Vec<u64> {
    let mut times = vec![0_u64; subjects];
    for _ in 0..subjects {
        let mut bytes = [0; 8];
        rng.fill_bytes(&mut bytes);
        let drawn = (u128::from(u64::from_le_bytes(bytes)) * subjects as u128) >> 64;
        if let Some(count) = usize::try_from(drawn).ok().and_then(|i| times.get_mut(i)) {
            *count += 1;
        }
    }
    times
}

/// Between which 95 % of the values lie.
fn middle(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1)));
    Some(Interval { low: *at(0.025)?, high: *at(0.975)? })
}

/// One draw: from the highest score down, until one more non-mated pair would be too many; its FNMR, and the
/// least threshold that keeps that one out.
fn at_fmr(sorted: &[&SubjectScore], times: &[u64], fmr: f64) -> Option<(f64, f64)> {
    let weight = |s: &SubjectScore| {
        let of = |subject: Subject| times.get(subject.0).copied().unwrap_or_default();
        if s.reference == s.probe { of(s.reference) } else { of(s.reference) * of(s.probe) }
    };
    let total =
        |mated: bool| -> u64 { sorted.iter().filter(|s| (s.reference == s.probe) == mated).map(|s| weight(s)).sum() };
    let (mated, non_mated) = (total(true), total(false));
    if mated == 0 || non_mated == 0 {
        return None;
    }
    let allowed = (fmr * non_mated as f64).floor() as u64;
    let (mut matched, mut false_matches, mut threshold) = (0_u64, 0_u64, 1.0);
    for score in sorted {
        if score.reference == score.probe {
            matched += weight(score);
        } else {
            false_matches += weight(score);
            if false_matches > allowed {
                threshold = score.score.value().next_up();
                break;
            }
        }
        threshold = score.score.value();
    }
    Some((1.0 - matched as f64 / mated as f64, threshold))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Twenty people of ten mated pairs each; `bad` of them never match.
    fn scores(bad: usize) -> Vec<SubjectScore> {
        let mut all = Vec::new();
        for i in 0..20 {
            for j in 0..20 {
                for k in 0..10 {
                    let value = if i != j {
                        f64::from(k) / 100.0
                    } else if i < bad {
                        0.0
                    } else {
                        0.9
                    };
                    let score = ComparisonScore::from_value(value);
                    all.push(SubjectScore { reference: Subject(i), probe: Subject(j), score });
                }
            }
        }
        all
    }

    #[test]
    fn people_who_never_match_make_a_wide_interval() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        // Two of twenty: by pairs 20 of 200, which Clopper and Pearson would put at 6 to 15 %.
        let BySubject { fnmr: interval, threshold } = by_subject(&scores(2), 1e-2, 1000, &mut rng).unwrap();
        assert!(interval.low <= 0.01 && (0.2..=0.35).contains(&interval.high), "{interval:?}");
        // Every pair of two people has the same scores: whoever is drawn, nothing below the highest of them is let in.
        assert!(threshold.low > 0.09 && threshold.high <= 0.9, "{threshold:?}");
        let none = by_subject(&scores(0), 1e-2, 200, &mut rng).unwrap().fnmr;
        assert_eq!((none.low, none.high), (0.0, 0.0));
        assert_eq!(by_subject(&[], 1e-2, 10, &mut rng), None);
    }

    #[test]
    fn failures_of_one_person_are_one_persons() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        // Twenty people of ten attempts; all of two people's fail.
        let trials: Vec<(Subject, bool)> = (0..200).map(|i| (Subject(i % 20), i % 20 < 2)).collect();
        let Interval { low, high } = failures_by_subject(&trials, 1000, &mut rng).unwrap();
        assert!(low <= 0.01 && (0.2..=0.35).contains(&high), "{low} {high}");
        // As many failures, one of each person: whoever is drawn, it is one in ten.
        let even: Vec<(Subject, bool)> = (0..200).map(|i| (Subject(i % 20), i < 20)).collect();
        let Interval { low, high } = failures_by_subject(&even, 1000, &mut rng).unwrap();
        assert!((low - 0.1).abs() < 1e-12 && (high - 0.1).abs() < 1e-12, "{low} {high}");
        assert_eq!(failures_by_subject(&[(Subject(3), true), (Subject(3), false)], 10, &mut rng), None);
    }
}
