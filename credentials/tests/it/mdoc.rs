//! mdoc: what a peer may send, and what comes of it.

mod issued;
mod presented;
mod properties;
pub mod vectors;
pub mod world;
