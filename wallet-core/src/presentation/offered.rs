//! What would be shown, as the person is asked: which claims of which credential, and what to be wary of.

use super::ask::{Ask, Asker};
use super::sending::Replying;
use crate::display::Shown;
use crate::holdings::{CredentialId, Held, Holdings, Standing};
use credentials::consent;
use credentials::dcql::{self, Candidate};
use credentials::sd_jwt::SdJwtVc;
use schemas::{ClaimPath, PathElement, Timestamp};
use std::fmt;

/// What would be shown.
pub struct Offered {
    pub(super) ask: Ask,
    pub(super) items: Vec<Item>,
}

/// One credential that would be shown.
pub(super) struct Item {
    /// The credential query that it answers.
    pub(super) query: String,
    pub(super) held: Held,
    /// One of its copies, opened to look at.
    pub(super) credential: SdJwtVc,
    pub(super) paths: Vec<ClaimPath>,
}

/// One credential that would be shown, for the person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCredential {
    /// Which credential.
    pub id: CredentialId,
    /// Its type for people.
    pub label: Shown,
    /// Whose word it is.
    pub issuer_name: Shown,
    /// What would be shown of it. Empty: only that it is held.
    pub paths: Vec<OfferedPath>,
    /// How many copies have never been shown; at 0 the person must agree to show one again.
    pub copies_left: usize,
}

/// One claim that would be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPath {
    /// Where it stands.
    pub path: ClaimPath,
    /// What to be wary of.
    pub concern: Option<Concern>,
}

/// What to be wary of in a claim that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Concern {
    /// Not asked for, but it cannot be separated from what is.
    ComesAlong,
    /// A portrait: a face is a name that cannot be changed. It needs a yes of its own.
    Portrait,
    /// The purpose cannot need it. It needs a yes of its own.
    BeyondPurpose,
    /// A portrait for a purpose that cannot need it: never shown.
    PortraitBeyondPurpose,
    /// None of the purposes proposed speaks of it: never shown.
    Unexplained,
}

impl Concern {
    /// Whether the claim is not shown whatever the person says: leave it out.
    pub const fn forbids(self) -> bool {
        matches!(self, Self::PortraitBeyondPurpose | Self::Unexplained)
    }
}

impl Offered {
    pub(super) const fn new(ask: Ask, items: Vec<Item>) -> Self {
        Self { ask, items }
    }

    /// Who asks.
    pub fn asker(&self) -> Asker {
        self.ask.asker()
    }

    /// What would be shown if the person narrowed nothing.
    pub fn credentials(&self) -> Vec<OfferedCredential> {
        self.items
            .iter()
            .map(|item| OfferedCredential {
                id: item.held.id(),
                label: item.held.label(),
                issuer_name: item.held.issuer_name(),
                paths: item.with_concerns(&item.paths, &self.ask),
                copies_left: item.held.copies_left(),
            })
            .collect()
    }

    /// Says no. The verifier learns no more than from a wallet that holds nothing.
    pub fn refuse(self) -> Replying {
        self.ask.refuse()
    }
}

impl Item {
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

/// What answers the request with the least, or nothing.
pub(super) fn items(ask: &Ask, holdings: &Holdings<'_>, now: Timestamp) -> Option<Vec<Item>> {
    let mut held: Vec<(Held, SdJwtVc, Vec<Vec<u8>>)> = Vec::new();
    for batch in holdings.credentials() {
        if matches!(batch.standing(now), Standing::Expired | Standing::NotYetValid) {
            continue;
        }
        // One that is damaged answers nothing; the others stay usable.
        if let Ok(credential) = holdings.look(&batch) {
            let authorities = dcql::authority_key_ids(credential.as_str());
            held.push((batch, credential, authorities));
        }
    }
    // Of those that answer, the one with the most copies left is taken.
    held.sort_by_key(|(batch, ..)| std::cmp::Reverse(batch.copies_left()));
    let candidates: Vec<Candidate<'_>> =
        held.iter().map(|(_, credential, authorities)| Candidate::new(credential, authorities)).collect();
    let answers = ask.request.query().plan(&candidates).least()?;
    answers
        .into_iter()
        .map(|answer| {
            let (batch, credential, _) = held.get(answer.candidate)?;
            Some(Item { query: answer.query, held: batch.clone(), credential: credential.clone(), paths: answer.paths })
        })
        .collect()
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

/// Claims of the holder are in it.
impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ask, items } = self;
        let paths: Vec<&Vec<ClaimPath>> = items.iter().map(|item| &item.paths).collect();
        f.debug_struct("Offered").field("id", &ask.id).field("paths", &paths).finish_non_exhaustive()
    }
}

/// The claim that holds a portrait in our credential types.
const PORTRAIT: &str = "picture";
