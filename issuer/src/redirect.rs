//! Where a person goes back to from the authorization page: always to the device whose browser shows it.

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use zeroize::Zeroizing;

/// A redirect URI that leads nowhere but to the device of the browser: `http` on a loopback address, or an app's own scheme.
///
/// Wallets are not registered here, so any address would let whoever has an offer send its holder to this issuer's genuine
/// page, have them type the desk's code, and receive the authorization code elsewhere.
///
/// # Source
/// RFC 8252 §7.1 "Private-Use URI Scheme Redirection", §7.3 "Loopback Interface Redirection".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Reads one; `None` for any that leads elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= MAX)?;
        let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        let stays = match (url.scheme(), url.host()) {
            ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
            ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
            // A private scheme is a domain name turned round: it has a dot, which no scheme of a browser has.
            (scheme, _) => scheme.contains('.'),
        };
        (bare
            && stays
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'\'' && b != b'"' && b != b';' && b != b','))
        .then(|| Self(text.to_owned()))
    }

    /// As the wallet gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a page may send a form on to: scheme, host and port, for `form-action`.
    pub fn source(&self) -> String {
        match Url::parse(&self.0) {
            Ok(url) if url.scheme() == "http" => url.origin().ascii_serialization(),
            Ok(url) => format!("{}:", url.scheme()),
            Err(_) => String::new(),
        }
    }

    /// The address with an answer: a code or an error, the wallet's state, and who answers.
    ///
    /// # Source
    /// RFC 6749 §4.1.2; RFC 9207 §2.
    pub(crate) fn answer(&self, name: &str, value: &str, state: Option<&str>, issuer: &str) -> Zeroizing<String> {
        let Ok(mut url) = Url::parse(&self.0) else { return Zeroizing::new(self.0.clone()) };
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair(name, value).append_pair("iss", issuer);
            if let Some(state) = state {
                pairs.append_pair("state", state);
            }
        }
        Zeroizing::new(url.into())
    }
}

const MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_8252_a_redirect_leads_to_this_device_only() {
        for text in ["http://127.0.0.1:51004/back", "http://[::1]:1/x?y=1", "org.example.wallet:/back"] {
            assert!(RedirectUri::parse(text).is_some(), "{text}");
        }
        for text in [
            "https://wallet.example/back",
            "http://localhost:1/x",
            "http://127.0.0.1.evil.example/",
            "http://10.0.0.1/",
            "http://a@127.0.0.1/",
            "http://127.0.0.1/#f",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://127.0.0.1/;script-src *",
            "http://127.0.0.1/\"x",
            "",
        ] {
            assert!(RedirectUri::parse(text).is_none(), "{text}");
        }
        assert_eq!(RedirectUri::parse("http://127.0.0.1:51004/back").unwrap().source(), "http://127.0.0.1:51004");
        assert_eq!(RedirectUri::parse("org.example.wallet:/back").unwrap().source(), "org.example.wallet:");
    }

    #[test]
    fn rfc_9207_an_answer_says_who_answers() {
        let uri = RedirectUri::parse("http://127.0.0.1:1/back?a=b").unwrap();
        assert_eq!(
            uri.answer("code", "x y&z", Some("s&t"), "https://i.example").as_str(),
            "http://127.0.0.1:1/back?a=b&code=x+y%26z&iss=https%3A%2F%2Fi.example&state=s%26t"
        );
    }
}
