//! Exact binomial intervals.

/// A range of rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, at least 0.
    pub low: f64,
    /// Upper end, at most 1.
    pub high: f64,
}

impl Interval {
    /// The 95 % interval of Clopper and Pearson for `misses` in `trials`: never too narrow.
    #[must_use]
    pub fn clopper_pearson(misses: usize, trials: usize) -> Self {
        let (k, n) = (misses.min(trials) as f64, trials as f64);
        // P(X ≥ k) rises with the rate, P(X ≤ k) falls: each end is where its tail has half of 5 %.
        let low = if k > 0.0 { bisect(|p| beta(p, k, n - k + 1.0) < TAIL) } else { 0.0 };
        let high = if k < n { bisect(|p| beta(p, k + 1.0, n - k) < 1.0 - TAIL) } else { 1.0 };
        Self { low, high }
    }
}

/// The rate where a rising condition turns from true to false.
fn bisect(is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction converges quickly on this side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for i in 1..=MOST_TERMS {
        let m = f64::from(i);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            result *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

/// Stirling's series, from an argument large enough for it.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

const TAIL: f64 = 0.025;
const TINY: f64 = 1e-300;
const MOST_TERMS: i32 = 10_000;

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn known_intervals_are_met() {
        // R: binom.test(k, n)$conf.int.
        let known = [
            (12, 1000, 0.006_215_5, 0.020_867_0),
            (0, 780, 0.0, 0.004_718_1),
            (1, 10, 0.002_528_6, 0.445_016_1),
            (10, 10, 0.691_502_9, 1.0),
            (0, 1, 0.0, 0.975),
            (5, 10, 0.187_086_0, 0.812_914_0),
        ];
        for (misses, trials, low, high) in known {
            let interval = Interval::clopper_pearson(misses, trials);
            assert!((interval.low - low).abs() < 2e-6, "{misses}/{trials}: {interval:?}");
            assert!((interval.high - high).abs() < 2e-6, "{misses}/{trials}: {interval:?}");
        }
    }

    #[test]
    fn no_error_in_many_trials_is_the_closed_form() {
        for trials in [3_usize, 100, 37_440, 124_800, 3_000_000] {
            let interval = Interval::clopper_pearson(0, trials);
            let closed = -((0.025_f64).ln() / trials as f64).exp_m1();
            assert!((interval.high - closed).abs() < 1e-9 + closed * 1e-6, "{trials}: {interval:?} {closed}");
        }
    }
}
