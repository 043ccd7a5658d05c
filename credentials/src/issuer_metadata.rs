//! JWT VC issuer metadata: the keys that an issuer publishes under its own name.
//!
//! Bytes that the caller has fetched beforehand become a [`KeySet`], which it may put among its
//! [`crate::trust::PublishedIssuers`]. Nothing here fetches, and no issuer is known because it has metadata.

use crate::json::{self, JsonError, Limits};
use crate::key::{KeySet, KeySetError};
use serde_json::Value;
use url::{Host, Url};

/// JWT VC issuer metadata of the issuer that it was asked for.
///
/// # Source
/// SD-JWT VC §4.2 "JWT VC Issuer Metadata Response".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerMetadata {
    issuer: String,
    keys: KeySource,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// In the metadata.
    Here(KeySet),
    /// At this URL: to be fetched by the same guarded client, and read with [`KeySet::parse`].
    At(String),
}

/// Why a text is not the metadata of an issuer, or an issuer can have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerMetadataError {
    /// Not an HTTPS URL (or one of plain HTTP on loopback) of scheme, host, port and path only.
    #[error("the issuer is not an https URL without query, fragment and credentials")]
    Issuer,
    /// Not strict JSON, or not an object.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// `issuer` is missing, or another's.
    #[error("the metadata is that of another issuer")]
    OtherIssuer,
    /// Neither `jwks` nor `jwks_uri`, or both, or of the wrong kind.
    #[error("there must be either jwks or jwks_uri")]
    Keys,
    /// The keys.
    #[error("jwks: {0}")]
    KeySet(#[from] KeySetError),
}

/// Where the metadata of `issuer` is found: the well-known string between host and path.
///
/// # Errors
/// [`IssuerMetadataError::Issuer`].
///
/// # Source
/// SD-JWT VC §4, §4.1.
pub fn well_known_url(issuer: &str) -> Result<String, IssuerMetadataError> {
    let mut url = Url::parse(issuer).map_err(|_| IssuerMetadataError::Issuer)?;
    let is_bare = url.query().is_none() && url.fragment().is_none();
    let is_nobodys = url.username().is_empty() && url.password().is_none();
    if !is_secure(&url) || !url.has_host() || !is_bare || !is_nobodys || issuer.len() > LONGEST {
        return Err(IssuerMetadataError::Issuer);
    }
    let path = format!("/.well-known/jwt-vc-issuer{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url.into())
}

/// `https`; plain `http` on this machine alone, which never leaves it.
fn is_secure(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

impl IssuerMetadata {
    /// Reads the metadata of `issuer`. Members that are not known are not looked at.
    ///
    /// # Errors
    /// [`IssuerMetadataError`].
    ///
    /// # Source
    /// SD-JWT VC §4.2, §4.3: `issuer` byte for byte, `jwks` or `jwks_uri` and not both.
    pub fn parse(bytes: &[u8], issuer: &str) -> Result<Self, IssuerMetadataError> {
        well_known_url(issuer)?;
        let metadata = json::parse_object(bytes, &Limits::TOKEN)?;
        if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(IssuerMetadataError::OtherIssuer);
        }
        let keys = match (metadata.get("jwks"), metadata.get("jwks_uri")) {
            (Some(Value::Object(set)), None) => KeySource::Here(KeySet::read(set)?),
            (None, Some(Value::String(uri))) => {
                let url = Url::parse(uri).ok().filter(|url| is_secure(url) && uri.len() <= LONGEST);
                let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
                url.map(|_| KeySource::At(uri.clone())).ok_or(IssuerMetadataError::Keys)?
            }
            _ => return Err(IssuerMetadataError::Keys),
        };
        Ok(Self { issuer: issuer.to_owned(), keys })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its keys.
    pub const fn keys(&self) -> &KeySource {
        &self.keys
    }
}

const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::SignatureAlgorithm;
    use serde_json::json;

    const ISSUER: &str = "https://example.com";

    /// SD-JWT VC §4.2, the first example.
    fn example() -> Value {
        json!({"issuer": ISSUER, "jwks": {"keys": [
            {"kid": "doc-signer-05-25-2022", "kty": "EC", "crv": "P-256",
             "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"},
            {"kid": "doc-signer-06-05-2025", "kty": "EC", "crv": "P-256",
             "x": "DfjUx4WHBds61vGbqUQhsy3FGX13fAS13QWh2EHIkX8", "y": "NfqJt9Kp0EA93xq9ysO80DRZ_hCGlISz-pYLgv4RFvg"},
        ]}})
    }

    fn parse(value: &Value) -> Result<IssuerMetadata, IssuerMetadataError> {
        IssuerMetadata::parse(value.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn the_examples_of_the_draft_are_read() {
        let second = json!({"issuer": ISSUER, "jwks_uri": "https://jwt-vc-issuer.example.com/my_public_keys.jwks"});
        let at = KeySource::At("https://jwt-vc-issuer.example.com/my_public_keys.jwks".into());
        assert_eq!(parse(&second).unwrap().keys(), &at);
        let first = parse(&example()).unwrap();
        let KeySource::Here(keys) = first.keys() else { panic!("no keys") };
        assert!(keys.select(Some("doc-signer-05-25-2022"), SignatureAlgorithm::Es256).is_ok());
        assert!(keys.select(Some("doc-signer-06-05-2025"), SignatureAlgorithm::Es256).is_ok());
        assert_eq!(first.issuer(), ISSUER);
    }

    #[test]
    fn the_examples_of_where_it_is_found_hold() {
        for (issuer, url) in [
            ("https://example.com", "https://example.com/.well-known/jwt-vc-issuer"),
            ("https://example.com/", "https://example.com/.well-known/jwt-vc-issuer"),
            ("https://example.com/tenant/1234", "https://example.com/.well-known/jwt-vc-issuer/tenant/1234"),
            ("https://example.com/tenant/1234/", "https://example.com/.well-known/jwt-vc-issuer/tenant/1234"),
            ("https://example.com:8443/a", "https://example.com:8443/.well-known/jwt-vc-issuer/a"),
            ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/.well-known/jwt-vc-issuer/a"),
        ] {
            assert_eq!(well_known_url(issuer).as_deref(), Ok(url));
        }
    }

    #[test]
    fn attack_43_issuers_and_places_that_are_no_plain_https_are_refused() {
        for issuer in [
            "http://example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "https://example.com?x",
            "https://example.com#x",
            "https://user@example.com",
            "https://user:pass@example.com",
            "file:///etc/passwd",
            "did:web:example.com",
            "example.com",
            "",
        ] {
            assert_eq!(well_known_url(issuer), Err(IssuerMetadataError::Issuer), "{issuer}");
            let named = json!({"issuer": issuer, "jwks_uri": "https://example.com/k"}).to_string();
            assert_eq!(IssuerMetadata::parse(named.as_bytes(), issuer), Err(IssuerMetadataError::Issuer), "{issuer}");
        }
        for uri in ["http://example.com/k", "file:///k", "https://u:p@example.com/k", "", "k"] {
            let refused = parse(&json!({"issuer": ISSUER, "jwks_uri": uri}));
            assert_eq!(refused, Err(IssuerMetadataError::Keys), "{uri}");
        }
    }

    #[test]
    fn another_issuers_metadata_and_keys_in_two_places_are_refused() {
        for issuer in
            [json!("https://example.com/"), json!("https://EXAMPLE.com"), json!(["https://example.com"]), json!(null)]
        {
            let mut other = example();
            other["issuer"] = issuer;
            assert_eq!(parse(&other), Err(IssuerMetadataError::OtherIssuer));
        }
        let mut both = example();
        both["jwks_uri"] = json!("https://example.com/k");
        assert_eq!(parse(&both), Err(IssuerMetadataError::Keys));
        assert_eq!(parse(&json!({"issuer": ISSUER})), Err(IssuerMetadataError::Keys));
        assert_eq!(parse(&json!({"issuer": ISSUER, "jwks": "k"})), Err(IssuerMetadataError::Keys));
        let empty = parse(&json!({"issuer": ISSUER, "jwks": {"keys": []}}));
        assert_eq!(empty, Err(IssuerMetadataError::KeySet(KeySetError::Empty)));
        let flood = format!("{{\"issuer\":\"{ISSUER}\",\"x\":\"{}\"}}", "x".repeat(5 << 20));
        assert!(matches!(IssuerMetadata::parse(flood.as_bytes(), ISSUER), Err(IssuerMetadataError::Json(_))));
    }
}
