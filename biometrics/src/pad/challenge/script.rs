//! What is asked of the person, and what the screen shows meanwhile: drawn at random for each challenge.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

/// A movement that the person is asked to make, and to come back from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prompt {
    /// Turn the head towards one's own left.
    TurnLeft,
    /// Turn the head towards one's own right.
    TurnRight,
    /// Look down.
    Nod,
    /// Come closer to the camera.
    Closer,
    /// Move away from it.
    Farther,
}

impl Prompt {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TurnLeft, Self::TurnRight, Self::Nod, Self::Closer, Self::Farther];

    /// What to say to the person.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        match self {
            Self::TurnLeft => "turn your head to your left, then look straight again",
            Self::TurnRight => "turn your head to your right, then look straight again",
            Self::Nod => "look down, then straight again",
            Self::Closer => "come closer, then back",
            Self::Farther => "move away, then back",
        }
    }
}

/// The colour that lights the face from the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScreenColour {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
}

impl ScreenColour {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Red, Self::Green, Self::Blue];
}

/// The order of one challenge: [`Script::PROMPTS`] different prompts, and a colour for each phase.
///
/// 120 orders of prompts: someone who plays a recording meets the right one once in 120 attempts. The colours add to that
/// where they count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Script {
    prompts: Vec<Prompt>,
    colours: Vec<ScreenColour>,
}

impl Script {
    /// How many prompts a challenge has.
    pub const PROMPTS: usize = 4;
    /// Looking straight at first, then each prompt and the way back from it.
    pub const PHASES: usize = 1 + 2 * Self::PROMPTS;

    /// Draws an order.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut prompts = Prompt::ALL.to_vec();
        for last in (1..prompts.len()).rev() {
            prompts.swap(last, below(rng, last + 1));
        }
        prompts.truncate(Self::PROMPTS);
        let mut colours: Vec<ScreenColour> = Vec::with_capacity(Self::PHASES);
        while colours.len() < Self::PHASES {
            // All three, in any order that does not begin with the colour that is on: every phase brings another light.
            let [mut first, mut second, mut third] = ScreenColour::ALL;
            for _ in 0..below(rng, 3) {
                (first, second, third) = (second, third, first);
            }
            if below(rng, 2) == 1 {
                (second, third) = (third, second);
            }
            if colours.last() != Some(&first) {
                colours.extend([first, second, third]);
            }
        }
        Self { prompts, colours }
    }

    /// The prompts, in order.
    #[must_use]
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    pub(super) fn prompt(&self, step: usize) -> Option<Prompt> {
        self.prompts.get(step).copied()
    }

    pub(super) fn colour(&self, phase: usize) -> Option<ScreenColour> {
        self.colours.get(phase).copied()
    }

    /// The colour of each phase.
    #[must_use]
    pub fn colours(&self) -> &[ScreenColour] {
        &self.colours
    }
}

/// A script as a file holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    prompts: Vec<Prompt>,
    colours: Vec<ScreenColour>,
}

impl TryFrom<Written> for Script {
    type Error = ScriptError;

    fn try_from(written: Written) -> Result<Self, ScriptError> {
        let Written { prompts, colours } = written;
        let repeated = prompts.iter().enumerate().any(|(i, prompt)| prompts.iter().take(i).any(|p| p == prompt));
        if prompts.len() != Self::PROMPTS || repeated {
            return Err(ScriptError::Prompts { expected: Self::PROMPTS });
        }
        if colours.len() != Self::PHASES {
            return Err(ScriptError::Colours { expected: Self::PHASES, got: colours.len() });
        }
        Ok(Self { prompts, colours })
    }
}

/// Why a written script is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// Too few, too many, or one twice.
    #[error("a challenge has {expected} different prompts")]
    Prompts {
        /// How many.
        expected: usize,
    },
    /// Not one for each phase.
    #[error("a challenge has {expected} colours, got {got}")]
    Colours {
        /// How many.
        expected: usize,
        /// How many there are.
        got: usize,
    },
}

/// A uniform number below `bound`, by rejection from a byte.
fn below<R: CryptoRng + ?Sized>(rng: &mut R, bound: usize) -> usize {
    let fair = 256 - 256 % bound.clamp(1, 256);
    loop {
        let mut byte = [0];
        rng.fill_bytes(&mut byte);
        let [drawn] = byte.map(usize::from);
        if drawn < fair {
            return drawn % bound.max(1);
        }
    }
}
