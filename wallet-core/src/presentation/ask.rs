//! Who asks, and for what: what the later states of a presentation share.

use super::RequestId;
use super::sending::Replying;
use crate::display::Shown;
use crate::effect::Effect;
use credentials::request_object::AuthenticatedRequest;
use credentials::trust::Trust;
use schemas::Seconds;
use schemas::purpose::Purpose;

/// An authenticated request and how it came here.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) id: RequestId,
    pub(super) request: AuthenticatedRequest,
}

/// Who asks, for the person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name in the verifier's certificate.
    pub name: Shown,
    /// The full client identifier.
    pub client_id: Shown,
    /// Whether the certificate leads to a trust anchor. If not, the name is whatever its maker wrote.
    pub trust: Trust,
    /// The host that the answer goes to.
    pub host: Shown,
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

impl Ask {
    pub(super) fn asker(&self) -> Asker {
        let verifier = self.request.verifier();
        Asker {
            name: Shown::name(verifier.subject()),
            client_id: Shown::text(self.request.client_id().as_str()),
            trust: verifier.trust(),
            host: Shown::name(self.request.response_uri().host_str().unwrap_or_default()),
            proposal: self.request.consent().map(|proposed| {
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

    pub(super) fn purposes(&self) -> Vec<Purpose> {
        self.request.consent().map(|proposed| proposed.purposes().collect()).unwrap_or_default()
    }

    /// The answer to someone to whom nothing is shown, whatever the reason: the same bytes.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.5 `access_denied` (no such credential, or no consent), §15.9, §15.4.1.
    pub(super) fn refuse(&self) -> Replying {
        let state = self.request.request().state.as_deref();
        Replying::new(self.request.response_uri().clone(), "access_denied", state)
    }

    /// A request to post `fields` to the verifier.
    pub(super) fn post<'f>(&self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Effect {
        let url = self.request.response_uri().clone();
        Effect::post(url).header("accept", "application/json").form(fields)
    }
}
