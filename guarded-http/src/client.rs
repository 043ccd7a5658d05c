//! The client: checks, sends, follows by hand, and stops in time.

use crate::destination::Destination;
use crate::error::FetchError;
use crate::exchange::{Request, Response};
use crate::policy::Policy;
use crate::resolver::{GuardedResolver, Lookup, NoPublicAddress, NotFound, SystemLookup};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use std::error::Error;
use std::sync::{Arc, OnceLock};

/// More header lines than this are refused; their bytes are bounded by the HTTP parser (about 400 KiB).
const MOST_HEADERS: usize = 64;

/// An HTTP client that goes nowhere private: see the crate's first page.
///
/// Cheap to keep, and to be kept: connections are reused. Must live inside a tokio runtime with time and network.
pub struct Client {
    policy: Policy,
    resolver: GuardedResolver,
    /// Loopback over plain `http`. Knows no root certificate, so it is good for nothing else.
    plain: OnceLock<reqwest::Client>,
    /// Everything else. Made at first use: a machine without root certificates can still talk to itself.
    web: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client with these bounds. Nothing is opened or read yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    pub(crate) fn with_lookup(policy: Policy, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy, resolver: GuardedResolver::new(lookup), plain: OnceLock::new(), web: OnceLock::new() }
    }

    /// The bounds.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Gets `url`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn get(&self, url: &str) -> Result<Response, FetchError> {
        self.send(Request::get(url)).await
    }

    /// Posts `fields` as a form to `url`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Response, FetchError> {
        self.send(Request::post_form(url, fields)).await
    }

    /// Posts JSON text to `url`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn post_json(&self, url: &str, json: Vec<u8>) -> Result<Response, FetchError> {
        self.send(Request::post_json(url, json)).await
    }

    /// Sends `request` and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`FetchError`]: the destination is refused before anything is sent; the answer when it is too large, too late,
    /// compressed, or leads further than the policy follows.
    pub async fn send(&self, request: Request) -> Result<Response, FetchError> {
        let start = Destination::start(&request.url, self.policy.allow_loopback_http)?;
        let host = start.host();
        match tokio::time::timeout(self.policy.timeout, self.follow(start, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::Timeout { host, limit: self.policy.timeout }),
        }
    }

    async fn follow(&self, start: Destination, request: Request) -> Result<Response, FetchError> {
        let Request { url: _, mut headers, body, most: wanted } = request;
        // A POST is never sent on: it may carry a presentation.
        let most = if body.is_some() { 0 } else { self.policy.redirects.min(Policy::MOST_REDIRECTS) };
        let mut here = start;
        let mut followed = 0;
        loop {
            let answer = self.hop(&here, &headers, body.as_deref()).await?;
            if !answer.status().is_redirection() || answer.status().as_u16() == 304 {
                let limit = wanted.map_or(self.policy.max_body, |wanted| wanted.min(self.policy.max_body));
                return self.read(&here, answer, limit).await;
            }
            let refusal = || FetchError::Redirected { host: here.host(), most, status: answer.status().as_u16() };
            if followed >= most {
                return Err(refusal());
            }
            followed += 1;
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(refusal)?;
            let next = here.redirected(location)?;
            if !here.same_origin(&next) {
                headers =
                    headers.remove(ACCEPT).map(|value| HeaderMap::from_iter([(ACCEPT, value)])).unwrap_or_default();
            }
            here = next;
        }
    }

    async fn hop(
        &self,
        to: &Destination,
        headers: &HeaderMap,
        body: Option<&[u8]>,
    ) -> Result<reqwest::Response, FetchError> {
        let client = self.client_for(to)?;
        let request = match body {
            None => client.get(to.url().clone()),
            Some(bytes) => client.post(to.url().clone()).body(bytes.to_vec()),
        };
        request.headers(headers.clone()).send().await.map_err(|error| self.classify(to, error))
    }

    async fn read(
        &self,
        from: &Destination,
        mut answer: reqwest::Response,
        limit: usize,
    ) -> Result<Response, FetchError> {
        let too_large = || FetchError::TooLarge { host: from.host(), limit };
        let encoded = answer
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
        if encoded {
            return Err(FetchError::Encoded { host: from.host() });
        }
        if answer.content_length().is_some_and(|announced| usize::try_from(announced).map_or(true, |n| n > limit)) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.classify(from, error))? {
            if chunk.len() > limit.saturating_sub(body.len()) {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body,
            url: from.url().clone(),
        })
    }

    fn client_for(&self, to: &Destination) -> Result<&reqwest::Client, FetchError> {
        let plain = to.url().scheme() == "http";
        let slot = if plain { &self.plain } else { &self.web };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built = self.build(plain)?;
        Ok(slot.get_or_init(|| built))
    }

    fn build(&self, plain: bool) -> Result<reqwest::Client, FetchError> {
        install_tls_provider();
        let mut always = HeaderMap::new();
        always.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(self.resolver.clone())
            .connect_timeout(self.policy.connect_timeout)
            .http1_max_headers(MOST_HEADERS)
            .referer(false)
            .default_headers(always)
            .user_agent("amparo");
        let builder = if plain { builder.tls_certs_only([]) } else { builder.https_only(true) };
        builder.build().map_err(|error| FetchError::Setup { source: Box::new(error.without_url()) })
    }

    fn classify(&self, to: &Destination, error: reqwest::Error) -> FetchError {
        let host = to.host();
        // The URL goes: its path and query may hold a code.
        let error = error.without_url();
        if has_cause::<NoPublicAddress>(&error) {
            return FetchError::RefusedAddress { host };
        }
        if has_cause::<NotFound>(&error) {
            return FetchError::NameNotFound { host };
        }
        if error.is_timeout() {
            let limit = if error.is_connect() { self.policy.connect_timeout } else { self.policy.timeout };
            return FetchError::Timeout { host, limit };
        }
        if error.is_connect() || has_cause::<std::io::Error>(&error) {
            return FetchError::Unreachable { host, source: Box::new(error) };
        }
        FetchError::Malformed { host }
    }
}

/// Makes aws-lc the TLS provider of this process, unless there is one already.
fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, with the same provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<E>() {
            return true;
        }
        next = cause.source();
    }
    false
}

#[cfg(test)]
mod tests;
