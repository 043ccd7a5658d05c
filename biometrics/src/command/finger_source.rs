//! Where a print comes from: a scanner's image, or a photograph of the fingertip.

use biometrics::Sample;
use biometrics::finger::{
    ExtractError, FingerImage, FingerPhotograph, Handedness, PhotographQuality, PhotographView, Resolution, RidgeTone,
};
use clap::{Args, ValueEnum};

use super::Failure;

/// How a picture of a finger came about.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CaptureName {
    /// A scanner's image: ridges dark, at --dpi.
    Scan,
    /// A photograph of the fingertip by an ordinary camera: no resolution, its ridges are measured.
    Photograph,
    /// A scanner's image brought to the same distance from ridge to ridge as photographs: to be compared with them.
    EvenScan,
}

/// How the ridges of a photograph look.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RidgeToneName {
    Bright,
    Dark,
}

#[derive(Args)]
pub(super) struct CaptureArguments {
    /// Resolution of scanners' finger images [default: 500].
    #[arg(long, value_name = "N")]
    dpi: Option<u32>,
    /// How the pictures of fingers were taken [default: scan].
    #[arg(long, value_enum, value_name = "KIND")]
    capture: Option<CaptureName>,
    /// Photographs of fingers: how their ridges look beside the valleys [default: bright].
    #[arg(long, value_enum, value_name = "TONE")]
    ridges: Option<RidgeToneName>,
    /// Photographs of fingers: stored mirrored, as cameras beside a screen do.
    #[arg(long)]
    mirrored: bool,
}

impl CaptureArguments {
    /// The first option that is for fingers only, if one is given.
    pub(super) fn named(&self) -> Option<&'static str> {
        let Self { dpi, capture, ridges, mirrored } = self;
        let given = [
            (dpi.is_some(), "--dpi"),
            (capture.is_some(), "--capture"),
            (ridges.is_some(), "--ridges"),
            (*mirrored, "--mirrored"),
        ];
        given.into_iter().find_map(|(given, name)| given.then_some(name))
    }

    /// Where prints come from.
    pub(super) fn source(&self) -> Result<FingerSource, Failure> {
        self.source_of(self.capture.unwrap_or(CaptureName::Scan))
    }

    /// Where the references come from, if they were taken in another way than the probes.
    pub(super) fn reference_source(&self, capture: Option<CaptureName>) -> Result<FingerSource, Failure> {
        capture.map_or_else(|| self.source(), |capture| self.source_of(capture))
    }

    fn source_of(&self, capture: CaptureName) -> Result<FingerSource, Failure> {
        let Self { dpi, capture: _, ridges, mirrored } = self;
        let photographs = self.capture == Some(CaptureName::Photograph) || capture == CaptureName::Photograph;
        if !photographs && (ridges.is_some() || *mirrored) {
            return Err(Failure::usage(
                "--ridges and --mirrored are for photographs of fingers",
                "add --capture photograph, or leave them out",
            ));
        }
        let resolution = dpi.map_or(Ok(Resolution::STANDARD), Resolution::new);
        let resolution = resolution
            .map_err(|error| Failure::usage(error.to_string(), "give the scanner's resolution: most have 500"))?;
        Ok(match capture {
            CaptureName::Scan => FingerSource::Scan(resolution),
            CaptureName::EvenScan => FingerSource::EvenScan(resolution),
            CaptureName::Photograph => FingerSource::Photograph(PhotographView {
                ridges: if *ridges == Some(RidgeToneName::Dark) { RidgeTone::Dark } else { RidgeTone::Bright },
                handedness: if *mirrored { Handedness::Mirrored } else { Handedness::AsSeen },
            }),
        })
    }
}

/// Where prints come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FingerSource {
    Scan(Resolution),
    EvenScan(Resolution),
    Photograph(PhotographView),
}

impl FingerSource {
    /// The print as a grey image at 500 dpi; and what there is to say of the photograph, if it is one.
    pub(super) fn image(self, sample: &Sample) -> Result<(FingerImage, Option<PhotographQuality>), ExtractError> {
        match self {
            Self::Scan(resolution) => Ok((FingerImage::from_scan(sample, resolution)?, None)),
            Self::EvenScan(resolution) => Ok((FingerImage::from_scan(sample, resolution)?.evened()?, None)),
            Self::Photograph(view) => {
                let (image, quality) = FingerPhotograph::develop(sample, view)?.into_parts();
                Ok((image, Some(quality)))
            }
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Scan(_) => "scan",
            Self::EvenScan(_) => "even-scan",
            Self::Photograph(_) => "photograph",
        }
    }
}
