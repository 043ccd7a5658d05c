//! Where the person goes on in a browser: told always, opened when they say so.

use super::prompt;
use crate::adapters::browser;
use crate::failure::Failure;
use crate::messages;
use url::Url;

/// What the person says of it beforehand.
#[derive(Debug, clap::Args)]
pub(super) struct GoingOn {
    /// Open the address at which you go on in your browser without asking; without this you are asked, on a terminal
    #[arg(long)]
    open: bool,
}

impl GoingOn {
    /// Whether the person is asked: on a terminal, by whoever is no script, and not when everything was agreed to beforehand.
    pub(super) fn asks(&self, yes: bool, json: bool) -> bool {
        !self.open && !yes && !json && prompt::is_a_conversation()
    }

    /// Opens `address` if the person said so, or says so now; gives whether it was. That it could not be opened is told, and
    /// changes nothing: the address stands on the terminal.
    ///
    /// # Errors
    /// Declined if the person goes away.
    pub(super) fn go(&self, address: &Url, yes: bool, json: bool) -> Result<bool, Failure> {
        let agreed = self.open || (self.asks(yes, json) && prompt::says_yes(&messages::open_it(address))?);
        if !agreed {
            return Ok(false);
        }
        match browser::open(address) {
            Ok(()) => Ok(true),
            Err(error) => {
                prompt::tell(&messages::sentence(&error.to_string()))?;
                Ok(false)
            }
        }
    }
}
