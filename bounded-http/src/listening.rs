//! Connections, accepted and ended.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

/// How many connections, and how long each.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Open at once; others wait to be accepted.
    pub connections: usize,
    /// To send a request's head, counted also while a connection idles: a slow loris is shown the door.
    pub head: Duration,
    /// A connection's whole life; then it may finish its request, and no more.
    pub life: Duration,
    /// To finish that request.
    pub farewell: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(15),
            life: Duration::from_secs(300),
            farewell: Duration::from_secs(30),
        }
    }
}

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;

/// Serves `router` on `listener` until `shutdown` is done; requests under way are finished.
///
/// HTTP/1.1 in the clear: TLS is the business of the proxy in front (`docs/operations.md`).
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, shutdown: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(bounds.connections));
    let (stop, stopped) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let Ok(seat) = Arc::clone(&room).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a peer that left before it was accepted: neither ends the service.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // Small answers, one at a time: waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = TowerToHyperService::new(router.map_request(move |mut request: hyper::Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        }));
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let mut connection = pin!(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(bounds.head)
                    .max_buf_size(MAX_HEAD)
                    .serve_connection(TokioIo::new(stream), service)
            );
            let ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = tokio::time::sleep(bounds.life) => None,
                _ = stopped.changed() => None,
            };
            if ended.is_none() {
                connection.as_mut().graceful_shutdown();
                let _ = tokio::time::timeout(bounds.farewell, connection).await;
            }
            drop(seat);
        });
    }
    drop(stopped);
    drop(listener);
    drop(stop);
    // Every connection gives its seat back when it ends.
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(bounds.farewell, room.acquire_many(all)).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn served(bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", axum::routing::get(async || "hello").post(async |body: String| body));
        tokio::spawn(serve(listener, router, bounds, std::future::pending()));
        address
    }

    /// One octet at a time, for ever; how long it took until nobody listened.
    async fn drip(address: SocketAddr, head: &str) -> Duration {
        let begun = Instant::now();
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(head.as_bytes()).await.unwrap();
        while slow.write_all(b"a").await.is_ok() && begun.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn attack_44_a_connection_that_drips_is_cut_off_in_time_and_its_place_is_free_again() {
        let short = Duration::from_millis(300);
        let bounds = Bounds { connections: 1, head: short, life: short, farewell: short };
        let address = served(bounds).await;
        for head in ["GET / HTTP/1.1\r\nHost: x\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"] {
            let cut = drip(address, head).await;
            assert!(cut < Duration::from_secs(5), "{cut:?}");
            let mut next = TcpStream::connect(address).await.unwrap();
            next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            next.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("hello"), "{answer}");
        }
    }
}
