//! The person's browser: opened at an address that the person agreed to, and at no other kind of address.

use std::io;
use url::{Host, Url};

/// Opens `address` in the browser that the system names.
///
/// # Errors
/// [`BrowserError`].
pub(crate) fn open(address: &Url) -> Result<(), BrowserError> {
    if !may_open(address) {
        return Err(BrowserError::NotAPage);
    }
    // As one argument of a program: no shell reads it, and it begins with a letter.
    Ok(::open::that_detached(address.as_str())?)
}

/// Why the browser was not opened. The address is told, so the person can still go there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrowserError {
    /// Neither `https`, nor plain `http` to this machine: other schemes start other programs.
    #[error("the address is no page that a browser is opened for")]
    NotAPage,
    /// There is none, or it does not start.
    #[error("no browser could be opened: {0}")]
    None(#[from] io::Error),
}

fn may_open(address: &Url) -> bool {
    let here = match address.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    let scheme = address.scheme() == "https" || (here && address.scheme() == "http");
    scheme && address.username().is_empty() && address.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_43_a_browser_is_opened_for_pages_only_and_for_no_other_program() {
        let may = |text: &str| may_open(&Url::parse(text).unwrap());
        for page in [
            "https://verifier.example/back?response_code=1",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://localhost/#x",
        ] {
            assert!(may(page), "{page}");
        }
        for other in [
            "http://verifier.example/",
            "http://10.0.0.1/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "ssh://host/",
            "openid4vp://?client_id=x",
            "vscode://file/x",
            "ftp://127.0.0.1/",
            "https://user@verifier.example/",
            "https://:x@verifier.example/",
        ] {
            assert!(!may(other), "{other}");
            assert!(matches!(open(&Url::parse(other).unwrap()), Err(BrowserError::NotAPage)), "{other}");
        }
    }
}
