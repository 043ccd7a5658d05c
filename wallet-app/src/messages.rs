//! Every sentence that a person reads, in one place, so that other languages can stand beside this one.
//!
//! Text of peers reaches these functions only as [`wallet_core::display::Shown`].

use crate::adapters::home::HomeError;
use biometrics::engine::EngineError;
use credentials::trust::Trust;
use schemas::{ClaimPath, PathElement, Timestamp};
use serde_json::{Map, Value};
use std::path::Path;
use url::Url;
use wallet_core::display::Shown;
use wallet_core::history::{Disclosed, Entry, Outcome};
use wallet_core::holdings::{Held, Standing};
use wallet_core::issuance::{Offered, Summary, SummaryEntry, TxCodeWanted};
use wallet_core::presentation::{Asker, Concern, OfferedCredential, Receipt, Terms};
use wallet_core::unlock::Factors;

pub(crate) const UNAVAILABLE: &str = "The vault is locked, or it did not recognise you.";
pub(crate) const UNAVAILABLE_HINT: &str = "Check the photograph, the PIN file, the device key and the vault. After several failures a vault waits before it lets you try again.";
pub(crate) const DECLINED: &str = "You did not agree, so nothing was done.";
pub(crate) const DECLINED_HINT: &str = "Run the command again if you change your mind.";
pub(crate) const INTERNAL: &str = "Something went wrong inside this program.";
pub(crate) const INTERNAL_HINT: &str =
    "This is our fault. What was saved before is still there; run it again with RUST_LOG=info and report what it says.";
pub(crate) const BUSY_HINT: &str = "Wait until the other program is done, then try again.";
pub(crate) const PIN_FILE_HINT: &str = "A PIN file holds the PIN on one line, as text.";
pub(crate) const USAGE_HINT: &str = "Add --help to see what the command takes, with an example.";
pub(crate) const NOBODY_TO_ASK: &str = "This needs your agreement, and there is no terminal to ask on.";
pub(crate) const YES_HINT: &str =
    "Add --yes to agree beforehand, or run it on a terminal to see first what would happen.";
pub(crate) const TX_CODE_HINT: &str = "The issuer gave you a code on another way: add it as --tx-code.";
pub(crate) const NO_DEVICE_KEY: &str = "The device key is missing from the command line.";
pub(crate) const NO_DEVICE_KEY_HINT: &str =
    "Add --device-key FILE, the file that was made or named when the vault was made.";
pub(crate) const SETUP_HINT: &str = "Run `cargo xtask setup` once, or set AMPARO_HOME to the folder that it filled.";
pub(crate) const FRAMES_HINT: &str = "Give one to a few photographs of the same face.";

pub(crate) const SETUP_AGAIN_HINT: &str = "Run `cargo xtask setup` again; it fetches the pinned files and checks them.";
pub(crate) const NOT_SAVED_HINT: &str = "Nothing was changed; what was saved before is still there.";
pub(crate) const LONGER_PIN_HINT: &str =
    "Choose a PIN of four or more characters; six or more digits, or four words, are better.";
pub(crate) const LEDGER_FULL_HINT: &str = "Use another --device-key file for this vault.";
pub(crate) const NO_MEMORY_HINT: &str = "Close other programs and try again; 256 MiB are needed for a moment.";
pub(crate) const NOT_A_DEVICE_KEY_HINT: &str =
    "Name another file: this one is kept as it is, and a new device key is made only where no file is.";
pub(crate) const NOT_AN_ID: &str = "That is not the id of a credential.";
pub(crate) const NOT_AN_ID_HINT: &str = "`amparo list` shows the ids.";
pub(crate) const CONVENIENCE_ONLY: &str = "This vault opens with the face alone: it is a convenience, not a protection, for a face is not a secret. Make it anew with --pin-file to protect it.";
pub(crate) const UNLOCKED: &str = "The vault recognised you. It is locked again.";
pub(crate) const FORGOTTEN: &str = "The credential, its copies and their keys are gone from the vault.";

pub(crate) const NOT_PATHS: &str = "--only names no claims.";
pub(crate) const NOT_PATHS_HINT: &str =
    "Write names with commas between (given_name,family_name), or paths as JSON arrays ([\"address\",\"locality\"]).";
pub(crate) const TAKE_IT_UP: &str = "Take up this offer?";
pub(crate) const KEEP_IT: &str = "Is this about you, and do you want to keep it?";
pub(crate) const SHOW_IT: &str = "Show this, on these terms?";
pub(crate) const TELL_THEM: &str = "Tell the verifier that its request cannot be answered? It learns nothing else.";
pub(crate) const NOT_KNOWN_STILL: &str = "Nobody you trust vouches for this verifier. Go on all the same?";
pub(crate) const SHOW_PORTRAIT: &str = "Your portrait is asked for. A face is a name that cannot be changed. Show it?";
pub(crate) const SHOW_AGAIN: &str =
    "Every copy was shown once. Show one again? The verifiers could find out that both belong to you.";
pub(crate) const KEPT: &str = "It is in your vault.";

pub(crate) const LOOKING: &str = "looking at the photographs";
pub(crate) const OPENING: &str = "opening the vault";
pub(crate) const MAKING: &str = "making the vault";
pub(crate) const SAVING: &str = "saving the vault";
pub(crate) const CALLING: &str = "talking to the other side";

/// The models cannot be used.
pub(crate) fn no_models(error: &HomeError) -> String {
    format!("The face models are not ready: {error}.")
}

/// An error's message as a sentence: a capital first, a full stop last.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// The models are there, but are not used.
pub(crate) fn models_refused(error: &EngineError) -> String {
    format!("The face models were refused: {error}.")
}

/// Enrolled from fewer pictures than is good.
pub(crate) fn few_captures(captures: usize) -> String {
    format!(
        "Only {captures} photographs were enrolled: with five or more, in different light, the vault recognises you more reliably."
    )
}

/// A vault was made.
pub(crate) fn vault_made(vault: &Path, device_key: &Path, factors: Factors, warnings: &[String]) -> String {
    let needs = if factors.pin() { "your face, your PIN and the device key" } else { "your face and the device key" };
    let mut text = format!(
        "The vault is {}. It opens with {needs} ({}) together; keep a copy of neither where the other is.",
        vault.display(),
        device_key.display()
    );
    for warning in warnings {
        text.push('\n');
        text.push_str(warning);
    }
    text
}

/// Trust anchors were added.
pub(crate) fn trusted(new: usize) -> String {
    match new {
        0 => "This trust anchor was trusted already.".to_owned(),
        1 => "The trust anchor is trusted from now on.".to_owned(),
        _ => format!("{new} trust anchors are trusted from now on."),
    }
}

/// What the vault holds.
pub(crate) fn holdings(held: &[Held], damaged: &[String], now: Timestamp) -> String {
    let mut lines: Vec<String> = held.iter().map(|held| holding(held, now)).collect();
    if lines.is_empty() {
        lines.push("The vault holds no credential yet.".to_owned());
    }
    lines.extend(damaged.iter().map(|id| format!("{id}  damaged: forget it, and ask its issuer for a new one.")));
    lines.join("\n")
}

fn holding(held: &Held, now: Timestamp) -> String {
    let known = if held.issuer_known() { "" } else { " (not known)" };
    let standing = match held.standing(now) {
        Standing::Valid => match held.expires_at() {
            Some(end) => format!("valid until {end}"),
            None => "valid".to_owned(),
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
    format!("{}  {} from {}{known}, {standing}, {copies}{low}.", held.id(), held.label(), held.issuer_name())
}

/// What an issuer says that it offers.
pub(crate) fn offered(offered: &Offered, met_before: bool) -> String {
    let types: Vec<String> = offered.types().iter().map(ToString::to_string).collect();
    let who = match offered.issuer_name() {
        Some(name) => format!("{} (by its own word: {name})", offered.issuer()),
        None => offered.issuer().to_string(),
    };
    let met = if met_before {
        "You have a credential of a known issuer from this address."
    } else {
        "You have nothing from this address yet."
    };
    format!("{who} offers: {}.\n{met}", types.join(", "))
}

/// Which code is asked for.
pub(crate) fn tx_code(wanted: &TxCodeWanted) -> String {
    let length = wanted.length.map(|length| format!(" of {length} characters")).unwrap_or_default();
    let described = wanted.description.as_ref().map(|text| format!(" (the issuer says: {text})")).unwrap_or_default();
    format!("The code{length} that the issuer gave you{described}")
}

/// What came from an issuer.
pub(crate) fn arrived(summary: &Summary) -> String {
    let who = &summary.issuer_name;
    let first = match summary.trust {
        Trust::Known => format!("{who} ({}) is known: one of your trust anchors vouches for it.", summary.issuer),
        _ => format!(
            "{who} ({}) is not known: the signature is valid, and no trust anchor of yours vouches for who made it.",
            summary.issuer
        ),
    };
    let rest = summary.credentials.iter().map(arrived_entry);
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n")
}

fn arrived_entry(entry: &SummaryEntry) -> String {
    let about = entry.subject.as_ref().map(|initials| format!(" about {initials}")).unwrap_or_default();
    let other = if entry.other_subject { " Another name than in what you already hold: is it about you?" } else { "" };
    let until = entry.expires_at.map(|end| format!(", valid until {end}")).unwrap_or_default();
    let copies = if entry.copies == 1 { "1 copy".to_owned() } else { format!("{} copies", entry.copies) };
    format!("{}{about}, {copies}{until}. In it: {}.{other}", entry.label, listed(&entry.claims))
}

/// Who asks, what for, and what would be shown, with what to be wary of.
pub(crate) fn asked_for(asker: &Asker, credentials: &[OfferedCredential]) -> String {
    let mut lines = vec![who_asks(asker)];
    if let Some(proposal) = &asker.proposal {
        let purposes: Vec<String> = proposal.purposes.iter().map(ToString::to_string).collect();
        let contact =
            proposal.contact.as_ref().map(|contact| format!(", to be reached at {contact}")).unwrap_or_default();
        lines.push(format!(
            "Purpose: {}. {}{contact} would keep it at most {}.",
            purposes.join(", "),
            proposal.controller,
            proposal.retention
        ));
        if !proposal.onward.is_empty() {
            let onward: Vec<String> = proposal.onward.iter().map(ToString::to_string).collect();
            lines.push(format!("It would be passed on to: {}.", onward.join(", ")));
        }
    } else {
        lines.push("No purpose and no end are named.".to_owned());
    }
    for credential in credentials {
        lines.push(format!("{} from {}:", credential.label, credential.issuer_name));
        if credential.paths.is_empty() {
            lines.push("  only that you hold it".to_owned());
        }
        lines.extend(
            credential.paths.iter().map(|shown| format!("  {}{}", named(&shown.path), shown.concern.map_or("", wary))),
        );
    }
    lines.join("\n")
}

fn who_asks(asker: &Asker) -> String {
    let host = &asker.host;
    match asker.trust {
        Trust::Known => {
            format!("{} asks, and one of your trust anchors vouches for it. The answer goes to {host}.", asker.name)
        }
        _ => format!("Somebody asks who is not known and calls itself {}. The answer goes to {host}.", asker.name),
    }
}

const fn wary(concern: Concern) -> &'static str {
    match concern {
        Concern::ComesAlong => "  (not asked for; it cannot be separated from the rest)",
        Concern::Portrait => "  (your portrait)",
        Concern::BeyondPurpose => "  (the purpose does not need it)",
        Concern::PortraitBeyondPurpose => "  (your portrait, which the purpose does not need: it is not shown)",
        Concern::Unexplained => "  (without a reason: it is not shown)",
    }
}

/// The question about claims beyond the purpose.
pub(crate) fn beyond_purpose(paths: &[ClaimPath]) -> String {
    format!("The purpose does not need {}. Show it all the same?", listed(paths))
}

/// The question about claims that come along.
pub(crate) fn comes_along(paths: &[ClaimPath]) -> String {
    format!("{} cannot be separated from the rest. Show it too?", listed(paths))
}

/// What will be shown, and on which terms, before the last yes.
pub(crate) fn to_be_shown(asker: &Asker, disclosed: &[Disclosed], terms: Option<&Terms>) -> String {
    format!("{} would see {}.\n{}", asker.name, what(disclosed), on_terms(terms))
}

/// What was shown, and on which terms.
pub(crate) fn sent(receipt: &Receipt, redirect: Option<&Url>) -> String {
    let mut text =
        format!("{} was shown {}.\n{}", receipt.verifier, what(&receipt.disclosed), on_terms(receipt.consent.as_ref()));
    if let Some(address) = redirect {
        text.push_str(&format!("\nIt wants you to go on at {}", Shown::text(address.as_str())));
    }
    text
}

fn on_terms(terms: Option<&Terms>) -> String {
    match terms {
        Some(terms) => {
            let purposes: Vec<String> = terms.purposes.iter().map(ToString::to_string).collect();
            format!(
                "Your consent, for {}, ends at {}; it may be kept for {}.",
                purposes.join(", "),
                terms.ends_at,
                terms.retention
            )
        }
        None => "The verifier asks for no consent, so none is given and none ends.".to_owned(),
    }
}

fn what(disclosed: &[Disclosed]) -> String {
    let parts: Vec<String> = disclosed
        .iter()
        .map(|disclosed| format!("{} of {}", listed(&disclosed.paths), Shown::text(&disclosed.type_)))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// A refusal was sent.
pub(crate) fn refused(asker: &Asker) -> String {
    format!("{} was told no, in the words of a wallet that holds nothing.", asker.name)
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

/// Claim paths for people: names joined by dots, escaped.
fn listed(paths: &[ClaimPath]) -> String {
    let mut names: Vec<String> = paths.iter().map(|path| named(path).to_string()).collect();
    names.dedup();
    if names.is_empty() { "nothing that can be chosen".to_owned() } else { names.join(", ") }
}

fn named(path: &ClaimPath) -> Shown {
    let parts: Vec<String> = path
        .elements()
        .iter()
        .map(|element| match element {
            PathElement::Name(name) => name.clone(),
            PathElement::Index(index) => index.to_string(),
            PathElement::Every(()) => "*".to_owned(),
        })
        .collect();
    Shown::name(&parts.join("."))
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
        Some(consent) => format!(", agreed until {}, kept at most {}", consent.until, consent.retention),
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
