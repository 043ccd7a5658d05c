//! The keys under which this issuer's credentials can be verified without certificates: its JWT VC issuer metadata.

#![allow(clippy::disallowed_methods, reason = "the certificates of former keys are a file of the issuer's own")]

use crate::config::IssuerUrl;
use crate::keys::SigningIdentity;
use crate::keys::software::{self, KeyFileError};
use credentials::key::PublicKey;
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use schemas::Timestamp;
use serde_json::{Value, json};
use std::path::Path;

/// The certificates of keys that signed before the one in use, below the data directory: no secret is in it.
pub const FORMER_FILE: &str = "keys/former.pem";
/// The most former keys that are published; a key holds 800 days.
const MOST_FORMER: usize = 16;
/// Between two chains in the file.
const SEPARATOR: &str = "-----END OF CHAIN-----";

/// The metadata: the key in use, and former ones whose certificates hold still.
///
/// # Source
/// SD-JWT VC §4.2 "JWT VC Issuer Metadata Response"; RFC 7517 §4.
pub fn issuer_metadata(
    dir: &Path,
    url: &IssuerUrl,
    identity: SigningIdentity<'_>,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Value {
    let mut keys = vec![jwk(identity.signer.public_key())];
    for chain in former(dir) {
        let Ok(verified) = chain.verify(anchors, Usage::CredentialIssuing, now) else { continue };
        if let Some(key) = verified.leaf_key().p256().map(jwk).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    json!({"issuer": url.as_str(), "jwks": {"keys": keys}})
}

fn jwk(key: &PublicKey) -> Value {
    let mut jwk = key.to_jwk();
    jwk.insert("kid".to_owned(), json!(key.key_id()));
    jwk.insert("use".to_owned(), json!("sig"));
    jwk.insert("alg".to_owned(), json!("ES256"));
    Value::Object(jwk)
}

/// Remembers the certificates of the key in use, before another takes its place: what it signed is still about.
pub(crate) fn remember(dir: &Path) -> Result<(), KeyFileError> {
    let (_, chain) = software::read_key_pem(&dir.join(software::CREDENTIAL_FILE))?;
    let path = dir.join(FORMER_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(KeyFileError::File { path, source }),
    };
    let mut chains = vec![chain.trim()];
    chains.extend(text.split(SEPARATOR).map(str::trim).filter(|chain| !chain.is_empty()));
    chains.truncate(MOST_FORMER);
    let text = chains.join(&format!("\n{SEPARATOR}\n"));
    software::write_with_mode(&path, text.as_bytes(), 0o644).map_err(|source| KeyFileError::File { path, source })
}

/// The chains of former keys; none where the file is not there or damaged: then fewer keys are published.
fn former(dir: &Path) -> Vec<CertificateChain> {
    let text = std::fs::read_to_string(dir.join(FORMER_FILE)).unwrap_or_default();
    text.split(SEPARATOR).filter_map(|chain| CertificateChain::from_pem(chain.as_bytes()).ok()).collect()
}
