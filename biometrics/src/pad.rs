//! Presentation attack detection: whether a living face is in front of the camera, as far as software can tell.
//!
//! [`challenge`] needs no model: it asks for movements in a random order and looks at how the picture answers. [`network`] is
//! the place for a network that the operator brings. Both are software checks that someone who controls the program can
//! take out: they are evidence of presence, never a key. What they find is an answer, not an error.
//!
//! # Source
//! Terms: ISO/IEC 30107-1 and -3. What was measured, and on what simulation: `docs/biometric-evaluation.md`.

pub mod challenge;
pub mod network;
