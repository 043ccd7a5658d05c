//! One process at a time on one file.

use super::disk::private;
use super::replace::{StorageError, beside};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Held while a process works on a file. The system takes it back when the process ends, however it ends.
///
/// It lies beside the file (`NAME.lock`), because the file itself is replaced at each save. It is never removed: removing a
/// lock that another process is about to take would let two of them in.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `path`, without waiting.
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let beside = beside(path, LOCK);
        let failed = |source| LockError::Storage(StorageError::Write { path: beside.clone(), source });
        let file =
            private(OpenOptions::new().write(true).create(true).truncate(false)).open(&beside).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Busy { path: path.to_path_buf() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// The ending of a lock's name.
pub(super) const LOCK: &str = ".lock";

/// Why a file could not be had for oneself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process works on it.
    #[error("{} is in use by another program", .path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// The lock could not be made.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
