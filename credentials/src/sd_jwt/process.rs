//! Disclosures put where their digests stand.

use super::digests::Digests;
use super::disclosure::DisclosureIn;
use super::payload::Payload;
use crate::json::Limits;
use schemas::{ClaimPath, PathElement};
use serde_json::map::Entry;
use serde_json::{Map, Value};
use std::borrow::Cow;
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
    payload: Payload,
    disclosures: Vec<DisclosureIn>,
    digests: &Digests,
    never: &[&str],
) -> Result<Processed, DisclosureError> {
    let mut by_digest: Vec<(&str, usize)> = Vec::with_capacity(digests.len());
    by_digest.extend(digests.iter().zip(0..));
    by_digest.sort_unstable();
    if by_digest.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(DisclosureError::Duplicate);
    }
    // `_sd_alg` was kept aside, so that only one below the top is met on the way.
    let Payload { mut claims, digests: top, hash: _ } = payload;
    let top = top.unwrap_or_default();
    let mut walk = Walk {
        places: disclosures.iter().map(|_| None).collect(),
        contents: disclosures.into_iter().map(Some).collect(),
        by_digest,
        digests: Vec::with_capacity(top.len()),
        path: Vec::new(),
        signed_indices: Vec::new(),
        hidden: Vec::new(),
        never,
    };
    walk.object(&mut claims, 1, Some(&top))?;
    walk.digests.sort_unstable();
    if walk.digests.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DisclosureError::Duplicate);
    }
    let places = walk.places.into_iter().collect::<Option<Vec<_>>>().ok_or(DisclosureError::Unreferenced)?;
    Ok(Processed { claims, places, hidden: walk.hidden })
}

struct Walk<'d> {
    /// Each disclosure, taken out when it is placed.
    contents: Vec<Option<DisclosureIn>>,
    places: Vec<Option<Place>>,
    /// Sorted; with the index into `contents`.
    by_digest: Vec<(&'d str, usize)>,
    /// Every digest met, decoys too.
    digests: Vec<Cow<'d, str>>,
    path: Vec<PathElement>,
    /// For each element of `path` the index that was signed, where it differs.
    signed_indices: Vec<Option<u64>>,
    /// Elements of arrays that were not disclosed.
    hidden: Vec<ClaimPath>,
    never: &'d [&'d str],
}

const MOST: usize = Limits::TOKEN.depth;

impl<'d> Walk<'d> {
    /// `top` are digests of `map` that were read apart. Recursion is bounded by `depth`.
    fn object(
        &mut self,
        map: &mut Map<String, Value>,
        depth: usize,
        top: Option<&'d Digests>,
    ) -> Result<(), DisclosureError> {
        if depth > MOST {
            return Err(DisclosureError::TooDeep { most: MOST });
        }
        let mut has_digests = false;
        for name in map.keys() {
            match name.as_str() {
                "..." => return Err(DisclosureError::MalformedPlaceholder),
                "_sd_alg" => return Err(DisclosureError::NestedHash),
                "_sd" => has_digests = true,
                _ => {}
            }
        }
        let digests = match has_digests.then(|| map.shift_remove("_sd")).flatten() {
            None => Vec::new(),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(DisclosureError::MalformedDigests),
        };
        for (name, value) in map.iter_mut() {
            if is_container(value) {
                self.within(PathElement::Name(name.clone()), None, |walk| walk.container(value, depth + 1))?;
            }
        }
        for digest in top.into_iter().flat_map(Digests::iter) {
            self.claim(map, Cow::Borrowed(digest), depth)?;
        }
        for digest in digests {
            let Value::String(digest) = digest else {
                return Err(DisclosureError::MalformedDigests);
            };
            self.claim(map, Cow::Owned(digest), depth)?;
        }
        Ok(())
    }

    /// Puts the claim of that digest into `map`, where it was disclosed.
    fn claim(
        &mut self,
        map: &mut Map<String, Value>,
        digest: Cow<'d, str>,
        depth: usize,
    ) -> Result<(), DisclosureError> {
        self.refuse_never()?;
        if let Some((index, DisclosureIn { name, mut value })) = self.take(&digest)? {
            let name = name.ok_or(DisclosureError::WrongKind)?;
            if self.path.is_empty() && self.never.contains(&name.as_str()) {
                return Err(DisclosureError::NeverDisclosable);
            }
            let Entry::Vacant(free) = map.entry(name) else {
                return Err(DisclosureError::NameCollision);
            };
            self.place(index, PathElement::Name(free.key().clone()), None, &mut value, depth + 1)?;
            free.insert(value);
        }
        self.digests.push(digest);
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
            if let Some((index, DisclosureIn { name, mut value })) = self.take(&digest)? {
                if name.is_some() {
                    return Err(DisclosureError::WrongKind);
                }
                self.place(index, element, signed, &mut value, depth + 1)?;
                shown.push(value);
            } else {
                let mut path = self.signed_path();
                path.push(PathElement::Index(index as u64));
                self.hidden.push(ClaimPath::new(path));
            }
            self.digests.push(Cow::Owned(digest));
        }
        *items = shown;
        Ok(())
    }

    fn container(&mut self, value: &mut Value, depth: usize) -> Result<(), DisclosureError> {
        match value {
            Value::Object(map) => self.object(map, depth, None),
            Value::Array(items) => self.array(items, depth),
            _ => Ok(()),
        }
    }

    /// The disclosure of that digest, which can be had once.
    fn take(&mut self, digest: &str) -> Result<Option<(usize, DisclosureIn)>, DisclosureError> {
        let found = self.by_digest.binary_search_by(|(other, _)| (*other).cmp(digest));
        let Some((_, index)) = found.ok().and_then(|at| self.by_digest.get(at)) else {
            return Ok(None);
        };
        match self.contents.get_mut(*index).and_then(Option::take) {
            Some(disclosure) => Ok(Some((*index, disclosure))),
            None => Err(DisclosureError::Duplicate),
        }
    }

    /// Notes where the disclosure of that index stands, and goes on inside its value.
    fn place(
        &mut self,
        index: usize,
        element: PathElement,
        signed_index: Option<u64>,
        value: &mut Value,
        depth: usize,
    ) -> Result<(), DisclosureError> {
        let differs = signed_index.is_some() || self.signed_indices.iter().any(Option::is_some);
        let signed_path = differs.then(|| {
            let mut path = self.signed_path();
            path.push(signed_index.map_or_else(|| element.clone(), PathElement::Index));
            ClaimPath::new(path)
        });
        let inside = is_container(value).then(|| element.clone());
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path);
        path.push(element);
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(Place { path: ClaimPath::new(path), signed_path });
        }
        match inside {
            Some(element) => self.within(element, signed_index, |walk| walk.container(value, depth)),
            None => Ok(()),
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
