//! Where the person's browser goes on after an answer on the same device, and the secret that it takes along.

use super::desk::rng;
use credentials::b64;
use rand_core::Rng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::{Host, Url};

/// An address to which the wallet sends the person's browser: `https`, or plain `http` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoOn(Url);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an https address without user name and fragment (plain http on this machine alone)")]
pub struct GoOnError;

impl GoOn {
    /// Reads one.
    ///
    /// # Errors
    /// [`GoOnError`].
    pub fn parse(text: &str) -> Result<Self, GoOnError> {
        let url = Url::parse(text).map_err(|_| GoOnError)?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(GoOnError),
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if plain && (url.scheme() == "https" || url.scheme() == "http" && here) {
            Ok(Self(url))
        } else {
            Err(GoOnError)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address with a fresh secret of 256 bits, and the hash by which the secret is known again.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.2 `redirect_uri`, §14.3.2, §14.3.3: fresh, and never known before the answer came.
    pub(super) fn with_secret(&self) -> (String, [u8; 32]) {
        let mut bytes = [0; 32];
        rng().fill_bytes(&mut bytes);
        let code = b64::encode(&bytes);
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(PARAMETER, &code);
        (url.to_string(), Sha256::digest(code.as_bytes()).into())
    }
}

/// Whether `code` is the secret with that hash.
pub(super) fn is_secret(code: &str, sha256: &[u8]) -> bool {
    Sha256::digest(code.as_bytes()).as_slice().ct_eq(sha256).into()
}

const PARAMETER: &str = "response_code";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_42_an_address_to_go_on_at_is_https_or_this_machine() {
        for text in ["https://desk.example/back", "https://desk.example/?a=1", "http://127.0.0.1:1/", "http://[::1]/"] {
            let go_on = GoOn::parse(text).unwrap();
            let ((one, hash), (two, _)) = (go_on.with_secret(), go_on.with_secret());
            assert_ne!(one, two);
            let code = one.rsplit_once("response_code=").unwrap().1;
            assert!(
                one.starts_with(text) && is_secret(code, &hash) && !is_secret(&code[1..], &hash) && !is_secret("", &[])
            );
        }
        for text in [
            "http://desk.example/",
            "javascript:alert(1)",
            "/back",
            "https://a@desk.example/",
            "https://d.example/#f",
            "http://10.0.0.1/",
        ] {
            assert_eq!(GoOn::parse(text), Err(GoOnError), "{text}");
        }
    }
}
