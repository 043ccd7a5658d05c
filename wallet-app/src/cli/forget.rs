//! `amparo forget`: remove one credential.

use super::arguments::Opening;
use super::output::Answer;
use crate::adapters::surroundings;
use crate::failure::Failure;
use crate::messages;
use serde_json::json;
use wallet_core::holdings::CredentialId;

/// What `forget` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    #[command(flatten)]
    opening: Opening,
    /// Which one, as `list` names it
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(arguments: &Forget) -> Result<Answer, Failure> {
    let id: CredentialId =
        arguments.id.parse().map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
    let (mut session, _) = arguments.opening.open()?;
    session.holdings().forget(id, &mut surroundings::randomness())?;
    session.save()?;
    Ok(Answer { json: json!({ "forgotten": true, "id": id.to_string() }), text: messages::FORGOTTEN.to_owned() })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo forget --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a…";
