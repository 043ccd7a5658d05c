//! Results in JSON and in plain sentences.

use super::failure::Exit;
use super::output::Answer;
use crate::guarded::View;
use crate::service::ListState;
use crate::service::desk::{Outcome, Report};
use crate::verification::{Held, HeldCredential};
use credentials::escape::escaped;
use credentials::mdoc;
use credentials::trust::Usage;
use credentials::trust::list::usage_word;
use schemas::credential_type::{CredentialType, by_vct};
use schemas::mdoc::by_doc_type;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// How many characters of a value a person is shown.
const MOST_SHOWN: usize = 200;

/// The credential type of that `vct` or document type, where it is one of ours.
fn known(type_name: &str) -> Option<&'static CredentialType> {
    by_vct(type_name).or_else(|| by_doc_type(type_name).map(|document| document.credential_type))
}

/// A credential as `--json` shows it.
pub(super) fn credential_json(credential: &HeldCredential) -> Value {
    let type_name = credential.type_name();
    // `vct` is what scripts read, `doctype` what the other format calls it.
    let member = if credential.format() == mdoc::FORMAT { "doctype" } else { "vct" };
    json!({
        "type": known(type_name).map_or(type_name, |kind| kind.id),
        "format": credential.format(),
        member: type_name,
        "query": credential.query(),
        "claims": credential.claims(),
        "issuer": credential.issuer(),
        "status": credential.status().as_str(),
        "presence": {
            "acr": credential.acr(), "amr": credential.amr(), "face_is_evidence": credential.face_is_evidence(),
        },
    })
}

/// A credential for a person: one line of heading, one line a claim.
pub(super) fn credential_text(credential: &HeldCredential, text: &mut String) {
    let kind = known(credential.type_name());
    let label = kind.map_or_else(|| escaped(credential.type_name()).into_owned(), |kind| kind.label.to_owned());
    // Writing to a String does not fail.
    let _ = writeln!(text, "{label}, vouched for by {}, status {}:", credential.issuer(), credential.status().as_str());
    for (name, value) in credential.claims() {
        let label = kind.and_then(|kind| kind.claims.iter().find(|claim| claim.name == name)).map(|claim| claim.label);
        let label = label.map_or_else(|| escaped(name).into_owned(), str::to_owned);
        let _ = writeln!(text, "  {label}: {}", value_text(value));
    }
    if credential.claims().is_empty() {
        let _ = writeln!(text, "  (nothing was disclosed)");
    }
}

/// A value for a person, in one line.
pub(super) fn value_text(value: &Value) -> String {
    let plain = match value {
        Value::String(text) if text.starts_with("data:image/") => {
            return format!("(a picture of {} characters)", text.len());
        }
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let shown = escaped(&plain);
    match shown.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown.into_owned(),
    }
}

/// Usages, as a trust list writes them.
pub(super) fn usages(usages: &[Usage]) -> Vec<&'static str> {
    usages.iter().filter_map(|usage| usage_word(*usage)).collect()
}

/// Status lists at hand, and how old they are.
pub(super) fn lists_json(lists: &[ListState]) -> Value {
    let time = |time: Option<schemas::Timestamp>| time.map(|time| time.to_string());
    let list = |list: &ListState| {
        json!({
            "uri": list.uri, "state": list.word(), "issued_at": time(list.issued_at), "fetched_at": time(list.fetched_at),
            "ends_at": time(list.ends_at), "age": list.age.map(|age| age.to_string()),
        })
    };
    lists.iter().map(list).collect()
}

/// A result, and how the command ends.
pub(super) fn report(report: &Report) -> Answer {
    Answer { exit: exit(report), ..Answer::new(report_json(report), report_text(report)) }
}

/// Of those refused, the one without a consent ends as a missing consent does everywhere.
fn exit(report: &Report) -> Option<Exit> {
    match report.outcome {
        Outcome::Waiting | Outcome::Verified => None,
        Outcome::Refused if report.error.as_ref().is_some_and(|e| e.code == "consent_missing") => Some(Exit::Consent),
        Outcome::Refused => Some(Exit::Refused),
        Outcome::Ended => Some(Exit::Consent),
    }
}

fn credentials(report: &Report) -> &[HeldCredential] {
    report.held.as_ref().map(View::content).map_or(&[], Held::credentials)
}

fn report_json(report: &Report) -> Value {
    let mut object = Map::new();
    object.insert("state".to_owned(), json!(report.outcome.as_str()));
    object.insert("credentials".to_owned(), credentials(report).iter().map(credential_json).collect());
    let consent = report.consent.as_ref().map(|consent| {
        json!({
            "purpose": consent.purpose.code(),
            "expires_at": consent.expires_at.to_string(),
            "retention": consent.retention.to_string(),
        })
    });
    object.insert("consent".to_owned(), consent.unwrap_or_default());
    if let Some(kept_until) = report.kept_until {
        object.insert("kept_until".to_owned(), json!(kept_until.to_string()));
    }
    if let Some(error) = &report.error {
        object.insert(
            "error".to_owned(),
            json!({"code": error.code, "message": error.message, "hint": hint(&error.code)}),
        );
    }
    Value::Object(object)
}

fn report_text(report: &Report) -> String {
    let mut text = String::new();
    let why = report.error.as_ref().map_or("", |error| error.message.as_str());
    let _ = match report.outcome {
        Outcome::Waiting if why.is_empty() => writeln!(text, "Nobody has answered yet."),
        Outcome::Waiting => writeln!(text, "Nobody has answered yet. What came could not be used: {why}."),
        Outcome::Verified => writeln!(text, "Verified."),
        Outcome::Refused => writeln!(text, "Refused: {why}."),
        Outcome::Ended => writeln!(text, "Ended: {why}. There is nothing left to show."),
    };
    for credential in credentials(report) {
        credential_text(credential, &mut text);
    }
    if let (Outcome::Verified, Some(until)) = (report.outcome, report.kept_until) {
        let _ = match &report.consent {
            Some(consent) => {
                writeln!(text, "The holder consented for {} until {until}; then nobody can open it.", consent.purpose)
            }
            None => {
                writeln!(text, "Without a consent: kept under your own limit until {until}; then nobody can open it.")
            }
        };
    }
    if let Some(hint) = report.error.as_ref().map(|error| hint(&error.code)).filter(|hint| !hint.is_empty()) {
        let _ = writeln!(text, "What to do: {hint}.");
    }
    text
}

/// What a person at the desk can do about it.
pub(super) fn hint(code: &str) -> &'static str {
    match code {
        "issuer_not_trusted" => {
            "if you believe this issuer for this type, say so with amparo-verifier trust, and ask again"
        }
        "issuer_invalid" | "signature_invalid" | "presentation_invalid" => {
            "do not accept it; the credential is not in order"
        }
        "not_yet_valid" | "expired" => "the holder needs a current credential; check this machine's clock too",
        "key_binding_missing" | "key_binding_invalid" => "ask again; if it repeats, check the clocks of both machines",
        "revoked" | "suspended" => "do not accept it; the issuer can say why",
        "status_invalid" => "do not accept it; its issuer's status list does not know it",
        "purpose_not_granted" => "ask again for the purpose you need it for",
        "status_unknown" => {
            "get current lists with amparo-verifier sync where there is a network, or ask with --unknown-status accept"
        }
        "not_as_asked" | "incomplete" | "not_asked" => "the wallet answered something else; ask again",
        "over_disclosure" => "nothing was kept; the wallet shows more than it should, tell its maker",
        "consent_missing" => "ask again, or ask with --consent offered if you may go on without a consent",
        "consent_invalid" | "consent_replayed" => "nothing was kept; ask again",
        "session_broken" | "session_ended" => "ask the holder for a new code, and try once more",
        "access_denied" => "the holder may say no; ask whether they wish to try again",
        "not_encrypted" | "answer_unreadable" | "wallet_error" | "invalid_transaction_data" => {
            "the wallet cannot answer such a request; try another wallet, or --response-mode direct_post or --consent none"
        }
        "consent_ended" | "uses_exhausted" | "not_answered" | "key_destroyed" | "forgotten" | "interrupted" => {
            "make a new request if it is still needed"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_56_values_reach_a_terminal_escaped_and_short() {
        assert_eq!(value_text(&json!("a\u{1b}[2Jb\r\nc")), "a\\u{1b}[2Jb\\u{d}\\u{a}c");
        assert_eq!(value_text(&json!("{{7*7}}")), "{{7*7}}");
        assert_eq!(value_text(&json!("x".repeat(500))).chars().count(), MOST_SHOWN + 1);
        assert_eq!(value_text(&json!(["ES", "FR"])), "ES, FR");
        assert_eq!(value_text(&json!(true)), "yes");
        assert!(value_text(&json!("data:image/jpeg;base64,AAAA")).starts_with("(a picture"));
    }
}
