//! Where the peers are installed, and how they are started; where one cannot be, a word why the test is skipped.

use crate::world::home;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// The scripts, and beside them what npm installed.
pub(super) fn node() -> Option<&'static Path> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    PLACE.get_or_init(install_node).as_deref()
}

/// The folder into which pip installed.
pub(super) fn python() -> Option<&'static Path> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    PLACE.get_or_init(install_python).as_deref()
}

pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

fn install_node() -> Option<PathBuf> {
    let folder = scripts();
    if !works("node", &["--version"]) || !works("npm", &["--version"]) {
        println!("skipped: Node.js 20 and npm are not here (Debian: apt-get install nodejs npm)");
        return None;
    }
    let _lock = locked(&folder.join(".install.lock"));
    // npm writes its own copy of the lock file last: an older one is of other peers.
    let wanted = std::fs::metadata(folder.join("package-lock.json")).unwrap().modified().unwrap();
    let installed = std::fs::metadata(folder.join("node_modules/.package-lock.json")).and_then(|m| m.modified());
    if !installed.is_ok_and(|installed| installed >= wanted) {
        let arguments = ["ci", "--no-audit", "--no-fund", "--silent"];
        if !Command::new("npm").args(arguments).current_dir(&folder).status().unwrap().success() {
            println!("skipped: the peers could not be installed (npm ci): is there a network?");
            return None;
        }
    }
    Some(folder)
}

fn install_python() -> Option<PathBuf> {
    if !works("python3", &["-m", "pip", "--version"]) {
        println!("skipped: Python 3 with pip is not here (Debian: apt-get install python3-pip)");
        return None;
    }
    let folder = home()?.join("python-peers");
    std::fs::create_dir_all(&folder).unwrap();
    let _lock = locked(&folder.with_extension("lock"));
    let requirements = scripts().join("requirements.txt");
    // Wheels are of one version of Python: both stand in the mark.
    let version = Command::new("python3").arg("--version").output().unwrap().stdout;
    let wanted = [version, std::fs::read(&requirements).unwrap()].concat();
    let mark = folder.join(".installed");
    if std::fs::read(&mark).is_ok_and(|found| found == wanted) {
        return Some(folder);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    // Into a folder of their own: the system's Python is left alone, and no `venv` is needed.
    let arguments = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--root-user-action=ignore",
    ];
    let mut pip = Command::new("python3");
    pip.args(arguments).args(["--only-binary=:all:", "--target"]).arg(&folder).arg("--requirement").arg(requirements);
    if !pip.stdin(Stdio::null()).status().unwrap().success() {
        println!(
            "skipped: the peers could not be installed (pip install): is there a network, and Python 3.11 or later?"
        );
        return None;
    }
    std::fs::write(mark, wanted).unwrap();
    Some(folder)
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

/// Tests run as processes of their own: one installs, the others wait for it.
fn locked(path: &Path) -> File {
    let lock = File::create(path).unwrap();
    lock.lock().unwrap();
    lock
}

/// Gives a job to a script in JavaScript.
pub(super) fn ask_node(script: &str, arguments: &[&str], job: &Value) -> Value {
    ask(Command::new("node").arg(scripts().join(script)).args(arguments), job)
}

/// Gives a job to a script in Python.
pub(super) fn ask_python(packages: &Path, script: &str, job: &Value) -> Value {
    ask(Command::new("python3").arg("-B").arg(scripts().join(script)).env("PYTHONPATH", packages), job)
}

fn ask(command: &mut Command, job: &Value) -> Value {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(job.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("the peer said {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

/// A peer that serves; it says one JSON object a line.
pub(super) struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    pub(super) fn node(script: &str, arguments: &[&str]) -> Self {
        Self::start(Command::new("node").arg(scripts().join(script)).args(arguments))
    }

    pub(super) fn says(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the peer said {line:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
