//! A status list of 2^20 entries: what it costs to load one, and what to look an entry up.

use crate::contest::{Job, NOW, ours};
use crate::rate;
use credentials::status_list::{Bits, StatusList, verify};
use credentials::trust::{CertificateChain, TrustAnchors, oid};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};

const URI: &str = "https://issuer.example/status/1";
const ENTRIES: u64 = 1 << 20;
/// One entry in so many is revoked: the more, the less the list can be compressed.
const ONE_IN: [u64; 3] = [10_000, 100, 2];

/// Prints the table.
pub fn print(job: &Job) {
    println!("Status list of 2^20 entries, one bit each; time of this thread\n");
    println!("| one revoked in | token, KiB | load and verify, ms | look up, µs |\n|---|---|---|---|");
    let (anchor, chain) = ours::certificates(job, &oid::STATUS_SIGNING);
    let anchors = TrustAnchors::from_pem(anchor.as_bytes()).expect("anchor");
    let chain = CertificateChain::from_pem(chain.as_bytes()).expect("chain");
    let now = Timestamp::from_unix(NOW);
    for one_in in ONE_IN {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut list = StatusList::new(ENTRIES, Bits::One).expect("list");
        for _ in 0..ENTRIES / one_in {
            list.set(rng.next_u64() % ENTRIES, Status::Invalid).expect("in the list");
        }
        let token = list.to_token(URI, now, now.plus(Seconds::DAY), Seconds::HOUR, &chain, &job.issuer).expect("token");
        let load = || verify(&token, URI, &anchors, now, None).expect("verified");
        let loaded = load();
        let mut reference = StatusReference { idx: 0, uri: URI.to_owned() };
        let mut revoked = 0u64;
        let look_up = 1e6
            / rate(|| {
                reference.idx = rng.next_u64() % ENTRIES;
                revoked += u64::from(loaded.status(&reference, now).expect("status") == Status::Invalid);
            });
        assert!(revoked > 0, "nobody is revoked");
        let load = 1e3 / rate(|| drop(load()));
        println!("| {one_in} | {:.0} | {load:.2} | {look_up:.3} |", token.len() as f64 / 1024.0);
    }
    println!();
}
