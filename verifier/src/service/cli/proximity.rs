//! `proximity`: ask a holder who stands at the desk, with no network on either side.

use super::arguments::Proximity;
use super::failure::{Exit, Failure};
use super::offline::{self, codes};
use super::output::Answer;
use super::run::{open_swept, query_of};
use super::words;
use crate::policy::{IssuerAlgorithms, LinkScheme, ResponseMode};
use crate::service::clock::{Clock, SystemClock};
use crate::service::desk::{Ask, Desk, Encounter};
use credentials::proximity::{Ble, DeviceEngagement, Retrieval, SCHEME};
use nearby::ble::radio::{Radio, RadioError};
use nearby::ble::{BleLink, Mode};
use nearby::tcp::{Reach, TcpLink};
use nearby::{Bounds, Link, LinkError};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What is taken of a holder's device: one answer with a portrait, and a last word.
const BOUNDS: Bounds = Bounds { message: 258 * 1024, messages: 2 };
/// How long a device may take to be reached.
const REACHING: Duration = Duration::from_secs(10);
/// How long it may take to be found over Bluetooth and connected to.
const FINDING: Duration = Duration::from_secs(30);

pub(super) fn run(arguments: &Proximity) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    let ask = Ask {
        query: query_of(arguments.terms.preset, crate::policy::AcceptedFormat::Mdoc, arguments.terms.dcql.as_ref())?,
        purpose: arguments.terms.purpose,
        retention: arguments.terms.retention,
        consent: arguments.terms.consent,
        response_mode: ResponseMode::DirectPost,
        unknown_status: arguments.terms.unknown_status,
        issuer_algorithms: IssuerAlgorithms::default(),
        go_on: None,
        client_id: None,
        scheme: LinkScheme::default(),
        registration: None,
    };
    let engagement = engagement(arguments)?;
    // Before the transaction: a code that leads nowhere leaves nothing behind.
    let link = reach(arguments, &engagement)?;
    let encounter = desk.approach(ask, engagement)?;
    let id = encounter.id().clone();
    exchange(&desk, encounter, link)?;
    let report = desk.result(&id, &arguments.actor)?;
    let mut answer = words::report(&report);
    if let Some(object) = answer.json.as_object_mut() {
        object.insert("transaction".to_owned(), json!(id.as_str()));
        object.insert("lists".to_owned(), words::lists_json(&desk.list_states()?));
    }
    Ok(answer)
}

/// Asks, waits for the person to decide, and takes what comes through the checks.
fn exchange(desk: &Desk, encounter: Encounter, mut link: Box<dyn Link>) -> Result<(), Failure> {
    let left = encounter.expires_at().since(SystemClock.now());
    let heard = link.send(encounter.message()).and_then(|()| link.receive(Duration::from_secs(left.get())));
    match heard {
        Ok(reply) => {
            if let Some(farewell) = desk.hear(encounter, &reply)?
                && let Err(error) = link.send(&farewell)
            {
                tracing::info!(%error, "the holder's device was not told the end of the session");
            }
            Ok(())
        }
        Err(error) => {
            desk.unheard(&encounter, &error.to_string())?;
            Err(unreached(&error))
        }
    }
}

/// The way to the holder's device that its code offers and this desk can go.
fn reach(arguments: &Proximity, engagement: &DeviceEngagement) -> Result<Box<dyn Link>, Failure> {
    if !arguments.ble {
        let reach = if arguments.other_machines { Reach::Anywhere } else { Reach::ThisMachine };
        let link = TcpLink::call(socket(engagement)?, reach, REACHING, BOUNDS);
        return Ok(Box::new(link.map_err(|error| unreached(&error))?));
    }
    let service = engagement.retrieval().iter().find_map(|way| match way {
        Retrieval::Ble(Ble { peripheral, .. }) => *peripheral,
        _ => None,
    });
    let service = service.ok_or_else(|| {
        let message = "the holder's device does not let itself be found over Bluetooth";
        Failure::new(Exit::Network, "no_way", message, "leave out --ble, or ask for a code with Bluetooth in it")
    })?;
    let link = Radio::find().map_err(LinkError::from).and_then(|radio| {
        let gatt = radio.seek(Mode::HolderIsServer, &service, FINDING)?;
        BleLink::begin(gatt, BOUNDS)
    });
    Ok(Box::new(link.map_err(|error| unreached(&error))?))
}

fn unreached(error: &LinkError) -> Failure {
    if let LinkError::Radio(error) = error {
        let exit = if *error == RadioError::NotBuilt { Exit::Usage } else { Exit::Network };
        return Failure::new(exit, "no_radio", error.to_string(), error.hint());
    }
    let (exit, code, hint) = match error {
        LinkError::Frame(_) | LinkError::Chunk(_) | LinkError::TooMany { .. } => {
            (Exit::Refused, "not_a_wallet", "ask for a new code; what answered is no wallet")
        }
        LinkError::Beyond(_) => (
            Exit::Usage,
            "not_this_machine",
            "the code leads to another machine; add --other-machines if you expect that",
        ),
        _ => {
            (Exit::Network, "no_holder", "ask the holder for a new code: each is good for one reader, and for minutes")
        }
    };
    Failure::new(exit, code, error.to_string(), hint)
}

/// What the holder's device shows: as text, on stdin, or in a picture.
fn engagement(arguments: &Proximity) -> Result<DeviceEngagement, Failure> {
    let texts = match (&arguments.engagement, &arguments.code) {
        (Some(text), _) if text != "-" => vec![text.clone()],
        (_, Some(path)) => codes::all_texts(path)?,
        _ => {
            let bytes = offline::read(&PathBuf::from("-"))?;
            vec![String::from_utf8_lossy(&bytes).into_owned()]
        }
    };
    let text = texts.iter().map(|text| text.trim()).find(|text| text.starts_with(SCHEME));
    let text = text.ok_or_else(|| {
        Failure::usage(
            "there is no code of a holder's device in it",
            "give the text that begins with mdoc:, or a picture of its code",
        )
    })?;
    DeviceEngagement::from_uri(text).map_err(|error| {
        let hint = "ask the holder for a new code";
        Failure::new(Exit::Refused, "engagement_invalid", format!("the code cannot be used: {error}"), hint)
    })
}

fn socket(engagement: &DeviceEngagement) -> Result<SocketAddr, Failure> {
    let found = engagement.retrieval().iter().find_map(|way| match way {
        Retrieval::Socket(address) => Some(*address),
        _ => None,
    });
    found.ok_or_else(|| {
        let message = "the holder's device offers no way that this desk can go without a radio";
        Failure::new(
            Exit::Network,
            "no_way",
            message,
            "add --ble where this desk has Bluetooth, or ask for the answer online",
        )
    })
}
