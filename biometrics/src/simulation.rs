//! Presentations made up from photographs: **simulation**, for tests and evaluation only.
//!
//! Nobody sat in front of a camera for these. A portrait is bent over a rough head and turned; attacks are what is left out
//! of that. They show that each check of [`crate::pad::challenge`] can fail and can pass. They say nothing of how often a
//! real attack passes, and every table made with them must say *simulated*.

mod degradation;
mod fingertip;
mod head;
mod material;

use std::time::Duration;

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

pub use degradation::{Degradation, MOST_LEVEL, degraded};
pub use fingertip::{Conditions, FingertipError, fingertip};
pub use head::Portrait;
pub use material::{print_rephotographed, screen_replayed};

use crate::pad::challenge::{Challenge, Prompt, ScreenColour, Script};
use crate::sample::{DecodeError, Sample};
use head::{Pose, Scene};

/// What is presented to the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Species {
    /// A head that answers.
    BonaFide,
    /// A print, held, shifted and tilted as the prompts say; it reflects light.
    StillPhotograph,
    /// Good frames, then the same frames over again.
    LoopedFrames,
    /// A recording of somebody who answered another challenge, fed into the camera's place.
    Recording,
    /// One person, and from the middle on another.
    Cut,
    /// A head drawn by a program, under noise that never changes.
    ConstantNoise,
    /// A head drawn by a program that follows the prompts and knows nothing of the light: without it, it would pass.
    NoLight,
}

impl Species {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::BonaFide,
        Self::StillPhotograph,
        Self::LoopedFrames,
        Self::Recording,
        Self::Cut,
        Self::ConstantNoise,
        Self::NoLight,
    ];

    /// A short name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BonaFide => "bona-fide",
            Self::StillPhotograph => "still-photograph",
            Self::LoopedFrames => "looped-frames",
            Self::Recording => "recording",
            Self::Cut => "cut",
            Self::ConstantNoise => "constant-noise",
            Self::NoLight => "no-light",
        }
    }
}

/// Somebody or something before the camera, ten frames a second.
pub struct Performance<'a> {
    portrait: &'a Portrait<'a>,
    other: &'a Portrait<'a>,
    species: Species,
    recorded: Script,
    rng: ChaCha20Rng,
    pose: Pose,
    asked: Option<Prompt>,
    waited: usize,
    frames: usize,
    reaction: usize,
    fixed_noise: u64,
    kept: Vec<Sample>,
}

impl<'a> Performance<'a> {
    /// `other` is the second person of a [`Species::Cut`]; the same seed plays the same way.
    #[must_use]
    pub fn new(portrait: &'a Portrait<'a>, other: &'a Portrait<'a>, species: Species, seed: Seed) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed.0);
        let recorded = Script::generate(&mut rng);
        let reaction = 3 + rng.next_u32() as usize % 4;
        let fixed_noise = rng.next_u64();
        Self {
            portrait,
            other,
            species,
            recorded,
            rng,
            pose: Pose::STRAIGHT,
            asked: None,
            waited: 0,
            frames: 0,
            reaction,
            fixed_noise,
            kept: Vec::new(),
        }
    }

    /// The next frame, as the challenge now stands, and when it is taken.
    ///
    /// # Errors
    /// None in fact: frames are of a size that samples may have.
    pub fn next_frame(&mut self, challenge: &Challenge) -> Result<(Duration, Sample), DecodeError> {
        let index = self.frames;
        self.frames += 1;
        let at = Duration::from_millis(100 * (index as u64 + 1));
        if self.species == Species::LoopedFrames
            && index >= LOOP_FROM
            && let Some(old) = self.kept.get(index % LOOP_FROM)
        {
            return Ok((at, copied(old)?));
        }
        let (prompt, colour) = match self.species {
            // Two seconds a prompt, whatever is asked.
            Species::Recording => (self.recorded_prompt(index), self.recorded.colours().get(index / 10).copied()),
            Species::NoLight => (challenge.prompt(), None),
            _ => (challenge.prompt(), challenge.colour()),
        };
        if prompt != self.asked {
            (self.asked, self.waited) = (prompt, 0);
        }
        self.waited += 1;
        let aim = self.asked.map_or(Pose::STRAIGHT, Pose::answering);
        if self.waited > self.reaction || prompt.is_none() {
            self.pose = self.pose.towards(&aim);
        }
        let scene = self.scene(colour);
        let who = if self.species == Species::Cut && index >= CUT_AT { self.other } else { self.portrait };
        let sample = who.seen(&self.pose, &scene)?;
        if self.species == Species::LoopedFrames && index < LOOP_FROM {
            self.kept.push(copied(&sample)?);
        }
        Ok((at, sample))
    }

    fn recorded_prompt(&self, index: usize) -> Option<Prompt> {
        let step = index.checked_sub(3)?;
        if step % 20 < 12 { self.recorded.prompts().get(step / 20).copied() } else { None }
    }

    fn scene(&mut self, colour: Option<ScreenColour>) -> Scene {
        let sway = |rng: &mut ChaCha20Rng| f64::from(rng.next_u32() % 1000) / 1000.0 - 0.5;
        let noise = if self.species == Species::ConstantNoise { self.fixed_noise } else { self.rng.next_u64() };
        Scene {
            flat: self.species == Species::StillPhotograph,
            colour,
            noise,
            sway: [sway(&mut self.rng), sway(&mut self.rng), sway(&mut self.rng)],
        }
    }
}

/// What makes one performance differ from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

fn copied(sample: &Sample) -> Result<Sample, DecodeError> {
    Sample::from_rgb(sample.width(), sample.height(), sample.as_rgb().to_vec())
}

/// Frames of a loop.
const LOOP_FROM: usize = 14;
/// The frame from which it is another person.
const CUT_AT: usize = 18;
