//! Faces: where they are in a picture, how good they are, and how they are cut out for the embedder.

pub(crate) mod align;
pub(crate) mod detect;
pub(crate) mod geometry;
pub(crate) mod pyramid;
pub mod quality;
