//! The claims of a credential by their positions in what was issued, whatever of it is shown.

use super::credential::{Content, Disclosure};
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The claims of a verified credential by their positions in what was issued: an index counts the elements that are not shown.
///
/// # Source
/// SD-JWT VC §5.6 "Claim Metadata".
pub struct AsIssued<'c> {
    claims: &'c Map<String, Value>,
    /// Everything that is a disclosure of its own.
    disclosures: BTreeSet<&'c [PathElement]>,
    /// For each array the elements that are not shown.
    hidden: BTreeMap<&'c [PathElement], BTreeSet<u64>>,
}

/// A claim that a path selects.
#[derive(Clone)]
pub struct Found<'c> {
    path: Vec<PathElement>,
    /// `None` for an element of an array that is not shown.
    value: Option<&'c Value>,
}

/// Why a path does not fit a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// It names a member of what is no object, or an element of what is no array.
    #[error("a path asks for a member of what is no object, or for an element of what is no array")]
    Mismatch,
    /// It selects more than anyone looks at.
    #[error("a path selects more than {MOST} claims")]
    TooMany,
}

/// The most claims that one path may select.
const MOST: usize = 10_000;

impl<'c> AsIssued<'c> {
    pub(super) fn new(content: &'c Content) -> Self {
        let disclosures = content.disclosures.iter().map(Disclosure::signed_path).map(ClaimPath::elements).collect();
        let mut hidden: BTreeMap<&[PathElement], BTreeSet<u64>> = BTreeMap::new();
        for path in &content.hidden {
            if let Some((PathElement::Index(index), array)) = path.elements().split_last() {
                hidden.entry(array).or_default().insert(*index);
            }
        }
        Self { claims: &content.claims, disclosures, hidden }
    }

    /// Everything that `path` selects. Of an element that is not shown nothing is known but that it is there: a path that goes
    /// on below it selects nothing there.
    ///
    /// # Errors
    /// [`PathFault`].
    ///
    /// # Source
    /// SD-JWT VC §5.6.1.2 "Processing of `path`", §5.6.
    pub fn select(&self, path: &ClaimPath) -> Result<Vec<Found<'c>>, PathFault> {
        let Some((PathElement::Name(name), rest)) = path.elements().split_first() else {
            return Err(PathFault::Mismatch);
        };
        let first = self
            .claims
            .get(name)
            .map(|value| Found { path: vec![PathElement::Name(name.clone())], value: Some(value) });
        let mut selected: Vec<Found<'c>> = first.into_iter().collect();
        for element in rest {
            let mut next = Vec::new();
            for found in selected {
                let Some(value) = found.value else { continue };
                self.step(&found.path, value, element, &mut next)?;
                if next.len() > MOST {
                    return Err(PathFault::TooMany);
                }
            }
            selected = next;
        }
        Ok(selected)
    }

    /// Whether it is a disclosure of its own; that something above it is one does not count.
    ///
    /// # Source
    /// SD-JWT VC §5.6.
    pub fn is_disclosable(&self, found: &Found<'_>) -> bool {
        found.value.is_none() || self.disclosures.contains(found.path.as_slice())
    }

    fn step(
        &self,
        path: &[PathElement],
        value: &'c Value,
        element: &PathElement,
        next: &mut Vec<Found<'c>>,
    ) -> Result<(), PathFault> {
        let at = |element: PathElement| path.iter().cloned().chain([element]).collect();
        match (element, value) {
            (PathElement::Name(name), Value::Object(map)) => {
                next.extend(map.get(name).map(|value| Found { path: at(element.clone()), value: Some(value) }));
                Ok(())
            }
            (PathElement::Every(()) | PathElement::Index(_), Value::Array(items)) => {
                let is_wanted =
                    |index: u64| matches!(element, PathElement::Every(())) || *element == PathElement::Index(index);
                let mut shown = items.iter();
                let hidden = self.hidden.get(path);
                for index in 0..(items.len() + hidden.map_or(0, BTreeSet::len)) as u64 {
                    let is_hidden = hidden.is_some_and(|hidden| hidden.contains(&index));
                    let value = if is_hidden { None } else { shown.next() };
                    if is_wanted(index) {
                        next.push(Found { path: at(PathElement::Index(index)), value });
                    }
                }
                Ok(())
            }
            _ => Err(PathFault::Mismatch),
        }
    }
}

impl<'c> Found<'c> {
    /// Where it stands in what was issued.
    pub fn path(&self) -> ClaimPath {
        ClaimPath::new(self.path.clone())
    }

    /// Its value; `None` when it is not shown.
    pub const fn value(&self) -> Option<&'c Value> {
        self.value
    }
}

impl fmt::Debug for AsIssued<'_> {
    /// No claim.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claims: _, disclosures, hidden: _ } = self;
        f.debug_struct("AsIssued").field("disclosures", &disclosures.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Found<'_> {
    /// The path only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, value: _ } = self;
        f.debug_struct("Found").field("path", path).finish_non_exhaustive()
    }
}
