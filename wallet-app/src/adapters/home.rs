//! Where the models and the runtime are.

use super::disk::{Disk, RealDisk};
use biometrics::models::{DETECTOR, EMBEDDER};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The folder that `cargo xtask setup` fills: `AMPARO_HOME`, or `amparo` in the user's cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home of this process.
    ///
    /// # Errors
    /// [`HomeError::Unknown`] if `AMPARO_HOME` is not set and this user has no cache folder.
    pub fn find() -> Result<Self, HomeError> {
        match std::env::var_os("AMPARO_HOME") {
            Some(path) if !path.is_empty() => Ok(Self(path.into())),
            _ => {
                directories::BaseDirs::new().map(|dirs| Self(dirs.cache_dir().join("amparo"))).ok_or(HomeError::Unknown)
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The runtime library.
    ///
    /// # Errors
    /// [`HomeError::Missing`] if it is not there.
    pub fn runtime(&self) -> Result<PathBuf, HomeError> {
        let path = self.0.join("runtime").join("libonnxruntime.so");
        if path.is_file() { Ok(path) } else { Err(HomeError::Missing { path }) }
    }

    /// The detector's bytes, unchecked: the engine checks their hash.
    ///
    /// # Errors
    /// [`HomeError::Missing`] if the file is not there, [`HomeError::Read`] if it cannot be read.
    pub fn detector(&self) -> Result<Zeroizing<Vec<u8>>, HomeError> {
        self.model(DETECTOR.file_name)
    }

    /// The embedder's bytes, likewise.
    ///
    /// # Errors
    /// As [`Home::detector`].
    pub fn embedder(&self) -> Result<Zeroizing<Vec<u8>>, HomeError> {
        self.model(EMBEDDER.file_name)
    }

    fn model(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, HomeError> {
        let path = self.0.join("models").join(name);
        RealDisk.read(&path, MOST_MODEL).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => HomeError::Missing { path: path.clone() },
            _ => HomeError::Read { path: path.clone(), source },
        })
    }
}

/// Why the models are not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// No folder is known.
    #[error("there is no cache folder for this user")]
    Unknown,
    /// A file is not there.
    #[error("{} is not there", .path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Larger files are no model of ours.
const MOST_MODEL: u64 = 64 * 1024 * 1024;
