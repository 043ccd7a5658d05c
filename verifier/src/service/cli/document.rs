//! `document`: a W3C credential of a registry, checked without a network and without a store.

use super::arguments::Document;
use super::failure::{Exit, Failure};
use super::offline::read;
use super::output::Answer;
use super::words;
use crate::policy::UnknownStatus;
use crate::service::clock::{Clock, SystemClock};
use credentials::did::web_url;
use credentials::escape::escaped;
use credentials::json::{self, Limits};
use data_integrity::{
    AcceptedType, BitstringError, BitstringStatus, Contexts, Controllers, DocumentRefused, StatusEntry, Suite,
    VerifiedBitstring, VerifiedDocument, Verifier,
};
use schemas::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What an operator accepts, as they wrote it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    accepted: Vec<Accepted>,
    #[serde(default)]
    contexts: BTreeMap<String, PathBuf>,
    #[serde(default)]
    did_documents: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    #[serde(rename = "type")]
    type_name: String,
    contexts: Vec<String>,
    issuers: Vec<String>,
}

/// The same, with what it names at hand.
struct Desk {
    accepted: Vec<AcceptedType>,
    contexts: Contexts,
    controllers: Controllers,
    now: Timestamp,
}

pub(super) fn verify(arguments: &Document) -> Result<Answer, Failure> {
    let desk = Desk::open(&arguments.registry, arguments.now.unwrap_or_else(|| SystemClock.now()))?;
    let verifier = desk.verifier();
    let document = verifier.verify(&read(&arguments.credential)?).map_err(|error| refused(&error))?;
    let status = status(&document, arguments, &verifier)?;
    Ok(answer(&document, status))
}

impl Desk {
    fn open(path: &PathBuf, now: Timestamp) -> Result<Self, Failure> {
        let usage =
            |message: String| Failure::usage(message, "amparo-verifier document --help shows what it looks like");
        let bytes = read(path)?;
        let registry: Registry = json::parse_object(&bytes, &Limits::TOKEN)
            .map_err(|error| error.to_string())
            .and_then(|object| serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string()))
            .map_err(|error| usage(format!("{} says not what is accepted: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut contexts = Contexts::new();
        for (url, file) in &registry.contexts {
            let added = contexts.with(url, &read(&folder.join(file))?);
            contexts = added.map_err(|error| usage(format!("{}: {error}", file.display())))?;
        }
        let mut controllers = Controllers::new();
        for (did, file) in &registry.did_documents {
            let added = controllers.with(did, &read(&folder.join(file))?);
            controllers = added.map_err(|error| {
                let place = web_url(did).map_or_else(String::new, |url| format!("; it is published at {url}"));
                usage(format!("{}: {error} ({}){place}", file.display(), escaped(did)))
            })?;
        }
        let mut accepted = Vec::new();
        for Accepted { type_name, contexts: named, issuers } in registry.accepted {
            if let Some(unknown) = named.iter().find(|url| !contexts.contains(url)) {
                return Err(usage(format!("no file is given for the context {}", escaped(unknown))));
            }
            accepted.push(AcceptedType { type_name, contexts: named, issuers });
        }
        Ok(Self { accepted, contexts, controllers, now })
    }

    fn verifier(&self) -> Verifier<'_> {
        let Self { accepted, contexts, controllers, now } = self;
        Verifier { accepted, contexts, controllers, now: *now }
    }
}

fn refused(error: &DocumentRefused) -> Failure {
    let (code, hint) = match error {
        DocumentRefused::NotAccepted => {
            ("type_not_accepted", "add its type and contexts to the registry file if you mean to accept it")
        }
        DocumentRefused::Issuer => {
            ("issuer_not_accepted", "add its issuer to the registry file if you trust it for this type")
        }
        DocumentRefused::NotYet(_) => ("not_yet_valid", "check this machine's clock"),
        DocumentRefused::Ended(_) => ("expired", "ask for a newer one"),
        _ => ("document_invalid", "do not rely on it; ask its issuer"),
    };
    Failure::new(Exit::Refused, code, format!("the credential does not hold: {error}"), hint)
}

/// `None` when it names no status.
fn status(
    document: &VerifiedDocument,
    arguments: &Document,
    verifier: &Verifier<'_>,
) -> Result<Option<&'static str>, Failure> {
    if document.statuses().is_empty() {
        return Ok(None);
    }
    let mut lists = Vec::new();
    let mut why = "no status list was given for it".to_owned();
    for path in &arguments.status_list {
        match VerifiedBitstring::verify(&read(path)?, document.issuer(), verifier) {
            Ok(list) => lists.push(list),
            Err(error) => why = format!("{}: {error}", path.display()),
        }
    }
    let mut found = "valid";
    for entry in document.statuses() {
        match newest(&lists, entry, document.issuer()) {
            Some(Ok(BitstringStatus::Clear)) => {}
            Some(Ok(status)) => {
                let (code, message) = match status {
                    BitstringStatus::Suspended => ("suspended", "the credential is suspended"),
                    _ => ("revoked", "the credential is revoked"),
                };
                return Err(Failure::new(Exit::Refused, code, message, words::hint(code)));
            }
            Some(Err(error)) => {
                why = error.to_string();
                found = "unknown";
            }
            None => found = "unknown",
        }
    }
    match (found, arguments.unknown_status) {
        ("unknown", UnknownStatus::Refuse) => {
            let message = format!("the status of the credential is unknown: {why}");
            let hint = "give its current list with --status-list, or decide with --unknown-status accept";
            Err(Failure::new(Exit::Refused, "status_unknown", message, hint))
        }
        (found, _) => Ok(Some(found)),
    }
}

/// Of several lists of one address the newest counts; of two of one time the worse.
fn newest(
    lists: &[VerifiedBitstring],
    entry: &StatusEntry,
    issuer: &str,
) -> Option<Result<BitstringStatus, BitstringError>> {
    let status = |list: &VerifiedBitstring| match list.status(entry, issuer) {
        Err(BitstringError::Other) => None,
        status => Some((list.valid_from(), status != Ok(BitstringStatus::Clear), status)),
    };
    let newest = lists.iter().filter_map(status).max_by_key(|(from, against, _)| (*from, *against));
    newest.map(|(_, _, status)| status)
}

fn answer(document: &VerifiedDocument, status: Option<&str>) -> Answer {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let suite = match document.suite() {
        Suite::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
        Suite::EddsaRdfc2022 => "eddsa-rdfc-2022",
        Suite::EcdsaSd2023 => "ecdsa-sd-2023",
    };
    let object = json!({
        "verified": true,
        "type": document.type_name(),
        "format": "ldp_vc",
        "cryptosuite": suite,
        "claims": document.subject(),
        "issuer": document.issuer(),
        "valid_from": time(document.valid_from()),
        "valid_until": time(document.valid_until()),
        "status": status.unwrap_or("none"),
        "holder_bound": false,
    });
    let mut text = String::from("Verified.\n");
    let status = status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}"));
    // Writing to a String does not fail.
    let _ = writeln!(text, "{}, issued by {}, {status}:", escaped(document.type_name()), escaped(document.issuer()));
    for (name, value) in document.subject() {
        let _ = writeln!(text, "  {}: {}", escaped(name), words::value_text(value));
    }
    let _ = match document.valid_until() {
        Some(until) => writeln!(text, "It holds until {until}."),
        None => writeln!(text, "It names no end."),
    };
    text.push_str("It is bound to nobody: it does not say that it is about the person in front of you.\n");
    Answer::new(object, text)
}
