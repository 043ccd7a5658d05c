//! What the value of a claim may be, by its kind.

use crate::config::is_unseen;
use schemas::credential_type::ClaimKind;
use serde_json::Value;
use time::Date;
use time::macros::format_description;

/// The longest text.
pub const MAX_TEXT: usize = 256;
/// The most elements of a list, and the most members of a map.
pub const MAX_ELEMENTS: usize = 32;

/// Whether `value` is of `kind`. A picture is only looked at as a string: see [`super::picture`].
pub fn fits(kind: ClaimKind, value: &Value) -> bool {
    match kind {
        ClaimKind::Text => is_text(value),
        ClaimKind::Date => value.as_str().is_some_and(|text| date(text).is_some()),
        ClaimKind::TextList => {
            value.as_array().is_some_and(|items| (1..=MAX_ELEMENTS).contains(&items.len()) && items.iter().all(is_text))
        }
        ClaimKind::Boolean => value.is_boolean(),
        ClaimKind::Integer => value.as_i64().is_some_and(|n| n.unsigned_abs() < 1 << 53),
        ClaimKind::TextMap => value.as_object().is_some_and(|members| {
            (1..=MAX_ELEMENTS).contains(&members.len()) && members.iter().all(|(name, v)| is_name(name) && is_text(v))
        }),
        ClaimKind::Picture => value.is_string(),
    }
}

/// What a value of `kind` must be, for people.
pub const fn expected(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Text => "a text of 1 to 256 characters, without line breaks, control or direction characters",
        ClaimKind::Date => "a calendar date, YYYY-MM-DD",
        ClaimKind::TextList => "an array of 1 to 32 texts, each of 1 to 256 characters without control characters",
        ClaimKind::Boolean => "true or false",
        ClaimKind::Integer => "a whole number",
        ClaimKind::TextMap => "an object of 1 to 32 texts, such as {\"locality\": \"Lima\"}",
        ClaimKind::Picture => "a JPEG as data:image/jpeg;base64,… of at most 12 KiB, or \"\" for no picture",
    }
}

/// Reads `YYYY-MM-DD`, a day that the calendar has.
pub fn date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if !shaped {
        return None;
    }
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

fn is_text(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(is_unseen))
}

/// A member's name: like those of OpenID Connect §5.1.1, and so never `_sd` or `...` (RFC 9901 §7.1).
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}
