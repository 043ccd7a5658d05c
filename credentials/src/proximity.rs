//! Proximity: a presentation between two devices that stand side by side, with no network.
//!
//! Pure functions and two short chains of states; whoever carries the bytes (Bluetooth, a socket, a test) is not here.
//!
//! - the holder: [`HolderEngagement::new`] → [`HolderEngagement::qr_uri`] → [`HolderEngagement::accept`] → [`Session`] and the
//!   bytes of a request → [`RequestIn::parse`] → [`RequestIn::authenticate`] → [`RequestedDocument`]s, shown to the person →
//!   [`Session::send`]
//! - the reader: [`ReaderEngagement::scan`] → [`write_request`] → [`ReaderEngagement::establish`] → [`Session`] →
//!   [`Session::receive`] → [`crate::mdoc::verify_response`] with [`Session::transcript`] and [`Session::key`]
//!
//! Server retrieval is not here and will not be: the issuer would learn of every presentation.

mod channel;
mod engagement;
mod establishment;
mod reader_auth;
mod request;
mod session;

pub use engagement::{Ble, DeviceEngagement, EngagementError, Retrieval, SCHEME};
pub use establishment::{HolderEngagement, ReaderEngagement};
pub use reader_auth::Reader;
pub use request::{DocumentRequest, IntentToRetain, RequestError, RequestIn, RequestedDocument, write_request};
pub use session::{Received, Session, SessionError, SessionStatus};

/// The most documents in one request that are read or made.
pub const MOST_DOCUMENTS: usize = 8;
/// The most elements in one request that are read or made, over all documents.
pub const MOST_ELEMENTS: usize = 256;
