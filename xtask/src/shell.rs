//! Starting other programs, and saying which failed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program could not be started or did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellError {
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: std::process::ExitStatus },
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// `cargo`, the same that runs us, at the root of the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs to the end, output shown; an exit other than zero is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), ShellError> {
    let text = describe(command);
    let status =
        command.stdin(Stdio::null()).status().map_err(|source| ShellError::Start { command: text.clone(), source })?;
    if status.success() { Ok(()) } else { Err(ShellError::Failed { command: text, status }) }
}

/// Runs to the end and gives what it printed; an exit other than zero is an error.
pub(crate) fn output(command: &mut Command) -> Result<String, ShellError> {
    let text = describe(command);
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = done.map_err(|source| ShellError::Start { command: text.clone(), source })?;
    if !done.status.success() {
        return Err(ShellError::Failed { command: text, status: done.status });
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The command as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
