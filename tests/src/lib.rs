//! The world: the four real commands as processes, their servers on loopback, and what they answer.
//!
//! Used by the tests in `it/` and by `cargo xtask demo`, which plays the main job with it.
#![allow(
    clippy::disallowed_methods,
    reason = "this starts programs, opens ports and writes files for tests and the demo"
)]

mod command;
mod server;

pub use command::{Answer, CommandError, Commands};
pub use server::{Server, free_ports};
