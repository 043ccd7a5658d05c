//! 1:N search beside FAISS.

use super::{Bench, EvaluateError};
use crate::{bench, faiss};

/// Smaller than `cargo xtask bench --search`: two sizes, one turn each, growth up to a million.
pub(super) fn measured(place: &Bench) -> Result<String, EvaluateError> {
    Ok(faiss::beside(&place.home, &faiss::SHORT, || bench::biometrics(&place.home))?)
}
