//! Where the code's information set comes from: Gaussian approximation at the design correlation.
//!
//! Run once by `amparo-biometrics polar-table`; the result is the constant [`super::INFORMATION_SET`], and a test holds the
//! two equal. Nothing at run time calls it, so no machine's `exp` can change a vault.

use super::bits::{CODE_BITS, MESSAGE_BITS};
use super::frozen::PolarIndex;

/// Derives the positions that carry the message, ascending.
///
/// The channel: given the sign of an enrolled coordinate, the probe's is Gaussian with mean `a = ρ·√(2/π)` and variance
/// `1 − a²`, so its log-likelihood ratio has mean `2a²/(1 − a²)`. Each polarisation step turns a mean `m` into `2m` and into
/// the `m'` with `φ(m') = 1 − (1 − φ(m))²`; the positions with the largest means carry the message.
///
/// # Source
/// Trifonov, "Efficient design and decoding of polar codes", IEEE Trans. Commun. 60(11), 2012; design correlation 0.6:
/// decision 0006.
#[must_use]
pub fn derive_information_set() -> [PolarIndex; MESSAGE_BITS] {
    let a = (2.0 / std::f64::consts::PI).sqrt() * DESIGN_CORRELATION;
    let mut means = vec![2.0 * a * a / (1.0 - a * a)];
    while means.len() < CODE_BITS {
        means = means.iter().flat_map(|mean| [inverse_phi(worse(phi(*mean))), 2.0 * mean]).collect();
    }
    let mut ranked: Vec<(f64, PolarIndex)> = means.into_iter().zip(0..).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    let mut best: Vec<PolarIndex> = ranked.into_iter().take(MESSAGE_BITS).map(|(_, index)| index).collect();
    best.sort_unstable();
    let mut set = [0; MESSAGE_BITS];
    set.iter_mut().zip(best).for_each(|(to, from)| *to = from);
    set
}

/// `1 − (1 − φ)²`, without cancellation.
fn worse(phi: f64) -> f64 {
    phi * (2.0 - phi)
}

/// `E[1 − tanh(L/2)]` for `L` Gaussian with mean `m` and variance `2m`, by the trapezoidal rule.
fn phi(mean: f64) -> f64 {
    let spread = (2.0 * mean).sqrt();
    // The integrand's weight lies around L = 0 where the mean is large: reach that far down.
    let (low, high) = (-12.0 - (mean / 2.0).sqrt(), 12.0);
    let step = (high - low) / f64::from(STEPS);
    let sum: f64 = (0..=STEPS)
        .map(|i| {
            let t = low + f64::from(i) * step;
            (-t * t / 2.0).exp() * 2.0 / (1.0 + (mean + spread * t).exp())
        })
        .sum();
    sum * step / (2.0 * std::f64::consts::PI).sqrt()
}

/// The mean whose [`phi`] this is, by bisection of its logarithm.
fn inverse_phi(target: f64) -> f64 {
    let (mut low, mut high) = (-80.0_f64, 8.0_f64);
    for _ in 0..90 {
        let middle = f64::midpoint(low, high);
        if phi(middle.exp()) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high).exp()
}

/// The cosine the code is made for.
const DESIGN_CORRELATION: f64 = 0.6;
/// Trapezoids an integral.
const STEPS: i32 = 600;

#[cfg(test)]
mod tests {
    use super::derive_information_set;
    use crate::protection::INFORMATION_SET;

    #[test]
    fn the_shipped_information_set_is_the_derived_one() {
        assert_eq!(derive_information_set(), INFORMATION_SET);
    }
}
