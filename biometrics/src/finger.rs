//! Fingers: from a scanner's image to a template, to a comparison score.
//!
//! An image is enhanced along its ridges and MINDTCT finds the minutiae, or a network finds them in the plain image;
//! cylinder codes and an alignment compare them (`docs/decisions/0040-finger-matcher.md`, `0110-leader.md`). A finger opens nothing by itself: match-then-release is as strong as the
//! process that does it, and is to be called by its own, lower name.

mod alignment;
mod by_angle;
mod capture;
mod cylinder;
mod enhance;
mod extractor;
mod field;
mod gallery;
mod grid;
mod hull;
mod image;
mod invented;
mod kernel;
mod leader;
mod matcher;
mod photograph;
mod quality;
mod record;
mod relax;
mod relief;
mod ridges;
mod template;

pub use capture::{ExtractError, FingerCapture};
pub use extractor::{Extractor, MinutiaFinder};
pub use gallery::{FingerCandidate, FingerGallery, FingerGalleryError};
pub use image::{FingerImage, Resolution, ResolutionError};
pub use leader::Leader;
pub use matcher::{
    FingerCompareError, FingerEnrolError, FingerProbe, FingerReference, MAX_IMPRESSIONS, compare, fused,
};
pub use photograph::{
    FingerPhotograph, Handedness, PhotographComponent, PhotographError, PhotographQuality, PhotographQualityFault,
    PhotographView, RidgeTone,
};
pub use quality::{FingerQuality, FingerQualityFault};
pub use record::{RecordError, RecordFormat, read_records, write_record};
pub(crate) use relief::Relief;
pub use template::{FingerTemplate, FingerTemplateError, MOST_MINUTIAE, Minutia, MinutiaKind};

#[cfg(test)]
mod tests;
