//! A link over TCP: to this machine only, unless somebody says otherwise.

#![allow(
    clippy::disallowed_methods,
    reason = "this is where the link touches the world: sockets, and how long they take"
)]

use crate::deadline::Deadline;
use crate::{Bounds, Frames, Link, LinkError, frame};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Which addresses are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// This machine's own.
    #[default]
    ThisMachine,
    /// Any: somebody said so.
    Anywhere,
}

impl Reach {
    fn allows(self, address: SocketAddr) -> Result<(), LinkError> {
        match self {
            Self::ThisMachine if !address.ip().is_loopback() => Err(LinkError::Beyond(address)),
            _ => Ok(()),
        }
    }
}

/// A connection to the other device.
pub struct TcpLink {
    stream: TcpStream,
    frames: Frames,
    bounds: Bounds,
    received: u32,
}

impl TcpLink {
    /// Connects to a device that waits at `address`.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn call(address: SocketAddr, reach: Reach, within: Duration, bounds: Bounds) -> Result<Self, LinkError> {
        reach.allows(address)?;
        Self::over(TcpStream::connect_timeout(&address, within)?, bounds)
    }

    fn over(stream: TcpStream, bounds: Bounds) -> Result<Self, LinkError> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, frames: Frames::new(bounds.message), bounds, received: 0 })
    }
}

impl Link for TcpLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        let framed = frame(message, self.bounds.message)?;
        let end = Deadline::after(SENDING);
        let mut rest = framed.as_slice();
        // A side that takes a byte now and then must not hold us for ever.
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(end.left()?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(LinkError::Gone),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn receive(&mut self, within: Duration) -> Result<Vec<u8>, LinkError> {
        if self.received >= self.bounds.messages {
            return Err(LinkError::TooMany { most: self.bounds.messages });
        }
        let end = Deadline::after(within);
        let mut part = [0; CHUNK];
        loop {
            if let Some(message) = self.frames.take()? {
                self.received += 1;
                return Ok(message);
            }
            self.stream.set_read_timeout(Some(end.left()?))?;
            match self.stream.read(&mut part) {
                Ok(0) => return Err(LinkError::Gone),
                Ok(read) => self.frames.push(part.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A place where another device can come, once.
pub struct Waiting {
    listener: TcpListener,
    address: SocketAddr,
}

impl Waiting {
    /// Waits at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn at(address: SocketAddr, reach: Reach) -> Result<Self, LinkError> {
        reach.allows(address)?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where that is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first device that says something, and what it says. Whoever connects and is silent is passed over; whoever comes
    /// later finds nobody.
    ///
    /// # Errors
    /// [`LinkError::Late`] when nobody came.
    pub fn first(self, within: Duration, bounds: Bounds) -> Result<(TcpLink, Vec<u8>), LinkError> {
        let end = Deadline::after(within);
        loop {
            let time = end.left()?;
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let Ok(mut link) = TcpLink::over(stream, bounds) else { continue };
                    if let Ok(message) = link.receive(FIRST.min(time)) {
                        return Ok((link, message));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE.min(time)),
                // A connection that went away before it was taken.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

const CHUNK: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_millis(50);
/// How long somebody who connected may take for the first message.
const FIRST: Duration = Duration::from_secs(5);
/// How long the other side may take to receive one.
const SENDING: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::spawn;
    use std::time::Instant;

    const BOUNDS: Bounds = Bounds { message: 1000, messages: 2 };
    const SOON: Duration = Duration::from_secs(20);

    fn here() -> Waiting {
        Waiting::at("127.0.0.1:0".parse().unwrap(), Reach::ThisMachine).unwrap()
    }

    #[test]
    fn one_device_is_heard_and_the_next_finds_nobody() {
        let waiting = here();
        let address = waiting.address();
        let other = spawn(move || {
            // One that is silent, one that is cut off, one that says something.
            drop(TcpStream::connect(address).unwrap());
            TcpStream::connect(address).unwrap().write_all(&[0, 0, 0, 9, 1]).unwrap();
            let mut link = TcpLink::call(address, Reach::ThisMachine, SOON, BOUNDS).unwrap();
            link.send(b"hello").unwrap();
            link.receive(SOON).unwrap()
        });
        let (mut link, first) = waiting.first(SOON, BOUNDS).unwrap();
        assert_eq!(first, b"hello");
        assert!(TcpLink::call(address, Reach::ThisMachine, SOON, BOUNDS).is_err());
        link.send(&[8; 1000]).unwrap();
        assert_eq!(other.join().unwrap(), [8; 1000]);
        assert!(matches!(link.receive(SOON), Err(LinkError::Gone)));
    }

    #[test]
    fn attack_45_messages_times_and_sizes_are_bounded() {
        let waiting = here();
        let address = waiting.address();
        let other = spawn(move || {
            let mut link = TcpLink::call(address, Reach::ThisMachine, SOON, BOUNDS).unwrap();
            assert!(matches!(link.send(&[0; 1001]), Err(LinkError::Frame(_))));
            [b"1", b"2", b"3"].iter().for_each(|message| link.send(*message).unwrap());
            // Byte after byte, and never the end.
            let mut slow = Vec::new();
            while slow.len() < 100 && link.stream.write_all(&[0]).is_ok() {
                slow.push(0);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (mut link, _) = waiting.first(SOON, BOUNDS).unwrap();
        assert_eq!(link.receive(SOON).unwrap(), b"2");
        assert!(matches!(link.receive(SOON), Err(LinkError::TooMany { most: 2 })));
        link.bounds.messages = 9;
        assert_eq!(link.receive(SOON).unwrap(), b"3");
        let begun = Instant::now();
        assert!(matches!(link.receive(Duration::from_millis(200)), Err(LinkError::Late | LinkError::Frame(_))));
        assert!(begun.elapsed() < Duration::from_secs(5));
        drop(link);
        other.join().unwrap();
        assert!(matches!(here().first(Duration::from_millis(60), BOUNDS), Err(LinkError::Late)), "nobody came");
    }

    #[test]
    fn attack_43_other_machines_only_when_somebody_says_so() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9", "10.0.0.1:9", "[2001:db8::1]:9"] {
            let address = address.parse().unwrap();
            assert!(matches!(Waiting::at(address, Reach::ThisMachine), Err(LinkError::Beyond(_))), "{address}");
            let called = TcpLink::call(address, Reach::ThisMachine, SOON, BOUNDS);
            assert!(matches!(called, Err(LinkError::Beyond(_))), "{address}");
        }
        assert!(Waiting::at("0.0.0.0:0".parse().unwrap(), Reach::Anywhere).is_ok());
    }
}
