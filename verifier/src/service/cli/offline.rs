//! `verify`: a presentation in a file, checked without a network and without a store.

use super::arguments::Verify;
use super::failure::{Exit, Failure};
use super::output::Answer;
use super::words;
use crate::policy::UnknownStatus;
use crate::service::clock::{Clock, SystemClock};
use crate::verification::{HeldCredential, StatusFinding, current_or_ended};
use credentials::sd_jwt::{self, Expected, PresentedCredential};
use credentials::status_list::{StatusError, VerifiedStatusList};
use credentials::trust::{ChainPolicy, TrustAnchors};
use schemas::Timestamp;
use schemas::status::{Status, StatusReference};
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any file we take has.
const MOST_BYTES: u64 = 4 << 20;
const NO_MDOC: &str = "this version reads SD-JWT with key binding, not mdoc";

pub(super) fn verify(arguments: &Verify) -> Result<Answer, Failure> {
    if arguments.transcript.is_some() {
        return Err(Failure::new(Exit::Usage, "mdoc_unsupported", NO_MDOC, "give an SD-JWT with key binding, as text"));
    }
    let mut anchors = TrustAnchors::default();
    for path in &arguments.anchor {
        let added = anchors.add_pem(&read(path)?);
        added.map_err(|error| {
            let message = format!("{} is not a trust anchor: {error}", path.display());
            Failure::new(Exit::Usage, "not_an_anchor", message, "give the issuer's trust-anchor.pem")
        })?;
    }
    let bytes = read(&arguments.presentation)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        let message = format!("{} is not text: {NO_MDOC}", arguments.presentation.display());
        Failure::new(Exit::Usage, "mdoc_unsupported", message, "give an SD-JWT with key binding, as text")
    })?;
    let now = arguments.now.unwrap_or_else(|| SystemClock.now());
    let expected = Expected::new(ChainPolicy::known_only(&anchors), &arguments.audience, &arguments.nonce, now);
    let presented = sd_jwt::verify_presented(text.trim(), &expected).map_err(|source| {
        let code = crate::verification::presentation_code(&source);
        let message = format!("the presentation does not hold: {source}");
        Failure::new(Exit::Refused, code, message, words::hint(code))
    })?;
    let status = match presented.status() {
        None => StatusFinding::None,
        Some(reference) => look_up(reference, arguments, &anchors, now)?,
    };
    Ok(answer(&presented, status, now))
}

fn look_up(
    reference: &StatusReference,
    arguments: &Verify,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<StatusFinding, Failure> {
    let refused = |code: &'static str, message: String| Failure::new(Exit::Refused, code, message, words::hint(code));
    let mut why = "no status list was given for it".to_owned();
    // Of several lists for one URI the newest counts: an older one must not bring a credential back.
    let rank =
        |list: &VerifiedStatusList| (list.issued_at(), !matches!(list.list().get(reference.idx), Ok(Status::Valid)));
    let mut newest: Option<(&PathBuf, VerifiedStatusList)> = None;
    for path in &arguments.status_list {
        let bytes = read(path)?;
        let token = std::str::from_utf8(&bytes).unwrap_or_default().trim();
        match current_or_ended(token, &reference.uri, anchors, now) {
            Ok(list) if newest.as_ref().is_none_or(|(_, seen)| rank(&list) > rank(seen)) => {
                newest = Some((path, list));
            }
            Ok(_) => {}
            Err(error) => why = format!("{}: {error}", path.display()),
        }
    }
    if let Some((path, list)) = newest {
        let status = match list.status(reference, now) {
            Err(error @ StatusError::StatusUnknown { .. }) => {
                why = format!("{}: {error}", path.display());
                // It has no word for a credential any more, but what it said against one still stands.
                let accepting = arguments.unknown_status == UnknownStatus::Accept;
                list.list().get(reference.idx).map(|status| (accepting && status != Status::Valid).then_some(status))
            }
            status => status.map(Some),
        };
        match status {
            Ok(Some(Status::Valid)) => return Ok(StatusFinding::Valid),
            Ok(Some(Status::Suspended)) => return Err(refused("suspended", "the credential is suspended".to_owned())),
            Ok(Some(_)) => return Err(refused("revoked", "the credential is revoked".to_owned())),
            Ok(None) => {}
            Err(error) => return Err(refused("status_invalid", error.to_string())),
        }
    }
    match arguments.unknown_status {
        UnknownStatus::Accept => Ok(StatusFinding::Unknown),
        UnknownStatus::Refuse => {
            let message = format!("the status of the credential is unknown: {why}");
            let hint = "give its current list with --status-list, or decide with --unknown-status accept";
            Err(Failure::new(Exit::Refused, "status_unknown", message, hint))
        }
    }
}

fn answer(presented: &PresentedCredential, status: StatusFinding, now: Timestamp) -> Answer {
    let credential = HeldCredential::of("", presented, status, now);
    let mut object = words::credential_json(&credential);
    if let Some(object) = object.as_object_mut() {
        object.shift_remove("query");
        object.insert("verified".to_owned(), json!(true));
        let consent = presented.key_binding().consent();
        object.insert(
            "consent".to_owned(),
            consent.map_or(json!(null), |grant| {
                json!({"purpose": grant.purpose.iter().map(|p| p.code()).collect::<Vec<_>>(),
                       "expires_at": grant.exp.to_string(), "retention": grant.ret, "checked": false})
            }),
        );
    }
    let mut text = String::from("Verified.\n");
    words::credential_text(&credential, &mut text);
    Answer::new(object, text)
}

/// A file that the command line names; `-` is stdin.
pub(super) fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let take = |reader: &mut dyn Read| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = if path == Path::new("-") {
        take(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut f| take(&mut f))
    };
    let bytes = bytes.map_err(|error| Failure::file(path, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::usage(format!("{} is longer than 4 MiB", path.display()), "check the path"));
    }
    Ok(bytes)
}
