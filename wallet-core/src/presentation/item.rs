//! One credential on its way to a verifier: which query it answers, and what of it would be seen.

use super::ask::Ask;
use super::offered::{Concern, OfferedCredential, OfferedPath, Part};
use crate::holdings::{Credential, Held};
use credentials::consent::{self, ProposedConsent};
use credentials::dcql;
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT, claim_of};
use schemas::{ClaimPath, PathElement};

/// One credential that would be shown.
pub(super) struct Item {
    /// The credential query that it answers.
    pub(super) query: String,
    pub(super) held: Held,
    /// One of its copies, opened to look at.
    pub(super) credential: Credential,
    pub(super) paths: Vec<ClaimPath>,
}

impl Item {
    /// The same for the person to look at.
    pub(super) fn offered(&self, part: Part, ask: &Ask<impl Sized>) -> OfferedCredential {
        OfferedCredential {
            query: self.query.clone(),
            id: self.held.id(),
            label: self.held.label(),
            type_id: self.held.type_id().to_owned(),
            issuer_name: self.held.issuer_name(),
            paths: self.with_concerns(&self.paths, ask),
            copies_left: self.held.copies_left(),
            part,
        }
    }

    /// What is left of the item's paths when only those are shown that the person names: by their own path, or in an mdoc by
    /// the claim that they stand for.
    pub(super) fn narrowed(&self, only: &[ClaimPath]) -> Vec<ClaimPath> {
        let named = |path: &ClaimPath| only.iter().any(|o| o.covers(path) || self.stands_for(path, o));
        let mut left: Vec<ClaimPath> = self.paths.iter().filter(|path| named(path)).cloned().collect();
        let finer = only.iter().filter(|path| self.is_finer(path) && !left.iter().any(|l| l.covers(path))).cloned();
        left.extend(finer.collect::<Vec<_>>());
        left
    }

    /// Whether a path names what is asked of the credential, a part of it, or the whole around it.
    pub(super) fn is_asked(&self, path: &ClaimPath) -> bool {
        self.is_finer(path) || self.paths.iter().any(|asked| path.covers(asked) || self.stands_for(asked, path))
    }

    fn is_finer(&self, path: &ClaimPath) -> bool {
        let there = match &self.credential {
            Credential::SdJwtVc(credential) => dcql::select(path, credential.claims()).is_some(),
            // An element is shown whole or not at all.
            Credential::Mdoc(document) => document.elements().at(path).is_some(),
        };
        there && self.paths.iter().any(|asked| asked.covers(path))
    }

    fn stands_for(&self, element: &ClaimPath, claim: &ClaimPath) -> bool {
        matches!(self.credential, Credential::Mdoc(_)) && claim_of(element).is_some_and(|stands| claim.covers(&stands))
    }

    /// Whether it can sign this consent: it is about the query, and of an mdoc the issuer lets the device key say so.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 `credential_ids`, §B.2.1.
    pub(super) fn can_sign(&self, proposed: &ProposedConsent) -> bool {
        let allowed = match &self.credential {
            Credential::SdJwtVc(_) => true,
            Credential::Mdoc(document) => document.authorizations().allow(CONSENT_NAME_SPACE, GRANT),
        };
        allowed && proposed.request().credential_ids.contains(&self.query)
    }

    /// The paths, and what comes along with them, each with what to be wary of.
    pub(super) fn with_concerns(&self, paths: &[ClaimPath], ask: &Ask<impl Sized>) -> Vec<OfferedPath> {
        let along = self.comes_along(paths);
        let asked = paths.iter().map(|path| OfferedPath {
            path: path.clone(),
            concern: self.concern(path, ask),
            to_be_kept: self.is_to_be_kept(path, ask),
        });
        let along = along.into_iter().map(|path| {
            let concern = self.concern(&path, ask).max(Some(Concern::ComesAlong));
            OfferedPath { path, concern, to_be_kept: false }
        });
        asked.chain(along).collect()
    }

    /// What would be seen beside `paths`, because the issuer made it inseparable from them. In an mdoc nothing is.
    pub(super) fn comes_along(&self, paths: &[ClaimPath]) -> Vec<ClaimPath> {
        let Credential::SdJwtVc(credential) = &self.credential else { return Vec::new() };
        let Ok(selection) = credential.select(paths) else { return Vec::new() };
        let chosen = selection.paths();
        let all = credential.disclosable_paths();
        let hidden: Vec<&ClaimPath> = all.iter().filter(|path| !chosen.contains(path)).collect();
        // Looked up in the whole credential, so that an index means the same element as in the query.
        let mut seen = dcql::visible_leaves(credential.claims(), &chosen);
        seen.retain(|leaf| !hidden.iter().any(|path| path.covers(leaf)) && !paths.iter().any(|path| path.covers(leaf)));
        seen
    }

    /// Whether the verifier says that it means to keep the element.
    ///
    /// # Source
    /// OpenID4VP 1.0 §B.2.4 `intent_to_retain`.
    fn is_to_be_kept(&self, path: &ClaimPath, ask: &Ask<impl Sized>) -> bool {
        let claims = ask.query.credential(&self.query).and_then(|query| query.claims.as_ref());
        claims.into_iter().flatten().any(|claim| claim.path == *path && claim.intent_to_retain == Some(true))
    }

    fn concern(&self, path: &ClaimPath, ask: &Ask<impl Sized>) -> Option<Concern> {
        // Purposes speak of claims, whatever the format. An element that stands for none of ours fits no purpose.
        let of_mdoc = matches!(self.credential, Credential::Mdoc(_));
        let claim = if of_mdoc { claim_of(path).unwrap_or_else(|| path.clone()) } else { path.clone() };
        let is_named =
            |element: Option<&PathElement>, name: &str| matches!(element, Some(PathElement::Name(n)) if n == name);
        let portrait = is_named(claim.elements().first(), PORTRAIT)
            || of_mdoc && is_named(path.elements().last(), PORTRAIT_ELEMENT);
        let purposes = ask.purposes();
        let registrations = ask.registrations.as_ref().filter(|all| !all.is_empty());
        if let Some((all, query)) = registrations.zip(ask.query.credential(&self.query))
            && !all.cover(query, path, &purposes)
        {
            return Some(Concern::BeyondRegistration);
        }
        let Some(proposed) = &ask.consent else {
            let unpurposed = registrations.map(|_| Concern::NoPurpose);
            return if portrait { Some(Concern::Portrait) } else { unpurposed };
        };
        if !proposed.claims_for(&purposes).any(|claim| claim.covers(path)) {
            return Some(Concern::Unexplained);
        }
        let beyond = !consent::over_asking(&purposes, std::slice::from_ref(&claim)).is_empty();
        match (portrait, beyond) {
            (true, true) => Some(Concern::PortraitBeyondPurpose),
            (true, false) => Some(Concern::Portrait),
            (false, true) => Some(Concern::BeyondPurpose),
            (false, false) => None,
        }
    }
}

/// The claim that holds a portrait in our credential types.
const PORTRAIT: &str = "picture";
/// The element that holds one in every name space that has one: of person identification data, of driving licences.
const PORTRAIT_ELEMENT: &str = "portrait";
