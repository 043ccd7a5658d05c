//! What is sent and what comes back.

use crate::error::FetchError;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use url::Url;

/// One request, not yet sent. Its URL is checked by [`crate::Client::send`].
pub struct Request {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    /// Present in a POST, absent in a GET.
    pub(crate) body: Option<Vec<u8>>,
    /// The most bytes taken back, if fewer than the policy takes.
    pub(crate) most: Option<usize>,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self { url: url.to_owned(), headers: HeaderMap::new(), body: None, most: None }
    }

    /// A POST of bytes; the caller says what they are by a `content-type` header.
    #[must_use]
    pub fn post(url: &str, body: Vec<u8>) -> Self {
        Self { url: url.to_owned(), headers: HeaderMap::new(), body: Some(body), most: None }
    }

    /// A POST of `application/x-www-form-urlencoded` fields.
    #[must_use]
    pub fn post_form(url: &str, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::post(url, body.into_bytes()).content("application/x-www-form-urlencoded")
    }

    /// A POST of JSON text.
    #[must_use]
    pub fn post_json(url: &str, json: Vec<u8>) -> Self {
        Self::post(url, json).content("application/json")
    }

    /// With the media types wanted back.
    #[must_use]
    pub fn accept(mut self, media_types: &'static str) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static(media_types));
        self
    }

    /// With one more header. It is dropped when a redirect leaves the origin.
    ///
    /// # Errors
    /// [`FetchError::InvalidHeader`] if HTTP cannot carry it (a line break, for example).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, FetchError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::InvalidHeader)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| FetchError::InvalidHeader)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Takes at most so many bytes back, even if the policy would take more.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.most = Some(bytes);
        self
    }

    fn content(mut self, media_type: &'static str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self
    }
}

// By hand: a URL may hold a code, a body a presentation.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, headers: _, body, most: _ } = self;
        f.debug_struct("Request").field("posts", &body.is_some()).finish_non_exhaustive()
    }
}

/// What came back, whatever its status.
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) url: Url,
}

impl Response {
    /// The HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if it is there and is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The headers whose values are visible ASCII; names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The media type without parameters, lower case; empty when absent.
    #[must_use]
    pub fn media_type(&self) -> String {
        let whole = self.header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, by value.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Where it came from, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers: _, body, url: _ } = self;
        f.debug_struct("Response").field("status", status).field("bytes", &body.len()).finish_non_exhaustive()
    }
}
