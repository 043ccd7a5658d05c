//! A request that nobody signed: it stands in the link itself, and its client is the place that the answer goes to.

use super::{AuthenticatedRequest, ClientId, RequestObjectError};
use crate::json::{self, Limits};
use schemas::Timestamp;
use schemas::openid4vp::RequestObject;
use serde_json::{Map, Value};

/// An unsigned request as its link holds it, parsed.
#[derive(Debug, Clone)]
pub struct UnsignedRequestIn {
    request: RequestObject,
    has_scope: bool,
}

/// The parameters that are read as text.
const TEXTS: [&str; 8] =
    ["client_id", "response_type", "response_mode", "response_uri", "redirect_uri", "nonce", "state", "scope"];
/// The parameters that are JSON objects.
const OBJECTS: [&str; 2] = ["dcql_query", "client_metadata"];

impl UnsignedRequestIn {
    /// Reads the parameters of a link, decoded.
    ///
    /// What else stands there is not looked at: a registration or an end of the request would be nobody's word.
    ///
    /// # Errors
    /// [`RequestObjectError::Malformed`] when one is missing, stands there twice or is not of its kind.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5, §5.9.3 `redirect_uri`: the place may be left out beside the identifier, which is the same.
    pub fn parse<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, RequestObjectError> {
        let malformed = |_| RequestObjectError::Malformed;
        let mut members = Map::new();
        for (name, text) in parameters {
            let value = match name {
                _ if TEXTS.contains(&name) => Value::from(text),
                "transaction_data" => json::parse(text.as_bytes(), &Limits::TOKEN).map_err(malformed)?,
                _ if OBJECTS.contains(&name) => {
                    Value::Object(json::parse_object(text.as_bytes(), &Limits::TOKEN).map_err(malformed)?)
                }
                _ => continue,
            };
            if members.insert(name.to_owned(), value).is_some() {
                return Err(RequestObjectError::Malformed);
            }
        }
        let has_scope = members.shift_remove("scope").is_some();
        let mut request: RequestObject =
            serde_json::from_value(Value::Object(members)).map_err(|_| RequestObjectError::Malformed)?;
        if request.response_uri.is_none() {
            let place = ClientId::unsigned(&request.client_id).ok();
            request.response_uri = place.as_ref().and_then(ClientId::place).map(str::to_owned);
        }
        Ok(Self { request, has_scope })
    }

    /// Where it says that the answer goes; not checked.
    pub fn response_uri(&self) -> Option<&str> {
        self.request.response_uri.as_deref()
    }

    /// Whether the request is one that can be answered, at the place that is its client identifier and at no other.
    ///
    /// A consent is never proposed by nobody.
    ///
    /// # Errors
    /// [`RequestObjectError`]. Whatever [`RequestObjectError::code`] says, nobody is to be told: nobody is known to have asked.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3 `redirect_uri`, §8.2 `response_uri`, §14.4.1; exact match: RFC 9700 §2.1.
    pub fn check(self, now: Timestamp) -> Result<AuthenticatedRequest, RequestObjectError> {
        let Self { request, has_scope } = self;
        let client_id = ClientId::unsigned(&request.client_id).map_err(RequestObjectError::ClientId)?;
        let places: Vec<String> = client_id.place().map(str::to_owned).into_iter().collect();
        if request.transaction_data.is_some() {
            return Err(RequestObjectError::UnsignedConsent);
        }
        AuthenticatedRequest::read(client_id, None, Some(&places), request, has_scope, now)
    }
}
