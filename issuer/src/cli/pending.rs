//! `amparo-issuer pending`, `approve`, `decline`.

use super::{Failure, Report};
use crate::desk::{Issuer, Pending};
use crate::secret::Handle;
use crate::store::Decision;
use serde_json::{Value, json};
use std::path::PathBuf;

/// `pending --data DIR`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-issuer pending --data ./issuer --json

Names and claims are not shown: they wait sealed under a secret that only the wallet holds. The reference is the one that
`offer --deferred` printed.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let pending = Issuer::open(&self.data)?.pending()?;
        let rows: Vec<Value> = pending.iter().map(as_json).collect();
        let mut lines: Vec<String> = pending.iter().map(as_text).collect();
        if lines.is_empty() {
            lines.push("Nothing waits for a decision.".to_owned());
        }
        Ok(Some(Report { json: json!({"pending": rows}), text: lines.join("\n") }))
    }
}

fn as_json(pending: &Pending) -> Value {
    json!({
        "reference": pending.reference, "credential_configuration_id": pending.configuration,
        "asked_on": pending.asked.to_string(), "expires_at": pending.expires.to_string(),
        "decision": pending.decision.map(word),
    })
}

fn as_text(pending: &Pending) -> String {
    let decision = pending.decision.map_or("waits for a decision", word);
    let Pending { reference, configuration, asked, expires, .. } = pending;
    format!("{reference}  {configuration}, asked for on {asked}, {decision}, forgotten at {expires}")
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::Declined => "declined",
    }
}

/// `approve --data DIR --handle H`, `decline --data DIR --handle H`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-issuer approve --data ./issuer --handle 9f0c3a5be1d24c6f8a7b90c1d2e3f405
  amparo-issuer decline --data ./issuer --handle 9f0c3a5be1d24c6f8a7b90c1d2e3f405

A decision stands. What was approved and should not have been is revoked; for what was declined, make a new offer.")]
pub(super) struct Deciding {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The handle that `offer` printed.
    #[arg(long)]
    handle: String,
}

impl Deciding {
    pub(super) fn run(self, decision: Decision) -> Result<Option<Report>, Failure> {
        let handle = Handle::parse(&self.handle)?;
        let decided = Issuer::open(&self.data)?.decide(&handle, decision)?;
        if decided == 0 {
            return Err(Failure::usage(
                "nothing_pending",
                "nothing under this handle waits for a decision",
                "See `amparo-issuer pending`; the wallet must have asked first, and a decision stands.",
            ));
        }
        let text = match decision {
            Decision::Approved => "Approved: the wallet receives it when it asks again.",
            Decision::Declined => "Declined: its claims are forgotten, and the wallet is told when it asks again.",
        };
        let json = json!({"handle": handle.as_str(), "decision": word(decision), "credentials": decided});
        Ok(Some(Report { json, text: text.to_owned() }))
    }
}
