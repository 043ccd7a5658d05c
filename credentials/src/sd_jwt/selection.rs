//! What a holder chooses to show, and the presentation made of it.

use super::credential::{Disclosure, SdJwtVc};
use crate::jws;
use crate::key_binding::KeyBindingClaims;
use crate::signer::{SignError, Signer};
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
use std::fmt;

/// Why a choice cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The credential has no such claim.
    #[error("the credential has no claim at {0}")]
    NoSuchClaim(ClaimPath),
}

/// Why a presentation cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The signer's key is not the one in `cnf`.
    #[error("the signing key is not the one the credential is bound to")]
    WrongKey,
    /// The key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The disclosures a holder chose.
#[derive(Clone)]
pub struct Selection<'c> {
    credential: &'c SdJwtVc,
    chosen: Vec<&'c Disclosure>,
}

impl<'c> Selection<'c> {
    /// Chooses what `paths` select, what stands above it, and what stands below it.
    pub(super) fn new(credential: &'c SdJwtVc, paths: &[ClaimPath]) -> Result<Self, SelectError> {
        let wanted = wanted(credential, paths)?;
        let is_wanted = |place: &[PathElement]| wanted.iter().any(|path| path.iter().zip(place).all(|(a, b)| a == b));
        Ok(Self { credential, chosen: chosen(credential, is_wanted) })
    }

    /// Chooses what `paths` select and what stands above it.
    pub(super) fn exactly(credential: &'c SdJwtVc, paths: &[ClaimPath]) -> Result<Self, SelectError> {
        let wanted = wanted(credential, paths)?;
        let is_wanted = |place: &[PathElement]| wanted.iter().any(|path| path.starts_with(place));
        Ok(Self { credential, chosen: chosen(credential, is_wanted) })
    }

    /// The paths of the disclosures that will be shown.
    pub fn paths(&self) -> Vec<ClaimPath> {
        self.chosen.iter().map(|disclosure| disclosure.path().clone()).collect()
    }

    /// The issuer's part and the chosen disclosures, bound to nobody: what the KB-JWT is made over.
    pub fn unbound(&self) -> String {
        let text = self.credential.as_str();
        let jwt = self.credential.issuer_signed();
        let disclosures = self.chosen.iter().map(|d| d.text_in(text));
        let length = jwt.len() + 1 + disclosures.clone().map(|d| d.len() + 1).sum::<usize>();
        // Room for the KB-JWT, which follows on the same string.
        let mut presentation = String::with_capacity(length + 1024);
        presentation.push_str(jwt);
        presentation.push('~');
        for disclosure in disclosures {
            presentation.push_str(disclosure);
            presentation.push('~');
        }
        presentation
    }

    /// Makes the presentation: the chosen disclosures and a KB-JWT over them.
    ///
    /// # Errors
    /// [`BindError::WrongKey`] when `signer` is not the key in `cnf`.
    ///
    /// # Source
    /// RFC 9901 §4.3, §7.2; OpenID4VP 1.0 §B.3.6 for `aud` and `nonce`.
    pub fn bind(&self, claims: &KeyBindingClaims, signer: &dyn Signer) -> Result<String, BindError> {
        if signer.public_key() != self.credential.confirmation_key() {
            return Err(BindError::WrongKey);
        }
        let mut presentation = self.unbound();
        let sd_hash = self.credential.hash().digest(&presentation);
        let payload = claims.payload(&sd_hash).map_err(|_| SignError::Unavailable)?;
        presentation.push_str(&jws::sign_encoded(HEADER, &payload, signer, 0)?);
        Ok(presentation)
    }

    /// The claims that a verifier will see: the processed payload without what is not chosen.
    pub fn shown(&self) -> Map<String, Value> {
        let hidden: Vec<&[PathElement]> = self
            .credential
            .disclosures()
            .iter()
            .filter(|d| !self.chosen.iter().any(|chosen| std::ptr::eq(*chosen, *d)))
            .map(|d| d.path().elements())
            .collect();
        let mut claims = self.credential.claims().clone();
        // The last first, so that taking an element out of an array does not move those still to be taken out.
        let mut hidden = hidden;
        hidden.sort_by(|a, b| b.cmp(a));
        for path in hidden {
            remove(&mut claims, path);
        }
        claims
    }
}

impl fmt::Debug for Selection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection").field("paths", &self.paths()).finish_non_exhaustive()
    }
}

/// What `paths` select, each `null` replaced by an index.
fn wanted(credential: &SdJwtVc, paths: &[ClaimPath]) -> Result<Vec<Vec<PathElement>>, SelectError> {
    let mut wanted = Vec::new();
    for path in paths {
        let no_such_claim = || SelectError::NoSuchClaim(path.clone());
        let (first, rest) = path.elements().split_first().ok_or_else(no_such_claim)?;
        let PathElement::Name(name) = first else { return Err(no_such_claim()) };
        let claim = credential.claims().get(name).ok_or_else(no_such_claim)?;
        let found = concrete(rest, claim, first.clone());
        if found.is_empty() {
            return Err(no_such_claim());
        }
        wanted.extend(found);
    }
    Ok(wanted)
}

fn chosen(credential: &SdJwtVc, is_wanted: impl Fn(&[PathElement]) -> bool) -> Vec<&Disclosure> {
    credential.disclosures().iter().filter(|disclosure| is_wanted(disclosure.path().elements())).collect()
}

/// `{"alg":"ES256","typ":"kb+jwt"}`, base64url.
const HEADER: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImtiK2p3dCJ9";

/// The paths below `claim`, itself reached by `first`, that `rest` selects, each `null` replaced by an index.
pub(super) fn concrete(rest: &[PathElement], claim: &Value, first: PathElement) -> Vec<Vec<PathElement>> {
    let mut found = vec![(vec![first], claim)];
    for element in rest {
        found = found
            .into_iter()
            .flat_map(|(path, value)| -> Vec<(Vec<PathElement>, &Value)> {
                let with = |element: PathElement| path.iter().cloned().chain([element]).collect();
                match (element, value) {
                    (PathElement::Name(name), Value::Object(map)) => {
                        map.get(name).map(|value| (with(element.clone()), value)).into_iter().collect()
                    }
                    (PathElement::Index(index), Value::Array(items)) => usize::try_from(*index)
                        .ok()
                        .and_then(|index| items.get(index))
                        .map(|value| (with(element.clone()), value))
                        .into_iter()
                        .collect(),
                    (PathElement::Every(()), Value::Array(items)) => {
                        (0u64..).zip(items).map(|(index, value)| (with(PathElement::Index(index)), value)).collect()
                    }
                    _ => Vec::new(),
                }
            })
            .collect();
    }
    found.into_iter().map(|(path, _)| path).collect()
}

fn remove(claims: &mut Map<String, Value>, path: &[PathElement]) {
    let Some((PathElement::Name(name), rest)) = path.split_first() else { return };
    let Some((last, between)) = rest.split_last() else {
        claims.shift_remove(name);
        return;
    };
    let parent = between.iter().try_fold(claims.get_mut(name), |value, element| {
        Some(match element {
            PathElement::Name(name) => value?.get_mut(name),
            PathElement::Index(index) => value?.get_mut(usize::try_from(*index).ok()?),
            PathElement::Every(()) => None,
        })
    });
    match (parent.flatten(), last) {
        (Some(Value::Object(map)), PathElement::Name(name)) => {
            map.shift_remove(name);
        }
        (Some(Value::Array(items)), PathElement::Index(index)) => {
            if let Some(index) = usize::try_from(*index).ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}
