//! The port: what a ceremony between two devices needs of whatever carries its messages.

use crate::frames::FrameError;
use std::io;
use std::time::Duration;

/// Carries whole messages to the other device and back, in order.
pub trait Link {
    /// Sends one message.
    ///
    /// # Errors
    /// [`LinkError`].
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError>;

    /// Waits for one message, so long at most.
    ///
    /// # Errors
    /// [`LinkError`].
    fn receive(&mut self, within: Duration) -> Result<Vec<u8>, LinkError>;
}

/// How much is taken of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of one message.
    pub message: usize,
    /// Messages in all.
    pub messages: u32,
}

/// Why no message went or came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    // The other side's fault.
    /// Too long, or empty.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Parts that make no message.
    #[error(transparent)]
    Chunk(#[from] crate::ble::ChunkError),
    /// More messages than are taken.
    #[error("more than {most} messages")]
    TooMany {
        /// How many are taken.
        most: u32,
    },

    // The surroundings'.
    /// Nothing came, or went, in time.
    #[error("the other device did not answer in time")]
    Late,
    /// The other side has gone.
    #[error("the other device has gone")]
    Gone,
    /// The address is not on this machine, and only this machine was allowed.
    #[error("{0} is not on this machine")]
    Beyond(std::net::SocketAddr),
    /// This machine's radio.
    #[error(transparent)]
    Radio(#[from] crate::ble::radio::RadioError),
    /// The system.
    #[error("no connection to the other device: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Either is what systems call a time that ran out.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Late,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Gone,
            _ => Self::Io(error),
        }
    }
}
