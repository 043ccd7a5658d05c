//! `amparo new`: enrol a face and create a vault.

use super::output::Answer;
use super::progress::Step;
use crate::adapters::vault_file::Files;
use crate::adapters::{inputs, surroundings};
use crate::failure::Failure;
use crate::messages;
use crate::session;
use biometrics::template::{MIN_CAPTURES, RECOMMENDED_CAPTURES, Reference};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use wallet_core::device_key::SoftwareStore;
use wallet_core::enrolment::{NewVault, create};
use wallet_core::vault::Argon2Cost;

/// What `new` takes.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// Where the vault will be; nothing is ever overwritten
    #[arg(long, value_name = "FILE")]
    vault: PathBuf,
    /// A photograph of your face; repeat it: two or more, five are better
    #[arg(long, value_name = "IMG", required = true)]
    face: Vec<PathBuf>,
    /// A file with the PIN that the vault will ask for beside the face; without one the vault is a convenience only
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The file with this device's key; made if it is not there
    #[arg(long, value_name = "FILE")]
    device_key: Option<PathBuf>,
}

pub(super) fn run(arguments: &New) -> Result<Answer, Failure> {
    let device_key = session::device_key(arguments.device_key.as_deref())?;
    if arguments.face.len() < MIN_CAPTURES {
        let message = messages::too_few_captures(arguments.face.len(), MIN_CAPTURES);
        return Err(Failure::usage(message, messages::MORE_CAPTURES_HINT));
    }
    if !all_different(&arguments.face) {
        return Err(Failure::usage(messages::SAME_PICTURE, messages::MORE_CAPTURES_HINT));
    }
    let captures = session::embeddings(&arguments.face)?;
    let reference = Reference::enrol(&captures).map_err(|error| Failure::picture(&error.to_string(), error.hint()))?;
    let pin = arguments.pin_file.as_deref().map(inputs::pin).transpose()?;
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
    let new = NewVault { reference: &reference, pin: pin.as_ref(), cost: Argon2Cost::DEFAULT };
    let created = create(&new, &mut store, surroundings::clock(), &mut rng).map_err(Failure::create)?;
    files.create(&created.store, &created.file)?;
    drop(step);

    let mut warnings = Vec::new();
    if arguments.face.len() < RECOMMENDED_CAPTURES {
        warnings.push(messages::few_captures(arguments.face.len()));
    }
    if pin.as_ref().is_some_and(|pin| pin.characters() < SHORT_PIN_CHARACTERS) {
        warnings.push(messages::SHORT_PIN.to_owned());
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
            "captures": arguments.face.len(),
            "pin": created.factors.pin(),
            "convenience_only": created.factors.convenience_only(),
            "warnings": warnings,
        }),
        text,
    })
}

/// Shorter PINs are warned of (`security.md` §2.1: six digits cost an attacker with everything else less than a dollar).
const SHORT_PIN_CHARACTERS: usize = 8;

pub(super) const EXAMPLE: &str = "Example:
  amparo new --vault me.amparo --face 1.jpg --face 2.jpg --face 3.jpg --face 4.jpg --face 5.jpg --pin-file pin.txt --device-key device.key";

/// Longer files are no pictures that the wallet takes.
const MOST_PICTURE: u64 = 16 * 1024 * 1024;

/// Whether no picture is there twice: the same file again says nothing new of a face. What cannot be read is told of later.
fn all_different(pictures: &[PathBuf]) -> bool {
    let mut seen = BTreeSet::new();
    let small = |path: &&PathBuf| path.metadata().is_ok_and(|about| about.is_file() && about.len() <= MOST_PICTURE);
    pictures.iter().filter(small).filter_map(|path| std::fs::read(path).ok()).all(|bytes| seen.insert(bytes))
}
