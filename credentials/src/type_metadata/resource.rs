//! A picture or template that a document names: at a URL, or in the document itself.

use super::{Integrity, IntegrityError, read};
use crate::b64;
use url::Url;

/// A picture or template that a type metadata document names.
///
/// # Source
/// SD-JWT VC §5.5.1: an HTTPS URL or a `data:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    place: Place,
    integrity: Option<Result<Integrity, IntegrityError>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Url(String),
    Data(DataUri),
}

impl Resource {
    pub(super) fn new(uri: &str, integrity: Option<Result<Integrity, IntegrityError>>) -> Option<Self> {
        let place = if uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            Place::Data(DataUri::parse(uri)?)
        } else {
            let url = Url::parse(uri).ok().filter(|_| uri.len() <= read::LONGEST_URI)?;
            let is_plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
            is_plain.then(|| Place::Url(uri.to_owned()))?
        };
        Some(Self { place, integrity })
    }

    /// Where to fetch it, beforehand and not because somebody is being looked at; `None` when it came with the document.
    ///
    /// # Source
    /// SD-JWT VC §8.4.
    pub fn url(&self) -> Option<&str> {
        match &self.place {
            Place::Url(url) => Some(url),
            Place::Data(_) => None,
        }
    }

    /// What came with the document.
    pub const fn data(&self) -> Option<&DataUri> {
        match &self.place {
            Place::Url(_) => None,
            Place::Data(data) => Some(data),
        }
    }

    /// Refuses bytes that are not what the document names; anything passes where it names no digest.
    ///
    /// # Errors
    /// [`IntegrityError`]; also when the digest in the document cannot be read.
    pub fn check(&self, bytes: &[u8]) -> Result<(), IntegrityError> {
        match &self.integrity {
            None => Ok(()),
            Some(integrity) => integrity.as_ref().map_err(|error| *error)?.check(bytes),
        }
    }
}

/// A `data:` URI of a kind of picture that we know.
///
/// # Source
/// RFC 2397; SD-JWT VC §7.9: few media types, bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataUri {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl DataUri {
    /// The media types that are read.
    pub const MEDIA_TYPES: [&'static str; 4] = ["image/svg+xml", "image/png", "image/jpeg", "image/webp"];
    /// The most bytes.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads one: base64 of the usual alphabet, or percent-encoded. Parameters other than `charset=utf-8` are refused.
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.get(5..).filter(|_| uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")))?;
        let (header, data) = rest.split_once(',').filter(|(_, data)| data.len() <= Self::MOST_BYTES * 3)?;
        let mut parts = header.split(';');
        let named = parts.next()?;
        let media_type = Self::MEDIA_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(named))?;
        let mut is_base64 = false;
        for parameter in parts {
            match parameter.to_ascii_lowercase().as_str() {
                "charset=utf-8" if !is_base64 => {}
                "base64" if !is_base64 => is_base64 = true,
                _ => return None,
            }
        }
        let bytes = if is_base64 { b64::decode_standard(data).ok()? } else { percent_decoded(data)? };
        (bytes.len() <= Self::MOST_BYTES).then_some(Self { media_type, bytes })
    }

    /// Its media type, one of [`DataUri::MEDIA_TYPES`].
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || (rest.next()? as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit()? << 4 | digit()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_of_few_kinds_are_read() {
        let read = |uri: &str| DataUri::parse(uri).map(|data| (data.media_type(), data.bytes().to_vec()));
        assert_eq!(read("data:image/png;base64,AAEC"), Some(("image/png", vec![0, 1, 2])));
        assert_eq!(read("DATA:image/svg+xml;charset=UTF-8,%3Csvg/%3e"), Some(("image/svg+xml", b"<svg/>".to_vec())));
        for uri in [
            "data:,x",
            "data:text/html,<script>",
            "data:image/svg+xml",
            "data:image/png;base64,AAE",
            "data:image/png;base64;base64,AAEC",
            "data:image/png;charset=utf-16,x",
            "data:image/svg+xml,%3",
            "data:image/svg+xml,%zz",
            "data:application/javascript,1",
        ] {
            assert_eq!(read(uri), None, "{uri}");
        }
        assert!(DataUri::parse(&format!("data:image/png,{}", "x".repeat(DataUri::MOST_BYTES + 1))).is_none());
    }

    #[test]
    fn attack_43_other_places_are_refused() {
        assert!(Resource::new("https://a.example/logo.png", None).is_some());
        for uri in [
            "http://a.example/logo.png",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://user:pass@a.example/",
            "//a.example/logo.png",
            "logo.png",
            "",
            "data:text/html,x",
        ] {
            assert_eq!(Resource::new(uri, None), None, "{uri}");
        }
    }
}
