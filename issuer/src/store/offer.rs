//! Offers, requests that were pushed for them, and the answers of persons.

use crate::keys::Fingerprint;
use schemas::Timestamp;

/// An offer to keep.
#[derive(Debug)]
pub struct NewOffer {
    /// Finds it.
    pub code: Fingerprint,
    /// Checks its transaction code.
    pub tx_code: Fingerprint,
    /// Finds it for revocation.
    pub handle: Fingerprint,
    /// The configurations offered.
    pub configurations: Vec<String>,
    /// When it ends.
    pub expires: Timestamp,
    /// The claims and all else, sealed under the code.
    pub sealed: Vec<u8>,
}

/// A live offer.
#[derive(Debug)]
pub struct OfferRecord {
    /// The configurations offered.
    pub configurations: Vec<String>,
    /// Sealed under the code.
    pub sealed: Vec<u8>,
}

/// A pushed authorization request to keep.
#[derive(Debug)]
pub struct Pushed {
    /// Finds it.
    pub request: Fingerprint,
    /// The offer that it is for.
    pub offer: Fingerprint,
    /// When it ends.
    pub expires: Timestamp,
    /// The request, sealed under its name.
    pub sealed: Vec<u8>,
}

/// A person's answer, ready to be judged.
#[derive(Debug)]
pub struct Exchange {
    /// Which offer.
    pub offer: Fingerprint,
    /// The desk's code as given.
    pub tx_code: Fingerprint,
    /// The request that it answers.
    pub request: Fingerprint,
    /// How the new authorization code will be found.
    pub code: Fingerprint,
    /// When that ends.
    pub expires: Timestamp,
    /// Request and claims, sealed under the code.
    pub sealed: Vec<u8>,
}
