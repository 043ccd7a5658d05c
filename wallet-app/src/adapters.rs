//! Where the application touches the world: files, locks, pictures, clock, randomness.

mod disk;
mod lock;
mod replace;

pub(crate) mod browser;
pub mod cards;
pub mod codes;
pub mod film;
pub mod footage;
pub mod home;
pub mod inputs;
pub(crate) mod meeting;
pub mod new_file;
pub mod pictures;
pub mod recording;
pub(crate) mod redirect;
pub mod surroundings;
pub mod vault_file;

pub use lock::LockError;
pub use replace::StorageError;
