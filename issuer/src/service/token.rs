//! The token endpoint.

use super::{Service, answer, blocking, client};
use crate::desk::{RedeemError, Redeemed, TokenCall};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use schemas::openid4vci::TokenResponse;
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// A token response, with the details that OpenID4VCI adds.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    token: TokenResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<Value>,
}

/// `POST /token`.
///
/// # Source
/// OpenID4VCI 1.0 §6; RFC 6749 §3.2; RFC 9449 §5.
pub(super) async fn redeem(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = form_body(&headers, body)?;
    let wrong = service.peers.wrong_tx_codes_allowed();
    wrong.map_err(|wait| Problem::TooManyRequests { wait })?;
    let redeemed = blocking(&service, move |issuer| {
        let form = Form::read(&body, &READ)?;
        let dpop = single(&headers, "dpop").map_err(|()| RedeemError::InvalidDpop(None))?;
        issuer.redeem(&TokenCall {
            grant_type: form.get("grant_type"),
            code: form.get("pre-authorized_code"),
            authorization_code: form.get("code"),
            code_verifier: form.get("code_verifier"),
            client_id: form.get("client_id"),
            redirect_uri: form.get("redirect_uri"),
            tx_code: form.get("tx_code"),
            authorization_details: form.get("authorization_details"),
            refresh_token: form.get("refresh_token"),
            dpop,
            client: client::shown(&headers)?,
        })
    })
    .await?;
    if let Err(RedeemError::WrongTxCode { .. }) = redeemed {
        service.peers.count_wrong_tx_code();
    }
    let Redeemed { token, bound, lifetime, authorized, refresh } = redeemed?;
    let token = TokenResponse {
        access_token: token.as_str().to_owned(),
        token_type: if bound { "DPoP" } else { "Bearer" }.to_owned(),
        expires_in: Some(lifetime),
        refresh_token: refresh.map(|token| token.as_str().to_owned()),
    };
    let authorization_details = authorized.map(|ids| {
        let detail = |id: &String| json!({"type": "openid_credential", "credential_configuration_id": id, "credential_identifiers": [id]});
        Value::Array(ids.iter().map(detail).collect())
    });
    Ok(answer::json(&Answer { token, authorization_details }))
}

/// A form's parameters, each wiped when dropped.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

/// The parameters that we read; one given twice is refused (RFC 6749 §3.2), all others are ignored.
const READ: [&str; 9] = [
    "refresh_token",
    "grant_type",
    "pre-authorized_code",
    "tx_code",
    "authorization_details",
    "code",
    "code_verifier",
    "client_id",
    "redirect_uri",
];

impl Form {
    /// Reads the parameters called `names`.
    pub(super) fn read(body: &[u8], names: &[&str]) -> Result<Self, RedeemError> {
        let mut form = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(body) {
            if !names.contains(&name.as_ref()) {
                continue;
            }
            if form.get(&name).is_some() {
                return Err(RedeemError::InvalidRequest("a parameter is given twice"));
            }
            // RFC 6749 §3.2: a parameter without a value is as if it were omitted.
            if !value.is_empty() {
                form.0.push((name.into_owned(), Zeroizing::new(value.into_owned())));
            }
        }
        Ok(form)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A header that may occur once: its text, `None` when absent, an error when it occurs twice or is no text.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Whether the content type is `expected`, parameters aside.
pub(super) fn is_type(headers: &HeaderMap, expected: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected)
}

/// The body of a request that must be a form.
///
/// # Errors
/// [`Problem`]: too long, cut off, or of another type.
pub(super) fn form_body(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let body = body.map_err(|rejection| Problem::body(&rejection))?;
    if is_form(headers) {
        return Ok(body);
    }
    Err(RedeemError::InvalidRequest("the body must be application/x-www-form-urlencoded").into())
}

pub(super) fn is_form(headers: &HeaderMap) -> bool {
    is_type(headers, "application/x-www-form-urlencoded")
}
