//! Showing something to a verifier: from its link to the signed answer.

mod evidence;
mod link;
mod received;

pub use evidence::HolderVerified;
pub use link::{LinkError, RequestId, RequestLink};
pub use received::{FetchError, Fetching, Received};
