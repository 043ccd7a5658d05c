//! One camera frame of a challenge: what is kept of it.

use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::grain::Grain;
use super::reflection::Tint;
use crate::engine::Capture;
use crate::face::geometry::Landmarks;
use crate::sample::Sample;
use crate::template::Embedding;

/// One camera frame, looked at. Personal data, wiped on drop.
///
/// Must come from an unmirrored picture: left and right count.
pub struct Frame {
    pub(super) at: Duration,
    pub(super) landmarks: Landmarks,
    pub(super) embedding: Embedding,
    pub(super) digest: [u8; 32],
    pub(super) grain: Grain,
    pub(super) tint: Option<Tint>,
}

impl Frame {
    /// A frame that came `at` this time since the challenge began, by a clock that does not go back; `capture` is the
    /// engine's own of this sample (see [`crate::Engine::capture_in_motion`]).
    #[must_use]
    pub fn new(at: Duration, sample: &Sample, capture: Capture) -> Self {
        let place = capture.place();
        let landmarks = *capture.landmarks();
        Self {
            at,
            landmarks,
            embedding: capture.into_embedding(),
            digest: Sha256::digest(sample.as_rgb()).into(),
            grain: Grain::of(sample, &place),
            tint: Tint::of(sample, &landmarks),
        }
    }

    /// When it was taken, since the challenge began.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, landmarks: _, embedding: _, digest: _, grain: _, tint: _ } = self;
        f.debug_struct("Frame").field("at", at).finish_non_exhaustive()
    }
}
