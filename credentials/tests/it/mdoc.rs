//! mdoc: what a peer may send, and what comes of it.

mod claims;
mod consent;
mod issued;
mod presented;
mod properties;
pub mod vectors;
pub mod world;
