//! What the person says to an offer: it can only narrow.

use super::item::Item;
use super::offered::{Concern, OfferedPath};
use crate::display::Shown;
use crate::fault::{Blame, Fault};
use crate::holdings::CredentialId;
use credentials::consent::GrantError;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds};

/// What the person says. The default is a plain yes to a known verifier, and to nothing that needs a yes of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Answer with these credentials only; where the verifier takes several for one query, with all of them that answer it.
    /// With one for each query, and no more than is required, when absent.
    pub credentials: Option<Vec<CredentialId>>,
    /// Answer these credential queries too, which are not required, by the verifier's names for them.
    pub also: Vec<String>,
    /// Show only these, of what is asked for; all of it when absent.
    pub only: Option<Vec<ClaimPath>>,
    /// Agree to these purposes only; to all proposed when absent.
    pub purposes: Option<Vec<Purpose>>,
    /// End the consent after this time; after 24 hours when absent, and never later than proposed.
    pub lasting: Option<Seconds>,
    /// Let the verifier keep the data no longer than this; as proposed when absent.
    pub retention: Option<Seconds>,
    /// Let the verifier open the data this often; within its time as often as it likes when absent.
    pub uses: Option<u32>,
    /// The verifier is not known, and the person has seen that.
    pub accept_unknown_verifier: bool,
    /// The person has seen what goes beyond the purpose, or is asked for without one, and shows it all the same.
    pub show_beyond_purpose: bool,
    /// The person has seen what comes along unasked, and shows it all the same.
    pub show_what_comes_along: bool,
    /// The person has agreed to show the portrait.
    pub show_portrait: bool,
    /// When every copy was shown before, the person has agreed to show one again: verifiers could then link both.
    pub reuse_last_copy: bool,
}

/// Why nothing follows from a choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    // What was given cannot be used.
    /// A path that is not asked for, or that the credential does not have.
    #[error("{0} is not asked for")]
    NotAskedFor(ClaimPath),
    /// A credential that has no part in the answer.
    #[error("credential {0} has no part in the answer")]
    NoPart(CredentialId),
    /// Nothing that is optional and could be answered.
    #[error("{0} is not a credential query that is optional and that this wallet could answer")]
    NotOptional(Shown),
    /// The credentials picked leave something open that is required.
    #[error("the credentials that were picked do not answer all that is required")]
    NotEnough,
    /// Nothing is left to show.
    #[error("nothing is left to show")]
    NothingLeft,
    /// No time, no use, or no purpose.
    #[error("the consent would allow nothing: {0}")]
    Grant(#[from] GrantError),

    // The verifier's fault.
    /// The verifier asks for more than it says it needs.
    #[error("the verifier asks for {} without a reason that holds, or without being registered for it", paths(.0))]
    OverAsking(Vec<ClaimPath>),
    /// The verifier is not known.
    #[error("the verifier's certificate leads to no trust anchor of this wallet")]
    VerifierNotKnown,
    /// None of the credentials that the consent is about is left to sign it, or an mdoc whose issuer does not let it.
    #[error("none of the credentials that would be shown can sign the consent")]
    NothingToSign,

    // The person has not agreed.
    /// Something goes beyond the purpose, or comes along unasked.
    #[error("{} goes beyond what the purpose needs, has no purpose, or comes along unasked", paths(.0))]
    ConcernsNotAccepted(Vec<ClaimPath>),
    /// A portrait would be shown.
    #[error("the portrait is asked for: it needs a yes of its own")]
    PortraitNotAgreed,
    /// Every copy was shown before.
    #[error("every copy of credential {0} was shown before: showing one again needs a yes of its own")]
    LastCopyUsed(CredentialId),
}

impl Blame for ChoiceError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotAskedFor(_) | Self::NoPart(_) | Self::NotOptional(_) | Self::NotEnough | Self::NothingLeft => {
                Fault::Input
            }
            Self::Grant(GrantError::RequestEnded { .. }) => Fault::Peer,
            Self::Grant(_) => Fault::Input,
            Self::OverAsking(_) | Self::VerifierNotKnown | Self::NothingToSign => Fault::Peer,
            Self::ConcernsNotAccepted(_) | Self::PortraitNotAgreed | Self::LastCopyUsed(_) => Fault::Person,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotAskedFor(_) => "--only can name only what is asked for: run without --yes to see it",
            Self::NoPart(_) | Self::NotOptional(_) => {
                "run without --yes to see which credentials could answer, and what is optional"
            }
            Self::NotEnough => "name one credential for each that is required, or leave --credential away",
            Self::NothingLeft => "to say no, use `amparo refuse`",
            Self::Grant(GrantError::RequestEnded { .. }) => "ask the verifier for a new request",
            Self::Grant(_) => "give --for a time longer than nothing, or say no with `amparo refuse`",
            Self::OverAsking(_) => "leave it out with --only, or say no with `amparo refuse`",
            Self::VerifierNotKnown => {
                "add the verifier's trust anchor with `amparo trust`, if you have it from someone you trust"
            }
            Self::NothingToSign => "say no with `amparo refuse`, and tell the verifier",
            Self::ConcernsNotAccepted(_) => "leave it out with --only, or agree to it",
            Self::PortraitNotAgreed => "agree to show the portrait, or leave it out with --only",
            Self::LastCopyUsed(_) => {
                "ask the issuer for new copies, or agree to show one again: the verifiers could then link both"
            }
        }
    }
}

impl Choice {
    /// Whether the person has said yes to everything that needs a yes of its own.
    pub(super) fn check(&self, shown: &[OfferedPath]) -> Result<(), ChoiceError> {
        let with = |wary: fn(Concern) -> bool| -> Vec<ClaimPath> {
            shown.iter().filter(|shown| shown.concern.is_some_and(wary)).map(|shown| shown.path.clone()).collect()
        };
        let forbidden = with(Concern::forbids);
        if !forbidden.is_empty() {
            return Err(ChoiceError::OverAsking(forbidden));
        }
        let beyond = with(|concern| matches!(concern, Concern::BeyondPurpose | Concern::NoPurpose));
        let along = with(|concern| concern == Concern::ComesAlong);
        for (paths, accepted) in [(beyond, self.show_beyond_purpose), (along, self.show_what_comes_along)] {
            if !paths.is_empty() && !accepted {
                return Err(ChoiceError::ConcernsNotAccepted(paths));
            }
        }
        if !with(|concern| concern == Concern::Portrait).is_empty() && !self.show_portrait {
            return Err(ChoiceError::PortraitNotAgreed);
        }
        Ok(())
    }
}

/// What is left of the items when only these paths are shown.
pub(super) fn narrow(mut items: Vec<Item>, only: Option<&[ClaimPath]>) -> Result<Vec<Item>, ChoiceError> {
    let Some(only) = only else { return Ok(items) };
    let is_asked = |path: &&ClaimPath| items.iter().any(|item| item.is_asked(path));
    if let Some(stray) = only.iter().find(|path| !is_asked(path)) {
        return Err(ChoiceError::NotAskedFor(stray.clone()));
    }
    for item in &mut items {
        item.paths = item.narrowed(only);
    }
    items.retain(|item| !item.paths.is_empty());
    if items.is_empty() { Err(ChoiceError::NothingLeft) } else { Ok(items) }
}

fn paths(paths: &[ClaimPath]) -> String {
    let shown = paths.iter().map(|path| Shown::name(&path.to_string()).to_string());
    shown.collect::<Vec<_>>().join(", ")
}
