//! What would be shown, as the person is asked: which claims of which credential, and what to be wary of.

use super::ask::{Ask, Asker, InPerson, Online};
use super::choice::{Choice, ChoiceError};
use super::in_person::{nothing_to_show, of_what_is_held};
use super::item::Item;
use super::sending::Replying;
use crate::display::Shown;
use crate::holdings::{Credential, CredentialId, Format, Held, Holdings, Standing};
use credentials::dcql::{self, Answer, Candidate, Pick, Plan};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// What would be shown, and what else could be.
pub struct Offered<W = Online> {
    pub(super) ask: Ask<W>,
    plan: Plan,
    opened: Vec<Opened>,
}

/// A credential of this wallet that may answer, the candidate of a plan.
struct Opened {
    held: Held,
    /// One of its copies, opened to look at.
    credential: Credential,
    /// The elements of an mdoc, as a query looks at them.
    elements: Map<String, Value>,
    authorities: Vec<Vec<u8>>,
}

impl Opened {
    fn new(held: Held, credential: Credential) -> Self {
        let (elements, authorities) = match &credential {
            Credential::SdJwtVc(credential) => (Map::new(), dcql::authority_key_ids(credential.as_str())),
            Credential::Mdoc(document) => (document.elements().to_json(), document.authority_key_ids()),
        };
        Self { held, credential, elements, authorities }
    }

    fn candidate(&self) -> Candidate<'_> {
        match &self.credential {
            Credential::SdJwtVc(credential) => Candidate::new(credential, &self.authorities),
            Credential::Mdoc(document) => Candidate::of_mdoc(document.doc_type(), &self.elements, &self.authorities),
        }
    }
}

/// Which part a credential has in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// It is shown, unless the person picks others.
    Shown,
    /// It could be shown instead of one that answers the same, or with it another way to answer.
    Instead,
    /// It could be shown besides: the verifier takes several.
    Besides,
    /// It is asked for, but not required.
    Optional,
}

/// One credential that would be shown, for the person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCredential {
    /// The credential query that it answers, by the verifier's name for it.
    pub query: String,
    /// Which credential.
    pub id: CredentialId,
    /// Its type for people.
    pub label: Shown,
    /// Its `vct` or its document type; not safe to show.
    pub type_id: String,
    /// Whose word it is.
    pub issuer_name: Shown,
    /// What would be shown of it. Empty: only that it is held.
    pub paths: Vec<OfferedPath>,
    /// How many copies have never been shown; at 0 the person must agree to show one again.
    pub copies_left: usize,
    /// Which part it has in the answer.
    pub part: Part,
}

/// One claim that would be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPath {
    /// Where it stands.
    pub path: ClaimPath,
    /// What to be wary of.
    pub concern: Option<Concern>,
    /// Whether the verifier says that it means to keep it; only for an mdoc there are words for that.
    pub to_be_kept: bool,
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
    /// A registered verifier names no purpose for it. It needs a yes of its own.
    NoPurpose,
    /// A registered verifier is not registered to ask for it: never shown.
    BeyondRegistration,
}

impl Concern {
    /// Whether the claim is not shown whatever the person says: leave it out.
    pub const fn forbids(self) -> bool {
        matches!(self, Self::PortraitBeyondPurpose | Self::Unexplained | Self::BeyondRegistration)
    }
}

/// What can be shown now in a format that `takes` says yes to: of those that answer the same, the one with the most copies
/// left first.
fn open(holdings: &Holdings<'_>, now: Timestamp, takes: impl Fn(Format) -> bool) -> Vec<Opened> {
    let usable =
        |held: &Held| takes(held.format()) && !matches!(held.standing(now), Standing::Expired | Standing::NotYetValid);
    // One that is damaged answers nothing; the others stay usable.
    let open = |held: Held| holdings.look(&held).ok().map(|credential| Opened::new(held, credential));
    let mut opened: Vec<Opened> = holdings.credentials().into_iter().filter(usable).filter_map(open).collect();
    opened.sort_by_key(|opened| std::cmp::Reverse(opened.held.copies_left()));
    opened
}

impl Offered {
    /// What answers the request, if anything does.
    pub(super) fn look(ask: Ask, holdings: &Holdings<'_>, now: Timestamp) -> Result<Self, Box<Ask>> {
        let mut opened = open(holdings, now, |format| ask.way.0.takes(format.identifier()));
        opened.retain(|opened| match &opened.credential {
            Credential::SdJwtVc(credential) => ask.way.0.takes_signed_by(credential.algorithm()),
            Credential::Mdoc(_) => true,
        });
        Self::plan(ask, opened)
    }

    /// Says no. The verifier learns no more than from a wallet that holds nothing; nothing is sent where nobody signed the request.
    pub fn refuse(self) -> Option<Replying> {
        self.ask.refuse()
    }
}

impl Offered<InPerson> {
    /// What of it is held, if anything is: a reader names elements, and takes those that there are.
    pub(super) fn look_in_person(
        mut ask: Ask<InPerson>,
        holdings: &Holdings<'_>,
        now: Timestamp,
    ) -> Result<Self, Box<Ask<InPerson>>> {
        let opened = open(holdings, now, |format| format == Format::Mdoc);
        let held = opened.iter().filter_map(|opened| match &opened.credential {
            Credential::Mdoc(document) => Some((document.doc_type().to_owned(), document.elements())),
            Credential::SdJwtVc(_) => None,
        });
        match of_what_is_held(&ask.query, &held.collect::<Vec<_>>()) {
            Some(query) => ask.query = query,
            None => return Err(Box::new(ask)),
        }
        Self::plan(ask, opened)
    }

    /// Says no: the message that ends the session, byte for byte as long as that of a wallet that holds nothing.
    pub fn refuse(self) -> Vec<u8> {
        nothing_to_show(self.ask)
    }
}

impl<W> Offered<W> {
    /// # Source
    /// OpenID4VP 1.0 §6.4.2.
    fn plan(ask: Ask<W>, opened: Vec<Opened>) -> Result<Self, Box<Ask<W>>> {
        let candidates: Vec<Candidate<'_>> = opened.iter().map(Opened::candidate).collect();
        let plan = ask.query.plan(&candidates);
        if plan.is_satisfiable() { Ok(Self { ask, plan, opened }) } else { Err(Box::new(ask)) }
    }

    /// Who asks.
    pub fn asker(&self) -> Asker {
        self.ask.asker()
    }

    /// What would be shown if the person chose nothing else: no more than is required.
    pub fn credentials(&self) -> Vec<OfferedCredential> {
        self.chosen(&Choice::default()).unwrap_or_default()
    }

    /// What would be shown of the credentials that the person picks, before claims are left out.
    ///
    /// # Errors
    /// [`ChoiceError::NoPart`], [`ChoiceError::NotOptional`], [`ChoiceError::NotEnough`].
    pub fn chosen(&self, choice: &Choice) -> Result<Vec<OfferedCredential>, ChoiceError> {
        Ok(self.items(choice)?.iter().map(|item| item.offered(Part::Shown, &self.ask)).collect())
    }

    /// What could be shown beside or instead, if the person picks it: see [`Choice::credentials`] and [`Choice::also`].
    pub fn others(&self) -> Vec<OfferedCredential> {
        let least = self.plan.least().unwrap_or_default();
        let is_shown = |query: &str| least.iter().any(|answer| answer.query == query);
        let (mut seen, mut others) = (BTreeSet::new(), Vec::new());
        // Those of required sets first: what is required anywhere is not optional.
        for required in [true, false] {
            let sets = self.plan.sets().iter().filter(|set| set.required == required);
            for query in sets.flat_map(|set| set.options.iter().flatten()).filter(|query| seen.insert(*query)) {
                let part = match (required, is_shown(query)) {
                    (false, false) => Part::Optional,
                    (_, true) if self.plan.takes_several(query) => Part::Besides,
                    _ => Part::Instead,
                };
                let answers = (0..self.plan.matches(query).len()).filter_map(|nth| self.plan.answer(query, nth));
                let items = answers.filter(|answer| !least.contains(answer)).filter_map(|answer| self.item(answer));
                others.extend(items.map(|item| item.offered(part, &self.ask)));
            }
        }
        others
    }

    /// What the person picks, all of it that is asked for.
    pub(super) fn items(&self, choice: &Choice) -> Result<Vec<Item>, ChoiceError> {
        let place = |id: &CredentialId| {
            self.opened.iter().position(|opened| opened.held.id() == *id).ok_or(ChoiceError::NoPart(*id))
        };
        let picked = choice.credentials.as_ref().map(|ids| ids.iter().map(place).collect::<Result<Vec<_>, _>>());
        let picked = picked.transpose()?;
        let pick = Pick { candidates: picked.as_deref(), also: &choice.also };
        let answers = self.plan.pick(&pick).ok_or(ChoiceError::NotEnough)?;
        if let Some(stray) = choice.also.iter().find(|query| !answers.iter().any(|answer| answer.query == **query)) {
            return Err(ChoiceError::NotOptional(Shown::name(stray)));
        }
        // Whoever names a credential means it to be shown.
        let has_part = |place: &usize| answers.iter().any(|answer| answer.candidate == *place);
        if let Some(opened) = picked.iter().flatten().find(|place| !has_part(place)).and_then(|n| self.opened.get(*n)) {
            return Err(ChoiceError::NoPart(opened.held.id()));
        }
        Ok(answers.into_iter().filter_map(|answer| self.item(answer)).collect())
    }

    fn item(&self, answer: Answer) -> Option<Item> {
        let Answer { query, candidate, paths } = answer;
        let Opened { held, credential, .. } = self.opened.get(candidate)?;
        Some(Item { query, held: held.clone(), credential: credential.clone(), paths })
    }
}

/// Claims of the holder are in it.
impl<W> fmt::Debug for Offered<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ask, plan, opened: _ } = self;
        let paths: Vec<Vec<ClaimPath>> = plan.least().into_iter().flatten().map(|answer| answer.paths).collect();
        f.debug_struct("Offered").field("id", &ask.id).field("paths", &paths).finish_non_exhaustive()
    }
}
