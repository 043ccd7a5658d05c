//! Why a fetch failed, and what a person can do about it.

use std::time::Duration;

/// Why a fetch failed. No variant bears more of a URL than its host: paths and queries may hold secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    // The fault of whoever wrote the URL: refuse.
    /// Not an absolute URL with a host, or longer than 16 KiB.
    #[error("not a usable URL")]
    InvalidUrl,
    /// Neither `https`, nor `http` to an allowed loopback.
    #[error("scheme {scheme} is not allowed, expected https")]
    Scheme {
        /// The scheme got.
        scheme: String,
    },
    /// `name:password@` in a URL.
    #[error("the URL carries credentials")]
    Credentials,
    /// The host is, or resolves to, no public address.
    #[error("{host} is not a public address")]
    RefusedAddress {
        /// The host that was named.
        host: String,
    },
    // The other party's fault.
    /// More redirects than the policy follows, or a redirect of a POST.
    #[error("{host} redirects, and this request follows at most {most}")]
    Redirected {
        /// Who redirected.
        host: String,
        /// How many are followed.
        most: u8,
        /// The status code of the answer, 3xx.
        status: u16,
    },
    /// The body is longer than the policy takes.
    #[error("{host} sent more than {limit} bytes")]
    TooLarge {
        /// Who sent it.
        host: String,
        /// The most taken.
        limit: usize,
    },
    /// The body is compressed, which was not asked for.
    #[error("{host} sent a compressed body, which was not asked for")]
    Encoded {
        /// Who sent it.
        host: String,
    },
    /// What came back is not HTTP, or its headers are too many or too long.
    #[error("{host} did not answer in well-formed HTTP")]
    Malformed {
        /// Who answered.
        host: String,
    },
    // The surroundings' fault: try again later.
    /// The name does not resolve.
    #[error("the name {host} was not found")]
    NameNotFound {
        /// The name.
        host: String,
    },
    /// No connection, or no trusted TLS session.
    #[error("no connection to {host}")]
    Unreachable {
        /// Who was called.
        host: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The whole exchange took longer than the policy allows.
    #[error("{host} did not finish within {} s", .limit.as_secs_f32())]
    Timeout {
        /// Who was called.
        host: String,
        /// The time allowed.
        limit: Duration,
    },
    // The caller's fault.
    /// A header name or value that HTTP cannot carry.
    #[error("a request header is not well formed")]
    InvalidHeader,
    /// The client could not be built, for example because this system has no root certificates.
    #[error("the web client could not be started")]
    Setup {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FetchError {
    /// What a person can do about it, one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InvalidUrl | Self::Scheme { .. } | Self::Credentials | Self::InvalidHeader => {
                "The link is not one this program follows; ask whoever gave it to you for a new one."
            }
            Self::RefusedAddress { .. } => {
                "Links into this machine or a private network are followed only when your own offer or request names this machine itself."
            }
            Self::Redirected { .. } | Self::TooLarge { .. } | Self::Encoded { .. } | Self::Malformed { .. } => {
                "The other side does not behave as it should; tell those who run it."
            }
            Self::NameNotFound { .. } => "Check the network connection and the name, then try again.",
            Self::Unreachable { .. } => {
                "Check that the other side is running and that the network works, then try again."
            }
            Self::Timeout { .. } => "Try again later; the other side or the network is slow.",
            Self::Setup { .. } => "Install the system's root certificates (on Debian: ca-certificates).",
        }
    }

    /// Whether the other party or what it wrote is to blame, rather than the network.
    #[must_use]
    pub fn is_peer_fault(&self) -> bool {
        match self {
            Self::InvalidUrl
            | Self::Scheme { .. }
            | Self::Credentials
            | Self::RefusedAddress { .. }
            | Self::Redirected { .. }
            | Self::TooLarge { .. }
            | Self::Encoded { .. }
            | Self::Malformed { .. } => true,
            Self::NameNotFound { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::InvalidHeader
            | Self::Setup { .. } => false,
        }
    }
}
