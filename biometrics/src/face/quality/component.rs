//! One component of a face's quality: its value, its limits, and what helps.

use serde::{Serialize, Serializer};

use super::QualityFault;

/// What a component measures.
///
/// # Source
/// ISO/IEC 29794-5:2025 for what is worth measuring; the measures are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ComponentName {
    /// Pixels between the eyes.
    InterEyeDistance,
    /// Landmarks that are not in the picture.
    LandmarksOutside,
    /// Mean brightness of the face, 0 to 255.
    Brightness,
    /// The share of the face that is white.
    Overexposure,
    /// Standard deviation of the brightness.
    Contrast,
    /// The darker half's brightness by the brighter half's.
    EvenLight,
    /// Fine detail for the contrast.
    Sharpness,
    /// Degrees to the left or right.
    Yaw,
    /// Degrees up or down.
    Pitch,
    /// Degrees towards a shoulder.
    Roll,
    /// How much there is to see where the eyes are: deviation of the brightness by its mean, the emptier eye's.
    EyesVisible,
    /// The same where the mouth is. Advisory: refuses nobody, and names what made a face unclear.
    MouthVisible,
    /// Width of the mouth by the distance between the eyes. Advisory: nobody is refused for it.
    MouthWidth,
    /// How sure the detector is.
    DetectorCertainty,
    /// How alike two looks at the face are to the embedder.
    Agreement,
}

impl ComponentName {
    /// All of them, the most useful to mend first.
    pub const ALL: [Self; 15] = [
        Self::InterEyeDistance,
        Self::LandmarksOutside,
        Self::Brightness,
        Self::Overexposure,
        Self::Contrast,
        Self::EvenLight,
        Self::Sharpness,
        Self::Yaw,
        Self::Pitch,
        Self::Roll,
        Self::EyesVisible,
        Self::MouthVisible,
        Self::MouthWidth,
        Self::DetectorCertainty,
        Self::Agreement,
    ];

    /// A short name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InterEyeDistance => "inter-eye-distance",
            Self::LandmarksOutside => "landmarks-outside",
            Self::Brightness => "brightness",
            Self::Overexposure => "overexposure",
            Self::Contrast => "contrast",
            Self::EvenLight => "even-light",
            Self::Sharpness => "sharpness",
            Self::Yaw => "yaw",
            Self::Pitch => "pitch",
            Self::Roll => "roll",
            Self::EyesVisible => "eyes-visible",
            Self::MouthVisible => "mouth-visible",
            Self::MouthWidth => "mouth-width",
            Self::DetectorCertainty => "detector-certainty",
            Self::Agreement => "agreement",
        }
    }

    /// The least and the greatest value that is good: where simulated faults bring the cosine near what releases a key, and
    /// ordinary pictures pass (decisions 0070 and 0127).
    const fn limits(self) -> (f64, f64) {
        const INFINITE: f64 = f64::INFINITY;
        match self {
            Self::InterEyeDistance => (16.0, INFINITE),
            Self::LandmarksOutside => (-INFINITE, 0.0),
            Self::Brightness => (16.0, 235.0),
            Self::Overexposure => (-INFINITE, 0.6),
            Self::Contrast => (5.0, INFINITE),
            Self::EvenLight => (0.2, INFINITE),
            Self::Sharpness => (0.06, INFINITE),
            Self::Yaw => (-35.0, 35.0),
            Self::Pitch => (-18.0, 18.0),
            Self::Roll => (-25.0, 25.0),
            Self::EyesVisible => (0.06, INFINITE),
            Self::MouthVisible => (0.05, INFINITE),
            Self::MouthWidth => (0.78, 0.91),
            Self::DetectorCertainty => (0.87, INFINITE),
            Self::Agreement => (0.83, INFINITE),
        }
    }

    /// Whether it only advises: most of those beyond its limits would have been recognised, or as many as within them (decision 0127).
    #[must_use]
    pub const fn is_advisory(self) -> bool {
        matches!(self, Self::MouthVisible | Self::MouthWidth)
    }

    /// What is wrong beyond the limits.
    const fn fault(self, is_below: bool) -> QualityFault {
        match (self, is_below) {
            (Self::InterEyeDistance, _) => QualityFault::TooSmall,
            (Self::LandmarksOutside, _) => QualityFault::CutOff,
            (Self::Brightness, true) => QualityFault::TooDark,
            (Self::Brightness, false) | (Self::Overexposure, _) => QualityFault::TooBright,
            (Self::Contrast, _) => QualityFault::TooFlat,
            (Self::EvenLight, _) => QualityFault::UnevenLight,
            (Self::Sharpness, _) => QualityFault::Blurred,
            (Self::Yaw, _) => QualityFault::TurnedAway,
            (Self::Pitch, _) => QualityFault::Nodding,
            (Self::Roll, _) => QualityFault::Tilted,
            (Self::EyesVisible, _) => QualityFault::EyesCovered,
            (Self::MouthVisible, _) => QualityFault::MouthCovered,
            (Self::MouthWidth, _) => QualityFault::NotAtRest,
            (Self::DetectorCertainty | Self::Agreement, _) => QualityFault::Unclear,
        }
    }
}

/// One component, measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    name: ComponentName,
    value: f64,
}

impl Component {
    pub(super) const fn new(name: ComponentName, value: f64) -> Self {
        Self { name, value }
    }

    /// What it measures.
    #[must_use]
    pub const fn name(&self) -> ComponentName {
        self.name
    }

    /// The measured value, in the unit that the name says.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// What the picture is refused for; nothing if the value is within its limits, or if the component only advises.
    #[must_use]
    pub fn fault(&self) -> Option<QualityFault> {
        self.advice().filter(|_| !self.name.is_advisory())
    }

    /// What could be better; nothing if the value is within its limits. What is not a number is not within them.
    #[must_use]
    pub fn advice(&self) -> Option<QualityFault> {
        let (least, most) = self.name.limits();
        let is_good = self.value >= least && self.value <= most;
        (!is_good).then(|| self.name.fault(self.value < least))
    }

    /// How far within its limits the value lies: 1/2 at the limit, larger the better, below 0 hopeless.
    #[must_use]
    pub fn goodness(&self) -> f64 {
        let goodness = match self.name.limits() {
            (least, f64::INFINITY) => self.value / (2.0 * least),
            (f64::NEG_INFINITY, most) if most > 0.0 => 1.0 - self.value / (2.0 * most),
            (f64::NEG_INFINITY, most) => f64::from(u8::from(self.value <= most)),
            (least, most) => 1.0 - (self.value - f64::midpoint(least, most)).abs() / (most - least),
        };
        if goodness.is_nan() { 0.0 } else { goodness }
    }
}

impl Serialize for Component {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told {
            name: &'static str,
            value: f64,
            at_least: Option<f64>,
            at_most: Option<f64>,
            good: bool,
            advisory: bool,
            help: Option<&'static str>,
        }
        let Self { name, value } = *self;
        let (least, most) = name.limits();
        let advice = self.advice();
        let told = Told {
            name: name.code(),
            value: (value * 1e3).round() / 1e3,
            at_least: least.is_finite().then_some(least),
            at_most: most.is_finite().then_some(most),
            good: advice.is_none(),
            advisory: name.is_advisory(),
            help: advice.map(|fault| fault.hint()),
        };
        told.serialize(serializer)
    }
}
