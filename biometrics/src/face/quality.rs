//! Quality: whether a face can be recognised, and what the person can do about it if not.
//!
//! A component each for what ISO/IEC 29794-5 asks for and five landmarks, the aligned face and the embedder can tell. Of its
//! list, open eyes have no measure here: no model at hand sees them; the width of the mouth is all that is told of expression, and
//! refuses nobody. It is a software check, no protection: it spares people attempts. Limits: decisions 0070 and 0127; the
//! error-versus-discard curves: `docs/biometric-evaluation.md`.

mod component;
mod region;

use serde::{Serialize, Serializer};

use super::align::AlignedFace;
use super::geometry::{Landmarks, Point};
pub use component::{Component, ComponentName};
use region::FaceRegion;

/// What was measured of one face.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    inter_eye: f64,
    turn: f64,
    nod: f64,
    tilt: f64,
    sharpness: f64,
    brightness: f64,
    contrast: f64,
    /// The darker half's brightness by the brighter one's.
    evenness: f64,
    /// The share of the face that is white.
    overexposed: f64,
    /// How much there is to see where the eyes are, the emptier of the two, and where the mouth is.
    eyes: f64,
    mouth: f64,
    /// From corner to corner, in distances between the eyes.
    mouth_width: f64,
    /// Landmarks that lie outside the picture.
    landmarks_outside: usize,
    /// How sure the detector is that this is a face.
    certainty: f64,
    /// The cosine between the embedder's two looks, mirrored and wider the second time; nothing before it has looked.
    ///
    /// # Source
    /// Terhörst et al., "SER-FIQ", CVPR 2020: what a model sees alike under small changes, it recognises.
    agreement: Option<f64>,
}

impl Quality {
    /// Measures a face. `certainty` is the detector's, `outside` counts landmarks that are not in the picture.
    #[inline(never)]
    pub(crate) fn measure(landmarks: &Landmarks, aligned: &AlignedFace, certainty: f64, outside: usize) -> Self {
        let pose = Pose::of(landmarks);
        let inter_eye = landmarks.left_eye.minus(landmarks.right_eye).length();
        let luma = aligned.luma();
        let face = FaceRegion::of(&luma);
        let (brightness, contrast) = face.mean_and_deviation();
        Self {
            inter_eye,
            turn: pose.turn,
            nod: pose.nod,
            tilt: pose.tilt,
            sharpness: face.detail() / contrast.max(1.0),
            brightness,
            contrast,
            evenness: face.evenness(),
            overexposed: face.share_from(WHITE),
            eyes: face.variety(RIGHT_EYE, EYE).min(face.variety(LEFT_EYE, EYE)),
            mouth: face.variety(MIDDLE_OF_MOUTH, MOUTH),
            mouth_width: landmarks.left_mouth.minus(landmarks.right_mouth).length() / inter_eye.max(1e-6),
            landmarks_outside: outside,
            certainty,
            agreement: None,
        }
    }

    /// The same, with what the embedder made of the face.
    pub(crate) const fn with_agreement(mut self, agreement: f64) -> Self {
        self.agreement = Some(agreement);
        self
    }

    /// Every component, the most useful to mend first.
    #[must_use]
    pub fn components(&self) -> Vec<Component> {
        use ComponentName as Name;
        let Self {
            inter_eye,
            turn,
            nod,
            tilt,
            sharpness,
            brightness,
            contrast,
            evenness,
            overexposed,
            eyes,
            mouth,
            mouth_width,
            landmarks_outside,
            certainty,
            agreement,
        } = self;
        let mut all = vec![
            Component::new(Name::InterEyeDistance, *inter_eye),
            Component::new(Name::LandmarksOutside, *landmarks_outside as f64),
            Component::new(Name::Brightness, *brightness),
            Component::new(Name::Overexposure, *overexposed),
            Component::new(Name::Contrast, *contrast),
            Component::new(Name::EvenLight, *evenness),
            Component::new(Name::Sharpness, *sharpness),
            Component::new(Name::Yaw, *turn),
            Component::new(Name::Pitch, *nod),
            Component::new(Name::Roll, *tilt),
            Component::new(Name::EyesVisible, *eyes),
            Component::new(Name::MouthVisible, *mouth),
            Component::new(Name::MouthWidth, *mouth_width),
            Component::new(Name::DetectorCertainty, *certainty),
        ];
        all.extend(agreement.map(|value| Component::new(Name::Agreement, value)));
        all
    }

    /// One number for all, 0 to 1, good from 1/2 up: that of the weakest component ([`Component::goodness`]) that may refuse.
    #[must_use]
    pub fn value(&self) -> f64 {
        let refusing = self.components().into_iter().filter(|component| !component.name().is_advisory());
        refusing.map(|component| component.goodness()).fold(1.0, f64::min).max(0.0)
    }

    /// Whether the face is good enough, by the product's limits; if not, the first reason, the most useful to know first.
    ///
    /// # Errors
    /// [`QualityFault`], each with a hint to the person.
    pub fn check(&self) -> Result<(), QualityFault> {
        let components = self.components();
        let is_plain = |c: &Component| c.name() == ComponentName::MouthVisible && c.advice().is_some();
        match components.iter().find_map(Component::fault) {
            None => Ok(()),
            // The measure of the mouth refuses nobody, but says what made this face unclear.
            Some(QualityFault::Unclear) if components.iter().any(is_plain) => Err(QualityFault::MouthCovered),
            Some(fault) => Err(fault),
        }
    }
}

impl Serialize for Quality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told {
            value: f64,
            components: Vec<Component>,
        }
        Told { value: self.value(), components: self.components() }.serialize(serializer)
    }
}

/// Why a face cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QualityFault {
    /// Too few pixels between the eyes.
    #[error("the face is too small in the picture")]
    TooSmall,
    /// Part of the face lies outside the picture.
    #[error("the face is cut off by the picture's edge")]
    CutOff,
    /// Too little light.
    #[error("the face is too dark")]
    TooDark,
    /// Too much light.
    #[error("the face is too bright")]
    TooBright,
    /// Hardly any difference between light and dark.
    #[error("the face has too little contrast")]
    TooFlat,
    /// Out of focus or moved.
    #[error("the face is blurred")]
    Blurred,
    /// Turned to a side.
    #[error("the face is turned to the side")]
    TurnedAway,
    /// Looking up or down.
    #[error("the face looks up or down")]
    Nodding,
    /// Lying on a shoulder.
    #[error("the head is tilted")]
    Tilted,
    /// One half of the face in shadow.
    #[error("the light on the face is uneven")]
    UnevenLight,
    /// Nothing to see where an eye is.
    #[error("the eyes are covered")]
    EyesCovered,
    /// Nothing to see where the mouth is, and the face is unclear.
    #[error("the mouth is covered")]
    MouthCovered,
    /// The mouth is wide or narrow. Told as advice only.
    #[error("the face is not at rest")]
    NotAtRest,
    /// Two looks at the face do not agree, or the detector doubts it: covered, grimacing, in bad light…
    #[error("the face cannot be made out clearly")]
    Unclear,
}

impl QualityFault {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooSmall => "come closer to the camera",
            Self::CutOff => "move back until your whole face is in the picture",
            Self::TooDark => "turn towards a window or a lamp",
            Self::TooBright => "turn away from the bright light",
            Self::TooFlat => "wipe the lens, or look for more even light",
            Self::Blurred => "hold still, wipe the lens, and take the picture again",
            Self::TurnedAway => "look straight at the camera",
            Self::Nodding => "hold the camera at the height of your eyes",
            Self::Tilted => "hold the camera and your head upright",
            Self::UnevenLight => "turn until the light falls on both halves of your face",
            Self::EyesCovered => "take off dark glasses, and keep hair, hat and hands away from your eyes",
            Self::MouthCovered => "take off the mask or scarf, and keep your hands away from your face",
            Self::NotAtRest => "close your mouth and keep your face at rest",
            Self::Unclear => "take off what covers your face, look straight at the camera and keep your face at rest",
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooSmall => "face-too-small",
            Self::CutOff => "face-cut-off",
            Self::TooDark => "too-dark",
            Self::TooBright => "too-bright",
            Self::TooFlat => "too-flat",
            Self::Blurred => "blurred",
            Self::TurnedAway => "turned-away",
            Self::Nodding => "looks-up-or-down",
            Self::Tilted => "tilted",
            Self::UnevenLight => "uneven-light",
            Self::EyesCovered => "eyes-covered",
            Self::MouthCovered => "mouth-covered",
            Self::NotAtRest => "not-at-rest",
            Self::Unclear => "unclear",
        }
    }
}

/// Rough angles of the head in degrees, from five points: good to tell a profile from a portrait, no more.
struct Pose {
    turn: f64,
    nod: f64,
    tilt: f64,
}

impl Pose {
    fn of(landmarks: &Landmarks) -> Self {
        let Landmarks { right_eye, left_eye, nose, right_mouth, left_mouth } = *landmarks;
        let across = left_eye.minus(right_eye);
        let width = across.length().max(1e-6);
        let (right, down) =
            (Point::new(across.x / width, across.y / width), Point::new(-across.y / width, across.x / width));
        let (eyes, mouth) = (right_eye.middle(left_eye), right_mouth.middle(left_mouth));
        let height = mouth.minus(eyes).dot(down).max(1e-6);
        // The nose stands out by NOSE_DEPTH eye distances from the plane of the other four: turning moves it aside.
        let aside = nose.minus(eyes.middle(mouth)).dot(right) / width;
        let below = nose.minus(eyes).dot(down) / height;
        let depth_in_heights = NOSE_DEPTH * width / height;
        Self {
            turn: (aside / NOSE_DEPTH).atan().to_degrees(),
            nod: ((below - NOSE_HEIGHT) / depth_in_heights).atan().to_degrees(),
            tilt: across.y.atan2(across.x).to_degrees(),
        }
    }
}

/// How far the nose's tip stands out, in eye distances.
const NOSE_DEPTH: f64 = 0.45;
/// Where the nose's tip lies between eyes (0) and mouth (1) when looking straight.
const NOSE_HEIGHT: f64 = 0.55;
/// Where eyes and mouth are in an aligned face, and how far they reach from there, in columns and rows.
const RIGHT_EYE: (usize, usize) = (38, 52);
const LEFT_EYE: (usize, usize) = (74, 52);
const EYE: (usize, usize) = (9, 6);
const MIDDLE_OF_MOUTH: (usize, usize) = (56, 92);
const MOUTH: (usize, usize) = (17, 8);
/// From here up a pixel shows nothing of the skin.
///
/// # Source
/// ISO/IEC 29794-5:2025, over-exposure prevention: the brightest levels, 247 to 255.
const WHITE: f32 = 247.0;

#[cfg(test)]
mod tests;
