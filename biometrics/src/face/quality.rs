//! Quality: whether a face can be recognised, and what the person can do about it if not.
//!
//! Every limit is a default measured on real photographs (`docs/biometric-evaluation.md`): wide enough for ordinary
//! portraits, narrow enough that what passes is recognised. It is a software check, no protection: it spares people attempts.

use serde::Serialize;

use super::align::{AlignedFace, SIDE};
use super::geometry::{Landmarks, Point};

/// What was measured of one face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// Pixels between the eyes.
    inter_eye: f64,
    /// Degrees to the left or right.
    turn: f64,
    /// Degrees up or down.
    nod: f64,
    /// Degrees towards a shoulder.
    tilt: f64,
    /// How much fine detail there is for the contrast.
    sharpness: f64,
    /// Mean brightness of the face, 0 to 255.
    brightness: f64,
    /// Standard deviation of the brightness.
    contrast: f64,
    /// Landmarks that lie outside the picture.
    landmarks_outside: usize,
}

impl Quality {
    /// Measures a face. `outside` counts landmarks that are not in the picture.
    pub(crate) fn measure(landmarks: &Landmarks, aligned: &AlignedFace, outside: usize) -> Self {
        let pose = Pose::of(landmarks);
        let luma = aligned.luma();
        let face = FaceRegion { luma: &luma };
        let (brightness, contrast) = face.mean_and_deviation();
        Self {
            inter_eye: landmarks.left_eye.minus(landmarks.right_eye).length(),
            turn: pose.turn,
            nod: pose.nod,
            tilt: pose.tilt,
            sharpness: face.detail() / contrast.max(1.0),
            brightness,
            contrast,
            landmarks_outside: outside,
        }
    }

    /// Whether the face is good enough, by the product's limits; if not, the first reason, the most useful to know first.
    ///
    /// # Errors
    /// [`QualityFault`], each with a hint to the person.
    pub fn check(&self) -> Result<(), QualityFault> {
        let Self { inter_eye, turn, nod, tilt, sharpness, brightness, contrast, landmarks_outside } = self;
        let faults = [
            (*inter_eye < MIN_INTER_EYE, QualityFault::TooSmall),
            (*landmarks_outside > 0, QualityFault::CutOff),
            (*brightness < MIN_BRIGHTNESS, QualityFault::TooDark),
            (*brightness > MAX_BRIGHTNESS, QualityFault::TooBright),
            (*contrast < MIN_CONTRAST, QualityFault::TooFlat),
            (*sharpness < MIN_SHARPNESS, QualityFault::Blurred),
            (turn.abs() > MAX_TURN, QualityFault::TurnedAway),
            (nod.abs() > MAX_NOD, QualityFault::Nodding),
            (tilt.abs() > MAX_TILT, QualityFault::Tilted),
        ];
        faults.into_iter().find_map(|(found, fault)| found.then_some(fault)).map_or(Ok(()), Err)
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

/// The part of an aligned face that is face in everyone: from the brows to the mouth.
struct FaceRegion<'a> {
    luma: &'a [f32],
}

impl FaceRegion<'_> {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.luma.chunks_exact(SIDE).skip(ROWS.0).take(ROWS.1 - ROWS.0)
    }

    fn mean_and_deviation(&self) -> (f64, f64) {
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0_f64);
        for value in self.rows().flat_map(|row| row.iter().skip(COLUMNS.0).take(COLUMNS.1 - COLUMNS.0)) {
            let value = f64::from(*value);
            sum += value;
            square += value * value;
            count += 1.0;
        }
        let mean = sum / count.max(1.0);
        (mean, (square / count.max(1.0) - mean * mean).max(0.0).sqrt())
    }

    /// Root mean square of the Laplacian.
    fn detail(&self) -> f64 {
        let rows: Vec<&[f32]> = self.rows().collect();
        let (mut square, mut count) = (0.0, 0.0_f64);
        for triple in rows.windows(3) {
            let [above, row, below] = triple else { continue };
            for ((a, r), b) in
                above.windows(3).zip(row.windows(3)).zip(below.windows(3)).skip(COLUMNS.0).take(COLUMNS.1 - COLUMNS.0)
            {
                let ([_, up, _], [left, middle, right], [_, down, _]) = (a, r, b) else { continue };
                let laplacian = f64::from(up + down + left + right - 4.0 * middle);
                square += laplacian * laplacian;
                count += 1.0;
            }
        }
        (square / count.max(1.0)).sqrt()
    }
}

/// How far the nose's tip stands out, in eye distances.
const NOSE_DEPTH: f64 = 0.45;
/// Where the nose's tip lies between eyes (0) and mouth (1) when looking straight.
const NOSE_HEIGHT: f64 = 0.55;
/// First and last rows and columns of the face region.
const ROWS: (usize, usize) = (36, 100);
const COLUMNS: (usize, usize) = (26, 86);

const MIN_INTER_EYE: f64 = 24.0;
const MIN_BRIGHTNESS: f64 = 40.0;
const MAX_BRIGHTNESS: f64 = 225.0;
const MIN_CONTRAST: f64 = 12.0;
const MIN_SHARPNESS: f64 = 0.1;
const MAX_TURN: f64 = 35.0;
const MAX_NOD: f64 = 35.0;
const MAX_TILT: f64 = 35.0;

#[cfg(test)]
mod tests;
