//! Credentials from outside: what a peer may send, and what comes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests may stop where they stand, read vectors from disk and the clock to bound time"
)]

mod algorithms;
mod anchor_limits;
mod chain;
mod disclosures;
mod fuzz_corpora;
mod fuzzed;
mod issuance;
mod issued;
mod json_form;
mod mdoc;
mod paper;
mod presented;
mod properties;
mod proximity;
mod published;
mod published_keys;
mod type_metadata;
mod vectors;
mod world;
