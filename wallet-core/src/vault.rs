//! The vault: one file of constant size that is uniform bytes to everyone without the keys.
//!
//! Bytes in, bytes out. Three compartments and eight slots are always there; what is unused is random. Each save
//! encrypts everything anew under a key that the last one does not share, so an older copy of the file stays shut.
//!
//! # Source
//! `security.md` §1.

pub(crate) mod committed;
pub(crate) mod compartment;
pub(crate) mod image;
pub(crate) mod kdf;
pub(crate) mod layout;
pub(crate) mod manifest;
mod open_vault;
pub(crate) mod outer;
pub(crate) mod params;
pub(crate) mod record;
mod save;
pub(crate) mod slot;
#[cfg(test)]
pub(crate) mod testing;

pub use committed::SealError;
pub use compartment::RecordError;
pub use layout::FILE_LEN;
pub use open_vault::OpenVault;
pub use params::Argon2Cost;
pub use record::{MAX_RECORD, RecordId, RecordIdError, RecordKind};
pub use save::{SaveError, SavePlan};
