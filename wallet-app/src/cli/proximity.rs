//! `amparo proximity`: answer a reader that stands beside the person, with no network on either side.

use super::arguments::Opening;
use super::ceremony::{self, Saying};
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use crate::adapters::codes;
use crate::adapters::meeting::Meeting;
use crate::adapters::new_file::NewFile;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::session::Session;
use nearby::tcp::Reach;
use nearby::{Bounds, Link};
use schemas::Seconds;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wallet_core::history::Outcome;
use wallet_core::presentation::{Authenticated, Engaged, Handing, HolderVerified, InPerson};

/// What `proximity` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Proximity {
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    saying: Saying,
    /// Say no to whoever asks; it learns no more than from absence
    #[arg(long, conflicts_with = "yes")]
    refuse: bool,
    /// Write the code to this file too: .png as a picture, .txt as its text; the file must not be there yet
    #[arg(long, value_name = "FILE")]
    code: Option<PathBuf>,
    /// Wait so long for the reader; at most 4m, for you were recognised for five minutes
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    wait: Seconds,
    /// Where the reader comes to; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Let readers come from other machines too, to the address that --listen names
    #[arg(long)]
    other_machines: bool,
    /// Let the reader come over Bluetooth, where this program was built with it (--features ble); never tried on the air
    #[arg(long, conflicts_with_all = ["listen", "other_machines"])]
    ble: bool,
}

pub(super) fn run(arguments: &Proximity) -> Result<Answer, Failure> {
    let Proximity { opening, saying, .. } = arguments;
    let said = saying.read()?;
    let file = arguments.code.as_deref().map(|path| Ok::<_, Failure>((form(path)?, path))).transpose()?;
    prompt::somebody_to_ask(saying.yes || arguments.refuse)?;
    if arguments.listen.ip().is_unspecified() {
        return Err(Failure::usage(messages::NO_ADDRESS, messages::NO_ADDRESS_HINT));
    }
    let meeting = if arguments.ble {
        Meeting::on_the_air(&mut randomness())
    } else {
        let reach = if arguments.other_machines { Reach::Anywhere } else { Reach::ThisMachine };
        Meeting::at(arguments.listen, reach)
    };
    let meeting = meeting.map_err(|error| Failure::link(&error))?;
    let file = file.map(|(form, path)| Ok::<_, Failure>((form, NewFile::create(path)?))).transpose()?;

    let (mut session, unlocked) = opening.open()?;
    // By a clock that cannot be believed nobody is met.
    session.time()?;
    let engaged = Engaged::new(vec![meeting.retrieval()], &mut randomness());
    let engaged = engaged.map_err(|error| Failure::internal(messages::sentence(&error.to_string())))?;
    // The evidence of this opening is good for this code and for no other.
    let holder = unlocked.for_request(engaged.id());
    show(&engaged.uri(), file)?;
    let (mut link, first) = {
        let _step = Step::begin(messages::WAITING_FOR_READER);
        let patience = Duration::from_secs(arguments.wait.get().min(LONGEST_WAIT));
        meeting.first(patience, BOUNDS).map_err(|error| Failure::link(&error))?
    };
    let at = session.time()?;
    let met = engaged.meet(&first, &session.holdings().trust_anchors(), at);
    let authenticated = met.map_err(|unanswered| part(link.as_mut(), unanswered.farewell(), &unanswered))?;
    if arguments.refuse {
        let asker = authenticated.asker();
        link.send(&authenticated.refuse()).map_err(|error| Failure::link(&error))?;
        let json = json!({ "refused": true, "verifier": asker.name });
        return Ok(Answer { json, text: messages::refused(&asker) });
    }
    answer(arguments, said, authenticated, holder, session, link.as_mut())
}

fn answer(
    arguments: &Proximity,
    said: ceremony::Said,
    authenticated: Authenticated<InPerson>,
    holder: HolderVerified,
    mut session: Session,
    link: &mut dyn Link,
) -> Result<Answer, Failure> {
    let saying = &arguments.saying;
    let asker = authenticated.asker();
    if saying.known_only
        && let Err(error) = authenticated.require_known()
    {
        return Err(part(link, &authenticated.refuse(), &error));
    }
    let at = session.time()?;
    let offered = match authenticated.match_against(&session.holdings(), at) {
        Ok(offered) => offered,
        Err(absent) => {
            // The person decides when the reader hears it, as with anything else.
            let _ = prompt::agree(
                &messages::asked_for(&asker, &[], &[], &session.words()),
                messages::NOTHING_TO_SHOW,
                saying.yes,
            );
            let failure = Failure::from_blame(&absent);
            say(link, &absent.refuse());
            return Err(failure);
        }
    };
    let words = session.words();
    let choice = match saying.choose(said, &offered, &words) {
        Ok(choice) => choice,
        Err(failure) => {
            say(link, &offered.refuse());
            return Err(failure);
        }
    };
    let at = session.time()?;
    let consented = offered.consent(&choice, at, &mut randomness());
    let consented = consented.map_err(|unanswered| part(link, unanswered.farewell(), &unanswered))?;
    if let Err(failure) = saying.last_question(&asker, &consented, choice.only.is_some(), &words) {
        say(link, &consented.refuse());
        return Err(failure);
    }
    let at = session.time()?;
    let unsaved = consented.answer(holder, &mut session.holdings(), at, &mut randomness());
    let unsaved = unsaved.map_err(|unanswered| part(link, unanswered.farewell(), &unanswered))?;
    // Before a byte leaves: a crash in between must not leave a copy that could be shown twice.
    session = session.save()?;
    let handing = unsaved.saved();
    let (entry, receipt) = (handing.entry(), handing.receipt().clone());
    let handed = hand_over(link, handing);
    let outcome = *handed.as_ref().unwrap_or(&Outcome::Undelivered);
    let low = messages::low(&session.holdings().credentials(), now());
    ceremony::settle(session, entry, outcome);
    handed?;
    if outcome == Outcome::TurnedDown {
        return Err(Failure::turned_down());
    }
    let mut json = ceremony::shown(&asker, &receipt);
    if let Some(object) = json.as_object_mut() {
        object.insert("delivered".to_owned(), json!(outcome == Outcome::Delivered));
    }
    Ok(Answer { json, text: messages::sent(&receipt, None, &words) + &low })
}

/// Sends the answer, and hears what the reader says last.
fn hand_over(link: &mut dyn Link, handing: Handing) -> Result<Outcome, Failure> {
    let _step = Step::begin(messages::CALLING);
    link.send(handing.message()).map_err(|error| Failure::link(&error))?;
    let reply = link.receive(LAST_WORD).ok();
    let (outcome, end) = handing.conclude(reply.as_deref());
    end.iter().for_each(|end| say(link, end));
    Ok(outcome)
}

/// Tells the reader that it is over, and gives why, for the person.
fn part(link: &mut dyn Link, farewell: &[u8], why: &impl wallet_core::fault::Blame) -> Failure {
    say(link, farewell);
    Failure::from_blame(why)
}

/// A last message. That it could not be said changes nothing.
fn say(link: &mut dyn Link, message: &[u8]) {
    if let Err(error) = link.send(message) {
        tracing::info!(%error, "the reader could not be told");
    }
}

/// In which form the code is written to a file.
#[derive(Clone, Copy)]
enum Form {
    Png,
    Text,
}

fn form(path: &Path) -> Result<Form, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("png") => Ok(Form::Png),
        Some("txt") => Ok(Form::Text),
        _ => Err(Failure::usage(messages::NO_FORM, messages::NO_CODE_FORM_HINT)),
    }
}

/// The code for the reader, on the terminal and in the file: stdout is for the answer.
fn show(uri: &str, file: Option<(Form, NewFile)>) -> Result<(), Failure> {
    let failed = |error: codes::CodeError| Failure::internal(messages::sentence(&error.to_string()));
    if let Some((form, file)) = file {
        file.write(&match form {
            Form::Png => codes::page(&[uri.to_owned()]).map_err(failed)?,
            Form::Text => format!("{uri}\n").into_bytes(),
        })?;
    }
    prompt::tell(&messages::show_to_reader(&codes::terminal(uri).map_err(failed)?, uri))
}

/// What is taken of a reader: one request as long as any, its last word, and what it says instead of it.
const BOUNDS: Bounds = Bounds { message: 258 * 1024, messages: 3 };
/// The holder was recognised for five minutes, and needs one of them to decide.
const LONGEST_WAIT: u64 = 240;
/// How long the reader may take to say that it has the answer.
const LAST_WORD: Duration = Duration::from_secs(10);

pub(super) const EXAMPLE: &str = "Example:
  amparo proximity --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --for 15m
The reader, on the same machine, scans the code or is given its text:
  amparo-verifier proximity --data desk --preset border-identity --purpose border-entry --retention 15m 'mdoc:…'";
