//! The command `amparo-issuer`.

#![allow(clippy::disallowed_methods, reason = "the command touches the world: clock, randomness, files")]

mod failure;
mod init;
mod offer;
mod pending;
mod renew;
mod revoke;
mod serve;
mod trust_list;
mod types;

use crate::store::Decision;
use clap::{Parser, Subcommand, ValueEnum};
use failure::Failure;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Issues credentials by OpenID4VCI 1.0: makes an issuer, serves it, offers credentials and revokes them.
#[derive(Debug, Parser)]
#[command(name = "amparo-issuer", version, about, after_help = EXAMPLES)]
struct Arguments {
    /// Print exactly one JSON object on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  amparo-issuer init  --data ./issuer --url https://issuer.example --name 'Casa Abierta'
  amparo-issuer serve --data ./issuer --listen 127.0.0.1:8080
  amparo-issuer offer --data ./issuer --type identity --claims claims.json --json
  amparo-issuer revoke --data ./issuer --handle 9f0c…

Exit codes: 0 done, 1 internal fault, 2 usage, 4 refused, 6 network, 7 storage.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the issuer's keys and certificate chain. DIR/trust-anchor.pem is what verifiers and wallets need.
    Init(init::Arguments),
    /// Serve the issuer over HTTP, on loopback behind a TLS proxy.
    Serve(serve::Arguments),
    /// List the credential types that can be issued, with their claims.
    Types(types::Arguments),
    /// Offer a credential: a link for the wallet, and a transaction code for the person.
    Offer(offer::Arguments),
    /// List what waits for a decision.
    Pending(pending::Arguments),
    /// Approve what waits under a handle: the wallet receives it when it asks again.
    Approve(pending::Deciding),
    /// Decline what waits under a handle: its claims are forgotten.
    Decline(pending::Deciding),
    /// Revoke what was offered or issued under a handle.
    Revoke(revoke::Arguments),
    /// Make new signing keys and certificates under the same trust anchor.
    Renew(renew::Arguments),
    /// Write the next trust list: whom verifiers and wallets may believe, for what, until when.
    TrustList(trust_list::Arguments),
}

/// What a command has to say: as JSON, and in plain sentences.
struct Report {
    json: Value,
    text: String,
}

/// Runs the command with the process's own arguments.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the command with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, arguments.iter().any(|a| a == "--json")),
    };
    let Arguments { json, log_format, command } = parsed;
    log_to_stderr(log_format, if matches!(command, Command::Serve(_)) { "info" } else { "warn" });
    let outcome = match command {
        Command::Init(arguments) => arguments.run(),
        Command::Serve(arguments) => arguments.run(&mut |report: &Report| print(json, report)),
        Command::Types(arguments) => arguments.run(),
        Command::Offer(arguments) => arguments.run(),
        Command::Pending(arguments) => arguments.run(),
        Command::Approve(arguments) => arguments.run(Decision::Approved),
        Command::Decline(arguments) => arguments.run(Decision::Declined),
        Command::Revoke(arguments) => arguments.run(),
        Command::Renew(arguments) => arguments.run(),
        Command::TrustList(arguments) => arguments.run(),
    };
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => match print(json, &report) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(1),
        },
        Err(failure) => report_failure(json, &failure),
    }
}

fn print(as_json: bool, report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", report.json)?;
    } else {
        writeln!(out, "{}", report.text)?;
    }
    out.flush()
}

fn report_failure(as_json: bool, failure: &Failure) -> ExitCode {
    let Failure { exit, code, message, hint } = failure;
    // Where even stderr is closed, the exit code is all that is left to say.
    let _ = if as_json {
        let error = json!({"error": {"code": code, "message": message, "hint": hint}});
        writeln!(io::stdout().lock(), "{error}")
    } else {
        writeln!(io::stderr().lock(), "{}\n{hint}", sentence(message))
    };
    ExitCode::from(*exit)
}

fn usage(error: &clap::Error, as_json: bool) -> ExitCode {
    if !error.use_stderr() {
        // --help and --version.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if as_json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        return report_failure(true, &Failure::usage("usage", message, "see amparo-issuer --help"));
    }
    let _ = error.print();
    ExitCode::from(2)
}

/// A message as a sentence: its first letter a capital, unless it is a file's name, and a full stop at its end.
fn sentence(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let mut letters = message.chars();
    let first: String = letters.next().map(char::to_uppercase).into_iter().flatten().collect();
    let is_word = message
        .split_whitespace()
        .next()
        .is_some_and(|word| word.bytes().all(|b| b.is_ascii_alphabetic() || b == b','));
    if is_word { format!("{first}{}.", letters.as_str()) } else { format!("{message}.") }
}

fn log_to_stderr(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_target(false);
    // A second call in one process, as tests make it, keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
