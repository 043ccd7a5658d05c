//! A request whose sender is known to hold the certificate it names.

use super::ask::{Ask, Asker, Online};
use super::offered::Offered;
use super::received::{Received, RequestIn, Token};
use super::sending::Replying;
use crate::effect::{AddressError, Loopback, address};
use crate::fault::{Blame, Fault};
use crate::holdings::Holdings;
use credentials::registration::{RegistrationError, Registrations};
use credentials::request_object::{AuthenticatedRequest, RequestObjectError, RequestObjectIn};
use credentials::trust::{Trust, TrustAnchors};
use schemas::Timestamp;
use url::Url;

/// A request whose sender is known to hold the certificate it names. Whether that certificate leads to a trust anchor is
/// in [`Asker::trust`], for the person to judge.
#[derive(Debug)]
pub struct Authenticated<W = Online>(pub(super) Ask<W>);

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request object.
    #[error(transparent)]
    RequestObject(#[from] RequestObjectError),
    /// The place to answer to is not safe to open.
    #[error("response_uri is not safe to open: {0}")]
    ResponseAddress(#[from] AddressError),
    /// The verifier is not known, and only known ones were allowed.
    #[error("the verifier's certificate leads to no trust anchor of this wallet")]
    NotKnown,
}

impl Blame for RequestError {
    fn fault(&self) -> Fault {
        Fault::Peer
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::RequestObject(RequestObjectError::Ended { .. }) => {
                "ask the verifier for a new request; if that is over too, check this machine's clock"
            }
            Self::RequestObject(RequestObjectError::IssuedLater { .. }) => {
                "check this machine's clock, then ask for a new request"
            }
            Self::RequestObject(RequestObjectError::Chain(error)) if error.is_about_time() => {
                "nothing was shown: check this machine's clock; if it is right, tell the verifier"
            }
            Self::NotKnown => {
                "add the verifier's trust anchor with `amparo trust`, if you have it from someone you trust"
            }
            _ => "nothing was shown: this request cannot be answered safely, tell the verifier",
        }
    }
}

/// A request that is not answered, and what the verifier may be told.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Rejected {
    #[source]
    error: RequestError,
    reply: Option<Box<Replying>>,
}

impl Rejected {
    /// Why.
    pub const fn error(&self) -> &RequestError {
        &self.error
    }

    /// What the verifier may be told, if it is known that it asked: an error code that follows from the request alone, and
    /// so tells nothing of this wallet. Send it only after the person has seen the request.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.5, §15.9.
    pub fn reply(self) -> Option<Replying> {
        self.reply.map(|reply| *reply)
    }
}

impl Blame for Rejected {
    fn fault(&self) -> Fault {
        self.error.fault()
    }

    fn hint(&self) -> &'static str {
        self.error.hint()
    }
}

impl Received {
    /// Finds out who asks, and whether the request is one that can be answered.
    ///
    /// # Errors
    /// [`Rejected`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5: see [`RequestObjectIn::authenticate`].
    pub fn authenticate(self, anchors: &TrustAnchors, now: Timestamp) -> Result<Authenticated, Rejected> {
        let Self { id, loopback, request } = self;
        let request = match request {
            RequestIn::Signed(token) => {
                token.authenticate(anchors, now).map_err(|error| token.rejected(error, loopback))
            }
            // Whatever is wrong with it, nobody is told: nobody is known to have asked.
            RequestIn::Unsigned(request) => {
                request.check(now).map_err(|error| Rejected { error: error.into(), reply: None })
            }
        }?;
        if let Err(error) = address(request.response_uri().as_str(), loopback) {
            return Err(Rejected { error: error.into(), reply: None });
        }
        Ok(Authenticated(Ask::online(id, request)))
    }
}

impl Token {
    fn authenticate(&self, anchors: &TrustAnchors, now: Timestamp) -> Result<AuthenticatedRequest, RequestObjectError> {
        let request = RequestObjectIn::parse(&self.text)?;
        let request = self.document.iter().cloned().fold(request, RequestObjectIn::with_document);
        request.authenticate(&self.client_id, anchors, now, self.wallet_nonce.as_deref())
    }

    fn rejected(&self, error: RequestObjectError, loopback: Loopback) -> Rejected {
        let reply = error.code().and_then(|code| {
            // The signature has been verified, or there were no code.
            let (url, state) = place_to_answer(&self.text)?;
            let url = address(url.as_str(), loopback).ok()?;
            Some(Box::new(Replying::new(url, code, state.as_deref())))
        });
        Rejected { error: error.into(), reply }
    }
}

/// Where to answer, read again from a request object whose signature was verified but whose content was refused.
fn place_to_answer(text: &str) -> Option<(Url, Option<String>)> {
    let payload = credentials::b64::decode(text.split('.').nth(1)?).ok()?;
    let members = crate::wire::object(&payload).ok()?;
    let text = |name: &str| members.get(name)?.as_str().map(str::to_owned);
    // A state that is itself the fault is not given back.
    let state = text("state")
        .filter(|s| s.len() <= 512 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)));
    Some((Url::parse(&text("response_uri")?).ok()?, state))
}

impl<W> Authenticated<W> {
    /// Who asks.
    pub fn asker(&self) -> Asker {
        self.0.asker()
    }

    /// Only verifiers of this wallet's trust anchors are answered.
    ///
    /// # Errors
    /// [`RequestError::NotKnown`].
    pub fn require_known(&self) -> Result<(), RequestError> {
        if self.0.trust() == Trust::Known { Ok(()) } else { Err(RequestError::NotKnown) }
    }
}

impl Authenticated {
    /// Says no. The verifier learns no more than from a wallet that holds nothing; nothing is sent where nobody signed the request.
    pub fn refuse(self) -> Option<Replying> {
        self.0.refuse()
    }

    /// Looks what those say of the verifier who register verifiers, if this wallet trusts anybody for that.
    ///
    /// What a registration does not allow is not asked for: see [`super::Concern::BeyondRegistration`].
    ///
    /// # Errors
    /// [`Rejected`] when a registration does not hold, is another verifier's, or is for other purposes.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 `verifier_info`; see [`Registrations::of`].
    pub fn registered(self, registrars: &TrustAnchors, now: Timestamp) -> Result<Self, Rejected> {
        if registrars.is_empty() {
            return Ok(self);
        }
        let Online(request) = &self.0.way;
        match Registrations::of(request, registrars, now) {
            Ok(found) => Ok(Self(Ask { registrations: Some(found), ..self.0 })),
            Err(error) => Err(self.rejected(error)),
        }
    }

    /// For a registration that does not hold. Told as a refusal by the person is: another word would say whom this wallet trusts
    /// to register verifiers.
    pub(super) fn rejected(self, error: RegistrationError) -> Rejected {
        let error = RequestObjectError::Registration(error).into();
        Rejected { error, reply: self.0.refuse().map(Box::new) }
    }

    /// Looks what would answer the request. Nothing of it reaches the verifier before the person has agreed.
    ///
    /// # Errors
    /// [`Absent`] when nothing held answers it.
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.4, §15.4.1.
    pub fn match_against(self, holdings: &Holdings<'_>, now: Timestamp) -> Result<Offered, Absent> {
        Offered::look(self.0, holdings, now).map_err(Absent)
    }
}

/// Nothing that this wallet holds answers the request.
#[derive(Debug, thiserror::Error)]
#[error("nothing in this wallet answers the request")]
pub struct Absent<W = Online>(pub(super) Box<Ask<W>>);

impl<W> Absent<W> {
    /// Who asks.
    pub fn asker(&self) -> Asker {
        self.0.asker()
    }
}

impl Absent {
    /// Says no: byte for byte what [`Authenticated::refuse`] and [`Offered::refuse`] say. Send it only when the person says
    /// so: by itself it would tell that no value matched.
    pub fn refuse(self) -> Option<Replying> {
        self.0.refuse()
    }
}

impl<W: std::fmt::Debug> Blame for Absent<W> {
    fn fault(&self) -> Fault {
        Fault::Person
    }

    fn hint(&self) -> &'static str {
        "`amparo list` shows what is held; the verifier has been told nothing"
    }
}
