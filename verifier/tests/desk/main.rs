//! The desk over real HTTP on loopback, with real credentials: what it takes, what it refuses, what it keeps and for how long.

#![allow(
    clippy::disallowed_methods,
    clippy::missing_docs_in_private_items,
    reason = "a test touches files and the network"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod algorithms;
mod binding;
mod command;
mod consent;
mod document;
mod documents;
mod guard;
mod in_person;
mod issuer;
mod registration;
mod same_device;
mod several;
mod status;
mod transport;
mod trust_lists;
mod types;
mod unsigned;
mod world;
