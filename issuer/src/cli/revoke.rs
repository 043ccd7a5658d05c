//! `amparo-issuer revoke`.

use super::{Failure, Report};
use crate::desk::{Issuer, Outcome, Pace};
use crate::secret::Handle;
use serde_json::json;
use std::path::PathBuf;

/// `revoke --data DIR --handle H`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-issuer revoke --data ./issuer --handle 9f0c3a5be1d24c6f8a7b90c1d2e3f405
  amparo-issuer revoke --data ./issuer --handle 9f0c3a5be1d24c6f8a7b90c1d2e3f405 --delayed

At once, all copies fall together, and whoever watches the lists can tell that they belong together. With --delayed each
falls at its own time within the hour; `serve` must run for that.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The handle that `offer` printed.
    #[arg(long)]
    handle: String,
    /// Each copy at its own time within the hour, so that they cannot be told to belong together.
    #[arg(long)]
    delayed: bool,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let handle = Handle::parse(&self.handle)?;
        let issuer = Issuer::open(&self.data)?;
        let pace = if self.delayed { Pace::Delayed } else { Pace::Now };
        let text = match issuer.revoke(&handle, pace)? {
            Outcome::Unknown => {
                return Err(Failure::usage(
                    "unknown_handle",
                    "nothing is known under this handle",
                    "Check the digits. What has expired, and an offer that ended unused, needs no revocation.",
                ));
            }
            Outcome::Withdrawn => "The offer is withdrawn; nothing had been issued on it.",
            Outcome::Revoked if self.delayed => "All copies become invalid within the hour, each at its own time.",
            Outcome::Revoked => "All copies are invalid; the status lists that are served now say so.",
        };
        let mut json = json!({"handle": handle.as_str(), "revoked": true});
        if let (true, Some(members)) = (self.delayed, json.as_object_mut()) {
            members.insert("delayed".to_owned(), true.into());
        }
        Ok(Some(Report { json, text: text.to_owned() }))
    }
}
