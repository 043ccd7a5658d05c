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
    arguments.opening.open()?;
    Ok(Answer { json: json!({ "unlocked": true }), text: messages::UNLOCKED.to_owned() })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo unlock --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key
  amparo unlock --vault me.amparo --finger fingertip.jpg --capture photograph --pin-file pin.txt --device-key device.key";
