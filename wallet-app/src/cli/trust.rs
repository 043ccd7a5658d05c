//! `amparo trust`: know an issuer or a verifier by its trust anchor.

use super::arguments::Opening;
use super::output::Answer;
use crate::adapters::{inputs, surroundings};
use crate::failure::Failure;
use crate::messages;
use serde_json::json;
use std::path::PathBuf;

/// What `trust` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Trust {
    #[command(flatten)]
    opening: Opening,
    /// The trust anchor: a PEM file that you had from the issuer or the verifier by a way you trust
    #[arg(long, value_name = "FILE")]
    anchor: PathBuf,
    /// Trust it to say what verifiers are registered to ask for, and for nothing else
    #[arg(long)]
    registers_verifiers: bool,
}

pub(super) fn run(arguments: &Trust) -> Result<Answer, Failure> {
    // Read first: a name mistyped here should not cost an attempt.
    let pem = inputs::text(&arguments.anchor)?;
    let (mut session, _) = arguments.opening.open()?;
    let rng = &mut surroundings::randomness();
    let new = match arguments.registers_verifiers {
        true => session.holdings().trust_registrar(pem.as_bytes(), rng)?,
        false => session.holdings().trust(pem.as_bytes(), rng)?,
    };
    if new > 0 {
        session.save()?;
    }
    Ok(Answer { json: json!({ "trusted": true, "new": new }), text: messages::trusted(new) })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo trust --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --anchor trust-anchor.pem
  amparo trust --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --registers-verifiers --anchor registrar.pem";
