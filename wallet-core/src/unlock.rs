//! Opening the vault: counted first, then tried; and before it is open every failure is the same one.
//!
//! ```text
//! begin(store, file, clock)   Err(Unavailable): write the store all the same
//!   └ Counted                 write the store, then and only then capture the face
//!       ├ Challenged          where the face must answer a challenge: see [`Answering`]
//!       └ Attempt             try_open(store, pin, probe), or try_open_with_finger(store, pin, finger)
//!           └ Opened          write the store again: the count is back to none
//! ```
//!
//! An opening with PIN and face may leave a [`TemplateUpdate`].
//!
//! # Source
//! `security.md` §1.5, §2.4 and §2.8.

mod attempt;
mod challenge;
pub(crate) mod drawn;
pub(crate) mod evaluation;
mod evidence;
mod examined;
mod finger;
pub(crate) mod rate_limit;
mod update;

pub use attempt::{Attempt, Counted, MINIMUM_TIME, Opened, Unavailable, begin};
pub(crate) use challenge::Witness;
pub use challenge::{Answering, Challenged, Judged, Moment, NoChallenge, Witnessed, draw_challenge};
pub use drawn::CHALLENGE_GOOD_FOR;
pub use evidence::{Factors, Unlocked};
pub use examined::Examined;
pub use rate_limit::{BootId, Clock};
pub use update::{Followed, TemplateUpdate, UpdateError};

#[cfg(test)]
mod tests;
