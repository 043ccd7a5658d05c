//! The holder's side: which of the credentials held answer a query, and with which claims.

use super::{Query, claims, is_of_type};
use crate::sd_jwt::SdJwtVc;
use schemas::ClaimPath;
use schemas::dcql::{CredentialQuery, TrustedAuthority};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A credential that might answer.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'c> {
    /// Its type.
    pub vct: &'c str,
    /// Its claims, all of them, processed.
    pub claims: &'c Map<String, Value>,
    /// Whether it has a confirmation key.
    pub holder_bound: bool,
    /// The key identifiers of the AuthorityKeyIdentifier extensions in its issuer's chain.
    pub authority_key_ids: &'c [Vec<u8>],
}

impl<'c> Candidate<'c> {
    /// A credential as its holder keeps it. Its authorities are looked at only if a query names some: see
    /// [`super::authority_key_ids`].
    pub fn new(credential: &'c SdJwtVc, authority_key_ids: &'c [Vec<u8>]) -> Self {
        Self { vct: credential.vct(), claims: credential.claims(), holder_bound: true, authority_key_ids }
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

/// What could be answered to a query. Nothing of it may reach the verifier before the holder has agreed: that something
/// matched, or that a value did not, tells of its own.
///
/// # Source
/// OpenID4VP 1.0 §6.4.2 "Selecting Credentials"; §15.4.1 "DCQL Value Matching".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    matches: BTreeMap<String, Vec<Match>>,
    sets: Vec<PlannedSet>,
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
            let planned = |set: &schemas::dcql::CredentialSetQuery| PlannedSet {
                required: set.required.unwrap_or(true),
                options: set.options.iter().filter(|option| can_be_met(option)).cloned().collect(),
            };
            self.credential_sets().iter().map(planned).collect()
        };
        Plan { matches, sets }
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

    /// The least that answers the query: the preferred option of each required set, and of each credential query the
    /// first candidate. None when a required set cannot be met. What is not required is left out.
    pub fn least(&self) -> Option<Vec<Answer>> {
        let mut ids = BTreeSet::new();
        for set in self.sets.iter().filter(|set| set.required) {
            ids.extend(set.options.first()?);
        }
        ids.into_iter().map(|id| self.answer(id, 0)).collect()
    }

    /// The answer to a credential query by its `nth` match; none when there are not so many.
    pub fn answer(&self, query: &str, nth: usize) -> Option<Answer> {
        let Match { candidate, paths } = self.matches(query).get(nth)?;
        Some(Answer { query: query.to_owned(), candidate: *candidate, paths: paths.clone() })
    }
}

fn matches(query: &CredentialQuery, candidates: &[Candidate<'_>]) -> Vec<Match> {
    let answers = |(place, candidate): (usize, &Candidate<'_>)| {
        if !is_of_type(query, candidate.vct, candidate.claims)
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

/// Whether one of the authorities stands behind the chain. Kinds other than `aki` are never known to match.
///
/// # Source
/// OpenID4VP 1.0 §6.1.1.1 "Authority Key Identifier".
pub(super) fn is_trusted(authorities: Option<&[TrustedAuthority]>, authority_key_ids: &[Vec<u8>]) -> bool {
    let Some(authorities) = authorities else {
        return true;
    };
    authorities
        .iter()
        .filter(|authority| authority.type_ == "aki")
        .flat_map(|authority| &authority.values)
        .any(|value| crate::b64::decode(value).is_ok_and(|wanted| authority_key_ids.contains(&wanted)))
}
