//! Who takes part: the three commands, their data, the two servers; everything real, everything on loopback.

use crate::setup::Home;
use crate::shell;
use std::path::PathBuf;
use tests::{Answer, CommandError, Commands, Server, free_ports};

/// Everyone and everything that takes part.
pub(super) struct Cast {
    pub(super) commands: Commands,
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
    ) -> Result<Self, CommandError> {
        let probe = faces.pop().ok_or_else(|| CommandError::Unexpected("no photograph".into()))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
        let [issuer, verifier] = free_ports()?;
        Ok(Self {
            commands: Commands::new(target.join("debug"), home.path().to_path_buf()),
            folder,
            enrolled: faces,
            probe,
            other,
            issuer_url: format!("http://127.0.0.1:{issuer}"),
            verifier_url: format!("http://127.0.0.1:{verifier}"),
            servers: Vec::new(),
        })
    }

    /// A place in the demo's folder.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file of the demo's folder.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf, CommandError> {
        let path = self.place(name);
        std::fs::write(&path, content).map_err(|source| CommandError::Storage { path: path.clone(), source })?;
        Ok(path)
    }

    /// Runs a command with `--json` and demands that exit code.
    pub(super) fn run(&self, program: &str, arguments: &[&str], expected: i32) -> Result<Answer, CommandError> {
        self.commands.run(program, arguments, expected)
    }

    /// Starts a server that stops with the demo.
    pub(super) fn serve(&mut self, program: &str, data: &str, url: &str) -> Result<(), CommandError> {
        let log = self.place(&format!("{program}.log"));
        self.servers.push(Server::start(&self.commands, program, &self.place(data), url, &log)?);
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
