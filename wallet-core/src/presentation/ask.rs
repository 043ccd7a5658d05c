//! Who asks, and for what: what the later states of a presentation share.

use super::RequestId;
use super::sending::Replying;
use crate::display::Shown;
use crate::effect::Effect;
use credentials::consent::ProposedConsent;
use credentials::dcql::Query;
use credentials::proximity::Session;
use credentials::request_object::AuthenticatedRequest;
use credentials::trust::{Trust, VerifiedChain};
use schemas::Seconds;
use schemas::purpose::Purpose;

/// The request came over a network, and so does the answer go back.
#[derive(Debug)]
pub struct Online(pub(super) AuthenticatedRequest);

/// The request came from a reader that stands beside the holder, in an encrypted session.
#[derive(Debug)]
pub struct InPerson(pub(super) Session);

/// An authenticated request and how it came here: what is asked and what may be shown does not depend on that.
#[derive(Debug)]
pub(super) struct Ask<W = Online> {
    pub(super) id: RequestId,
    /// None when nobody signed the request.
    pub(super) verifier: Option<VerifiedChain>,
    /// The full client identifier, which is the audience of the answer.
    pub(super) client_id: String,
    pub(super) query: Query,
    pub(super) consent: Option<ProposedConsent>,
    pub(super) host: Option<Shown>,
    pub(super) way: W,
}

/// Who asks, for the person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name in the verifier's certificate; where nobody signed the request, the host that the answer goes to.
    pub name: Shown,
    /// The full client identifier.
    pub client_id: Shown,
    /// Whether the certificate leads to a trust anchor. If not, the name is whatever its maker wrote.
    pub trust: Trust,
    /// Whether anybody signed the request. If not, nobody vouches for anything in it: known is where the answer goes, and no more.
    pub signed: bool,
    /// The host that the answer goes to; none when the verifier stands beside the holder.
    pub host: Option<Shown>,
    /// What the verifier proposes; none when it speaks of no consent.
    pub proposal: Option<Proposal>,
}

/// What a verifier proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What for.
    pub purposes: Vec<Purpose>,
    /// How long it would keep the data.
    pub retention: Seconds,
    /// The name of whoever would hold the data, in the verifier's words.
    pub controller: Shown,
    /// How to reach them, in the verifier's words.
    pub contact: Option<Shown>,
    /// To whom it would pass the data on.
    pub onward: Vec<Shown>,
}

impl<W> Ask<W> {
    pub(super) fn asker(&self) -> Asker {
        Asker {
            name: match (&self.verifier, &self.host) {
                (None, Some(host)) => host.clone(),
                _ => Shown::name(self.name()),
            },
            client_id: Shown::text(&self.client_id),
            trust: self.trust(),
            signed: self.verifier.is_some(),
            host: self.host.clone(),
            proposal: self.consent.as_ref().map(|proposed| {
                let request = proposed.request();
                Proposal {
                    purposes: proposed.purposes().collect(),
                    retention: proposed.retention(),
                    controller: Shown::name(&request.controller.name),
                    contact: request.controller.contact.as_deref().map(Shown::name),
                    onward: request.onward.iter().map(|party| Shown::name(party)).collect(),
                }
            }),
        }
    }

    /// What the verifier is called in the history.
    pub(super) fn name(&self) -> &str {
        let host = self.host.as_ref().map(Shown::as_str).unwrap_or_default();
        self.verifier.as_ref().map_or(host, VerifiedChain::subject)
    }

    pub(super) fn trust(&self) -> Trust {
        self.verifier.as_ref().map_or(Trust::NotKnown, VerifiedChain::trust)
    }

    pub(super) fn purposes(&self) -> Vec<Purpose> {
        self.consent.as_ref().map(|proposed| proposed.purposes().collect()).unwrap_or_default()
    }
}

impl Ask {
    pub(super) fn online(id: RequestId, request: AuthenticatedRequest) -> Self {
        Self {
            id,
            verifier: request.verifier().cloned(),
            client_id: request.client_id().as_str().to_owned(),
            query: request.query().clone(),
            consent: request.consent().cloned(),
            host: Some(Shown::host(request.response_uri())),
            way: Online(request),
        }
    }

    /// The answer to someone to whom nothing is shown, whatever the reason: the same bytes. Nothing at all where nobody signed the
    /// request: anyone could have this wallet call any address then.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.5 `access_denied` (no such credential, or no consent), §15.9, §15.4.1.
    pub(super) fn refuse(&self) -> Option<Replying> {
        let Online(request) = &self.way;
        self.verifier.as_ref()?;
        Some(Replying::new(request.response_uri().clone(), "access_denied", request.request().state.as_deref()))
    }

    /// A request to post `fields` to the verifier.
    pub(super) fn post<'f>(&self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Effect {
        let url = self.way.0.response_uri().clone();
        Effect::post(url).header("accept", "application/json").form(fields)
    }
}
