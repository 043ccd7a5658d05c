//! What the core asks of the world, and what the world answers: one HTTP exchange each.
//!
//! The ceremonies ([`issuance`](crate::issuance), [`presentation`](crate::presentation)) hold no socket. A step that
//! needs the network is an [`Errand`]: it says which [`Effect`] it wants, the application performs it and hands the
//! [`Outcome`] back, and the errand goes on to its next exchange or to what it was sent for.
//!
//! # Example
//! The whole driver of an application, for every ceremony:
//!
//! ```
//! use rand_core::CryptoRng;
//! use schemas::Timestamp;
//! use wallet_core::effect::{Effect, Errand, Outcome, Progress};
//!
//! fn run<E: Errand>(
//!     mut errand: E,
//!     perform: impl Fn(&Effect) -> Outcome,
//!     now: impl Fn() -> Timestamp,
//!     rng: &mut dyn CryptoRng,
//! ) -> Result<E::Ready, E::Error> {
//!     loop {
//!         let outcome = perform(errand.effect());
//!         match errand.resume(outcome, now(), rng)? {
//!             Progress::Waiting(next) => errand = next,
//!             Progress::Ready(ready) => return Ok(ready),
//!         }
//!     }
//! }
//! ```

mod address;

pub use address::{AddressError, Loopback};
pub(crate) use address::{address, identifier, well_known};

use rand_core::CryptoRng;
use schemas::Timestamp;
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// One HTTP exchange the core asks for.
///
/// Redirects are never followed (OpenID4VP 1.0 §14.6, OpenID4VCI 1.0 §13.1): a 3xx answer is an [`Outcome`] like any
/// other. The body of the answer is cut off, as [`Outcome::Unreachable`], beyond [`Effect::max_body`].
pub struct Effect {
    method: Method,
    url: Url,
    headers: Vec<Header>,
    body: Zeroizing<Vec<u8>>,
    loopback: Loopback,
    max_body: usize,
}

/// The method of an [`Effect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`, without a body.
    Get,
    /// `POST`.
    Post,
}

/// A header field of an [`Effect`]; its value may be a secret.
pub struct Header {
    name: &'static str,
    value: Zeroizing<String>,
}

/// What came of an [`Effect`].
pub enum Outcome {
    /// The other side answered, whatever its status.
    Response(Response),
    /// It could not be reached, was refused by the guard on addresses, took too long, or sent too much.
    Unreachable,
}

/// An HTTP response.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`Effect::max_body`] bytes.
    pub body: Vec<u8>,
}

/// A step of a ceremony that needs the network.
///
/// Ask for [`Errand::effect`], perform it, and [`Errand::resume`] with what came of it. An errand that is dropped has
/// done nothing more than what was performed.
pub trait Errand: Sized {
    /// What the errand was sent for.
    type Ready;
    /// Why it came back without.
    type Error: crate::fault::Blame;

    /// What to perform now.
    fn effect(&self) -> &Effect;

    /// Goes on with what came of it, at the time `now`.
    ///
    /// # Errors
    /// Whatever the ceremony refuses; the ceremony is over then.
    fn resume(self, outcome: Outcome, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Progress<Self>, Self::Error>;
}

/// How far an [`Errand`] came.
pub enum Progress<E: Errand> {
    /// There is another exchange to perform.
    Waiting(E),
    /// It is done.
    Ready(E::Ready),
}

/// An errand at its beginning.
impl<E: Errand> From<E> for Progress<E> {
    fn from(errand: E) -> Self {
        Self::Waiting(errand)
    }
}

impl Effect {
    /// `url` has passed [`address`], so that it names this machine only where that is allowed.
    pub(crate) fn get(url: Url) -> Self {
        let loopback = Loopback::of(&url);
        Self { method: Method::Get, url, headers: Vec::new(), body: Zeroizing::default(), loopback, max_body: MAX_BODY }
    }

    pub(crate) fn post(url: Url) -> Self {
        Self { method: Method::Post, ..Self::get(url) }
    }

    /// The same, with fewer bytes in the answer than there may be otherwise.
    pub(crate) fn at_most(self, max_body: usize) -> Self {
        Self { max_body: max_body.min(self.max_body), ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push(Header { name, value: Zeroizing::new(value.into()) });
        self
    }

    /// The fields as `application/x-www-form-urlencoded`.
    pub(crate) fn form<'f>(self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            form.append_pair(name, value);
        }
        let mut effect = self.header("content-type", "application/x-www-form-urlencoded");
        effect.body = Zeroizing::new(form.finish().into_bytes());
        effect
    }

    pub(crate) fn body_of(self, media_type: &'static str, body: Vec<u8>) -> Self {
        let mut effect = self.header("content-type", media_type);
        effect.body = Zeroizing::new(body);
        effect
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The address: `https`, or `http` to this machine where [`Effect::loopback`] allows it.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The header fields, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|header| (header.name, header.value.as_str()))
    }

    /// The body; empty with `GET`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether this machine may be connected to: it is what the address names, and the person's link led there. What this
    /// answer names may be on this machine only then.
    pub const fn loopback(&self) -> Loopback {
        self.loopback
    }

    /// The most bytes the answer's body may have.
    pub const fn max_body(&self) -> usize {
        self.max_body
    }
}

/// Takes the effect apart, so that no body, no header value and no query comes into a log.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers: _, body: _, loopback, max_body: _ } = self;
        f.debug_struct("Effect")
            .field("method", method)
            .field("origin", &url.origin().ascii_serialization())
            .field("loopback", loopback)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The value of the first header field of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Takes the response apart: its body may hold a token or a credential.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers: _, body } = self;
        f.debug_struct("Response").field("status", status).field("bytes", &body.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => response.fmt(f),
            Self::Unreachable => f.write_str("Unreachable"),
        }
    }
}

/// Thirty copies of a credential with a portrait are about 900 kB.
const MAX_BODY: usize = 4 * 1024 * 1024;
