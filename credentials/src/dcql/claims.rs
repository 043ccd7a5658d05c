//! Claims path pointers applied to a credential, and the claims that answer a query.

use crate::sd_jwt::PresentedCredential;
use schemas::dcql::{ClaimsQuery, CredentialQuery};
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The values that `path` selects in a credential; none where the specification has an error.
///
/// Stricter than [`ClaimPath::select`]: a step that meets the wrong kind of value anywhere ends in nothing at all.
///
/// # Source
/// OpenID4VP 1.0 §7.1.1 "Processing".
pub fn select<'v>(path: &ClaimPath, claims: &'v Map<String, Value>) -> Option<Vec<&'v Value>> {
    let (first, rest) = path.elements().split_first()?;
    let PathElement::Name(name) = first else {
        return None;
    };
    let mut selected: Vec<&Value> = claims.get(name).into_iter().collect();
    for element in rest {
        let mut next = Vec::new();
        for value in selected {
            match (element, value) {
                (PathElement::Name(name), Value::Object(map)) => next.extend(map.get(name)),
                (PathElement::Every(()), Value::Array(items)) => next.extend(items),
                (PathElement::Index(index), Value::Array(items)) => {
                    next.extend(usize::try_from(*index).ok().and_then(|index| items.get(index)));
                }
                _ => return None,
            }
        }
        selected = next;
    }
    if selected.is_empty() { None } else { Some(selected) }
}

/// The paths of everything that can be seen at or below the `disclosed` paths, down to the last value, each once.
///
/// A parent that was disclosed only to reach its child adds nothing but that child; a parent disclosed as a whole adds
/// all that is in it. An empty object or array is a value of its own.
pub fn visible_leaves(claims: &Map<String, Value>, disclosed: &[ClaimPath]) -> Vec<ClaimPath> {
    let mut leaves = BTreeSet::new();
    for path in disclosed {
        let Some((PathElement::Name(name), rest)) = path.elements().split_first() else {
            continue;
        };
        if let Some(value) = claims.get(name) {
            walk(value, rest, &mut vec![PathElement::Name(name.clone())], &mut leaves);
        }
    }
    leaves.into_iter().collect()
}

/// [`visible_leaves`] of what a holder presented. Indices are those of the credential as issued, so that a path means the
/// same element to the holder, who granted it, and to the verifier, who does not see the others.
pub fn presented_leaves(presented: &PresentedCredential) -> Vec<ClaimPath> {
    let mut leaves = BTreeSet::new();
    for (disclosure, signed) in presented.disclosures().iter().zip(presented.disclosed_paths()) {
        let depth = disclosure.path().elements().len();
        // What stands below another disclosure again is named by that one.
        let deeper = |leaf: &ClaimPath| {
            let others = presented.disclosures().iter().map(|other| other.path());
            others.filter(|other| other.elements().len() > depth).any(|other| other.covers(leaf))
        };
        let below = visible_leaves(presented.claims(), std::slice::from_ref(disclosure.path()));
        leaves.extend(below.iter().filter(|leaf| !deeper(leaf)).map(|leaf| {
            let rest = leaf.elements().get(depth..).unwrap_or(&[]);
            ClaimPath::new([signed.elements(), rest].concat())
        }));
    }
    leaves.into_iter().collect()
}

/// Follows `rest` from `value`, then goes on to every leaf. The depth is that of the parsed JSON, which is bounded.
fn walk(value: &Value, rest: &[PathElement], at: &mut Vec<PathElement>, leaves: &mut BTreeSet<ClaimPath>) {
    let (wanted, rest) = match rest.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, rest),
    };
    let mut step = |element: PathElement, value: &Value, leaves: &mut BTreeSet<ClaimPath>| {
        at.push(element);
        walk(value, rest, at, leaves);
        at.pop();
    };
    match (value, wanted) {
        (Value::Object(map), None) if !map.is_empty() => {
            map.iter().for_each(|(name, value)| step(PathElement::Name(name.clone()), value, leaves));
        }
        (Value::Array(items), None | Some(PathElement::Every(()))) if !items.is_empty() => {
            (0..).zip(items).for_each(|(index, value)| step(PathElement::Index(index), value, leaves));
        }
        (Value::Object(map), Some(PathElement::Name(name))) => {
            if let Some(value) = map.get(name) {
                step(PathElement::Name(name.clone()), value, leaves);
            }
        }
        (Value::Array(items), Some(PathElement::Index(index))) => {
            if let Some(value) = usize::try_from(*index).ok().and_then(|index| items.get(index)) {
                step(PathElement::Index(*index), value, leaves);
            }
        }
        (_, None) => {
            leaves.insert(ClaimPath::new(at.clone()));
        }
        (_, Some(_)) => {}
    }
}

/// The paths that answer the query, or the first paths missing for its most preferred answer.
///
/// `leaves` are those of a presentation, with the indices of the credential as issued: an element of an array answers a path
/// with its index also when the elements before it were kept.
///
/// # Source
/// OpenID4VP 1.0 §6.4.1 "Selecting Claims".
pub(super) fn matched(
    query: &CredentialQuery,
    claims: &Map<String, Value>,
    leaves: &[ClaimPath],
) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
    let Some(asked) = &query.claims else {
        return Ok(Vec::new());
    };
    let Some(sets) = &query.claim_sets else {
        return all(asked.iter(), claims, leaves);
    };
    let mut first_missing = None;
    for set in sets {
        let named = set.iter().filter_map(|id| asked.iter().find(|claim| claim.id.as_ref() == Some(id)));
        match all(named, claims, leaves) {
            Ok(paths) => return Ok(paths),
            Err(missing) => first_missing = first_missing.or(Some(missing)),
        }
    }
    Err(first_missing.unwrap_or_default())
}

/// The combinations of claims that the query asks for and that `claims` have whole; all of its claims where there are no
/// `claim_sets`, or none of them is there.
pub(super) fn alternatives<'q>(
    query: &'q CredentialQuery,
    claims: &Map<String, Value>,
    leaves: &[ClaimPath],
) -> Vec<Vec<&'q ClaimPath>> {
    let asked = query.claims.as_deref().unwrap_or_default();
    let named = |set: &[String]| -> Vec<&'q ClaimsQuery> {
        set.iter().filter_map(|id| asked.iter().find(|claim| claim.id.as_ref() == Some(id))).collect()
    };
    let sets = query.claim_sets.iter().flatten().map(|set| named(set));
    let met: Vec<Vec<&ClaimPath>> = sets
        .filter(|set| all(set.iter().copied(), claims, leaves).is_ok())
        .map(|set| set.into_iter().map(|claim| &claim.path).collect())
        .collect();
    if met.is_empty() { vec![asked.iter().map(|claim| &claim.path).collect()] } else { met }
}

fn all<'q>(
    asked: impl Iterator<Item = &'q ClaimsQuery>,
    claims: &Map<String, Value>,
    leaves: &[ClaimPath],
) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
    let (mut paths, mut missing) = (Vec::new(), Vec::new());
    for claim in asked {
        let shown = || claim.values.is_none() && leaves.iter().any(|leaf| claim.path.covers(leaf));
        let answered = shown() || select(&claim.path, claims).is_some_and(|selected| has_expected(claim, &selected));
        let list = if answered { &mut paths } else { &mut missing };
        // The same claim asked for twice is asked for once (§6.1).
        if !list.contains(&claim.path) {
            list.push(claim.path.clone());
        }
    }
    if missing.is_empty() { Ok(paths) } else { Err(missing) }
}

/// Type and value must match exactly (§6.3): no patterns, no case folding, no number for a string.
fn has_expected(claim: &ClaimsQuery, selected: &[&Value]) -> bool {
    claim.values.as_ref().is_none_or(|expected| selected.iter().any(|value| expected.contains(value)))
}
