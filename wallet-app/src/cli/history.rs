//! `amparo history`: what was shown, to whom, why and until when.

use super::arguments::Opening;
use super::output::Answer;
use crate::adapters::surroundings;
use crate::failure::Failure;
use crate::messages;
use serde_json::{Value, json};
use wallet_core::history::Entry;

/// What `history` takes.
#[derive(Debug, clap::Args)]
pub(super) struct History {
    #[command(flatten)]
    opening: Opening,
}

pub(super) fn run(arguments: &History) -> Result<Answer, Failure> {
    let (mut session, _) = arguments.opening.open()?;
    // What is older than the person keeps it goes, for good, the next time somebody looks.
    let dropped = session.holdings().prune_history(surroundings::now(), &mut surroundings::randomness())?;
    if dropped > 0 {
        session = session.save()?;
    }
    let entries = session.holdings().history()?;
    let rows: Vec<Value> = entries.iter().map(row).collect();
    Ok(Answer { json: json!({ "history": rows }), text: messages::history(&entries, &session.words()) })
}

fn row(entry: &Entry) -> Value {
    json!({
        "at": entry.at.to_string(),
        "verifier": entry.verifier,
        "client_id": entry.client_id,
        "known": entry.known,
        "purposes": entry.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(),
        "disclosed": entry.disclosed.iter().map(|disclosed| json!({ "type": disclosed.type_, "paths": disclosed.paths })).collect::<Vec<_>>(),
        "consent": entry.consent.as_ref().map(|consent| json!({
            "id": consent.id,
            "expires_at": consent.until.to_string(),
            "retention": consent.retention.to_string(),
        })),
        "outcome": entry.outcome,
    })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo history --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key";
