//! `amparo-issuer serve`.

use super::{Failure, Report};
use crate::demands::Demands;
use crate::desk::Issuer;
use crate::service::{self, Bounds, Limits};
use credentials::trust::TrustAnchors;
use serde_json::json;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// `serve --data DIR --listen HOST:PORT`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-issuer serve --data ./issuer --listen 127.0.0.1:8080
  amparo-issuer serve --data ./issuer --listen 127.0.0.1:8080 --trusted-proxy 127.0.0.1 --log-format json
  amparo-issuer serve --data ./issuer --wallet-providers providers.pem --require-wallet-attestation

The service speaks plain HTTP and listens on loopback: a proxy in front of it does TLS. `offer` and `revoke` work beside it.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Listen on other addresses than loopback, because the proxy that does TLS stands on another machine.
    #[arg(long)]
    allow_remote_proxy: bool,
    /// A proxy whose X-Forwarded-For is believed when requests are counted; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<IpAddr>,
    /// How many requests a minute one peer may send.
    #[arg(long, default_value_t = Limits::default().per_peer, value_name = "N")]
    requests_per_minute: u32,
    /// Take credential requests only when they are encrypted beside TLS, and answer them so. It is offered in any case.
    #[arg(long)]
    require_encryption: bool,
    /// A file with the trust anchors (PEM) of those whose key attestations are believed, and copied into credentials.
    #[arg(long, value_name = "FILE")]
    key_attesters: Option<PathBuf>,
    /// Take no key that none of them attests.
    #[arg(long, requires = "key_attesters")]
    require_key_attestation: bool,
    /// Publish the keys for credentials at /.well-known/jwt-vc-issuer, for verifiers that know issuers by it (SD-JWT VC §4).
    #[arg(long)]
    publish_keys: bool,
    /// A file with the trust anchors (PEM) of those who vouch for wallets.
    #[arg(long, value_name = "FILE")]
    wallet_providers: Option<PathBuf>,
    /// Give tokens only to wallets that one of them vouches for.
    #[arg(long, requires = "wallet_providers")]
    require_wallet_attestation: bool,
}

/// How often expired things are forgotten, delayed revocations carried out, and old lists signed anew.
const MAINTENANCE: Duration = Duration::from_secs(60);

impl Arguments {
    pub(super) fn run(self, say: &mut dyn FnMut(&Report) -> io::Result<()>) -> Result<Option<Report>, Failure> {
        let demands = self.demands()?;
        let issuer = Arc::new(Issuer::open(&self.data)?.demanding(demands));
        issuer.maintain()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(format!("the service cannot start: {error}")))?;
        runtime.block_on(self.serve(issuer, say))?;
        Ok(None)
    }

    fn demands(&self) -> Result<Demands, Failure> {
        Ok(Demands {
            encryption: self.require_encryption,
            key_attesters: self.key_attesters.as_deref().map(read_anchors).transpose()?,
            key_attestation: self.require_key_attestation,
            wallet_providers: self.wallet_providers.as_deref().map(read_anchors).transpose()?,
            wallet_attestation: self.require_wallet_attestation,
            publish_keys: self.publish_keys,
        })
    }

    async fn serve(self, issuer: Arc<Issuer>, say: &mut dyn FnMut(&Report) -> io::Result<()>) -> Result<(), Failure> {
        let (listener, address) = self.bind().await?;
        let url = issuer.config().url.clone();
        if url.is_plain() && url.port() != Some(address.port()) {
            tracing::warn!(%url, %address, "wallets are sent to the URL of `init`, which has another port");
        }
        let limits = Limits {
            per_peer: self.requests_per_minute.max(1),
            trusted_proxies: self.trusted_proxy,
            ..Limits::default()
        };
        let router = service::router_with(Arc::clone(&issuer), limits);
        let maintenance = tokio::spawn(maintain(issuer));
        say(&Report {
            json: json!({"listening": address.to_string(), "url": url.as_str()}),
            text: format!("The issuer {url} listens on {address}. Stop it with Ctrl-C."),
        })
        .map_err(|error| Failure::internal(format!("standard output is closed: {error}")))?;
        service::serve(listener, router, Bounds::default(), shutdown()).await;
        maintenance.abort();
        tracing::info!("stopped");
        Ok(())
    }

    async fn bind(&self) -> Result<(TcpListener, SocketAddr), Failure> {
        let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host(&self.listen)
            .await
            .map_err(|error| {
                Failure::usage(
                    "invalid_listen",
                    format!("{:?} is no address to listen on: {error}", self.listen),
                    "Give a host and a port, such as --listen 127.0.0.1:8080.",
                )
            })?
            .collect();
        if let Some(open) = addresses.iter().find(|a| !a.ip().is_loopback()).filter(|_| !self.allow_remote_proxy) {
            return Err(Failure::usage(
                "not_loopback",
                format!("{open} is reachable from other machines, and this service speaks plain HTTP"),
                "Listen on 127.0.0.1 behind a TLS proxy, or give --allow-remote-proxy if the proxy stands elsewhere.",
            ));
        }
        // `localhost` is two addresses: 127.0.0.1 first, which every client tries. A port taken on one is not sought on the
        // other, where half of the clients would meet the other program.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let address = listener.local_addr().map_err(|error| self.not_bound(&error))?;
                    return Ok((listener, address));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(self.not_bound(&error)),
                Err(error) => last = error,
            }
        }
        Err(self.not_bound(&last))
    }

    fn not_bound(&self, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::AddrInUse {
            return Failure::network(
                "port_taken",
                format!("another program already listens on {}", self.listen),
                "Stop it, or give another port with --listen; --listen 127.0.0.1:0 takes a free one.",
            );
        }
        Failure::network(
            "cannot_listen",
            format!("cannot listen on {}: {error}", self.listen),
            "Give an address of this machine and a port above 1023.",
        )
    }
}

fn read_anchors(path: &Path) -> Result<TrustAnchors, Failure> {
    let unreadable = |reason: String| {
        let message = format!("{} holds no trust anchor: {reason}", path.display());
        Failure::usage(
            "invalid_anchor",
            message,
            "Give a PEM file with the certificates of those who attest keys or wallets.",
        )
    };
    let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    TrustAnchors::from_pem(&pem).map_err(|error| unreadable(error.to_string()))
}

async fn maintain(issuer: Arc<Issuer>) {
    loop {
        tokio::time::sleep(MAINTENANCE).await;
        let issuer = Arc::clone(&issuer);
        match tokio::task::spawn_blocking(move || issuer.maintain()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "maintenance failed; it is tried again in a minute"),
            Err(error) => tracing::error!(%error, "maintenance broke off"),
        }
    }
}

/// Done at Ctrl-C, or when the service manager says so.
async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
