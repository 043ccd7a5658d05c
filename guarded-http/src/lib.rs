//! Amparo: the one HTTP client, which goes nowhere private.
//!
//! Every URL that a peer can write (an offer, a request, metadata, a status list, a type's metadata) is fetched through
//! [`Client`]. It speaks `https` only, connects to public addresses only, and decides that at connect time on every hop, so
//! that neither a redirect nor a name that changes its mind (DNS rebinding) leads inside. The one exception is loopback
//! over plain `http`, for a person's own link that names it: see [`Policy::allow_loopback_http`].
//!
//! Time, size, headers and redirects are bounded; bodies are never decompressed; proxies in the environment are ignored.

mod address;
mod client;
mod destination;
mod error;
mod exchange;
mod policy;
mod resolver;

pub use address::{is_loopback, is_public};
pub use client::Client;
pub use destination::names_loopback;
pub use error::FetchError;
pub use exchange::{Request, Response};
pub use policy::Policy;
