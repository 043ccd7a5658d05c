//! `verify`: a presentation in a file or on paper, checked without a network and without a store.

pub(super) mod codes;
mod paper;

use super::arguments::Verify;
use super::failure::{Exit, Failure};
use super::output::Answer;
use super::words;
use crate::policy::UnknownStatus;
use crate::service::clock::{Clock, SystemClock};
use crate::type_rules::TypeRules;
use crate::verification::{
    HeldCredential, Presentation, StatusFinding, current_or_ended, document_code, presentation_code, status_text,
    type_code,
};
use credentials::b64;
use credentials::escape::escaped;
use credentials::json::{self, Limits};
use credentials::mdoc::{self, SessionTranscript};
use credentials::sd_jwt::{self, PresentedCredential};
use credentials::status_list::{StatusError, VerifiedStatusList};
use credentials::trust::{ChainPolicy, TrustAnchors, list};
use credentials::type_metadata::TypeMetadata;
use schemas::Timestamp;
use schemas::consent::Grant;
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT};
use schemas::status::{Status, StatusReference};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any file we take has.
const MOST_BYTES: u64 = 4 << 20;

pub(super) fn verify(arguments: &Verify) -> Result<Answer, Failure> {
    let Some(presentation) = &arguments.presentation else { return paper::verify(arguments) };
    let now = arguments.now.unwrap_or_else(|| SystemClock.now());
    let anchors = anchors(arguments, now)?;
    let (shown, missing) = match &arguments.transcript {
        Some(path) => documents(presentation, path, policy(arguments, &anchors), now)?,
        None => (vec![credential(arguments, presentation, policy(arguments, &anchors), now)?], Vec::new()),
    };
    let mut verified = Vec::new();
    for presentation in shown {
        let status = match presentation.status() {
            None => StatusFinding::None,
            Some(reference) => look_up(reference, arguments, &anchors, now)?,
        };
        let status = status.under(presentation.issuer(), now);
        verified.push((presentation, status));
    }
    Ok(answer(&verified, &missing, now))
}

fn credential(
    arguments: &Verify,
    path: &PathBuf,
    policy: ChainPolicy<'_>,
    now: Timestamp,
) -> Result<Presentation, Failure> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        let message = format!("{} is not text, so it is no SD-JWT with key binding", path.display());
        let hint = "a DeviceResponse of a mobile document is read with --transcript";
        Failure::new(Exit::Usage, "not_text", message, hint)
    })?;
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let (audience, nonce) = (given(&arguments.audience), given(&arguments.nonce));
    let expected = sd_jwt::Expected::new(policy, &audience, &nonce, now);
    let presented = sd_jwt::verify_presented(text.trim(), &expected)
        .map_err(|source| refused(presentation_code(&source), format!("the presentation does not hold: {source}")))?;
    hold_to_type(arguments, &presented)?;
    Ok(Presentation::SdJwtVc(Box::new(presented)))
}

/// Refuses what breaks the rules of its type, ours or one of the command line's.
fn hold_to_type(arguments: &Verify, presented: &PresentedCredential) -> Result<(), Failure> {
    let mut documents = BTreeMap::new();
    for path in &arguments.type_metadata {
        let bytes = read(path)?;
        let metadata = TypeMetadata::parse(&bytes).map_err(|error| {
            let message = format!("{} is not a type metadata document: {error}", path.display());
            Failure::new(Exit::Usage, "type_metadata_invalid", message, "ask whoever wrote the document")
        })?;
        documents.insert(metadata.vct().to_owned(), bytes);
    }
    TypeRules::new(documents)
        .check(presented)
        .map_err(|error| refused(type_code(&error), format!("the presentation is refused: {error}")))
}

/// The documents of a `DeviceResponse`, and the types that the holder's side says it does not return.
fn documents(
    path: &PathBuf,
    transcript: &PathBuf,
    policy: ChainPolicy<'_>,
    now: Timestamp,
) -> Result<(Vec<Presentation>, Vec<String>), Failure> {
    let session = SessionTranscript::from_cbor(&read(transcript)?).map_err(|error| {
        let message = format!("{} is not a SessionTranscript: {error}", transcript.display());
        Failure::new(Exit::Usage, "not_a_transcript", message, "give the CBOR of the transcript, as the session had it")
    })?;
    let bytes = read(path)?;
    // As it stands in a vp_token, or as it came over any other way.
    let decoded = std::str::from_utf8(&bytes).ok().and_then(|text| b64::decode(text.trim()).ok());
    let bytes = decoded.unwrap_or(bytes);
    let expected = mdoc::Expected::new(policy, &session, now);
    let response = mdoc::verify_response(&bytes, &expected)
        .map_err(|source| refused(document_code(&source), format!("the response does not hold: {source}")))?;
    if response.documents.is_empty() {
        return Err(refused("access_denied", "the response has no document".to_owned()));
    }
    let documents = response.documents.into_iter().map(|document| Presentation::Mdoc(Box::new(document)));
    Ok((documents.collect(), response.missing))
}

fn refused(code: &'static str, message: String) -> Failure {
    Failure::new(Exit::Refused, code, message, words::hint(code))
}

/// Whom to believe: of ended trust lists, where what is not known is taken.
fn policy<'a>(arguments: &Verify, anchors: &'a TrustAnchors) -> ChainPolicy<'a> {
    let policy = ChainPolicy::known_only(anchors).with_algorithms(arguments.issuer_algorithms.set());
    if arguments.unknown_status == UnknownStatus::Accept { policy.with_ended_lists() } else { policy }
}

/// The issuers that the command line names, and those that its trust lists name.
fn anchors(arguments: &Verify, now: Timestamp) -> Result<TrustAnchors, Failure> {
    let mut anchors = TrustAnchors::default();
    for path in &arguments.anchor {
        let added = anchors.add_pem(&read(path)?);
        added.map_err(|error| {
            let message = format!("{} is not a trust anchor: {error}", path.display());
            Failure::new(Exit::Usage, "not_an_anchor", message, "give the issuer's trust-anchor.pem")
        })?;
    }
    if let Some(path) = &arguments.list_signer {
        let signers = TrustAnchors::from_pem(&read(path)?).map_err(|error| {
            let message = format!("{} is not a trust anchor: {error}", path.display());
            Failure::new(Exit::Usage, "not_an_anchor", message, "give the trust-anchor.pem of who signs the list")
        })?;
        for path in &arguments.trust_list {
            let bytes = read(path)?;
            let taken = list::verify(String::from_utf8_lossy(&bytes).trim(), &signers, None, now);
            let taken = taken.map_err(|error| {
                let hint = "do not rely on it; ask its authority for the list again";
                Failure::new(Exit::Refused, "trust_list", format!("{}: {error}", path.display()), hint)
            })?;
            anchors.add_listed(&taken);
        }
    }
    Ok(anchors)
}

fn look_up(
    reference: &StatusReference,
    arguments: &Verify,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<StatusFinding, Failure> {
    let mut why = format!("no status list was given for it, which stands at {}", escaped(&reference.uri));
    // Of several lists for one URI the newest counts: an older one must not bring a credential back.
    let rank =
        |list: &VerifiedStatusList| (list.issued_at(), !matches!(list.list().get(reference.idx), Ok(Status::Valid)));
    let mut newest: Option<(&PathBuf, VerifiedStatusList)> = None;
    for path in &arguments.status_list {
        let bytes = read(path)?;
        match current_or_ended(&status_text(&bytes), &reference.uri, anchors, now) {
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

/// One presentation as it always was; several, as mobile documents may come, each in `documents`.
fn answer(verified: &[(Presentation, StatusFinding)], missing: &[String], now: Timestamp) -> Answer {
    let mut text = String::from("Verified.\n");
    let mut objects = Vec::new();
    for (presentation, status) in verified {
        let credential = HeldCredential::of("", presentation, *status, now);
        words::credential_text(&credential, &mut text);
        let mut object = words::credential_json(&credential);
        if let Some(object) = object.as_object_mut() {
            object.shift_remove("query");
            object.insert(
                "consent".to_owned(),
                consent(presentation).map_or(json!(null), |grant| {
                    json!({"purpose": grant.purpose.iter().map(|p| p.code()).collect::<Vec<_>>(),
                       "expires_at": grant.exp.to_string(), "retention": grant.ret, "checked": false})
                }),
            );
        }
        objects.push(object);
    }
    let mut object = match <[Value; 1]>::try_from(objects) {
        Ok([alone]) => alone,
        Err(several) => json!({"documents": several}),
    };
    if let Some(object) = object.as_object_mut() {
        object.insert("verified".to_owned(), json!(true));
        if !missing.is_empty() {
            object.insert("missing".to_owned(), json!(missing));
        }
    }
    Answer::new(object, text)
}

/// The consent that came along, unchecked: what it answers is not at hand.
fn consent(presentation: &Presentation) -> Option<Grant> {
    match presentation {
        Presentation::SdJwtVc(credential) => credential.key_binding().consent().cloned(),
        Presentation::Mdoc(document) => {
            let bytes = document.own_elements().get(CONSENT_NAME_SPACE, GRANT)?.as_bytes()?;
            serde_json::from_value(json::parse(bytes, &Limits::TOKEN).ok()?).ok()
        }
    }
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
