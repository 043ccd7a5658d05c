//! Small files that a person names: a PIN, a trust anchor.

use super::disk::{Disk, RealDisk};
use super::replace::StorageError;
use std::path::{Path, PathBuf};
use wallet_core::secret::{Pin, PinError};
use zeroize::Zeroizing;

/// Why a PIN file gives no PIN.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinFileError {
    /// The file cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file is not text.
    #[error("{} is not UTF-8 text", .path.display())]
    NotText {
        /// Which.
        path: PathBuf,
    },
    /// The text is no PIN.
    #[error("{}: {source}", .path.display())]
    Pin {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: PinError,
    },
}

/// The PIN in a file: its text without the line end.
///
/// # Errors
/// [`PinFileError`]
pub fn pin(path: &Path) -> Result<Pin, PinFileError> {
    let bytes = read(path, MOST_PIN)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| PinFileError::NotText { path: path.to_path_buf() })?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Pin::parse(line).map_err(|source| PinFileError::Pin { path: path.to_path_buf(), source })
}

/// A small file as text; bytes that are not UTF-8 are left for the parser to refuse.
///
/// # Errors
/// [`StorageError::Read`]
pub fn text(path: &Path) -> Result<Zeroizing<String>, StorageError> {
    Ok(Zeroizing::new(String::from_utf8_lossy(&read(path, MOST_TEXT)?).into_owned()))
}

fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    RealDisk.read(path, most).map_err(|source| StorageError::Read { path: path.to_path_buf(), source })
}

const MOST_PIN: u64 = 4 * 1024;
const MOST_TEXT: u64 = 256 * 1024;
// The longest trust list is read.
const _: () = assert!(credentials::trust::list::LONGEST as u64 <= MOST_TEXT);
