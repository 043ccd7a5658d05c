//! The one way in which issuer, verifier and attester listen: connections that are bounded in number and in time.

#![allow(
    clippy::disallowed_methods,
    reason = "this is where a service touches the world: sockets, and how long they take"
)]

mod listening;

pub use listening::{Bounds, serve};
