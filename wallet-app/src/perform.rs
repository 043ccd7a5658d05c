//! Carries out what the core asks of the network: the only place that does.

use crate::adapters::surroundings;
use guarded_http::{Client, FetchError, Policy, Request};
use std::io;
use std::time::Duration;
use tokio::runtime::Runtime;
use wallet_core::effect::{Effect, Errand, Loopback, Method, Outcome, Progress, Response};
use wallet_core::fault::{Blame, Fault};

/// Performs effects, one after the other.
pub struct Performer {
    runtime: Runtime,
    /// Public addresses only.
    public: Client,
    /// Loopback as a start too: for ceremonies whose link, the person's own, names it.
    loopback: Client,
    /// Why the last effect came back [`Outcome::Unreachable`].
    failure: Option<FetchError>,
}

impl Performer {
    /// A performer with its own small runtime.
    ///
    /// # Errors
    /// If the system gives no event queue.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let policy = |allow_loopback_http| Policy {
            allow_loopback_http,
            max_body: MOST_BODY,
            timeout: PATIENCE,
            ..Policy::default()
        };
        Ok(Self { runtime, public: Client::new(policy(false)), loopback: Client::new(policy(true)), failure: None })
    }

    /// Performs one effect.
    pub fn perform(&mut self, effect: &Effect) -> Outcome {
        self.failure = None;
        let client = match effect.loopback() {
            Loopback::Refused => &self.public,
            Loopback::NamedByThePerson => &self.loopback,
        };
        match self.runtime.block_on(exchange(client, effect)) {
            Ok(outcome) => outcome,
            // To the core a redirect is an answer like any other: it is never followed (OpenID4VP 1.0 §14.6).
            Err(FetchError::Redirected { status, .. }) => {
                Outcome::Response(Response { status, headers: Vec::new(), body: Vec::new() })
            }
            Err(error) => {
                tracing::info!(%error, "an exchange failed");
                self.failure = Some(error);
                Outcome::Unreachable
            }
        }
    }

    /// Runs an errand to its end.
    ///
    /// # Errors
    /// [`ErrandError`]
    pub fn run<E: Errand>(&mut self, errand: impl Into<Progress<E>>) -> Result<E::Ready, ErrandError<E::Error>> {
        let mut rng = surroundings::randomness();
        let mut progress = errand.into();
        loop {
            let errand = match progress {
                Progress::Waiting(errand) => errand,
                Progress::Ready(ready) => return Ok(ready),
            };
            let outcome = self.perform(errand.effect());
            progress = match errand.resume(outcome, surroundings::now(), &mut rng) {
                Ok(next) => next,
                // What the network said is more exact than "unreachable".
                Err(refusal) if refusal.fault() == Fault::Network => {
                    return Err(self.failure.take().map_or(ErrandError::Ended(refusal), ErrandError::Fetch));
                }
                Err(refusal) => return Err(ErrandError::Ended(refusal)),
            };
        }
    }
}

/// Why an errand came back without what it was sent for.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError<E: Blame> {
    /// The core ended it.
    #[error(transparent)]
    Ended(E),
    /// The network did not serve.
    #[error(transparent)]
    Fetch(FetchError),
}

async fn exchange(client: &Client, effect: &Effect) -> Result<Outcome, FetchError> {
    let mut request = match effect.method() {
        Method::Get => Request::get(effect.url().as_str()),
        Method::Post => Request::post(effect.url().as_str(), effect.body().to_vec()),
    };
    for (name, value) in effect.headers() {
        request = request.header(name, value)?;
    }
    let answer = client.send(request.at_most(effect.max_body())).await?;
    let headers = answer.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Outcome::Response(Response { status: answer.status(), headers, body: answer.into_body() }))
}

/// No answer to a wallet is longer, whatever the core asks for.
const MOST_BODY: usize = 8 * 1024 * 1024;
/// Thirty copies are signed in less.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
