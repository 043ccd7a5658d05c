//! Cells of the tables: rates with their counts and intervals.

use serde_json::Value;

/// The value at a path of names; null if there is none.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
}

pub(super) fn count(value: &Value, path: &[&str]) -> u64 {
    at(value, path).as_u64().unwrap_or_default()
}

pub(super) fn number(value: &Value, path: &[&str]) -> f64 {
    at(value, path).as_f64().unwrap_or(f64::NAN)
}

/// The answers of several lists.
pub(super) fn lists(value: &Value) -> &[Value] {
    at(value, &["lists"]).as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A fraction as per cent, with as many digits as it needs to be told from nothing.
pub(super) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    match percent {
        0.0 => "0".to_owned(),
        p if p < 0.1 => format!("{p:.3}"),
        p if p < 10.0 => format!("{p:.2}"),
        p => format!("{p:.1}"),
    }
}

/// Errors of trials with the interval that was measured with them: `2.67 % (24/900, 1.72–3.94)`.
pub(super) fn rate(misses: u64, trials: u64, interval: &Value) -> String {
    let bound = |i: usize| percent(interval.get(i).and_then(Value::as_f64).unwrap_or(f64::NAN));
    format!("{} % ({misses}/{trials}, {}–{})", percent(misses as f64 / trials.max(1) as f64), bound(0), bound(1))
}

/// Thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_the_document_has_them() {
        let interval = serde_json::json!([0.0172, 0.0394]);
        assert_eq!(rate(24, 900, &interval), "2.67 % (24/900, 1.72–3.94)");
        assert_eq!((percent(0.0), percent(0.00005), percent(0.5)), ("0".into(), "0.005".into(), "50.0".into()));
        assert_eq!(
            (thousands(900), thousands(38_000), thousands(1_056_000)),
            ("900".into(), "38,000".into(), "1,056,000".into())
        );
    }
}
