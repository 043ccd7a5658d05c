//! What an unlock spends its time on, and what the vault costs.
use crate::contest::Job;
pub fn print(_job: &Job) {}
