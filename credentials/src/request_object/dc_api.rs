//! Requests and answers by way of the Digital Credentials API: objects that a browser or an app platform carries, and the origin that it vouches for.
//!
//! Pure functions; the platform is the caller. The answer is bound to the origin, whoever signed the request.

mod answer;
mod asked;

pub use answer::{AnswerError, DcApiAnswer, refusal};
pub use asked::{SignedAs, multi_signed, signed, unsigned};

use super::authenticate::{check_nonce, check_occasion, consent, takes};
use super::client::Client;
use super::{ClientId, ClientIdError, RequestObjectError};
use crate::consent::ProposedConsent;
use crate::dcql::{FORMAT, Query};
use crate::json::Limits;
use crate::jwe::{EncryptError, Recipient};
use crate::jws::JwsIn;
use crate::mdoc::{self, SessionTranscript};
use crate::trust::{Trust, TrustAnchors, VerifiedChain};
use crate::{b64, json};
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vp::{AuthorizationResponse, ClientMetadata, REQUEST_OBJECT_TYP, RequestObject};
use serde_json::{Map, Value, json};
use url::Url;

/// How the request is secured: the exchange protocol of the platform's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `openid4vp-v1-unsigned`
    Unsigned,
    /// `openid4vp-v1-signed`
    Signed,
    /// `openid4vp-v1-multisigned`
    MultiSigned,
}

impl Protocol {
    /// The one of that name.
    ///
    /// # Source
    /// OpenID4VP 1.0 Appendix A.1.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Unsigned, Self::Signed, Self::MultiSigned].into_iter().find(|protocol| protocol.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "openid4vp-v1-unsigned",
            Self::Signed => "openid4vp-v1-signed",
            Self::MultiSigned => "openid4vp-v1-multisigned",
        }
    }
}

/// A request by that way that can be answered.
#[derive(Debug, Clone)]
pub struct DcApiRequest {
    origin: String,
    client: Option<(ClientId, VerifiedChain)>,
    request: RequestObject,
    query: Query,
    consent: Option<ProposedConsent>,
    recipient: Option<Recipient>,
}

impl DcApiRequest {
    /// Reads the `data` of a call from `origin`, which the platform vouches for.
    ///
    /// Of several signatures every one that we can check must hold; one whose chain ends at an anchor goes before a stranger's.
    ///
    /// # Errors
    /// [`RequestObjectError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 Appendix A.2, A.3; RFC 7515 §7.2.1.
    pub fn read(
        protocol: Protocol,
        data: &Value,
        origin: &str,
        anchors: &TrustAnchors,
        now: Timestamp,
    ) -> Result<Self, RequestObjectError> {
        if !is_origin(origin) {
            return Err(RequestObjectError::Origin);
        }
        let members = data.as_object().ok_or(RequestObjectError::Malformed)?;
        let (payload, client) = match protocol {
            Protocol::Unsigned => (members.clone(), None),
            Protocol::Signed => {
                let text = members.get("request").and_then(Value::as_str).ok_or(RequestObjectError::Malformed)?;
                let jws = JwsIn::parse(text, &Limits::TOKEN).map_err(RequestObjectError::Jws)?;
                jws.expect_type(REQUEST_OBJECT_TYP).map_err(|_| RequestObjectError::WrongType)?;
                let payload = jws.payload_object(&Limits::TOKEN).map_err(RequestObjectError::Jws)?;
                let name = payload.get("client_id").and_then(Value::as_str).ok_or(RequestObjectError::Malformed)?;
                let client_id = ClientId::parse(name).map_err(RequestObjectError::ClientId)?;
                let verifier = authenticate(&client_id, &jws, anchors, now)?;
                (payload, Some((client_id, verifier)))
            }
            Protocol::MultiSigned => of_several(members, anchors, now)?,
        };
        let has_scope = payload.contains_key("scope");
        let request = request(payload, protocol, origin, client.as_ref())?;
        if client.is_some() {
            let expected = request.expected_origins.as_deref().unwrap_or_default();
            if !expected.iter().any(|expected| expected == origin) {
                return Err(RequestObjectError::OtherOrigin);
            }
        }
        check_occasion(&request, now, None)?;
        check_nonce(&request.nonce)?;
        if request.response_type != "vp_token" {
            return Err(RequestObjectError::ResponseType);
        }
        let dcql = request.dcql_query.clone().filter(|_| !has_scope).ok_or(RequestObjectError::NoQuery)?;
        let query = Query::check(dcql).map_err(RequestObjectError::Query)?;
        if ![FORMAT, mdoc::FORMAT].iter().any(|format| takes(request.client_metadata.as_ref(), format)) {
            return Err(RequestObjectError::Formats);
        }
        let consent = consent(&request, &query, now).map_err(RequestObjectError::TransactionData)?;
        let recipient = match request.response_mode.as_str() {
            "dc_api" => None,
            "dc_api.jwt" => {
                let nothing = ClientMetadata::default();
                let metadata = request.client_metadata.as_ref().unwrap_or(&nothing);
                Some(Recipient::choose(metadata).map_err(RequestObjectError::Recipient)?)
            }
            _ => return Err(RequestObjectError::ResponseMode),
        };
        Ok(Self { origin: origin.to_owned(), client, request, query, consent, recipient })
    }

    /// Where the request comes from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Who signed it; nobody, when it is unsigned.
    pub const fn client(&self) -> Option<&(ClientId, VerifiedChain)> {
        self.client.as_ref()
    }

    /// What is asked for.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// What the holder is to agree to.
    pub const fn consent(&self) -> Option<&ProposedConsent> {
        self.consent.as_ref()
    }

    /// The nonce of the answer.
    pub fn nonce(&self) -> &str {
        &self.request.nonce
    }

    /// The audience of every presentation in the answer, also where the request is signed.
    ///
    /// # Source
    /// OpenID4VP 1.0 Appendix A.4.
    pub fn audience(&self) -> String {
        audience(&self.origin)
    }

    /// What a device signature in a mobile document is over.
    ///
    /// # Source
    /// OpenID4VP 1.0 Appendix B.2.6.2.
    pub fn session_transcript(&self) -> SessionTranscript {
        let thumbprint = self.recipient.as_ref().map(|recipient| recipient.key().thumbprint());
        SessionTranscript::openid4vp_dc_api(&self.origin, &self.request.nonce, thumbprint.as_ref())
    }

    /// The `data` of the answer, encrypted where the request asks for that.
    ///
    /// # Errors
    /// [`EncryptError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.3, Appendix A.4. There is no `state` this way.
    pub fn answer<R: CryptoRng + ?Sized>(
        &self,
        response: &AuthorizationResponse,
        rng: &mut R,
    ) -> Result<Value, EncryptError> {
        let token = json!({ "vp_token": response.vp_token });
        match &self.recipient {
            None => Ok(token),
            Some(recipient) => Ok(json!({ "response": recipient.encrypt(token.to_string().as_bytes(), rng)? })),
        }
    }
}

/// The audience of an answer to `origin`.
pub fn audience(origin: &str) -> String {
    format!("origin:{origin}")
}

fn authenticate(
    client_id: &ClientId,
    jws: &JwsIn<'_>,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<VerifiedChain, RequestObjectError> {
    jws.expect_no_jwk().map_err(RequestObjectError::Jws)?;
    // Where an attestation lets answers go is about addresses: the platform carries this one. Nothing is fetched on this way, so
    // that an identifier whose document lies on the web is of nobody that is known.
    Client::authenticate(client_id, jws, None, anchors, now).map(|client| client.verifier)
}

type Payload = (Map<String, Value>, Option<(ClientId, VerifiedChain)>);

fn of_several(
    members: &Map<String, Value>,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<Payload, RequestObjectError> {
    let malformed = RequestObjectError::Malformed;
    let payload = members.get("payload").and_then(Value::as_str).ok_or(malformed.clone())?;
    let signatures = members.get("signatures").and_then(Value::as_array).ok_or(malformed.clone())?;
    if signatures.is_empty() || signatures.len() > MOST_SIGNATURES {
        return Err(malformed);
    }
    let mut clients: Vec<(ClientId, VerifiedChain)> = Vec::new();
    let mut request = None;
    let mut unknown = RequestObjectError::Malformed;
    for signature in signatures {
        let part = |name| signature.get(name).and_then(Value::as_str).ok_or(RequestObjectError::Malformed);
        // An unprotected header would be nobody's word.
        if signature.get("header").is_some() {
            return Err(RequestObjectError::Malformed);
        }
        let protected = part("protected")?;
        let header = b64::decode(protected).map_err(|_| RequestObjectError::Malformed)?;
        let header = json::parse_object(&header, &Limits::TOKEN).map_err(|_| RequestObjectError::Malformed)?;
        let name = header.get("client_id").and_then(Value::as_str).ok_or(RequestObjectError::Malformed)?;
        let client_id = match ClientId::parse(name) {
            Ok(client_id) if client_id.document_url().is_some() => {
                unknown = RequestObjectError::NoKey;
                continue;
            }
            Ok(client_id) => client_id,
            // Of a trust framework that this wallet does not know: what several signatures are for.
            Err(error @ (ClientIdError::Unsupported | ClientIdError::Did(_))) => {
                unknown = RequestObjectError::ClientId(error);
                continue;
            }
            Err(error) => return Err(RequestObjectError::ClientId(error)),
        };
        let compact = format!("{protected}.{payload}.{}", part("signature")?);
        let jws = JwsIn::parse(&compact, &Limits::TOKEN).map_err(RequestObjectError::Jws)?;
        // The example of the standard has no `typ`; another one is a token for another end.
        if jws.header().typ.as_ref().is_some_and(|typ| typ != REQUEST_OBJECT_TYP) {
            return Err(RequestObjectError::WrongType);
        }
        let verifier = authenticate(&client_id, &jws, anchors, now)?;
        if request.is_none() {
            request = Some(jws.payload_object(&Limits::TOKEN).map_err(RequestObjectError::Jws)?);
        }
        clients.push((client_id, verifier));
    }
    let request = request.ok_or(unknown)?;
    // These stand under each signature of its own, or nowhere.
    if request.contains_key("client_id") || request.contains_key("verifier_info") {
        return Err(RequestObjectError::Malformed);
    }
    let known = clients.iter().position(|(_, verifier)| verifier.trust() == Trust::Known).unwrap_or(0);
    Ok((request, Some(clients.swap_remove(known))))
}

/// The members, with the client that stands for this way of asking.
fn request(
    mut payload: Map<String, Value>,
    protocol: Protocol,
    origin: &str,
    client: Option<&(ClientId, VerifiedChain)>,
) -> Result<RequestObject, RequestObjectError> {
    if protocol == Protocol::Unsigned {
        // Both must be ignored there.
        payload.shift_remove("expected_origins");
    }
    let name = client.map_or_else(|| audience(origin), |(client_id, _)| client_id.as_str().to_owned());
    payload.insert("client_id".to_owned(), Value::String(name));
    // Not of this way: they are not looked at, and lead nowhere.
    for other in ["response_uri", "redirect_uri", "state", "wallet_nonce"] {
        payload.shift_remove(other);
    }
    serde_json::from_value(Value::Object(payload)).map_err(|_| RequestObjectError::Malformed)
}

/// An origin of the web as a platform writes it: nothing that another reader might take for another origin.
fn is_origin(origin: &str) -> bool {
    origin.len() <= LONGEST_ORIGIN
        && Url::parse(origin).is_ok_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == origin)
}

const MOST_SIGNATURES: usize = 8;
const LONGEST_ORIGIN: usize = 512;
