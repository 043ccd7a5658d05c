//! `amparo attest`: have a provider vouch for this wallet, where an issuer wants that.

use super::arguments::Opening;
use super::output::Answer;
use super::progress::Step;
use crate::adapters::inputs;
use crate::adapters::surroundings::{now, randomness};
use crate::failure::Failure;
use crate::messages;
use crate::perform::Performer;
use crate::session::Session;
use serde_json::json;
use std::path::PathBuf;
use wallet_core::attestation::{self, ProviderCode, WalletAttestation};
use wallet_core::issuance::IssuanceError;

/// What `attest` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Attest {
    #[command(flatten)]
    opening: Opening,
    /// The address of who provides this wallet
    #[arg(long, value_name = "URL", required_unless_present = "leave", conflicts_with = "leave")]
    provider: Option<String>,
    /// The file with the code that came with the wallet
    #[arg(long, value_name = "FILE", required_unless_present = "leave", conflicts_with = "leave")]
    code_file: Option<PathBuf>,
    /// Leave the provider: nobody vouches for this wallet any more
    #[arg(long)]
    leave: bool,
}

pub(super) fn run(arguments: &Attest) -> Result<Answer, Failure> {
    let (Some(url), Some(code_file)) = (&arguments.provider, &arguments.code_file) else {
        return leave(arguments);
    };
    // Read first: a name mistyped here should not cost an attempt.
    let code = ProviderCode::parse(&inputs::text(code_file)?)?;
    let enrolling = attestation::enrol(url, code)?;
    let (mut session, _) = arguments.opening.open()?;
    let mut performer = Performer::new().map_err(Failure::runtime)?;
    let enrolled = {
        let _step = Step::begin(messages::CALLING);
        performer.run(enrolling)?
    };
    let (wallet_name, count) = (enrolled.wallet_name(), enrolled.attestations());
    session.holdings().enrol(enrolled, &mut randomness())?;
    let mut session = session.save()?;
    let provider = session.holdings().provider();
    let text = messages::attested(provider.as_ref(), &wallet_name);
    let json = json!({ "attested": true, "provider": provider, "wallet_name": wallet_name, "attestations": count });
    Ok(Answer { json, text })
}

fn leave(arguments: &Attest) -> Result<Answer, Failure> {
    let (mut session, _) = arguments.opening.open()?;
    let left = session.holdings().leave_provider(&mut randomness())?;
    if left {
        session.save()?;
    }
    Ok(Answer { json: json!({ "attested": false, "left": left }), text: messages::left_provider(left).to_owned() })
}

/// An attestation for one issuance, from the vault or fetched first. On disk it is gone before it is shown.
pub(super) fn one(mut session: Session, performer: &mut Performer) -> Result<(Session, WalletAttestation), Failure> {
    if session.holdings().provider().is_none() {
        return Err(IssuanceError::AttestationWanted.into());
    }
    if session.holdings().attestations_left(now()) == 0 {
        let restocking = session.holdings().restock(&mut randomness())?;
        let stock = {
            let _step = Step::begin(messages::CALLING);
            performer.run(restocking)?
        };
        session.holdings().stock(stock, &mut randomness())?;
    }
    let taken = session.holdings().take_attestation(now(), &mut randomness())?;
    let taken = taken.ok_or(IssuanceError::AttestationWanted)?;
    Ok((session.save()?, taken.saved()))
}

pub(super) const EXAMPLE: &str = "Examples:
  amparo attest --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --provider https://wallets.example --code-file wallet-code.txt
  amparo attest --vault me.amparo --face me.jpg --pin-file pin.txt --device-key device.key --leave

Only some issuers want it. The provider sees fresh keys and the code that all its wallets share; it learns where you call from, as
with any call, and not from whom you receive what. Each attestation is shown once, so that issuers cannot compare notes.";
