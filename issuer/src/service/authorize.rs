//! The pushed authorization request, and the page where the person gives the desk's code.

use super::token::{Form, form_body, is_form, single};
use super::{Service, answer, blocking, client};
use crate::config::IssuerUrl;
use crate::desk::{Answered, Asked, AuthorizeError, PushCall, REQUEST_LIFETIME, RedeemError};
use crate::metadata::AUTHORIZE_PATH;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemas::openid4vci::PushedResponse;

/// `POST /par`.
///
/// # Source
/// RFC 9126 §2.
pub(super) async fn push(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = form_body(&headers, body)?;
    let request_uri = blocking(&service, move |issuer| {
        let form = Form::read(&body, &PUSHED)?;
        let dpop = single(&headers, "dpop").map_err(|()| RedeemError::InvalidDpop(None))?;
        issuer.push(&PushCall {
            response_type: form.get("response_type"),
            client_id: form.get("client_id"),
            redirect_uri: form.get("redirect_uri"),
            state: form.get("state"),
            code_challenge: form.get("code_challenge"),
            code_challenge_method: form.get("code_challenge_method"),
            scope: form.get("scope"),
            authorization_details: form.get("authorization_details"),
            issuer_state: form.get("issuer_state"),
            dpop_jkt: form.get("dpop_jkt"),
            request_uri: form.get("request_uri"),
            dpop,
            client: client::shown(&headers)?,
        })
    })
    .await??;
    let pushed = PushedResponse { request_uri: request_uri.as_str().to_owned(), expires_in: REQUEST_LIFETIME };
    Ok(answer::with_status(StatusCode::CREATED, &pushed))
}

const PUSHED: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "scope",
    "authorization_details",
    "issuer_state",
    "dpop_jkt",
    "request_uri",
];

/// `GET /authorize`: the page.
pub(super) async fn ask(State(service): State<Service>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let Ok(form) = Form::read(query.as_bytes(), &NAMED) else { return Ok(gone()) };
    let (client_id, request_uri) = named(&form);
    let (client, request) = (client_id.clone(), request_uri.clone());
    let asked = blocking(&service, move |issuer| issuer.asked(&client, &request)).await?;
    let asked = match asked {
        Ok(asked) => asked,
        Err(AuthorizeError::Unknown) => return Ok(gone()),
        Err(error) => return Err(error.into()),
    };
    Ok(page(&service, &asked, &client_id, &request_uri, None, StatusCode::OK))
}

/// `POST /authorize`: the person's answer.
pub(super) async fn decide(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::body(&rejection))?;
    if !is_from_our_page(&headers, &service.issuer.config().url) {
        return Ok(elsewhere());
    }
    let Ok(form) = Form::read(&body, &ANSWERED) else { return Ok(gone()) };
    if !is_form(&headers) {
        return Ok(gone());
    }
    let (client_id, request_uri) = named(&form);
    let (client, request) = (client_id.clone(), request_uri.clone());
    if form.get("answer") != Some("yes") {
        return match blocking(&service, move |issuer| issuer.refuse(&client, &request)).await? {
            Ok(link) => redirect(&link),
            Err(AuthorizeError::Unknown) => Ok(gone()),
            Err(error) => Err(error.into()),
        };
    }
    service.peers.wrong_tx_codes_allowed().map_err(|wait| Problem::TooManyRequests { wait })?;
    // People write `1234 5678`.
    let digits: String = form.get("code").unwrap_or_default().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = zeroize::Zeroizing::new(digits);
    match blocking(&service, move |issuer| issuer.authorize(&client, &request, &digits)).await? {
        Ok(Answered::Redirect(link)) => redirect(&link),
        Ok(Answered::WrongCode { left, asked }) => {
            service.peers.count_wrong_tx_code();
            Ok(page(&service, &asked, &client_id, &request_uri, Some(left), StatusCode::FORBIDDEN))
        }
        Err(AuthorizeError::Unknown) => Ok(gone()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a browser says that our own page sent the form; what is no browser says nothing, and rides on nobody's session.
///
/// # Source
/// Fetch Metadata §2.3 `Sec-Fetch-Site`; RFC 6454 §7 `Origin`.
fn is_from_our_page(headers: &HeaderMap, url: &IssuerUrl) -> bool {
    let all = |name: &str, own: &str| headers.get_all(name).iter().all(|value| value.as_bytes() == own.as_bytes());
    all("sec-fetch-site", "same-origin") && all("origin", &url.origin())
}

const NAMED: [&str; 2] = ["client_id", "request_uri"];
const ANSWERED: [&str; 4] = ["client_id", "request_uri", "code", "answer"];

fn named(form: &Form) -> (String, String) {
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    (text("client_id"), text("request_uri"))
}

/// The page: plain HTML, nothing that runs, nothing from elsewhere; every text that is not ours is escaped.
fn page(
    service: &Service,
    asked: &Asked,
    client_id: &str,
    request_uri: &str,
    left: Option<u32>,
    status: StatusCode,
) -> Response {
    let config = service.issuer.config();
    let name = escaped(config.name.as_str());
    let wrong = left.map(|left| format!("<p role=\"alert\">That is not the code. Tries left: {left}.</p>"));
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{name}</title></head><body>\
         <h1>{name}</h1><p>A wallet on this device wants to receive: {labels}.</p>\
         <p>Go on only if you began this yourself, just now, in your own wallet. {name} gave you a code in person; nobody \
         else may ask for it.</p>{wrong}\
         <form method=\"post\" action=\"{action}\">\
         <input type=\"hidden\" name=\"client_id\" value=\"{client_id}\">\
         <input type=\"hidden\" name=\"request_uri\" value=\"{request_uri}\">\
         <p><label>Code <input name=\"code\" inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"12\"></label></p>\
         <p><button name=\"answer\" value=\"yes\">Let the wallet receive it</button> \
         <button name=\"answer\" value=\"no\">Refuse</button></p></form></body></html>",
        labels = escaped(&asked.labels.join(", ")),
        wrong = wrong.unwrap_or_default(),
        action = escaped(&config.url.join(AUTHORIZE_PATH)),
        client_id = escaped(client_id),
        request_uri = escaped(request_uri),
    );
    html_response(status, html, &format!("'self' {}", asked.redirect_uri.source()))
}

/// One answer for every request that is none: unknown, ended, answered, or of another client.
fn gone() -> Response {
    let html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not found</title></head><body>\
                <p>There is no such request, or its time is over. Begin again in your wallet.</p></body></html>";
    html_response(StatusCode::BAD_REQUEST, html.to_owned(), "'none'")
}

/// The answer to a form that somebody else's page sent; the request still waits for the person.
fn elsewhere() -> Response {
    let html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not from here</title></head><body>\
                <p>Another page sent this answer, not ours. Nothing was done. Begin again in your wallet.</p></body></html>";
    html_response(StatusCode::FORBIDDEN, html.to_owned(), "'none'")
}

/// A form may go to us, and on from us to where the wallet listens; nothing else is loaded, run, framed or referred to.
fn html_response(status: StatusCode, html: String, form_action: &str) -> Response {
    let policy = format!("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}");
    let mut response =
        (status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: under that a browser says `Origin: null` of our own form too (Fetch §3.2).
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// RFC 9700 §4.12: 303, so that no browser sends the form on.
fn redirect(link: &str) -> Result<Response, Problem> {
    let link = HeaderValue::from_str(link).map_err(|_| Problem::Internal)?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, link);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// Text as text in HTML, also within quotes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
