//! What a client may do: where it may go, how long, how much.

use std::time::Duration;

/// The bounds of one [`crate::Client`].
///
/// The default goes to public `https` only, follows no redirect, takes 1 MiB and 15 seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether a request may *start* at loopback, over plain `http`. Set only when the person's own offer or request link
    /// names loopback ([`crate::names_loopback`]). Even then a public origin never leads there: not by redirect, not by DNS.
    pub allow_loopback_http: bool,
    /// The largest body taken, in bytes. A longer one is cut off while it streams in.
    pub max_body: usize,
    /// The time for one request in all, its redirects included.
    pub timeout: Duration,
    /// The time for one connection, TLS handshake included.
    pub connect_timeout: Duration,
    /// How many redirects of a GET are followed, each checked like the first hop; a POST is never redirected. At most
    /// [`Policy::MOST_REDIRECTS`] whatever is said here.
    pub redirects: u8,
}

impl Policy {
    /// No policy follows more redirects than this.
    pub const MOST_REDIRECTS: u8 = 3;

    /// The default, and loopback as a start if `link` (the person's own) names it.
    #[must_use]
    pub fn for_link(allow_loopback_http: bool) -> Self {
        Self { allow_loopback_http, ..Self::default() }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_loopback_http: false,
            max_body: 1024 * 1024,
            timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            redirects: 0,
        }
    }
}
