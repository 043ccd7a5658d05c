//! What LEADER is made of, layer by layer, in terms that the runtime computes quickly.
//!
//! Convolutions keep channels apart from pixels, all else has a pixel's channels side by side: so the layout is turned where there
//! are few channels, and never between the two halves of a bottleneck.

use crate::onnx::{Array, Draft, FAST_GELU, FoldError, Layers, Matrix, Setting, unknown};

/// A graph that grows out of the layers of another.
pub(super) struct Blocks<'a> {
    pub(super) layers: &'a Layers,
    pub(super) draft: Draft,
}

/// A picture of many channels: so many `real` ones, then `blank` ones of zeros, then perhaps more.
pub(super) struct Channels {
    pub(super) value: String,
    real: usize,
    blank: usize,
}

/// How a convolution walks.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub(super) dilation: usize,
    /// Each channel for itself.
    pub(super) apart: bool,
    /// Zeros around, so that the picture keeps its size.
    pub(super) padded: bool,
}

/// A bottleneck: how it is read, and what it gives.
pub(super) struct Bottleneck<'a> {
    pub(super) layer: &'a str,
    /// A convolution of single pixels that comes right after.
    pub(super) then: Option<&'a str>,
    /// Strips of rows that are computed one after the other, so that no wide picture is ever whole.
    pub(super) strips: usize,
    /// Whether its input is the whole picture, or patches that lose [`AROUND`] pixels at each side.
    pub(super) whole: bool,
}

impl Blocks<'_> {
    /// Weights and biases of a layer's convolution.
    pub(super) fn convolution_of(&self, layer: &str) -> Result<(Array, Array), FoldError> {
        let node = format!("{ROOT}{layer}_1/BiasAdd");
        Ok((self.layers.weights(&node, 1)?, self.layers.weights(&node, 2)?))
    }

    /// The same of a dilated one, which the original takes apart.
    pub(super) fn dilated_of(&self, layer: &str) -> Result<(Array, Array), FoldError> {
        let weights = self.layers.weights(&format!("{ROOT}{layer}_1/convolution"), 1)?;
        Ok((weights, self.layers.weights(&format!("{ROOT}{layer}_1/BiasAdd"), 1)?.flat()))
    }

    fn depthwise_of(&self, layer: &str) -> Result<Array, FoldError> {
        self.layers.weights(&format!("{ROOT}{layer}/depthwise"), 1)
    }

    pub(super) fn convolve(&mut self, value: &str, weights: Array, bias: Option<Array>, walk: Walk) -> String {
        let long = |length: usize| i64::try_from(length).unwrap_or_default();
        let (kernel, dilation) = (weights.length(2), long(walk.dilation));
        let pad = if walk.padded { dilation * (long(kernel) - 1) / 2 } else { 0 };
        let groups = if walk.apart { long(weights.length(0)) } else { 1 };
        let settings = [
            Setting::Wholes("kernel_shape", &[long(kernel); 2]),
            Setting::Wholes("dilations", &[dilation; 2]),
            Setting::Wholes("pads", &[pad; 4]),
            Setting::Whole("group", groups),
        ];
        let weights = self.draft.constant(weights);
        let bias = bias.map(|bias| self.draft.constant(bias.flat()));
        let inputs: Vec<&str> = [value, &weights].into_iter().chain(bias.as_deref()).collect();
        self.draft.node("Conv", &inputs, &settings)
    }

    /// A pixel's channels side by side.
    fn turned(&mut self, value: &str) -> String {
        self.draft.node("Transpose", &[value], &[Setting::Wholes("perm", &[0, 2, 3, 1])])
    }

    fn turned_back(&mut self, value: &str) -> String {
        self.draft.node("Transpose", &[value], &[Setting::Wholes("perm", &[0, 3, 1, 2])])
    }

    /// A layer's normalisation over the channels, which lie side by side.
    fn normalised(&mut self, value: &str, layer: &str) -> Result<String, FoldError> {
        let scale = self.layers.weights(&format!("{ROOT}{layer}_ln_1/mul"), 1)?;
        let shift = self.layers.weights(&format!("{ROOT}{layer}_ln_1/add_1"), 1)?;
        let [scale, shift] = [scale, shift].map(|weights| self.draft.constant(weights.flat()));
        let settings = [Setting::Whole("axis", -1), Setting::Real("epsilon", EPSILON)];
        Ok(self.draft.node("LayerNormalization", &[value, &scale, &shift], &settings))
    }

    /// `x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))`, as the original.
    pub(super) fn gelu(&mut self, value: &str, bias: Option<Array>) -> String {
        let bias = bias.map(|bias| self.draft.constant(bias.flat()));
        let inputs: Vec<&str> = std::iter::once(value).chain(bias.as_deref()).collect();
        self.draft.node(FAST_GELU, &inputs, &[])
    }

    fn multiplied(&mut self, value: &str, weights: &Matrix) -> String {
        let weights = self.draft.constant(weights.transposed());
        self.draft.node("MatMul", &[value, &weights], &[])
    }

    pub(super) fn joined(&mut self, values: &[&str]) -> String {
        self.draft.node("Concat", values, &[Setting::Whole("axis", 1)])
    }

    /// Half as wide and high, by the largest or the mean of four pixels.
    pub(super) fn halved(&mut self, value: &str, operator: &str) -> String {
        let settings = [Setting::Wholes("kernel_shape", &[2, 2]), Setting::Wholes("strides", &[2, 2])];
        self.draft.node(operator, &[value], &settings)
    }

    /// The first half of the channels halved by the largest, the other by the mean.
    pub(super) fn halved_both_ways(&mut self, value: &str) -> String {
        let parts = self.draft.parts(value, 1, 2);
        let halves: Vec<String> =
            parts.iter().zip(["MaxPool", "AveragePool"]).map(|(part, by)| self.halved(part, by)).collect();
        self.joined(&halves.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Each pixel four times, and the other picture's channels behind.
    pub(super) fn doubled_beside(&mut self, channels: &Channels, other: &str) -> Channels {
        let scales = self.draft.constant(Array::vector(vec![1.0, 1.0, 2.0, 2.0]));
        let settings = [
            Setting::Text("mode", "nearest"),
            Setting::Text("coordinate_transformation_mode", "asymmetric"),
            Setting::Text("nearest_mode", "floor"),
        ];
        let doubled = self.draft.node("Resize", &[&channels.value, "", &scales], &settings);
        Channels { value: self.joined(&[&doubled, other]), ..*channels }
    }

    /// Normalised, and through the activation.
    pub(super) fn activated(&mut self, value: &str, layer: &str) -> Result<String, FoldError> {
        let turned = self.turned(value);
        let normal = self.normalised(&turned, layer)?;
        let active = self.gelu(&normal, None);
        Ok(self.turned_back(&active))
    }

    /// A convolution of each channel, one of single pixels, normalisation, activation.
    pub(super) fn separable(&mut self, value: &str, layer: &str) -> Result<Channels, FoldError> {
        let depthwise = self.depthwise_of(&format!("{layer}_conv_1/separable_conv2d"))?;
        let (weights, bias) = self.convolution_of(&format!("{layer}_conv"))?;
        let real = weights.length(0);
        let apart = self.convolve(value, depthwise, None, Walk { apart: true, ..PLAIN });
        let mixed = self.convolve(&apart, weights, Some(bias), PLAIN);
        Ok(Channels { value: self.activated(&mixed, layer)?, real, blank: 0 })
    }

    /// Normalisation, a convolution of single pixels, activation, after a bottleneck.
    pub(super) fn finished(&mut self, channels: &Channels, layer: &str) -> Result<String, FoldError> {
        let turned = self.turned(&channels.value);
        let normal = self.normalised(&turned, layer)?;
        let (weights, bias) = self.convolution_of(&format!("{layer}_conv2"))?;
        let mixed = self.multiplied(&normal, &Matrix::of(&weights));
        let active = self.gelu(&mixed, Some(bias));
        Ok(self.turned_back(&active))
    }

    /// A convolution of each channel, normalisation, four times as many channels, activation, and back; the input added; then a
    /// convolution of single pixels.
    ///
    /// With `x` the input and `h` the many channels, `A·(x + R·h + r) + a` is computed as `A·x + (A·R)·h + (A·r + a)`: half the
    /// multiplications.
    pub(super) fn bottleneck(&mut self, input: &Channels, how: &Bottleneck<'_>) -> Result<Channels, FoldError> {
        let Bottleneck { layer, then, strips, whole } = *how;
        let fits = |product: Option<Matrix>| product.ok_or_else(|| unknown(layer));
        let depthwise = self.depthwise_of(&format!("{layer}_depthwise_conv_1"))?;
        let (more, more_bias) = self.convolution_of(&format!("{layer}_conv_exp"))?;
        let (fewer, fewer_bias) = self.convolution_of(&format!("{layer}_conv_red"))?;
        let (mut mix, mut mix_bias) = self.matrices(&format!("{layer}_conv_adj"))?;
        if let Some(then) = then {
            let (next, next_bias) = self.matrices(then)?;
            mix_bias = fits(fits(next.times(&mix_bias))?.plus(&next_bias))?;
            mix = fits(next.times(&mix))?;
        }
        let real = mix.rows();
        // The runtime keeps blocks of channels only where their number is a multiple of four.
        let blank = real.next_multiple_of(4) - real;
        let back = fits(mix.times(&Matrix::of(&fewer)))?.with_rows(blank);
        let bias = fits(fits(mix.times(&Matrix::of(&fewer_bias)))?.plus(&mix_bias))?.with_rows(blank);
        let kept = mix.with_rows(blank).with_columns(input.real, input.blank).convolution();

        let walk = Walk { apart: true, padded: whole, ..PLAIN };
        let apart = self.convolve(&input.value, depthwise.with_blank(input.real, input.blank), None, walk);
        let turned = self.turned(&apart);
        let seen = self.without_blank(&turned, input, more.length(1));
        let normal = self.normalised(&seen, layer)?;
        let (more, more_bias) = (self.draft.constant(Matrix::of(&more).transposed()), self.draft.constant(more_bias));
        let back = self.draft.constant(back.transposed());
        let pieces = if strips > 1 { self.draft.parts(&normal, 1, strips) } else { vec![normal] };
        let through = |piece: &String| {
            let many = self.draft.node("MatMul", &[piece, &more], &[]);
            let active = self.draft.node(FAST_GELU, &[&many, &more_bias], &[]);
            self.draft.node("MatMul", &[&active, &back], &[])
        };
        let mut strips: Vec<String> = pieces.iter().map(through).collect();
        let added = if strips.len() > 1 {
            self.joined(&strips.iter().map(String::as_str).collect::<Vec<_>>())
        } else {
            strips.pop().unwrap_or_default()
        };
        let added = self.turned_back(&added);
        let middle = if whole { input.value.clone() } else { self.middle(&input.value) };
        let straight = self.convolve(&middle, kept, Some(bias.convolution()), PLAIN);
        Ok(Channels { value: self.draft.node("Add", &[&straight, &added], &[]), real, blank })
    }

    fn matrices(&self, layer: &str) -> Result<(Matrix, Matrix), FoldError> {
        let (weights, bias) = self.convolution_of(layer)?;
        Ok((Matrix::of(&weights), Matrix::of(&bias)))
    }

    /// Of a turned picture, the channels that are not blank.
    fn without_blank(&mut self, value: &str, channels: &Channels, all: usize) -> String {
        if channels.blank == 0 {
            return value.to_owned();
        }
        let [real, blank, rest] = [channels.real, channels.blank, all.saturating_sub(channels.real)];
        let [before, _, after] = self.draft.pieces(value, 3, [real, blank, rest]);
        self.draft.node("Concat", &[&before, &after], &[Setting::Whole("axis", 3)])
    }

    /// What is left of patches without [`AROUND`] pixels at each side.
    fn middle(&mut self, value: &str) -> String {
        let [from, to, axes] = [[AROUND; 2], [-AROUND; 2], [2, 3]].map(|numbers| self.draft.wholes(&numbers));
        self.draft.node("Slice", &[value, &from, &to, &axes], &[])
    }
}

impl Channels {
    pub(super) const fn plain(value: String) -> Self {
        Self { value, real: 0, blank: 0 }
    }
}

/// Every pixel, and all channels.
pub(super) const PLAIN: Walk = Walk { dilation: 1, apart: false, padded: true };
/// Of all names in the original.
pub(super) const ROOT: &str = "functional_1/";
/// How far a bottleneck looks to each side.
const AROUND: i64 = 3;
const EPSILON: f32 = 0.001;
