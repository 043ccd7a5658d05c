//! Effects against real servers on loopback: what the core is told, and what is never called.

use super::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wallet_core::presentation::{FetchError as NotFetched, Fetching, RequestLink};

/// A server that answers every connection with these bytes, and counts them.
fn server(answer: impl Into<Vec<u8>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    (address, calls)
}

fn fetching(request_uri: &str) -> Fetching {
    let uri: String = url::form_urlencoded::byte_serialize(request_uri.as_bytes()).collect();
    let link = RequestLink::parse(&format!("openid4vp://?client_id=x509_hash%3Aabc&request_uri={uri}")).unwrap();
    match link.fetch(&mut surroundings::randomness()) {
        Progress::Waiting(fetching) => fetching,
        Progress::Ready(_) => panic!("a link that is the request"),
    }
}

fn refused(request_uri: &str) -> ErrandError<NotFetched> {
    Performer::new().unwrap().run(fetching(request_uri)).map(drop).unwrap_err()
}

#[test]
fn what_the_other_side_sends_reaches_the_core() {
    let (address, calls) = server("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\na.b.c");
    assert!(Performer::new().unwrap().run(fetching(&format!("http://{address}/r"))).is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn vp_14_6_a_redirect_is_an_answer_and_is_not_followed() {
    let (inside, calls) = server("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\na.b.c");
    let (address, _) = server(format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ));
    let error = refused(&format!("http://{address}/r"));
    assert!(matches!(error, ErrandError::Ended(NotFetched::Status(302))), "{error:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn attack_43_private_addresses_are_refused_with_their_reason() {
    for uri in ["https://10.0.0.1/r", "https://169.254.169.254/r", "https://[::ffff:127.0.0.1]/r", "https://0xa.1/r"] {
        let error = refused(uri);
        assert!(matches!(error, ErrandError::Fetch(FetchError::RefusedAddress { .. })), "{uri}: {error:?}");
    }
}

#[test]
fn attack_44_more_than_the_core_asks_for_is_cut_off() {
    let (address, _) = server(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MOST_BODY));
    let error = refused(&format!("http://{address}/r"));
    assert!(matches!(error, ErrandError::Fetch(FetchError::TooLarge { .. })), "{error:?}");
}

#[test]
fn a_dead_server_is_told_with_its_name_and_without_its_path() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = refused(&format!("http://{address}/very-secret"));
    assert!(matches!(&error, ErrandError::Fetch(FetchError::Unreachable { .. })), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1") && !format!("{error:?}").contains("very-secret"));
}
