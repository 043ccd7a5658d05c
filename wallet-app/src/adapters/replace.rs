//! Replacing a file so that after any crash either the old or the new one is there, whole.

use super::disk::{Disk, Writing};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why something kept on disk could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A file could not be read.
    #[error("{} cannot be read: {}", .path.display(), plain(.source))]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{} cannot be written: {}", .path.display(), plain(.source))]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is there that would be overwritten.
    #[error("{} is there already", .path.display())]
    Exists {
        /// What.
        path: PathBuf,
    },
}

impl StorageError {
    /// What a person can do about it, one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        use io::ErrorKind::{
            FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
            StorageFull,
        };
        let (source, reading) = match self {
            Self::Exists { .. } => return "Choose another name; nothing is ever overwritten.",
            Self::Read { source, .. } => (source, true),
            Self::Write { source, .. } => (source, false),
        };
        match source.kind() {
            NotFound if reading => "Check the name; there is no such file.",
            NotFound | NotADirectory => "Check the name; the folder is not there.",
            IsADirectory => "Name a file; this is a folder.",
            PermissionDenied => "You may not do this with that file; check who owns it.",
            StorageFull | QuotaExceeded => {
                "The disk is full: make room and try again; what was saved before is still there."
            }
            ReadOnlyFilesystem => "The disk is read-only; what was saved before is still there.",
            FileTooLarge => "The file is far larger than it should be; check the name.",
            _ => "The disk does not work as it should; what was saved before is still there.",
        }
    }
}

/// Puts `bytes` in the place of whatever `target` is, atomically: a new file beside it, written, flushed and read back, takes its
/// name, and the folder is flushed too. Gives what is then read from the target's place.
///
/// It is read twice because what comes next destroys a key: a disk that loses a write or a rename without a word must be
/// found out before. A disk that lies about flushing cannot be.
///
/// # Errors
/// [`StorageError::Write`]. Before the rename nothing has changed; after it the new file stands, though perhaps not yet lastingly.
pub(super) fn replace(disk: &impl Disk, target: &Path, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let failed = |source| StorageError::Write { path: target.to_path_buf(), source };
    let beside = temporary(target);
    remove_stale(disk, target)?;
    let written = write_new(disk, &beside, bytes)
        .and_then(|()| compare(disk, &beside, bytes))
        .and_then(|_| disk.rename(&beside, target));
    if let Err(source) = written {
        // What is left of it is of no use; if it cannot go now, the next save removes it.
        let _ = disk.remove(&beside);
        return Err(failed(source));
    }
    disk.sync_directory(folder(target)).and_then(|()| compare(disk, target, bytes)).map_err(failed)
}

/// Reads a file and demands that it be `bytes`.
fn compare(disk: &impl Disk, path: &Path, bytes: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let back = disk.read(path, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    if back.as_slice() == bytes { Ok(back) } else { Err(io::Error::other("the disk did not keep what was written")) }
}

/// Removes what a save that was cut off left behind. To be called under the file's lock.
///
/// # Errors
/// [`StorageError::Write`] if it is there and cannot go.
pub(super) fn remove_stale(disk: &impl Disk, target: &Path) -> Result<(), StorageError> {
    match disk.remove(&temporary(target)) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StorageError::Write { path: temporary(target), source })
        }
        _ => Ok(()),
    }
}

fn write_new(disk: &impl Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = disk.create_new(path)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.sync()
}

/// The name of the new file while it is written: in the same folder, because a rename cannot cross disks.
fn temporary(target: &Path) -> PathBuf {
    beside(target, TEMPORARY)
}

/// The name that a file's name with this ending is.
pub(super) fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(target.file_name().unwrap_or_default());
    name.push(ending);
    target.with_file_name(name)
}

/// The ending of a new file while it is written.
pub(super) const TEMPORARY: &str = ".tmp";

/// The folder that a file's name stands in.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The cause in words for a person, without the number of the system call's error.
fn plain(source: &io::Error) -> String {
    use io::ErrorKind::{
        FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    let words = match source.kind() {
        NotFound => "it is not there",
        NotADirectory => "its folder is not a folder",
        IsADirectory => "it is a folder",
        PermissionDenied => "permission is denied",
        StorageFull => "the disk is full",
        QuotaExceeded => "your share of the disk is full",
        ReadOnlyFilesystem => "the disk is read-only",
        FileTooLarge => "it is too large",
        _ => return source.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
