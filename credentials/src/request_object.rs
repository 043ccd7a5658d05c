//! The request of a verifier, signed or not: who asks, for what, and where the answer goes.

mod authenticate;
mod client;
mod client_id;
pub mod dc_api;
mod unsigned;

#[cfg(test)]
mod tests;

pub use authenticate::AuthenticatedRequest;
pub use client_id::{ClientId, ClientIdError};
pub use unsigned::UnsignedRequestIn;

use crate::consent::ConsentError;
use crate::dcql::DcqlError;
use crate::did::DidDocument;
use crate::json::Limits;
use crate::jwe::NoRecipient;
use crate::jws::{self, JwsError, JwsIn};
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, ChainError};
use schemas::Timestamp;
use schemas::openid4vp::{REQUEST_OBJECT_TYP, RequestObject};
use serde_json::{Map, Value};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestObjectError {
    // Nobody is known to have asked: nothing may be answered, not even an error.
    /// Not a JWS that we read.
    #[error("request object is not a JWS that is read here")]
    Jws(#[source] JwsError),
    /// Another type of token.
    #[error("token is not a request object: expected typ {REQUEST_OBJECT_TYP}")]
    WrongType,
    /// A member is missing or of the wrong kind.
    #[error("request object has missing or malformed members")]
    Malformed,
    /// The link names another client than the request object.
    #[error("request object is of another client than the link")]
    OtherClient,
    /// A client identifier that we cannot authenticate.
    #[error("client identifier cannot be authenticated")]
    ClientId(#[source] ClientIdError),
    /// No `x5c` header.
    #[error("request object has no x5c certificate chain")]
    NoChain,
    /// The chain is not in order.
    #[error("certificate chain of the request object is not acceptable")]
    Chain(#[source] ChainError),
    /// The leaf certificate is not of the client.
    #[error("certificate of the request object is not of the client it names")]
    OtherCertificate,
    /// No `kid`, or one that names no key of the client.
    #[error("request object names no key of its client")]
    NoKey,
    /// The attestation of who signs is not in order; which part of it.
    #[error("attestation of the verifier is not acceptable: {0}")]
    Attestation(&'static str),
    /// The signature does not fit.
    #[error("signature of the request object is wrong")]
    Signature,
    /// Not the answer to our call.
    #[error("request object does not have the wallet_nonce that was sent")]
    WalletNonce,
    /// For somebody else.
    #[error("request object is for another audience")]
    Audience,
    /// Its time is over.
    #[error("request ended at {ended}")]
    Ended {
        /// When.
        ended: Timestamp,
    },
    /// From the future.
    #[error("request was made at {issued_at}, later than this clock")]
    IssuedLater {
        /// When.
        issued_at: Timestamp,
    },
    /// No place to answer to, or one that is no `https` URL, or holds credentials or a fragment.
    #[error("response_uri is missing or is not a plain https URL")]
    ResponseUri,
    /// A consent is proposed, and nobody signed that: it would bind nobody.
    #[error("an unsigned request proposes a consent, which would bind nobody")]
    UnsignedConsent,
    /// The answer would go to another host than the one that asks.
    #[error("response_uri is not on the host of the client")]
    ResponseHost,

    /// Not an origin of the web, as platforms write it.
    #[error("the origin that asks is not a plain https origin")]
    Origin,

    // The verifier is known, its request is not one that we answer: `invalid_request` and the like.
    /// Made for other origins than the one that asks: somebody sends on what was not asked of them.
    #[error("request was made for another origin than the one that asks")]
    OtherOrigin,
    /// Both places to go to.
    #[error("request has a redirect_uri beside direct_post")]
    RedirectUri,
    /// Not `vp_token`.
    #[error("response_type is not vp_token")]
    ResponseType,
    /// Not `direct_post` or `direct_post.jwt`.
    #[error("response_mode is neither direct_post nor direct_post.jwt")]
    ResponseMode,
    /// Too short to be 128 random bits, or with characters that may not be there.
    #[error("nonce is not 128 random bits in URL-safe characters")]
    Nonce,
    /// Too long, or with characters that may not be there.
    #[error("state is not of URL-safe characters")]
    State,
    /// Neither or both of `dcql_query` and `scope`; we know no scopes.
    #[error("request has no dcql_query, or has a scope")]
    NoQuery,
    /// The query is not in order.
    #[error("dcql_query is not in order")]
    Query(#[source] DcqlError),
    /// The verifier does not take the format that it asks for.
    #[error("verifier takes neither SD-JWT VC nor mdoc signed with ES256")]
    Formats,
    /// An encrypted answer is asked for that we cannot make.
    #[error("an encrypted answer cannot be made")]
    Recipient(#[source] NoRecipient),
    /// The transaction data are not in order.
    #[error("transaction_data is not in order")]
    TransactionData(#[source] ConsentError),
}

impl RequestObjectError {
    /// The error code to answer with, once the holder has seen the request; none when nobody is known to have asked.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.5 "Error Response"; that it tells nothing of the wallet: §15.9.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Jws(_)
            | Self::WrongType
            | Self::Malformed
            | Self::OtherClient
            | Self::ClientId(_)
            | Self::NoChain
            | Self::Chain(_)
            | Self::OtherCertificate
            | Self::NoKey
            | Self::Attestation(_)
            | Self::Signature
            | Self::WalletNonce
            | Self::Audience
            | Self::Ended { .. }
            | Self::IssuedLater { .. }
            | Self::Origin
            | Self::UnsignedConsent
            | Self::ResponseUri
            | Self::ResponseHost => None,
            Self::OtherOrigin
            | Self::RedirectUri
            | Self::ResponseType
            | Self::ResponseMode
            | Self::Nonce
            | Self::State
            | Self::NoQuery
            | Self::Query(_)
            | Self::Recipient(_) => Some("invalid_request"),
            Self::Formats => Some("vp_formats_not_supported"),
            Self::TransactionData(_) => Some("invalid_transaction_data"),
        }
    }
}

/// A request object as it came: parsed, nobody authenticated.
#[derive(Debug, Clone)]
pub struct RequestObjectIn<'t> {
    jws: JwsIn<'t>,
    request: RequestObject,
    has_scope: bool,
    document: Option<DidDocument>,
}

impl<'t> RequestObjectIn<'t> {
    /// Parses a request object.
    ///
    /// Unknown members are ignored, as they must be; `transaction_data` is the exception, and checked later.
    ///
    /// # Errors
    /// [`RequestObjectError::Jws`], [`RequestObjectError::WrongType`], [`RequestObjectError::Malformed`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5 "Authorization Request"; RFC 9101 §4.
    pub fn parse(text: &'t str) -> Result<Self, RequestObjectError> {
        let jws = JwsIn::parse(text, &Limits::TOKEN).map_err(RequestObjectError::Jws)?;
        jws.expect_type(REQUEST_OBJECT_TYP).map_err(|_| RequestObjectError::WrongType)?;
        jws.expect_no_jwk().map_err(RequestObjectError::Jws)?;
        let payload = jws.payload_object(&Limits::TOKEN).map_err(RequestObjectError::Jws)?;
        let has_scope = payload.contains_key("scope");
        let request = serde_json::from_value(Value::Object(payload)).map_err(|_| RequestObjectError::Malformed)?;
        Ok(Self { jws, request, has_scope, document: None })
    }

    /// The same with the document of its client, where that is a decentralized identifier whose document lies on the web.
    #[must_use]
    pub fn with_document(self, document: DidDocument) -> Self {
        Self { document: Some(document), ..self }
    }

    /// Who it says that it is of; nothing of it is believed yet.
    pub fn client_id(&self) -> &str {
        &self.request.client_id
    }
}

/// Signs a request object with the key of the chain's leaf.
///
/// Checks nothing: a wallet will.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// OpenID4VP 1.0 §5; RFC 9101 §10.8 for `typ`; the anchor stays out of `x5c` (HAIP 1.0 §5).
pub fn sign(request: &RequestObject, chain: &CertificateChain, signer: &dyn Signer) -> Result<String, SignError> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), Value::from("ES256"));
    header.insert("typ".to_owned(), Value::from(REQUEST_OBJECT_TYP));
    header.insert("x5c".to_owned(), Value::from(chain.to_x5c()));
    let payload = serde_json::to_vec(request).map_err(|_| SignError::Unavailable)?;
    jws::sign(&header, &payload, signer)
}
