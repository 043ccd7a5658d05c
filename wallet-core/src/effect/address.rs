//! Which addresses a ceremony may reach: `https`, and this machine only where the person's own link named it.

use crate::fault::{Blame, Fault};
use url::{Host, Url};

/// Whether a ceremony may reach this machine.
///
/// It may when the link that the person opened names this machine itself, and never because a public server said so.
/// Private addresses behind a public name are stopped where the connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loopback {
    /// `https` to public addresses only.
    Refused,
    /// The person's own link named this machine: plain `http` to it is allowed in this ceremony.
    NamedByThePerson,
}

/// Why an address is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not a URL, or longer than 2,048 bytes.
    #[error("an address is not a URL")]
    Malformed,
    /// Neither `https` nor plain `http` to this machine as the person's link allows.
    #[error("an address is not https")]
    NotHttps,
    /// This very machine, which the person's link does not lead to.
    #[error("an address is on this machine, where the link does not lead")]
    ThisMachine,
    /// A name and password, or a fragment, stand in it.
    #[error("an address holds a user name or a fragment")]
    Embellished,
}

impl Blame for AddressError {
    fn fault(&self) -> Fault {
        Fault::Peer
    }

    fn hint(&self) -> &'static str {
        "the other side gave an address that is not safe to open: ask for a new link"
    }
}

impl Loopback {
    /// What a link that names this address allows.
    pub(crate) fn as_named_by(link: &str) -> Self {
        Url::parse(link).map_or(Self::Refused, |url| Self::of(&url))
    }

    /// What a place that was allowed lets the next one be: from a public place nothing leads to this machine.
    pub(crate) fn of(url: &Url) -> Self {
        if is_loopback(url) { Self::NamedByThePerson } else { Self::Refused }
    }
}

/// An address that may be reached.
pub(crate) fn address(text: &str, loopback: Loopback) -> Result<Url, AddressError> {
    if text.len() > MAX_LEN {
        return Err(AddressError::Malformed);
    }
    let url = Url::parse(text).map_err(|_| AddressError::Malformed)?;
    let here_allowed = loopback == Loopback::NamedByThePerson && is_loopback(&url);
    match url.scheme() {
        "https" if is_loopback(&url) && !here_allowed => return Err(AddressError::ThisMachine),
        "https" => {}
        "http" if here_allowed => {}
        _ => return Err(AddressError::NotHttps),
    }
    if url.host().is_none() {
        return Err(AddressError::Malformed);
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(AddressError::Embellished);
    }
    Ok(url)
}

/// An identifier of a server: an address without a query, kept as it was written, for it is compared byte for byte.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.1; RFC 8414 §2 `issuer`.
pub(crate) fn identifier(text: &str, loopback: Loopback) -> Result<Url, AddressError> {
    let url = address(text, loopback)?;
    if url.query().is_some() { Err(AddressError::Embellished) } else { Ok(url) }
}

/// The well-known address of an identifier: the string goes between the host and the path.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.2; RFC 8414 §3.1.
pub(crate) fn well_known(identifier: &Url, suffix: &str) -> Url {
    let mut url = identifier.clone();
    let path = identifier.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/{suffix}{path}"));
    url
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

const MAX_LEN: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_43_only_https_or_the_machine_the_person_named() {
        use AddressError::*;
        for (text, error) in [
            ("http://issuer.example/", NotHttps),
            ("http://127.0.0.1:8000/", NotHttps),
            ("https://127.0.0.1:8000/", ThisMachine),
            ("https://localhost/", ThisMachine),
            ("https://[::1]/", ThisMachine),
            ("file:///etc/passwd", NotHttps),
            ("gopher://issuer.example/", NotHttps),
            ("ftp://issuer.example/", NotHttps),
            ("https://name:secret@issuer.example/", Embellished),
            ("https://issuer.example/#x", Embellished),
            ("issuer.example", Malformed),
            ("https://", Malformed),
        ] {
            assert_eq!(address(text, Loopback::Refused), Err(error), "{text}");
        }
        for text in [
            "http://127.0.0.1:8000/",
            "http://127.9.9.9/",
            "http://[::1]:80/x",
            "http://localhost:1/",
            "http://0x7f.1/",
        ] {
            assert_eq!(Loopback::as_named_by(text), Loopback::NamedByThePerson, "{text}");
            assert!(address(text, Loopback::NamedByThePerson).is_ok(), "{text}");
        }
        for text in [
            "http://10.0.0.1/",
            "http://169.254.169.254/",
            "http://localhost.issuer.example/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(Loopback::as_named_by(text), Loopback::Refused, "{text}");
            assert_eq!(address(text, Loopback::NamedByThePerson), Err(NotHttps), "{text}");
        }
    }

    #[test]
    fn vci_12_2_2_the_well_known_string_stands_before_the_path() {
        for (text, expected) in [
            ("https://i.example/tenant", "https://i.example/.well-known/openid-credential-issuer/tenant"),
            ("https://i.example", "https://i.example/.well-known/openid-credential-issuer"),
            ("https://i.example/", "https://i.example/.well-known/openid-credential-issuer"),
            ("https://i.example:8443/a/b", "https://i.example:8443/.well-known/openid-credential-issuer/a/b"),
        ] {
            let url = identifier(text, Loopback::Refused).unwrap();
            assert_eq!(well_known(&url, "openid-credential-issuer").as_str(), expected);
        }
        assert_eq!(identifier("https://i.example/?x=1", Loopback::Refused), Err(AddressError::Embellished));
    }
}
