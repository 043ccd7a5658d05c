//! What a transaction looks like from outside: the link, and the request object behind it.

use super::Transaction;
use crate::policy::ResponseMode;
use credentials::dcql::FORMAT;
use credentials::jwe::{ContentEncryption, DecryptionKey};
use schemas::openid4vp::{ClientMetadata, JwkSet, REQUEST_SCHEME, RequestObject, SELF_ISSUED_AUDIENCE};
use serde_json::json;
use std::collections::BTreeMap;
use url::form_urlencoded::Serializer;

/// Where the verifier is reached.
#[derive(Debug, Clone)]
pub struct Endpoints {
    base: String,
}

impl Endpoints {
    /// The endpoints below `base`, a URL without a slash at its end.
    pub fn below(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned() }
    }

    /// Where the request object of `transaction` is fetched.
    pub fn request_uri(&self, transaction: &Transaction) -> String {
        format!("{}/openid4vp/request/{}", self.base, transaction.request_handle.expose())
    }

    /// Where `transaction` is answered.
    pub fn response_uri(&self, transaction: &Transaction) -> String {
        format!("{}/openid4vp/response/{}", self.base, transaction.response_handle.expose())
    }
}

impl Transaction {
    /// The link for the holder's wallet, as a QR code shows it.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 `request_uri_method`; RFC 9101 §5.2.
    pub fn link(&self, endpoints: &Endpoints) -> String {
        let query = Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", &endpoints.request_uri(self))
            .append_pair("request_uri_method", "post")
            .finish();
        format!("{REQUEST_SCHEME}://?{query}")
    }

    /// The request object, to be signed. `key` is the key of this one request to which the answer is encrypted, where the
    /// answer is; `wallet_nonce` is what the wallet posted.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5, §5.10 (`wallet_nonce`), §8.3 (`jwks`); both content encryptions: HAIP 1.0 §5.
    pub fn request_object(
        &self,
        endpoints: &Endpoints,
        name: &str,
        key: Option<&DecryptionKey>,
        wallet_nonce: Option<&str>,
    ) -> RequestObject {
        let encrypted = self.inquiry.response_mode == ResponseMode::DirectPostJwt;
        let key = key.filter(|_| encrypted);
        let algorithms = json!({"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]});
        RequestObject {
            client_id: self.client_id.clone(),
            aud: Some(SELF_ISSUED_AUDIENCE.to_owned()),
            iss: None,
            response_type: "vp_token".to_owned(),
            response_mode: self.inquiry.response_mode.as_str().to_owned(),
            response_uri: Some(endpoints.response_uri(self)),
            redirect_uri: None,
            nonce: self.nonce.expose().to_owned(),
            state: Some(self.state.expose().to_owned()),
            dcql_query: Some(self.inquiry.query.as_wire().clone()),
            client_metadata: Some(ClientMetadata {
                jwks: key.map(|key| JwkSet { keys: vec![key.to_public_jwk(KEY_ID)] }),
                encrypted_response_enc_values_supported: encrypted
                    .then(|| OFFERED_ENCRYPTIONS.map(|enc| enc.name().to_owned()).to_vec()),
                vp_formats_supported: BTreeMap::from([(FORMAT.to_owned(), algorithms)]),
                client_name: Some(name.to_owned()),
            }),
            transaction_data: self.proposal.as_ref().map(|proposal| vec![proposal.raw().to_owned()]),
            wallet_nonce: wallet_nonce.map(str::to_owned),
            iat: Some(self.made_at),
            exp: Some(self.expires_at),
        }
    }
}

/// What is offered for the encrypted answer: `A128GCM` first, which every wallet has.
pub(crate) const OFFERED_ENCRYPTIONS: [ContentEncryption; 2] = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

/// The `kid` of the one key in the set. It need not be unique beyond the request, so it says nothing.
const KEY_ID: &str = "1";
