//! The commands as a person or a script starts them.

use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command did that it should not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A file of the surroundings.
    #[error("{path}: {source}")]
    Storage {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not started at all.
    #[error("`{command}` could not be started: {source}; cargo build --bins makes it")]
    Start {
        /// Which.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// Another exit code than demanded.
    #[error("`{command}` ended with exit code {got:?}, expected {expected}; it said: {said}")]
    ExitCode {
        /// Which.
        command: String,
        /// The code, none after a signal.
        got: Option<i32>,
        /// The code that `commands.md` promises.
        expected: i32,
        /// Both outputs.
        said: String,
    },
    /// Not exactly one JSON object on standard output.
    #[error("`{command}` printed no JSON object: {said}")]
    NoJson {
        /// Which.
        command: String,
        /// What it printed.
        said: String,
    },
    /// A member is missing.
    #[error("`{command}` answered without `{member}`: {said}")]
    NoMember {
        /// Which.
        command: String,
        /// The JSON pointer.
        member: String,
        /// What it answered.
        said: String,
    },
    /// No port.
    #[error("no free port on 127.0.0.1: {0}")]
    NoPort(io::Error),
    /// A server that does not come up.
    #[error("the server did not answer on {address} within 30 s; its log is {log}")]
    NotServing {
        /// Where.
        address: String,
        /// What it wrote.
        log: PathBuf,
    },
    /// Something else that should not be.
    #[error("{0}")]
    Unexpected(String),
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    command: String,
    /// The object on standard output.
    pub json: Value,
}

impl Answer {
    /// The string at that JSON pointer.
    ///
    /// # Errors
    /// [`CommandError::NoMember`].
    pub fn text(&self, pointer: &str) -> Result<String, CommandError> {
        let found = self.json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| CommandError::NoMember {
            command: self.command.clone(),
            member: pointer.into(),
            said: self.json.to_string(),
        })
    }
}

/// Where the commands are and which `AMPARO_HOME` they use.
#[derive(Debug, Clone)]
pub struct Commands {
    bins: PathBuf,
    home: PathBuf,
}

impl Commands {
    /// The commands in `bins`, with models and runtime in `home`.
    pub fn new(bins: PathBuf, home: PathBuf) -> Self {
        Self { bins, home }
    }

    /// Where they are.
    pub fn bins(&self) -> &Path {
        &self.bins
    }

    /// `AMPARO_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// One of them, ready for arguments.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bins.join(program));
        command.env("AMPARO_HOME", &self.home).stdin(Stdio::null());
        command
    }

    /// Runs one with `--json` and demands that exit code.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn run(&self, program: &str, arguments: &[&str], expected: i32) -> Result<Answer, CommandError> {
        let text = format!("{program} {}", arguments.join(" "));
        let output = self
            .command(program)
            .args(arguments)
            .arg("--json")
            .output()
            .map_err(|source| CommandError::Start { command: text.clone(), source })?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() != Some(expected) {
            let said = format!("{}{}", said.trim(), String::from_utf8_lossy(&output.stderr).trim());
            return Err(CommandError::ExitCode { command: text, got: output.status.code(), expected, said });
        }
        let json = serde_json::from_str(&said).map_err(|_| CommandError::NoJson { command: text.clone(), said })?;
        Ok(Answer { command: text, json })
    }
}
