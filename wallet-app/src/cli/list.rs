//! `amparo list`: what the vault holds.

use super::arguments::Opening;
use super::output::Answer;
use crate::adapters::surroundings;
use crate::failure::Failure;
use crate::messages;
use schemas::Timestamp;
use serde_json::{Value, json};
use wallet_core::display::Shown;
use wallet_core::holdings::{Format, Held};
use wallet_core::issuance::{Deferred, DeferredId};

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    opening: Opening,
}

pub(super) fn run(arguments: &List) -> Result<Answer, Failure> {
    let (mut session, _) = arguments.opening.open()?;
    let words = session.words();
    let holdings = session.holdings();
    let (held, damaged) = (holdings.credentials(), holdings.damaged());
    let promises = holdings.deferred();
    let waiting: Vec<Value> = promises.iter().map(|(id, promise)| promised(*id, promise)).collect();
    let now = surroundings::now();
    let rows: Vec<Value> = held.iter().map(|held| summary(held, now)).collect();
    let damaged_ids: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    Ok(Answer {
        json: json!({ "credentials": rows, "waiting": waiting, "damaged": damaged_ids }),
        text: messages::holdings(&held, &promises, &damaged_ids, now, &words),
    })
}

/// One credential without its claims, as scripts see it.
pub(super) fn summary(held: &Held, now: Timestamp) -> Value {
    let type_member = match held.format() {
        Format::SdJwtVc => "vct",
        Format::Mdoc => "doctype",
    };
    json!({
        type_member: Shown::text(held.type_id()),
        "id": held.id().to_string(),
        "type": held.type_name(),
        "format": held.format(),
        "label": held.label(),
        "issuer": held.issuer(),
        "issuer_name": held.issuer_name(),
        "issuer_known": held.issuer_known(),
        "copies": held.copies_left(),
        "runs_low": held.runs_low(),
        "refillable": held.is_refillable(now),
        "received_at": held.received_at().to_string(),
        "valid_until": held.expires_at().map(|end| end.to_string()),
        "status": held.standing(now),
    })
}

/// What an issuer promised for later, as scripts see it.
pub(super) fn promised(id: DeferredId, promise: &Deferred) -> Value {
    json!({
        "id": id.to_string(),
        "issuer": promise.issuer(),
        "labels": promise.types(),
        "asked_at": promise.asked_at().to_string(),
        "ask_again_at": promise.ask_again_at().to_string(),
    })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo list --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key";
