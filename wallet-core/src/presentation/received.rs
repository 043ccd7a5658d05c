//! Fetching the request object: nothing in it is believed yet.

use super::RequestId;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address};
use crate::fault::{Blame, Fault};
use base64ct::{Base64UrlUnpadded, Encoding};
use credentials::did::DidDocument;
use credentials::request_object::{ClientId, RequestObjectIn, UnsignedRequestIn};
use rand_core::CryptoRng;
use schemas::Timestamp;
use url::Url;

/// The request object is being fetched; and after it the document with its client's keys, where that lies on the web.
#[derive(Debug)]
pub struct Fetching {
    effect: Effect,
    id: RequestId,
    loopback: Loopback,
    token: Token,
    /// The identifier whose document is being fetched, once the request is here.
    did: Option<String>,
}

/// The request as it came: nobody authenticated.
#[derive(Debug)]
pub struct Received {
    pub(super) id: RequestId,
    pub(super) loopback: Loopback,
    pub(super) request: RequestIn,
}

/// A request, in the two forms that it may come in.
#[derive(Debug)]
pub(super) enum RequestIn {
    /// The text of a token.
    Signed(Box<Token>),
    /// The parameters of a link.
    Unsigned(Box<UnsignedRequestIn>),
}

/// The text of a token, and what is known from elsewhere of whoever should have signed it.
#[derive(Debug)]
pub(super) struct Token {
    /// As the link names it.
    pub(super) client_id: String,
    pub(super) wallet_nonce: Option<String>,
    pub(super) text: String,
    /// Good for this one request, and never kept.
    pub(super) document: Option<DidDocument>,
}

impl Received {
    pub(super) fn unsigned(id: RequestId, request: UnsignedRequestIn) -> Self {
        let loopback = Loopback::as_named_by(request.response_uri().unwrap_or_default());
        Self { id, loopback, request: RequestIn::Unsigned(Box::new(request)) }
    }
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
    /// The document with the verifier's keys cannot be reached, or not safely.
    #[error("the DID document of the verifier cannot be fetched")]
    NoDocument,
    /// What lies in its place is not the verifier's document.
    #[error("what is published for the verifier's DID is not its document")]
    NotItsDocument,
}

impl Blame for FetchError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unreachable | Self::NoDocument => Fault::Network,
            Self::Status(status) if *status >= 500 => Fault::Network,
            Self::Status(_) | Self::NotText | Self::NotItsDocument => Fault::Peer,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable => "check the network, and that the verifier is running, then try again",
            Self::NoDocument => {
                "check the network; if others can be reached, tell the verifier: nobody can know who it is"
            }
            Self::NotItsDocument => "nothing was shown: nobody can know who asks, tell the verifier",
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
        let token = Token { client_id, wallet_nonce, text: String::new(), document: None };
        Self { effect, id, loopback, token, did: None }
    }

    /// The request is here. Where its client's keys lie on the web, and it is the client of the link, they are fetched now.
    fn go_on(mut self, text: String) -> Result<Progress<Self>, FetchError> {
        self.token.text = text;
        let client = ClientId::parse(&self.token.client_id).ok();
        let is_its = |request: RequestObjectIn<'_>| request.client_id() == self.token.client_id;
        let Some(did) = client.as_ref().and_then(ClientId::did).filter(|did| did.document_url().is_some()) else {
            return Ok(Progress::Ready(self.received()));
        };
        // Whatever is refused anyway leads nowhere.
        if !RequestObjectIn::parse(&self.token.text).is_ok_and(is_its) {
            return Ok(Progress::Ready(self.received()));
        }
        let place = did.document_url().map(url::Url::as_str).unwrap_or_default();
        let place = address(place, self.loopback).map_err(|_| FetchError::NoDocument)?;
        self.did = Some(did.as_str().to_owned());
        self.effect =
            Effect::get(place).header("accept", "application/did+json, application/json").at_most(DidDocument::LONGEST);
        Ok(Progress::Waiting(self))
    }

    fn received(self) -> Received {
        let Self { effect: _, id, loopback, token, did: _ } = self;
        Received { id, loopback, request: RequestIn::Signed(Box::new(token)) }
    }
}

impl Errand for Fetching {
    type Ready = Received;
    type Error = FetchError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    /// # Source
    /// OpenID4VP 1.0 §5.10; §5.9.3 `decentralized_identifier`: resolved by the method of the identifier. `did:web` §2.5.2.
    fn resume(mut self, outcome: Outcome, _: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, FetchError> {
        if let Some(did) = self.did.take() {
            let Outcome::Response(response) = outcome else { return Err(FetchError::NoDocument) };
            if response.status != 200 {
                return Err(FetchError::NotItsDocument);
            }
            let document = DidDocument::parse(&response.body, &did).map_err(|_| FetchError::NotItsDocument)?;
            self.token.document = Some(document);
            return Ok(Progress::Ready(self.received()));
        }
        let Outcome::Response(response) = outcome else { return Err(FetchError::Unreachable) };
        if response.status != 200 {
            return Err(FetchError::Status(response.status));
        }
        let text = String::from_utf8(response.body).map_err(|_| FetchError::NotText)?;
        // A line end after the token is the habit of many servers.
        self.go_on(text.trim_end().to_owned())
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
    r#""client_id_prefixes_supported":["x509_hash","x509_san_dns","decentralized_identifier","verifier_attestation","redirect_uri"],"#,
    r#""request_object_signing_alg_values_supported":["ES256"],"#,
    r#""authorization_encryption_alg_values_supported":["ECDH-ES"],"#,
    r#""authorization_encryption_enc_values_supported":["A128GCM","A256GCM"]}"#
);
