//! `amparo-issuer init`.

use super::{Failure, Report};
use crate::clock::{Clock, SystemClock};
use crate::config::{IssuerName, IssuerUrl};
use crate::desk::ANCHOR_FILE;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::json;
use std::path::PathBuf;

/// `init --data DIR --url URL --name NAME`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-issuer init --data ./issuer --url https://issuer.example --name 'Casa Abierta'

Keys are made once and never overwritten. Keep a copy of DIR/keys/root.pem elsewhere and remove it here.")]
pub(super) struct Arguments {
    /// The directory for keys, certificates and the database; made if it is absent.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The public address of the issuer; https, or http on loopback.
    #[arg(long)]
    url: String,
    /// The name that people see.
    #[arg(long)]
    name: String,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let (url, name) = (IssuerUrl::parse(&self.url)?, IssuerName::parse(&self.name)?);
        crate::init::init(&self.data, &url, &name, SystemClock.now(), &mut UnwrapErr(SysRng))?;
        let anchor = self.data.join(ANCHOR_FILE).display().to_string();
        Ok(Some(Report {
            json: json!({"url": url.as_str(), "name": name.as_str(), "trust_anchor": anchor}),
            text: format!(
                "The issuer {} is ready at {url}.\nGive {anchor} to verifiers and wallets: with it they know this \
                 issuer.\nStart it with: amparo-issuer serve --data {}",
                name.as_str(),
                self.data.display(),
            ),
        }))
    }
}
