//! One answer on stdout: plain sentences, or exactly one JSON object.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;
use wallet_core::display::is_treacherous;

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
            (ExitCode::SUCCESS, say(&mut io::stdout(), &if json { harmless(&answer.json) } else { answer.text }))
        }
        Err(failure) => {
            let code = ExitCode::from(failure.exit as u8);
            let written = if json {
                say(&mut io::stdout(), &harmless(&failure.json()))
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

/// The text of an answer, in which characters that could move the cursor, turn the text or hide in it are written as escapes:
/// the same object to a script, and a terminal shows what a peer wrote as it is.
fn harmless(answer: &Value) -> String {
    let json = answer.to_string();
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        // Beyond ASCII there is nothing in JSON but the text of strings; the controls within ASCII are escaped already.
        if letter >= '\u{7f}' && is_treacherous(letter) {
            letter.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(letter);
        }
    }
    text
}

fn say(to: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(to, "{text}")?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attack_56_json_on_a_terminal_moves_and_hides_nothing() {
        let answer =
            json!({ "given_name": "Jos\u{e9}\u{9b}2J\u{202e}\u{7f}\u{e0041}\u{1b}[2J\n", "\u{85}": ["\u{2066}"] });
        let text = harmless(&answer);
        assert!(!text.chars().any(is_treacherous), "{text:?}");
        assert!(text.contains('\u{e9}'), "a name stays as it is");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), answer);
    }
}
