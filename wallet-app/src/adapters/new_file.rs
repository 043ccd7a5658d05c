//! A file that is made where none is, for its owner alone; gone again if it was never written.

use super::StorageError;
use super::disk::{Disk as _, RealDisk, Writing as _};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A new file, empty until [`NewFile::write`].
pub struct NewFile {
    path: PathBuf,
    file: Option<File>,
}

impl NewFile {
    /// Makes it.
    ///
    /// # Errors
    /// [`StorageError::Exists`] where there is something already; [`StorageError::Write`].
    pub fn create(path: &Path) -> Result<Self, StorageError> {
        let file = RealDisk.create_new(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => StorageError::Exists { path: path.to_path_buf() },
            _ => StorageError::Write { path: path.to_path_buf(), source },
        })?;
        Ok(Self { path: path.to_path_buf(), file: Some(file) })
    }

    /// Writes all of it, down to the disk.
    ///
    /// # Errors
    /// [`StorageError::Write`]; the file is gone then.
    pub fn write(mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let written = file.write_all(bytes).and_then(|()| file.sync());
        written.map_err(|source| {
            let _ = RealDisk.remove(&self.path);
            StorageError::Write { path: self.path.clone(), source }
        })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = RealDisk.remove(&self.path);
        }
    }
}
