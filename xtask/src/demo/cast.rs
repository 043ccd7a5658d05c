//! Who takes part: the three commands, their data, the two servers; everything real, everything on loopback.

use crate::setup::Home;
use crate::shell;
use serde_json::Value;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a command did that it should not have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CastError {
    #[error("{path}: {source}")]
    Storage { path: PathBuf, source: io::Error },
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: io::Error },
    #[error("`{command}` ended with exit code {got:?}, expected {expected}; it said: {said}")]
    ExitCode { command: String, got: Option<i32>, expected: i32, said: String },
    #[error("`{command}` printed no JSON object: {said}")]
    NoJson { command: String, said: String },
    #[error("`{command}` answered without `{member}`")]
    NoMember { command: String, member: String },
    #[error("{0}")]
    Unexpected(String),
    #[error("no free port on 127.0.0.1: {0}")]
    NoPort(io::Error),
    #[error("the server did not answer on {address} within 20 s; its log is {log}")]
    NotServing { address: String, log: PathBuf },
}

/// What a command answered.
pub(super) struct Answer {
    command: String,
    pub(super) json: Value,
}

impl Answer {
    /// The string at that JSON pointer.
    pub(super) fn text(&self, pointer: &str) -> Result<String, CastError> {
        let found = self.json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| CastError::NoMember { command: self.command.clone(), member: pointer.into() })
    }
}

/// A server that is stopped when the demo ends, however it ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everyone and everything that takes part.
pub(super) struct Cast {
    bins: PathBuf,
    amparo_home: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) enrolled: Vec<PathBuf>,
    pub(super) probe: PathBuf,
    pub(super) other: PathBuf,
    pub(super) issuer_url: String,
    pub(super) verifier_url: String,
    servers: Vec<Server>,
}

impl Cast {
    pub(super) fn new(
        home: &Home,
        folder: PathBuf,
        mut faces: Vec<PathBuf>,
        other: PathBuf,
    ) -> Result<Self, CastError> {
        let probe = faces.pop().ok_or_else(|| CastError::Unexpected("no photograph".into()))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
        let (issuer, verifier) = free_ports()?;
        Ok(Self {
            bins: target.join("debug"),
            amparo_home: home.path().to_path_buf(),
            folder,
            enrolled: faces,
            probe,
            other,
            issuer_url: format!("http://127.0.0.1:{issuer}"),
            verifier_url: format!("http://127.0.0.1:{verifier}"),
            servers: Vec::new(),
        })
    }

    /// Where the four commands are.
    pub(super) fn bins(&self) -> &Path {
        &self.bins
    }

    /// A place in the demo's folder.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file of the demo's folder.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf, CastError> {
        let path = self.place(name);
        std::fs::write(&path, content).map_err(|source| CastError::Storage { path: path.clone(), source })?;
        Ok(path)
    }

    /// Runs a command with `--json` and demands that exit code.
    pub(super) fn run(&self, program: &str, arguments: &[&str], expected: i32) -> Result<Answer, CastError> {
        let mut command = Command::new(self.bins.join(program));
        command.args(arguments).arg("--json").env("AMPARO_HOME", &self.amparo_home).stdin(Stdio::null());
        let text = format!("{program} {}", arguments.join(" "));
        let output = command.output().map_err(|source| CastError::Start { command: text.clone(), source })?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() != Some(expected) {
            let said = format!("{}{}", said.trim(), String::from_utf8_lossy(&output.stderr).trim());
            return Err(CastError::ExitCode { command: text, got: output.status.code(), expected, said });
        }
        let json = serde_json::from_str(&said).map_err(|_| CastError::NoJson { command: text.clone(), said })?;
        Ok(Answer { command: text, json })
    }

    /// Starts a server on the port of `url` and waits until it takes connections.
    pub(super) fn serve(&mut self, program: &str, data: &Path, url: &str) -> Result<(), CastError> {
        let address = url.trim_start_matches("http://").to_owned();
        let log = self.place(&format!("{program}.log"));
        let file = std::fs::File::create(&log).map_err(|source| CastError::Storage { path: log.clone(), source })?;
        let child = Command::new(self.bins.join(program))
            .args(["serve", "--listen", &address, "--data"])
            .arg(data)
            .env("AMPARO_HOME", &self.amparo_home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|source| CastError::Start { command: format!("{program} serve"), source })?;
        self.servers.push(Server(child));
        let started = Instant::now();
        while TcpStream::connect(&address).is_err() {
            if started.elapsed() > Duration::from_secs(20) {
                return Err(CastError::NotServing { address, log });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The arguments that open the vault with the photograph that was not enrolled.
    pub(super) fn unlock<'a>(&self, paths: &'a Paths) -> Vec<&'a str> {
        vec![
            "--vault",
            &paths.vault,
            "--face",
            &paths.probe,
            "--pin-file",
            &paths.pin,
            "--device-key",
            &paths.device_key,
        ]
    }

    /// The paths that the holder's commands need.
    pub(super) fn paths(&self) -> Paths {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        Paths {
            vault: text(self.place("vault.amparo")),
            probe: text(self.probe.clone()),
            other: text(self.other.clone()),
            pin: text(self.place("pin.txt")),
            device_key: text(self.place("device.key")),
            issuer: text(self.place("issuer")),
            verifier: text(self.place("verifier")),
            enrolled: self.enrolled.iter().cloned().map(text).collect(),
        }
    }
}

/// Paths as the commands take them.
pub(super) struct Paths {
    pub(super) vault: String,
    pub(super) probe: String,
    pub(super) other: String,
    pub(super) pin: String,
    pub(super) device_key: String,
    pub(super) issuer: String,
    pub(super) verifier: String,
    pub(super) enrolled: Vec<String>,
}

/// Two ports that nobody listens on, held together so that they differ.
fn free_ports() -> Result<(u16, u16), CastError> {
    let bind = || TcpListener::bind("127.0.0.1:0").map_err(CastError::NoPort);
    let (a, b) = (bind()?, bind()?);
    let port = |l: &TcpListener| l.local_addr().map(|a| a.port()).map_err(CastError::NoPort);
    Ok((port(&a)?, port(&b)?))
}
