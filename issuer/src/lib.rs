//! Amparo: the issuer, OpenID4VCI 1.0.
//!
//! Pure halves: [`claims`], [`configuration`], [`demands`], [`encryption`], [`grant`], [`issuing`], [`status`], [`metadata`], [`nonce`], [`redirect`], [`seal`]; and what is [published](published_types), [keys](published_keys) too. Ports: [`clock`],
//! [`keys`], [`store`]. The [`desk`] brings them together; the [`service`] is the desk over HTTP, and [`cli`] the command.

pub mod claims;
pub mod cli;
pub mod clock;
pub mod config;
pub mod configuration;
pub mod demands;
pub mod desk;
pub mod encryption;
pub mod grant;
pub mod init;
pub mod issuing;
pub mod keys;
pub mod metadata;
pub mod nonce;
pub mod problem;
pub mod published_keys;
pub mod published_types;
pub mod redirect;
pub mod seal;
pub mod secret;
pub mod service;
pub mod status;
pub mod store;
pub mod trust_list;

pub use desk::Issuer;
