//! The screen's light on the face: a face in front of this screen takes on its colour, a picture fed into the camera's cable
//! does not.

use super::script::ScreenColour;
use crate::face::geometry::Landmarks;
use crate::sample::Sample;

use super::motion::middle;

/// The colour of the face's middle: the logarithm of each channel against the mean of the three.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Tint([f64; 3]);

impl Tint {
    /// Nothing for grey pictures, in which there is no colour to see.
    pub(super) fn of(sample: &Sample, landmarks: &Landmarks) -> Option<Self> {
        let centre = middle(landmarks);
        let half = landmarks.left_eye.minus(landmarks.right_eye).length() * 0.6;
        let range = |middle: f64, whole: u32| {
            let clamp = |v: f64| v.clamp(0.0, f64::from(whole)) as usize;
            (clamp(middle - half), clamp(middle + half))
        };
        let ((left, right), (top, bottom)) = (range(centre.x, sample.width()), range(centre.y, sample.height()));
        let (mut sums, mut grey, mut count) = ([0.0_f64; 3], true, 0_usize);
        for row in sample.as_rgb().chunks_exact(sample.width() as usize * 3).take(bottom).skip(top) {
            for pixel in row.as_chunks::<3>().0.iter().take(right).skip(left) {
                let [r, g, b] = *pixel;
                grey &= r == g && g == b;
                sums.iter_mut().zip(pixel).for_each(|(sum, v)| *sum += f64::from(*v));
                count += 1;
            }
        }
        let logs = sums.map(|sum| (sum / count.max(1) as f64).max(1.0).ln());
        let mean = logs.iter().sum::<f64>() / 3.0;
        (count > 0 && !grey).then(|| Self(logs.map(|log| log - mean)))
    }

    fn channel(&self, colour: ScreenColour) -> f64 {
        let Self([red, green, blue]) = *self;
        match colour {
            ScreenColour::Red => red,
            ScreenColour::Green => green,
            ScreenColour::Blue => blue,
        }
    }
}

/// Whether the face took on the colours that were shown: each channel is compared between the frames under its own colour
/// and those under the others. Nothing if too few frames have a colour to tell.
pub(super) fn follows(seen: &[(ScreenColour, Tint)]) -> Option<bool> {
    let mean = |of: ScreenColour, under: &dyn Fn(ScreenColour) -> bool| {
        let values: Vec<f64> = seen.iter().filter(|(c, _)| under(*c)).map(|(_, tint)| tint.channel(of)).collect();
        (values.len() >= LEAST_FRAMES).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let mut gains = Vec::new();
    for colour in ScreenColour::ALL {
        if let (Some(lit), Some(unlit)) = (mean(colour, &|c| c == colour), mean(colour, &|c| c != colour)) {
            gains.push(lit - unlit);
        }
    }
    // Each channel must gain: a picture that merely reddens over time gains in one.
    (gains.len() == ScreenColour::ALL.len())
        .then(|| gains.iter().all(|gain| *gain > 0.0) && gains.iter().sum::<f64>() >= LEAST_GAIN)
}

const LEAST_FRAMES: usize = 2;
/// Sum over the channels: a screen that adds one part in a hundred of the face's light in its colour reaches it.
const LEAST_GAIN: f64 = 0.02;
