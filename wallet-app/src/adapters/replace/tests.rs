//! Replacing a file on a disk that fails at every operation in turn.

use super::super::disk::RealDisk;
use super::super::disk::faulty::{Fault, FaultyDisk, View};
use super::*;

const TARGET: &str = "/home/p/file";
const OLD: &[u8] = b"the old content";

fn new_content() -> Vec<u8> {
    vec![7; 11 * 1024 * 1024]
}

fn operations() -> Vec<bool> {
    let disk = FaultyDisk::with(&[(Path::new(TARGET), OLD)]);
    replace(&disk, Path::new(TARGET), &new_content()).unwrap();
    disk.operations()
}

#[test]
fn attack_80_whatever_fails_old_or_new_is_there_whole() {
    let operations = operations();
    assert!(operations.len() >= 8, "remove, create, three writes, flush, rename, flush the folder");
    for (at, is_write) in operations.into_iter().enumerate() {
        for fault in Fault::at(is_write) {
            let disk = FaultyDisk::with(&[(Path::new(TARGET), OLD)]);
            disk.fail_at(at, fault);
            let outcome = replace(&disk, Path::new(TARGET), &new_content());
            // A disk that lies about flushing is found out by nobody while the power is on, and by everybody when it goes.
            let views = if fault == Fault::Lost { &View::ALL[..1] } else { &View::ALL[..] };
            for view in views {
                let files = disk.after_restart(*view);
                let got = files
                    .get(Path::new(TARGET))
                    .unwrap_or_else(|| panic!("{fault:?} at {at}, {view:?}: neither is there"));
                assert!(got == OLD || *got == new_content(), "{fault:?} at {at}, {view:?}: {} bytes", got.len());
                assert!(
                    outcome.is_err() || *got == new_content(),
                    "{fault:?} at {at}, {view:?}: said to be done, and is not"
                );
            }
        }
    }
}

#[test]
fn attack_80_success_means_that_the_new_one_lasts() {
    let disk = FaultyDisk::with(&[(Path::new(TARGET), OLD)]);
    replace(&disk, Path::new(TARGET), b"new").unwrap();
    for view in View::ALL {
        assert_eq!(disk.after_restart(view).get(Path::new(TARGET)).unwrap(), b"new", "{view:?}");
    }
}

#[test]
fn a_full_disk_leaves_no_half_file_behind() {
    for at in 2..operations().len() - 2 {
        let disk = FaultyDisk::with(&[(Path::new(TARGET), OLD)]);
        disk.fail_at(at, Fault::Full);
        let error = replace(&disk, Path::new(TARGET), &new_content()).unwrap_err();
        assert!(error.hint().contains("full"), "{error}");
        assert_eq!(disk.after_restart(View::All).len(), 1);
    }
}

#[test]
fn what_a_killed_save_left_is_no_obstacle() {
    let disk = FaultyDisk::with(&[(Path::new(TARGET), OLD), (Path::new("/home/p/file.tmp"), b"half")]);
    replace(&disk, Path::new(TARGET), b"new").unwrap();
    assert_eq!(disk.after_restart(View::Flushed).len(), 1);
}

#[cfg(unix)]
#[test]
fn files_are_private_and_links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (target, victim) = (folder.path().join("file"), folder.path().join("victim"));
    std::fs::write(&victim, b"precious").unwrap();
    symlink(&victim, folder.path().join("file.tmp")).unwrap();
    replace(&RealDisk, &target, b"secret").unwrap();
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_room_is_told_apart() {
    // /dev/full answers every write with ENOSPC, as a full disk does.
    let mut file = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let source = Writing::write(&mut file, b"x").unwrap_err();
    let error = StorageError::Write { path: "/dev/full".into(), source };
    assert!(error.hint().contains("full"));
}
