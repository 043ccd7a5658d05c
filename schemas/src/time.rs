//! Points in time and spans, in whole seconds, and how a person writes them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// On the wire a JSON integer (`NumericDate`); for people RFC 3339 in UTC ([`fmt::Display`]).
///
/// # Source
/// RFC 7519 §2 `NumericDate`; integers only, decision of `docs/checks.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Later by `span`, saturating.
    #[must_use]
    pub const fn plus(self, span: Seconds) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }

    /// Earlier by `span`, saturating.
    #[must_use]
    pub const fn minus(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }

    /// How long since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Seconds {
        let span = self.0.saturating_sub(earlier.0);
        Seconds(if span < 0 { 0 } else { span.unsigned_abs() })
    }

    /// Rounded down to a multiple of `span`, as `security.md` §3.3 asks of `auth_time` and §8 of `iat`.
    #[must_use]
    pub const fn floor_to(self, span: Seconds) -> Self {
        if span.0 == 0 || span.0 > i64::MAX as u64 {
            return self;
        }
        Self(self.0 - self.0.rem_euclid(span.0 as i64))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match OffsetDateTime::from_unix_timestamp(self.0).ok().and_then(|t| t.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} s since 1970", self.0),
        }
    }
}

/// Why a time or a span could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not an RFC 3339 time.
    #[error("not an RFC 3339 time, such as 2026-11-23T14:07:00Z")]
    Time,
    /// Not a span such as `15m`.
    #[error("not a duration: expected a number and a unit, such as 15s, 15m, 24h or 30d")]
    Span,
    /// Not an ISO 8601 duration such as `PT24H`.
    #[error("not an ISO 8601 duration of days, hours, minutes and seconds, such as PT24H")]
    Iso8601,
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        OffsetDateTime::parse(text, &Rfc3339).map(|t| Self(t.unix_timestamp())).map_err(|_| TimeError::Time)
    }
}

/// A span of whole seconds.
///
/// For people `15s`, `15m`, `24h`, `30d` ([`fmt::Display`], [`FromStr`]); in consent objects ISO 8601 ([`Seconds::iso8601`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Seconds(u64);

impl Seconds {
    /// One minute.
    pub const MINUTE: Self = Self(60);
    /// One hour.
    pub const HOUR: Self = Self(3_600);
    /// One day of 86,400 s.
    pub const DAY: Self = Self(86_400);

    /// A span of `seconds`.
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The span in seconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `n` times the span, saturating.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// The span as ISO 8601 writes it: `PT72H`, `PT15M`, `PT10S`.
    pub fn iso8601(self) -> String {
        let (hours, minutes, seconds) = (self.0 / 3_600, self.0 % 3_600 / 60, self.0 % 60);
        let mut text = String::from("PT");
        for (n, unit) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
            if n > 0 {
                text.push_str(&format!("{n}{unit}"));
            }
        }
        if self.0 == 0 {
            text.push_str("0S");
        }
        text
    }

    /// Reads an ISO 8601 duration of days, hours, minutes and seconds (`P1DT2H`, `PT15M`).
    ///
    /// Months and years are refused: they are not spans of a known length.
    ///
    /// # Errors
    /// [`TimeError::Iso8601`] for anything else, or when it does not fit.
    pub fn parse_iso8601(text: &str) -> Result<Self, TimeError> {
        let rest = text.strip_prefix('P').ok_or(TimeError::Iso8601)?;
        let (days, clock) = match rest.split_once('T') {
            Some((_, "")) => return Err(TimeError::Iso8601),
            Some((days, clock)) => (days, clock),
            None => (rest, ""),
        };
        let mut total = 0u64;
        let mut any = false;
        for (mut part, units) in [(days, &[('D', 86_400u64)][..]), (clock, &[('H', 3_600), ('M', 60), ('S', 1)][..])] {
            for (unit, length) in units {
                if let Some((digits, rest)) = part.split_once(*unit) {
                    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                        return Err(TimeError::Iso8601);
                    }
                    let n: u64 = digits.parse().map_err(|_| TimeError::Iso8601)?;
                    total = n.checked_mul(*length).and_then(|n| total.checked_add(n)).ok_or(TimeError::Iso8601)?;
                    (part, any) = (rest, true);
                }
            }
            if !part.is_empty() {
                return Err(TimeError::Iso8601);
            }
        }
        if any { Ok(Self(total)) } else { Err(TimeError::Iso8601) }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            n if n % 86_400 == 0 => write!(f, "{}d", n / 86_400),
            n if n % 3_600 == 0 => write!(f, "{}h", n / 3_600),
            n if n % 60 == 0 => write!(f, "{}m", n / 60),
            n => write!(f, "{n}s"),
        }
    }
}

impl FromStr for Seconds {
    type Err = TimeError;

    /// Reads `15s`, `15m`, `24h` or `30d`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(TimeError::Span),
        };
        let digits = text.get(..text.len().saturating_sub(1)).ok_or(TimeError::Span)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TimeError::Span);
        }
        let n: u64 = digits.parse().map_err(|_| TimeError::Span)?;
        n.checked_mul(unit).map(Self).ok_or(TimeError::Span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_written() {
        for text in ["15s", "15m", "24h", "30d"] {
            let span: Seconds = text.parse().unwrap();
            assert_eq!(span, Seconds::parse_iso8601(&span.iso8601()).unwrap());
        }
        assert_eq!("90m".parse::<Seconds>().unwrap().to_string(), "90m");
        for text in ["", "m", "15", "1.5h", "-1s", "15 m", "99999999999999999999d", "é"] {
            assert_eq!(text.parse::<Seconds>(), Err(TimeError::Span), "{text}");
        }
        for text in ["", "P", "PT", "P1M", "P1Y", "PT1H1H", "PT1M1H", "PTH", "PT-1H", "PT1.5H"] {
            assert_eq!(Seconds::parse_iso8601(text), Err(TimeError::Iso8601), "{text}");
        }
    }

    #[test]
    fn times_are_utc_for_people() {
        let time: Timestamp = "2026-11-23T15:07:00+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-23T14:07:00Z");
        assert_eq!(time.floor_to(Seconds::DAY).to_string(), "2026-11-23T00:00:00Z");
    }
}
