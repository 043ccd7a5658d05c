//! `amparo-verifier registrar`: say of verifiers what they may ask for.

use super::arguments::contact;
use super::failure::Failure;
use super::offline;
use super::output::Answer;
use super::run::query_of;
use crate::policy::AcceptedFormat;
use crate::preset::Preset;
use crate::service::clock::{Clock as _, SystemClock};
use crate::service::config::VerifierName;
use crate::service::desk::{DeskError, rng};
use crate::service::identity::ANCHOR_FILE;
use crate::service::registrar::{OwnRegistration, Registrar};
use clap::{Args, Subcommand};
use credentials::registration;
use schemas::Seconds;
use schemas::purpose::Purpose;
use schemas::registration::{RegistrationClaims, SupervisoryAuthority};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a registrar: its key and certificates.
    #[command(
        after_help = "Example:\n  amparo-verifier registrar init --data registrar --name \"Registry of verifiers\""
    )]
    Init(Init),
    /// Register a verifier, and print what it is to show.
    #[command(
        after_help = "Example:\n  amparo-verifier registrar register --data registrar --client-id x509_hash:… --name \"Border post 4\" --purpose border-entry --preset border-identity --contact post4@border.example --authority \"Data protection office, +1 555 0100\" --out registration.jwt"
    )]
    Register(Register),
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The registrar's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What it is called; people are shown this name.
    #[arg(long, value_parser = VerifierName::parse)]
    name: VerifierName,
}

#[derive(Debug, Args)]
pub(super) struct Register {
    /// The registrar's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The verifier, by its full client identifier, as its `init` and `renew` print it.
    #[arg(long, value_name = "ID", conflicts_with = "subject", required_unless_present = "subject")]
    client_id: Option<String>,
    /// The verifier, by the name in its certificate: then wallets must know the anchor of that certificate, and every verifier
    /// of that name under an anchor that they know may show it too. Give a name that the authorities give to one only.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// What it is called; people are shown this name.
    #[arg(long, value_parser = VerifierName::parse)]
    name: VerifierName,
    /// What for it may ask: border-entry, age-check, support-service. May be repeated.
    #[arg(long, value_name = "CODE", required = true)]
    purpose: Vec<Purpose>,
    /// What it may ask for, as a query by name: border-identity, age-over-18, support-service.
    #[arg(long, value_name = "NAME", conflicts_with = "dcql", required_unless_present = "dcql")]
    preset: Option<Preset>,
    /// What it may ask for, as a file with a DCQL query.
    #[arg(long, value_name = "FILE")]
    dcql: Option<PathBuf>,
    /// How people reach it.
    #[arg(long, value_parser = contact)]
    contact: Option<String>,
    /// Who watches over it, and how that is reached.
    #[arg(long, value_parser = contact)]
    authority: Option<String>,
    /// For how long: at most 366d. It cannot be withdrawn before: it names no status list.
    #[arg(long, default_value = "90d", value_name = "SPAN")]
    valid: Seconds,
    /// Where to write it; it is printed too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Init(arguments) => init(&arguments),
        Command::Register(arguments) => register(arguments),
    }
}

fn init(arguments: &Init) -> Result<Answer, Failure> {
    let Init { data, name } = arguments;
    Registrar::create(data, name, SystemClock.now(), &mut rng())?;
    let anchor = data.join(ANCHOR_FILE);
    let text = format!(
        "Made the registrar \"{}\" in {}.\nHolders who trust it: amparo trust --registers-verifiers --anchor {}",
        name.as_str(),
        data.display(),
        anchor.display()
    );
    Ok(Answer::new(json!({"data": data, "name": name.as_str(), "trust_anchor": anchor}), text))
}

fn register(arguments: Register) -> Result<Answer, Failure> {
    let Register { data, client_id, subject, name, purpose, preset, dcql, contact, authority, valid, out } = arguments;
    if valid == Seconds::new(0) || valid > registration::LONGEST {
        return Err(Failure::usage("a registration is good for 1s to 366d", "give a --valid between them"));
    }
    let query = query_of(preset, AcceptedFormat::Any, dcql.as_ref())?;
    let now = SystemClock.now();
    let registrar = Registrar::open(&data, now)?;
    let claims = RegistrationClaims {
        sub: client_id.or(subject).unwrap_or_default(),
        name: name.as_str().to_owned(),
        purposes: purpose.iter().map(|purpose| purpose.wire().to_owned()).collect(),
        credentials: registration::registered(&query),
        contact,
        supervisory_authority: authority.map(|name| SupervisoryAuthority { name: Some(name), ..Default::default() }),
        iat: now,
        exp: now.plus(valid),
        status: None,
    };
    let token = registrar.register(&claims)?;
    if let Some(path) = &out {
        fs::write(path, format!("{token}\n"))
            .map_err(|error| DeskError::Config { path: path.clone(), why: error.to_string() })?;
    }
    let text = format!(
        "Registered {} ({}) until {}.\nIt shows this with its requests: amparo-verifier serve --registration FILE\n\n{token}",
        claims.name,
        credentials::escape::escaped(&claims.sub),
        claims.exp
    );
    let codes: Vec<&str> = purpose.iter().map(|purpose| purpose.code()).collect();
    let object = json!({
        "registration": token, "subject": claims.sub, "name": claims.name, "purposes": codes,
        "credentials": claims.credentials, "expires_at": claims.exp.to_string(),
    });
    Ok(Answer::new(object, text))
}

/// A registration of one's own, from a file.
pub(super) fn own(path: &PathBuf) -> Result<OwnRegistration, Failure> {
    let bytes = offline::read(path)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(OwnRegistration::parse(text.trim())?)
}
