//! `amparo present`: answer a verifier's request with what the person chooses to show.

use super::arguments::Opening;
use super::only;
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::perform::{ErrandError, Performer};
use crate::session::Session;
use credentials::trust::Trust;
use schemas::{ClaimPath, Seconds};
use serde_json::{Value, json};
use wallet_core::history::{EntryNumber, Outcome};
use wallet_core::holdings::CredentialId;
use wallet_core::presentation::{
    Answered, Asker, Authenticated, Choice, Concern, Offered, Part, Receipt, Received, RequestLink, SendError,
};

/// What `present` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Present {
    #[command(flatten)]
    opening: Opening,
    /// The request: the whole openid4vp:// link
    #[arg(value_name = "REQUEST")]
    request: String,
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
    yes: bool,
    /// Agree to show what the purpose that the verifier names cannot need
    #[arg(long)]
    beyond_purpose: bool,
    /// When every copy was shown once, show one again: the verifiers could find out that both belong to you
    #[arg(long)]
    reuse: bool,
    /// Refuse a verifier that no trust anchor of yours vouches for
    #[arg(long)]
    known_only: bool,
}

pub(super) fn run(arguments: &Present) -> Result<Answer, Failure> {
    let only = only::paths(&arguments.only)?;
    let picked = arguments.credentials.iter().map(|id| id.parse()).collect::<Result<Vec<CredentialId>, _>>();
    let picked = picked.map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?;
    prompt::somebody_to_ask(arguments.yes)?;
    let link = RequestLink::parse(&arguments.request)?;
    let (mut session, unlocked) = arguments.opening.open()?;
    // The evidence of this opening is good for this request and for no other.
    let holder = unlocked.for_request(link.id());
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let received = {
        let _step = Step::begin(messages::CALLING);
        performer.run(link.fetch(&mut randomness()))?
    };
    let authenticated = authenticate(received, &mut session, &mut performer, arguments.yes)?;
    if arguments.known_only {
        authenticated.require_known()?;
    }
    let offered = authenticated.match_against(&session.holdings(), now())?;
    let asker = offered.asker();
    let choice = choose(arguments, picked, only, &offered)?;
    let consented = offered.consent(&choice, now(), &mut randomness())?;
    if arguments.yes && choice.only.is_some() {
        prompt::tell(messages::LESS)?;
    }
    prompt::agree(
        &messages::to_be_shown(&asker, &consented.disclosed(), consented.terms(), choice.only.is_some()),
        messages::SHOW_IT,
        arguments.yes,
    )?;

    let unsaved = consented.answer(holder, &mut session.holdings(), now(), &mut randomness())?;
    // Before a byte leaves: a crash in between must not leave a copy that could be shown twice.
    session = session.save()?;
    let sending = unsaved.saved();
    let entry = sending.entry();
    let sent = {
        let _step = Step::begin(messages::CALLING);
        performer.run(sending)
    };
    let low = messages::low(&session.holdings().credentials(), now());
    settle(session, entry, &sent);
    let mut answer = done(&asker, &sent?);
    answer.text.push_str(&low);
    Ok(answer)
}

/// Finds out who asks. A request that cannot be answered may be told so, if the person agrees to answer at all.
fn authenticate(
    received: Received,
    session: &mut Session,
    performer: &mut Performer,
    yes: bool,
) -> Result<Authenticated, Failure> {
    let rejected = match received.authenticate(&session.holdings().trust_anchors(), now()) {
        Ok(authenticated) => return Ok(authenticated),
        Err(rejected) => rejected,
    };
    let failure = Failure::from_blame(&rejected);
    if let Some(reply) = rejected.reply()
        && prompt::agree(&failure.message, messages::TELL_THEM, yes).is_ok()
    {
        // That it could not be told changes nothing.
        if let Err(error) = performer.run(reply) {
            tracing::info!(%error, "the verifier could not be told");
        }
    }
    Err(failure)
}

/// What the person says, by options or on the terminal: each thing to be wary of is a question of its own. `--yes` answers
/// them, but for what goes beyond the purpose and for showing a copy again, which have options of their own.
fn choose(
    arguments: &Present,
    picked: Vec<CredentialId>,
    only: Option<Vec<ClaimPath>>,
    offered: &Offered,
) -> Result<Choice, Failure> {
    let asker = offered.asker();
    let choice = pick(arguments, picked, offered)?;
    let credentials = offered.chosen(&choice)?;
    let left =
        |path: &ClaimPath| only.as_ref().is_none_or(|only| only.iter().any(|o| o.covers(path) || path.covers(o)));
    let concerned = |concern: Concern| -> Vec<ClaimPath> {
        let paths = credentials.iter().flat_map(|credential| &credential.paths);
        paths
            .filter(|shown| shown.concern == Some(concern) && left(&shown.path))
            .map(|shown| shown.path.clone())
            .collect()
    };
    let (portrait, beyond, along) =
        (concerned(Concern::Portrait), concerned(Concern::BeyondPurpose), concerned(Concern::ComesAlong));
    let exhausted = credentials.iter().any(|credential| credential.copies_left == 0);
    let ask = |there: bool, question: &str| {
        if there && !arguments.yes { prompt::agree("", question, false).map(|()| true) } else { Ok(there) }
    };
    Ok(Choice {
        lasting: arguments.lasting,
        accept_unknown_verifier: !arguments.known_only
            && (asker.trust == Trust::Known || ask(true, messages::NOT_KNOWN_STILL)?),
        show_portrait: ask(!portrait.is_empty(), messages::SHOW_PORTRAIT)?,
        despite_concerns: match (beyond.is_empty(), arguments.yes) {
            (true, _) => ask(!along.is_empty(), &messages::comes_along(&along))?,
            (false, true) => arguments.beyond_purpose,
            (false, false) => arguments.beyond_purpose || ask(true, &messages::beyond_purpose(&beyond))?,
        },
        reuse_last_copy: arguments.reuse || (!arguments.yes && ask(exhausted, messages::SHOW_AGAIN)?),
        only,
        ..choice
    })
}

/// Which credentials are shown: those that the options name, or the least; and of what is not required, what the options name
/// or the person says.
fn pick(arguments: &Present, picked: Vec<CredentialId>, offered: &Offered) -> Result<Choice, Failure> {
    let credentials = (!picked.is_empty()).then_some(picked);
    let mut choice = Choice { credentials, also: arguments.also.clone(), ..Choice::default() };
    if arguments.yes {
        return Ok(choice);
    }
    let others = offered.others();
    prompt::tell(&messages::asked_for(&offered.asker(), &offered.chosen(&choice)?, &others))?;
    for other in others.iter().filter(|other| other.part == Part::Optional) {
        if !choice.also.contains(&other.query) && prompt::says_yes(&messages::optional(other))? {
            choice.also.push(other.query.clone());
        }
    }
    Ok(choice)
}

/// Writes into the history what came of it. The answer is out either way: a disk that fails now is told in the log.
fn settle(mut session: Session, entry: Option<EntryNumber>, sent: &Result<Answered, ErrandError<SendError>>) {
    let outcome = match sent {
        Ok(_) => Outcome::Delivered,
        Err(ErrandError::Ended(error)) => error.outcome(),
        Err(ErrandError::Fetch(_)) => Outcome::Undelivered,
    };
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

fn done(asker: &Asker, answered: &Answered) -> Answer {
    let Answered { receipt, redirect } = answered;
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
    Answer {
        json: json!({
            "sent": true,
            "verifier": verifier,
            "client_id": asker.client_id,
            "known": asker.trust == Trust::Known,
            "purpose": purposes.first().map(|purpose| purpose.code()),
            "disclosed": shown,
            "consent": consent_json,
            "redirect_uri": redirect.as_ref().map(ToString::to_string),
        }),
        text: messages::sent(receipt, redirect.as_ref()),
    }
}

pub(super) const EXAMPLE: &str = "Example:
  amparo present --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 'openid4vp://?client_id=…' --only given_name,family_name --for 15m";
