//! Transactions: several attempts of one person on one enrolment, of which one has to succeed.

use std::path::PathBuf;

/// How many attempts a transaction has.
pub(super) const ATTEMPTS: usize = 3;

/// Attempts on one enrolment by as many as a transaction has, none with a frame in common; each is in one transaction at most, and what
/// makes no whole one is left out.
pub(super) fn grouped(attempts: &[&[PathBuf]]) -> Vec<Vec<usize>> {
    let mut left: Vec<(usize, &[PathBuf])> = attempts.iter().copied().enumerate().collect();
    let mut groups = Vec::new();
    while !left.is_empty() {
        let mut group: Vec<(usize, &[PathBuf])> = Vec::with_capacity(ATTEMPTS);
        for (number, frames) in &left {
            let is_apart = |(_, others): &(usize, &[PathBuf])| others.iter().all(|frame| !frames.contains(frame));
            if group.len() < ATTEMPTS && group.iter().all(is_apart) {
                group.push((*number, frames));
            }
        }
        let numbers: Vec<usize> = group.into_iter().map(|(number, _)| number).collect();
        if numbers.len() == ATTEMPTS {
            left.retain(|(number, _)| !numbers.contains(number));
            groups.push(numbers);
        } else {
            left.remove(0);
        }
    }
    groups
}

/// Whether none of a transaction's attempts succeeded.
pub(super) fn has_failed(transaction: &[usize], succeeded: &[bool]) -> bool {
    transaction.iter().all(|attempt| succeeded.get(*attempt) == Some(&false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(shown: usize, frames: usize) -> Vec<Vec<PathBuf>> {
        let frame = |i: usize| PathBuf::from(format!("{}.pgm", i % shown));
        (0..shown).map(|first| (first..first + frames).map(frame).collect()).collect()
    }

    fn groups(attempts: &[Vec<PathBuf>]) -> Vec<Vec<usize>> {
        grouped(&attempts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn attempts_of_a_transaction_have_no_frame_in_common() {
        // Nine pictures in bursts of three, each picture beginning one.
        assert_eq!(groups(&attempts(9, 3)), [[0, 3, 6], [1, 4, 7], [2, 5, 8]]);
        // Single frames: what is left over makes no transaction.
        assert_eq!(groups(&attempts(7, 1)), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(groups(&attempts(5, 1)), [[0, 1, 2]]);
        // Seven pictures hold two bursts of three that are apart, and no third.
        assert!(groups(&attempts(7, 3)).is_empty());
        assert!(groups(&attempts(2, 1)).is_empty() && groups(&[]).is_empty());
    }

    #[test]
    fn one_attempt_that_succeeds_is_enough() {
        let succeeded = [false, false, true, false, false];
        assert!(!has_failed(&[0, 1, 2], &succeeded) && has_failed(&[0, 1, 3], &succeeded));
    }

    #[test]
    fn the_same_frame_twice_is_no_second_attempt() {
        let same = vec![vec![PathBuf::from("1.pgm")]; 3];
        assert!(groups(&same).is_empty());
    }
}
