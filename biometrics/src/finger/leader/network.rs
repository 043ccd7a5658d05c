//! LEADER written anew from its own weights: the same function, in about a quarter of the time.
//!
//! It is cut in two. The first network, on the whole picture, says where minutiae are; the second says of which kind they are and
//! where they point, and looks only at the pixels around those that were found.
//!
//! # Source
//! The layers are those of the pinned `LEADER.onnx`, by their names in it (arXiv 2602.15493); decision 0134.

use super::blocks::{Blocks, Bottleneck, Channels, PLAIN, ROOT, Walk};
use crate::onnx::{Array, Draft, FoldError, Layers, Setting};

/// Both networks.
pub(super) struct Rewritten {
    /// From the picture to the places of minutiae, and to what [`Self::details`] wants to know of it.
    pub(super) places: Draft,
    /// From patches of that to kinds and directions.
    pub(super) details: Draft,
}

impl Rewritten {
    /// Reads the original, whose very bytes are known.
    ///
    /// # Errors
    /// [`FoldError`] if it is not the one that is known.
    pub(super) fn of(model: &[u8]) -> Result<Self, FoldError> {
        let layers = &Layers::read(model)?;
        let blocks = || Blocks { layers, draft: Draft::default() };
        Ok(Self { places: blocks().places()?, details: blocks().details()? })
    }
}

impl Blocks<'_> {
    fn places(mut self) -> Result<Draft, FoldError> {
        let picture = self.draft.input(PICTURE, &[Some(1), Some(1), None, None]);
        let seen = self.attended(&picture)?;
        let seen = self.understood(seen)?;
        let how = Bottleneck { layer: "head_0_ibc", then: Some("head_0_conv1"), strips: 8, whole: true };
        let head = self.bottleneck(&seen, &how)?;
        let head = self.finished(&head, "head_0")?;
        let (weights, bias) = self.last("Conv__3172")?;
        let four = self.four_pixels(&head, &weights, &bias, true);
        let four = self.draft.node("Sigmoid", &[&four], &[]);
        let sure = self.draft.node("DepthToSpace", &[&four], &[Setting::Whole("blocksize", 2)]);
        let blur = self.layers.weights(&format!("{ROOT}nms_Gaussian_blur_1/convolution"), 1)?;
        let blurred = self.convolve(&sure, blur, None, PLAIN);
        let around = [Setting::Wholes("kernel_shape", &[7; 2]), Setting::Wholes("pads", &[3; 4])];
        let largest = self.draft.node("MaxPool", &[&blurred], &around);
        let peak = self.draft.node("Equal", &[&blurred, &largest], &[]);
        let peak = self.draft.node("Cast", &[&peak], &[Setting::Whole("to", 1)]);
        let peaks = self.draft.node("Mul", &[&largest, &peak], &[]);
        self.draft.output(&peaks, PEAKS, &[Some(1), Some(1), None, None]);
        self.draft.output(&seen.value, SEEN, &[Some(1), None, None, None]);
        Ok(self.draft)
    }

    fn details(mut self) -> Result<Draft, FoldError> {
        let patches = self.draft.input(PATCHES, &[None, Some(CHANNELS), Some(PATCH), Some(PATCH)]);
        let inside = self.draft.input(INSIDE, &[None, Some(1), Some(NEAR), Some(NEAR)]);
        let patches = Channels::plain(patches);
        for (head, last, output) in [("head_2", "Conv__3000", KIND), ("head_1", LAST_OF_DIRECTION, DIRECTION)] {
            let (layer, then) = (&format!("{head}_ibc"), &format!("{head}_conv1"));
            let how = Bottleneck { layer, then: Some(then), strips: 1, whole: false };
            let value = self.bottleneck(&patches, &how)?;
            let value = self.finished(&value, head)?;
            // What lies outside of the picture is zero, as where the whole picture is padded.
            let value = self.draft.node("Mul", &[&value, &inside], &[]);
            let (weights, bias) = self.last(last)?;
            let mut four = self.four_pixels(&value, &weights, &bias, false);
            if output == KIND {
                four = self.draft.node("Sigmoid", &[&four], &[]);
            }
            self.draft.output(&four, output, &[None, None, Some(1), Some(1)]);
        }
        Ok(self.draft)
    }

    /// The first of the two encoders and decoders, which says where the second should look.
    fn attended(&mut self, picture: &str) -> Result<String, FoldError> {
        let stem = self.stem(picture, "stem0")?;
        let mut value = self.halved(&stem, "MaxPool");
        let mut seen = Vec::new();
        for level in 0..LEVELS {
            let channels = self.separable(&value, &format!("enc0_{level}"))?;
            value = self.halved_both_ways(&channels.value);
            seen.push(channels.value);
        }
        for (level, before) in seen.iter().enumerate().rev() {
            let channels = self.separable(&value, &format!("dec0_{level}"))?;
            value = self.doubled_beside(&channels, before).value;
        }
        let stem = self.stem(picture, "stem1")?;
        let stem = self.halved(&stem, "AveragePool");
        let mut views = Vec::new();
        for dilation in [1, 3, 6] {
            let layer = format!("attention_conv_d{dilation}");
            let (weights, bias) = if dilation == 1 { self.convolution_of(&layer)? } else { self.dilated_of(&layer)? };
            let view = self.convolve(&value, weights, Some(bias), Walk { dilation, ..PLAIN });
            views.push(self.gelu(&view, None));
        }
        let views = self.joined(&views.iter().map(String::as_str).collect::<Vec<_>>());
        let (weights, bias) = self.convolution_of("attention_s")?;
        let attention = self.convolve(&views, weights, Some(bias), PLAIN);
        let attention = self.draft.node("Sigmoid", &[&attention], &[]);
        let attended = self.draft.node("Mul", &[&value, &attention], &[]);
        Ok(self.joined(&[&attended, &stem]))
    }

    /// The second.
    fn understood(&mut self, attended: String) -> Result<Channels, FoldError> {
        let mut value = Channels::plain(attended);
        let mut seen = Vec::new();
        for (level, strips) in (0..LEVELS).zip(STRIPS) {
            let how = Bottleneck { layer: &format!("enc1_{level}"), then: None, strips, whole: true };
            let channels = self.bottleneck(&value, &how)?;
            value = Channels::plain(self.halved_both_ways(&channels.value));
            seen.push(channels.value);
        }
        for (level, before) in seen.iter().enumerate().rev() {
            // It reads what is half the size of what it is joined to.
            let strips = STRIPS.get(level + 1).copied().unwrap_or(1);
            let how = Bottleneck { layer: &format!("dec1_{level}"), then: None, strips, whole: true };
            let channels = self.bottleneck(&value, &how)?;
            value = self.doubled_beside(&channels, before);
        }
        Ok(value)
    }

    fn stem(&mut self, picture: &str, layer: &str) -> Result<String, FoldError> {
        let (weights, bias) = self.convolution_of(&format!("{layer}_conv"))?;
        let near = self.convolve(picture, weights, Some(bias), PLAIN);
        let (weights, bias) = self.dilated_of(&format!("{layer}_dilated_conv"))?;
        let far = self.convolve(picture, weights, Some(bias), Walk { dilation: 2, ..PLAIN });
        let both = self.joined(&[&near, &far]);
        self.activated(&both, layer)
    }

    /// Weights and biases of a last convolution: the converter made up some of their nodes' names.
    fn last(&self, node: &str) -> Result<(Array, Array), FoldError> {
        Ok((self.layers.weights(node, 1)?, self.layers.weights(node, 2)?))
    }

    /// Each pixel four times, then a convolution of 5 × 5: as one of 3 × 3 with outputs for each of the four, since neighbours are
    /// the same.
    fn four_pixels(&mut self, value: &str, weights: &Array, bias: &Array, padded: bool) -> String {
        let (outputs, channels) = (weights.length(0), weights.length(1));
        let mut values = Vec::with_capacity(4 * outputs * channels * 9);
        for (below, right) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            for kernel in weights.values.chunks_exact(25) {
                let mut sums = [0.0_f64; 9];
                for (at, weight) in kernel.iter().enumerate() {
                    // Rows 2y − 2 to 2y + 2, or one further down, lie in the three around y.
                    let place = (at / 5 + below) / 2 * 3 + (at % 5 + right) / 2;
                    sums.iter_mut().skip(place).take(1).for_each(|sum| *sum += f64::from(*weight));
                }
                values.extend(sums.map(|sum| sum as f32));
            }
        }
        let weights = Array { shape: vec![4 * outputs, channels, 3, 3], values };
        let bias = Array::vector(bias.values.repeat(4));
        self.convolve(value, weights, Some(bias), Walk { padded, ..PLAIN })
    }
}

pub(super) const PICTURE: &str = "picture";
/// How sure it is of a minutia at a pixel that is surest of those around it; elsewhere 0.
pub(super) const PEAKS: &str = "peaks";
/// What it made of the picture, at half its size.
pub(super) const SEEN: &str = "seen";
pub(super) const PATCHES: &str = "patches";
/// 1 where a patch's middle lies in the picture, else 0.
pub(super) const INSIDE: &str = "inside";
/// How sure it is of an ending, for each of four pixels.
pub(super) const KIND: &str = "kind";
/// A vector along the ridge, for each of four pixels.
pub(super) const DIRECTION: &str = "direction";
/// Channels of [`SEEN`].
pub(super) const CHANNELS: i64 = 52;
/// The side of a patch.
pub(super) const PATCH: i64 = 9;
/// The side of its middle, which a kind and a direction are made of.
pub(super) const NEAR: i64 = 3;
const LAST_OF_DIRECTION: &str = "functional_1/head_conv_dir_1/BiasAdd";
const LEVELS: usize = 4;
/// At half the size of the picture, at a quarter, and so on: then all is small.
const STRIPS: [usize; LEVELS] = [8, 4, 1, 1];
