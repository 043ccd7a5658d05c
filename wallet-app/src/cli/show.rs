//! `amparo show`: one credential, with its values, to its holder.

use super::arguments::Opening;
use super::list::summary;
use super::output::Answer;
use crate::adapters::surroundings::now;
use crate::failure::Failure;
use crate::messages;
use schemas::ClaimPath;
use serde_json::{Map, Value, json};
use wallet_core::holdings::CredentialId;

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    opening: Opening,
    /// Which one, as `list` names it
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(arguments: &Show) -> Result<Answer, Failure> {
    let id: CredentialId =
        arguments.id.parse().map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
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
    Ok(Answer { json, text: messages::credential(&held, &claims, now(), &words) })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo show --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a…";
