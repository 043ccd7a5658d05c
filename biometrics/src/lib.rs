//! What is measured: from a sample to a template, a comparison score and a released key.
//!
//! In the words of ISO/IEC 2382-37. Imports none of our crates, touches no file and no clock, draws no randomness:
//! bytes, seeds and `rng` come in as arguments. A face is not a secret; what this crate can and cannot promise is said in
//! [`protection`] and measured in `docs/biometric-evaluation.md`.

pub mod comparison;
pub mod engine;
pub mod evaluation;
pub mod face;
pub mod finger;
pub mod models;
pub mod onnx;
pub mod pad;
pub mod protection;
pub mod sample;
pub mod search;
pub mod simulation;
pub mod template;

pub use engine::{Capture, CaptureError, Engine, EngineError};
pub use sample::Sample;
