//! Keys in files: PKCS#8 PEM, readable by the issuer's account alone.

#![allow(clippy::disallowed_methods, reason = "this adapter reads and writes the key files")]

use super::{Fingerprint, Keys, Purpose, SigningIdentity};
use credentials::key::KeyError;
use credentials::signer::SoftwareKey;
use credentials::trust::CertificateChain;
use hmac::{Hmac, KeyInit, Mac};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use sha2::Sha256;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

mod pem;

use pem::Blocks;

/// The file of the credential key and its chain, below the data directory.
pub const CREDENTIAL_FILE: &str = "keys/credential.pem";
/// The file of the status key and its chain.
pub const STATUS_FILE: &str = "keys/status.pem";
/// The file of the key for trust lists and its chain, of an authority that makes them.
pub const TRUST_LIST_FILE: &str = "keys/trust-list.pem";
/// The file of the intermediate key and its certificate; needed to renew the two above.
pub const INTERMEDIATE_FILE: &str = "keys/intermediate.pem";
/// The file of the root key and its certificate; needed once in ten years, and better kept elsewhere.
pub const ROOT_FILE: &str = "keys/root.pem";
/// The file of the fingerprint key: 32 bytes.
pub const FINGERPRINT_FILE: &str = "keys/fingerprint.key";

/// Keys in memory, read from files.
pub struct SoftwareKeys {
    credential: (SoftwareKey, CertificateChain),
    status: (SoftwareKey, CertificateChain),
    fingerprint: Zeroizing<[u8; 32]>,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It could not be read or written.
    #[error("the key file {} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read it.
    #[error("the key file {} may be read by others than its owner", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// It holds no key, or no chain, of the kind we need.
    #[error("the key file {} holds no P-256 key with its certificate chain", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
    },
}

impl SoftwareKeys {
    /// Reads the keys below `dir`.
    ///
    /// # Errors
    /// [`KeyFileError`] if a file is missing, malformed, or may be read by others.
    pub fn open(dir: &Path) -> Result<Self, KeyFileError> {
        // Not needed to serve, and better kept elsewhere; but where it lies here, nobody else may read it.
        match read(&dir.join(ROOT_FILE)) {
            Err(KeyFileError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            root => drop(root?),
        }
        let path = dir.join(FINGERPRINT_FILE);
        let bytes = read(&path)?;
        let fingerprint: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyFileError::Malformed { path })?;
        Ok(Self {
            credential: read_identity(&dir.join(CREDENTIAL_FILE))?,
            status: read_identity(&dir.join(STATUS_FILE))?,
            fingerprint: Zeroizing::new(fingerprint),
        })
    }
}

impl Keys for SoftwareKeys {
    fn credential(&self) -> SigningIdentity<'_> {
        SigningIdentity { signer: &self.credential.0, chain: &self.credential.1 }
    }

    fn status(&self) -> SigningIdentity<'_> {
        SigningIdentity { signer: &self.status.0, chain: &self.status.1 }
    }

    fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Fingerprint {
        fingerprint(&self.fingerprint, purpose, parts)
    }
}

impl fmt::Debug for SoftwareKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential: _, status: _, fingerprint: _ } = self;
        f.debug_struct("SoftwareKeys").finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 over the label and each part, every one length-prefixed.
pub fn fingerprint(key: &[u8; 32], purpose: Purpose, parts: &[&[u8]]) -> Fingerprint {
    // HMAC pads a short key with zeros to its block (RFC 2104 §2); done here, it is a fixed size that nothing refuses.
    let mut block = Zeroizing::new([0u8; 64]);
    if let Some(head) = block.get_mut(..key.len()) {
        head.copy_from_slice(key);
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in std::iter::once(purpose.label().as_bytes()).chain(parts.iter().copied()) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Fingerprint::from_bytes(mac.finalize().into_bytes().into())
}

/// A key's PKCS#8 PEM, as it stands in a key file.
pub(crate) fn key_pem(key: &SoftwareKey) -> Result<Zeroizing<String>, KeyError> {
    let secret = p256::SecretKey::from_slice(key.scalar()?.as_slice()).map_err(|_| KeyError::Scalar)?;
    secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Scalar)
}

/// Reads a key file without its chain.
pub(crate) fn read_key_pem(path: &Path) -> Result<(Zeroizing<String>, String), KeyFileError> {
    let malformed = || KeyFileError::Malformed { path: path.to_owned() };
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    let blocks = Blocks::split(text);
    let key = blocks.first("PRIVATE KEY").ok_or_else(malformed)?;
    Ok((Zeroizing::new(key.to_owned()), blocks.all("CERTIFICATE")))
}

pub(crate) fn read_identity(path: &Path) -> Result<(SoftwareKey, CertificateChain), KeyFileError> {
    let malformed = || KeyFileError::Malformed { path: path.to_owned() };
    let (key, chain) = read_key_pem(path)?;
    let secret = p256::SecretKey::from_pkcs8_pem(&key).map_err(|_| malformed())?;
    let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(secret.to_bytes().into());
    let key = SoftwareKey::from_scalar(&scalar).map_err(|_| malformed())?;
    let chain = CertificateChain::from_pem(chain.as_bytes()).map_err(|_| malformed())?;
    Ok((key, chain))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |source| KeyFileError::File { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned() });
        }
    }
    fs::read(path).map(Zeroizing::new).map_err(failed)
}

/// Writes a secret file: mode 0600, whole or not at all, synced to disk.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    write_with_mode(path, bytes, 0o600).map_err(|source| KeyFileError::File { path: path.to_owned(), source })
}

/// Writes a file by way of a temporary one beside it, and syncs both the file and its directory.
pub(crate) fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
