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
    /// It is not a credential, but what an issuer has promised for later
    #[arg(long)]
    promise: bool,
}

pub(super) fn run(arguments: &Forget) -> Result<Answer, Failure> {
    if arguments.promise {
        return forget_promise(arguments);
    }
    let id: CredentialId =
        arguments.id.parse().map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
    let (mut session, _) = arguments.opening.open()?;
    session.holdings().forget(id, &mut surroundings::randomness())?;
    session.save()?;
    Ok(Answer { json: json!({ "forgotten": true, "id": id.to_string() }), text: messages::FORGOTTEN.to_owned() })
}

/// The issuer is not told: it would learn that somebody has given up.
fn forget_promise(arguments: &Forget) -> Result<Answer, Failure> {
    let (mut session, _) = arguments.opening.open()?;
    let promises = session.holdings().deferred();
    let found = promises.into_iter().map(|(id, _)| id).find(|id| id.to_string() == arguments.id);
    let id = found.ok_or_else(|| Failure::usage(messages::NO_SUCH_PROMISE, messages::NO_SUCH_PROMISE_HINT))?;
    session.holdings().settle_deferred(id, None, &mut surroundings::randomness())?;
    session.save()?;
    let json = json!({ "forgotten": true, "promise": id.to_string() });
    Ok(Answer { json, text: messages::PROMISE_FORGOTTEN.to_owned() })
}

pub(super) const EXAMPLE: &str = "Examples:
  amparo forget --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a…
  amparo forget --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --promise 77c0…";
