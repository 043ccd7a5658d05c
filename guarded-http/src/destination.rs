//! Where a request goes: a URL that was checked before anything is sent.

use crate::address::{is_loopback, is_public};
use crate::error::FetchError;
use url::{Host, Url};

/// Longer URLs are refused; offers and requests by value fit.
const MOST_URL: usize = 16 * 1024;

/// A URL of one hop whose scheme, credentials and literal host were checked. Names are checked again, by address, when they
/// are resolved: see [`crate::resolver`].
pub(crate) struct Destination {
    url: Url,
    loopback: bool,
}

impl Destination {
    /// Checks the URL that a request starts at.
    pub(crate) fn start(text: &str, allow_loopback_http: bool) -> Result<Self, FetchError> {
        if text.len() > MOST_URL {
            return Err(FetchError::InvalidUrl);
        }
        Self::check(Url::parse(text).map_err(|_| FetchError::InvalidUrl)?, allow_loopback_http)
    }

    /// Checks where a redirect from here leads. Only loopback leads to loopback.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, FetchError> {
        if location.len() > MOST_URL {
            return Err(FetchError::InvalidUrl);
        }
        Self::check(self.url.join(location).map_err(|_| FetchError::InvalidUrl)?, self.loopback)
    }

    /// The URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The host, for messages.
    pub(crate) fn host(&self) -> String {
        host_of(&self.url)
    }

    /// Whether the two hops have scheme, host and port in common.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    fn check(url: Url, loopback_allowed: bool) -> Result<Self, FetchError> {
        let scheme_is_web = matches!(url.scheme(), "https" | "http");
        if !scheme_is_web {
            return Err(FetchError::Scheme { scheme: url.scheme().chars().take(16).collect() });
        }
        // A password in a URL ends in logs, and `https://bank.example@evil.example` deceives people.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Credentials);
        }
        let loopback = names_loopback(&url);
        if loopback {
            if !loopback_allowed {
                return Err(FetchError::RefusedAddress { host: host_of(&url) });
            }
            return Ok(Self { url, loopback });
        }
        // The `url` crate has already turned 0x7f.1, 2130706433 and 0177.0.0.1 into 127.0.0.1 (WHATWG URL §4.3).
        let literal = match url.host() {
            None => return Err(FetchError::InvalidUrl),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
        };
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(FetchError::RefusedAddress { host: host_of(&url) });
        }
        if url.scheme() != "https" {
            return Err(FetchError::Scheme { scheme: url.scheme().to_owned() });
        }
        Ok(Self { url, loopback })
    }
}

/// Whether a URL names this machine itself: 127.0.0.0/8, `::1` or the name `localhost`, however written.
///
/// Says nothing about names that *resolve* to loopback: those are refused when they are resolved.
#[must_use]
pub fn names_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(v4)) => is_loopback(v4.into()),
        Some(Host::Ipv6(v6)) => is_loopback(v6.into()),
        None => false,
    }
}

/// The host for a message: `url` has made it ASCII (punycode), so it can neither move a cursor nor imitate.
fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("?").chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, allow: bool) -> FetchError {
        match Destination::start(text, allow) {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn attack_43_literal_private_addresses_are_refused_in_every_spelling() {
        for text in [
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://017700000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.1.2.3/",
            "https://0xa.1/",
            "https://192.168.0.1:8443/",
            "https://0/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://localhost/",
            "https://LOCALHOST/",
            "http://127.0.0.1/",
            "https://１２７.0.0.1/",
        ] {
            assert!(matches!(refused(text, false), FetchError::RefusedAddress { .. }), "{text}");
        }
    }

    #[test]
    fn attack_43_a_loopback_start_opens_no_other_private_address() {
        for text in [
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://192.168.1.1/",
        ] {
            assert!(matches!(refused(text, true), FetchError::RefusedAddress { .. }), "{text}");
        }
        assert!(
            matches!(refused("http://example.org/", true), FetchError::Scheme { .. }),
            "plain http beyond loopback"
        );
        for text in ["http://127.0.0.1:4000/x", "http://[::1]:4000/", "http://localhost:4000/", "https://localhost/"] {
            assert!(Destination::start(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn attack_43_other_schemes_and_credentials_are_refused() {
        for text in [
            "file:///etc/passwd",
            "gopher://example.org/",
            "ftp://example.org/",
            "data:text/plain,x",
            "javascript:alert(1)",
            "http://example.org/",
        ] {
            assert!(matches!(refused(text, true), FetchError::Scheme { .. }), "{text}");
        }
        for text in ["https://a:b@example.org/", "https://a@example.org/", "https://:b@example.org/"] {
            assert!(matches!(refused(text, true), FetchError::Credentials), "{text}");
        }
        for text in ["", "https://", "//example.org", "example.org", "https://exa mple.org/"] {
            assert!(matches!(refused(text, true), FetchError::InvalidUrl), "{text}");
        }
        assert!(matches!(
            refused(&format!("https://example.org/{}", "a".repeat(MOST_URL)), true),
            FetchError::InvalidUrl
        ));
    }

    #[test]
    fn attack_43_a_public_origin_never_redirects_to_loopback() {
        let public = Destination::start("https://example.org/a", true).unwrap();
        for location in
            ["http://127.0.0.1/", "//localhost/", "https://[::1]/", "http://0x7f.1/", "https://169.254.169.254/"]
        {
            assert!(matches!(public.redirected(location), Err(FetchError::RefusedAddress { .. })), "{location}");
        }
        assert!(matches!(public.redirected("http://example.org/"), Err(FetchError::Scheme { .. })), "downgrade");
        assert!(matches!(public.redirected("file:///etc/passwd"), Err(FetchError::Scheme { .. })));
        assert!(public.redirected("../b").is_ok());
        let loopback = Destination::start("http://127.0.0.1:1/", true).unwrap();
        assert!(loopback.redirected("http://localhost:2/").is_ok());
        let away = loopback.redirected("https://example.org/").unwrap();
        assert!(away.redirected("http://127.0.0.1:1/").is_err(), "loopback, public, loopback");
    }
}
