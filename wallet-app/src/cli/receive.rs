//! `amparo receive`: take the credential that an issuer offers.

use super::arguments::Opening;
use super::attest;
use super::going_on::GoingOn;
use super::list::{promised, summary};
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use crate::adapters::redirect::Redirect;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::language;
use crate::messages;
use crate::perform::Performer;
use crate::session::Session;
use credentials::trust::Trust;
use schemas::Seconds;
use serde_json::{Value, json};
use std::io::{BufRead, Read};
use std::time::Duration;
use wallet_core::display::Shown;
use wallet_core::effect::Progress;
use wallet_core::holdings::Unsaved;
use wallet_core::issuance::{
    self, Arrived, Delivered, Event, IssuanceError, Kept, Notices, Offered, Redeeming, Signers, TxCode,
};

/// What `receive` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Receive {
    #[command(flatten)]
    opening: Opening,
    /// The offer: the whole openid-credential-offer:// link
    #[arg(value_name = "OFFER", required_unless_present_any = ["resume", "paste"])]
    offer: Option<String>,
    /// The code that the issuer gave you on another way, on paper for example
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    tx_code: Option<String>,
    /// Paste what other programs should not see on the command line: the offer, if it is not given, then the code; and, when the
    /// issuer has a page of its own, the address at which it leaves you. Each is a line of standard input
    #[arg(long, conflicts_with = "resume")]
    paste: bool,
    /// Take the issuer's metadata as they are signed now, or not signed, although they were signed otherwise before
    #[arg(long, conflicts_with = "resume")]
    new_signer: bool,
    /// Ask again for what issuers have promised for later
    #[arg(long, conflicts_with = "offer")]
    resume: bool,
    /// With --resume: keep asking for so long, such as 10m
    #[arg(long, value_name = "TIME", default_value = "0s", requires = "resume")]
    wait: Seconds,
    /// Agree without being asked
    #[arg(long)]
    yes: bool,
    /// Refuse an issuer that no trust anchor of yours vouches for
    #[arg(long)]
    known_only: bool,
    #[command(flatten)]
    going_on: GoingOn,
}

pub(super) fn run(arguments: &Receive, as_json: bool) -> Result<Answer, Failure> {
    prompt::somebody_to_ask(arguments.yes)?;
    match &arguments.offer {
        Some(offer) => take_up(arguments, offer, as_json),
        None if arguments.paste => take_up(arguments, &prompt::unseen(messages::PASTE_OFFER)?, as_json),
        None => resume(arguments),
    }
}

fn take_up(arguments: &Receive, offer: &str, as_json: bool) -> Result<Answer, Failure> {
    // What is no offer is told before the vault is opened.
    issuance::follow(offer)?;
    let (mut session, _) = arguments.opening.open()?;
    session.time()?;
    let holdings = session.holdings();
    let signers = if arguments.new_signer { Signers::default() } else { holdings.signers() };
    let errand = issuance::follow_remembering(offer, holdings.trust_anchors(), signers)?;
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let offered = {
        let _step = Step::begin(messages::CALLING);
        performer.run(errand)?
    };
    let yes = arguments.yes;
    // Who it goes to is seen before a code is typed.
    prompt::agree(&messages::offered(&offered, offered.met_before(&session.holdings())), messages::TAKE_IT_UP, yes)?;
    offered.remember_signer(&mut session.holdings(), &mut randomness())?;
    let offered = if offered.wants_attestation() {
        let (saved, attestation) = attest::one(session, &mut performer)?;
        session = saved;
        offered.attested(attestation)
    } else {
        offered
    };
    let offered = offered.attested_by(&session.holdings());
    let redeeming = if offered.wants_authorization() {
        session = session.save()?;
        authorized(&offered, &mut performer, arguments, as_json)?
    } else {
        let tx_code = transaction_code(&offered, arguments)?;
        let redeeming = offered.accept(tx_code, None, now(), &mut randomness())?;
        // An offer is good once: a disk that has no room for what comes is found out before it is spent.
        session = session.save()?;
        redeeming
    };
    let mut delivered = {
        let _step = Step::begin(messages::CALLING);
        performer.run(redeeming)?
    };
    if let Some(promise) = delivered.take_deferred() {
        // Kept before anything else is asked: nobody but this process has the keys and the token.
        session.holdings().defer(&promise, &mut randomness())?;
        session = session.save()?;
    }
    if delivered.is_empty() {
        return Ok(still_waiting(&mut session, &[]));
    }
    let received = keep(&mut session, &mut performer, delivered, arguments)?;
    finish(session, &mut performer, received, &[], arguments.yes)
}

/// Sends the person to the issuer's page, and waits until they are back.
fn authorized(
    offered: &Offered,
    performer: &mut Performer,
    arguments: &Receive,
    as_json: bool,
) -> Result<Redeeming, Failure> {
    let paste = arguments.paste;
    let redirect = Redirect::open(&mut randomness()).map_err(Failure::runtime)?;
    let pushing = offered.authorize(redirect.uri(), None, now(), &mut randomness())?;
    let authorization = {
        let _step = Step::begin(messages::CALLING);
        performer.run(pushing)?
    };
    prompt::tell(&messages::page(&authorization, paste))?;
    // Whoever pastes has the browser elsewhere.
    if !paste {
        arguments.going_on.go(authorization.url(), arguments.yes, as_json)?;
    }
    // An address of another request, or a browser that looks for an icon, is passed over.
    let back = |target: &str| match authorization.returned(target, now(), &mut randomness()) {
        Err(IssuanceError::NotOurRedirect) => None,
        outcome => Some(outcome),
    };
    let came = if paste {
        let mut line = String::new();
        std::io::stdin().lock().take(MAX_LINE).read_line(&mut line).map_err(Failure::runtime)?;
        back(&line)
    } else {
        redirect.wait(PATIENCE, back).map_err(Failure::runtime)?
    };
    Ok(came.unwrap_or(Err(IssuanceError::NotOurRedirect))?)
}

/// Asks every issuer that promised something, until something comes or the time is over.
fn resume(arguments: &Receive) -> Result<Answer, Failure> {
    let (mut session, _) = arguments.opening.open()?;
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let end = now().plus(arguments.wait);
    let mut declined: Vec<Shown> = Vec::new();
    loop {
        for (id, promise) in session.holdings().deferred() {
            // The issuer says how long to wait at least.
            if now() < promise.ask_again_at() {
                continue;
            }
            let asked = {
                let _step = Step::begin(messages::CALLING);
                performer.run(promise.ask(now(), &mut randomness())?)?
            };
            session.holdings().settle_deferred(id, asked.left.as_ref(), &mut randomness())?;
            declined.extend(asked.declined);
            if asked.delivered.is_empty() {
                session = session.save()?;
                continue;
            }
            return match keep(&mut session, &mut performer, asked.delivered, arguments) {
                Ok(received) => finish(session, &mut performer, received, &declined, arguments.yes),
                // The issuer gives it once: what was not kept is promised no more.
                Err(failure) => session.save().and(Err(failure)),
            };
        }
        let next = session.holdings().deferred().iter().map(|(_, promise)| promise.ask_again_at()).min();
        match next.filter(|next| *next <= end) {
            Some(next) => {
                let left = next.unix().saturating_sub(now().unix()).max(0);
                std::thread::sleep(Duration::from_secs(left.unsigned_abs()));
            }
            None => return Ok(still_waiting(&mut session, &declined)),
        }
    }
}

/// What was verified and agreed to, and stands in memory only.
struct Received {
    kept: Unsaved<Kept>,
    notices: Notices,
    sentences: String,
    issuer: Shown,
    issuer_name: Shown,
    trust: Trust,
}

/// Verifies what came, and keeps it once the person has agreed.
fn keep(
    session: &mut Session,
    performer: &mut Performer,
    delivered: Delivered,
    arguments: &Receive,
) -> Result<Received, Failure> {
    let notices = delivered.notices();
    let at = session.time()?;
    let verified = delivered.verify(&session.holdings().trust_anchors(), at);
    // The types are looked up now, at the issuer that is being talked to, and never again.
    let arrived = match verified.map_err(Failure::from).and_then(|arrived| look_up(session, performer, arrived)) {
        Ok(arrived) => arrived,
        Err(failure) => {
            tell(performer, notices, Event::Failure);
            return Err(failure);
        }
    };
    let words = arrived.words(&session.holdings(), &language::preferred());
    let came = arrived.summary(&session.holdings());
    if arguments.known_only {
        came.require_known()?;
    }
    let sentences = messages::arrived(&came, &words);
    // Whoever says no here tells the issuer nothing: that would be the word for a deletion.
    prompt::agree(&sentences, messages::KEEP_IT, arguments.yes)?;
    let (issuer, issuer_name, trust) = (came.issuer.clone(), came.issuer_name.clone(), came.trust);
    let kept = arrived.keep(came.confirmed(), &mut session.holdings(), now(), &mut randomness())?;
    Ok(Received { kept, notices, sentences, issuer, issuer_name, trust })
}

/// Looks up what the types of what came say.
fn look_up(session: &mut Session, performer: &mut Performer, arrived: Arrived) -> Result<Arrived, Failure> {
    match arrived.look_up(&session.holdings())? {
        Progress::Ready(arrived) => Ok(arrived),
        Progress::Waiting(errand) => {
            let _step = Step::begin(messages::CALLING);
            Ok(performer.run(errand)?)
        }
    }
}

/// Saves, tells the issuer that it arrived, and says what is there now.
fn finish(
    session: Session,
    performer: &mut Performer,
    received: Received,
    declined: &[Shown],
    yes: bool,
) -> Result<Answer, Failure> {
    let Received { kept, notices, sentences, issuer, issuer_name, trust } = received;
    let mut session = session.save()?;
    let kept = kept.saved();
    tell(performer, notices, Event::Accepted);
    let holdings = session.holdings();
    let rows: Vec<Value> = kept
        .credentials
        .iter()
        .map(|id| Ok(summary(&holdings.credential(*id)?, now())))
        .collect::<Result<_, Failure>>()?;
    let waiting: Vec<Value> = holdings.deferred().iter().map(|(id, promise)| promised(*id, promise)).collect();
    Ok(Answer {
        json: json!({
            "received": true,
            "issuer": issuer,
            "issuer_name": issuer_name,
            "known": trust == Trust::Known,
            "credentials": rows,
            "waiting": waiting,
            "declined": declined,
        }),
        text: if yes { format!("{sentences}\n{}", messages::KEPT) } else { messages::KEPT.to_owned() },
    })
}

/// Nothing came: what is promised, and what was declined.
fn still_waiting(session: &mut Session, declined: &[Shown]) -> Answer {
    let promises = session.holdings().deferred();
    let waiting: Vec<Value> = promises.iter().map(|(id, promise)| promised(*id, promise)).collect();
    Answer {
        json: json!({ "received": false, "waiting": waiting, "declined": declined }),
        text: messages::waiting(&promises, declined),
    }
}

/// Tells the issuer, if it asked for it; that it cannot be reached changes nothing.
pub(super) fn tell(performer: &mut Performer, notices: Notices, event: Event) {
    if let Ok(Some(telling)) = notices.tell(event, now(), &mut randomness())
        && let Err(error) = performer.run(telling)
    {
        tracing::info!(%error, "the issuer was not told");
    }
}

/// The transaction code as given, or as the person types it; with `--yes` nobody is asked, and the core says what is missing.
fn transaction_code(offered: &Offered, arguments: &Receive) -> Result<Option<TxCode>, Failure> {
    match (&arguments.tx_code, offered.tx_code()) {
        (Some(code), _) => Ok(Some(TxCode::new(code))),
        (None, Some(wanted)) if arguments.paste => {
            prompt::unseen(&messages::tx_code(&wanted)).map(|code| Some(TxCode::new(&code)))
        }
        (None, Some(wanted)) if !arguments.yes => {
            prompt::transaction_code(&messages::tx_code(&wanted)).map(|code| Some(TxCode::new(&code)))
        }
        (None, _) => Ok(None),
    }
}

/// As long as an issuer keeps a request.
const PATIENCE: Duration = Duration::from_secs(600);
const MAX_LINE: u64 = 16 * 1024;

pub(super) const EXAMPLE: &str = "Example:
  amparo receive --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 'openid-credential-offer://?credential_offer=…' --tx-code 48210365
  amparo receive --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --paste
  amparo receive --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --resume --wait 10m";
