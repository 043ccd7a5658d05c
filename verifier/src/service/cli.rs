//! The command `amparo-verifier`.

mod arguments;
mod document;
mod failure;
mod offline;
mod output;
mod proximity;
mod registrar;
mod run;
mod trust;
mod words;

use arguments::{Arguments, LogFormat};
use clap::Parser;
use failure::Failure;
use output::Answer;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error),
    };
    start_log(arguments.log_format);
    let json = arguments.json;
    match run::run(arguments.command, json) {
        Ok(answer) => output::finish(answer, json),
        Err(failure) => output::fail(&failure, json),
    }
}

/// Help and version are answers; anything else is a usage error, as JSON where that was asked for.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return output::finish(Answer::text(error.to_string()), false);
    }
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return output::fail(&Failure::usage(line, "amparo-verifier --help says what it takes"), true);
    }
    // Nothing is to be done if stderr is closed.
    let _ = error.print();
    ExitCode::from(2)
}

/// Logs to stderr, so that stdout is the answer alone.
fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,verifier=info"));
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    let log = log.with_ansi(colours);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
