//! Tokens: what they are asked for with, what they grant, and what renews them.

use crate::keys::Fingerprint;
use schemas::Timestamp;

/// A token request, ready to be judged.
#[derive(Debug)]
pub struct Redemption {
    /// Which offer.
    pub code: Fingerprint,
    /// The transaction code given.
    pub tx_code: Fingerprint,
    /// How the new token will be found.
    pub token: Fingerprint,
    /// When the new token ends.
    pub token_expires: Timestamp,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// What the token is good for.
    pub configurations: Vec<String>,
    /// Whether the wallet asked with `authorization_details`, and so must name an identifier.
    pub by_identifier: bool,
    /// The claims and all else, sealed under the token.
    pub sealed: Vec<u8>,
    /// The refresh token that goes with it.
    pub refresh: Option<NewRefresh>,
}

/// A refresh token to keep; all else of it is that of the access token beside it.
#[derive(Debug)]
pub struct NewRefresh {
    /// Finds it.
    pub token: Fingerprint,
    /// When it ends.
    pub expires: Timestamp,
    /// What it renews, without any claim, sealed under it.
    pub sealed: Vec<u8>,
}

/// What a live refresh token renews.
#[derive(Debug)]
pub struct RenewalRecord {
    /// The configurations.
    pub configurations: Vec<String>,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: [u8; 32],
    /// When it ends.
    pub expires: Timestamp,
    /// Sealed under it; gone once its successor has been used.
    pub sealed: Option<Vec<u8>>,
}

/// A refresh, ready to be written.
#[derive(Debug)]
pub struct Renewal {
    /// The refresh token that was shown.
    pub shown: Fingerprint,
    /// The next one.
    pub next: NewRefresh,
    /// How the new access token will be found.
    pub token: Fingerprint,
    /// When it ends.
    pub token_expires: Timestamp,
    /// What it grants, sealed under it.
    pub sealed: Vec<u8>,
}

/// What a live access token grants.
#[derive(Debug)]
pub struct TokenRecord {
    /// The configurations that were not issued on it yet.
    pub configurations: Vec<String>,
    /// The thumbprint of the DPoP key it is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Whether the wallet must name a credential identifier.
    pub by_identifier: bool,
    /// Sealed under the token.
    pub sealed: Vec<u8>,
}
