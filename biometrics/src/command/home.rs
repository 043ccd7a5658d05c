//! Where the models are, and pictures from files.

use std::path::{Path, PathBuf};

use biometrics::finger::Leader;
use biometrics::models::{DETECTOR, EMBEDDER, LEADER, RUNTIME_LINUX_X86_64};
use biometrics::{Engine, Sample};

use super::Failure;

/// Loads the engine from the models' home.
pub(super) fn load_engine(home: Option<PathBuf>) -> Result<Engine, Failure> {
    let runtime = runtime(home.clone())?;
    let home = named(home)?;
    let read = |path: PathBuf| {
        std::fs::read(&path).map_err(|error| Failure {
            exit: 7,
            code: "models",
            message: format!("{}: {error}", path.display()),
            hint: "fetch the models with cargo xtask setup, or say where they are with --home".to_owned(),
        })
    };
    let detector = read(home.join("models").join(DETECTOR.file_name))?;
    let embedder = read(home.join("models").join(EMBEDDER.file_name))?;
    Engine::load(&runtime, &detector, &embedder).map_err(|error| Failure::engine(&error))
}

/// Loads the network that finds minutiae.
pub(super) fn load_leader(home: Option<PathBuf>) -> Result<Leader, Failure> {
    let runtime = runtime(home.clone())?;
    let path = named(home)?.join("models").join(LEADER.file_name);
    let model = std::fs::read(&path).map_err(|error| Failure {
        exit: 7,
        code: "models",
        message: format!("{}: {error}", path.display()),
        hint: "fetch it with cargo xtask setup, or leave --extractor out: mindtct needs no model".to_owned(),
    })?;
    Leader::load(&runtime, &model).map_err(|error| Failure::engine(&error))
}

/// Where the runtime's library is.
pub(super) fn runtime(home: Option<PathBuf>) -> Result<PathBuf, Failure> {
    Ok(named(home)?.join("runtime").join(RUNTIME_LINUX_X86_64.file_name))
}

fn named(home: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match home.or_else(|| std::env::var_os("AMPARO_HOME").map(PathBuf::from)) {
        Some(home) => Ok(home),
        None => directories::BaseDirs::new()
            .map(|dirs| dirs.cache_dir().join("amparo"))
            .ok_or_else(|| Failure::usage("there is no cache folder to look for the models in", "give --home DIR")),
    }
}

/// Reads a file that the caller named, within the limit for pictures.
pub(super) fn read_named(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::IsADirectory => {
                Failure::usage(message, "give the path of a picture")
            }
            _ => Failure::storage(message, "check that you may read the file"),
        }
    };
    let size = std::fs::metadata(path).map_err(fail)?.len();
    if size > Sample::MAX_BYTES as u64 {
        // Decoding refuses it by its length alone: do not read it first.
        return Ok(vec![0; Sample::MAX_BYTES + 1]);
    }
    std::fs::read(path).map_err(fail)
}

/// Reads and decodes a picture.
pub(super) fn read_sample(path: &Path) -> Result<Sample, Failure> {
    let bytes = zeroize::Zeroizing::new(read_named(path)?);
    Sample::decode(&bytes).map_err(|error| Failure::decode(&path.display().to_string(), error))
}
