//! Making an issuer: its keys, its certificates, its configuration. And renewing the two keys that sign.

#![allow(clippy::disallowed_methods, reason = "this ceremony makes the data directory")]

mod certificate;

use crate::config::{Config, IssuerName, IssuerUrl};
use crate::desk::{ANCHOR_FILE, CONFIG_FILE};
use crate::keys::software::{self, KeyFileError};
use crate::published_keys;
use crate::store::sqlite;
use certificate::{Authority, Leaf};
use credentials::key::KeyError;
use credentials::signer::SoftwareKey;
use credentials::trust::{CertificateChain, TrustAnchors, Usage};
use rand_core::CryptoRng;
use schemas::{Seconds, Timestamp};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How long the root holds: the anchor that verifiers and wallets are given.
pub const ROOT_LIFETIME: Seconds = Seconds::DAY.times(365 * 20);
/// How long the intermediate holds.
pub const INTERMEDIATE_LIFETIME: Seconds = Seconds::DAY.times(365 * 10);
/// How long a signing certificate holds. A credential is verified by its chain when it is shown, so the certificate must
/// outlive every credential that its key signs: a year of credentials of a year, and some time to renew.
pub const LEAF_LIFETIME: Seconds = Seconds::DAY.times(800);

/// Why an issuer could not be made or renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is one already, or a part of one.
    #[error("{} already holds an issuer, or a part of one ({found})", dir.display())]
    Exists {
        /// Where.
        dir: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// There is none to renew.
    #[error("{} holds no issuer that could be renewed", dir.display())]
    Absent {
        /// Where.
        dir: PathBuf,
    },
    /// The directory or a file could not be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file could not be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// A key could not be made.
    #[error("a key could not be made")]
    Key(#[from] KeyError),
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// The time cannot stand in a certificate.
    #[error("the clock shows a time that no certificate can bear")]
    Clock,
}

/// Makes an issuer in `dir`: root → intermediate → one certificate for credentials and one for status lists, each with its
/// own key and its own extended key usage; keys with mode 0600. Overwrites nothing.
///
/// # Errors
/// [`InitError`].
///
/// # Source
/// RFC 5280 §4.2; `security.md` §10 "Keys"; Token Status List §10.
pub fn init<R: CryptoRng + ?Sized>(
    dir: &Path,
    url: &IssuerUrl,
    name: &IssuerName,
    now: Timestamp,
    rng: &mut R,
) -> Result<Config, InitError> {
    for found in [CONFIG_FILE, ANCHOR_FILE, sqlite::FILE, "keys"] {
        if dir.join(found).symlink_metadata().is_ok() {
            return Err(InitError::Exists { dir: dir.to_owned(), found });
        }
    }
    make_dir(dir)?;
    make_dir(&dir.join("keys"))?;

    let root_key = key(rng)?;
    let root = Authority::root(name, now, &root_key, rng)?;
    let intermediate_key = key(rng)?;
    let intermediate = root.intermediate(name, now, &intermediate_key, rng)?;
    software::write_secret(&dir.join(software::ROOT_FILE), pem(&root_key, &[root.pem()]).as_bytes())?;
    let chain = [intermediate.pem()];
    software::write_secret(&dir.join(software::INTERMEDIATE_FILE), pem(&intermediate_key, &chain).as_bytes())?;
    write_leaves(dir, url, name, now, &intermediate, rng)?;

    let mut fingerprint = Zeroizing::new([0u8; 32]);
    rng.fill_bytes(fingerprint.as_mut_slice());
    software::write_secret(&dir.join(software::FINGERPRINT_FILE), fingerprint.as_slice())?;

    write(&dir.join(ANCHOR_FILE), root.pem().as_bytes(), 0o644)?;
    let config = Config { version: 1, url: url.clone(), name: name.clone(), made_at: now };
    // Last of all: where this file is, all others are whole.
    let text = serde_json::to_vec_pretty(&config).map_err(|_| InitError::Clock)?;
    write(&dir.join(CONFIG_FILE), &text, 0o600)?;
    Ok(config)
}

/// Gives the issuer in `dir` new keys and certificates for credentials and status lists, under the same anchor. What was
/// issued stays valid: it bears its own chain. So does the key for trust lists, where there is one.
///
/// # Errors
/// [`InitError`].
pub fn renew<R: CryptoRng + ?Sized>(dir: &Path, config: &Config, now: Timestamp, rng: &mut R) -> Result<(), InitError> {
    let intermediate = existing_intermediate(dir, config)?;
    write_leaves(dir, &config.url, &config.name, now, &intermediate, rng)?;
    if dir.join(software::TRUST_LIST_FILE).exists() {
        write_leaf(dir, (Leaf::TrustList, software::TRUST_LIST_FILE), config, now, &intermediate, rng)?;
    }
    Ok(())
}

/// The key that signs trust lists of the authority in `dir`, with its chain; made when there is none whose certificate holds
/// until `until`.
///
/// # Errors
/// [`InitError`].
///
/// # Source
/// `docs/decisions/0095`: a key for this and nothing else.
pub fn list_signer<R: CryptoRng + ?Sized>(
    dir: &Path,
    config: &Config,
    now: Timestamp,
    until: Timestamp,
    rng: &mut R,
) -> Result<(SoftwareKey, CertificateChain), InitError> {
    let path = dir.join(software::TRUST_LIST_FILE);
    if path.exists() {
        let (key, chain) = software::read_identity(&path)?;
        let anchors = fs::read(dir.join(ANCHOR_FILE)).ok().and_then(|pem| TrustAnchors::from_pem(&pem).ok());
        let holds = |anchors: TrustAnchors| chain.verify(&anchors, Usage::TrustListSigning, until).is_ok();
        if anchors.is_some_and(holds) {
            return Ok((key, chain));
        }
    }
    let intermediate = existing_intermediate(dir, config)?;
    write_leaf(dir, (Leaf::TrustList, software::TRUST_LIST_FILE), config, now, &intermediate, rng)?;
    Ok(software::read_identity(&path)?)
}

fn existing_intermediate(dir: &Path, config: &Config) -> Result<Authority, InitError> {
    let path = dir.join(software::INTERMEDIATE_FILE);
    if !path.exists() {
        return Err(InitError::Absent { dir: dir.to_owned() });
    }
    let (key, certificate) = software::read_key_pem(&path)?;
    published_keys::remember(dir)?;
    let key = rcgen::KeyPair::from_pem(&key)?;
    Ok(Authority::existing_intermediate(&config.name, key, certificate))
}

fn write_leaf<R: CryptoRng + ?Sized>(
    dir: &Path,
    (leaf, file): (Leaf, &str),
    config: &Config,
    now: Timestamp,
    intermediate: &Authority,
    rng: &mut R,
) -> Result<(), InitError> {
    let own = key(rng)?;
    let certificate = intermediate.leaf(leaf, &config.url, &config.name, now, &own, rng)?;
    let text = pem(&own, &[&certificate, intermediate.pem()]);
    Ok(software::write_secret(&dir.join(file), text.as_bytes())?)
}

fn write_leaves<R: CryptoRng + ?Sized>(
    dir: &Path,
    url: &IssuerUrl,
    name: &IssuerName,
    now: Timestamp,
    intermediate: &Authority,
    rng: &mut R,
) -> Result<(), InitError> {
    let config = Config { version: 1, url: url.clone(), name: name.clone(), made_at: now };
    for leaf in [(Leaf::Credential, software::CREDENTIAL_FILE), (Leaf::Status, software::STATUS_FILE)] {
        write_leaf(dir, leaf, &config, now, intermediate, rng)?;
    }
    Ok(())
}

/// A key, as PKCS#8 PEM and as what makes certificates.
struct FreshKey {
    pem: Zeroizing<String>,
    pair: rcgen::KeyPair,
}

fn key<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<FreshKey, InitError> {
    let pem = software::key_pem(&SoftwareKey::generate(rng)?)?;
    let pair = rcgen::KeyPair::from_pem(&pem)?;
    Ok(FreshKey { pem, pair })
}

fn pem(key: &FreshKey, certificates: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(key.pem.as_str().to_owned());
    for certificate in certificates {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(certificate);
    }
    text
}

fn make_dir(path: &Path) -> Result<(), InitError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| InitError::Write { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), InitError> {
    software::write_with_mode(path, bytes, mode).map_err(|source| InitError::Write { path: path.to_owned(), source })
}
