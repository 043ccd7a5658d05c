//! 1:N search beside FAISS.

use super::{Bench, EvaluateError};
use crate::faiss;

/// Smaller than `cargo xtask bench --search`: two sizes, one turn each, growth up to a million.
pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    Ok(faiss::beside(&bench.home, &faiss::SHORT, || bench.command(&[]))?)
}
