//! A disk in memory that forgets what was not flushed, and that can be made to fail at any operation.

use super::{Disk, Writing};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use zeroize::Zeroizing;

/// What goes wrong at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// ENOSPC.
    Full,
    /// EIO.
    Broken,
    /// A write takes half, the next one finds the disk full; any other operation fails as `Broken`.
    Short,
    /// The operation is done, and then the process is killed or power goes: every later operation fails.
    KilledAfter,
    /// The operation is not done, and every later one fails.
    KilledBefore,
    /// The operation says that it was done, and was not.
    Lost,
}

impl Fault {
    /// Those that differ from each other at an operation that is, or is not, a write.
    pub(crate) fn at(is_write: bool) -> impl Iterator<Item = Self> {
        let everywhere = [Self::Broken, Self::KilledAfter, Self::KilledBefore, Self::Lost];
        everywhere.into_iter().chain(is_write.then_some([Self::Full, Self::Short]).into_iter().flatten())
    }
}

/// What is on the disk when the machine comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View {
    /// All that was written: the process died, the machine did not.
    All,
    /// Only what was flushed.
    Flushed,
    /// Names as written, contents as flushed: the journal was ahead of the data.
    NamesAhead,
    /// Contents as written, names as flushed.
    ContentsAhead,
}

impl View {
    pub(crate) const ALL: [Self; 4] = [Self::All, Self::Flushed, Self::NamesAhead, Self::ContentsAhead];
}

#[derive(Default)]
struct State {
    written: Vec<Vec<u8>>,
    flushed: Vec<Vec<u8>>,
    names: BTreeMap<PathBuf, usize>,
    flushed_names: BTreeMap<PathBuf, usize>,
    /// Of each operation so far, whether it was a write.
    operations: Vec<bool>,
    fault: Option<(usize, Fault)>,
    dead: bool,
    full_at_next_write: bool,
}

/// A disk in memory.
#[derive(Clone, Default)]
pub(crate) struct FaultyDisk(Rc<RefCell<State>>);

enum Turn {
    Do,
    DoAndDie,
    Half,
    Pretend,
}

impl FaultyDisk {
    /// A disk with these files, all flushed.
    pub(crate) fn with(files: &[(&Path, &[u8])]) -> Self {
        let disk = Self::default();
        for (path, bytes) in files {
            let mut state = disk.0.borrow_mut();
            let inode = state.written.len();
            state.written.push(bytes.to_vec());
            state.flushed.push(bytes.to_vec());
            state.names.insert(path.to_path_buf(), inode);
            state.flushed_names.insert(path.to_path_buf(), inode);
        }
        disk
    }

    /// Lets the operation of that number (from 0) go wrong.
    pub(crate) fn fail_at(&self, operation: usize, fault: Fault) {
        self.0.borrow_mut().fault = Some((operation, fault));
    }

    /// The next process finds what the killed one left; the machine never went off.
    pub(crate) fn next_process(&self) {
        let mut state = self.0.borrow_mut();
        (state.dead, state.fault) = (false, None);
    }

    /// Of each operation so far, whether it was a write.
    pub(crate) fn operations(&self) -> Vec<bool> {
        self.0.borrow().operations.clone()
    }

    /// The files after the machine comes back.
    pub(crate) fn after_restart(&self, view: View) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.0.borrow();
        let names = match view {
            View::All | View::NamesAhead => &state.names,
            View::Flushed | View::ContentsAhead => &state.flushed_names,
        };
        let contents = match view {
            View::All | View::ContentsAhead => &state.written,
            View::Flushed | View::NamesAhead => &state.flushed,
        };
        names.iter().map(|(path, inode)| (path.clone(), contents[*inode].clone())).collect()
    }

    fn turn(&self, is_write: bool) -> io::Result<Turn> {
        let mut state = self.0.borrow_mut();
        if state.dead {
            return Err(io::Error::other("killed"));
        }
        if is_write && std::mem::take(&mut state.full_at_next_write) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let number = state.operations.len();
        state.operations.push(is_write);
        match state.fault {
            Some((at, fault)) if at == number => match fault {
                Fault::Full => Err(io::ErrorKind::StorageFull.into()),
                Fault::Broken => Err(io::Error::other("EIO")),
                Fault::Short if is_write => {
                    state.full_at_next_write = true;
                    Ok(Turn::Half)
                }
                Fault::Short => Err(io::Error::other("EIO")),
                Fault::KilledAfter => {
                    state.dead = true;
                    Ok(Turn::DoAndDie)
                }
                Fault::KilledBefore => {
                    state.dead = true;
                    Err(io::Error::other("killed"))
                }
                Fault::Lost => Ok(Turn::Pretend),
            },
            _ => Ok(Turn::Do),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        match self.turn(false)? {
            Turn::Pretend => Ok(()),
            Turn::Do | Turn::Half => change(&mut self.0.borrow_mut()),
            Turn::DoAndDie => {
                change(&mut self.0.borrow_mut())?;
                Err(io::Error::other("killed"))
            }
        }
    }
}

/// A file of a [`FaultyDisk`].
pub(crate) struct FaultyFile(FaultyDisk, usize);

impl Disk for FaultyDisk {
    type Writing = FaultyFile;

    fn read(&self, path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        if self.0.borrow().dead {
            return Err(io::Error::other("killed"));
        }
        let state = self.0.borrow();
        let inode = state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let bytes = state.written[*inode].clone();
        if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(Zeroizing::new(bytes)) }
    }

    fn create_new(&self, path: &Path) -> io::Result<FaultyFile> {
        let mut inode = 0;
        self.change(|state| {
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            inode = state.written.len();
            state.written.push(Vec::new());
            state.flushed.push(Vec::new());
            state.names.insert(path.to_path_buf(), inode);
            Ok(())
        })?;
        if !self.0.borrow().names.contains_key(path) {
            // A creation that was lost: the file has no name.
            let mut state = self.0.borrow_mut();
            inode = state.written.len();
            state.written.push(Vec::new());
            state.flushed.push(Vec::new());
        }
        Ok(FaultyFile(self.clone(), inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state| {
            let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_path_buf(), inode);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|state| state.names.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into()))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let path = path.to_path_buf();
        self.change(|state| {
            let inside = |name: &PathBuf| name.parent() == Some(&path);
            state.flushed_names.retain(|name, _| !inside(name));
            let now: Vec<_> = state
                .names
                .iter()
                .filter(|(name, _)| inside(name))
                .map(|(name, inode)| (name.clone(), *inode))
                .collect();
            state.flushed_names.extend(now);
            Ok(())
        })
    }
}

impl Writing for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self(disk, inode) = self;
        let turn = disk.turn(true)?;
        // At most a third of a vault at once, so that a kill can stand between two writes.
        let most = bytes.len().min(5 * 1024 * 1024);
        let taken = match turn {
            Turn::Half => most / 2,
            Turn::Do | Turn::DoAndDie | Turn::Pretend => most,
        };
        if !matches!(turn, Turn::Pretend) {
            disk.0.borrow_mut().written[*inode].extend_from_slice(&bytes[..taken]);
        }
        if matches!(turn, Turn::DoAndDie) { Err(io::Error::other("killed")) } else { Ok(taken) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let Self(disk, inode) = self;
        disk.change(|state| {
            state.flushed[*inode] = state.written[*inode].clone();
            Ok(())
        })
    }
}
