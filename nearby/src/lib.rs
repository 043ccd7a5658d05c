//! The link between two devices that stand side by side: whole messages, bounded in size, number and time.
//!
//! [`Frames`] cuts a stream of bytes into messages and does no I/O; [`Link`] is what a ceremony talks through; [`tcp`] is a
//! socket that stays on this machine unless somebody says otherwise; [`ble`] is what Bluetooth needs around messages, with a
//! radio behind the feature `ble`. What is said through it is encrypted by whoever says it: a link protects from nothing but
//! too much.

pub mod ble;
mod deadline;
mod frames;
mod link;
pub mod tcp;

pub use frames::{FrameError, Frames, frame};
pub use link::{Bounds, Link, LinkError};
