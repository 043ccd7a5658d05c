//! The two files of a vault, the container and the device key: held together, written in an order that survives a crash.

use super::disk::{Disk, RealDisk};
use super::lock::{LOCK, Lock, LockError};
use super::replace::{StorageError, TEMPORARY, beside, folder, remove_stale, replace};
use rand_core::CryptoRng;
use schemas::Timestamp;
use std::io;
use std::path::{Path, PathBuf};
use wallet_core::device_key::DeviceStore;
use wallet_core::vault::{FILE_LEN, OpenVault, SaveError};
use zeroize::Zeroizing;

/// The files of one vault, while this process has them for itself.
pub struct Files {
    inner: FilesOn<RealDisk>,
    /// Taken in this order everywhere, so that two processes cannot wait for each other; neither waits anyway.
    _vault_lock: Lock,
    _device_lock: Option<Lock>,
}

impl Files {
    /// The files of a vault that is there.
    ///
    /// # Errors
    /// [`LockError::Busy`] if another process has it; [`LockError::Storage`] if there is no such vault.
    pub fn existing(vault: &Path, device_key: &Path) -> Result<Self, LockError> {
        let read = |source| StorageError::Read { path: vault.to_path_buf(), source };
        // A link is followed once, here: a save would otherwise put a file in the place of the link.
        let vault = std::fs::canonicalize(vault).map_err(read)?;
        if vault.is_dir() {
            return Err(read(io::ErrorKind::IsADirectory.into()).into());
        }
        Self::hold(vault, real_path(device_key))
    }

    /// The files of a vault that is not there yet.
    ///
    /// # Errors
    /// [`LockError::Storage`] with [`StorageError::Exists`] if anything of that name is there.
    pub fn fresh(vault: &Path, device_key: &Path) -> Result<Self, LockError> {
        if vault.file_name().is_none() {
            return Err(
                StorageError::Write { path: vault.to_path_buf(), source: io::ErrorKind::IsADirectory.into() }.into()
            );
        }
        let files = Self::hold(vault.to_path_buf(), real_path(device_key))?;
        // Under the lock, so that two `new` cannot both find the place free. A dangling link counts as something, too.
        if vault.symlink_metadata().is_ok() {
            return Err(StorageError::Exists { path: vault.to_path_buf() }.into());
        }
        Ok(files)
    }

    fn hold(vault: PathBuf, device_key: PathBuf) -> Result<Self, LockError> {
        if in_each_others_way(&vault, &device_key) {
            return Err(StorageError::Exists { path: device_key }.into());
        }
        let vault_lock = Lock::take(&vault)?;
        // Where its folder is missing there is no device key, and nothing to lock.
        let device_lock = if folder(&device_key).is_dir() { Some(Lock::take(&device_key)?) } else { None };
        let inner = FilesOn { disk: RealDisk, vault, device_key };
        inner.tidy()?;
        Ok(Self { inner, _vault_lock: vault_lock, _device_lock: device_lock })
    }

    /// The vault's bytes. A file too long to be a vault reads as empty, which no vault is: the core has one answer for both.
    ///
    /// # Errors
    /// [`StorageError::Read`]
    pub fn vault(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        self.inner.read_vault()
    }

    /// The device key's bytes, or `None` if there is no such file.
    ///
    /// # Errors
    /// [`StorageError::Read`]
    pub fn device_key(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        self.inner.read_device_key()
    }

    /// Writes the device key's file alone: an attempt counted before it is made, a counter set back after.
    ///
    /// # Errors
    /// [`StorageError::Write`]
    pub fn write_device_key(&self, bytes: &[u8]) -> Result<(), StorageError> {
        replace(&self.inner.disk, &self.inner.device_key, bytes).map(drop)
    }

    /// Puts a new vault in its place, its key first.
    ///
    /// # Errors
    /// [`StorageError`]. A device key that knows of a vault that is not there does no harm.
    pub fn create(&self, store: &[u8], vault: &[u8]) -> Result<(), StorageError> {
        self.write_device_key(store)?;
        replace(&self.inner.disk, &self.inner.vault, vault).map(drop)
    }

    /// Saves what was changed in an open vault, and gives the vault back.
    ///
    /// # Errors
    /// [`KeepError`]. Whatever step fails, the old or the new vault opens afterwards; which of them stands in memory is not
    /// known then, so the vault is not given back: it is locked, and must be opened again.
    pub fn save<S: DeviceStore + ?Sized>(
        &self,
        vault: OpenVault,
        store: &mut S,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<OpenVault, KeepError> {
        self.inner.save(vault, store, now, rng)
    }
}

/// Why changes were not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The vault.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The same on any disk.
struct FilesOn<D> {
    disk: D,
    vault: PathBuf,
    device_key: PathBuf,
}

impl<D: Disk> FilesOn<D> {
    /// The key of the new file is on disk before the file; the key of the old one goes only when the new file was read back.
    ///
    /// # Source
    /// `security.md` §1.4: "a superseded epoch key is deleted only after a newer file authenticated in full".
    fn save<S: DeviceStore + ?Sized>(
        &self,
        vault: OpenVault,
        store: &mut S,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<OpenVault, KeepError> {
        let mut vault = vault;
        let plan = vault.save(store, now, rng)?;
        let in_place = self.place(plan.store_before(), plan.file())?;
        let last = vault.confirm(plan, store, &in_place)?;
        self.forget(&last)?;
        Ok(vault)
    }

    /// The first two of the three files; gives what is then read from the vault's place.
    fn place(&self, store_before: &[u8], vault: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        replace(&self.disk, &self.device_key, store_before)?;
        replace(&self.disk, &self.vault, vault)
    }

    /// The third: the key of the old vault is gone from it.
    fn forget(&self, store_after: &[u8]) -> Result<(), StorageError> {
        replace(&self.disk, &self.device_key, store_after).map(drop)
    }

    /// The vault whose name lasts: an attempt forgets the keys of older ones, and must not on the word of a rename that a save,
    /// killed before it flushed the folder, left to be undone when power goes.
    fn read_vault(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let unsettled = |source| StorageError::Write { path: self.vault.clone(), source };
        self.disk.sync_directory(folder(&self.vault)).map_err(unsettled)?;
        match self.disk.read(&self.vault, longest_vault()) {
            Err(source) if source.kind() == io::ErrorKind::FileTooLarge => Ok(Zeroizing::default()),
            read => read.map_err(|source| StorageError::Read { path: self.vault.clone(), source }),
        }
    }

    fn read_device_key(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        match self.disk.read(&self.device_key, MOST_DEVICE_KEY) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                // Another kind of file: no device key, like any other file that is none.
                io::ErrorKind::FileTooLarge => Ok(Some(Zeroizing::default())),
                _ => Err(StorageError::Read { path: self.device_key.clone(), source }),
            },
        }
    }

    fn tidy(&self) -> Result<(), StorageError> {
        remove_stale(&self.disk, &self.vault)?;
        if folder(&self.device_key).is_dir() { remove_stale(&self.disk, &self.device_key) } else { Ok(()) }
    }
}

/// Where a name leads, if it leads anywhere yet.
fn real_path(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Whether one file is the other, or lies where the other's temporary file or lock will: a save would then destroy it.
fn in_each_others_way(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| real_path(folder(path)).join(path.file_name().unwrap_or_default());
    let (one, other) = (real(one), real(other));
    let lies_beside = |a: &Path, b: &Path| [TEMPORARY, LOCK].iter().any(|ending| a == beside(b, ending));
    one == other || lies_beside(&one, &other) || lies_beside(&other, &one)
}

fn longest_vault() -> u64 {
    u64::try_from(FILE_LEN).unwrap_or(u64::MAX)
}

/// 256 vaults with 364 bytes each fit many times.
const MOST_DEVICE_KEY: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
