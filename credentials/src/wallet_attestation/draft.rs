//! What a provider says of a wallet, to be signed.

use super::TYPE;
use crate::jws;
use crate::key::PublicKey;
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use schemas::Timestamp;
use schemas::status::StatusReference;
use serde_json::{Map, Value, json};

/// What a provider says of its wallets: nothing in it but the key may be of one wallet alone.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Who says so.
    pub provider: &'a str,
    /// What kind of wallet it is.
    pub client_id: &'a str,
    /// What people call it.
    pub wallet_name: &'a str,
    /// Where more is said of it.
    pub wallet_link: Option<&'a str>,
    /// From when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Where it says whether it was revoked.
    pub status: Option<StatusReference>,
}

impl Draft<'_> {
    /// Signs it for the key of one wallet.
    ///
    /// The chain must be one for attesting wallets, without the anchor, which is checked by whoever reads it.
    ///
    /// # Errors
    /// [`SignError`] when the key is out of reach.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix E; HAIP 1.0 §4.4.1.
    pub fn sign(&self, key: &PublicKey, chain: &CertificateChain, signer: &dyn Signer) -> Result<String, SignError> {
        let header = object(json!({"alg": "ES256", "typ": TYPE, "x5c": chain.to_x5c()}));
        let mut claims = object(json!({
            "iss": self.provider, "sub": self.client_id, "iat": self.issued_at, "exp": self.expires_at,
            "wallet_name": self.wallet_name, "cnf": {"jwk": key.to_jwk()},
        }));
        if let Some(link) = self.wallet_link {
            claims.insert("wallet_link".to_owned(), link.into());
        }
        if let Some(status) = &self.status {
            claims.insert("status".to_owned(), json!({"status_list": status}));
        }
        jws::sign_object(&header, &claims, signer)
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
