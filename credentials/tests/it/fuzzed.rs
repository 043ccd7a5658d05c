//! What the fuzzers call, one function a target: any bytes in, no panic, and what must hold of what is accepted.
//!
//! Where a signature would keep a fuzzer out, the function signs its input first, as a malicious issuer, holder or verifier
//! could. `tests/fuzz` calls these under libFuzzer; `fuzz_corpora` replays what was found there.

// The paths are written out because the fuzzers include this file too.
#[path = "fuzzed/documents.rs"]
mod documents;
#[path = "fuzzed/requests.rs"]
mod requests;
#[path = "fuzzed/tokens.rs"]
mod tokens;
#[path = "fuzzed/trust.rs"]
mod trust;

use documents::{cbor, mdoc_issued, mdoc_presented, proximity};
use requests::{dcql, metadata, request_object, status_list};
use tokens::{jwe, jws, kb_jwt, sd_jwt};
use trust::trust_list;

/// A target: its name, which is that of its corpus, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("jws", jws),
    ("sd_jwt", sd_jwt),
    ("kb_jwt", kb_jwt),
    ("cbor", cbor),
    ("mdoc_issued", mdoc_issued),
    ("mdoc_presented", mdoc_presented),
    ("dcql", dcql),
    ("request_object", request_object),
    ("status_list", status_list),
    ("trust_list", trust_list),
    ("proximity", proximity),
    ("jwe", jwe),
    ("metadata", metadata),
];
