//! From pictures and a PIN to an open vault, and back to a locked one.

use crate::adapters::home::Home;
use crate::adapters::inputs;
use crate::adapters::pictures::{FaceReader, Picture};
use crate::adapters::surroundings;
use crate::adapters::vault_file::Files;
use crate::cli::finger::FingerSource;
use crate::cli::progress::Step;
use crate::failure::Failure;
use crate::language;
use crate::messages;
use biometrics::finger::FingerTemplate;
use biometrics::template::{Embedding, Probe};
use schemas::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wallet_core::device_key::{DeviceStore, SoftwareStore};
use wallet_core::holdings::Holdings;
use wallet_core::secret::Pin;
use wallet_core::unlock::{self, MINIMUM_TIME, Opened, Unavailable, Unlocked};
use wallet_core::vault::OpenVault;
use wallet_core::words::Words;

/// What a person gives to open a vault.
pub(crate) struct Keys<'a> {
    pub(crate) vault: &'a Path,
    pub(crate) shown: Shown<'a>,
    pub(crate) pin_file: Option<&'a Path>,
    pub(crate) device_key: Option<&'a Path>,
}

/// What is shown of the person.
pub(crate) enum Shown<'a> {
    /// Frames of a face.
    Faces(&'a [PathBuf]),
    /// One picture of a finger.
    Finger(&'a Path, FingerSource),
}

/// What was seen in it.
enum Seen {
    Face(Probe),
    Finger(FingerTemplate),
}

/// An open vault and its files, this process's alone. Dropping it locks.
pub(crate) struct Session {
    files: Files,
    store: SoftwareStore,
    vault: OpenVault,
}

impl Session {
    /// Judges the pictures, then takes the files, counts the attempt, makes it, and takes the count back.
    ///
    /// Gives the evidence beside: good for one request.
    ///
    /// # Errors
    /// About the pictures, the command line or the disk; in all else [`Failure::unavailable`], after the same time.
    pub(crate) fn open(keys: &Keys<'_>) -> Result<(Self, Unlocked), Failure> {
        let device_key = device_key(keys.device_key)?;
        let seen = match keys.shown {
            Shown::Faces(faces) => Probe::from_frames(&embeddings(faces)?)
                .map(Seen::Face)
                .map_err(|error| Failure::picture(&error.to_string(), messages::FRAMES_HINT))?,
            Shown::Finger(picture, source) => Seen::Finger(finger(picture, source)?),
        };
        let pin = keys.pin_file.map(inputs::pin).transpose()?;
        let files = Files::existing(keys.vault, device_key)?;
        let _step = Step::begin(messages::OPENING);
        let started = Instant::now();
        match attempt(&files, pin.as_ref(), &seen)? {
            Ok((store, Opened { vault, unlocked })) => Ok((Self { files, store, vault }, unlocked)),
            Err(Unavailable) => {
                std::thread::sleep(MINIMUM_TIME.saturating_sub(started.elapsed()));
                Err(Failure::unavailable())
            }
        }
    }

    /// What the vault holds.
    pub(crate) fn holdings(&mut self) -> Holdings<'_> {
        Holdings::of(&mut self.vault)
    }

    /// The time to judge by, if this machine's clock can be believed: a trust list that was taken has been issued already.
    ///
    /// # Errors
    /// [`Failure::clock`] when the clock stands before that.
    pub(crate) fn time(&mut self) -> Result<Timestamp, Failure> {
        self.holdings().time_floor().judge(surroundings::now()).map_err(Failure::clock)
    }

    /// What the types of all that it holds say, in the person's language.
    pub(crate) fn words(&mut self) -> Words {
        self.holdings().words(&language::preferred())
    }

    /// Puts what was changed on disk.
    ///
    /// # Errors
    /// Storage. What was last saved is still there then, and the vault is locked.
    pub(crate) fn save(self) -> Result<Self, Failure> {
        let _step = Step::begin(messages::SAVING);
        let Self { files, mut store, vault } = self;
        let vault = files.save(vault, &mut store, surroundings::now(), &mut surroundings::randomness())?;
        Ok(Self { files, store, vault })
    }
}

/// The attempt itself. The outer error is the disk's, which says nothing about face, PIN or key: it comes before they are tried.
fn attempt(
    files: &Files,
    pin: Option<&Pin>,
    seen: &Seen,
) -> Result<Result<(SoftwareStore, Opened), Unavailable>, Failure> {
    let file = files.vault()?;
    // An absent device key and a file that is none are one more reason not to say.
    let Some(mut store) = files.device_key()?.and_then(|bytes| SoftwareStore::parse(&bytes).ok()) else {
        return Ok(Err(Unavailable));
    };
    let counted = unlock::begin(&mut store, &file, surroundings::clock());
    // Written before the attempt is made, whatever it will come to: a killed process has had its try.
    files.write_device_key(&store.to_bytes())?;
    let Ok(counted) = counted else { return Ok(Err(Unavailable)) };
    let attempt = counted.persisted();
    let opened = match seen {
        Seen::Face(probe) => attempt.try_open(&mut store, pin, Some(probe)),
        Seen::Finger(finger) => attempt.try_open_with_finger(&mut store, pin, finger),
    };
    let Ok(opened) = opened else { return Ok(Err(Unavailable)) };
    files.write_device_key(&store.to_bytes())?;
    Ok(Ok((store, opened)))
}

/// The embeddings of the faces in these pictures; every picture is decoded before the models are loaded for the first.
///
/// # Errors
/// About the first picture that cannot be used, or about the models.
pub(crate) fn embeddings(paths: &[PathBuf]) -> Result<Vec<Embedding>, Failure> {
    let pictures: Vec<Picture> = paths.iter().map(|path| Picture::read(path)).collect::<Result<_, _>>()?;
    let _step = Step::begin(messages::LOOKING);
    let mut reader = FaceReader::load(&Home::find()?)?;
    Ok(pictures.iter().map(|picture| reader.embedding(picture)).collect::<Result<_, _>>()?)
}

/// The template of the finger in this picture.
///
/// # Errors
/// About the picture.
pub(crate) fn finger(path: &Path, source: FingerSource) -> Result<FingerTemplate, Failure> {
    let picture = Picture::read(path)?;
    let _step = Step::begin(messages::LOOKING);
    Ok(picture.finger(source)?)
}

/// Until the OS keyring and the TPM have their adapters, the device key is a file that must be named.
///
/// # Errors
/// Usage, with what to give.
pub(crate) fn device_key(path: Option<&Path>) -> Result<&Path, Failure> {
    path.ok_or_else(|| Failure::usage(messages::NO_DEVICE_KEY, messages::NO_DEVICE_KEY_HINT))
}
