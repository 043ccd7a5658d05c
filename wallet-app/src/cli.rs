//! The person's side: what is typed, asked and shown. One file for each command.

mod arguments;
mod attest;
mod ceremony;
mod challenge;
pub(crate) mod finger;
mod forget;
mod going_on;
mod history;
mod list;
mod logging;
mod new;
mod only;
mod output;
mod paper;
mod present;
pub(crate) mod progress;
mod prompt;
mod proximity;
mod receive;
mod refill;
mod refuse;
mod show;
mod trust;
mod unlock;

use crate::failure::Failure;
use crate::messages;
use arguments::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use output::Answer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Reads the command line, does what it says, prints one answer.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error),
    };
    logging::start(arguments.common.log_format);
    crate::language::choose(&arguments.common.lang);
    let json = arguments.common.json;
    // A fault of ours must end as exit code 1 with one JSON object, and its report must hold no value: the hook says where,
    // never what.
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => tracing::error!(file = place.file(), line = place.line(), "internal fault"),
        None => tracing::error!("internal fault"),
    }));
    let outcome = catch_unwind(AssertUnwindSafe(|| run(arguments.command, json)))
        .unwrap_or_else(|_| Err(Failure::internal(messages::INTERNAL)));
    output::finish(outcome, json)
}

fn run(command: Command, json: bool) -> Result<Answer, Failure> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Trust(arguments) => trust::run(&arguments),
        Command::Unlock(arguments) => unlock::run(&arguments),
        Command::Challenge(arguments) => challenge::run(&arguments),
        Command::Attest(arguments) => attest::run(&arguments),
        Command::Receive(arguments) => receive::run(&arguments, json),
        Command::Refill(arguments) => refill::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Present(arguments) => present::run(&arguments, json),
        Command::Proximity(arguments) => proximity::run(&arguments),
        Command::Paper(arguments) => paper::run(&arguments),
        Command::Refuse(arguments) => refuse::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
    }
}

/// Help is no failure; anything else is `usage`, as JSON if `--json` stands anywhere on the line.
fn misunderstood(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe (`amparo --help | head -1`) is no failure either.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            let json = std::env::args_os().any(|argument| argument == "--json");
            if !json {
                let _ = error.print();
                return ExitCode::from(crate::failure::Exit::Usage as u8);
            }
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            let message = messages::sentence(first.strip_prefix("error: ").unwrap_or(first));
            output::finish(Err(Failure::usage(message, messages::USAGE_HINT)), json)
        }
    }
}
