//! Listening: bounded in how many connections there are, and in how long each may last.

use super::desk::Desk;
use super::http::router;
use super::sweep::janitor;
use bounded_http::Bounds;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Wallets need two short exchanges.
const BOUNDS: Bounds = Bounds {
    connections: 512,
    head: Duration::from_secs(15),
    life: Duration::from_secs(30),
    farewell: Duration::from_secs(20),
};

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
pub async fn serve(desk: Arc<Desk>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) {
    let sweeping = tokio::spawn(janitor(Arc::clone(&desk)));
    bounded_http::serve(listener, router(desk), BOUNDS, shutdown).await;
    sweeping.abort();
}
