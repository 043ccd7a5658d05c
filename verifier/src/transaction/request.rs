//! What a transaction looks like from outside: the link, and the request object behind it.

use super::Transaction;
use crate::policy::{LinkScheme, ResponseMode};
use credentials::jwe::{ContentEncryption, DecryptionKey};
use credentials::mdoc::{self, SessionTranscript};
use schemas::openid4vp::{ClientMetadata, JwkSet, RequestObject, SELF_ISSUED_AUDIENCE};
use serde_json::{Value, json};
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
    pub fn link(&self, endpoints: &Endpoints, scheme: LinkScheme) -> String {
        let query = Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", &endpoints.request_uri(self))
            .append_pair("request_uri_method", "post")
            .finish();
        format!("{scheme}://?{query}")
    }

    /// The link that is the request, for a transaction that was begun unsigned. `key` is as in [`Transaction::request_object`].
    ///
    /// # Errors
    /// [`serde_json::Error`] only where the request holds what JSON does not.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5 (parameters in the URL), §5.9.3 `redirect_uri`: the metadata are in `client_metadata`.
    pub fn unsigned_link(
        &self,
        endpoints: &Endpoints,
        scheme: LinkScheme,
        key: Option<&DecryptionKey>,
    ) -> Result<String, serde_json::Error> {
        let request =
            RequestObject { iat: None, exp: None, aud: None, ..self.request_object(endpoints, None, key, None) };
        let mut query = Serializer::new(String::new());
        let members = serde_json::to_value(&request)?;
        for (name, member) in members.as_object().into_iter().flatten() {
            query.append_pair(name, &member.as_str().map_or_else(|| member.to_string(), str::to_owned));
        }
        Ok(format!("{scheme}://?{}", query.finish()))
    }

    /// The request object, to be signed. `key` is the key of this one request to which the answer is encrypted, where the
    /// answer is; `wallet_nonce` is what the wallet posted.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5, §5.10 (`wallet_nonce`), §8.3 (`jwks`); both content encryptions: HAIP 1.0 §5.
    pub fn request_object(
        &self,
        endpoints: &Endpoints,
        name: Option<&str>,
        key: Option<&DecryptionKey>,
        wallet_nonce: Option<&str>,
    ) -> RequestObject {
        let encrypted = self.inquiry.response_mode == ResponseMode::DirectPostJwt;
        let key = key.filter(|_| encrypted);
        RequestObject {
            client_id: self.client_id.clone(),
            aud: Some(SELF_ISSUED_AUDIENCE.to_owned()),
            iss: None,
            response_type: "vp_token".to_owned(),
            response_mode: self.inquiry.response_mode.as_str().to_owned(),
            response_uri: Some(endpoints.response_uri(self)),
            redirect_uri: None,
            expected_origins: None,
            verifier_info: None,
            nonce: self.nonce.expose().to_owned(),
            state: Some(self.state.expose().to_owned()),
            dcql_query: Some(self.inquiry.query.as_wire().clone()),
            client_metadata: Some(ClientMetadata {
                jwks: key.map(|key| JwkSet { keys: vec![key.to_public_jwk(KEY_ID)] }),
                encrypted_response_enc_values_supported: encrypted
                    .then(|| OFFERED_ENCRYPTIONS.map(|enc| enc.name().to_owned()).to_vec()),
                vp_formats_supported: self.formats(),
                client_name: name.map(str::to_owned),
            }),
            transaction_data: self.proposal.as_ref().map(|proposal| vec![proposal.raw().to_owned()]),
            wallet_nonce: wallet_nonce.map(str::to_owned),
            iat: Some(self.made_at),
            exp: Some(self.expires_at),
        }
    }
}

impl Transaction {
    /// The formats asked for, and the algorithms taken in them.
    ///
    /// # Source
    /// OpenID4VP 1.0 §B.3.4, §B.2.2: −7 is ES256, −9 the same with P-256 alone.
    fn formats(&self) -> BTreeMap<String, Value> {
        let algorithms = |format: &str| {
            if format == mdoc::FORMAT {
                json!({"issuerauth_alg_values": [-7, -9], "deviceauth_alg_values": [-7, -9]})
            } else {
                let issuers: Vec<&str> = self.inquiry.issuer_algorithms.names().collect();
                json!({"sd-jwt_alg_values": issuers, "kb-jwt_alg_values": ["ES256"]})
            }
        };
        let formats = self.inquiry.query.credentials().iter().map(|query| query.format.as_str());
        formats.map(|format| (format.to_owned(), algorithms(format))).collect()
    }

    /// What stands for this request in an mdoc presentation. `key` is the key that the answer is encrypted to, where it is.
    ///
    /// # Source
    /// OpenID4VP 1.0 §B.2.6.1.
    pub fn session_transcript(&self, endpoints: &Endpoints, key: Option<&DecryptionKey>) -> SessionTranscript {
        let thumbprint = key.map(|key| key.public_key().thumbprint());
        let response_uri = endpoints.response_uri(self);
        SessionTranscript::openid4vp(&self.client_id, self.nonce.expose(), thumbprint.as_ref(), &response_uri)
    }
}

/// What is offered for the encrypted answer: `A128GCM` first, which every wallet has.
pub(crate) const OFFERED_ENCRYPTIONS: [ContentEncryption; 2] = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

/// The `kid` of the one key in the set. It need not be unique beyond the request, so it says nothing.
const KEY_ID: &str = "1";
