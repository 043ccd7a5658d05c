//! `amparo refill`: new copies of what runs low, without the desk.

use super::arguments::Opening;
use super::attest;
use super::list::summary;
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use super::receive::tell;
use crate::adapters::surroundings::randomness;
use crate::failure::Failure;
use crate::messages;
use crate::perform::Performer;
use crate::session::Session;
use serde_json::{Value, json};
use wallet_core::holdings::{CredentialId, Held, Standing};
use wallet_core::issuance::{Event, IssuanceError};

/// What `refill` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Refill {
    #[command(flatten)]
    opening: Opening,
    /// Which one, as `list` names it; without, all that run low
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Agree without being asked
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(arguments: &Refill) -> Result<Answer, Failure> {
    prompt::somebody_to_ask(arguments.yes)?;
    let named: Option<CredentialId> = match &arguments.id {
        Some(text) => {
            let id = text.parse();
            Some(id.map_err(|_| Failure::usage(messages::NOT_AN_ID, messages::NOT_AN_ID_HINT))?)
        }
        None => None,
    };
    let (mut session, _) = arguments.opening.open()?;
    let at = session.time()?;
    let holdings = session.holdings();
    let low: Vec<Held> = match named {
        Some(id) => vec![holdings.credential(id)?],
        None => {
            let held = holdings.credentials().into_iter();
            held.filter(|held| held.runs_low() && held.standing(at) != Standing::Expired).collect()
        }
    };
    let (can, cannot): (Vec<Held>, Vec<Held>) = low.into_iter().partition(|held| held.is_refillable(at));
    if named.is_some() && can.is_empty() {
        return Err(IssuanceError::NotRefillable.into());
    }
    if !can.is_empty() {
        prompt::agree(&messages::to_be_refilled(&can), messages::REFILL_IT, arguments.yes)?;
    }
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let mut refilled = Vec::new();
    for held in &can {
        session = refill(session, &mut performer, held.id())?;
        refilled.push(session.holdings().credential(held.id())?);
    }
    let rows: Vec<Value> = refilled.iter().map(|held| summary(held, at)).collect();
    let ids: Vec<String> = cannot.iter().map(|held| held.id().to_string()).collect();
    Ok(Answer { json: json!({ "refilled": rows, "cannot": ids }), text: messages::refilled(&refilled, &cannot) })
}

/// One credential: the next token is on disk before anything else is asked, and the copy is set aside there before it is shown.
fn refill(mut session: Session, performer: &mut Performer, id: CredentialId) -> Result<Session, Failure> {
    let mut attestation = None;
    if session.holdings().refill_wants_attestation(id) {
        let (saved, taken) = attest::one(session, performer)?;
        (session, attestation) = (saved, Some(taken));
    }
    let at = session.time()?;
    let refreshing = session.holdings().refill(id, attestation.as_ref(), at, &mut randomness())?;
    let refreshed = {
        let _step = Step::begin(messages::CALLING);
        performer.run(refreshing)?
    };
    let preparing = refreshed.keep(&mut session.holdings(), &mut randomness())?;
    let mut session = session.save()?;
    let prepared = {
        let _step = Step::begin(messages::CALLING);
        performer.run(preparing.saved())?
    };
    let at = session.time()?;
    let redeeming = prepared.show(&mut session.holdings(), at, &mut randomness())?;
    let mut session = session.save()?;
    let delivered = {
        let _step = Step::begin(messages::CALLING);
        performer.run(redeeming.saved())?
    };
    let notices = delivered.notices();
    let arrived = delivered.verify(&session.holdings().trust_anchors(), at);
    let kept = arrived.and_then(|arrived| arrived.refill(id, &mut session.holdings(), &mut randomness()));
    match kept {
        Ok(kept) => {
            let session = session.save()?;
            kept.saved();
            tell(performer, notices, Event::Accepted);
            Ok(session)
        }
        Err(error) => {
            tell(performer, notices, Event::Failure);
            Err(error.into())
        }
    }
}

pub(super) const EXAMPLE: &str = "Examples:
  amparo refill --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key
  amparo refill --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 3f2a… --yes

The issuer sees one copy of the credential that it made, whole, and signs what is in it anew. It learns that you are
still there and where you call from, as with any call; it keeps nothing of what is in it.";
