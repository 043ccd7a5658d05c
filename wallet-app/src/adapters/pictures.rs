//! Pictures of a face or a finger: from files to embeddings and templates. No vault is touched here.

use super::disk::{Disk, RealDisk};
use super::home::{Home, HomeError};
use crate::cli::finger::FingerSource;
use biometrics::engine::{Capture, CaptureError, Engine, EngineError};
use biometrics::finger::{ExtractError, FingerCapture, FingerImage, FingerPhotograph, FingerTemplate, MinutiaFinder};
use biometrics::pad::challenge::Frame;
use biometrics::pad::network::{ModelHash, PadNetwork, PadNetworkError, PadScore};
use biometrics::sample::{DecodeError, Sample};
use biometrics::template::Embedding;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wallet_core::unlock::Moment;

/// A picture that was read and decoded, and not yet looked at.
pub struct Picture {
    path: PathBuf,
    sample: Sample,
}

impl Picture {
    /// Reads and decodes a file.
    ///
    /// # Errors
    /// [`PictureError`]
    pub fn read(path: &Path) -> Result<Self, PictureError> {
        let failed = |reason| PictureError { path: path.to_path_buf(), reason };
        let bytes = RealDisk.read(path, MOST_PICTURE).map_err(|source| failed(PictureReason::Read(source)))?;
        let sample = Sample::decode(&bytes).map_err(|source| failed(PictureReason::Decode(source)))?;
        Ok(Self { path: path.to_path_buf(), sample })
    }

    /// Decodes what a camera sent as its picture of this number.
    ///
    /// # Errors
    /// [`PictureError`]
    pub fn sent(bytes: &[u8], number: usize) -> Result<Self, PictureError> {
        let path = PathBuf::from(format!("picture {number} of the camera"));
        match Sample::decode(bytes) {
            Ok(sample) => Ok(Self { path, sample }),
            Err(source) => Err(PictureError { path, reason: PictureReason::Decode(source) }),
        }
    }

    /// The template of the one finger in it.
    ///
    /// # Errors
    /// [`PictureError`] if there is no finger, more than one, or one whose ridges do not show well enough.
    pub(crate) fn finger(&self, source: FingerSource) -> Result<FingerTemplate, PictureError> {
        let taken = || {
            let image = match source {
                FingerSource::Scan(resolution) => FingerImage::from_scan(&self.sample, resolution)?,
                FingerSource::Photograph(view) => {
                    let photograph = FingerPhotograph::develop(&self.sample, view)?;
                    photograph.check()?;
                    photograph.into_parts().0
                }
            };
            Ok(FingerCapture::take(&image, &mut MinutiaFinder::Mindtct)?.into_template())
        };
        let failed = |source| PictureError { path: self.path.clone(), reason: PictureReason::Finger(source) };
        taken().map_err(failed)
    }
}

/// The part of the application that recognises faces: models and runtime, loaded.
pub struct FaceReader {
    engine: Engine,
    /// The operator's, and what it said so far.
    network: Option<PadNetwork>,
    scores: Vec<PadScore>,
}

/// A network of the operator's that tells living faces from pictures of faces.
#[derive(Debug, Clone)]
pub struct PadModel {
    /// Its file.
    pub file: PathBuf,
    /// The SHA-256 of it: another file is refused.
    pub sha256: ModelHash,
}

impl FaceReader {
    /// Loads the models from the home, and the operator's network where there is one.
    ///
    /// # Errors
    /// [`FaceReaderError`]
    pub fn load(home: &Home, network: Option<&PadModel>) -> Result<Self, FaceReaderError> {
        let runtime = home.runtime()?;
        let engine = Engine::load(&runtime, &home.detector()?, &home.embedder()?)?;
        let network = network.map(|PadModel { file, sha256 }| {
            let failed = |reason| FaceReaderError::Network { file: file.clone(), reason };
            let bytes = RealDisk.read(file, MOST_NETWORK).map_err(|_| failed(None))?;
            PadNetwork::load(&runtime, &bytes, sha256).map_err(|error| failed(Some(error)))
        });
        Ok(Self { engine, network: network.transpose()?, scores: Vec::new() })
    }

    /// The embedding of the one face in a picture.
    ///
    /// # Errors
    /// [`PictureError`] if there is no face, more than one, or one that is too small, too dark, turned away…
    pub fn embedding(&mut self, picture: &Picture) -> Result<Embedding, PictureError> {
        let failed = |reason| PictureError { path: picture.path.clone(), reason };
        let capture = self.engine.capture(&picture.sample).map_err(|source| failed(PictureReason::Capture(source)))?;
        self.examine(picture, &capture)?;
        Ok(capture.into_embedding())
    }

    /// What is seen in a frame of an answer to a challenge, taken `at` this time since the recording began.
    ///
    /// # Errors
    /// [`PictureError`] if the runtime fails. A frame without a face, or with several, is seen as that.
    pub fn moment(&mut self, at: Duration, picture: &Picture) -> Result<Moment, PictureError> {
        match self.engine.capture_in_motion(&picture.sample) {
            Ok(capture) => {
                self.examine(picture, &capture)?;
                Ok(Moment::Face(Box::new(Frame::new(at, &picture.sample, capture))))
            }
            Err(source @ CaptureError::Runtime { .. }) => {
                Err(PictureError { path: picture.path.clone(), reason: PictureReason::Capture(source) })
            }
            Err(_) => Ok(Moment::Nothing(at)),
        }
    }

    /// What the operator's network says of the faces seen so far, one score each; nothing where there is no network.
    #[must_use]
    pub fn into_scores(self) -> Option<Vec<PadScore>> {
        self.network.is_some().then_some(self.scores)
    }

    fn examine(&mut self, picture: &Picture, capture: &Capture) -> Result<(), PictureError> {
        let Some(network) = &mut self.network else { return Ok(()) };
        let failed = |source| PictureError { path: picture.path.clone(), reason: PictureReason::Network(source) };
        self.scores.push(network.examine(&picture.sample, capture.place()).map_err(failed)?);
        Ok(())
    }
}

/// Why faces cannot be recognised on this machine now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaceReaderError {
    /// The files are not there.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The files are there, but are not those that this program was built for, or do not load.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The operator's network.
    #[error("{}: {}", .file.display(), .reason.as_ref().map_or_else(|| "the network cannot be read".to_owned(), ToString::to_string))]
    Network {
        /// Which file.
        file: PathBuf,
        /// Why; nothing if it cannot be read.
        reason: Option<PadNetworkError>,
    },
}

/// A picture that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct PictureError {
    path: PathBuf,
    reason: PictureReason,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureReason {
    /// The file cannot be read.
    #[error("the picture cannot be read")]
    Read(#[source] io::Error),
    /// The file is no picture, or one beyond the limits.
    #[error("{0}")]
    Decode(#[source] DecodeError),
    /// The picture does not show one usable face.
    #[error("{0}")]
    Capture(#[source] CaptureError),
    /// The operator's network says nothing of it.
    #[error("{0}")]
    Network(#[source] PadNetworkError),
    /// The picture does not show one usable finger.
    #[error("{0}")]
    Finger(#[source] ExtractError),
}

impl PictureError {
    /// What to do about it, one sentence about the picture.
    #[must_use]
    pub fn hint(&self) -> String {
        match &self.reason {
            PictureReason::Read(source) => match source.kind() {
                io::ErrorKind::IsADirectory => "Name a picture; this is a folder.".to_owned(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    "Check the name; there is no such picture.".to_owned()
                }
                io::ErrorKind::FileTooLarge => "Take a smaller picture; at most 16 MB are read.".to_owned(),
                _ => "Check that you may read that file.".to_owned(),
            },
            PictureReason::Decode(error) => error.hint().to_owned(),
            PictureReason::Capture(error) => error.hint().to_owned(),
            PictureReason::Network(_) => "Take the picture again, with the face whole in it.".to_owned(),
            PictureReason::Finger(error) => error.hint().to_owned(),
        }
    }
}

/// Larger files are not read: `security.md` and attack 93 say 16 MB.
const MOST_PICTURE: u64 = 16 * 1024 * 1024;
/// Larger files are no network of this kind.
const MOST_NETWORK: u64 = 64 * 1024 * 1024;
