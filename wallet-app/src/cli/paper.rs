//! `amparo paper`: a part of a credential as codes on paper, for a person without a phone.

use super::arguments::Opening;
use super::only;
use super::output::Answer;
use super::prompt;
use crate::adapters::codes::{self, CodeError, Sheet};
use crate::adapters::new_file::NewFile;
use crate::adapters::surroundings::randomness;
use crate::failure::Failure;
use crate::messages;
use schemas::Seconds;
use schemas::purpose::Purpose;
use serde_json::json;
use std::path::{Path, PathBuf};
use wallet_core::holdings::CredentialId;
use wallet_core::paper::{Printed, Wish};

/// What `paper` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Paper {
    #[command(flatten)]
    opening: Opening,
    /// Which credential, as `list` names it
    #[arg(value_name = "ID")]
    id: String,
    /// Only these claims: names with commas between, or paths as JSON arrays
    #[arg(long, value_name = "PATH,…", required = true)]
    only: Vec<String>,
    /// What the paper is for: border-entry, age-check, support-service
    #[arg(long, value_name = "CODE")]
    purpose: Purpose,
    /// How long it holds, such as 24h; at most 30 days
    #[arg(long = "for", value_name = "DURATION", default_value = "24h")]
    lasting: Seconds,
    /// The file to make: .html to print or show in a browser, .png as one picture, .gif as a film that shows one code after
    /// another, .txt as the texts of the codes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Agree without being asked
    #[arg(long)]
    yes: bool,
}

/// What is made of the codes.
#[derive(Clone, Copy)]
enum Form {
    Html,
    Png,
    Film,
    Text,
}

impl Form {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Html),
            "png" => Some(Self::Png),
            "gif" => Some(Self::Film),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }
}

pub(super) fn run(arguments: &Paper) -> Result<Answer, Failure> {
    let id: CredentialId =
        arguments.id.parse().map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
    let only = only::paths(&arguments.only)?.unwrap_or_default();
    let form = Form::of(&arguments.out).ok_or_else(|| Failure::usage(messages::NO_FORM, messages::NO_FORM_HINT))?;
    prompt::somebody_to_ask(arguments.yes)?;
    // Before a copy is used up: a name that cannot be written to is told now.
    let file = NewFile::create(&arguments.out)?;

    let (mut session, unlocked) = arguments.opening.open()?;
    let wish = Wish { credential: id, only, purpose: arguments.purpose, lasting: arguments.lasting };
    let holder = unlocked.for_request(wish.id());
    let at = session.time()?;
    let prepared = wish.prepare(&session.holdings(), at).map_err(|error| Failure::from_blame(&error))?;
    prompt::agree(&messages::to_be_printed(&prepared, &session.words()), messages::PRINT_IT, arguments.yes)?;
    let (disclosed, portrait) = (prepared.disclosed(), prepared.has_portrait());

    let at = session.time()?;
    let unsaved = prepared
        .print(holder, &mut session.holdings(), at, &mut randomness())
        .map_err(|error| Failure::from_blame(&error))?;
    // Before a code stands anywhere: a crash in between must not leave a copy that could be shown twice.
    session.save()?;
    let printed = unsaved.saved();
    let bytes = drawn(&printed, form).map_err(|error| Failure::internal(messages::sentence(&error.to_string())))?;
    file.write(&bytes)?;
    let terms = printed.terms();
    Ok(Answer {
        json: json!({
            "printed": true,
            "file": arguments.out.display().to_string(),
            "codes": printed.codes().len(),
            "bytes": printed.bytes(),
            "portrait": portrait,
            "purpose": arguments.purpose.code(),
            "disclosed": [{ "type": disclosed.type_, "paths": disclosed.paths }],
            "consent": {
                "id": printed.consent_id().to_string(),
                "expires_at": terms.ends_at.to_string(),
                "retention": terms.retention.to_string(),
            },
        }),
        text: messages::printed(&printed, &arguments.out.display().to_string()),
    })
}

fn drawn(printed: &Printed, form: Form) -> Result<Vec<u8>, CodeError> {
    match form {
        Form::Png => codes::page(printed.codes()),
        Form::Film => codes::film(printed.codes()),
        Form::Text => Ok(format!("{}\n", printed.codes().join("\n")).into_bytes()),
        Form::Html => {
            let (title, lines, in_turn) = messages::sheet(printed);
            let sheet = Sheet { language: "en", title, lines: &lines, in_turn };
            codes::sheet(printed.codes(), &sheet).map(String::into_bytes)
        }
    }
}

pub(super) const EXAMPLE: &str = "Example:
  amparo paper --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a… --only given_name,family_name,picture --purpose border-entry --for 24h --out paper.html";
