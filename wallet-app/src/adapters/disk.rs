//! The few file operations that keeping a vault needs, as a port, so that each of them can be made to fail in a test.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// File operations. Every one is a point at which power may go.
pub(crate) trait Disk {
    /// A file being written.
    type Writing: Writing;

    /// The whole file, refused when longer than `most` bytes.
    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>>;

    /// A new file that only its owner can read; refused when something of that name is there, a link too.
    fn create_new(&self, path: &Path) -> io::Result<Self::Writing>;

    /// Puts `from` in the place of `to`, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes what happened to the names in a directory last.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// A file being written.
pub(crate) trait Writing {
    /// Writes some of the bytes, and says how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes what was written last.
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    type Writing = File;

    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Room at once, so that growing leaves no copy of a secret behind.
        let room = usize::try_from(about.len().min(most)).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
        let got = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(got).map_or(true, |got| got > most) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    fn create_new(&self, path: &Path) -> io::Result<File> {
        private(OpenOptions::new().write(true).create_new(true)).open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Windows keeps no handle on a directory that could be flushed; its rename is journalled.
    #[cfg(not(unix))]
    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl Writing for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Readable and writable by the owner alone (mode 0600).
#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

/// Readable and writable as the folder says.
#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
pub(crate) mod faulty;
