//! `amparo unlock`: open the vault and close it again.

use super::arguments::Opening;
use super::output::Answer;
use crate::failure::Failure;
use crate::messages;
use serde_json::json;

/// What `unlock` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Unlock {
    #[command(flatten)]
    opening: Opening,
}

pub(super) fn run(arguments: &Unlock) -> Result<Answer, Failure> {
    let (_, unlocked) = arguments.opening.open()?;
    let (presence, text) = match unlocked.is_witnessed() {
        true => ("challenge", messages::UNLOCKED_IN_PRESENCE),
        false => ("none", messages::UNLOCKED),
    };
    Ok(Answer {
        json: json!({ "unlocked": true, "presence": presence, "pad_network": unlocked.is_examined().then_some("bona-fide") }),
        text: text.to_owned(),
    })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo unlock --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key
  amparo unlock --vault me.amparo --challenge answer --pin-file pin.txt --device-key device.key
  amparo unlock --vault me.amparo --finger fingertip.jpg --capture photograph --pin-file pin.txt --device-key device.key";
