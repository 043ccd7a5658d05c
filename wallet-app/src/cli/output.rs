//! One answer on stdout: plain sentences, or exactly one JSON object.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a command has to say when it is done.
pub(super) struct Answer {
    /// For scripts.
    pub(super) json: Value,
    /// For a person; lines end in a line feed, the last one does not.
    pub(super) text: String,
}

/// Prints the answer or the failure, and gives the exit code.
pub(super) fn finish(outcome: Result<Answer, Failure>, json: bool) -> ExitCode {
    let (code, written) = match outcome {
        Ok(answer) => {
            (ExitCode::SUCCESS, say(&mut io::stdout(), &if json { answer.json.to_string() } else { answer.text }))
        }
        Err(failure) => {
            let code = ExitCode::from(failure.exit as u8);
            let written = if json {
                say(&mut io::stdout(), &failure.json().to_string())
            } else {
                say(&mut io::stderr(), &format!("{}\n{}", failure.message, failure.hint))
            };
            (code, written)
        }
    };
    // What cannot be said must not look done: a full disk behind a redirected stdout ends as a storage failure.
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(crate::failure::Exit::Storage as u8),
        _ => code,
    }
}

fn say(to: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(to, "{text}")?;
    to.flush()
}
