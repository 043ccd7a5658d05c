//! What the vault holds, and what was shown of it.

use super::claims::what;
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value};
use wallet_core::display::Shown;
use wallet_core::history::{Entry, Outcome};
use wallet_core::holdings::{Format, Held, Standing};
use wallet_core::issuance::{Deferred, DeferredId};
use wallet_core::words::Words;

/// What the vault holds.
pub(crate) fn holdings(
    held: &[Held],
    promises: &[(DeferredId, Deferred)],
    damaged: &[String],
    now: Timestamp,
    words: &Words,
) -> String {
    let mut lines: Vec<String> = held.iter().map(|held| holding(held, now, words)).collect();
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

fn holding(held: &Held, now: Timestamp, words: &Words) -> String {
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
    let low = match (held.runs_low(), held.is_refillable(now)) {
        (false, _) => "",
        (true, true) => ": `amparo refill` fetches new ones",
        (true, false) => ": ask the issuer for new ones soon",
    };
    let format = kind(held.format());
    let label = words.type_name(held.type_id(), &held.label());
    format!("{}  {label}{format} from {}{known}, {standing}, {copies}{low}.", held.id(), held.issuer_name())
}

/// Which credentials run low: so that nobody finds out at the border.
pub(crate) fn low(held: &[Held], now: Timestamp) -> String {
    let can_be_shown = |held: &&Held| matches!(held.standing(now), Standing::Valid | Standing::UsedUp);
    let lines = held.iter().filter(|held| held.runs_low()).filter(can_be_shown).map(|held| {
        let advice = if held.is_refillable(now) {
            "`amparo refill` fetches new ones"
        } else {
            "ask the issuer for new ones soon"
        };
        format!("\n{}: {} left to show, {advice}.", held.label(), copies(held.copies_left()))
    });
    lines.collect()
}

/// What would be shown to the issuer, and for what.
pub(crate) fn to_be_refilled(held: &[Held]) -> String {
    let lines = held.iter().map(|held| {
        format!(
            "One copy of {}{} is shown, whole, to {}, which made it.",
            held.label(),
            kind(held.format()),
            held.issuer()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What came of it.
pub(crate) fn refilled(refilled: &[Held], cannot: &[Held]) -> String {
    let done = refilled
        .iter()
        .map(|held| format!("{}{}: {} now.", held.label(), kind(held.format()), copies(held.copies_left())));
    let not = cannot.iter().map(|held| format!("{}: its issuer gives new ones at its desk only.", held.label()));
    let lines: Vec<String> = done.chain(not).collect();
    if lines.is_empty() { "Nothing runs low.".to_owned() } else { lines.join("\n") }
}

fn copies(count: usize) -> String {
    if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") }
}

/// One credential with its values, for its holder.
pub(crate) fn credential(held: &Held, claims: &Map<String, Value>, now: Timestamp, words: &Words) -> String {
    let technical = ["iss", "iat", "nbf", "exp", "vct", "vct#integrity"];
    let lines = claims.iter().filter(|(name, _)| !technical.contains(&name.as_str())).map(|(name, value)| {
        let value = match value {
            Value::String(text) if text.starts_with("data:") => format!("a picture of {} bytes", text.len() * 3 / 4),
            Value::String(text) => Shown::text(text).to_string(),
            other => Shown::text(&other.to_string()).to_string(),
        };
        format!("  {}: {value}", words.claim(held.type_id(), &ClaimPath::names([name])))
    });
    std::iter::once(holding(held, now, words)).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Where the card is, and what it is.
pub(crate) fn card_written(path: &str) -> String {
    format!("The card is in {path}. Whoever has the file can read it: destroy it when you no longer need it.")
}

/// What was shown, to whom, why and until when.
pub(crate) fn history(entries: &[Entry], words: &Words) -> String {
    if entries.is_empty() {
        return "Nothing was shown to anybody yet.".to_owned();
    }
    entries.iter().map(|entry| shown(entry, words)).collect::<Vec<_>>().join("\n")
}

fn shown(entry: &Entry, words: &Words) -> String {
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
    format!("{}  {}{known}: {}{why}{until}; {outcome}.", entry.at, entry.verifier, what(&entry.disclosed, words))
}
