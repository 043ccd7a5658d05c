//! The best few of many scores.

use super::Position;

/// The best of what was offered so far, best first; of equal ones the earlier.
pub(super) struct Best {
    most: usize,
    found: Vec<(f32, Position)>,
}

impl Best {
    pub(super) fn new(most: usize) -> Self {
        Self { most, found: Vec::with_capacity(most.saturating_add(1).min(1 << 16)) }
    }

    /// What a score must exceed to be among them.
    pub(super) fn bar(&self) -> f32 {
        if self.most == 0 {
            return f32::INFINITY;
        }
        if self.found.len() < self.most {
            return f32::NEG_INFINITY;
        }
        self.found.last().map_or(f32::NEG_INFINITY, |(score, _)| *score)
    }

    pub(super) fn offer(&mut self, score: f32, position: Position) {
        if score > self.bar() {
            let at = self.found.partition_point(|(other, _)| *other >= score);
            self.found.insert(at, (score, position));
            self.found.truncate(self.most);
        }
    }

    /// Offers the scores of consecutive positions. Looks at each only where one of its neighbours could enter.
    pub(super) fn offer_all(&mut self, scores: &[f32], first: usize) {
        for (i, few) in scores.chunks(LANES).enumerate() {
            let bar = self.bar();
            if few.iter().fold(false, |any, score| any | (*score > bar)) {
                for (j, score) in few.iter().enumerate() {
                    self.offer(*score, Position(first + i * LANES + j));
                }
            }
        }
    }

    pub(super) fn into_sorted(self) -> Vec<(f32, Position)> {
        self.found
    }
}

const LANES: usize = 16;
