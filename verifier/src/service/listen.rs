//! Listening: bounded in how many connections there are, and in how long each may last.

use super::desk::Desk;
use super::http::router;
use super::sweep::janitor;
use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// How many connections there may be at once; more wait in the system's queue.
const MOST_CONNECTIONS: usize = 512;
/// How long a connection may last, however slowly it talks. Wallets need two short exchanges.
const LIFETIME: Duration = Duration::from_secs(45);

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// Where.
    pub address: String,
    /// Why.
    pub source: io::Error,
}

/// Serves the desk on `listener`, with the janitor beside it, until `shutdown` is done; then requests under way are finished.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    desk: Arc<Desk>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let sweeping = tokio::spawn(janitor(Arc::clone(&desk)));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let listener = Bounded { listener, places, lifetime: LIFETIME };
    let served = axum::serve(listener, router(desk)).with_graceful_shutdown(shutdown).await;
    sweeping.abort();
    served
}

struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    lifetime: Duration,
}

impl Listener for Bounded {
    type Io = Brief;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Brief, SocketAddr) {
        // The semaphore is never closed; were it, the connection would be served without a place.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small answers, one at a time: waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        (Brief { stream, end: Box::pin(tokio::time::sleep(self.lifetime)), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its time is over.
struct Brief {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Brief {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Brief {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Brief {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn attack_44_a_connection_that_drips_is_cut_off_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lifetime = Duration::from_millis(300);
        let bounded = Bounded { listener, places: Arc::new(Semaphore::new(1)), lifetime };
        let router = axum::Router::new().route("/", axum::routing::get(async || "hello"));
        tokio::spawn(async move { axum::serve(bounded, router).await });
        let begun = Instant::now();
        let mut slow = TcpStream::connect(address).await.unwrap();
        // One octet of a header at a time, for ever.
        slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX: ").await.unwrap();
        let cut = loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if slow.write_all(b"a").await.is_err() || begun.elapsed() > Duration::from_secs(10) {
                break begun.elapsed();
            }
        };
        assert!(cut < Duration::from_secs(5), "{cut:?}");
        // There is one place, and it is free again.
        let mut next = TcpStream::connect(address).await.unwrap();
        next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
    }
}
