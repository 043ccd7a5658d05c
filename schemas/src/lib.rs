//! What is said: wire types, credential types, purposes and consent. No cryptography, no I/O.
//!
//! Every type here is *unverified* data as a peer wrote it. Who may believe it is decided in `credentials`.

pub mod claim_path;
pub mod consent;
pub mod credential_type;
pub mod dcql;
pub mod mdoc;
pub mod openid4vci;
pub mod openid4vp;
pub mod purpose;
pub mod registration;
pub mod status;
pub mod time;
pub mod type_metadata;
pub mod wallet_provider;

pub use claim_path::{ClaimPath, PathElement};
pub use time::{Seconds, Timestamp};
