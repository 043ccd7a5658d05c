//! The command `amparo-attester`.

#![allow(clippy::disallowed_methods, reason = "the command touches the world: files, network")]

use crate::config::{Config, ConfigError, ProviderUrl};
use crate::identity::{self, ANCHOR_FILE, CODE_FILE, IdentityError};
use crate::service::{self, Bounds};
use clap::{Parser, Subcommand, ValueEnum};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use schemas::Seconds;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Vouches for wallets and for the keys in them. Sees fresh keys and one code that all wallets share, and keeps nothing.
#[derive(Debug, Parser)]
#[command(name = "amparo-attester", version, about, after_help = EXAMPLES)]
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
  amparo-attester init  --data ./attester --url https://wallets.example --name 'Amparo'
  amparo-attester serve --data ./attester --listen 127.0.0.1:8090

Exit codes: 0 done, 1 internal fault, 2 usage, 6 network, 7 storage.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the provider's key, its certificates and the code of its wallets. DIR/trust-anchor.pem is what issuers need.
    Init(Init),
    /// Serve the provider over HTTP, on loopback behind a TLS proxy.
    Serve(Serve),
}

/// `init --data DIR --url URL --name NAME`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-attester init --data ./attester --url https://wallets.example --name 'Amparo'
  amparo-attester init --data ./attester --url https://wallets.example --name 'Amparo' --lifetime 14d --key-storage iso_18045_basic

DIR/wallet-code.txt goes to every wallet, the same to all of them. Whoever has it is attested: it proves no more than that.")]
struct Init {
    /// The directory for keys and certificates; made if it is absent.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The public address of the provider; https, or http on loopback.
    #[arg(long)]
    url: String,
    /// What people call the wallets that it vouches for.
    #[arg(long)]
    name: String,
    /// The client id of these wallets: one for all of them.
    #[arg(long, value_name = "ID", default_value = "org.amparo.wallet")]
    client_id: String,
    /// A page that says more of these wallets.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// How long an attestation is good: whole days, 2 to 31.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    lifetime: Seconds,
    /// What the storage of the wallets' keys resists, if you stand for it (OpenID4VCI 1.0 Appendix D.2); may be repeated.
    #[arg(long, value_name = "LEVEL")]
    key_storage: Vec<String>,
    /// What the authentication of the person resists, if you stand for it; may be repeated.
    #[arg(long, value_name = "LEVEL")]
    user_authentication: Vec<String>,
}

/// `serve --data DIR --listen HOST:PORT`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-attester serve --data ./attester --listen 127.0.0.1:8090

The service speaks plain HTTP and listens on loopback: a proxy in front of it does TLS, bounds how often one address may ask,
and should keep no log of addresses.")]
struct Serve {
    /// The provider's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    listen: String,
    /// Listen on other addresses than loopback, because the proxy that does TLS stands on another machine.
    #[arg(long)]
    allow_remote_proxy: bool,
}

/// Why a command failed.
struct Failure {
    exit: u8,
    code: &'static str,
    message: String,
    hint: &'static str,
}

/// What a command has to say.
struct Report {
    json: Value,
    text: String,
}

/// Runs the command with the process's own arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error),
    };
    log(arguments.log_format);
    let as_json = arguments.json;
    let outcome = match arguments.command {
        Command::Init(init) => init.run().map(|report| print(as_json, &report)),
        Command::Serve(serve) => serve.run(as_json),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(as_json),
    }
}

impl Init {
    fn run(self) -> Result<Report, Failure> {
        let Self { data, url, name, client_id, link, lifetime, key_storage, user_authentication } = self;
        let config = Config {
            version: 1,
            url: ProviderUrl::parse(&url)?,
            client_id,
            wallet_name: name,
            wallet_link: link,
            lifetime,
            key_storage,
            user_authentication,
        };
        let config = config.check()?;
        identity::init(&data, &config, service::now(), &mut UnwrapErr(SysRng))?;
        let (anchor, code) = (data.join(ANCHOR_FILE), data.join(CODE_FILE));
        Ok(Report {
            json: json!({
                "url": config.url.as_str(), "client_id": config.client_id, "trust_anchor": anchor, "wallet_code": code,
            }),
            text: format!(
                "The provider is ready at {}.\nGive {} to issuers, and {} to every wallet, the same to all.\nStart it with: \
                 amparo-attester serve --data {}",
                config.url.as_str(),
                anchor.display(),
                code.display(),
                data.display(),
            ),
        })
    }
}

impl Serve {
    fn run(self, as_json: bool) -> Result<(), Failure> {
        let attester = Arc::new(identity::open(&self.data, service::now())?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::internal(&error))?;
        runtime.block_on(async {
            let addresses = tokio::net::lookup_host(&self.listen).await.map_err(|error| Failure {
                exit: 2,
                code: "invalid_listen",
                message: format!("{:?} is no address to listen on: {error}", self.listen),
                hint: "Give a host and a port, such as --listen 127.0.0.1:8090.",
            })?;
            let addresses: Vec<_> = addresses.collect();
            if !self.allow_remote_proxy && addresses.iter().any(|address| !address.ip().is_loopback()) {
                return Err(Failure {
                    exit: 2,
                    code: "not_loopback",
                    message: format!("{} is reachable from other machines, and this service speaks plain HTTP", self.listen),
                    hint: "Listen on 127.0.0.1 behind a TLS proxy, or give --allow-remote-proxy if it stands elsewhere.",
                });
            }
            let cannot = |error: io::Error| Failure {
                exit: 6,
                code: "cannot_listen",
                message: format!("cannot listen on {}: {error}", self.listen),
                hint: "Give an address of this machine and a free port.",
            };
            let listener = tokio::net::TcpListener::bind(&addresses[..]).await.map_err(cannot)?;
            let address = listener.local_addr().map_err(cannot)?;
            let url = attester.config().url.as_str().to_owned();
            print(
                as_json,
                &Report {
                    json: json!({"listening": address.to_string(), "url": url}),
                    text: format!("The provider {url} listens on {address}. Stop it with Ctrl-C."),
                },
            );
            service::serve(listener, attester, Bounds::default(), shutdown()).await;
            Ok(())
        })
    }
}

/// Done at Ctrl-C, or when the service manager says so.
async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}

impl Failure {
    fn internal(error: &dyn std::error::Error) -> Self {
        let hint = "Run it again with RUST_LOG=debug; if it stays, please report it with the log.";
        Self { exit: 1, code: "internal", message: error.to_string(), hint }
    }

    fn report(&self, as_json: bool) -> ExitCode {
        let Self { exit, code, message, hint } = self;
        // Where even stderr is closed, the exit code is all that is left to say.
        let _ = if as_json {
            let error = json!({"error": {"code": code, "message": message, "hint": hint}});
            writeln!(io::stdout().lock(), "{error}")
        } else {
            writeln!(io::stderr().lock(), "{message}.\n{hint}")
        };
        ExitCode::from(*exit)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = match error {
            ConfigError::Url => "Give the public address, such as --url https://wallets.example.",
            ConfigError::Lifetime => "Give --lifetime 7d, for example.",
            ConfigError::Text(_) => "Give a short plain text.",
            ConfigError::Level => "Give one of these words as often as needed, or none: wallets take no others.",
        };
        Self { exit: 2, code: "usage", message: error.to_string(), hint }
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        let message = error.to_string();
        let (exit, code, hint) = match error {
            IdentityError::Exists(_) => {
                (7, "already_initialised", "Choose another --data directory; keys are never overwritten.")
            }
            IdentityError::Absent(_) => {
                (7, "not_initialised", "Make one with `amparo-attester init --data DIR --url URL --name NAME`.")
            }
            IdentityError::File { .. } => {
                (7, "storage", "Check that the directory is there, can be written, and has space.")
            }
            IdentityError::Malformed(_) => (7, "damaged", "Put the file back from a backup."),
            IdentityError::Exposed(_) => {
                (7, "key_file", "Make it private with `chmod 600`, and think about who may have read it.")
            }
            IdentityError::Chain(_) => {
                (7, "certificate", "Check the machine's clock; if it is right, make a new provider.")
            }
            IdentityError::Making => (1, "internal", "Check the machine's clock, then try again."),
        };
        Self { exit, code, message, hint }
    }
}

fn print(as_json: bool, report: &Report) {
    let mut out = io::stdout().lock();
    // A closed standard output is no reason to stop a service.
    let _ = if as_json { writeln!(out, "{}", report.json) } else { writeln!(out, "{}", report.text) };
    let _ = out.flush();
}

fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // --help and --version.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        return Failure { exit: 2, code: "usage", message, hint: "see amparo-attester --help" }.report(true);
    }
    let _ = error.print();
    ExitCode::from(2)
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_target(false);
    // A second call in one process keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
