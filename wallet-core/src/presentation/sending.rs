//! The last step: handing the answer, or the refusal, to the verifier.

use super::consented::Terms;
use crate::display::Shown;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, Response, address};
use crate::fault::{Blame, Fault};
use crate::history::{self, Disclosed, EntryNumber};
use crate::wire;
use credentials::consent::ConsentId;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::purpose::Purpose;
use url::Url;

/// The answer is being sent.
#[derive(Debug)]
pub struct Sending {
    effect: Effect,
    receipt: Receipt,
    entry: Option<EntryNumber>,
}

/// What was shown and on which terms, for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The name in the verifier's certificate.
    pub verifier: Shown,
    /// What for; empty when the verifier gave no purpose.
    pub purposes: Vec<Purpose>,
    /// What of which type.
    pub disclosed: Vec<Disclosed>,
    /// The terms; none when the verifier proposed none.
    pub consent: Option<Terms>,
    /// The identifier of the consent.
    pub consent_id: Option<ConsentId>,
}

/// The verifier has taken the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What was shown.
    pub receipt: Receipt,
    /// Where the verifier wants the person to go on, in a browser. Ask before opening it.
    pub redirect: Option<Url>,
}

/// Why the verifier has not confirmed the answer. The copies stay used: it may have seen them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The verifier turned it down.
    #[error("the verifier turned the answer down with status {status}{}", .code.as_deref().map(|code| format!(": {code}")).unwrap_or_default())]
    TurnedDown {
        /// The status.
        status: u16,
        /// The OAuth error code.
        code: Option<String>,
    },
    /// The verifier cannot be reached.
    #[error("the verifier cannot be reached")]
    Unreachable,
}

impl SendError {
    /// What came of it, for [`Holdings::settle`](crate::holdings::Holdings::settle).
    pub const fn outcome(&self) -> history::Outcome {
        match self {
            Self::TurnedDown { .. } => history::Outcome::TurnedDown,
            Self::Unreachable => history::Outcome::Undelivered,
        }
    }
}

impl Blame for SendError {
    fn fault(&self) -> Fault {
        match self {
            Self::TurnedDown { status, .. } if *status < 500 => Fault::Peer,
            Self::TurnedDown { .. } | Self::Unreachable => Fault::Network,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::TurnedDown { .. } => "ask the verifier why, and for a new request; a copy was used up",
            Self::Unreachable => "check the network, then ask the verifier for a new request; a copy was used up",
        }
    }
}

impl Sending {
    pub(super) const fn new(effect: Effect, receipt: Receipt, entry: Option<EntryNumber>) -> Self {
        Self { effect, receipt, entry }
    }

    /// The entry of the history, to [`settle`](crate::holdings::Holdings::settle) when it is known what came of it; none when
    /// the person keeps no history.
    pub const fn entry(&self) -> Option<EntryNumber> {
        self.entry
    }
}

impl Errand for Sending {
    type Ready = Answered;
    type Error = SendError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(self, outcome: Outcome, _: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, SendError> {
        let response = taken(outcome)?;
        let redirect = redirect(&response, self.effect.loopback());
        Ok(Progress::Ready(Answered { receipt: self.receipt, redirect }))
    }
}

/// An error is being sent to the verifier: a code and the state of its request, and nothing else.
#[derive(Debug)]
pub struct Replying {
    effect: Effect,
}

impl Replying {
    pub(super) fn new(url: Url, code: &'static str, state: Option<&str>) -> Self {
        let fields = [("error", code)].into_iter().chain(state.map(|state| ("state", state)));
        Self { effect: Effect::post(url).header("accept", "application/json").form(fields) }
    }
}

impl Errand for Replying {
    type Ready = ();
    type Error = SendError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(self, outcome: Outcome, _: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, SendError> {
        taken(outcome).map(|_| Progress::Ready(()))
    }
}

/// # Source
/// OpenID4VP 1.0 §8.2: 200 when it was processed; redirects are not followed.
fn taken(outcome: Outcome) -> Result<Response, SendError> {
    match outcome {
        Outcome::Response(response) if response.status == 200 => Ok(response),
        Outcome::Response(Response { status, body, .. }) => {
            Err(SendError::TurnedDown { status, code: wire::error_code(&body) })
        }
        Outcome::Unreachable => Err(SendError::Unreachable),
    }
}

/// Where the person goes on; it may have a fragment, and must be as safe to open as any other address.
fn redirect(response: &Response, loopback: Loopback) -> Option<Url> {
    let members = wire::object(&response.body).ok()?;
    let text = members.get("redirect_uri")?.as_str()?;
    let (base, _) = text.split_once('#').unwrap_or((text, ""));
    address(base, loopback).ok()?;
    Url::parse(text).ok()
}
