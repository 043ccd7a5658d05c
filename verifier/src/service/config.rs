//! What `init` settles once: where the verifier is reached, and what it is called.

use crate::policy::ClientIdPrefix;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::{Host, Url};

/// The URL below which the verifier is reached.
///
/// `https`, or plain `http` on loopback for one machine alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierUrl(Url);

/// Why a text is not a verifier's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierUrlError {
    /// Not an absolute URL with a host.
    #[error("not a URL with a host, such as https://desk.example")]
    NotAUrl,
    /// Plain http to another machine.
    #[error("the verifier's URL must be https; plain http is for this machine alone (127.0.0.1, ::1, localhost)")]
    Insecure,
    /// More than scheme, host, port and path.
    #[error("the verifier's URL has no query, no fragment and no user name")]
    TooMuch,
}

impl VerifierUrl {
    /// Reads one; slashes at the end are dropped.
    ///
    /// # Errors
    /// [`VerifierUrlError`].
    pub fn parse(text: &str) -> Result<Self, VerifierUrlError> {
        let url = Url::parse(text.trim().trim_end_matches('/')).map_err(|_| VerifierUrlError::NotAUrl)?;
        url.host().ok_or(VerifierUrlError::NotAUrl)?;
        let this = Self(url);
        match this.0.scheme() {
            "https" => {}
            "http" if this.is_loopback() => {}
            _ => return Err(VerifierUrlError::Insecure),
        }
        let url = &this.0;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(VerifierUrlError::TooMuch);
        }
        Ok(this)
    }

    /// As text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The path, empty or beginning with a slash and not ending with one.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The host.
    pub fn host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    /// Whether it names this machine alone.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl fmt::Display for VerifierUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for VerifierUrl {
    type Error = VerifierUrlError;

    fn try_from(text: String) -> Result<Self, VerifierUrlError> {
        Self::parse(&text)
    }
}

impl From<VerifierUrl> for String {
    fn from(url: VerifierUrl) -> Self {
        url.as_str().to_owned()
    }
}

/// A name for people: 1 to 64 characters, none of them a control or a direction override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierName(String);

/// The text cannot be a verifier's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 characters, and no line breaks, control or direction characters")]
pub struct VerifierNameError;

impl VerifierName {
    /// Reads one.
    ///
    /// # Errors
    /// [`VerifierNameError`].
    pub fn parse(text: &str) -> Result<Self, VerifierNameError> {
        let text = text.trim();
        let fits = (1..=64).contains(&text.chars().count());
        // What credentials would escape is what does not show as itself.
        let shows = credentials::escape::escaped(text) == text;
        if fits && shows { Ok(Self(text.to_owned())) } else { Err(VerifierNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VerifierName {
    type Error = VerifierNameError;

    fn try_from(text: String) -> Result<Self, VerifierNameError> {
        Self::parse(&text)
    }
}

impl From<VerifierName> for String {
    fn from(name: VerifierName) -> Self {
        name.0
    }
}

/// What `init` writes to `verifier.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The version of this file; 1.
    pub version: u32,
    /// Where the verifier is reached.
    pub url: VerifierUrl,
    /// What it is called.
    pub name: VerifierName,
    /// How the controller of the data is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// How it calls itself unless a request says otherwise: the prefix of the client identifier.
    pub client_id: String,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Config {
    /// The file's name in the data folder.
    pub const FILE: &'static str = "verifier.json";
    /// The version written and read.
    pub const VERSION: u32 = 1;

    /// How it calls itself unless a request says otherwise; by hash when the file says nothing we know.
    pub fn client_id_prefix(&self) -> ClientIdPrefix {
        self.client_id.parse().unwrap_or(ClientIdPrefix::X509Hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_or_loopback_and_nothing_more() {
        for (text, expected, path) in [
            ("https://desk.example/", "https://desk.example", ""),
            ("https://desk.example/a/b/", "https://desk.example/a/b", "/a/b"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
            ("http://localhost:8080/x", "http://localhost:8080/x", "/x"),
            ("http://[::1]:1", "http://[::1]:1", ""),
        ] {
            let url = VerifierUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.path()), (expected, path));
        }
        for text in ["http://desk.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example", "http://10.0.0.1"] {
            assert_eq!(VerifierUrl::parse(text), Err(VerifierUrlError::Insecure), "{text}");
        }
        for text in ["https://a@desk.example", "https://desk.example?x", "https://desk.example/#f"] {
            assert_eq!(VerifierUrl::parse(text), Err(VerifierUrlError::TooMuch), "{text}");
        }
        for text in ["", "desk.example", "https://", "/path", "mailto:a@b"] {
            assert!(VerifierUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn attack_56_a_name_cannot_break_a_line_or_turn_the_text() {
        for text in ["", " ", "a\r\nb", "a\u{202e}b", "a\u{0}b", &"x".repeat(65)] {
            assert!(VerifierName::parse(text).is_err(), "{text:?}");
        }
        for text in ["Frontera Norte", "<script>{{7*7}}", "بيت", "=cmd|' /C calc'!A0"] {
            assert_eq!(VerifierName::parse(text).unwrap().as_str(), text);
        }
    }
}
