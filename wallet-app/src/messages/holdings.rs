//! What the vault holds, and what was shown of it.

use super::claims::what;
use schemas::Timestamp;
use serde_json::{Map, Value};
use wallet_core::display::Shown;
use wallet_core::history::{Entry, Outcome};
use wallet_core::holdings::{Format, Held, Standing};
use wallet_core::issuance::{Deferred, DeferredId};

/// What the vault holds.
pub(crate) fn holdings(
    held: &[Held],
    promises: &[(DeferredId, Deferred)],
    damaged: &[String],
    now: Timestamp,
) -> String {
    let mut lines: Vec<String> = held.iter().map(|held| holding(held, now)).collect();
    if lines.is_empty() {
        lines.push("The vault holds no credential yet.".to_owned());
    }
    lines.extend(promises.iter().map(|(_, promise)| super::issuance::promise(promise)));
    lines.extend(damaged.iter().map(|id| format!("{id}  damaged: forget it, and ask its issuer for a new one.")));
    lines.join("\n")
}

/// What tells a document from a credential of the same name.
pub(super) const fn kind(format: Format) -> &'static str {
    match format {
        Format::SdJwtVc => "",
        Format::Mdoc => " (mobile document)",
    }
}

fn holding(held: &Held, now: Timestamp) -> String {
    let known = if held.issuer_known() { "" } else { " (not known)" };
    let standing = match held.standing(now) {
        Standing::Valid => match held.expires_at() {
            Some(end) => format!("valid until {end} unless revoked"),
            None => "valid unless revoked".to_owned(),
        },
        Standing::NotYetValid => "not valid yet".to_owned(),
        Standing::Expired => "expired".to_owned(),
        Standing::UsedUp => "every copy was shown once".to_owned(),
    };
    let copies = match held.copies_left() {
        1 => "1 copy left".to_owned(),
        n => format!("{n} copies left"),
    };
    let low = if held.runs_low() { ": ask the issuer for new ones soon" } else { "" };
    let format = kind(held.format());
    format!("{}  {}{format} from {}{known}, {standing}, {copies}{low}.", held.id(), held.label(), held.issuer_name())
}

/// One credential with its values, for its holder.
pub(crate) fn credential(held: &Held, claims: &Map<String, Value>, now: Timestamp) -> String {
    let technical = ["iss", "iat", "nbf", "exp", "vct", "vct#integrity"];
    let lines = claims.iter().filter(|(name, _)| !technical.contains(&name.as_str())).map(|(name, value)| {
        let value = match value {
            Value::String(text) if text.starts_with("data:") => format!("a picture of {} bytes", text.len() * 3 / 4),
            Value::String(text) => Shown::text(text).to_string(),
            other => Shown::text(&other.to_string()).to_string(),
        };
        format!("  {}: {value}", Shown::name(name))
    });
    std::iter::once(holding(held, now)).chain(lines).collect::<Vec<_>>().join("\n")
}

/// What was shown, to whom, why and until when.
pub(crate) fn history(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "Nothing was shown to anybody yet.".to_owned();
    }
    entries.iter().map(shown).collect::<Vec<_>>().join("\n")
}

fn shown(entry: &Entry) -> String {
    let known = if entry.known { "" } else { " (not known)" };
    let why = match entry.purposes.as_slice() {
        [] => String::new(),
        purposes => format!(" for {}", purposes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let until = match &entry.consent {
        Some(consent) => format!(", agreed until {} at the latest, kept at most {}", consent.until, consent.retention),
        None => String::new(),
    };
    let outcome = match entry.outcome {
        Outcome::Sent => "sent, without an answer: take it that it arrived",
        Outcome::Delivered => "delivered",
        Outcome::TurnedDown => "turned down; it was seen all the same",
        Outcome::Undelivered => "could not be delivered",
    };
    format!("{}  {}{known}: {}{why}{until}; {outcome}.", entry.at, entry.verifier, what(&entry.disclosed))
}
