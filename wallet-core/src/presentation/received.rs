//! Fetching the request object: nothing in it is believed yet.

use super::RequestId;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress};
use crate::fault::{Blame, Fault};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand_core::CryptoRng;
use schemas::Timestamp;
use url::Url;

/// The request object is being fetched.
#[derive(Debug)]
pub struct Fetching {
    effect: Effect,
    received: Received,
}

/// The request object as it came: the text of a token, nobody authenticated.
#[derive(Debug)]
pub struct Received {
    pub(super) id: RequestId,
    pub(super) client_id: String,
    pub(super) wallet_nonce: Option<String>,
    pub(super) loopback: Loopback,
    pub(super) text: String,
}

/// How the request object is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestMethod {
    Get,
    Post,
}

/// Why no request object came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The verifier cannot be reached.
    #[error("the verifier cannot be reached")]
    Unreachable,
    /// It answered with another status than 200: the request was fetched before, or its time is over.
    #[error("the verifier answered with status {0} instead of the request")]
    Status(u16),
    /// What came is no text.
    #[error("what the verifier sent is no request")]
    NotText,
}

impl Blame for FetchError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unreachable => Fault::Network,
            Self::Status(status) if *status >= 500 => Fault::Network,
            Self::Status(_) | Self::NotText => Fault::Peer,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable => "check the network, and that the verifier is running, then try again",
            Self::Status(_) | Self::NotText => "a link works once and for a short time: ask the verifier for a new one",
        }
    }
}

impl Fetching {
    pub(super) fn new(
        id: RequestId,
        client_id: String,
        request_uri: Url,
        method: RequestMethod,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let (effect, wallet_nonce) = match method {
            RequestMethod::Get => (Effect::get(request_uri), None),
            RequestMethod::Post => {
                let nonce = wallet_nonce(rng);
                let fields = [("wallet_metadata", WALLET_METADATA), ("wallet_nonce", nonce.as_str())];
                (Effect::post(request_uri).form(fields), Some(nonce))
            }
        };
        let effect = effect.header("accept", "application/oauth-authz-req+jwt");
        let loopback = effect.loopback();
        Self { effect, received: Received { id, client_id, wallet_nonce, loopback, text: String::new() } }
    }
}

impl Errand for Fetching {
    type Ready = Received;
    type Error = FetchError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(self, outcome: Outcome, _: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, FetchError> {
        let Outcome::Response(response) = outcome else { return Err(FetchError::Unreachable) };
        if response.status != 200 {
            return Err(FetchError::Status(response.status));
        }
        let text = String::from_utf8(response.body).map_err(|_| FetchError::NotText)?;
        // A line end after the token is the habit of many servers.
        Ok(Progress::Ready(Received { text: text.trim_end().to_owned(), ..self.received }))
    }
}

/// 128 random bits.
fn wallet_nonce(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Base64UrlUnpadded::encode_string(&bytes)
}

/// What this wallet can do: the same for everybody, so that it tells nobody apart.
///
/// # Source
/// OpenID4VP 1.0 §5.10, §10.1.
const WALLET_METADATA: &str = concat!(
    r#"{"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]},"#,
    r#""mso_mdoc":{"issuerauth_alg_values":[-7,-9],"deviceauth_alg_values":[-7,-9]}},"#,
    r#""client_id_prefixes_supported":["x509_hash","x509_san_dns","decentralized_identifier","verifier_attestation"],"#,
    r#""request_object_signing_alg_values_supported":["ES256"],"#,
    r#""authorization_encryption_alg_values_supported":["ECDH-ES"],"#,
    r#""authorization_encryption_enc_values_supported":["A128GCM","A256GCM"]}"#
);
