//! One credential on its way to a verifier: which query it answers, and what of it would be seen.

use super::ask::Ask;
use super::offered::{Concern, OfferedCredential, OfferedPath, Part};
use crate::holdings::Held;
use credentials::consent;
use credentials::dcql;
use credentials::sd_jwt::SdJwtVc;
use schemas::{ClaimPath, PathElement};

/// One credential that would be shown.
pub(super) struct Item {
    /// The credential query that it answers.
    pub(super) query: String,
    pub(super) held: Held,
    /// One of its copies, opened to look at.
    pub(super) credential: SdJwtVc,
    pub(super) paths: Vec<ClaimPath>,
}

impl Item {
    /// The same for the person to look at.
    pub(super) fn offered(&self, part: Part, ask: &Ask) -> OfferedCredential {
        OfferedCredential {
            query: self.query.clone(),
            id: self.held.id(),
            label: self.held.label(),
            issuer_name: self.held.issuer_name(),
            paths: self.with_concerns(&self.paths, ask),
            copies_left: self.held.copies_left(),
            part,
        }
    }

    /// Whether a path names what is asked of the credential, a part of it, or the whole around it.
    pub(super) fn is_asked(&self, path: &ClaimPath) -> bool {
        let finer =
            self.paths.iter().any(|asked| asked.covers(path)) && dcql::select(path, self.credential.claims()).is_some();
        finer || self.paths.iter().any(|asked| path.covers(asked))
    }

    /// The paths, and what comes along with them, each with what to be wary of.
    pub(super) fn with_concerns(&self, paths: &[ClaimPath], ask: &Ask) -> Vec<OfferedPath> {
        let along = self.comes_along(paths);
        let asked = paths.iter().map(|path| OfferedPath { path: path.clone(), concern: concern(path, ask) });
        let along = along.into_iter().map(|path| {
            let concern = concern(&path, ask).max(Some(Concern::ComesAlong));
            OfferedPath { path, concern }
        });
        asked.chain(along).collect()
    }

    /// What would be seen beside `paths`, because the issuer made it inseparable from them.
    pub(super) fn comes_along(&self, paths: &[ClaimPath]) -> Vec<ClaimPath> {
        let Ok(selection) = self.credential.select(paths) else { return Vec::new() };
        let chosen = selection.paths();
        let all = self.credential.disclosable_paths();
        let hidden: Vec<&ClaimPath> = all.iter().filter(|path| !chosen.contains(path)).collect();
        // Looked up in the whole credential, so that an index means the same element as in the query.
        let mut seen = dcql::visible_leaves(self.credential.claims(), &chosen);
        seen.retain(|leaf| !hidden.iter().any(|path| path.covers(leaf)) && !paths.iter().any(|path| path.covers(leaf)));
        seen
    }
}

fn concern(path: &ClaimPath, ask: &Ask) -> Option<Concern> {
    let portrait = path.elements().first() == Some(&PathElement::Name(PORTRAIT.to_owned()));
    let Some(proposed) = ask.request.consent() else {
        return portrait.then_some(Concern::Portrait);
    };
    let purposes = ask.purposes();
    if !proposed.claims_for(&purposes).any(|claim| claim.covers(path)) {
        return Some(Concern::Unexplained);
    }
    let beyond = !consent::over_asking(&purposes, std::slice::from_ref(path)).is_empty();
    match (portrait, beyond) {
        (true, true) => Some(Concern::PortraitBeyondPurpose),
        (true, false) => Some(Concern::Portrait),
        (false, true) => Some(Concern::BeyondPurpose),
        (false, false) => None,
    }
}

/// The claim that holds a portrait in our credential types.
const PORTRAIT: &str = "picture";
