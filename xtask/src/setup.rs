//! What is not on the Cargo registry: fetched once by the machine's own clients, pinned, kept in `AMPARO_HOME`.

mod assets;
mod fetch;

pub(crate) use assets::Asset;
use std::path::{Path, PathBuf};

/// What could not be set up, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("no cache folder is known for this user; set AMPARO_HOME to a folder you can write to")]
    NoHome,
    #[error("{path}: {source}; is there room, and may you write there? AMPARO_HOME chooses another folder")]
    Storage { path: PathBuf, source: std::io::Error },
    #[error(
        "python3 with pip is needed once, to fetch {what}: {reason}\nOn Debian: apt-get install python3-pip; elsewhere see the README"
    )]
    NoPip { what: &'static str, reason: String },
    #[error(
        "{requirement} could not be fetched: is there a network? What is already fetched is kept; run the same command again"
    )]
    Fetch { requirement: &'static str },
    #[error(
        "{what} is not what it should be and was refused\n  expected sha256 {expected}\n  got      sha256 {got}\nNothing was changed. Delete the file if it is yours and run the same command again"
    )]
    WrongHash { what: String, expected: &'static str, got: String },
    #[error("{archive} holds no {member}")]
    NoMember { archive: PathBuf, member: &'static str },
    #[error("{archive} cannot be read as an archive: {reason}")]
    Archive { archive: PathBuf, reason: String },
}

/// How much to set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What the product needs to run: models and runtime.
    Product,
    /// That, and the photographs of the demo.
    Demo,
    /// That, and the network that finds minutiae.
    Evaluation,
    /// That, and the tools of the tests.
    Everything,
}

/// The folder in use, and the files in it.
pub(crate) struct Home(PathBuf);

impl Home {
    /// `AMPARO_HOME`, or `amparo` in the user's cache folder.
    pub(crate) fn locate() -> Result<Self, SetupError> {
        let path = match std::env::var_os("AMPARO_HOME") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => directories::BaseDirs::new().ok_or(SetupError::NoHome)?.cache_dir().join("amparo"),
        };
        Ok(Self(std::path::absolute(&path).map_err(|source| SetupError::Storage { path, source })?))
    }

    #[cfg(test)]
    fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn asset(&self, asset: &Asset) -> PathBuf {
        self.0.join(asset.place)
    }

    /// The photograph of that name.
    pub(crate) fn photograph(&self, name: &str) -> PathBuf {
        self.0.join("photographs").join(name)
    }

    /// A tool that was fetched, when it was.
    pub(crate) fn tool(&self, name: &str) -> Option<PathBuf> {
        Some(self.0.join("tools").join(name)).filter(|p| p.is_file())
    }
}

/// Fetches what `scope` needs and is not there yet.
pub(crate) fn run(scope: Scope) -> Result<Home, SetupError> {
    let home = Home::locate()?;
    let wanted: Vec<&Asset> =
        assets::ALL.iter().filter(|a| a.is_for_this_machine() && a.role.is_within(scope)).collect();
    let mut missing = Vec::new();
    for asset in &wanted {
        if !fetch::is_in_place(asset, &home)? {
            missing.push(*asset);
        }
    }
    if missing.is_empty() {
        eprintln!("setup: everything is there already ({}), no network needed", home.path().display());
        return Ok(home);
    }
    eprintln!("setup: {} of {} files to fetch into {}", missing.len(), wanted.len(), home.path().display());
    fetch::all(&missing, &home)?;
    Ok(home)
}
