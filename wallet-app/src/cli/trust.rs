//! `amparo trust`: know an issuer or a verifier by its trust anchor, or all that a signed trust list names.

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
    #[arg(long, value_name = "FILE", required_unless_present = "list", conflicts_with = "list")]
    anchor: Option<PathBuf>,
    /// Trust it to say what verifiers are registered to ask for, and for nothing else
    #[arg(long, conflicts_with = "list")]
    registers_verifiers: bool,
    /// A signed trust list; a newer one takes the place of the one before
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The trust anchor of who signs that list, believed for this and nothing else; said once
    #[arg(long, value_name = "FILE", requires = "list")]
    list_signer: Option<PathBuf>,
}

pub(super) fn run(arguments: &Trust) -> Result<Answer, Failure> {
    // Read first: a name mistyped here should not cost an attempt.
    let Some(anchor) = &arguments.anchor else { return take(arguments) };
    let pem = inputs::text(anchor)?;
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

fn take(arguments: &Trust) -> Result<Answer, Failure> {
    let Some(path) = &arguments.list else { return Err(Failure::usage(messages::NO_ANCHOR, messages::NO_ANCHOR_HINT)) };
    let token = inputs::text(path)?;
    let signers = arguments.list_signer.as_deref().map(inputs::text).transpose()?;
    let (mut session, _) = arguments.opening.open()?;
    // By a clock that is behind what was taken already no list comes to life again; a right one is not demanded: the next list
    // may be the way out.
    let now = session.holdings().time_floor().effective(surroundings::now());
    let list = session.holdings().take_trust_list(
        &token,
        signers.as_ref().map(|pem| pem.as_bytes()),
        now,
        &mut surroundings::randomness(),
    )?;
    session.save()?;
    let withdrawn = list.entries().iter().filter(|entry| entry.is_withdrawn()).count();
    let current = now < list.ends_at();
    Ok(Answer {
        json: json!({
            "trusted": true,
            "list": {
                "name": list.name(), "number": list.sequence(), "signer": list.signer(),
                "ends_at": list.ends_at().to_string(), "state": if current { "current" } else { "stale" },
                "anchors": list.entries().len() - withdrawn, "withdrawn": withdrawn,
            },
        }),
        text: messages::list_taken(&list, withdrawn, current),
    })
}

pub(super) const EXAMPLE: &str = "Examples:
  amparo trust --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --anchor trust-anchor.pem
  amparo trust --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --registers-verifiers --anchor registrar.pem
  amparo trust --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --list trust-list.jwt --list-signer registry.pem";
