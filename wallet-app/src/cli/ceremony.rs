//! What the person says to whoever asks, online or in person, and what is told of it.

use super::only;
use super::prompt;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::session::Session;
use credentials::trust::Trust;
use schemas::{ClaimPath, Seconds};
use serde_json::{Value, json};
use wallet_core::display::Shown;
use wallet_core::history::{EntryNumber, Outcome};
use wallet_core::holdings::CredentialId;
use wallet_core::presentation::{Asker, Choice, Concern, Consented, Offered, Part, Receipt, RegisteredAs};
use wallet_core::words::Words;

/// What the person says beforehand.
#[derive(Debug, clap::Args)]
pub(super) struct Saying {
    /// Show only these claims: names with commas between, or paths as JSON arrays (["address","locality"])
    #[arg(long, value_name = "PATH,…")]
    only: Vec<String>,
    /// Answer with this credential, where several of yours answer the same; repeat it to name all that are shown
    #[arg(long = "credential", value_name = "ID")]
    credentials: Vec<String>,
    /// Show this too, which the verifier asks for and does not require, by the verifier's name for it
    #[arg(long, value_name = "NAME")]
    also: Vec<String>,
    /// Let the consent end after this time, such as 15m; it can only shorten what the verifier asked for
    #[arg(long = "for", value_name = "DURATION")]
    lasting: Option<Seconds>,
    /// Agree without being asked; what goes beyond the purpose, and showing a copy again, have options of their own
    #[arg(long)]
    pub(super) yes: bool,
    /// Agree to show what the purpose that the verifier names cannot need, or what a registered verifier names no purpose for
    #[arg(long)]
    beyond_purpose: bool,
    /// When every copy was shown once, show one again: the verifiers could find out that both belong to you
    #[arg(long)]
    reuse: bool,
    /// Refuse a verifier that no trust anchor of yours vouches for
    #[arg(long)]
    pub(super) known_only: bool,
}

/// The same, read.
pub(super) struct Said {
    only: Option<Vec<ClaimPath>>,
    picked: Vec<CredentialId>,
}

impl Saying {
    /// Reads what cannot be read as it is typed.
    ///
    /// # Errors
    /// Usage.
    pub(super) fn read(&self) -> Result<Said, Failure> {
        let picked = self.credentials.iter().map(|id| id.parse()).collect::<Result<Vec<CredentialId>, _>>();
        let picked = picked.map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
        Ok(Said { only: only::paths(&self.only)?, picked })
    }

    /// What the person says, by options or on the terminal: each thing to be wary of is a question of its own. `--yes` answers
    /// them, but for what goes beyond the purpose and for showing a copy again, which have options of their own.
    pub(super) fn choose<W>(&self, said: Said, offered: &Offered<W>, words: &Words) -> Result<Choice, Failure> {
        let asker = offered.asker();
        let Said { only, picked } = said;
        let choice = self.pick(picked, offered, words)?;
        let credentials = offered.chosen(&choice)?;
        let left =
            |path: &ClaimPath| only.as_ref().is_none_or(|only| only.iter().any(|o| o.covers(path) || path.covers(o)));
        let concerned = |concern: Concern| -> Vec<Shown> {
            let paths =
                credentials.iter().flat_map(|credential| credential.paths.iter().map(move |path| (credential, path)));
            paths
                .filter(|(_, shown)| shown.concern == Some(concern) && left(&shown.path))
                .map(|(credential, shown)| words.claim(&credential.type_id, &shown.path))
                .collect()
        };
        let (portrait, mut beyond, along) =
            (concerned(Concern::Portrait), concerned(Concern::BeyondPurpose), concerned(Concern::ComesAlong));
        let question = match concerned(Concern::NoPurpose) {
            unpurposed if unpurposed.is_empty() => messages::beyond_purpose(&beyond),
            unpurposed => {
                beyond.extend(unpurposed);
                messages::no_purpose(&beyond)
            }
        };
        let exhausted = credentials.iter().any(|credential| credential.copies_left == 0);
        let ask = |there: bool, question: &str| {
            if there && !self.yes { prompt::agree("", question, false).map(|()| true) } else { Ok(there) }
        };
        Ok(Choice {
            lasting: self.lasting,
            accept_unknown_verifier: !self.known_only
                && (asker.trust == Trust::Known || ask(true, messages::not_known_still(&asker))?),
            show_portrait: ask(!portrait.is_empty(), messages::SHOW_PORTRAIT)?,
            show_beyond_purpose: self.beyond_purpose || (!self.yes && ask(!beyond.is_empty(), &question)?),
            show_what_comes_along: ask(!along.is_empty(), &messages::comes_along(&along))?,
            reuse_last_copy: self.reuse || (!self.yes && ask(exhausted, messages::SHOW_AGAIN)?),
            only,
            ..choice
        })
    }

    /// Which credentials are shown: those that the options name, or the least; and of what is not required, what the options name
    /// or the person says.
    fn pick<W>(&self, picked: Vec<CredentialId>, offered: &Offered<W>, words: &Words) -> Result<Choice, Failure> {
        let credentials = (!picked.is_empty()).then_some(picked);
        let mut choice = Choice { credentials, also: self.also.clone(), ..Choice::default() };
        if self.yes {
            return Ok(choice);
        }
        let others = offered.others();
        prompt::tell(&messages::asked_for(&offered.asker(), &offered.chosen(&choice)?, &others, words))?;
        for other in others.iter().filter(|other| other.part == Part::Optional) {
            if !choice.also.contains(&other.query) && prompt::says_yes(&messages::optional(other, words))? {
                choice.also.push(other.query.clone());
            }
        }
        Ok(choice)
    }

    /// The question before anything is made: what will be shown, and on which terms.
    ///
    /// # Errors
    /// Declined.
    pub(super) fn last_question<W>(
        &self,
        asker: &Asker,
        consented: &Consented<W>,
        narrowed: bool,
        words: &Words,
    ) -> Result<(), Failure> {
        if self.yes && narrowed {
            prompt::tell(messages::LESS)?;
        }
        prompt::agree(
            &messages::to_be_shown(asker, &consented.disclosed(), consented.terms(), narrowed, words),
            messages::SHOW_IT,
            self.yes,
        )
    }
}

/// Writes into the history what came of it. The answer is out either way: a disk that fails now is told in the log.
pub(super) fn settle(mut session: Session, entry: Option<EntryNumber>, outcome: Outcome) {
    let Some(entry) = entry else { return };
    let settled = session
        .holdings()
        .settle(entry, outcome, now(), &mut randomness())
        .map_err(Failure::from)
        .and_then(|()| session.save().map(drop));
    if let Err(failure) = settled {
        tracing::warn!(failure.message, "the history does not say what came of this answer");
    }
}

/// What was shown, to whom and on which terms, for scripts.
pub(super) fn shown(asker: &Asker, receipt: &Receipt) -> Value {
    let Receipt { verifier, purposes, disclosed, consent, consent_id } = receipt;
    let consent_json = consent.as_ref().map(|terms| {
        json!({
            "id": consent_id.map(|id| id.to_string()),
            "purposes": terms.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(),
            "expires_at": terms.ends_at.to_string(),
            "retention": terms.retention.to_string(),
        })
    });
    let shown: Vec<Value> =
        disclosed.iter().map(|disclosed| json!({ "type": disclosed.type_, "paths": disclosed.paths })).collect();
    json!({
        "sent": true,
        "verifier": verifier,
        "client_id": asker.client_id,
        "known": asker.trust == Trust::Known,
        "signed": asker.signed,
        "registered": asker.registered.as_ref().map(|all| all.iter().map(registered).collect::<Vec<_>>()),
        "purpose": purposes.first().map(|purpose| purpose.code()),
        "disclosed": shown,
        "consent": consent_json,
    })
}

fn registered(registered: &RegisteredAs) -> Value {
    json!({
        "registrar": registered.registrar,
        "name": registered.name,
        "purposes": registered.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(),
        "contact": registered.contact,
        "supervisory_authority": registered.authority,
        "expires_at": registered.ends_at.to_string(),
    })
}
