//! How pictures of a finger are to be read.

use crate::failure::Failure;
use crate::messages;
use biometrics::finger::{Handedness, PhotographView, Resolution, RidgeTone};
use clap::{Args, ValueEnum};

/// Where a picture of a finger comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FingerSource {
    /// A scanner.
    Scan(Resolution),
    /// A camera.
    Photograph(PhotographView),
}

/// How it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CaptureName {
    /// A scanner's image
    Scan,
    /// A photograph of the fingertip before a background of another colour
    Photograph,
}

/// What is said of the pictures beside their names.
#[derive(Debug, Args)]
pub(super) struct FingerPictures {
    /// How the finger's pictures were taken [default: scan]; opening needs the same kind as enrolling
    #[arg(long, value_enum, value_name = "KIND", requires = "finger")]
    capture: Option<CaptureName>,
    /// Resolution of scanned fingers [default: 500]
    #[arg(long, value_name = "N", requires = "finger")]
    dpi: Option<u32>,
    /// The photographs are stored mirrored, as cameras beside a screen do
    #[arg(long, requires = "finger")]
    mirrored: bool,
}

impl FingerPictures {
    /// # Errors
    /// Usage.
    pub(super) fn source(&self) -> Result<FingerSource, Failure> {
        let Self { capture, dpi, mirrored } = self;
        match (capture.unwrap_or(CaptureName::Scan), dpi, mirrored) {
            (CaptureName::Scan, _, true) | (CaptureName::Photograph, Some(_), _) => {
                Err(Failure::usage(messages::FINGER_OPTIONS, messages::FINGER_OPTIONS_HINT))
            }
            (CaptureName::Scan, dpi, false) => {
                let resolution = dpi.map_or(Ok(Resolution::STANDARD), Resolution::new);
                let failed = |error: biometrics::finger::ResolutionError| {
                    Failure::usage(messages::sentence(&error.to_string()), messages::FINGER_OPTIONS_HINT)
                };
                Ok(FingerSource::Scan(resolution.map_err(failed)?))
            }
            (CaptureName::Photograph, None, mirrored) => {
                let handedness = if *mirrored { Handedness::Mirrored } else { Handedness::AsSeen };
                Ok(FingerSource::Photograph(PhotographView { ridges: RidgeTone::Bright, handedness }))
            }
        }
    }
}
