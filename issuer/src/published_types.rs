//! The type metadata documents that this issuer publishes: those of our own types, and those of its operator.

#![allow(clippy::disallowed_methods, reason = "the operator's documents are files of the issuer's own")]

use crate::config::IssuerUrl;
use crate::keys::software::write_with_mode;
use credentials::type_metadata::{Bundled, DocumentError, ResolveError, TypeDocuments, TypeMetadata, resolve};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the operator's documents, below the data directory.
pub const DIR: &str = "types";
/// Where types of the operator's own stand, below the issuer's URL: their `vct` is the URL of their document.
pub const PATH: &str = "/types";

/// The documents in the issuer's folder, one file for each type, named by the SHA-256 of the type: no name of a type is ever
/// a path. Read when they are asked for, so that what is published while the service runs is served at once.
#[derive(Debug, Clone)]
pub struct PublishedTypes {
    dir: PathBuf,
}

/// Why documents cannot be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// It cannot be read.
    #[error("not a type metadata document: {0}")]
    Document(#[from] DocumentError),
    /// Its type has a name that leads elsewhere.
    #[error("the type {vct:?} is not at {below}/…, in letters, digits and . _ ~ -")]
    NotOurs {
        /// The type.
        vct: String,
        /// Where types of this issuer stand.
        below: String,
    },
    /// It is published, and says something else.
    #[error("the type {vct:?} is published already, and says something else")]
    Changed {
        /// The type.
        vct: String,
    },
    /// With what it extends it is none.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// A file could not be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PublishedTypes {
    /// Those below the issuer's folder.
    pub fn below(data: &Path) -> Self {
        Self { dir: data.join(DIR) }
    }

    /// The document of a type: one of ours, or one that the operator published.
    pub fn find(&self, vct: &str) -> Option<Vec<u8>> {
        Bundled::and(self).document(vct).map(Cow::into_owned)
    }

    /// Publishes documents, all or none; gives their types. What they extend is one of ours, published, or among them.
    ///
    /// A document that is out does not change: credentials name its digest.
    ///
    /// # Errors
    /// [`PublishError`].
    ///
    /// # Source
    /// SD-JWT VC §5.3.1, §5.4, §5.7, §6.
    pub fn publish(&self, url: &IssuerUrl, documents: &[Vec<u8>]) -> Result<Vec<String>, PublishError> {
        let mut given = BTreeMap::new();
        for bytes in documents {
            let metadata = TypeMetadata::parse(bytes)?;
            let vct = metadata.vct().to_owned();
            if !is_below(url, &vct) {
                return Err(PublishError::NotOurs { vct, below: url.join(PATH) });
            }
            let known = given.insert(vct.clone(), bytes.clone()).or_else(|| self.find(&vct));
            if known.is_some_and(|known| known != *bytes) {
                return Err(PublishError::Changed { vct });
            }
        }
        let all = Both { given: &given, out: self };
        for vct in given.keys() {
            resolve(vct, None, &Bundled::and(&all))?;
        }
        fs::create_dir_all(&self.dir).map_err(|source| PublishError::Write { path: self.dir.clone(), source })?;
        for (vct, bytes) in &given {
            let path = self.path(vct);
            write_with_mode(&path, bytes, 0o644).map_err(|source| PublishError::Write { path, source })?;
        }
        Ok(given.into_keys().collect())
    }

    fn path(&self, vct: &str) -> PathBuf {
        let mut name = String::new();
        for byte in Sha256::digest(vct.as_bytes()) {
            // Writing to a string does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        self.dir.join(name).with_extension("json")
    }
}

impl TypeDocuments for PublishedTypes {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        fs::read(self.path(vct)).ok().map(Cow::Owned)
    }
}

/// What is to be published, and what is.
struct Both<'a> {
    given: &'a BTreeMap<String, Vec<u8>>,
    out: &'a PublishedTypes,
}

impl TypeDocuments for Both<'_> {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        self.given.document(vct).or_else(|| self.out.document(vct))
    }
}

/// Whether a type's own URL is one that this issuer serves, as it stands: no part of it is decoded, empty or climbs up.
fn is_below(url: &IssuerUrl, vct: &str) -> bool {
    let rest = vct.strip_prefix(&url.join(PATH)).and_then(|rest| rest.strip_prefix('/'));
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().any(|b| b != b'.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    };
    rest.is_some_and(|rest| vct.len() <= 256 && rest.split('/').all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use credentials::type_metadata::Integrity;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    const VCT: &str = "https://issuer.example/a/types/residence/1";

    fn publish(types: &PublishedTypes, documents: &[Value]) -> Result<Vec<String>, PublishError> {
        let url = IssuerUrl::parse("https://issuer.example/a").unwrap();
        let documents: Vec<Vec<u8>> = documents.iter().map(|document| document.to_string().into_bytes()).collect();
        types.publish(&url, &documents)
    }

    #[test]
    fn what_is_out_is_found_and_does_not_change() {
        let dir = TempDir::new().unwrap();
        let types = PublishedTypes::below(dir.path());
        let document = json!({"vct": VCT, "extends": "urn:amparo:attestation:1"});
        assert!(types.find(VCT).is_none() && types.find("urn:amparo:identity:1").is_some());
        assert_eq!(publish(&types, std::slice::from_ref(&document)).unwrap(), [VCT]);
        assert_eq!(publish(&types, std::slice::from_ref(&document)).unwrap(), [VCT]);
        assert_eq!(types.find(VCT).unwrap(), document.to_string().into_bytes());
        for other in [json!({"vct": VCT}), json!({"vct": VCT, "extends": "urn:amparo:identity:1"})] {
            assert!(matches!(publish(&types, &[other]), Err(PublishError::Changed { .. })));
        }
        let two = [json!({"vct": format!("{VCT}1")}), json!({"vct": format!("{VCT}1"), "name": "x"})];
        assert!(matches!(publish(&types, &two), Err(PublishError::Changed { .. })));
        // One stands upon the other, in whatever order they come.
        let (one, two) = (format!("{VCT}2"), format!("{VCT}3"));
        let both = [json!({"vct": two, "extends": one}), json!({"vct": one})];
        assert_eq!(publish(&types, &both).unwrap(), [one, two]);
    }

    #[test]
    fn attack_35_a_type_that_stands_on_nothing_or_on_itself_is_not_published() {
        let dir = TempDir::new().unwrap();
        let types = PublishedTypes::below(dir.path());
        let wrong = Integrity::of(b"x").to_string();
        for document in [
            json!({"vct": VCT, "extends": "https://other.example/type"}),
            json!({"vct": VCT, "extends": VCT}),
            json!({"vct": VCT, "extends": "urn:amparo:identity:1", "extends#integrity": wrong}),
            json!({"vct": VCT, "extends": "urn:amparo:identity:1",
                   "claims": [{"path": ["given_name"], "mandatory": false}]}),
        ] {
            assert!(matches!(publish(&types, &[document]), Err(PublishError::Resolve(_))));
        }
        assert!(matches!(publish(&types, &[json!({"name": "x"})]), Err(PublishError::Document(_))));
        assert!(!dir.path().join(DIR).exists(), "nothing is written of what is refused");
    }

    #[test]
    fn attack_57_the_name_of_a_type_is_no_path() {
        let dir = TempDir::new().unwrap();
        let types = PublishedTypes::below(dir.path());
        std::fs::write(dir.path().join("issuer.json"), "{}").unwrap();
        for vct in [
            "https://issuer.example/a/types",
            "https://issuer.example/a/types/",
            "https://issuer.example/a/types/../issuer",
            "https://issuer.example/a/types//x",
            "https://issuer.example/a/types/x%2f",
            "https://issuer.example/a/types/x?y",
            "https://issuer.example/types/x",
            "https://issuer.example.evil.example/a/types/x",
            "http://issuer.example/a/types/x",
            "urn:amparo:identity:1",
            "urn:example:x",
            "../issuer",
            "issuer.json",
        ] {
            let refused = publish(&types, &[json!({"vct": vct})]);
            assert!(matches!(refused, Err(PublishError::NotOurs { .. })), "{vct}");
            assert!(vct.starts_with("urn:amparo") || types.find(vct).is_none(), "{vct}");
        }
    }
}
