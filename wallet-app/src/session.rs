//! From pictures and a PIN to an open vault, and back to a locked one.

use crate::adapters::footage::Footage;
use crate::adapters::home::Home;
use crate::adapters::inputs;
use crate::adapters::pictures::{FaceReader, PadModel, Picture};
use crate::adapters::surroundings;
use crate::adapters::vault_file::Files;
use crate::cli::finger::FingerSource;
use crate::cli::progress::Step;
use crate::failure::Failure;
use crate::language;
use crate::messages;
use biometrics::finger::FingerTemplate;
use biometrics::pad::network::PadScore;
use biometrics::template::{Embedding, Probe};
use schemas::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wallet_core::device_key::{DeviceStore, SoftwareStore};
use wallet_core::holdings::Holdings;
use wallet_core::secret::Pin;
use wallet_core::unlock::{
    self, Attempt, Counted, Examined, Followed, Judged, MINIMUM_TIME, Moment, Opened, TemplateUpdate, Unavailable,
    Unlocked,
};
use wallet_core::vault::OpenVault;
use wallet_core::words::Words;

/// What a person gives to open a vault.
pub(crate) struct Keys<'a> {
    pub(crate) vault: &'a Path,
    pub(crate) shown: Shown<'a>,
    pub(crate) pin_file: Option<&'a Path>,
    pub(crate) device_key: Option<&'a Path>,
    pub(crate) pad_model: Option<&'a PadModel>,
    /// Whether the template may follow the face.
    pub(crate) follows: bool,
}

/// What is shown of the person.
pub(crate) enum Shown<'a> {
    /// Frames of a face.
    Faces(&'a [PathBuf]),
    /// Frames of a face that answers the challenge drawn last.
    Answer(&'a Footage),
    /// One picture of a finger.
    Finger(&'a Path, FingerSource),
}

/// What was seen in it.
enum Seen {
    Face(Probe),
    Answer(Vec<Moment>),
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
        let (seen, scores) = match keys.shown {
            Shown::Faces(faces) => {
                let (frames, scores) = examined_embeddings(faces, keys.pad_model)?;
                let probe = Probe::from_frames(&frames)
                    .map_err(|error| Failure::picture(&error.to_string(), messages::FRAMES_HINT))?;
                (Seen::Face(probe), scores)
            }
            Shown::Answer(footage) => {
                let (moments, scores) = moments(footage, keys.pad_model)?;
                (Seen::Answer(moments), scores)
            }
            Shown::Finger(picture, source) => (Seen::Finger(finger(picture, source)?), None),
        };
        let pin = keys.pin_file.map(inputs::pin).transpose()?;
        let files = Files::existing(keys.vault, device_key)?;
        let _step = Step::begin(messages::OPENING);
        let started = Instant::now();
        match attempt(&files, pin.as_ref(), seen, scores.as_deref())? {
            Ok((store, Opened { vault, unlocked, update })) => {
                let update = update.filter(|_| keys.follows);
                Ok((Self { files, store, vault }.follow(update)?, unlocked))
            }
            Err(Unavailable) => {
                std::thread::sleep(MINIMUM_TIME.saturating_sub(started.elapsed()));
                Err(Failure::unavailable())
            }
        }
    }

    /// Lets the template follow the face that opened the vault, if the caps allow it: once a week at most, and saved at once.
    fn follow(mut self, update: Option<TemplateUpdate>) -> Result<Self, Failure> {
        match update.map(|update| update.apply(&mut self.vault, &mut surroundings::randomness())) {
            None | Some(Ok(Followed::Noted)) => Ok(self),
            Some(Ok(Followed::Updated)) => self.save(),
            Some(Err(error)) => {
                // It stays as it was; a full vault can still be read.
                tracing::info!(%error, "the template was not updated");
                Ok(self)
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

/// The attempt itself. The outer error is the disk's or the challenge's, which say nothing about PIN, key or whose face it is:
/// they come before those are tried.
fn attempt(
    files: &Files,
    pin: Option<&Pin>,
    seen: Seen,
    scores: Option<&[PadScore]>,
) -> Result<Result<(SoftwareStore, Opened), Unavailable>, Failure> {
    let file = files.vault()?;
    // An absent device key and a file that is none are one more reason not to say.
    let Some(mut store) = store(files)? else { return Ok(Err(Unavailable)) };
    let counted = unlock::begin(&mut store, &file, surroundings::clock());
    let opened = match seen {
        Seen::Answer(moments) => {
            // The challenge is spent with it.
            let challenged = counted.map(|counted| counted.challenged(&mut store));
            files.write_device_key(&store.to_bytes())?;
            let Ok(challenged) = challenged else { return Ok(Err(Unavailable)) };
            let answering = challenged.map_err(|none| Failure::picture(&none.to_string(), messages::DRAW_HINT))?;
            match answering.persisted().judge(moments) {
                Judged::Present(witnessed) => match scores {
                    Some(scores) => bona_fide(witnessed.examined(scores))?.try_open(&mut store, pin),
                    None => witnessed.try_open(&mut store, pin),
                },
                Judged::Refused(sign) => return Err(Failure::picture(messages::refused_by(sign), sign.hint())),
            }
        }
        Seen::Face(probe) => {
            let Ok(attempt) = on_disk(files, &store, counted)? else { return Ok(Err(Unavailable)) };
            let attempt = match scores {
                Some(scores) => bona_fide(attempt.examined(scores))?,
                None => attempt,
            };
            attempt.try_open(&mut store, pin, Some(&probe))
        }
        Seen::Finger(finger) => {
            on_disk(files, &store, counted)?.and_then(|attempt| attempt.try_open_with_finger(&mut store, pin, &finger))
        }
    };
    let Ok(opened) = opened else { return Ok(Err(Unavailable)) };
    files.write_device_key(&store.to_bytes())?;
    Ok(Ok((store, opened)))
}

/// What the operator's network takes for a living face.
fn bona_fide<A>(examined: Examined<A>) -> Result<A, Failure> {
    match examined {
        Examined::BonaFide(attempt) => Ok(attempt),
        Examined::Attack => Err(Failure::picture(messages::LOOKS_LIKE_AN_ATTACK, messages::LOOKS_LIKE_AN_ATTACK_HINT)),
    }
}

/// The attempt, once it is written that it is made, whatever it will come to: a killed process has had its try.
fn on_disk(
    files: &Files,
    store: &SoftwareStore,
    counted: Result<Counted, Unavailable>,
) -> Result<Result<Attempt, Unavailable>, Failure> {
    files.write_device_key(&store.to_bytes())?;
    Ok(counted.map(Counted::persisted))
}

/// The device key's file, if it is one.
pub(crate) fn store(files: &Files) -> Result<Option<SoftwareStore>, Failure> {
    Ok(files.device_key()?.and_then(|bytes| SoftwareStore::parse(&bytes).ok()))
}

/// What is seen in the frames of an answer, and what the operator's network says of it. One picture at a time is in memory.
fn moments(footage: &Footage, network: Option<&PadModel>) -> Result<(Vec<Moment>, Option<Vec<PadScore>>), Failure> {
    // Told before the models are loaded.
    footage.pictures().take(1).try_for_each(|(_, picture)| picture.map(drop))?;
    let _step = Step::begin(messages::LOOKING);
    let mut reader = FaceReader::load(&Home::find()?, network)?;
    let seen = footage.pictures().map(|(at, picture)| reader.moment(at, &picture?));
    let seen = seen.collect::<Result<_, _>>()?;
    Ok((seen, reader.into_scores()))
}

/// The embeddings of the faces in these pictures; every picture is decoded before the models are loaded for the first.
///
/// # Errors
/// About the first picture that cannot be used, or about the models.
pub(crate) fn embeddings(paths: &[PathBuf]) -> Result<Vec<Embedding>, Failure> {
    examined_embeddings(paths, None).map(|(embeddings, _)| embeddings)
}

/// The same, and what the operator's network says of them.
fn examined_embeddings(
    paths: &[PathBuf],
    network: Option<&PadModel>,
) -> Result<(Vec<Embedding>, Option<Vec<PadScore>>), Failure> {
    let pictures: Vec<Picture> = paths.iter().map(|path| Picture::read(path)).collect::<Result<_, _>>()?;
    let _step = Step::begin(messages::LOOKING);
    let mut reader = FaceReader::load(&Home::find()?, network)?;
    let embeddings = pictures.iter().map(|picture| reader.embedding(picture)).collect::<Result<_, _>>()?;
    Ok((embeddings, reader.into_scores()))
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
