//! The world of documents, where the targets look for it.

#[path = "../../../credentials/tests/it/mdoc/world.rs"]
pub mod world;
