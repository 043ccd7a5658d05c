//! Amparo: the holder's side of the wallet, without I/O.

pub mod display;
pub mod effect;
pub mod fault;
pub mod history;
pub mod holdings;
pub mod presentation;
