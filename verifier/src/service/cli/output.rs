//! What goes to stdout: one JSON object, or plain sentences.

use super::failure::{Exit, Failure};
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a command has to say, in both forms, and how it ends.
pub(super) struct Answer {
    pub(super) json: Value,
    pub(super) text: String,
    pub(super) exit: Option<Exit>,
}

impl Answer {
    pub(super) const fn new(json: Value, text: String) -> Self {
        Self { json, text, exit: None }
    }

    pub(super) const fn text(text: String) -> Self {
        Self::new(Value::Null, text)
    }

    /// Nothing to add: all was said while the command ran.
    pub(super) const fn silent() -> Self {
        Self::text(String::new())
    }
}

pub(super) fn finish(answer: Answer, json: bool) -> ExitCode {
    let Answer { json: value, text, exit } = answer;
    let said = match (json, &value) {
        (true, Value::Null) | (false, _) if text.is_empty() => Ok(()),
        (true, value) => say(&value.to_string()),
        (false, _) => say(text.trim_end()),
    };
    match (said, exit) {
        (Err(_), _) => ExitCode::from(Exit::Internal as u8),
        (Ok(()), Some(exit)) => ExitCode::from(exit as u8),
        (Ok(()), None) => ExitCode::SUCCESS,
    }
}

pub(super) fn fail(failure: &Failure, json: bool) -> ExitCode {
    if json {
        let _ = say(&failure.json().to_string());
    } else {
        let hint = if failure.hint.is_empty() { String::new() } else { format!("\nWhat to do: {}.", failure.hint) };
        let _ = writeln!(io::stderr(), "Not done: {}.{hint}", failure.message);
    }
    ExitCode::from(failure.exit as u8)
}

/// One line, at once: a script may wait for it.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}
