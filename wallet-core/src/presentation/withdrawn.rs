//! Whether a registrar took back what it says of the verifier: its status lists are looked up before the person is asked.

use super::ask::{Ask, Online};
use super::authenticated::{Authenticated, Rejected};
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address};
use credentials::registration::Registration;
use credentials::status_list::{self, StatusError, VerifiedStatusList};
use credentials::trust::TrustAnchors;
use rand_core::CryptoRng;
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use std::collections::BTreeMap;

/// The status lists of the verifier's registrations are being fetched, each once.
#[derive(Debug)]
pub struct LookingUp {
    asks: Authenticated,
    registrars: TrustAnchors,
    /// Those still to be fetched; the first is being.
    left: Vec<(String, Effect)>,
    here: Effect,
    uri: String,
    lists: BTreeMap<String, VerifiedStatusList>,
}

impl Authenticated {
    /// Looks up whether what registrars say of the verifier still stands, where they say that it could be withdrawn. The host of
    /// the list learns that somebody is being asked by one of all those whom the list is of, and not by whom.
    ///
    /// # Source
    /// Token Status List §8.3; ETSI TS 119 475 `status`; `docs/decisions/0132`.
    ///
    /// # Errors
    /// [`Rejected`] when what is left is for other purposes than the request's.
    pub fn look_up_registrations(
        self,
        registrars: TrustAnchors,
        now: Timestamp,
    ) -> Result<Progress<LookingUp>, Rejected> {
        let Online(request) = &self.0.way;
        let loopback = Loopback::of(request.response_uri());
        let named = self.0.registrations.iter().flat_map(|all| all.iter()).filter_map(Registration::status);
        let mut left: Vec<(String, Effect)> = Vec::new();
        for reference in named {
            // What is not safe to open cannot be had; and then nobody says that it stands.
            let Ok(url) = address(&reference.uri, loopback) else { continue };
            if left.iter().all(|(uri, _)| *uri != reference.uri) {
                let effect = Effect::get(url).header("accept", "application/statuslist+jwt").at_most(MOST_BYTES);
                left.push((reference.uri.clone(), effect));
            }
        }
        match left.pop() {
            Some((uri, here)) => {
                Ok(Progress::Waiting(LookingUp { asks: self, registrars, left, here, uri, lists: BTreeMap::new() }))
            }
            None => self.after(&BTreeMap::new(), now).map(Progress::Ready),
        }
    }
}

impl Errand for LookingUp {
    type Ready = Authenticated;
    type Error = Rejected;

    fn effect(&self) -> &Effect {
        &self.here
    }

    fn resume(mut self, outcome: Outcome, now: Timestamp, _: &mut dyn CryptoRng) -> Result<Progress<Self>, Rejected> {
        let token = match outcome {
            Outcome::Response(response) if response.status == 200 => String::from_utf8(response.body).ok(),
            _ => None,
        };
        let verified = |token: &str, at| status_list::verify(token, &self.uri, &self.registrars, at, None);
        let list = token.and_then(|token| match verified(token.trim(), now) {
            // One that has ended is read as it stood: what it said against a registration still counts (decision 0061).
            Err(StatusError::StatusUnknown { ended }) if ended <= now => {
                verified(token.trim(), ended.minus(Seconds::new(1))).ok()
            }
            verified => verified.ok(),
        });
        self.lists.extend(list.map(|list| (self.uri.clone(), list)));
        if let Some((uri, here)) = self.left.pop() {
            return Ok(Progress::Waiting(Self { uri, here, ..self }));
        }
        self.asks.after(&self.lists, now).map(Progress::Ready)
    }
}

impl Authenticated {
    /// What is left of the registrations after these lists.
    fn after(self, lists: &BTreeMap<String, VerifiedStatusList>, now: Timestamp) -> Result<Self, Rejected> {
        let Self(Ask { registrations, .. }) = &self;
        let Some(registrations) = registrations.clone() else { return Ok(self) };
        let stands = |reference: &StatusReference| {
            let list = lists.get(&reference.uri)?;
            // What an ended list said against it still counts (decision 0061).
            list.status(reference, now)
                .ok()
                .or_else(|| list.list().get(reference.idx).ok().filter(|said| *said != Status::Valid))
        };
        let Online(request) = &self.0.way;
        match registrations.after(stands, request.consent()) {
            Ok(left) => Ok(Self(Ask { registrations: Some(left), ..self.0 })),
            Err(error) => Err(self.rejected(error)),
        }
    }
}

/// As long as any status list.
const MOST_BYTES: usize = 3 << 20;
