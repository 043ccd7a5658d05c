//! The provider's files: its configuration, its key with a certificate for attesting wallets, its anchor, its wallets' code.

#![allow(clippy::disallowed_methods, reason = "these are the provider's own files")]

use crate::attesting::Attester;
use crate::config::Config;
use credentials::b64;
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainError, TrustAnchors, Usage};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rand_core::CryptoRng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber,
};
use schemas::{Seconds, Timestamp};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The configuration, below the data directory.
pub const CONFIG_FILE: &str = "attester.json";
/// What issuers are given.
pub const ANCHOR_FILE: &str = "trust-anchor.pem";
/// What every wallet is given: the same for all of them.
pub const CODE_FILE: &str = "wallet-code.txt";
const KEY_FILE: &str = "attesting-key.pem";
const CHAIN_FILE: &str = "attesting.pem";
const ROOT_FILE: &str = "root-key.pem";

/// The settings while `init` is at work.
const UNFINISHED_FILE: &str = "attester.json.unfinished";

const ROOT_LIFETIME: Seconds = Seconds::DAY.times(365 * 10);
const LEAF_LIFETIME: Seconds = Seconds::DAY.times(800);

/// Why there is no usable provider.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is one already.
    #[error("{} already holds a provider", .0.display())]
    Exists(PathBuf),
    /// There is none.
    #[error("{} holds no provider", .0.display())]
    Absent(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} does not hold what `init` wrote", .0.display())]
    Malformed(PathBuf),
    /// Others than its owner may read a secret.
    #[error("{} may be read by others than its owner", .0.display())]
    Exposed(PathBuf),
    /// The certificate does not hold.
    #[error("the provider's own certificate does not hold: {0}")]
    Chain(#[from] ChainError),
    /// A key or certificate could not be made.
    #[error("a key or a certificate could not be made")]
    Making,
}

/// Makes a provider in `dir`: a root, a leaf that attests wallets, a code for wallets. Overwrites nothing that was finished; where
/// it was interrupted before, it begins anew.
///
/// # Errors
/// [`IdentityError`].
///
/// # Source
/// RFC 5280 §4.2; HAIP 1.0 §4.4.1: nothing self-signed signs attestations.
pub fn init<R: CryptoRng + ?Sized>(
    dir: &Path,
    config: &Config,
    now: Timestamp,
    rng: &mut R,
) -> Result<(), IdentityError> {
    let unfinished = dir.join(UNFINISHED_FILE);
    if dir.join(CONFIG_FILE).exists() || dir.join(KEY_FILE).exists() && !unfinished.exists() {
        return Err(IdentityError::Exists(dir.to_owned()));
    }
    make_dir(dir)?;
    if unfinished.exists() {
        clear(dir)?;
    }
    // First of all, and under its own name last of all: what stands beside it until then is nobody's yet.
    let text = serde_json::to_vec_pretty(config).map_err(|_| IdentityError::Making)?;
    write(&unfinished, &text, 0o600)?;
    let (root_pem, root_pair) = fresh_key(rng)?;
    let (leaf_pem, leaf_pair) = fresh_key(rng)?;
    let making = |_| IdentityError::Making;
    let mut root = params(&format!("{} providers", config.wallet_name), now, ROOT_LIFETIME, rng)?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let anchor = root.self_signed(&root_pair).map_err(making)?.pem();
    let mut leaf = params(&config.wallet_name, now, LEAF_LIFETIME, rng)?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(Usage::WalletAttesting.oid().to_vec())];
    leaf.subject_alt_names.push(SanType::URI(config.url.as_str().try_into().map_err(making)?));
    if let Some(host) = config.url.host() {
        leaf.subject_alt_names.push(SanType::DnsName(host.as_str().try_into().map_err(making)?));
    }
    let chain = leaf.signed_by(&leaf_pair, &Issuer::new(root, root_pair)).map_err(making)?.pem();
    let mut code = Zeroizing::new([0u8; 16]);
    rng.fill_bytes(code.as_mut_slice());
    write(&dir.join(ROOT_FILE), root_pem.as_bytes(), 0o600)?;
    write(&dir.join(KEY_FILE), leaf_pem.as_bytes(), 0o600)?;
    write(&dir.join(CHAIN_FILE), chain.as_bytes(), 0o644)?;
    write(&dir.join(ANCHOR_FILE), anchor.as_bytes(), 0o644)?;
    write(&dir.join(CODE_FILE), Zeroizing::new(format!("{}\n", b64::encode(code.as_slice()))).as_bytes(), 0o600)?;
    // Where this file is, all others are whole.
    let path = dir.join(CONFIG_FILE);
    fs::rename(&unfinished, &path).map_err(|source| IdentityError::File { path, source })
}

/// Takes away what an `init` left that was interrupted; the sign of that last.
fn clear(dir: &Path) -> Result<(), IdentityError> {
    for name in [ROOT_FILE, KEY_FILE, CHAIN_FILE, ANCHOR_FILE, CODE_FILE, UNFINISHED_FILE] {
        let path = dir.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(IdentityError::File { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens what [`init`] made, and checks that an issuer that trusts its anchor takes what it signs.
///
/// # Errors
/// [`IdentityError`].
pub fn open(dir: &Path, now: Timestamp) -> Result<Attester, IdentityError> {
    let path = |name: &str| dir.join(name);
    let malformed = |name: &str| IdentityError::Malformed(dir.join(name));
    if !path(CONFIG_FILE).exists() {
        return Err(IdentityError::Absent(dir.to_owned()));
    }
    let config: Config = serde_json::from_slice(&read(&path(CONFIG_FILE))?).map_err(|_| malformed(CONFIG_FILE))?;
    let config = config.check().map_err(|_| malformed(CONFIG_FILE))?;
    let pem = secret(&path(KEY_FILE))?;
    let key = p256::SecretKey::from_pkcs8_pem(&pem).map_err(|_| malformed(KEY_FILE))?;
    let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(key.to_bytes().into());
    let key = SoftwareKey::from_scalar(&scalar).map_err(|_| malformed(KEY_FILE))?;
    let chain = CertificateChain::from_pem(&read(&path(CHAIN_FILE))?)?;
    let anchors = TrustAnchors::from_pem(&read(&path(ANCHOR_FILE))?).map_err(|_| malformed(ANCHOR_FILE))?;
    let verified = chain.verify_below(&anchors, Usage::WalletAttesting, now)?;
    if verified.leaf_key() != key.public_key() {
        return Err(malformed(CHAIN_FILE));
    }
    let code = secret(&path(CODE_FILE))?;
    Ok(Attester::new(config, key, chain, &code))
}

fn fresh_key<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<(Zeroizing<String>, KeyPair), IdentityError> {
    let scalar = SoftwareKey::generate(rng).and_then(|key| key.scalar()).map_err(|_| IdentityError::Making)?;
    let secret = p256::SecretKey::from_slice(scalar.as_slice()).map_err(|_| IdentityError::Making)?;
    let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| IdentityError::Making)?;
    let pair = KeyPair::from_pem(&pem).map_err(|_| IdentityError::Making)?;
    Ok((pem, pair))
}

fn params<R: CryptoRng + ?Sized>(
    name: &str,
    now: Timestamp,
    lifetime: Seconds,
    rng: &mut R,
) -> Result<CertificateParams, IdentityError> {
    let instant = |time: Timestamp| OffsetDateTime::from_unix_timestamp(time.unix()).map_err(|_| IdentityError::Making);
    let day = now.floor_to(Seconds::DAY);
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (instant(day.minus(Seconds::DAY))?, instant(day.plus(lifetime))?);
    // RFC 5280 appendix A, `ub-common-name`: 64 characters.
    params.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    params.use_authority_key_identifier_extension = true;
    let mut serial = [0u8; 16];
    rng.fill_bytes(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn make_dir(path: &Path) -> Result<(), IdentityError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), IdentityError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn secret(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(IdentityError::Exposed(path.to_owned()));
        }
    }
    let bytes = Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| IdentityError::Malformed(path.to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}
