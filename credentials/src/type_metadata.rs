//! Type metadata: what a type of SD-JWT VC is called, what its credentials must hold, and how they look.
//!
//! Documents are bytes that a caller has: bundled, kept, or fetched beforehand by its own guarded client. Nothing here asks
//! anybody for anything: what is missing is named, and the caller decides whether to look for it.
//!
//! [`resolve`] follows `extends`, checks integrity, and gives a [`ResolvedType`]: its rules are applied to a verified
//! credential with [`ResolvedType::check`], its words chosen by language, its pictures filled in with [`SvgTemplate`].
//!
//! Who wrote a document is not known: it may describe, and its rules may refuse, but neither makes an issuer trusted.

mod bundled;
mod claim;
mod display;
mod document;
mod integrity;
mod language;
mod read;
mod resolve;
mod resource;
mod rules;
mod svg;

pub use bundled::Bundled;
pub use claim::{ClaimLabel, ClaimMetadata, Disclosing};
pub use display::{
    Background, Color, ColorScheme, Contrast, Logo, Orientation, SimpleRendering, SvgReference, TypeDisplay,
};
pub use document::{DocumentError, TypeMetadata};
pub use integrity::{Integrity, IntegrityError};
pub use language::LanguageTag;
pub use resolve::{MOST_EXTENSIONS, ResolveError, ResolvedType, TypeDocuments, resolve};
pub use resource::{DataUri, Resource};
pub use rules::RuleError;
pub use svg::{FillError, SvgError, SvgTemplate};
