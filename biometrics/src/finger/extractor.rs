//! What finds the minutiae of a print, and what a template says of who did.

use zeroize::Zeroizing;

use super::capture::ExtractError;
use super::image::FingerImage;
use super::leader::Leader;
use super::template::Minutia;

/// Which extractor made a template. Two that differ see other minutiae in the same print: their templates are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extractor {
    /// NIST's MINDTCT on the enhanced image.
    Mindtct,
    /// The LEADER network on the plain image.
    Leader,
    /// Not known: read from a record of ISO/IEC 19794-2 or ANSI INCITS 378, which are made to be compared with others.
    Foreign,
}

impl Extractor {
    /// Its name for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mindtct => "mindtct",
            Self::Leader => "leader",
            Self::Foreign => "foreign",
        }
    }

    /// Whether templates of the two may be compared.
    pub(super) fn meets(self, other: Self) -> bool {
        self == other || self == Self::Foreign || other == Self::Foreign
    }

    pub(super) const fn to_byte(self) -> u8 {
        match self {
            Self::Foreign => 0,
            Self::Mindtct => 1,
            Self::Leader => 2,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Foreign),
            1 => Some(Self::Mindtct),
            2 => Some(Self::Leader),
            _ => None,
        }
    }
}

impl std::fmt::Display for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What finds the minutiae when a print is taken.
#[derive(Debug)]
pub enum MinutiaFinder {
    /// Needs no model.
    Mindtct,
    /// Needs the network, loaded.
    Leader(Box<Leader>),
}

impl MinutiaFinder {
    /// What templates taken by it say.
    #[must_use]
    pub const fn extractor(&self) -> Extractor {
        match self {
            Self::Mindtct => Extractor::Mindtct,
            Self::Leader(_) => Extractor::Leader,
        }
    }

    /// The minutiae that the network sees; nothing where there is no network.
    pub(super) fn by_network(&mut self, image: &FingerImage) -> Result<Option<Zeroizing<Vec<Minutia>>>, ExtractError> {
        match self {
            Self::Mindtct => Ok(None),
            Self::Leader(network) => network.minutiae(image).map(Some),
        }
    }
}
