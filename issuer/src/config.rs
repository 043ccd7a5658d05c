//! Who the issuer is: its URL and its name, as `init` wrote them down.

use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::{Host, Url};

/// The longest name for people: what fits an X.509 common name (RFC 5280 appendix A, `ub-common-name`).
pub const MAX_NAME: usize = 64;

/// A credential issuer identifier: `https`, no query, no fragment, no trailing slash.
///
/// Plain `http` is taken for loopback hosts only (`commands.md`). Compared byte for byte, never normalised again.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.1 "Credential Issuer Identifier".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl {
    text: String,
    url: Url,
}

/// Why a URL cannot be an issuer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerUrlError {
    /// Not a URL at all.
    #[error("not a URL, such as https://issuer.example")]
    NotAUrl,
    /// Neither https nor http on loopback.
    #[error("the issuer's URL must be https; plain http is for loopback only (127.0.0.1, ::1, localhost)")]
    Insecure,
    /// A query, a fragment, or a user name in it.
    #[error("the issuer's URL has no query, no fragment and no user name")]
    TooMuch,
}

impl IssuerUrl {
    /// Reads one; slashes at the end are dropped.
    ///
    /// # Errors
    /// [`IssuerUrlError`], naming what is wrong.
    pub fn parse(text: &str) -> Result<Self, IssuerUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| IssuerUrlError::NotAUrl)?;
        let host = url.host().ok_or(IssuerUrlError::NotAUrl)?;
        let loopback = match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(IssuerUrlError::Insecure),
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(IssuerUrlError::TooMuch);
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        let url = Url::parse(&text).map_err(|_| IssuerUrlError::NotAUrl)?;
        Ok(Self { text, url })
    }

    /// The identifier, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path, empty or beginning with a slash and not ending with one.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The host.
    pub fn host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// The port, given or of the scheme.
    pub fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Scheme, host and port, as a browser names where a page is from.
    ///
    /// # Source
    /// RFC 6454 §6.2 "ASCII Serialization of an Origin".
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether it is plain http, which is loopback.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The URL of something below the issuer: `join("/token")`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// A well-known URL: the string goes between host and path.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §12.2.2; RFC 8414 §3.1.
    pub fn well_known_path(&self, name: &str) -> String {
        format!("/.well-known/{name}{}", self.path())
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = IssuerUrlError;

    fn try_from(text: String) -> Result<Self, IssuerUrlError> {
        Self::parse(&text)
    }
}

impl From<IssuerUrl> for String {
    fn from(url: IssuerUrl) -> Self {
        url.text
    }
}

/// A name for people: 1 to 64 characters, none of them a control or a direction override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerName(String);

/// The text cannot be an issuer's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 characters, and no line breaks, control or direction characters")]
pub struct IssuerNameError;

impl IssuerName {
    /// Reads one.
    ///
    /// # Errors
    /// [`IssuerNameError`] when it is empty, too long, or holds characters that are not shown.
    pub fn parse(text: &str) -> Result<Self, IssuerNameError> {
        let text = text.trim();
        // `ub-common-name` counts characters, but some decoders count bytes; a name of 64 characters in any script
        // stays below their limits of 256.
        let fits = !text.is_empty() && text.chars().count() <= MAX_NAME;
        if fits && !text.chars().any(is_unseen) { Ok(Self(text.to_owned())) } else { Err(IssuerNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IssuerName {
    type Error = IssuerNameError;

    fn try_from(text: String) -> Result<Self, IssuerNameError> {
        Self::parse(&text)
    }
}

impl From<IssuerName> for String {
    fn from(name: IssuerName) -> Self {
        name.0
    }
}

/// Whether a character does something instead of showing something: controls, line separators, direction overrides.
///
/// The marks U+200E and U+200F and the joiners stay allowed: names in Arabic, Persian and Indic scripts need them.
pub(crate) const fn is_unseen(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What `init` writes to `issuer.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The version of this file; 1.
    pub version: u32,
    /// The credential issuer identifier.
    pub url: IssuerUrl,
    /// The name for people.
    pub name: IssuerName,
    /// When `init` ran.
    pub made_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_or_loopback_and_nothing_more() {
        for (text, expected) in [
            ("https://issuer.example/", "https://issuer.example"),
            ("https://issuer.example/tenant/a/", "https://issuer.example/tenant/a"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:8080/x", "http://localhost:8080/x"),
            ("http://[::1]:1", "http://[::1]:1"),
        ] {
            assert_eq!(IssuerUrl::parse(text).unwrap().as_str(), expected);
        }
        for text in ["http://issuer.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example", "http://10.0.0.1"] {
            assert_eq!(IssuerUrl::parse(text), Err(IssuerUrlError::Insecure), "{text}");
        }
        for text in ["https://a@issuer.example", "https://issuer.example?x", "https://issuer.example/#f"] {
            assert_eq!(IssuerUrl::parse(text), Err(IssuerUrlError::TooMuch), "{text}");
        }
        for text in ["", "issuer.example", "https://", "/path"] {
            assert!(IssuerUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_well_known_string_goes_between_host_and_path() {
        let url = IssuerUrl::parse("https://issuer.example/tenant").unwrap();
        assert_eq!(url.well_known_path("openid-credential-issuer"), "/.well-known/openid-credential-issuer/tenant");
        let url = IssuerUrl::parse("https://issuer.example").unwrap();
        assert_eq!(url.well_known_path("openid-credential-issuer"), "/.well-known/openid-credential-issuer");
        assert_eq!(url.join("/token"), "https://issuer.example/token");
    }

    #[test]
    fn attack_56_a_name_cannot_break_a_line_or_turn_the_text() {
        for text in ["", " ", "a\r\nb", "a\u{202e}b", "a\u{0}b", &"x".repeat(65)] {
            assert!(IssuerName::parse(text).is_err(), "{text:?}");
        }
        for text in ["Casa Abierta", "<script>{{7*7}}", "بيت", "=cmd|' /C calc'!A0"] {
            assert_eq!(IssuerName::parse(text).unwrap().as_str(), text);
        }
    }
}
