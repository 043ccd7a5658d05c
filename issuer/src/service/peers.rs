//! How often a peer may ask. In memory, bounded, forgotten with the process; no address is ever logged or stored.

#![allow(clippy::disallowed_methods, reason = "rates are measured by the machine's monotonic clock")]

use axum::extract::{ConnectInfo, Request};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a peer may ask, and how often anyone may guess.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests of one peer a minute; as many may come at once after a pause.
    pub per_peer: u32,
    /// Wrong transaction codes a minute, of all peers together: each offer dies of five, but a thief of a thousand offers
    /// would have five thousand guesses (`security.md` §10).
    pub wrong_tx_codes: u32,
    /// Proxies whose `X-Forwarded-For` is believed, its last entry only. Of all others the header is ignored.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_peer: 1_200, wrong_tx_codes: 60, trusted_proxies: Vec::new() }
    }
}

/// How many peers are remembered.
const MOST_PEERS: usize = 10_000;

/// The peers of the last minutes.
pub(super) struct Peers {
    limits: Limits,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
    /// For those who came when the memory was full.
    strangers: Mutex<Bucket>,
    wrong_tx_codes: Mutex<Bucket>,
}

impl Peers {
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            strangers: Mutex::new(Bucket::full(limits.per_peer, now)),
            wrong_tx_codes: Mutex::new(Bucket::full(limits.wrong_tx_codes, now)),
            buckets: Mutex::default(),
            limits,
        }
    }

    /// Counts a request; how long to wait if there were too many.
    pub(super) fn admit(&self, request: &Request) -> Result<(), Duration> {
        // In process, without a socket, there is nobody to limit.
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else { return Ok(()) };
        let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
        self.admit_address(self.client(peer.ip(), forwarded), Instant::now())
    }

    fn client(&self, peer: IpAddr, forwarded: Option<&str>) -> IpAddr {
        if !self.limits.trusted_proxies.contains(&peer) {
            return peer;
        }
        // The last entry is what the proxy itself saw; those before it are what the client says.
        forwarded.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok()).unwrap_or(peer)
    }

    fn admit_address(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let limit = self.limits.per_peer;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_PEERS {
            buckets.retain(|_, bucket| !bucket.is_full(limit, now));
        }
        let key = network(address);
        if buckets.len() >= MOST_PEERS && !buckets.contains_key(&key) {
            drop(buckets);
            return self.strangers.lock().unwrap_or_else(PoisonError::into_inner).take(limit, now);
        }
        buckets.entry(key).or_insert_with(|| Bucket::full(limit, now)).take(limit, now)
    }

    /// Whether there were not too many wrong transaction codes lately.
    pub(super) fn wrong_tx_codes_allowed(&self) -> Result<(), Duration> {
        let mut bucket = self.wrong_tx_codes.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.look(self.limits.wrong_tx_codes, Instant::now())
    }

    /// Counts a wrong transaction code.
    pub(super) fn count_wrong_tx_code(&self) {
        let mut bucket = self.wrong_tx_codes.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether there was one left to take was looked at before; several at once may overdraw by their number.
        let _ = bucket.take(self.limits.wrong_tx_codes, Instant::now());
    }
}

/// One household or machine: an IPv4 address, or a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// A bucket that fills with `limit` a minute and holds at most `limit`.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(limit: u32, now: Instant) -> Self {
        Self { left: f64::from(limit), at: now }
    }

    fn fill(&mut self, limit: u32, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(limit) / 60.0;
        *self = Self { left: (self.left + gained).min(f64::from(limit)), at: now };
    }

    fn look(&mut self, limit: u32, now: Instant) -> Result<(), Duration> {
        self.fill(limit, now);
        if self.left >= 1.0 {
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - self.left) * 60.0 / f64::from(limit.max(1))).clamp(1.0, 60.0)))
    }

    fn take(&mut self, limit: u32, now: Instant) -> Result<(), Duration> {
        self.look(limit, now)?;
        self.left -= 1.0;
        Ok(())
    }

    fn is_full(&self, limit: u32, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(limit) / 60.0;
        self.left + gained >= f64::from(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(trusted: &[&str]) -> Peers {
        let trusted_proxies = trusted.iter().map(|t| t.parse().unwrap()).collect();
        Peers::new(Limits { per_peer: 3, wrong_tx_codes: 1, trusted_proxies })
    }

    #[test]
    fn attack_60_a_forwarded_address_is_ignored_unless_the_proxy_is_trusted() {
        let peer: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(peers(&[]).client(peer, Some("198.51.100.1")), peer);
        let trusting = peers(&["203.0.113.9"]);
        // What the client wrote comes first; only what the proxy added counts.
        assert_eq!(trusting.client(peer, Some("10.0.0.1, 198.51.100.1")).to_string(), "198.51.100.1");
        assert_eq!(trusting.client(peer, Some("nonsense")), peer);
        assert_eq!(trusting.client(peer, None), peer);
    }

    #[test]
    fn a_peer_is_slowed_down_and_a_network_is_one_peer() {
        let peers = peers(&[]);
        let now = Instant::now();
        let (one, same): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse().unwrap());
        for _ in 0..3 {
            peers.admit_address(one, now).unwrap();
        }
        assert!(peers.admit_address(same, now).unwrap_err() >= Duration::from_secs(1));
        peers.admit_address("2001:db8:0:1::1".parse().unwrap(), now).unwrap();
        peers.admit_address(one, now + Duration::from_secs(21)).unwrap();
    }

    #[test]
    fn the_memory_of_peers_is_bounded() {
        let peers = peers(&[]);
        let now = Instant::now();
        let mut refused = 0;
        for n in 0..20_000u32 {
            refused += usize::from(peers.admit_address(IpAddr::V4((0x0a00_0000 + n).into()), now).is_err());
        }
        assert!(peers.buckets.lock().unwrap().len() <= MOST_PEERS);
        assert_eq!(refused, 20_000 - MOST_PEERS - 3);
    }
}
