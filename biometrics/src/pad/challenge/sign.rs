//! What speaks against a living face.

/// Why a challenge was not passed: an answer, not an error. One of them, the first found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sign {
    // What only attacks show.
    /// A frame came twice, to the last bit.
    ReplayedFrame,
    /// The camera's noise does not change from frame to frame, as that of a made-up camera.
    ConstantNoise,
    /// Moved like a flat picture: no parallax between nose and eyes.
    PlanarMotion,
    /// Another face than before.
    PersonChanged,
    /// The face leapt from one frame to the next.
    Leap,
    /// The movement came before anyone could have answered.
    Anticipated,
    /// The screen's colours do not come back from the face.
    NoReflection,
    /// Times of frames that do not go on.
    OutOfOrder,
    // What happens to the willing too.
    /// Another movement than the one asked for.
    WrongMotion,
    /// Nothing in time.
    TimedOut,
    /// No face, or several, for too long.
    FaceLost,
}

impl Sign {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ReplayedFrame,
        Self::ConstantNoise,
        Self::PlanarMotion,
        Self::PersonChanged,
        Self::Leap,
        Self::Anticipated,
        Self::NoReflection,
        Self::OutOfOrder,
        Self::WrongMotion,
        Self::TimedOut,
        Self::FaceLost,
    ];

    /// A short name for programs and evaluations. Never for whoever is being tested: it would teach.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReplayedFrame => "replayed-frame",
            Self::ConstantNoise => "constant-noise",
            Self::PlanarMotion => "planar-motion",
            Self::PersonChanged => "person-changed",
            Self::Leap => "leap",
            Self::Anticipated => "anticipated",
            Self::NoReflection => "no-reflection",
            Self::OutOfOrder => "out-of-order",
            Self::WrongMotion => "wrong-motion",
            Self::TimedOut => "timed-out",
            Self::FaceLost => "face-lost",
        }
    }

    /// What the person may be told: how to do it better, and nothing of what an attacker would want to know.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::WrongMotion => "begin again, and make the one movement that is shown",
            Self::TimedOut => "begin again, and follow the movements as they are shown",
            Self::FaceLost => "begin again, alone in the picture and with your face in it all the time",
            _ => "begin again, in even light and with a steady camera",
        }
    }
}
