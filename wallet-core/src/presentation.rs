//! Showing something to a verifier: from its link to the signed answer (OpenID4VP 1.0).
//!
//! [`RequestLink`] → [`Received`] → [`Authenticated`] → [`Offered`] → [`Consented`] → [`Answered`]. Each step takes the one
//! before and cannot be gone back on. The link names the request ([`RequestLink::id`]); `unlock` recognises the holder for
//! that name and gives the [`HolderVerified`] that [`Consented::answer`] spends. The network is met three times:
//! the request is fetched ([`Fetching`]; none of it when the link is the request, signed by nobody), the answer is sent ([`Sending`]), or a refusal ([`Replying`]). The issuer of what
//! is shown is never asked for anything.
//!
//! With no network at all it begins with a code that the holder shows, [`Engaged`], and ends with [`Handing`]; between them stand
//! the same states, [`InPerson`] instead of [`Online`].
//!
//! # Example
//! ```
//! use rand_core::CryptoRng;
//! use schemas::Timestamp;
//! use wallet_core::effect::{Effect, Errand, Outcome, Progress};
//! use wallet_core::holdings::Holdings;
//! use wallet_core::presentation::{Answered, Asker, Choice, OfferedCredential, RequestLink};
//! use wallet_core::unlock::Unlocked;
//!
//! # fn run<E: Errand>(errand: impl Into<Progress<E>>, perform: impl Fn(&Effect) -> Outcome, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<E::Ready, E::Error> {
//! #     let mut progress = errand.into();
//! #     loop {
//! #         match progress {
//! #             Progress::Waiting(errand) => {
//! #                 let outcome = perform(errand.effect());
//! #                 progress = errand.resume(outcome, now, rng)?;
//! #             }
//! #             Progress::Ready(ready) => return Ok(ready),
//! #         }
//! #     }
//! # }
//! fn present(
//!     link: &str,
//!     unlocked: Unlocked,
//!     holdings: &mut Holdings<'_>,
//!     perform: impl Fn(&Effect) -> Outcome,
//!     ask: impl Fn(&Asker, &[OfferedCredential]) -> Option<Choice>,
//!     save: impl FnOnce(),
//!     now: Timestamp,
//!     rng: &mut dyn CryptoRng,
//! ) -> Result<Option<Answered>, Box<dyn std::error::Error>> {
//!     let link = RequestLink::parse(link)?;
//!     let holder = unlocked.for_request(link.id());
//!     let received = run(link.fetch(rng), &perform, now, rng)?;
//!     let authenticated = received.authenticate(&holdings.trust_anchors(), now)?;
//!     let offered = authenticated.match_against(holdings, now)?;
//!     let Some(choice) = ask(&offered.asker(), &offered.credentials()) else {
//!         if let Some(reply) = offered.refuse() {
//!             run(reply, &perform, now, rng)?; // the person said no
//!         }
//!         return Ok(None);
//!     };
//!     let consented = offered.consent(&choice, now, rng)?;
//!     let answer = consented.answer(holder, holdings, now, rng)?;
//!     save(); // all that `OpenVault::save` planned: only then
//!     let sending = answer.saved();
//!     Ok(Some(run(sending, &perform, now, rng)?))
//! }
//! ```

mod answer_error;
mod ask;
mod authenticated;
mod choice;
mod consented;
mod evidence;
mod in_person;
mod item;
mod link;
mod offered;
mod received;
mod sending;
#[cfg(test)]
mod tests;
mod withdrawn;

pub use answer_error::AnswerError;
pub use ask::{Asker, InPerson, Online, Proposal, RegisteredAs};
pub use authenticated::{Absent, Authenticated, Rejected, RequestError};
pub use choice::{Choice, ChoiceError};
pub use consented::{Consented, Terms};
pub use evidence::HolderVerified;
pub use in_person::{Engaged, Handing, InPersonError, Unanswered};
pub use link::{LinkError, RequestId, RequestLink};
pub use offered::{Concern, Offered, OfferedCredential, OfferedPath, Part};
pub use received::{FetchError, Fetching, Received};
pub use sending::{Answered, Receipt, Replying, SendError, Sending};
pub use withdrawn::LookingUp;
