//! A presentation on paper: for a person without a phone, read by a verifier without a network.
//!
//! The holder's wallet makes a presentation for whoever reads the paper, signs a consent that ends, and writes both as codes
//! that a camera reads: [`write()`], [`frames`]. The reader collects the codes in any order ([`Assembly`]) and verifies what
//! they hold by the same checks as any other presentation ([`PaperIn::verify`]).
//!
//! **What paper cannot do.** Nobody answers a challenge: whoever holds the paper, or a photograph of it, can show it until its
//! consent ends. A reader must compare the person with the portrait in it; a paper without one tells only what an issuer said
//! of somebody.

mod container;
mod frames;
mod verify;

pub use container::{PaperError, PaperIn, write};
pub use frames::{Assembly, FRAME_BYTES, FrameError, MOST_FRAMES, frames};
pub use verify::{LONGEST, PAPER_AUDIENCE, PaperRefused, VerifiedPaper, proposal};
