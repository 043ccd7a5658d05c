//! `amparo new`: enrol a face, or a finger, and create a vault.

use super::finger::FingerPictures;
use super::output::Answer;
use super::progress::Step;
use crate::adapters::vault_file::Files;
use crate::adapters::{inputs, surroundings};
use crate::failure::Failure;
use crate::messages;
use crate::session;
use biometrics::finger::FingerTemplate;
use biometrics::template::{MIN_CAPTURES, RECOMMENDED_CAPTURES, Reference};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use wallet_core::device_key::SoftwareStore;
use wallet_core::enrolment::{
    MIN_IMPRESSIONS, NewFingerVault, NewVault, RECOMMENDED_IMPRESSIONS, create, create_with_finger,
};
use wallet_core::secret::Pin;
use wallet_core::vault::Argon2Cost;

/// What `new` takes.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// Where the vault will be; nothing is ever overwritten
    #[arg(long, value_name = "FILE")]
    vault: PathBuf,
    /// A photograph of your face; repeat it: two or more, five are better
    #[arg(long, value_name = "IMG", required_unless_present = "finger")]
    face: Vec<PathBuf>,
    /// Instead of a face: a picture of your finger; repeat it, three are good. PIN and device key protect, the finger is only asked for
    #[arg(long, value_name = "IMG", conflicts_with = "face")]
    finger: Vec<PathBuf>,
    #[command(flatten)]
    finger_pictures: FingerPictures,
    /// A file with the PIN that the vault will ask for beside the face; without one the vault is a convenience only
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The file with this device's key; made if it is not there
    #[arg(long, value_name = "FILE")]
    device_key: Option<PathBuf>,
}

pub(super) fn run(arguments: &New) -> Result<Answer, Failure> {
    let device_key = session::device_key(arguments.device_key.as_deref())?;
    let with_finger = !arguments.finger.is_empty();
    let (pictures, least, recommended) = if with_finger {
        (&arguments.finger, MIN_IMPRESSIONS, RECOMMENDED_IMPRESSIONS)
    } else {
        (&arguments.face, MIN_CAPTURES, RECOMMENDED_CAPTURES)
    };
    if pictures.len() < least {
        let message = messages::too_few_captures(pictures.len(), least);
        return Err(Failure::usage(message, messages::MORE_CAPTURES_HINT));
    }
    if !all_different(pictures) {
        return Err(Failure::usage(messages::SAME_PICTURE, messages::MORE_CAPTURES_HINT));
    }
    let enrolled = if with_finger { Enrolled::finger(arguments)? } else { Enrolled::face(arguments)? };
    let files = Files::fresh(&arguments.vault, device_key)?;
    let mut rng = surroundings::randomness();
    let mut store = match files.device_key()? {
        // A device key serves several vaults. A file that is none is never overwritten.
        Some(bytes) => SoftwareStore::parse(&bytes)
            .map_err(|error| Failure::usage(messages::sentence(&error.to_string()), messages::NOT_A_DEVICE_KEY_HINT))?,
        None => SoftwareStore::generate(&mut rng)
            .map_err(|error| Failure::internal(messages::sentence(&error.to_string())))?,
    };
    let step = Step::begin(messages::MAKING);
    let (clock, cost) = (surroundings::clock(), Argon2Cost::DEFAULT);
    let (created, pin) = match &enrolled {
        Enrolled::Face(reference, pin) => {
            (create(&NewVault { reference, pin: pin.as_ref(), cost }, &mut store, clock, &mut rng), pin.as_ref())
        }
        Enrolled::Finger(impressions, pin) => {
            (create_with_finger(&NewFingerVault { impressions, pin, cost }, &mut store, clock, &mut rng), Some(pin))
        }
    };
    let created = created.map_err(Failure::create)?;
    files.create(&created.store, &created.file)?;
    drop(step);

    let mut warnings = Vec::new();
    if pictures.len() < recommended {
        warnings.push(messages::few_captures(pictures.len(), recommended));
    }
    if pin.is_some_and(|pin| pin.characters() < SHORT_PIN_CHARACTERS) {
        warnings.push(messages::SHORT_PIN.to_owned());
    }
    if created.factors.finger() {
        warnings.push(messages::FINGER_ONLY_ASKED.to_owned());
    }
    if created.factors.convenience_only() {
        warnings.push(messages::CONVENIENCE_ONLY.to_owned());
    }
    let text = messages::vault_made(&arguments.vault, device_key, created.factors, &warnings);
    Ok(Answer {
        json: json!({
            "created": true,
            "vault": arguments.vault.display().to_string(),
            "device_key": device_key.display().to_string(),
            "captures": pictures.len(),
            "finger": created.factors.finger(),
            "pin": created.factors.pin(),
            "convenience_only": created.factors.convenience_only(),
            "warnings": warnings,
        }),
        text,
    })
}

/// What was taken of the person, before anything is made of it.
enum Enrolled {
    Face(Reference, Option<Pin>),
    Finger(Vec<FingerTemplate>, Pin),
}

impl Enrolled {
    fn face(arguments: &New) -> Result<Self, Failure> {
        let captures = session::embeddings(&arguments.face)?;
        let reference =
            Reference::enrol(&captures).map_err(|error| Failure::picture(&error.to_string(), error.hint()))?;
        Ok(Self::Face(reference, arguments.pin_file.as_deref().map(inputs::pin).transpose()?))
    }

    fn finger(arguments: &New) -> Result<Self, Failure> {
        let Some(pin) = &arguments.pin_file else {
            return Err(Failure::usage(messages::FINGER_NEEDS_PIN, messages::FINGER_NEEDS_PIN_HINT));
        };
        let source = arguments.finger_pictures.source()?;
        let taken = arguments.finger.iter().map(|picture| session::finger(picture, source));
        Ok(Self::Finger(taken.collect::<Result<_, _>>()?, inputs::pin(pin)?))
    }
}

/// Shorter PINs are warned of (`security.md` §2.1: six digits cost an attacker with everything else less than a dollar).
const SHORT_PIN_CHARACTERS: usize = 8;

pub(super) const EXAMPLE: &str = "Example:
  amparo new --vault me.amparo --face 1.jpg --face 2.jpg --face 3.jpg --face 4.jpg --face 5.jpg --pin-file pin.txt --device-key device.key
  amparo new --vault me.amparo --finger 1.jpg --finger 2.jpg --finger 3.jpg --capture photograph --pin-file pin.txt --device-key device.key";

/// Longer files are no pictures that the wallet takes.
const MOST_PICTURE: u64 = 16 * 1024 * 1024;

/// Whether no picture is there twice: the same file again says nothing new of a face. What cannot be read is told of later.
fn all_different(pictures: &[PathBuf]) -> bool {
    let mut seen = BTreeSet::new();
    let small = |path: &&PathBuf| path.metadata().is_ok_and(|about| about.is_file() && about.len() <= MOST_PICTURE);
    pictures.iter().filter(small).filter_map(|path| std::fs::read(path).ok()).all(|bytes| seen.insert(bytes))
}
