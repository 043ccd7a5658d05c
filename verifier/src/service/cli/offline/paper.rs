//! A paper: its codes, what stands in them, and what a person must still do.

use super::super::arguments::Verify;
use super::super::failure::{Exit, Failure};
use super::super::output::Answer;
use super::super::words;
use super::{anchors, codes, look_up, policy};
use crate::service::clock::{Clock, SystemClock};
use crate::verification::{HeldCredential, Presentation, StatusFinding, presentation_code};
use credentials::consent::ConsentError;
use credentials::paper::{FrameError, PaperIn, PaperRefused, VerifiedPaper};
use schemas::Timestamp;
use serde_json::json;
use std::fmt::Write as _;

/// The claim with the portrait.
const PORTRAIT: &str = "picture";

pub(super) fn verify(arguments: &Verify) -> Result<Answer, Failure> {
    let now = arguments.now.unwrap_or_else(|| SystemClock.now());
    let anchors = anchors(arguments, now)?;
    let assembly = codes::collect(&arguments.paper)?;
    let total = assembly.total();
    let bytes = assembly.finish().map_err(|error| match error {
        FrameError::Missing(missing) => {
            let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let message = format!("of {total} codes these are missing: {}", numbers.join(", "));
            Failure::usage(message, "read them too: --paper may be repeated")
        }
        other => Failure::new(Exit::Refused, "paper_invalid", other.to_string(), "read the paper again, all its codes"),
    })?;
    let paper = PaperIn::parse(&bytes).map_err(|error| {
        Failure::new(Exit::Refused, "paper_invalid", error.to_string(), "ask for a new paper, or for a newer verifier")
    })?;
    let verified = paper.verify(policy(arguments, &anchors), now).map_err(|error| refused(&error))?;
    let status = match verified.credential().status() {
        None => StatusFinding::None,
        Some(reference) => look_up(reference, arguments, &anchors, now)?,
    };
    let status = status.under(verified.credential().issuer(), now);
    Ok(answer(&verified, status, total, now))
}

fn refused(error: &PaperRefused) -> Failure {
    let (exit, code) = match error {
        PaperRefused::Presentation(error) => (Exit::Refused, presentation_code(error)),
        PaperRefused::Consent(ConsentError::Ended { .. } | ConsentError::RequestEnded { .. }) => {
            (Exit::Consent, "consent_ended")
        }
        PaperRefused::Consent(ConsentError::NoGrant) => (Exit::Consent, "consent_missing"),
        _ => (Exit::Refused, "consent_invalid"),
    };
    Failure::new(exit, code, format!("the paper does not hold: {error}"), words::hint(code))
}

fn answer(verified: &VerifiedPaper, status: StatusFinding, codes: usize, now: Timestamp) -> Answer {
    let presentation = Presentation::SdJwtVc(Box::new(verified.credential().clone()));
    let credential = HeldCredential::of("", &presentation, status, now);
    let consent = verified.consent();
    let portrait = verified.credential().claims().contains_key(PORTRAIT);
    let mut object = words::credential_json(&credential);
    if let Some(object) = object.as_object_mut() {
        object.shift_remove("query");
        object.insert("verified".to_owned(), json!(true));
        object.insert("paper".to_owned(), json!({"codes": codes, "portrait": portrait}));
        object.insert(
            "consent".to_owned(),
            json!({"purpose": consent.purposes().iter().map(|p| p.code()).collect::<Vec<_>>(),
                   "expires_at": consent.ends_at().to_string(), "retention": consent.retention().iso8601(),
                   "checked": true}),
        );
    }
    let mut text = String::from("Verified.\n");
    words::credential_text(&credential, &mut text);
    let purposes: Vec<&str> = consent.purposes().iter().map(|purpose| purpose.code()).collect();
    // Writing to a String does not fail.
    let _ = writeln!(text, "The holder consented for {} until {}.", purposes.join(", "), consent.ends_at());
    text.push_str(if portrait {
        "Paper answers no challenge: compare the person in front of you with the portrait.\n"
    } else {
        "There is no portrait on it, and paper answers no challenge: it does not say that this is the person's own.\n"
    });
    Answer::new(object, text)
}
