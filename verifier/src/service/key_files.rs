//! Keys that can be destroyed: one file each, mode 0600, in a folder that is never backed up.
//!
//! Honest limit: overwriting reaches the file's own blocks on a plain disk. A flash drive or a copying file system may keep
//! the old ones until it reuses them; there the folder belongs on an encrypted or memory-backed volume.

use crate::guarded::RecordId;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a key is for; the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// Wraps the data key of a guarded presentation, until its consent ends.
    Guard,
    /// Opens the encrypted answer to one request, until that comes.
    Answer,
}

impl KeyKind {
    const fn extension(self) -> &'static str {
        match self {
            Self::Guard => "key",
            Self::Answer => "answer",
        }
    }
}

/// A key file could not be read, written or destroyed.
#[derive(Debug, thiserror::Error)]
#[error("the key file {} cannot be used: {source}", path.display())]
pub struct KeyFileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The folder of keys.
#[derive(Debug, Clone)]
pub(super) struct KeyFiles(PathBuf);

/// On its way out: renamed first, so that nobody reads half a key.
const GOING: &str = "gone";

impl KeyFiles {
    /// The folder below `data`.
    pub(super) fn below(data: &Path) -> Self {
        Self(data.join("keys"))
    }

    /// Makes the folder, for its owner alone.
    pub(super) fn create(&self) -> Result<(), KeyFileError> {
        create_private_dir(&self.0).map_err(|source| KeyFileError { path: self.0.clone(), source })
    }

    /// Writes a new key, durable on return.
    pub(super) fn put(&self, id: &RecordId, kind: KeyKind, key: &[u8; 32]) -> Result<(), KeyFileError> {
        let path = self.path(id, kind);
        let failed = |source| KeyFileError { path: path.clone(), source };
        let mut file = private_file(&path).map_err(failed)?;
        file.write_all(key).and_then(|()| file.sync_all()).map_err(failed)?;
        sync_dir(&self.0).map_err(failed)
    }

    /// Reads a key; `None` when it is destroyed or never was.
    pub(super) fn get(&self, id: &RecordId, kind: KeyKind) -> Result<Option<Zeroizing<[u8; 32]>>, KeyFileError> {
        let path = self.path(id, kind);
        let failed = |source| KeyFileError { path: path.clone(), source };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut key = Zeroizing::new([0u8; 32]);
        file.read_exact(key.as_mut_slice()).map_err(failed)?;
        // Overwritten between our opening and our reading it.
        Ok(if key.iter().all(|byte| *byte == 0) { None } else { Some(key) })
    }

    /// Destroys a key: renamed, overwritten, synced, unlinked, synced. Succeeds when there is none.
    pub(super) fn destroy(&self, id: &RecordId, kind: KeyKind) -> Result<(), KeyFileError> {
        let path = self.path(id, kind);
        let going = path.with_extension(format!("{}.{GOING}", kind.extension()));
        match fs::rename(&path, &going) {
            Ok(()) => {}
            // Perhaps renamed by a process that then died: finish its work.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(KeyFileError { path, source }),
        }
        self.erase(&going)
    }

    /// The identifiers of all keys of a kind.
    pub(super) fn list(&self, kind: KeyKind) -> Result<Vec<RecordId>, KeyFileError> {
        Ok(self.names()?.iter().filter_map(|name| parse_name(name, kind.extension())).collect())
    }

    /// Whether a file of that identifier was written within the last minute, by the file system's clock.
    pub(super) fn is_young(&self, id: &RecordId) -> bool {
        [KeyKind::Guard, KeyKind::Answer].into_iter().any(|kind| {
            let modified = fs::metadata(self.path(id, kind)).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() < 60))
        })
    }

    /// Finishes what a process that died had begun to destroy.
    pub(super) fn finish_destroying(&self) -> Result<(), KeyFileError> {
        let mut outcome = Ok(());
        for name in self.names()?.iter().filter(|name| name.ends_with(GOING)) {
            outcome = outcome.and(self.erase(&self.0.join(name)));
        }
        outcome
    }

    fn erase(&self, path: &Path) -> Result<(), KeyFileError> {
        let failed = |source| KeyFileError { path: path.to_owned(), source };
        let mut file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&[0u8; 32]))
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        drop(file);
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        sync_dir(&self.0).map_err(failed)
    }

    fn names(&self) -> Result<Vec<String>, KeyFileError> {
        let failed = |source| KeyFileError { path: self.0.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn path(&self, id: &RecordId, kind: KeyKind) -> PathBuf {
        self.0.join(format!("{id}.{}", kind.extension()))
    }
}

fn parse_name(name: &str, extension: &str) -> Option<RecordId> {
    let (stem, found) = name.split_once('.')?;
    (found == extension).then(|| RecordId::parse(stem)).flatten()
}

/// Creates a file that must not exist, readable by its owner alone.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Creates a folder, if it is not there, and makes it its owner's alone.
pub(super) fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, KeyFiles, RecordId) {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFiles::below(dir.path());
        keys.create().unwrap();
        (dir, keys, RecordId::parse("one").unwrap())
    }

    #[test]
    fn a_key_is_kept_and_destroyed() {
        let (dir, keys, id) = folder();
        keys.put(&id, KeyKind::Guard, &[7; 32]).unwrap();
        assert_eq!(*keys.get(&id, KeyKind::Guard).unwrap().unwrap(), [7; 32]);
        assert!(keys.get(&id, KeyKind::Answer).unwrap().is_none());
        assert!(keys.put(&id, KeyKind::Guard, &[8; 32]).is_err(), "never overwritten");
        assert_eq!(keys.list(KeyKind::Guard).unwrap(), std::slice::from_ref(&id));
        // Whoever holds the file open sees zeros afterwards: it was overwritten in place, not only unlinked.
        let mut held = File::open(dir.path().join("keys/one.key")).unwrap();
        keys.destroy(&id, KeyKind::Guard).unwrap();
        let mut left = Vec::new();
        held.read_to_end(&mut left).unwrap();
        assert_eq!(left, [0; 32]);
        assert!(keys.get(&id, KeyKind::Guard).unwrap().is_none());
        keys.destroy(&id, KeyKind::Guard).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, keys, id) = folder();
        keys.put(&id, KeyKind::Answer, &[1; 32]).unwrap();
        let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("keys"), mode("keys/one.answer")), (0o700, 0o600));
    }

    #[test]
    fn what_a_dead_process_began_is_finished() {
        let (dir, keys, id) = folder();
        keys.put(&id, KeyKind::Guard, &[7; 32]).unwrap();
        let (path, going) = (dir.path().join("keys/one.key"), dir.path().join("keys/one.key.gone"));
        fs::rename(&path, &going).unwrap();
        assert!(keys.get(&id, KeyKind::Guard).unwrap().is_none());
        assert!(keys.list(KeyKind::Guard).unwrap().is_empty());
        keys.finish_destroying().unwrap();
        assert!(!going.exists());
    }
}
