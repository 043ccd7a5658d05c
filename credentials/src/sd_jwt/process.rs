//! Disclosures put where their digests stand.

use super::disclosure::DisclosureIn;
use crate::json::Limits;
use schemas::{ClaimPath, PathElement};
use serde_json::map::Entry;
use serde_json::{Map, Value};
use std::fmt;

/// Why disclosures and digests do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosureError {
    /// `_sd` is not an array of strings.
    #[error("_sd is not an array of strings")]
    MalformedDigests,
    /// `...` beside other members, not a string, or outside an array.
    #[error("... is not the placeholder of an array element")]
    MalformedPlaceholder,
    /// `_sd_alg` below the top.
    #[error("_sd_alg below the top of the payload")]
    NestedHash,
    /// A digest twice, or a disclosure twice.
    #[error("a digest or a disclosure occurs twice")]
    Duplicate,
    /// A disclosure whose digest the issuer did not sign.
    #[error("a disclosure is not referenced")]
    Unreferenced,
    /// A disclosure for an array element where a claim belongs, or the reverse.
    #[error("a disclosure is of the wrong kind for its place")]
    WrongKind,
    /// A disclosed claim where one of that name already stands.
    #[error("a disclosed claim has the name of another")]
    NameCollision,
    /// A claim that must not be selectively disclosable, or part of one, is.
    #[error("a claim that must always be visible is selectively disclosable")]
    NeverDisclosable,
    /// Nested deeper than is read.
    #[error("claims nested deeper than {most}")]
    TooDeep {
        /// The most that is read.
        most: usize,
    },
}

/// A payload with its disclosures in place.
#[derive(Clone)]
pub struct Processed {
    /// The processed payload.
    pub claims: Map<String, Value>,
    /// Where each disclosure stands, in the order in which they came.
    pub places: Vec<Place>,
    /// Where elements of arrays stand that were not disclosed, as positions in what the issuer signed. Decoys are among them.
    pub hidden: Vec<ClaimPath>,
}

impl fmt::Debug for Processed {
    /// The places only; no claim.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claims: _, places, hidden: _ } = self;
        f.debug_struct("Processed").field("places", places).finish_non_exhaustive()
    }
}

/// Where a disclosure stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: ClaimPath,
    /// Only where it differs.
    signed_path: Option<ClaimPath>,
}

impl Place {
    /// In the processed payload.
    pub const fn path(&self) -> &ClaimPath {
        &self.path
    }

    /// In what the issuer signed: as [`Place::path`], but indices count array elements that were not disclosed, so that
    /// holder and verifier mean the same element whatever else is shown.
    pub fn signed_path(&self) -> &ClaimPath {
        self.signed_path.as_ref().unwrap_or(&self.path)
    }
}

/// Runs RFC 9901 §7.1 step 3 to 5 over `payload`; at the top, neither the claims named in `never` nor anything in them may
/// be disclosable.
pub(super) fn process(
    mut payload: Map<String, Value>,
    disclosures: Vec<DisclosureIn>,
    never: &[&str],
) -> Result<Processed, DisclosureError> {
    let mut by_digest = Vec::with_capacity(disclosures.len());
    let mut contents = Vec::with_capacity(disclosures.len());
    for (index, DisclosureIn { digest, name, value }) in disclosures.into_iter().enumerate() {
        by_digest.push((digest, index));
        contents.push(Some((name, value)));
    }
    by_digest.sort_unstable();
    if by_digest.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(DisclosureError::Duplicate);
    }
    let mut walk = Walk {
        places: contents.iter().map(|_| None).collect(),
        contents,
        by_digest,
        digests: Vec::new(),
        path: Vec::new(),
        signed_indices: Vec::new(),
        hidden: Vec::new(),
        never,
    };
    // Kept aside, so that only one below the top is met on the way.
    payload.shift_remove("_sd_alg");
    walk.object(&mut payload, 1)?;
    walk.digests.sort_unstable();
    if walk.digests.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DisclosureError::Duplicate);
    }
    let places = walk.places.into_iter().collect::<Option<Vec<_>>>().ok_or(DisclosureError::Unreferenced)?;
    Ok(Processed { claims: payload, places, hidden: walk.hidden })
}

struct Walk<'n> {
    /// Name and value of each disclosure, taken out when it is placed.
    contents: Vec<Option<(Option<String>, Value)>>,
    places: Vec<Option<Place>>,
    /// Sorted; with the index into `contents`.
    by_digest: Vec<(String, usize)>,
    /// Every digest met, decoys too.
    digests: Vec<String>,
    path: Vec<PathElement>,
    /// For each element of `path` the index that was signed, where it differs.
    signed_indices: Vec<Option<u64>>,
    /// Elements of arrays that were not disclosed.
    hidden: Vec<ClaimPath>,
    never: &'n [&'n str],
}

const MOST: usize = Limits::TOKEN.depth;

impl Walk<'_> {
    /// Recursion is bounded by `depth`.
    fn object(&mut self, map: &mut Map<String, Value>, depth: usize) -> Result<(), DisclosureError> {
        if depth > MOST {
            return Err(DisclosureError::TooDeep { most: MOST });
        }
        if map.contains_key("...") {
            return Err(DisclosureError::MalformedPlaceholder);
        }
        if map.contains_key("_sd_alg") {
            return Err(DisclosureError::NestedHash);
        }
        let digests = match map.shift_remove("_sd") {
            None => Vec::new(),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(DisclosureError::MalformedDigests),
        };
        for (name, value) in map.iter_mut() {
            if is_container(value) {
                self.within(PathElement::Name(name.clone()), None, |walk| walk.container(value, depth + 1))?;
            }
        }
        for digest in digests {
            let Value::String(digest) = digest else {
                return Err(DisclosureError::MalformedDigests);
            };
            self.refuse_never()?;
            if let Some((index, name, mut value)) = self.take(&digest)? {
                let name = name.ok_or(DisclosureError::WrongKind)?;
                if self.path.is_empty() && self.never.contains(&name.as_str()) {
                    return Err(DisclosureError::NeverDisclosable);
                }
                let Entry::Vacant(free) = map.entry(name) else {
                    return Err(DisclosureError::NameCollision);
                };
                self.within(PathElement::Name(free.key().clone()), None, |walk| {
                    walk.place(index);
                    walk.container(&mut value, depth + 1)
                })?;
                free.insert(value);
            }
            self.digests.push(digest);
        }
        Ok(())
    }

    fn array(&mut self, items: &mut Vec<Value>, depth: usize) -> Result<(), DisclosureError> {
        if depth > MOST {
            return Err(DisclosureError::TooDeep { most: MOST });
        }
        if !items.iter().any(is_container) {
            return Ok(());
        }
        let mut shown = Vec::with_capacity(items.len());
        for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
            let element = PathElement::Index(shown.len() as u64);
            let signed = (index != shown.len()).then_some(index as u64);
            let placeholder = match &mut item {
                Value::Object(map) if map.contains_key("...") => Some(map),
                _ => None,
            };
            let Some(placeholder) = placeholder else {
                self.within(element, signed, |walk| walk.container(&mut item, depth + 1))?;
                shown.push(item);
                continue;
            };
            let Some(Value::String(digest)) = placeholder.shift_remove("...") else {
                return Err(DisclosureError::MalformedPlaceholder);
            };
            if !placeholder.is_empty() {
                return Err(DisclosureError::MalformedPlaceholder);
            }
            self.refuse_never()?;
            if let Some((index, name, mut value)) = self.take(&digest)? {
                if name.is_some() {
                    return Err(DisclosureError::WrongKind);
                }
                self.within(element, signed, |walk| {
                    walk.place(index);
                    walk.container(&mut value, depth + 1)
                })?;
                shown.push(value);
            } else {
                let mut path = self.signed_path();
                path.push(PathElement::Index(index as u64));
                self.hidden.push(ClaimPath::new(path));
            }
            self.digests.push(digest);
        }
        *items = shown;
        Ok(())
    }

    fn container(&mut self, value: &mut Value, depth: usize) -> Result<(), DisclosureError> {
        match value {
            Value::Object(map) => self.object(map, depth),
            Value::Array(items) => self.array(items, depth),
            _ => Ok(()),
        }
    }

    /// The disclosure of that digest, which can be had once.
    fn take(&mut self, digest: &str) -> Result<Option<(usize, Option<String>, Value)>, DisclosureError> {
        let found = self.by_digest.binary_search_by(|(other, _)| other.as_str().cmp(digest));
        let Some((_, index)) = found.ok().and_then(|at| self.by_digest.get(at)) else {
            return Ok(None);
        };
        match self.contents.get_mut(*index).and_then(Option::take) {
            Some((name, value)) => Ok(Some((*index, name, value))),
            None => Err(DisclosureError::Duplicate),
        }
    }

    fn place(&mut self, index: usize) {
        if let Some(place) = self.places.get_mut(index) {
            let differs = self.signed_indices.iter().any(Option::is_some);
            let signed_path = differs.then(|| ClaimPath::new(signed(&self.path, &self.signed_indices)));
            *place = Some(Place { path: ClaimPath::new(self.path.clone()), signed_path });
        }
    }

    fn signed_path(&self) -> Vec<PathElement> {
        signed(&self.path, &self.signed_indices)
    }

    /// Refuses digests inside a claim that must always be visible whole.
    fn refuse_never(&self) -> Result<(), DisclosureError> {
        match self.path.first() {
            Some(PathElement::Name(name)) if self.never.contains(&name.as_str()) => {
                Err(DisclosureError::NeverDisclosable)
            }
            _ => Ok(()),
        }
    }

    fn within(
        &mut self,
        element: PathElement,
        signed: Option<u64>,
        walk: impl FnOnce(&mut Self) -> Result<(), DisclosureError>,
    ) -> Result<(), DisclosureError> {
        self.path.push(element);
        self.signed_indices.push(signed);
        let result = walk(self);
        self.path.pop();
        self.signed_indices.pop();
        result
    }
}

/// `path` with the indices that were signed.
fn signed(path: &[PathElement], signed_indices: &[Option<u64>]) -> Vec<PathElement> {
    let signed =
        |(element, index): (&PathElement, &Option<u64>)| index.map_or_else(|| element.clone(), PathElement::Index);
    path.iter().zip(signed_indices).map(signed).collect()
}

const fn is_container(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}
