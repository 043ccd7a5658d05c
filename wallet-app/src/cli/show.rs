//! `amparo show`: one credential, with its values, to its holder.

use super::arguments::Opening;
use super::list::summary;
use super::output::Answer;
use crate::adapters::cards;
use crate::adapters::new_file::NewFile;
use crate::adapters::surroundings::now;
use crate::failure::Failure;
use crate::messages;
use schemas::ClaimPath;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use wallet_core::card::Card;
use wallet_core::holdings::CredentialId;

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    opening: Opening,
    /// Which one, as `list` names it
    #[arg(value_name = "ID")]
    id: String,
    /// Draw it as a card into this new file: .svg or .png. The template of its type is used where it brings a harmless one
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

/// What a card is written as.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

impl Form {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|form| form.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::usage(messages::NO_FORM, messages::NO_CARD_FORM_HINT)),
        }
    }
}

pub(super) fn run(arguments: &Show) -> Result<Answer, Failure> {
    let id: CredentialId =
        arguments.id.parse().map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
    // Before the vault is touched: a name that cannot be written to is told now.
    let file = match &arguments.card {
        Some(path) => Some((Form::of(path)?, NewFile::create(path)?, path)),
        None => None,
    };
    let (mut session, _) = arguments.opening.open()?;
    let words = session.words();
    let holdings = session.holdings();
    let held = holdings.credential(id)?;
    let credential = holdings.look(&held)?;
    let mut claims = credential.claims();
    // Of one copy, not of the credential: another copy has others.
    for name in ["cnf", "status"] {
        claims.remove(name);
    }
    let mut json = summary(&held, now());
    if let Value::Object(members) = &mut json {
        let labels: Map<String, Value> = claims
            .keys()
            .map(|name| (name.clone(), json!(words.claim(held.type_id(), &ClaimPath::names([name])))))
            .collect();
        members.insert("labels".to_owned(), Value::Object(labels));
        members.insert("claims".to_owned(), Value::Object(claims.clone()));
        members.insert("disclosable".to_owned(), json!(credential.disclosable_paths()));
    }
    let mut text = messages::credential(&held, &claims, now(), &words);
    if let Some((form, file, path)) = file {
        let card = Card::of(&held, &credential, &words);
        let bytes = match form {
            Form::Svg => card.svg().as_bytes().to_vec(),
            Form::Png => cards::png(&card).map_err(|error| Failure::card(&error))?,
        };
        file.write(&bytes)?;
        let path = path.display().to_string();
        text.push_str(&format!("\n{}", messages::card_written(&path)));
        if let Value::Object(members) = &mut json {
            members.insert("card".to_owned(), json!({ "file": path, "template": card.is_template() }));
        }
    }
    Ok(Answer { json, text })
}

pub(super) const EXAMPLE: &str = "Examples:
  amparo show --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a…
  amparo show --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a… --card card.png --lang es";
