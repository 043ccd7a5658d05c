//! `amparo present`: answer a verifier's request with what the person chooses to show.

use super::arguments::Opening;
use super::ceremony::{self, Saying};
use super::going_on::GoingOn;
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::perform::{ErrandError, Performer};
use crate::session::Session;
use serde_json::json;
use wallet_core::history::Outcome;
use wallet_core::presentation::{Answered, Authenticated, Received, RequestLink};

/// What `present` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Present {
    #[command(flatten)]
    opening: Opening,
    /// The request: the whole openid4vp:// or haip-vp:// link
    #[arg(value_name = "REQUEST")]
    request: String,
    #[command(flatten)]
    saying: Saying,
    #[command(flatten)]
    going_on: GoingOn,
}

pub(super) fn run(arguments: &Present, as_json: bool) -> Result<Answer, Failure> {
    let saying = &arguments.saying;
    let said = saying.read()?;
    prompt::somebody_to_ask(saying.yes)?;
    let link = RequestLink::parse(&arguments.request)?;
    let (mut session, unlocked) = arguments.opening.open()?;
    // By a clock that cannot be believed nobody is answered, nor called.
    session.time()?;
    // The evidence of this opening is good for this request and for no other.
    let holder = unlocked.for_request(link.id());
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let received = {
        let _step = Step::begin(messages::CALLING);
        performer.run(link.fetch(&mut randomness()))?
    };
    let authenticated = authenticate(received, &mut session, &mut performer, saying.yes)?;
    if saying.known_only {
        authenticated.require_known()?;
    }
    let at = session.time()?;
    let offered = authenticated.match_against(&session.holdings(), at)?;
    let (asker, words) = (offered.asker(), session.words());
    let choice = saying.choose(said, &offered, &words)?;
    let at = session.time()?;
    let consented = offered.consent(&choice, at, &mut randomness())?;
    saying.last_question(&asker, &consented, choice.only.is_some(), &words)?;

    let at = session.time()?;
    let unsaved = consented.answer(holder, &mut session.holdings(), at, &mut randomness())?;
    // Before a byte leaves: a crash in between must not leave a copy that could be shown twice.
    session = session.save()?;
    let sending = unsaved.saved();
    let entry = sending.entry();
    let sent = {
        let _step = Step::begin(messages::CALLING);
        performer.run(sending)
    };
    let outcome = match &sent {
        Ok(_) => Outcome::Delivered,
        Err(ErrandError::Ended(error)) => error.outcome(),
        Err(ErrandError::Fetch(_)) => Outcome::Undelivered,
    };
    let low = messages::low(&session.holdings().credentials(), now());
    ceremony::settle(session, entry, outcome);
    let Answered { receipt, redirect } = sent?;
    let mut json = ceremony::shown(&asker, &receipt);
    if let Some(object) = json.as_object_mut() {
        object.insert("redirect_uri".to_owned(), json!(redirect.as_ref().map(ToString::to_string)));
    }
    let text = messages::sent(&receipt, redirect.as_ref(), &words) + &low;
    let Some(address) = redirect else { return Ok(Answer { json, text }) };
    let going_on = &arguments.going_on;
    // Before the question, what it is about; then not twice.
    let told = going_on.asks(saying.yes, as_json);
    if told {
        prompt::tell(&text)?;
    }
    // It was shown already: going away now is no failure.
    let opened = going_on.go(&address, saying.yes, as_json).unwrap_or(false);
    let text = if told { messages::goes_on(&address, opened) } else { text };
    Ok(Answer { json, text })
}

/// Finds out who asks. A request that cannot be answered may be told so, if the person agrees to answer at all.
fn authenticate(
    received: Received,
    session: &mut Session,
    performer: &mut Performer,
    yes: bool,
) -> Result<Authenticated, Failure> {
    let (anchors, registrars) = (session.holdings().trust_anchors(), session.holdings().registrars());
    let at = session.time()?;
    let authenticated = received.authenticate(&anchors, at);
    let registered = authenticated.and_then(|authenticated| authenticated.registered(&registrars, at));
    let looking_up = registered.and_then(|authenticated| authenticated.look_up_registrations(registrars, at));
    let rejected = match looking_up.map(|errand| {
        let _step = Step::begin(messages::CALLING);
        performer.run(errand)
    }) {
        Ok(Ok(authenticated)) => return Ok(authenticated),
        Err(rejected) | Ok(Err(ErrandError::Ended(rejected))) => rejected,
        Ok(Err(error @ ErrandError::Fetch(_))) => return Err(error.into()),
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

pub(super) const EXAMPLE: &str = "Example:
  amparo present --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 'openid4vp://?client_id=…' --only given_name,family_name --for 15m";
