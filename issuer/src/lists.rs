//! The port to status lists of others: those in which attestations say whether they were revoked.

use guarded_http::{Client, Policy, Request};
use std::time::Duration;

/// Where a status list is had.
pub trait Lists: Send + Sync {
    /// The token at `uri`, as it came; none when it cannot be had.
    fn fetch(&self, uri: &str) -> Option<String>;
}

/// Over HTTP, by the client that goes nowhere private.
pub struct HttpLists(Client);

impl HttpLists {
    /// The client; an issuer that is itself on loopback may be told of lists there.
    pub fn new(loopback: bool) -> Self {
        let policy = Policy { allow_loopback_http: loopback, max_body: MOST, timeout: PATIENCE, ..Policy::default() };
        Self(Client::new(policy))
    }
}

impl Lists for HttpLists {
    /// # Source
    /// Token Status List §8.1 "Status List Request".
    fn fetch(&self, uri: &str) -> Option<String> {
        // The desk works on threads of the service's runtime; where there is none, there is no network either.
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let request = Request::get(uri).accept("application/statuslist+jwt");
        match runtime.block_on(self.0.send(request)) {
            Ok(response) if response.status() == 200 => String::from_utf8(response.into_body()).ok(),
            Ok(response) => {
                tracing::warn!(status = response.status(), "a status list of attestations was not given");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "a status list of attestations cannot be had");
                None
            }
        }
    }
}

/// A list of a million entries of two bits, deflated badly.
const MOST: usize = 512 * 1024;
/// A wallet waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(8);
