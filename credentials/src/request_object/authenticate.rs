//! From a request object to one that is known to come from its client, and that we can answer.

use super::client::Client;
use super::{ClientId, RequestObjectError, RequestObjectIn};
use crate::algorithm::{SignatureAlgorithm, SignatureAlgorithms};
use crate::consent::{ConsentError, ProposedConsent, RequestIn};
use crate::dcql::{FORMAT, Query};
use crate::jwe::Recipient;
use crate::mdoc::{self, SessionTranscript};
use crate::trust::{TrustAnchors, VerifiedChain};
use schemas::openid4vp::{ClientMetadata, RequestObject, SELF_ISSUED_AUDIENCE};
use schemas::{Seconds, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use url::{Host, Url};

/// How far the verifier's clock may be ahead of ours.
const SKEW: Seconds = Seconds::MINUTE;
/// The fewest characters in which 128 bits can be written with URL-safe characters.
const SHORTEST_NONCE: usize = 22;
/// Fewer different characters than random text of that length ever has, in hexadecimal too (below one in 10^6).
const FEWEST_DIFFERENT: usize = 6;
/// The most characters of a nonce or state.
const LONGEST: usize = 512;

/// A request whose sender is known to hold the certificate that its client identifier names; or one that nobody signed, whose
/// identifier is the place that the answer goes to: see [`super::UnsignedRequestIn`].
///
/// That the certificate ends at a known anchor is another matter: see [`VerifiedChain::trust`].
#[derive(Debug, Clone)]
pub struct AuthenticatedRequest {
    client_id: ClientId,
    request: RequestObject,
    query: Query,
    consent: Option<ProposedConsent>,
    recipient: Option<Recipient>,
    response_uri: Url,
    verifier: Option<VerifiedChain>,
}

impl AuthenticatedRequest {
    /// Who asks: the full client identifier, which is the audience of the answer.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The request.
    pub const fn request(&self) -> &RequestObject {
        &self.request
    }

    /// What is asked for.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// What the holder is to agree to, if the verifier speaks of that.
    pub const fn consent(&self) -> Option<&ProposedConsent> {
        self.consent.as_ref()
    }

    /// To whom the answer must be encrypted; none for an answer in the clear.
    pub const fn recipient(&self) -> Option<&Recipient> {
        self.recipient.as_ref()
    }

    /// Where the answer goes.
    pub const fn response_uri(&self) -> &Url {
        &self.response_uri
    }

    /// Whether the verifier says that it takes credentials of that format as we have them.
    pub fn takes(&self, format: &str) -> bool {
        takes(self.request.client_metadata.as_ref(), format)
    }

    /// Whether the verifier says that it takes SD-JWT VCs that an issuer signed by that algorithm.
    pub fn takes_signed_by(&self, algorithm: SignatureAlgorithm) -> bool {
        let formats = self.request.client_metadata.as_ref().map(|metadata| &metadata.vp_formats_supported);
        let named = formats.and_then(|formats| formats.get(FORMAT)?.get("sd-jwt_alg_values")?.as_array());
        let is_it =
            |name: &Value| name.as_str().and_then(|name| SignatureAlgorithms::ALL.by_name(name)) == Some(algorithm);
        named.is_none_or(|named| named.iter().any(is_it))
    }

    /// What stands for this request in an mdoc presentation.
    ///
    /// # Source
    /// OpenID4VP 1.0 §B.2.6.1.
    pub fn session_transcript(&self) -> SessionTranscript {
        let thumbprint = self.recipient.as_ref().map(|recipient| recipient.key().thumbprint());
        // As it stands in the request, not as a parser would write it again.
        let response_uri = self.request.response_uri.as_deref().unwrap_or_default();
        SessionTranscript::openid4vp(self.client_id.as_str(), &self.request.nonce, thumbprint.as_ref(), response_uri)
    }

    /// The certificates of the verifier, or the key that it is known by instead; `None` for a request that nobody signed.
    pub const fn verifier(&self) -> Option<&VerifiedChain> {
        self.verifier.as_ref()
    }
}

impl RequestObjectIn<'_> {
    /// Finds out who asks, and whether the request is one that can be answered.
    ///
    /// `client_id_from_link` is the `client_id` of the link that led here; `wallet_nonce` is what was sent with a POST to
    /// the `request_uri`, and must come back. A chain that ends at no anchor is let through, its trust being
    /// [`crate::trust::Trust::NotKnown`]: the wallet shows that to the person.
    ///
    /// # Errors
    /// [`RequestObjectError`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5 to §5.10, §8.2, §8.3, §14.10.
    pub fn authenticate(
        self,
        client_id_from_link: &str,
        anchors: &TrustAnchors,
        now: Timestamp,
        wallet_nonce: Option<&str>,
    ) -> Result<AuthenticatedRequest, RequestObjectError> {
        let Self { jws, request, has_scope, document } = self;
        // The whole identifier, prefix included (§5.10.1, §14.10).
        if request.client_id != client_id_from_link {
            return Err(RequestObjectError::OtherClient);
        }
        let client_id = ClientId::parse(&request.client_id).map_err(RequestObjectError::ClientId)?;
        let Client { verifier, places } = Client::authenticate(&client_id, &jws, document.as_ref(), anchors, now)?;

        check_occasion(&request, now, wallet_nonce)?;
        AuthenticatedRequest::read(client_id, Some(verifier), places.as_deref(), request, has_scope, now)
    }
}

impl AuthenticatedRequest {
    /// Whether the request is one that can be answered; `places` are those that the answer may go to, where they are named.
    pub(super) fn read(
        client_id: ClientId,
        verifier: Option<VerifiedChain>,
        places: Option<&[String]>,
        request: RequestObject,
        has_scope: bool,
        now: Timestamp,
    ) -> Result<Self, RequestObjectError> {
        let response_uri = response_uri(&request, &client_id)?;
        // Exactly, as it stands (§5.9.3, §8.2).
        if places.is_some_and(|places| !places.iter().any(|place| Some(place) == request.response_uri.as_ref())) {
            return Err(RequestObjectError::ResponseHost);
        }
        check_kind(&request)?;
        let dcql = request.dcql_query.clone().filter(|_| !has_scope).ok_or(RequestObjectError::NoQuery)?;
        let query = Query::check(dcql).map_err(RequestObjectError::Query)?;
        if ![FORMAT, mdoc::FORMAT].iter().any(|format| takes(request.client_metadata.as_ref(), format)) {
            return Err(RequestObjectError::Formats);
        }
        let consent = consent(&request, &query, now).map_err(RequestObjectError::TransactionData)?;
        let recipient = if request.response_mode == "direct_post.jwt" {
            let nothing = ClientMetadata::default();
            let metadata = request.client_metadata.as_ref().unwrap_or(&nothing);
            Some(Recipient::choose(metadata).map_err(RequestObjectError::Recipient)?)
        } else {
            None
        };
        Ok(Self { client_id, request, query, consent, recipient, response_uri, verifier })
    }
}

/// That it was made for us, now, and in answer to our call.
pub(super) fn check_occasion(
    request: &RequestObject,
    now: Timestamp,
    wallet_nonce: Option<&str>,
) -> Result<(), RequestObjectError> {
    if wallet_nonce.is_some() && request.wallet_nonce.as_deref() != wallet_nonce {
        return Err(RequestObjectError::WalletNonce);
    }
    if request.aud.as_ref().is_some_and(|aud| aud != SELF_ISSUED_AUDIENCE) {
        return Err(RequestObjectError::Audience);
    }
    if let Some(ended) = request.exp.filter(|exp| now >= *exp) {
        return Err(RequestObjectError::Ended { ended });
    }
    match request.iat.filter(|iat| *iat > now.plus(SKEW)) {
        Some(issued_at) => Err(RequestObjectError::IssuedLater { issued_at }),
        None => Ok(()),
    }
}

/// Where the answer goes: `https`, or `http` on this very machine, which the HTTP client allows only if the person's own
/// link led there.
///
/// # Source
/// OpenID4VP 1.0 §8.2 `response_uri`, §5.9.3 `x509_san_dns`, §14.4.1 "Validation of the Response URI".
fn response_uri(request: &RequestObject, client_id: &ClientId) -> Result<Url, RequestObjectError> {
    let text =
        request.response_uri.as_deref().filter(|text| text.len() <= 2048).ok_or(RequestObjectError::ResponseUri)?;
    let url = Url::parse(text).map_err(|_| RequestObjectError::ResponseUri)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !plain || !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) {
        return Err(RequestObjectError::ResponseUri);
    }
    let is_on = |host: &str| url.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(host));
    if client_id.host().is_none_or(is_on) { Ok(url) } else { Err(RequestObjectError::ResponseHost) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn check_kind(request: &RequestObject) -> Result<(), RequestObjectError> {
    if request.redirect_uri.is_some() {
        return Err(RequestObjectError::RedirectUri);
    }
    if request.response_type != "vp_token" {
        return Err(RequestObjectError::ResponseType);
    }
    if !matches!(request.response_mode.as_str(), "direct_post" | "direct_post.jwt") {
        return Err(RequestObjectError::ResponseMode);
    }
    check_nonce(&request.nonce)?;
    if request.state.as_deref().is_none_or(is_url_safe) { Ok(()) } else { Err(RequestObjectError::State) }
}

pub(super) fn check_nonce(nonce: &str) -> Result<(), RequestObjectError> {
    let different: BTreeSet<u8> = nonce.bytes().collect();
    let random = is_url_safe(nonce) && nonce.len() >= SHORTEST_NONCE && different.len() >= FEWEST_DIFFERENT;
    if random { Ok(()) } else { Err(RequestObjectError::Nonce) }
}

/// ASCII letters, digits, hyphen, period, underscore and tilde (OpenID4VP 1.0 §5.2).
fn is_url_safe(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// Whether the verifier takes that format, signed as we sign it and by an algorithm of issuers that we read; it need not say.
///
/// # Source
/// OpenID4VP 1.0 §B.3.4 "Metadata" of SD-JWT VC, §B.2.2 of mdoc: −7 is ES256, −9 the same with P-256 alone.
pub(super) fn takes(metadata: Option<&ClientMetadata>, format: &str) -> bool {
    let Some(formats) = metadata.map(|metadata| &metadata.vp_formats_supported).filter(|formats| !formats.is_empty())
    else {
        return true;
    };
    let Some(taken) = formats.get(format) else {
        return false;
    };
    let names = |name: &str, ours: &[Value]| match taken.get(name).and_then(Value::as_array) {
        Some(algorithms) => algorithms.iter().any(|algorithm| ours.contains(algorithm)),
        None => true,
    };
    match format {
        FORMAT => {
            let read: Vec<Value> = ["ES256", "ES384", "EdDSA", "Ed25519"].map(Value::from).to_vec();
            names("sd-jwt_alg_values", &read) && names("kb-jwt_alg_values", &["ES256".into()])
        }
        mdoc::FORMAT => ["issuerauth_alg_values", "deviceauth_alg_values"]
            .iter()
            .all(|name| names(name, &[(-7).into(), (-9).into()])),
        _ => false,
    }
}

pub(super) fn consent(
    request: &RequestObject,
    query: &Query,
    now: Timestamp,
) -> Result<Option<ProposedConsent>, ConsentError> {
    let Some(entries) = request.transaction_data.as_deref() else {
        return Ok(None);
    };
    // An empty list is none that may be sent (§5.1).
    let proposal = RequestIn::parse(entries)?.ok_or(ConsentError::Count { got: 0, limit: 1 })?;
    proposal.check_request(&request.client_id, query, now)?;
    Ok(Some(proposal))
}
