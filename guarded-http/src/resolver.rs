//! Names to addresses, public ones only.
//!
//! The check stands here, between the lookup and the connection, because only here is the address the one that will be used:
//! a name that was public when the URL was read and is private when the socket opens (DNS rebinding) finds no way past.

use crate::address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// How a name becomes addresses, unchecked.
pub(crate) trait Lookup: Send + Sync {
    /// All addresses of `name`.
    fn lookup(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
}

/// The system's resolver.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Keeps the public addresses of a name and drops the others.
///
/// `localhost` stands for both loopback addresses, whatever a hosts file says; whether it may be asked for at all was
/// decided before (`destination`).
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            if name == "localhost" {
                let both: Vec<SocketAddr> = vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
                return Ok(Box::new(both.into_iter()) as Addrs);
            }
            let all = lookup.lookup(name).await.map_err(|_| NotFound)?;
            if all.is_empty() {
                return Err(NotFound.into());
            }
            let public: Vec<SocketAddr> = all.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// The name resolves, but to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
pub(crate) struct NoPublicAddress;

/// The name does not resolve.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
pub(crate) struct NotFound;
