//! `amparo refuse`: say no to a verifier.

use super::arguments::Opening;
use super::output::Answer;
use super::progress::Step;
use crate::adapters::surroundings::randomness;
use crate::failure::Failure;
use crate::messages;
use crate::perform::Performer;
use serde_json::json;
use wallet_core::presentation::RequestLink;

/// What `refuse` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Refuse {
    #[command(flatten)]
    opening: Opening,
    /// The request: the whole openid4vp:// or haip-vp:// link
    #[arg(value_name = "REQUEST")]
    request: String,
}

pub(super) fn run(arguments: &Refuse) -> Result<Answer, Failure> {
    let link = RequestLink::parse(&arguments.request)?;
    let (mut session, _) = arguments.opening.open()?;
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let _step = Step::begin(messages::CALLING);
    let received = performer.run(link.fetch(&mut randomness()))?;
    // What it may ask for is no matter here: it is refused.
    let at = session.time()?;
    let authenticated = received.authenticate(&session.holdings().trust_anchors(), at)?;
    let asker = authenticated.asker();
    let reply = authenticated.refuse();
    let told = reply.is_some();
    if let Some(reply) = reply {
        performer.run(reply)?;
    }
    let text = if told { messages::refused(&asker) } else { messages::not_told(&asker) };
    Ok(Answer { json: json!({ "refused": true, "told": told, "verifier": asker.name }), text })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo refuse --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 'openid4vp://?client_id=…'";
