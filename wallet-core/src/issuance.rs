//! Receiving a credential: from an issuer's offer to copies in the vault (OpenID4VCI 1.0, pre-authorized code).
//!
//! [`follow`] an offer link → [`Offered`]: shown to the person → [`Offered::accept`] → [`Delivered`] →
//! [`Delivered::verify`] → [`Arrived`]: its [`Summary`] is shown to the person → [`Summary::confirmed`] →
//! [`Arrived::keep`]. Between these stand two [`Errand`](crate::effect::Errand)s, [`Fetching`] and [`Redeeming`], run as
//! the [`effect`](crate::effect) module shows. Nothing is kept before the last step, and nothing stands on disk before
//! the vault is saved.
//!
//! # Example
//! ```
//! use credentials::trust::Trust;
//! use rand_core::CryptoRng;
//! use schemas::Timestamp;
//! use wallet_core::effect::{Effect, Errand, Outcome, Progress};
//! use wallet_core::holdings::Holdings;
//! use wallet_core::issuance::{self, IssuanceError, Kept, Summary, TxCode};
//!
//! # fn run<E: Errand>(mut errand: E, perform: impl Fn(&Effect) -> Outcome, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<E::Ready, E::Error> {
//! #     loop {
//! #         let outcome = perform(errand.effect());
//! #         match errand.resume(outcome, now, rng)? {
//! #             Progress::Waiting(next) => errand = next,
//! #             Progress::Ready(ready) => return Ok(ready),
//! #         }
//! #     }
//! # }
//! fn receive(
//!     link: &str,
//!     tx_code: Option<&str>,
//!     holdings: &mut Holdings<'_>,
//!     perform: impl Fn(&Effect) -> Outcome,
//!     ask: impl Fn(&Summary) -> bool,
//!     save: impl FnOnce(),
//!     now: Timestamp,
//!     rng: &mut dyn CryptoRng,
//! ) -> Result<Option<Kept>, IssuanceError> {
//!     let offered = run(issuance::follow(link)?, &perform, now, rng)?;
//!     println!("{} offers {:?}", offered.issuer(), offered.types());
//!     let redeeming = offered.accept(tx_code.map(TxCode::new), None, now, rng)?;
//!     let arrived = run(redeeming, &perform, now, rng)?.verify(&holdings.trust_anchors(), now)?;
//!     let summary = arrived.summary(holdings);
//!     if summary.trust == Trust::NotKnown {
//!         println!("{} is not known", summary.issuer_name);
//!     }
//!     if !ask(&summary) {
//!         return Ok(None); // dropped: keys and copies are wiped
//!     }
//!     let kept = arrived.keep(summary.confirmed(), holdings, now, rng)?;
//!     save(); // all that `OpenVault::save` planned
//!     Ok(Some(kept.saved()))
//! }
//! ```

mod access;
mod answered;
mod arrived;
mod authorizing;
mod client;
mod deferred;
mod delivered;
mod encryption;
mod error;
mod metadata;
mod needs;
mod notice;
mod offer;
mod offered;
mod plan;
mod redeeming;
mod refill;
mod renewal;
mod sameness;
mod signed_metadata;
mod signers;
#[cfg(test)]
mod tests;
mod typing;

pub(crate) use access::{Secret, key_from_text};
pub use arrived::{Arrived, Confirmed, Kept, Summary, SummaryEntry};
pub(crate) use authorizing::CLIENT_ID;
pub use authorizing::{Authorization, Pushing};
pub use deferred::{Asked, Asking, Deferred, DeferredId};
pub use delivered::Delivered;
pub use error::{Answer, IssuanceError};
pub use notice::{Event, Notices, Notifying};
pub use offer::{Fetching, follow, follow_remembering, follow_trusting};
pub use offered::{Offered, TxCode, TxCodeWanted};
pub use redeeming::Redeeming;
pub use refill::{Prepared, Preparing, Refreshed, Refreshing};
pub use signers::Signers;
pub use typing::LookingUp;
