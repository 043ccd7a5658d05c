//! Where the person comes back to from an issuer's page: a port of this machine, open for one answer.

use rand_core::CryptoRng;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A port on the loopback address, with a path that nobody else on this machine can guess.
///
/// # Source
/// RFC 8252 §7.3 "Loopback Interface Redirection", §8.3: the address and not the name `localhost`.
pub(crate) struct Redirect {
    listener: TcpListener,
    uri: String,
}

impl Redirect {
    /// Takes a free port.
    ///
    /// # Errors
    /// If the system gives none.
    pub(crate) fn open(rng: &mut impl CryptoRng) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let mut path = [0; 16];
        rng.fill_bytes(&mut path);
        let mut uri = format!("http://{}/", listener.local_addr()?);
        for byte in path {
            // Writing to a string does not fail.
            let _ = write!(uri, "{byte:02x}");
        }
        Ok(Self { listener, uri })
    }

    /// The address, as the issuer is told.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for a request whose target `take` knows; `None` when the time is over. Others are told that nothing is here.
    ///
    /// # Errors
    /// If the port is lost.
    pub(crate) fn wait<T>(&self, patience: Duration, mut take: impl FnMut(&str) -> Option<T>) -> io::Result<Option<T>> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => return Err(error),
            };
            // A browser that goes away in between is none of our business.
            let taken = target(&mut stream).ok().flatten().and_then(|target| take(&target));
            let _ = answer(&mut stream, taken.is_some());
            if taken.is_some() {
                return Ok(taken);
            }
        }
        Ok(None)
    }
}

/// The target of a GET request: its path and query.
fn target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(READ_TIME))?;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut part)?;
        head.extend_from_slice(part.get(..read).unwrap_or_default());
        if read == 0 || head.len() > MAX_HEAD {
            return Ok(None);
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = std::str::from_utf8(line).unwrap_or_default().split(' ');
    Ok(match (words.next(), words.next()) {
        (Some("GET"), Some(target)) if target.starts_with('/') && !target.starts_with("//") => Some(target.to_owned()),
        _ => None,
    })
}

fn answer(stream: &mut TcpStream, taken: bool) -> io::Result<()> {
    let (status, text) = if taken {
        ("200 OK", "You can close this page and go back to your wallet.")
    } else {
        ("404 Not Found", "Nothing is here.")
    };
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Amparo</title></head><body><p>{text}</p></body></html>"
    );
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

const PAUSE: Duration = Duration::from_millis(100);
const READ_TIME: Duration = Duration::from_secs(2);
const MAX_HEAD: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::surroundings::randomness;

    fn ask(address: &str, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn rfc_8252_the_port_is_on_this_machine_and_waits_for_its_own_answer() {
        let redirect = Redirect::open(&mut randomness()).unwrap();
        let address = redirect.listener.local_addr().unwrap();
        assert!(address.ip().is_loopback());
        let uri = redirect.uri().to_owned();
        let path = uri.rsplit_once('/').unwrap().1.to_owned();
        assert_eq!(path.len(), 32);
        let browser = std::thread::spawn({
            let address = address.to_string();
            let path = path.clone();
            move || {
                let strays = ["GET /favicon.ico HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "x\r\n\r\n", ""];
                let refused: Vec<String> = strays.iter().map(|stray| ask(&address, stray)).collect();
                let taken = ask(&address, &format!("GET /{path}?code=1 HTTP/1.1\r\nhost: x\r\n\r\n"));
                (refused, taken)
            }
        });
        let wanted = format!("/{path}?");
        let took = redirect.wait(Duration::from_secs(20), |target| target.strip_prefix(&wanted).map(str::to_owned));
        assert_eq!(took.unwrap().as_deref(), Some("code=1"));
        let (refused, taken) = browser.join().unwrap();
        assert!(refused[0].starts_with("HTTP/1.1 404") && taken.starts_with("HTTP/1.1 200"), "{refused:?} {taken}");
        assert_eq!(redirect.wait(Duration::from_millis(1), |_| Some(())).unwrap(), None, "the time is over");
    }
}
