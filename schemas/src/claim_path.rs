//! Where a claim stands in a credential: the claims path pointer.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// One step of a [`ClaimPath`]: a name, an index, or `null` for every element of an array.
///
/// # Source
/// OpenID4VP 1.0 §7 "Claims Path Pointer".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathElement {
    /// The member of that name.
    Name(String),
    /// The element at that index of an array.
    Index(u64),
    /// Every element of an array; `null` on the wire.
    Every(()),
}

/// A claims path pointer, a JSON array on the wire: `["address","locality"]`.
///
/// # Source
/// OpenID4VP 1.0 §7 "Claims Path Pointer".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimPath(Vec<PathElement>);

impl ClaimPath {
    /// A path of these elements. An empty path is kept as it is and refused by the DCQL check.
    pub const fn new(elements: Vec<PathElement>) -> Self {
        Self(elements)
    }

    /// A path of names only.
    pub fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(|n| PathElement::Name(n.into())).collect())
    }

    /// The elements, outermost first.
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }

    /// Whether this path stands at or above `other`, so that whoever may see this may see that.
    ///
    /// `null` covers any index; an index covers only itself.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len()
            && self.0.iter().zip(&other.0).all(|(mine, theirs)| match (mine, theirs) {
                (PathElement::Every(()), PathElement::Every(()) | PathElement::Index(_)) => true,
                (mine, theirs) => mine == theirs,
            })
    }

    /// Every value the path selects in `root`; empty when it selects none.
    ///
    /// # Source
    /// OpenID4VP 1.0 §7.1 "Semantics for JSON-based credentials".
    pub fn select<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut selected = vec![root];
        for element in &self.0 {
            selected = selected
                .into_iter()
                .flat_map(|value| -> Vec<&'v Value> {
                    match (element, value) {
                        (PathElement::Name(name), Value::Object(map)) => map.get(name).into_iter().collect(),
                        (PathElement::Index(index), Value::Array(items)) => {
                            usize::try_from(*index).ok().and_then(|i| items.get(i)).into_iter().collect()
                        }
                        (PathElement::Every(()), Value::Array(items)) => items.iter().collect(),
                        _ => Vec::new(),
                    }
                })
                .collect();
        }
        selected
    }
}

impl fmt::Display for ClaimPath {
    /// As JSON, characters escaped that are not seen as themselves (controls, direction overrides, invisible ones): a peer
    /// writes these names, and they are shown to people.
    ///
    /// # Source
    /// SD-JWT VC §7.6 "Risks Associated with Textual Information".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        for c in text.chars() {
            if is_unseen(c) {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        Ok(())
    }
}

/// What JSON leaves as it is and a screen does not show as itself.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attack_13_a_path_shows_no_character_that_hides_or_reorders() {
        let path = ClaimPath::names(["Ñandú\n", "a\u{202e}b\u{9b}31m\u{200b}\u{e0041}"]);
        let shown = path.to_string();
        assert_eq!(shown, r#"["Ñandú\n","a\u202eb\u009b31m\u200b\udb40\udc41"]"#);
        assert_eq!(serde_json::from_str::<ClaimPath>(&shown).unwrap(), path, "still the same path");
    }

    #[test]
    fn selects_by_name_index_and_every() {
        let root = json!({"name": "A", "degrees": [{"type": "BSc"}, {"type": "MSc"}]});
        let path: ClaimPath = serde_json::from_value(json!(["degrees", null, "type"])).unwrap();
        assert_eq!(path.select(&root), [&json!("BSc"), &json!("MSc")]);
        let path: ClaimPath = serde_json::from_value(json!(["degrees", 1, "type"])).unwrap();
        assert_eq!(path.select(&root), [&json!("MSc")]);
        assert!(ClaimPath::names(["name", "x"]).select(&root).is_empty());
    }

    #[test]
    fn a_path_covers_what_stands_below_it() {
        let every: ClaimPath = serde_json::from_value(json!(["n", null])).unwrap();
        let first: ClaimPath = serde_json::from_value(json!(["n", 0])).unwrap();
        assert!(every.covers(&first) && !first.covers(&every));
        assert!(ClaimPath::names(["a"]).covers(&ClaimPath::names(["a", "b"])));
        assert!(!ClaimPath::names(["a", "b"]).covers(&ClaimPath::names(["a"])));
    }
}
