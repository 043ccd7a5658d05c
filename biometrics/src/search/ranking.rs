//! The best few of many scores.

use std::cmp::Ordering;

use super::Position;

/// The best of what was offered so far; of equal ones the earlier. What comes is put aside, and when twice as many lie there as
/// are wanted, the worse half goes: the cost of one is constant, however many are wanted.
pub(super) struct Best {
    most: usize,
    /// What a score must exceed to be among them: that of the last one that was kept.
    bar: f32,
    found: Vec<(f32, Position)>,
}

impl Best {
    pub(super) fn new(most: usize) -> Self {
        let bar = if most == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { most, bar, found: Vec::with_capacity(most.saturating_mul(2).min(1 << 16)) }
    }

    pub(super) fn offer(&mut self, score: f32, position: Position) {
        if score > self.bar {
            self.found.push((score, position));
            if self.found.len() >= self.most.saturating_mul(2) {
                self.keep();
            }
        }
    }

    /// Offers the scores of consecutive positions. Looks at each only where one of its neighbours could enter.
    pub(super) fn offer_all(&mut self, scores: &[f32], first: usize) {
        let could = |few: &[f32], bar: f32| few.iter().fold(false, |any, score| any | (*score > bar));
        for (i, few) in scores.chunks(LANES).enumerate() {
            if could(few, self.bar) {
                for (j, score) in few.iter().enumerate() {
                    self.offer(*score, Position(first + i * LANES + j));
                }
            }
        }
    }

    /// Those wanted, in any order.
    fn keep(&mut self) {
        if self.found.len() >= self.most && self.most > 0 {
            let (_, last, _) = self.found.select_nth_unstable_by(self.most - 1, better);
            self.bar = last.0;
            self.found.truncate(self.most);
        }
    }

    /// Best first.
    pub(super) fn into_sorted(mut self) -> Vec<(f32, Position)> {
        self.keep();
        self.found.sort_unstable_by(better);
        self.found
    }
}

fn better(a: &(f32, Position), b: &(f32, Position)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

const LANES: usize = 32;
