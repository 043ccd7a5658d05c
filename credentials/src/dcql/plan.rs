//! The holder's side: which of the credentials held answer a query, and with which claims.

use super::authority::is_trusted;
use super::{FORMAT, Query, claims, is_of_type};
use crate::mdoc;
use crate::sd_jwt::SdJwtVc;
use schemas::ClaimPath;
use schemas::dcql::{CredentialQuery, CredentialSetQuery};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A credential that might answer.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'c> {
    /// Its format: [`FORMAT`] or [`mdoc::FORMAT`].
    pub format: &'c str,
    /// Its type: a `vct` or a document type.
    pub type_name: &'c str,
    /// Its claims, all of them, processed.
    pub claims: &'c Map<String, Value>,
    /// Whether it has a confirmation key.
    pub holder_bound: bool,
    /// The key identifiers of the AuthorityKeyIdentifier extensions in its issuer's chain.
    pub authority_key_ids: &'c [Vec<u8>],
}

impl<'c> Candidate<'c> {
    /// An SD-JWT VC as its holder keeps it. Its authorities are looked at only if a query names some: see
    /// [`super::authority_key_ids`].
    pub fn new(credential: &'c SdJwtVc, authority_key_ids: &'c [Vec<u8>]) -> Self {
        let (type_name, claims) = (credential.vct(), credential.claims());
        Self { format: FORMAT, type_name, claims, holder_bound: true, authority_key_ids }
    }

    /// An mdoc of that type as its holder keeps it; `elements` are its own as JSON, as [`mdoc::Elements::to_json`] gives them.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.3: values of an mdoc are matched as JSON, by RFC 8949 §6.1.
    pub const fn of_mdoc(
        doc_type: &'c str,
        elements: &'c Map<String, Value>,
        authority_key_ids: &'c [Vec<u8>],
    ) -> Self {
        Self { format: mdoc::FORMAT, type_name: doc_type, claims: elements, holder_bound: true, authority_key_ids }
    }
}

/// A candidate that answers a credential query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its place in the list of candidates.
    pub candidate: usize,
    /// What it would disclose.
    pub paths: Vec<ClaimPath>,
}

/// One presentation to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The credential query it answers.
    pub query: String,
    /// The place of the credential in the list of candidates.
    pub candidate: usize,
    /// What to disclose.
    pub paths: Vec<ClaimPath>,
}

/// A credential set and those of its options that can be met, the most preferred first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSet {
    /// Whether the query is unanswered without it.
    pub required: bool,
    /// The options that can be met, each a list of credential query ids.
    pub options: Vec<Vec<String>>,
}

/// What the holder picks of what a plan allows. The default is the least: no more than is required, and of each the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pick<'p> {
    /// Answer with these candidates only, by their place; with several for one query where it takes several. With any, one
    /// for each query, when absent.
    pub candidates: Option<&'p [usize]>,
    /// Answer these credential queries too, which are not required.
    pub also: &'p [String],
}

/// What could be answered to a query. Nothing of it may reach the verifier before the holder has agreed: that something
/// matched, or that a value did not, tells of its own.
///
/// # Source
/// OpenID4VP 1.0 §6.4.2 "Selecting Credentials"; §15.4.1 "DCQL Value Matching".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    matches: BTreeMap<String, Vec<Match>>,
    sets: Vec<PlannedSet>,
    /// The queries that several credentials may answer.
    multiple: BTreeSet<String>,
}

impl Query {
    /// Which candidates answer the query, in the order of the candidates.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.4 "Selecting Claims and Credentials".
    pub fn plan(&self, candidates: &[Candidate<'_>]) -> Plan {
        let matches: BTreeMap<String, Vec<Match>> =
            self.credentials().iter().map(|query| (query.id.clone(), matches(query, candidates))).collect();
        let can_be_met = |option: &[String]| option.iter().all(|id| matches.get(id).is_some_and(|m| !m.is_empty()));
        let sets = if self.credential_sets().is_empty() {
            let all: Vec<String> = self.credentials().iter().map(|query| query.id.clone()).collect();
            let options = if can_be_met(&all) { vec![all] } else { Vec::new() };
            vec![PlannedSet { required: true, options }]
        } else {
            let planned = |set: &CredentialSetQuery| PlannedSet {
                required: set.required.unwrap_or(true),
                options: set.options.iter().filter(|option| can_be_met(option)).cloned().collect(),
            };
            self.credential_sets().iter().map(planned).collect()
        };
        let multiple = self.credentials().iter().filter(|query| query.multiple.unwrap_or(false));
        Plan { matches, sets, multiple: multiple.map(|query| query.id.clone()).collect() }
    }
}

impl Plan {
    /// Whether every required set can be met. If not, nothing may be answered at all.
    pub fn is_satisfiable(&self) -> bool {
        self.sets.iter().all(|set| !set.required || !set.options.is_empty())
    }

    /// The sets, in the order of the query; one that names all credentials when the query has none.
    pub fn sets(&self) -> &[PlannedSet] {
        &self.sets
    }

    /// The candidates that answer a credential query.
    pub fn matches(&self, query: &str) -> &[Match] {
        self.matches.get(query).map_or(&[], Vec::as_slice)
    }

    /// Whether several credentials may answer a credential query.
    pub fn takes_several(&self, query: &str) -> bool {
        self.multiple.contains(query)
    }

    /// The least that answers the query: the preferred option of each required set, and of each credential query the
    /// first candidate. None when a required set cannot be met. What is not required is left out.
    pub fn least(&self) -> Option<Vec<Answer>> {
        self.pick(&Pick::default())
    }

    /// What answers the query with what the holder picks: of each required set the most preferred option that the pick can
    /// meet, and of each other set one that it names. None when a required set cannot be met so. What was picked and has no
    /// part in the answer is left out; whether that matters is for the caller to say.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.4.2; §6.4.3: the person may choose among the options; §6.1 `multiple`.
    pub fn pick(&self, pick: &Pick<'_>) -> Option<Vec<Answer>> {
        let usable = |id: &str| -> Vec<usize> {
            let picked = |m: &Match| pick.candidates.is_none_or(|picked| picked.contains(&m.candidate));
            let places = self.matches(id).iter().enumerate().filter(|(_, m)| picked(m)).map(|(nth, _)| nth);
            let several = pick.candidates.is_some() && self.takes_several(id);
            places.take(if several { usize::MAX } else { 1 }).collect()
        };
        let mut ids: BTreeSet<&String> = BTreeSet::new();
        for set in &self.sets {
            let mut options = set.options.iter().filter(|option| option.iter().all(|id| !usable(id).is_empty()));
            if set.required {
                ids.extend(options.next()?);
            } else {
                ids.extend(options.find(|option| option.iter().any(|id| pick.also.contains(id))).into_iter().flatten());
            }
        }
        ids.into_iter().flat_map(|id| usable(id).into_iter().map(move |nth| self.answer(id, nth))).collect()
    }

    /// The answer to a credential query by its `nth` match; none when there are not so many.
    pub fn answer(&self, query: &str, nth: usize) -> Option<Answer> {
        let Match { candidate, paths } = self.matches(query).get(nth)?;
        Some(Answer { query: query.to_owned(), candidate: *candidate, paths: paths.clone() })
    }
}

fn matches(query: &CredentialQuery, candidates: &[Candidate<'_>]) -> Vec<Match> {
    let answers = |(place, candidate): (usize, &Candidate<'_>)| {
        if !is_of_type(query, candidate.format, candidate.type_name, candidate.claims)
            || query.require_cryptographic_holder_binding.unwrap_or(true) && !candidate.holder_bound
            || !is_trusted(query.trusted_authorities.as_deref(), candidate.authority_key_ids)
        {
            return None;
        }
        let paths = claims::matched(query, candidate.claims, &[]).ok()?;
        Some(Match { candidate: place, paths })
    };
    candidates.iter().enumerate().filter_map(answers).collect()
}
