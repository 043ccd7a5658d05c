//! The types of what came: their documents, looked up once, at their issuer, while it is being talked to; and their rules.
//!
//! Whoever fetched a document later would tell its publisher that a credential is being looked at or shown.
//!
//! # Source
//! SD-JWT VC §5.3.1, §5.7, §7.1, §8.3, §8.4.

use super::arrived::Arrived;
use super::error::IssuanceError;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address};
use crate::holdings::{Credential, Holdings};
use crate::words::Words;
use credentials::sd_jwt::SdJwtVc;
use credentials::type_metadata::{Bundled, MOST_EXTENSIONS, ResolveError, ResolvedType, TypeDocuments, resolve};
use rand_core::CryptoRng;
use schemas::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// The documents of types are looked up, one after the other.
pub struct LookingUp {
    effect: Effect,
    wanted: String,
    arrived: Arrived,
    kept: BTreeMap<String, Vec<u8>>,
    tried: Vec<String>,
}

impl Arrived {
    /// Looks up what the types of what came say, as far as it is not known: only types whose name is a URL of this very issuer,
    /// and what they extend there. What cannot be had is done without; what came must keep the rules that there are.
    ///
    /// # Errors
    /// [`IssuanceError::TypeDocument`], [`IssuanceError::TypeRules`].
    pub fn look_up(self, holdings: &Holdings<'_>) -> Result<Progress<LookingUp>, IssuanceError> {
        next(self, holdings.type_documents(), Vec::new())
    }

    /// What its types say, for someone who would read `languages`.
    pub fn words(&self, holdings: &Holdings<'_>, languages: &[String]) -> Words {
        let kept = holdings.type_documents();
        let documents = Both { fetched: self.fetched(), kept: &kept };
        Words::new(languages, &Bundled::and(&documents), self.type_ids())
    }

    /// Refuses copies that break the rules of their type, where there are documents of it; gives the documents that were used and
    /// are not kept yet.
    ///
    /// # Source
    /// SD-JWT VC §5.7: metadata that cannot be processed in full is not used; metadata that is broken refuses the credential.
    pub(super) fn hold_to_types(
        &self,
        kept: &BTreeMap<String, Vec<u8>>,
    ) -> Result<BTreeMap<String, Vec<u8>>, IssuanceError> {
        let documents = Both { fetched: self.fetched(), kept };
        let mut used = BTreeMap::new();
        for copies in self.copies() {
            let Some(first) = copies.iter().find_map(|credential| sd_jwt(credential)) else { continue };
            let Some(resolved) = resolved(first, &documents)? else { continue };
            for copy in copies.iter().filter_map(|credential| sd_jwt(credential)) {
                resolved.check_issued(copy).map_err(IssuanceError::TypeRules)?;
            }
            let own = resolved.types().filter_map(|vct| Some((vct.to_owned(), self.fetched().get(vct)?.clone())));
            used.extend(own);
        }
        Ok(used)
    }

    /// The next document to look up, if there is one.
    fn wanted(&self, kept: &BTreeMap<String, Vec<u8>>, tried: &[String]) -> Option<(String, Url)> {
        let documents = Both { fetched: self.fetched(), kept };
        self.copies().into_iter().find_map(|copies| {
            let first = copies.iter().find_map(|credential| sd_jwt(credential))?;
            let vct = match resolve(first.vct(), first.vct_integrity(), &Bundled::and(&documents)) {
                Err(ResolveError::Missing { vct }) => vct,
                // What was kept is another version: it may have changed since.
                Err(ResolveError::Integrity { vct, .. }) if kept.contains_key(&vct) => vct,
                _ => return None,
            };
            let url = at_the_issuer(self.issuer(), &vct).filter(|_| !tried.contains(&vct))?;
            Some((vct, url))
        })
    }
}

fn next(
    arrived: Arrived,
    kept: BTreeMap<String, Vec<u8>>,
    tried: Vec<String>,
) -> Result<Progress<LookingUp>, IssuanceError> {
    match arrived.wanted(&kept, &tried).filter(|_| tried.len() < MOST_LOOK_UPS) {
        Some((wanted, url)) => {
            let effect = Effect::get(url).header("accept", "application/json").at_most(MOST_BYTES);
            Ok(Progress::Waiting(LookingUp { effect, wanted, arrived, kept, tried }))
        }
        None => {
            arrived.hold_to_types(&kept)?;
            Ok(Progress::Ready(arrived))
        }
    }
}

impl Errand for LookingUp {
    type Ready = Arrived;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        _now: Timestamp,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let Self { effect: _, wanted, mut arrived, kept, mut tried } = self;
        if let Outcome::Response(response) = outcome
            && response.status == 200
            && response.body.len() <= MOST_BYTES
        {
            arrived.fetched_mut().insert(wanted.clone(), response.body);
        }
        tried.push(wanted);
        next(arrived, kept, tried)
    }
}

/// The type with all that it extends; `None` where a document of it is not at hand.
fn resolved(credential: &SdJwtVc, documents: &Both<'_>) -> Result<Option<ResolvedType>, IssuanceError> {
    match resolve(credential.vct(), credential.vct_integrity(), &Bundled::and(documents)) {
        Ok(resolved) => Ok(Some(resolved)),
        Err(ResolveError::Missing { .. }) => Ok(None),
        Err(error) => Err(IssuanceError::TypeDocument(error)),
    }
}

const fn sd_jwt(credential: &Credential) -> Option<&SdJwtVc> {
    match credential {
        Credential::SdJwtVc(credential) => Some(credential),
        Credential::Mdoc(_) => None,
    }
}

/// Where the document of a type is, when that is at the issuer that is being talked to: nobody else hears of it.
fn at_the_issuer(issuer: &str, vct: &str) -> Option<Url> {
    let own = Url::parse(issuer).ok()?;
    let url = address(vct, Loopback::of(&own)).ok()?;
    (url.origin() == own.origin()).then_some(url)
}

/// What was fetched now, and what is kept.
struct Both<'a> {
    fetched: &'a BTreeMap<String, Vec<u8>>,
    kept: &'a BTreeMap<String, Vec<u8>>,
}

impl TypeDocuments for Both<'_> {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        self.fetched.document(vct).or_else(|| self.kept.document(vct))
    }
}

impl fmt::Debug for LookingUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, wanted, arrived: _, kept: _, tried: _ } = self;
        f.debug_struct("LookingUp").field("effect", effect).field("wanted", wanted).finish_non_exhaustive()
    }
}

/// The most documents of one issuance.
const MOST_LOOK_UPS: usize = 2 * MOST_EXTENSIONS;
/// What a record of the vault holds, with room for what stands around it.
const MOST_BYTES: usize = 160 * 1024;
