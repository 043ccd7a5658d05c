//! `amparo receive`: take the credential that an issuer offers.

use super::arguments::Opening;
use super::list::summary;
use super::output::Answer;
use super::progress::Step;
use super::prompt;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::perform::Performer;
use credentials::trust::Trust;
use serde_json::{Value, json};
use wallet_core::issuance::{self, Offered, TxCode};

/// What `receive` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Receive {
    #[command(flatten)]
    opening: Opening,
    /// The offer: the whole openid-credential-offer:// link
    #[arg(value_name = "OFFER")]
    offer: String,
    /// The code that the issuer gave you on another way, on paper for example
    #[arg(long, value_name = "N")]
    tx_code: Option<String>,
    /// Agree without being asked
    #[arg(long)]
    yes: bool,
    /// Refuse an issuer that no trust anchor of yours vouches for
    #[arg(long)]
    known_only: bool,
}

pub(super) fn run(arguments: &Receive) -> Result<Answer, Failure> {
    let Receive { opening, offer, tx_code, yes, known_only } = arguments;
    prompt::somebody_to_ask(*yes)?;
    let errand = issuance::follow(offer)?;
    let (mut session, _) = opening.open()?;
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let offered = {
        let _step = Step::begin(messages::CALLING);
        performer.run(errand)?
    };
    // Who it goes to is seen before a code is typed.
    prompt::agree(&messages::offered(&offered, offered.met_before(&session.holdings())), messages::TAKE_IT_UP, *yes)?;
    let tx_code = transaction_code(&offered, tx_code.as_deref(), *yes)?;
    let redeeming = offered.accept(tx_code, None, now(), &mut randomness())?;
    // An offer is good once: a disk that has no room for what comes is found out before it is spent.
    session = session.save()?;
    let delivered = {
        let _step = Step::begin(messages::CALLING);
        performer.run(redeeming)?
    };
    let arrived = delivered.verify(&session.holdings().trust_anchors(), now())?;
    let came = arrived.summary(&session.holdings());
    if *known_only {
        came.require_known()?;
    }
    let sentences = messages::arrived(&came);
    prompt::agree(&sentences, messages::KEEP_IT, *yes)?;
    let (issuer, issuer_name, trust) = (came.issuer.clone(), came.issuer_name.clone(), came.trust);
    let unsaved = arrived.keep(came.confirmed(), &mut session.holdings(), now(), &mut randomness())?;
    session = session.save()?;
    let kept = unsaved.saved();

    let holdings = session.holdings();
    let rows: Vec<Value> = kept
        .credentials
        .iter()
        .map(|id| Ok(summary(&holdings.credential(*id)?, now())))
        .collect::<Result<_, Failure>>()?;
    Ok(Answer {
        json: json!({
            "received": true,
            "issuer": issuer,
            "issuer_name": issuer_name,
            "known": trust == Trust::Known,
            "credentials": rows,
        }),
        text: if *yes { format!("{sentences}\n{}", messages::KEPT) } else { messages::KEPT.to_owned() },
    })
}

/// The transaction code as given, or as the person types it; with `--yes` nobody is asked, and the core says what is missing.
fn transaction_code(offered: &Offered, given: Option<&str>, yes: bool) -> Result<Option<TxCode>, Failure> {
    match (given, offered.tx_code()) {
        (Some(code), _) => Ok(Some(TxCode::new(code))),
        (None, Some(wanted)) if !yes => {
            prompt::transaction_code(&messages::tx_code(&wanted)).map(|code| Some(TxCode::new(&code)))
        }
        (None, _) => Ok(None),
    }
}

pub(super) const EXAMPLE: &str = "Example:
  amparo receive --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key 'openid-credential-offer://?credential_offer=…' --tx-code 48210365";
