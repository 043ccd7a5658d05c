//! Messages in the small values that Bluetooth carries: what ISO/IEC 18013-5 puts around them, without a radio.
//!
//! A message is cut into values of a characteristic, each with one byte before it: 1 when more follow, 0 for the last. A byte
//! in the characteristic *state* begins and ends the session. [`BleLink`] is the link that a ceremony talks through; whatever
//! has a radio implements [`Gatt`] and knows nothing of messages.
//!
//! No radio was ever near this: [`radio`] is an adapter for one, behind the feature `ble` (`docs/decisions/0097`, `0130`).
//!
//! # Source
//! ISO/IEC 18013-5:2021 §8.3.3.1.1.4 "Data retrieval", §8.3.3.1.1.5, §8.3.3.1.1.6; Bluetooth Core 5.2, Vol 3, Part F §3.2.9.
//! Section numbers and values from memory: the text was not at hand (decision 0097).

pub mod radio;

use crate::deadline::Deadline;
use crate::frames::FrameError;
use crate::{Bounds, Link, LinkError};
use std::fmt;
use std::time::Duration;

/// How many bytes one exchange of the two devices carries, as they agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mtu(u16);

impl Mtu {
    /// What every device can: 23 bytes.
    pub const LEAST: Self = Self(23);

    /// What the devices agreed on: never less than [`Mtu::LEAST`], never more than a value of 512 bytes needs.
    pub const fn agreed(bytes: u16) -> Self {
        match bytes {
            0..=22 => Self::LEAST,
            23..=515 => Self(bytes),
            516.. => Self(515),
        }
    }

    /// How many bytes of a message go into one value: all but three of the exchange and one that says whether more follow.
    pub fn payload(self) -> usize {
        usize::from(self.0) - 4
    }
}

/// Which device is the peripheral that others find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The holder's: "mdoc peripheral server mode".
    HolderIsServer,
    /// The reader's: "mdoc central client mode".
    ReaderIsServer,
}

/// The characteristics of the service, by their UUIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Characteristics {
    /// Begins and ends the session.
    pub state: u128,
    /// From the client to the server.
    pub client_to_server: u128,
    /// From the server to the client.
    pub server_to_client: u128,
}

impl Mode {
    /// Its characteristics.
    ///
    /// # Source
    /// ISO/IEC 18013-5:2021 §8.3.3.1.1.4, tables of the mdoc service and the mdoc reader service.
    pub const fn characteristics(self) -> Characteristics {
        let [state, client_to_server, server_to_client] = match self {
            Self::HolderIsServer => [1, 2, 3],
            Self::ReaderIsServer => [5, 6, 7],
        };
        Characteristics {
            state: SERIES | state << 96,
            client_to_server: SERIES | client_to_server << 96,
            server_to_client: SERIES | server_to_client << 96,
        }
    }
}

/// `0000000X-A123-48CE-896B-4C76973373E6`.
const SERIES: u128 = 0x0000_0000_A123_48CE_896B_4C76_9733_73E6;

/// What a value of *state* says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The client is ready.
    Start,
    /// The session is over.
    End,
}

impl State {
    /// The value.
    pub const fn value(self) -> [u8; 1] {
        match self {
            Self::Start => [1],
            Self::End => [2],
        }
    }

    /// Of a value; `None` for any other.
    pub const fn of(value: &[u8]) -> Option<Self> {
        match value {
            [1] => Some(Self::Start),
            [2] => Some(Self::End),
            _ => None,
        }
    }
}

/// Why values make no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// Nothing in it, or nothing but the byte before it.
    #[error("a part of a message with nothing in it")]
    Empty,
    /// Another byte before it than 0 or 1.
    #[error("a part of a message that says {0} where 0 or 1 must be")]
    Prefix(u8),
    /// The message is longer than is taken.
    #[error(transparent)]
    Message(#[from] FrameError),
}

/// Cuts a message into values.
///
/// # Errors
/// [`FrameError`] for an empty message, and for one of more than `most` bytes.
pub fn chunks(message: &[u8], mtu: Mtu, most: usize) -> Result<Vec<Vec<u8>>, FrameError> {
    match message.len() {
        0 => return Err(FrameError::Empty),
        got if got > most => return Err(FrameError::TooLong { got, most }),
        _ => {}
    }
    let mut values: Vec<Vec<u8>> = message.chunks(mtu.payload()).map(|part| [&[MORE], part].concat()).collect();
    if let Some(first) = values.last_mut().and_then(|last| last.first_mut()) {
        *first = LAST;
    }
    Ok(values)
}

const MORE: u8 = 1;
const LAST: u8 = 0;

/// Puts a message together again.
pub struct Chunks {
    most: usize,
    buffer: Vec<u8>,
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { most, buffer: _ } = self;
        f.debug_struct("Chunks").field("most", most).finish_non_exhaustive()
    }
}

impl Chunks {
    /// For messages of at most `most` bytes.
    pub const fn new(most: usize) -> Self {
        Self { most, buffer: Vec::new() }
    }

    /// Takes one value; gives the message when it is whole.
    ///
    /// # Errors
    /// [`ChunkError`]; what comes after it cannot be understood.
    pub fn take(&mut self, value: &[u8]) -> Result<Option<Vec<u8>>, ChunkError> {
        let Some((&prefix, part)) = value.split_first() else { return Err(ChunkError::Empty) };
        if prefix > MORE {
            return Err(ChunkError::Prefix(prefix));
        }
        // Each part brings something, so that nobody keeps us busy for ever with nothing.
        if part.is_empty() {
            return Err(ChunkError::Empty);
        }
        let got = self.buffer.len() + part.len();
        if got > self.most {
            return Err(FrameError::TooLong { got, most: self.most }.into());
        }
        self.buffer.extend_from_slice(part);
        Ok((prefix == LAST).then(|| std::mem::take(&mut self.buffer)))
    }
}

/// What came over the radio.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A value of the characteristic that carries messages to us.
    Value(Vec<u8>),
    /// A value of *state*.
    State(Vec<u8>),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "Value({} bytes)", value.len()),
            Self::State(value) => f.debug_tuple("State").field(&State::of(value)).finish(),
        }
    }
}

/// The port: a radio whose two characteristics are subscribed to, on either side.
pub trait Gatt {
    /// What the devices agreed on.
    fn mtu(&self) -> Mtu;

    /// Writes a value of the characteristic that carries messages to the other side, and waits until it is taken.
    ///
    /// # Errors
    /// [`LinkError`] of the surroundings.
    fn write(&mut self, value: &[u8]) -> Result<(), LinkError>;

    /// Writes a value of *state*.
    ///
    /// # Errors
    /// [`LinkError`] of the surroundings.
    fn write_state(&mut self, state: State) -> Result<(), LinkError>;

    /// Waits for what comes, so long at most.
    ///
    /// # Errors
    /// [`LinkError::Late`] when nothing did; [`LinkError`] of the surroundings.
    fn next(&mut self, within: Duration) -> Result<Event, LinkError>;
}

/// A link over Bluetooth.
pub struct BleLink<G: Gatt> {
    gatt: G,
    chunks: Chunks,
    bounds: Bounds,
    received: u32,
    over: bool,
}

impl<G: Gatt> BleLink<G> {
    /// The client begins: it says that it is ready.
    ///
    /// # Errors
    /// [`LinkError`] of the surroundings.
    pub fn begin(mut gatt: G, bounds: Bounds) -> Result<Self, LinkError> {
        gatt.write_state(State::Start)?;
        Ok(Self::over(gatt, bounds))
    }

    /// The server waits for a client to begin, so long at most.
    ///
    /// # Errors
    /// [`LinkError::Late`]; [`LinkError::Gone`] when something else came first.
    pub fn wait(mut gatt: G, bounds: Bounds, within: Duration) -> Result<Self, LinkError> {
        match gatt.next(within)? {
            Event::State(value) if State::of(&value) == Some(State::Start) => Ok(Self::over(gatt, bounds)),
            _ => Err(LinkError::Gone),
        }
    }

    const fn over(gatt: G, bounds: Bounds) -> Self {
        Self { gatt, chunks: Chunks::new(bounds.message), bounds, received: 0, over: false }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`LinkError`] of the surroundings.
    pub fn end(mut self) -> Result<(), LinkError> {
        self.over = true;
        self.gatt.write_state(State::End)
    }
}

/// Whoever goes says so, as far as that is possible.
impl<G: Gatt> Drop for BleLink<G> {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.gatt.write_state(State::End);
        }
    }
}

impl<G: Gatt> Link for BleLink<G> {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        if self.over {
            return Err(LinkError::Gone);
        }
        let values = chunks(message, self.gatt.mtu(), self.bounds.message)?;
        values.iter().try_for_each(|value| self.gatt.write(value))
    }

    /// `within` is the patience for the whole message: somebody who sends a byte now and then must not hold us for ever.
    fn receive(&mut self, within: Duration) -> Result<Vec<u8>, LinkError> {
        if self.received >= self.bounds.messages {
            return Err(LinkError::TooMany { most: self.bounds.messages });
        }
        let end = Deadline::after(within);
        while !self.over {
            match self.gatt.next(end.left()?)? {
                Event::Value(value) => {
                    if let Some(message) = self.chunks.take(&value)? {
                        self.received += 1;
                        return Ok(message);
                    }
                }
                // Whatever else it says there, it says nothing that we could go on with.
                Event::State(_) => self.over = true,
            }
        }
        Err(LinkError::Gone)
    }
}

#[cfg(test)]
mod tests;
