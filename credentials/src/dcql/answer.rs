//! The verifier's side: whether an answer is what was asked for, no less and no more.

use super::authority::is_trusted;
use super::{FORMAT, Query, claims, is_of_type, presented_leaves};
use crate::sd_jwt::PresentedCredential;
use schemas::ClaimPath;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A presentation as far as a query looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'p> {
    /// Its format: [`FORMAT`] or [`crate::mdoc::FORMAT`].
    pub format: &'p str,
    /// Its type: a `vct` or a document type.
    pub type_name: &'p str,
    /// Its claims, processed: what the verifier can see. Of an mdoc: [`crate::mdoc::Elements::to_json`].
    pub claims: &'p Map<String, Value>,
    /// The paths of everything that was disclosed, down to the last value; of an mdoc, those of the elements.
    pub leaves: &'p [ClaimPath],
    /// Whether the holder proved to have the confirmation key.
    pub holder_bound: bool,
    /// The key identifiers of the AuthorityKeyIdentifier extensions in its issuer's chain; none when they are not looked at.
    pub authority_key_ids: Option<&'p [Vec<u8>]>,
}

impl<'p> Presented<'p> {
    /// A presentation of an SD-JWT VC.
    fn new(presented: &'p PresentedCredential, leaves: &'p [ClaimPath]) -> Self {
        Self {
            format: FORMAT,
            type_name: presented.vct(),
            claims: presented.claims(),
            leaves,
            holder_bound: true,
            authority_key_ids: Some(presented.issuer().authority_key_ids()),
        }
    }
}

/// Why a presentation does not answer its credential query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// There is no such credential query.
    UnknownQuery,
    /// More than one where one was asked for; all but the first are discarded.
    MoreThanOne,
    /// Another type than asked for.
    Type,
    /// Not bound to its holder, where that was demanded.
    NotHolderBound,
    /// From an issuer that none of the trusted authorities stands behind.
    Authority,
    /// Claims that are missing, or without one of the values asked for.
    Claims(Vec<ClaimPath>),
}

/// A presentation that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// The credential query it was to answer.
    pub query: String,
    /// Its place among the presentations for that query.
    pub place: usize,
    /// Why.
    pub why: Shortfall,
}

/// Something disclosed that no query asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The credential query the presentation was to answer.
    pub query: String,
    /// What was disclosed: the path only.
    pub path: ClaimPath,
}

/// What an answer lacks, and what it has too much of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerCheck {
    /// The presentations that do not count.
    pub discarded: Vec<Discarded>,
    /// The required credential sets that are not answered, by their place; 0 stands for all credentials when the query
    /// has no sets.
    pub unanswered: Vec<usize>,
    /// What was disclosed and not asked for.
    pub extra: Vec<Extra>,
}

impl AnswerCheck {
    /// Whether all that was required is there. What was discarded must still be left aside.
    pub const fn is_complete(&self) -> bool {
        self.unanswered.is_empty()
    }

    /// Whether nothing was disclosed that was not asked for.
    pub const fn is_within_query(&self) -> bool {
        self.extra.is_empty()
    }

    /// Whether the presentation at `place` for `query` counts.
    pub fn counts(&self, query: &str, place: usize) -> bool {
        !self.discarded.iter().any(|d| d.query == query && d.place == place)
    }
}

impl Query {
    /// Checks a verified answer of SD-JWT VCs against the query: the presentations for each credential query.
    ///
    /// # Source
    /// As [`Query::check_presented`].
    pub fn check_answer(&self, answer: &BTreeMap<String, Vec<PresentedCredential>>) -> AnswerCheck {
        let leaves: BTreeMap<&String, Vec<Vec<ClaimPath>>> =
            answer.iter().map(|(id, presented)| (id, presented.iter().map(presented_leaves).collect())).collect();
        let mut views = BTreeMap::new();
        for (id, presented) in answer {
            let leaves = leaves.get(id).map_or(&[][..], Vec::as_slice);
            views.insert(
                id.clone(),
                presented.iter().zip(leaves).map(|(p, leaves)| Presented::new(p, leaves)).collect(),
            );
        }
        self.check_presented(&views)
    }

    /// Checks what the holder presented, each presentation already verified, against the query.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.6 "VP Token Validation", steps 2.2 and 3; §14.11: a verifier relies on its own checks.
    pub fn check_presented(&self, answer: &BTreeMap<String, Vec<Presented<'_>>>) -> AnswerCheck {
        let mut check = AnswerCheck::default();
        for (id, presentations) in answer {
            for (place, presented) in presentations.iter().enumerate() {
                if let Err(why) = self.check_one(id, place, presented) {
                    check.discarded.push(Discarded { query: id.clone(), place, why });
                }
                let extra = self.extra(id, presented).into_iter().map(|path| Extra { query: id.clone(), path });
                check.extra.extend(extra);
            }
        }
        let answered = |id: &String| answer.get(id).is_some_and(|p| (0..p.len()).any(|place| check.counts(id, place)));
        let unanswered = if self.credential_sets().is_empty() {
            let all = self.credentials().iter().all(|query| answered(&query.id));
            if all { Vec::new() } else { vec![0] }
        } else {
            let sets = self.credential_sets().iter().enumerate().filter(|(_, set)| set.required.unwrap_or(true));
            sets.filter(|(_, set)| !set.options.iter().any(|option| option.iter().all(answered)))
                .map(|(place, _)| place)
                .collect()
        };
        check.unanswered = unanswered;
        check
    }

    fn check_one(&self, id: &str, place: usize, presented: &Presented<'_>) -> Result<(), Shortfall> {
        let query = self.credential(id).ok_or(Shortfall::UnknownQuery)?;
        if place > 0 && !query.multiple.unwrap_or(false) {
            return Err(Shortfall::MoreThanOne);
        }
        if !is_of_type(query, presented.format, presented.type_name, presented.claims) {
            return Err(Shortfall::Type);
        }
        if query.require_cryptographic_holder_binding.unwrap_or(true) && !presented.holder_bound {
            return Err(Shortfall::NotHolderBound);
        }
        if presented.authority_key_ids.is_some_and(|ids| !is_trusted(query.trusted_authorities.as_deref(), ids)) {
            return Err(Shortfall::Authority);
        }
        claims::matched(query, presented.claims, presented.leaves).map(|_| ()).map_err(Shortfall::Claims)
    }

    /// What the presentation discloses beyond its query, of whose claim sets it answers one, and beyond the other queries for
    /// its type: one credential may answer several (§6.4).
    fn extra(&self, id: &str, presented: &Presented<'_>) -> Vec<ClaimPath> {
        let Presented { format, type_name, claims, leaves, .. } = presented;
        let of_type = self.credentials().iter().filter(|query| is_of_type(query, format, type_name, claims));
        let others = of_type.filter(|query| query.id != id).flat_map(|q| q.claims.iter().flatten()).map(|c| &c.path);
        let others: Vec<&ClaimPath> = others.collect();
        let own = self.credential(id).map(|query| claims::alternatives(query, claims, leaves)).unwrap_or_default();
        let stray = |asked: &[&ClaimPath]| -> Vec<ClaimPath> {
            let covered = |leaf: &ClaimPath| asked.iter().chain(&others).any(|path| path.covers(leaf));
            leaves.iter().filter(|leaf| !covered(leaf)).cloned().collect()
        };
        own.iter().map(|asked| stray(asked)).min_by_key(Vec::len).unwrap_or_else(|| stray(&[]))
    }
}
