//! `amparo-issuer renew`.

use super::{Failure, Report};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::desk::{CONFIG_FILE, OpenError};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use schemas::Seconds;
use serde_json::json;
use std::io;
use std::path::PathBuf;

/// `renew --data DIR`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-issuer renew --data ./issuer

Verifiers need nothing new: the trust anchor stays. Restart `serve` afterwards.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let path = self.data.join(CONFIG_FILE);
        let unreadable = |reason: String| OpenError::Unreadable { file: CONFIG_FILE.to_owned(), reason };
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::NotInitialised { dir: self.data.display().to_string() },
            _ => unreadable(error.to_string()),
        })?;
        let config: Config = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        let now = SystemClock.now();
        crate::init::renew(&self.data, &config, now, &mut UnwrapErr(SysRng))?;
        let until = now.plus(crate::init::LEAF_LIFETIME).floor_to(Seconds::DAY);
        Ok(Some(Report {
            json: json!({"renewed": true, "certificate_expires_at": until.to_string()}),
            text: format!("New signing keys are in place until {until}. Restart the service to use them."),
        }))
    }
}
