//! The documents of our own types, which nobody is asked for.

use super::TypeDocuments;
use schemas::type_metadata;
use std::borrow::Cow;
use std::fmt;

/// The documents of our own types, and for other types what `others` have. What is ours is taken from nowhere else.
///
/// # Source
/// SD-JWT VC §8.3, §8.4: metadata that is fetched tells its publisher who looks at what.
#[derive(Clone, Copy)]
pub struct Bundled<'o> {
    others: Option<&'o dyn TypeDocuments>,
}

impl Bundled<'static> {
    /// Our own only.
    pub const fn only() -> Self {
        Self { others: None }
    }
}

impl<'o> Bundled<'o> {
    /// Our own, and what `others` have.
    pub const fn and(others: &'o dyn TypeDocuments) -> Self {
        Self { others: Some(others) }
    }
}

impl TypeDocuments for Bundled<'_> {
    fn document(&self, vct: &str) -> Option<Cow<'_, [u8]>> {
        match type_metadata::document(vct) {
            Some(document) => Some(Cow::Borrowed(document.as_bytes())),
            None => self.others.and_then(|others| others.document(vct)),
        }
    }
}

impl fmt::Debug for Bundled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundled").field("others", &self.others.is_some()).finish()
    }
}
