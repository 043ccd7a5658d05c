//! Registering verifiers: the registrar's key, and what a verifier keeps of its own registration.

use super::config::VerifierName;
use super::desk::DeskError;
use super::identity::{Identity, IdentityError};
use credentials::registration::{self, RegistrationError};
use credentials::trust::Usage;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::registration::RegistrationClaims;
use std::path::Path;

/// Who registers verifiers. Keeps no list of them: whoever must know afterwards keeps what it printed.
#[derive(Debug)]
pub struct Registrar(Identity);

impl Registrar {
    /// Makes a registrar in `dir`: its key and certificates.
    ///
    /// # Errors
    /// [`DeskError::Exists`]; [`DeskError::Identity`].
    pub fn create<R: CryptoRng + ?Sized>(
        dir: &Path,
        name: &VerifierName,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<(), DeskError> {
        // What is written last decides: an `init` that was interrupted is done again.
        if dir.join(super::identity::LEAF_FILE).exists() {
            return Err(DeskError::Exists(dir.to_owned()));
        }
        super::key_files::create_private_dir(dir)
            .map_err(|source| IdentityError::File { path: dir.to_owned(), source })?;
        Ok(Identity::create_for(dir, Usage::VerifierRegistering, Vec::new(), name, now, rng)?)
    }

    /// Opens the registrar in `dir`.
    ///
    /// # Errors
    /// [`DeskError::Identity`] when there is none, or its certificate does not hold at `now`.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, DeskError> {
        let identity = Identity::open_for(dir, Usage::VerifierRegistering, None)?;
        identity.check(now)?;
        Ok(Self(identity))
    }

    /// Signs a registration.
    ///
    /// # Errors
    /// [`DeskError::Registration`] when no wallet would read it; [`DeskError::Internal`].
    pub fn register(&self, claims: &RegistrationClaims) -> Result<String, DeskError> {
        let token = registration::sign(claims, self.0.chain(), self.0.signer());
        let token = token.map_err(|_| DeskError::Internal("signing a registration"))?;
        registration::read_own(&token)?;
        Ok(token)
    }
}

/// A verifier's own registration: readable, not believed. Wallets judge it.
#[derive(Debug, Clone)]
pub struct OwnRegistration {
    text: String,
    claims: RegistrationClaims,
}

impl OwnRegistration {
    /// Reads one.
    ///
    /// # Errors
    /// [`DeskError::Registration`].
    pub fn parse(text: &str) -> Result<Self, DeskError> {
        Ok(Self { claims: registration::read_own(text)?, text: text.to_owned() })
    }

    /// That it is of this verifier, and not ended.
    ///
    /// # Errors
    /// [`DeskError::Registration`].
    pub(super) fn check(&self, client_id: &str, name: &str, now: Timestamp) -> Result<(), DeskError> {
        if self.claims.sub != client_id && self.claims.sub != name {
            return Err(RegistrationError::OtherVerifier.into());
        }
        if now >= self.claims.exp {
            return Err(RegistrationError::Time.into());
        }
        Ok(())
    }

    /// The token.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}
