//! The verifier's own key and certificates: a root that wallets may trust, and a leaf that signs requests.

use super::config::{Config, VerifierName, VerifierUrl};
use super::key_files::{create_private_dir, private_file, sync_dir};
use crate::policy::ClientIdPrefix;
use credentials::key::PublicKey;
use credentials::request_object::ClientId;
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{CertificateChain, ChainError, TrustAnchors, Usage};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rand_core::CryptoRng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use schemas::{Seconds, Timestamp};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use url::Host;
use zeroize::Zeroizing;

/// The root certificate, for wallets; below the data folder.
pub const ANCHOR_FILE: &str = "trust-anchor.pem";
/// The root's key: needed to renew the leaf, and better kept elsewhere.
pub const ROOT_KEY_FILE: &str = "identity/root-key.pem";
/// The leaf that signs requests.
pub const LEAF_FILE: &str = "identity/request.pem";
/// The leaf's key.
pub const LEAF_KEY_FILE: &str = "identity/request-key.pem";

const ROOT_LIFETIME: Seconds = Seconds::DAY.times(3_652);
const LEAF_LIFETIME: Seconds = Seconds::DAY.times(397);
/// Certificates begin this much earlier than now: wallets' clocks differ.
const LEEWAY: Seconds = Seconds::HOUR;

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file could not be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read a key.
    #[error("the key file {} may be read by others than its owner", .0.display())]
    Exposed(PathBuf),
    /// A file holds something else.
    #[error("{} holds no P-256 key or certificate of a verifier", .0.display())]
    Malformed(PathBuf),
    /// The certificates do not hold.
    #[error("the verifier's own certificates do not hold: {0}")]
    Chain(#[from] ChainError),
    /// The certificates could not be made.
    #[error("the certificates could not be made")]
    Making(#[from] rcgen::Error),
    /// A client identifier by DNS name was asked for, and the URL has an address.
    #[error("x509_san_dns needs a URL with a DNS name, and this verifier's has none")]
    NoDnsName,
    /// A client identifier was asked for that belongs to one request, which nobody signs.
    #[error("redirect_uri is the identifier of one unsigned request, and not of a verifier")]
    OfOneRequest,
}

/// Who signs the requests.
#[derive(Debug)]
pub struct Identity {
    signer: SoftwareKey,
    chain: CertificateChain,
    anchors: TrustAnchors,
    host: Option<String>,
    path: PathBuf,
}

impl Identity {
    /// Makes root and leaf below `dir`, which must have neither.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn create<R: CryptoRng + ?Sized>(
        dir: &Path,
        url: &VerifierUrl,
        name: &VerifierName,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), IdentityError> {
        let folder = dir.join("identity");
        create_private_dir(&folder).map_err(|source| IdentityError::File { path: folder, source })?;
        let mut params = root_params(name)?;
        lifetime(&mut params, now, ROOT_LIFETIME, rng);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root = params.self_signed(&key)?;
        write_secret(&dir.join(ROOT_KEY_FILE), &Zeroizing::new(key.serialize_pem()))?;
        write_public(&dir.join(ANCHOR_FILE), &root.pem())?;
        issue_leaf(dir, Issuer::new(params, key), url, name, now, rng)
    }

    /// Makes a new leaf under the root of `dir`. Requests not yet fetched were made for the old one and end with it.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn renew<R: CryptoRng + ?Sized>(
        dir: &Path,
        config: &Config,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), IdentityError> {
        let path = dir.join(ROOT_KEY_FILE);
        let key = KeyPair::from_pem(&read_secret(&path)?).map_err(|_| IdentityError::Malformed(path))?;
        issue_leaf(dir, Issuer::new(root_params(&config.name)?, key), &config.url, &config.name, now, rng)
    }

    /// Reads the identity below `dir`. That it holds at some time is [`Identity::check`]'s to say: what was received must stay
    /// readable, or be found ended, by whatever clock.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn open(dir: &Path, url: &VerifierUrl) -> Result<Self, IdentityError> {
        let path = dir.join(LEAF_KEY_FILE);
        let malformed = || IdentityError::Malformed(path.clone());
        let secret = p256::SecretKey::from_pkcs8_pem(&read_secret(&path)?).map_err(|_| malformed())?;
        let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(secret.to_bytes().into());
        let signer = SoftwareKey::from_scalar(&scalar).map_err(|_| malformed())?;
        let leaf = dir.join(LEAF_FILE);
        let chain = CertificateChain::from_pem(read(&leaf)?.as_bytes()).map_err(|_| IdentityError::Malformed(leaf))?;
        let anchor = dir.join(ANCHOR_FILE);
        let anchors =
            TrustAnchors::from_pem(read(&anchor)?.as_bytes()).map_err(|_| IdentityError::Malformed(anchor))?;
        let host = match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            _ => None,
        };
        Ok(Self { signer, chain, anchors, host, path })
    }

    /// Checks that a wallet that trusts the root would take the leaf at `now`; gives the end of the leaf.
    ///
    /// # Errors
    /// [`IdentityError::Chain`], or [`IdentityError::Malformed`] when key and certificate are not a pair.
    pub fn check(&self, now: Timestamp) -> Result<Timestamp, IdentityError> {
        let verified = self.chain.verify(&self.anchors, Usage::Verifier, now)?;
        if verified.leaf_key() != self.signer.public_key() {
            return Err(IdentityError::Malformed(self.path.clone()));
        }
        Ok(verified.not_after())
    }

    /// The full client identifier.
    ///
    /// # Errors
    /// [`IdentityError::NoDnsName`], [`IdentityError::OfOneRequest`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3.
    pub fn client_id(&self, prefix: ClientIdPrefix) -> Result<String, IdentityError> {
        let id = match prefix {
            ClientIdPrefix::X509Hash => ClientId::x509_hash(&Sha256::digest(self.chain.leaf()).into()),
            ClientIdPrefix::X509SanDns => {
                let host = self.host.as_deref().ok_or(IdentityError::NoDnsName)?;
                ClientId::x509_san_dns(host).map_err(|_| IdentityError::NoDnsName)?
            }
            ClientIdPrefix::RedirectUri => return Err(IdentityError::OfOneRequest),
        };
        Ok(id.as_str().to_owned())
    }

    /// Whether `client_id` is one of ours still: after [`Identity::renew`] the old hash is not.
    pub fn is_ours(&self, client_id: &str) -> bool {
        [ClientIdPrefix::X509Hash, ClientIdPrefix::X509SanDns]
            .into_iter()
            .any(|prefix| self.client_id(prefix).is_ok_and(|own| own == client_id))
    }

    /// Who signs.
    pub fn signer(&self) -> &dyn Signer {
        &self.signer
    }

    /// The leaf; the root stays out.
    pub const fn chain(&self) -> &CertificateChain {
        &self.chain
    }
}

struct LeafKey([u8; 65]);

impl PublicKeyData for LeafKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// What of the root a leaf repeats: made from the name alone, so that a renewed leaf fits the first root.
fn root_params(name: &VerifierName) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, format!("{} (root)", name.as_str()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn issue_leaf<R: CryptoRng + ?Sized>(
    dir: &Path,
    issuer: Issuer<'_, KeyPair>,
    url: &VerifierUrl,
    name: &VerifierName,
    now: Timestamp,
    rng: &mut R,
) -> Result<(), IdentityError> {
    let key_path = dir.join(LEAF_KEY_FILE);
    let malformed = || IdentityError::Malformed(key_path.clone());
    let key = SoftwareKey::generate(rng).map_err(|_| malformed())?;
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(malformed()),
    };
    let mut params = CertificateParams::new(vec![host])?;
    params.distinguished_name.push(DnType::CommonName, name.as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(Usage::Verifier.oid().to_vec())];
    params.use_authority_key_identifier_extension = true;
    lifetime(&mut params, now, LEAF_LIFETIME, rng);
    let public: &PublicKey = key.public_key();
    let leaf = params.signed_by(&LeafKey(public.to_sec1()), &issuer)?;
    let scalar = key.scalar().map_err(|_| malformed())?;
    let secret = p256::SecretKey::from_slice(scalar.as_slice()).map_err(|_| malformed())?;
    let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| malformed())?;
    write_secret(&key_path, &pem)?;
    write_public(&dir.join(LEAF_FILE), &leaf.pem())
}

fn lifetime<R: CryptoRng + ?Sized>(params: &mut CertificateParams, now: Timestamp, span: Seconds, rng: &mut R) {
    let at = |time: Timestamp| OffsetDateTime::from_unix_timestamp(time.unix()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_before = at(now.minus(LEEWAY));
    params.not_after = at(now.plus(span));
    let mut serial = [0u8; 17];
    rng.fill_bytes(&mut serial);
    // Positive, and not beginning with a zero octet.
    serial[0] = 0x01;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}

fn read(path: &Path) -> Result<String, IdentityError> {
    fs::read_to_string(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(IdentityError::Exposed(path.to_owned()));
        }
    }
    read(path).map(Zeroizing::new)
}

/// By way of a temporary file beside it, so that it is there whole or not at all.
fn write_secret(path: &Path, text: &str) -> Result<(), IdentityError> {
    let temporary = path.with_extension("tmp");
    let write = || {
        let _ = fs::remove_file(&temporary);
        let mut file = private_file(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        path.parent().map_or(Ok(()), sync_dir)
    };
    write().map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn write_public(path: &Path, text: &str) -> Result<(), IdentityError> {
    write_secret(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
            .map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
    }
    Ok(())
}
