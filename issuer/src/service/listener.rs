//! The listener: connections that are bounded in number and in time.

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
            farewell: super::REQUEST_TIME,
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
