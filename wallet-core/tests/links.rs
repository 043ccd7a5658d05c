//! What a fuzzer calls with links and what they lead to, and the replay of what it found.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they stand and read files"
)]

use credentials::trust::TrustAnchors;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use schemas::Timestamp;
use wallet_core::effect::{Errand, Outcome, Progress, Response};
use wallet_core::issuance::follow;
use wallet_core::presentation::RequestLink;

/// A target: its name, which is that of its corpus, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[("offer", offer), ("request_link", request_link)];

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// An offer's link, then what each address that it leads to answers, one a line.
pub fn offer(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Ok(errand) = follow(lines.next().unwrap_or_default()) else { return };
    walk(errand, lines);
}

/// A request's link, then what is answered.
pub fn request_link(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Ok(link) = RequestLink::parse(lines.next().unwrap_or_default()) else { return };
    match link.fetch(&mut rng()) {
        // A link that is the request: whatever it asks, the answer would go nowhere private.
        Progress::Ready(received) => {
            if let Ok(request) = received.authenticate(&TrustAnchors::default(), NOW) {
                assert!(!request.asker().signed && request.refuse().is_none(), "nobody is told anything");
            }
        }
        fetching => walk(fetching, lines),
    }
}

fn walk<'l, E: Errand>(errand: impl Into<Progress<E>>, answers: impl Iterator<Item = &'l str>) {
    let mut progress = errand.into();
    let mut answers = answers.take(6);
    loop {
        let Progress::Waiting(errand) = progress else { return };
        leads_nowhere_private(&errand);
        let Some(answer) = answers.next() else { return };
        let response = Response { status: 200, headers: Vec::new(), body: answer.as_bytes().to_vec() };
        let Ok(next) = errand.resume(Outcome::Response(response), NOW, &mut rng()) else { return };
        progress = next;
    }
}

/// Plain `http` is for this very machine only.
fn leads_nowhere_private(errand: &impl Errand) {
    let url = errand.effect().url();
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    assert!(url.scheme() == "https" || url.scheme() == "http" && is_here, "an address that nobody may go to");
    assert!(url.username().is_empty() && url.password().is_none(), "an address with a name in it");
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(5)
}

#[cfg(test)]
mod replayed {
    use super::TARGETS;
    use std::path::Path;

    #[test]
    fn corpora_of_links_are_replayed() {
        for (name, target) in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name);
            let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(files.len() >= 3, "a corpus with nothing in it: {name}");
            for file in files {
                let bytes = std::fs::read(file).unwrap();
                target(&bytes);
                (0..bytes.len()).for_each(|cut| target(&bytes[..cut]));
            }
        }
    }
}
