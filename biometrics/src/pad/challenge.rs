//! The active challenge: movements in a random order, and whether the frames that come back can be those of one living face.
//!
//! No model, no clock, no camera: the caller shows what [`Challenge::prompt`] and [`Challenge::colour`] say, hands in
//! [`Frame`]s, and gets a challenge that goes on, a [`Presence`], or a [`Sign`]. What it looks at: the right movement in
//! time, parallax that no flat picture has, the same face from frame to frame and against the beginning, no frame twice, the
//! camera's noise fresh in each, no leap, and where asked for the screen's light on the face.
//!
//! What it cannot see: a mask on a head, a face made up live, a recording that meets the order by chance (1 in 120 without
//! the light). Someone who runs other software leaves all of it out.

mod frame;
mod grain;
mod motion;
mod reflection;
mod script;
mod sign;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

pub use frame::Frame;
pub use script::{Prompt, ScreenColour, Script, ScriptError};
pub use sign::Sign;

use crate::face::geometry::Landmarks;
use crate::template::{Embedding, Probe, ProbeError};
use motion::{Motion, jump, middle};
use reflection::Tint;

/// Whether the screen's light must be seen on the face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reflection {
    /// A screen lights the face: its colours must come back, and grey frames are refused.
    Required,
    /// No screen, or bright sun: colours are not looked at.
    Ignored,
}

/// A challenge under way.
pub struct Challenge {
    script: Script,
    reflection: Reflection,
    phase: Phase,
    /// Which prompt comes next or is being answered.
    step: usize,
    /// How many phases have ended, and when the last of them did.
    phases_ended: usize,
    since: Duration,
    straight: Option<Straight>,
    /// The first frame, and the last one after it.
    first: Option<Frame>,
    last: Option<Frame>,
    /// When the face was last seen: the beginning, if never.
    seen_at: Duration,
    digests: HashSet<[u8; 32]>,
    standing: usize,
    fixed: Vec<f64>,
    flat: bool,
    /// Whether the frame before answered the prompt: one alone may be noise.
    answered: bool,
    tints: Vec<(ScreenColour, Tint)>,
    /// Frames that look straight: the probe is made of these.
    kept: Vec<Embedding>,
}

impl Challenge {
    /// Begins; times of frames count from here.
    #[must_use]
    pub fn begin(script: Script, reflection: Reflection) -> Self {
        Self {
            script,
            reflection,
            phase: Phase::Beginning { seen: Vec::new() },
            step: 0,
            phases_ended: 0,
            since: Duration::ZERO,
            straight: None,
            first: None,
            last: None,
            seen_at: Duration::ZERO,
            digests: HashSet::new(),
            standing: 0,
            fixed: Vec::new(),
            flat: false,
            answered: false,
            tints: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// What the person is asked to do now; nothing while they should look straight.
    #[must_use]
    pub fn prompt(&self) -> Option<Prompt> {
        match self.phase {
            Phase::Asked => self.script.prompt(self.step),
            Phase::Beginning { .. } | Phase::Returning => None,
        }
    }

    /// The colour that the screen should have now.
    #[must_use]
    pub fn colour(&self) -> Option<ScreenColour> {
        self.script.colour(self.phases_ended)
    }

    /// A frame in which the engine found no face, or several.
    pub fn observe_nothing(self, at: Duration) -> Progress {
        if at < self.seen_at {
            return Progress::Refused(Sign::OutOfOrder);
        }
        if at - self.seen_at > MOST_GAP { Progress::Refused(Sign::FaceLost) } else { Progress::Going(Box::new(self)) }
    }

    /// Looks at the next frame.
    pub fn observe(mut self, frame: Frame) -> Progress {
        match self.look(frame) {
            Err(sign) => Progress::Refused(sign),
            Ok(Ended(false)) => Progress::Going(Box::new(self)),
            Ok(Ended(true)) => Progress::Present(Presence { kept: self.kept }),
        }
    }

    fn look(&mut self, frame: Frame) -> Result<Ended, Sign> {
        self.continues(&frame)?;
        self.follow_light(&frame);
        let ended = match self.phase {
            Phase::Beginning { .. } => self.begin_straight(&frame).map(|()| Ended(false)),
            Phase::Asked => self.answer(&frame).map(|()| Ended(false)),
            Phase::Returning => self.come_back(&frame),
        };
        self.seen_at = frame.at;
        let place = if self.first.is_none() { &mut self.first } else { &mut self.last };
        *place = Some(frame);
        ended
    }

    /// What must hold between every frame and those before it.
    fn continues(&mut self, frame: &Frame) -> Result<(), Sign> {
        if !self.digests.insert(frame.digest) {
            return Err(Sign::ReplayedFrame);
        }
        if self.digests.len() > MOST_FRAMES {
            return Err(Sign::TimedOut);
        }
        let Some(last) = self.last.as_ref().or(self.first.as_ref()) else { return Ok(()) };
        let elapsed = frame.at.checked_sub(last.at).filter(|gap| !gap.is_zero()).ok_or(Sign::OutOfOrder)?;
        if elapsed > MOST_GAP {
            return Err(Sign::FaceLost);
        }
        if frame.embedding.cosine(&last.embedding).is_none_or(|alike| alike < SAME_NEXT) {
            return Err(Sign::PersonChanged);
        }
        let (way, growth) = jump(&last.landmarks, &frame.landmarks);
        let seconds = elapsed.as_secs_f64();
        // Written so that NaN fails too.
        if !(way <= LEAP + PACE * seconds && growth <= 1.0 + LEAP + PACE * seconds) {
            return Err(Sign::Leap);
        }
        let likeness =
            |other: &Frame| frame.grain.compare(&other.grain, middle(&frame.landmarks).minus(middle(&other.landmarks)));
        if let Some(likeness) = likeness(last) {
            self.standing = if likeness.standing >= STANDING { self.standing + 1 } else { 0 };
        }
        // Against the first frame, from which every answer leads the face away.
        self.fixed.extend(self.first.as_ref().and_then(likeness).and_then(|likeness| likeness.fixed));
        let mean = self.fixed.iter().sum::<f64>() / self.fixed.len().max(1) as f64;
        if self.standing >= STANDING_FRAMES || (self.fixed.len() >= FIXED_FRAMES && mean >= FIXED) {
            return Err(Sign::ConstantNoise);
        }
        Ok(())
    }

    /// Light needs a moment to come on and to be seen.
    fn follow_light(&mut self, frame: &Frame) {
        if frame.at.saturating_sub(self.since) >= LIGHT_DELAY
            && let (Some(colour), Some(tint)) = (self.colour(), frame.tint)
        {
            self.tints.push((colour, tint));
        }
    }

    /// The first frames that stand still say where the face is when it looks straight.
    fn begin_straight(&mut self, frame: &Frame) -> Result<(), Sign> {
        if frame.at > BEGINNING {
            return Err(Sign::TimedOut);
        }
        let Phase::Beginning { seen } = &mut self.phase else { return Ok(()) };
        let steady =
            seen.last().is_none_or(|before| Motion::between(before, &frame.landmarks).is_some_and(|m| m.is_straight()));
        if !steady {
            seen.clear();
            self.kept.clear();
        }
        seen.push(frame.landmarks);
        self.kept.push(frame.embedding.copied());
        if seen.len() == STRAIGHT_FRAMES
            && let (Some(landmarks), Ok(whose)) = (Landmarks::mean(seen), Probe::from_frames(&self.kept))
        {
            self.straight = Some(Straight { landmarks, whose });
            self.enter(Phase::Asked, frame.at);
        }
        Ok(())
    }

    fn answer(&mut self, frame: &Frame) -> Result<(), Sign> {
        let (Some(motion), Some(prompt)) = (self.motion(frame), self.script.prompt(self.step)) else { return Ok(()) };
        let elapsed = frame.at.saturating_sub(self.since);
        self.flat |= motion.is_flat_movement();
        if motion.is_of_a_plane() {
            return Err(Sign::PlanarMotion);
        }
        if elapsed > ANSWER {
            return Err(if self.flat { Sign::PlanarMotion } else { Sign::TimedOut });
        }
        if motion.answers(prompt, 1.0) {
            if elapsed < REACTION {
                return Err(Sign::Anticipated);
            }
            if std::mem::replace(&mut self.answered, true) {
                self.enter(Phase::Returning, frame.at);
            }
            return Ok(());
        }
        self.answered = false;
        if Prompt::ALL.iter().any(|other| motion.answers(*other, WRONG)) {
            return Err(Sign::WrongMotion);
        }
        Ok(())
    }

    fn come_back(&mut self, frame: &Frame) -> Result<Ended, Sign> {
        let Some(motion) = self.motion(frame) else { return Ok(Ended(false)) };
        if motion.is_of_a_plane() {
            return Err(Sign::PlanarMotion);
        }
        self.flat |= motion.is_flat_movement();
        if frame.at.saturating_sub(self.since) > ANSWER {
            return Err(if self.flat { Sign::PlanarMotion } else { Sign::TimedOut });
        }
        if !motion.is_straight() {
            return Ok(Ended(false));
        }
        // The face that looks straight must be the one that began: a change slow enough to pass from frame to frame ends here.
        let whose = self.straight.as_ref().map(|straight| &straight.whose);
        if whose.and_then(|probe| probe.cosine_of(&frame.embedding)).is_none_or(|alike| alike < SAME_STRAIGHT) {
            return Err(Sign::PersonChanged);
        }
        self.kept.push(frame.embedding.copied());
        self.step += 1;
        if self.script.prompt(self.step).is_some() {
            self.enter(Phase::Asked, frame.at);
            return Ok(Ended(false));
        }
        match (self.reflection, reflection::follows(&self.tints)) {
            (Reflection::Required, Some(false) | None) => Err(Sign::NoReflection),
            (Reflection::Ignored, _) | (Reflection::Required, Some(true)) => Ok(Ended(true)),
        }
    }

    fn motion(&self, frame: &Frame) -> Option<Motion> {
        Motion::between(&self.straight.as_ref()?.landmarks, &frame.landmarks)
    }

    fn enter(&mut self, phase: Phase, at: Duration) {
        (self.flat, self.answered) = (false, false);
        self.phase = phase;
        self.phases_ended += 1;
        self.since = at;
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The script is a secret until it is asked.
        f.debug_struct("Challenge").field("step", &self.step).finish_non_exhaustive()
    }
}

/// What a frame brought.
#[derive(Debug)]
#[must_use]
pub enum Progress {
    /// More frames are needed.
    Going(Box<Challenge>),
    /// All prompts were answered by one face.
    Present(Presence),
    /// It was not: an answer, not an error.
    Refused(Sign),
}

/// Evidence that a face answered a challenge: only [`Challenge::observe`] makes it.
///
/// The probe comes out of the very frames that answered, so that no other picture can take their place.
pub struct Presence {
    kept: Vec<Embedding>,
}

impl Presence {
    /// The face that answered, as the probe of this attempt.
    ///
    /// # Errors
    /// [`ProbeError`], if the frames' embeddings have no mean.
    pub fn into_probe(self) -> Result<Probe, ProbeError> {
        Probe::from_frames(&self.kept)
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept: _ } = self;
        f.debug_struct("Presence").finish_non_exhaustive()
    }
}

enum Phase {
    Beginning { seen: Vec<Landmarks> },
    Asked,
    Returning,
}

/// The face as it looked straight at the beginning.
struct Straight {
    landmarks: Landmarks,
    whose: Probe,
}

/// Whether the last prompt was answered.
struct Ended(bool);

/// Frames that begin a challenge.
const STRAIGHT_FRAMES: usize = 3;
/// How long one may take to look straight at first.
const BEGINNING: Duration = Duration::from_secs(10);
/// How long a prompt, and the way back from it, may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Nobody moves a head so far within this of a prompt: it knew beforehand.
const REACTION: Duration = Duration::from_millis(200);
const LIGHT_DELAY: Duration = Duration::from_millis(150);
/// Without a face, or without any frame.
const MOST_GAP: Duration = Duration::from_millis(1000);
/// A minute and a half of thirty frames a second; each step has its own limit, this bounds memory.
const MOST_FRAMES: usize = 2700;
/// Cosine between one frame and the next: that of two people in one of a thousand pairs.
const SAME_NEXT: f64 = 0.40;
/// Cosine to the face of the beginning, both looking straight: the product's threshold.
const SAME_STRAIGHT: f64 = 0.45;
/// How far another movement may go than the one asked for.
const WRONG: f64 = 1.3;
/// In distances between the eyes, at once and a second.
const LEAP: f64 = 0.35;
const PACE: f64 = 3.0;
/// Half of the face's patches equal to the last bit, in so many frames running.
const STANDING: f64 = 0.5;
const STANDING_FRAMES: usize = 3;
/// Correlation of what should be fresh noise, over so many frames in which the face moved: 0.01 where it is, 0.15 to 0.25
/// where it is not (simulated).
const FIXED: f64 = 0.1;
const FIXED_FRAMES: usize = 5;

#[cfg(test)]
mod tests;
