//! What a network of the operator's says of the frames: whether they look like a living face, before they are tried.
//!
//! A software check like the challenge, and weaker: what a network was not trained on, it may not see. It raises nothing that a
//! verifier hears; it can only refuse.
//!
//! # Source
//! `security.md` §2.2 ("median >= t_PAD"); ISO/IEC 30107-3 for the terms; decision 0125.

use crate::unlock::{Attempt, Witnessed};
use biometrics::pad::network::PadScore;

/// What the network says: an answer, not an error.
#[derive(Debug)]
#[must_use]
pub enum Examined<A> {
    /// The middle frame looks like a living face: go on.
    BonaFide(A),
    /// It looks like an attack, or no frame was looked at: the attempt has failed.
    Attack,
}

impl<A> Examined<A> {
    fn by(scores: &[PadScore], bona_fide: impl FnOnce() -> A) -> Self {
        if PadScore::median(scores).is_some_and(PadScore::is_bona_fide) {
            Self::BonaFide(bona_fide())
        } else {
            Self::Attack
        }
    }
}

impl Attempt {
    /// Takes the network's scores of the frames, one each.
    pub fn examined(self, scores: &[PadScore]) -> Examined<Self> {
        Examined::by(scores, || self.noting_examination())
    }
}

impl Witnessed {
    /// The same, of the frames that answered a challenge.
    pub fn examined(self, scores: &[PadScore]) -> Examined<Self> {
        Examined::by(scores, || self.noting_examination())
    }
}
