//! What an authority writes down to make a trust list, pure: the entries by the words of its file, and the number of a list.

use credentials::b64;
use credentials::json::{self, JsonError, Limits};
use credentials::trust::list::{Entry, EntryError, usage_by_word};
use credentials::trust::{AnchorError, AnchorLimits, TrustAnchors};
use schemas::{credential_type, mdoc};
use serde::Deserialize;
use serde_json::Value;
use std::io;
use std::path::PathBuf;

/// Why a file says nothing that a list could be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntriesError {
    /// Not strict JSON.
    #[error("the file with the entries: {0}")]
    Json(#[from] JsonError),
    /// Other members than there are.
    #[error("the file with the entries is not as it must be: {0}")]
    Members(String),
    /// An anchor cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An anchor is none.
    #[error("{anchor}: {source}")]
    Anchor {
        /// As the file names it.
        anchor: String,
        /// Why.
        source: AnchorError,
    },
    /// A word that is no usage.
    #[error("{0:?} is no usage")]
    Usage(String),
    /// What stands beside `withdrawn`.
    #[error("{0}: what is withdrawn has no usages, types or hosts")]
    Withdrawn(String),
    /// An entry cannot be made.
    #[error("{anchor}: {source}")]
    Entry {
        /// As the file names it.
        anchor: String,
        /// Why.
        source: EntryError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entries: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    anchor: String,
    #[serde(default)]
    usages: Vec<String>,
    types: Option<Vec<String>>,
    status_hosts: Option<Vec<String>>,
    #[serde(default)]
    withdrawn: bool,
}

/// The entries that a file names; `read` gives the PEM text of an anchor. Every certificate of such a text is an entry.
///
/// # Errors
/// [`EntriesError`].
pub fn entries(text: &[u8], read: impl Fn(&str) -> Result<Vec<u8>, EntriesError>) -> Result<Vec<Entry>, EntriesError> {
    let object = json::parse_object(text, &Limits::TOKEN)?;
    let file: File =
        serde_json::from_value(Value::Object(object)).map_err(|error| EntriesError::Members(error.to_string()))?;
    let mut entries = Vec::new();
    for Line { anchor, usages, types, status_hosts, withdrawn } in file.entries {
        let anchors = TrustAnchors::from_pem(&read(&anchor)?)
            .map_err(|source| EntriesError::Anchor { anchor: anchor.clone(), source })?;
        let limits = AnchorLimits {
            types: types.map(|types| types.iter().flat_map(|word| type_names(word)).collect()),
            status_hosts,
        };
        if withdrawn && !(usages.is_empty() && limits == AnchorLimits::default()) {
            return Err(EntriesError::Withdrawn(anchor));
        }
        let usages = usages.into_iter().map(|word| usage_by_word(&word).ok_or(EntriesError::Usage(word)));
        let usages = usages.collect::<Result<Vec<_>, _>>()?;
        for certificate in anchors.iter().map(|anchor| anchor.der().to_vec()) {
            let entry = match withdrawn {
                true => Entry::withdrawn(certificate),
                false => Entry::new(certificate, usages.clone(), limits.clone()),
            };
            entries.push(entry.map_err(|source| EntriesError::Entry { anchor: anchor.clone(), source })?);
        }
    }
    Ok(entries)
}

/// The types that a word means: those of one of ours in both formats, and any other as it stands.
fn type_names(word: &str) -> Vec<String> {
    let Some(known) = credential_type::by_id(word) else { return vec![word.to_owned()] };
    let document = mdoc::by_credential_type(known).map(|document| document.doc_type.to_owned());
    std::iter::once(known.vct.to_owned()).chain(document).collect()
}

/// The number of a list of our own, which nobody verifies: it only has to be counted on from.
pub(crate) fn number_of(token: &str) -> Option<u64> {
    let payload = b64::decode(token.trim().split('.').nth(1)?).ok()?;
    json::parse_object(&payload, &Limits { bytes: 1 << 20, ..Limits::TOKEN }).ok()?.get("seq")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_file_become_types_in_both_formats() {
        assert_eq!(type_names("identity"), ["urn:amparo:identity:1", "org.amparo.identity.1"]);
        assert_eq!(type_names("urn:other:1"), ["urn:other:1"]);
    }

    #[test]
    fn attack_36_a_file_that_is_not_understood_makes_no_list() {
        let none = |_: &str| -> Result<Vec<u8>, EntriesError> { Ok(Vec::new()) };
        let refused = |text: &str| entries(text.as_bytes(), none).unwrap_err();
        assert!(matches!(refused(r#"{"entries": [], "entries": []}"#), EntriesError::Json(_)));
        assert!(matches!(refused(r#"{"entries": [{"anchor": "a", "regions": []}]}"#), EntriesError::Members(_)));
        assert!(matches!(refused(r#"{"entries": [{"anchor": "a"}]}"#), EntriesError::Anchor { .. }));
        assert_eq!(number_of("a.b.c"), None);
    }
}
