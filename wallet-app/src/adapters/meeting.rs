//! Where a reader comes to: a socket, or this machine's radio.

use credentials::proximity::{Ble, Retrieval};
use nearby::ble::radio::Radio;
use nearby::ble::{BleLink, Mode};
use nearby::tcp::{Reach, Waiting};
use nearby::{Bounds, Link, LinkError};
use rand_core::CryptoRng;
use std::net::SocketAddr;
use std::time::Duration;

/// A place where one reader can come, once.
pub(crate) enum Meeting {
    /// A socket.
    Socket(Waiting),
    /// The radio, where the reader finds this identifier.
    Radio(Radio, [u8; 16]),
}

impl Meeting {
    /// Waits at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`LinkError`].
    pub(crate) fn at(address: SocketAddr, reach: Reach) -> Result<Self, LinkError> {
        Waiting::at(address, reach).map(Self::Socket)
    }

    /// Lets itself be found over Bluetooth, under an identifier that is another one each time.
    ///
    /// # Errors
    /// [`LinkError::Radio`].
    pub(crate) fn on_the_air(rng: &mut impl CryptoRng) -> Result<Self, LinkError> {
        Ok(Self::Radio(Radio::find()?, identifier(rng)))
    }

    /// What the code says of it.
    pub(crate) fn retrieval(&self) -> Retrieval {
        match self {
            Self::Socket(waiting) => Retrieval::Socket(waiting.address()),
            Self::Radio(_, service) => Retrieval::Ble(Ble { peripheral: Some(*service), central: None }),
        }
    }

    /// The first reader that says something, and what it says.
    ///
    /// # Errors
    /// [`LinkError::Late`] when nobody came.
    pub(crate) fn first(self, within: Duration, bounds: Bounds) -> Result<(Box<dyn Link>, Vec<u8>), LinkError> {
        match self {
            Self::Socket(waiting) => {
                let (link, first) = waiting.first(within, bounds)?;
                Ok((Box::new(link), first))
            }
            Self::Radio(radio, service) => {
                let gatt = radio.serve(Mode::HolderIsServer, &service)?;
                let mut link = BleLink::wait(gatt, bounds, within)?;
                let first = link.receive(FIRST)?;
                Ok((Box::new(link), first))
            }
        }
    }
}

/// Sixteen random bytes, marked as such.
///
/// # Source
/// RFC 9562 §5.4.
fn identifier(rng: &mut impl CryptoRng) -> [u8; 16] {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    let marked = u128::from_be_bytes(random) & !MARKS | VERSION_AND_VARIANT;
    marked.to_be_bytes()
}

const MARKS: u128 = 0xf000_c000_0000_0000_0000;
const VERSION_AND_VARIANT: u128 = 0x4000_8000_0000_0000_0000;
/// How long one value of a reader's first message may take.
const FIRST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::surroundings::randomness;

    #[test]
    fn ble_06_the_code_names_an_identifier_that_is_another_one_each_time() {
        let (one, other) = (identifier(&mut randomness()), identifier(&mut randomness()));
        assert_ne!(one, other);
        assert_eq!((one[6] >> 4, one[8] >> 6), (4, 2), "version 4, as RFC 9562 has it");
    }
}
