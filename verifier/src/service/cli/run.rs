//! Each command, from its arguments to its answer.

use super::arguments::{Audit, Command, Data, Forget, Init, Request, ResultOf, Serve, Sync};
use super::document;
use super::failure::{Exit, Failure};
use super::offline;
use super::output::{self, Answer};
use super::proximity;
use super::registrar;
use super::trust;
use super::words;
use crate::guarded::RecordId;
use crate::policy::{AcceptedFormat, ClientIdPrefix};
use crate::preset::Preset;
use crate::service::clock::{Clock, SystemClock};
use crate::service::config::{Config, VerifierUrl};
use crate::service::desk::{Ask, Desk, DeskError, Outcome};
use crate::service::identity::{ANCHOR_FILE, Identity, IdentityError};
use crate::service::listen::{ListenError, serve};
use crate::service::{ListState, TrustListState};
use credentials::dcql::Query;
use schemas::Seconds;
use serde_json::json;
use std::fmt::Write;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// How often a waiting `result` looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// From so long before its end on, a certificate is complained about.
const EXPIRING: Seconds = Seconds::DAY.times(30);

pub(super) fn run(command: Command, json: bool) -> Result<Answer, Failure> {
    match command {
        Command::Init(arguments) => init(arguments),
        Command::Trust(arguments) => trust::run(&arguments),
        Command::Serve(arguments) => serve_until_stopped(&arguments, json),
        Command::Request(arguments) => request(arguments),
        Command::Result(arguments) => result(&arguments),
        Command::Forget(arguments) => forget(&arguments),
        Command::Audit(arguments) => audit(&arguments),
        Command::Sync(arguments) => sync(&arguments),
        Command::Renew(arguments) => renew(&arguments),
        Command::ResetClock(arguments) => reset_clock(&arguments),
        Command::Proximity(arguments) => proximity::run(&arguments),
        Command::Registrar(arguments) => registrar::run(arguments.command),
        Command::Verify(arguments) => offline::verify(&arguments),
        Command::Document(arguments) => document::verify(&arguments),
    }
}

pub(super) fn open(data: &Data) -> Result<Arc<Desk>, Failure> {
    Ok(Desk::open(&data.data, Arc::new(SystemClock))?)
}

/// Opens, and destroys what has ended: it ends on time even where no service runs.
pub(super) fn open_swept(data: &Data) -> Result<Arc<Desk>, Failure> {
    let desk = open(data)?;
    desk.sweep()?;
    Ok(desk)
}

pub(super) fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::new(Exit::Internal, "internal", error.to_string(), "try again"))
}

fn transaction(text: &str) -> Result<RecordId, Failure> {
    RecordId::parse(text).ok_or_else(|| DeskError::UnknownTransaction.into())
}

fn init(arguments: Init) -> Result<Answer, Failure> {
    let Init { data, url, name, contact, client_id } = arguments;
    if client_id == ClientIdPrefix::X509SanDns && !matches!(url.host(), Some(url::Host::Domain(_))) {
        return Err(DeskError::Identity(IdentityError::NoDnsName).into());
    }
    if client_id == ClientIdPrefix::RedirectUri {
        return Err(DeskError::Identity(IdentityError::OfOneRequest).into());
    }
    let config = Config {
        version: Config::VERSION,
        url,
        name,
        contact,
        client_id: client_id.as_str().to_owned(),
        made_at: SystemClock.now(),
    };
    Desk::create(&data.data, &config)?;
    let desk = open(&data)?;
    let client_id = desk.identity().client_id(client_id).map_err(DeskError::from)?;
    let not_after = desk.identity().check(SystemClock.now()).map_err(DeskError::from)?;
    let anchor = data.data.join(ANCHOR_FILE);
    let text = format!(
        "Made the verifier \"{}\" in {}.\nIt calls itself {client_id}.\nWallets may trust {}.\n\
         Next: amparo-verifier trust --data {} --anchor ISSUER-ANCHOR",
        config.name.as_str(),
        data.data.display(),
        anchor.display(),
        data.data.display(),
    );
    let object = json!({
        "data": data.data, "url": config.url.as_str(), "name": config.name.as_str(), "client_id": client_id,
        "trust_anchor": anchor, "expires_at": not_after.to_string(),
    });
    Ok(Answer::new(object, text))
}

fn serve_until_stopped(arguments: &Serve, json: bool) -> Result<Answer, Failure> {
    let desk = open(&arguments.data)?;
    if let Some(path) = &arguments.registration {
        desk.register(registrar::own(path)?)?;
    }
    if desk.known_issuers()? == 0 {
        tracing::warn!("no issuer is trusted yet: every presentation will be refused; see amparo-verifier trust");
    }
    match desk.identity().check(SystemClock.now()) {
        Ok(not_after) if SystemClock.now().plus(EXPIRING) >= not_after => {
            tracing::warn!(%not_after, "the certificate for requests ends soon; see amparo-verifier renew");
        }
        Ok(_) => {}
        // Results can still be read and must still end, so it serves.
        Err(error) => tracing::error!(%error, "no wallet will answer; see amparo-verifier renew, and check the clock"),
    }
    runtime()?.block_on(async {
        let listener = bind(&arguments.listen, arguments.allow_remote_proxy).await?;
        let failed = |source| ListenError { address: arguments.listen.clone(), source };
        let address = listener.local_addr().map_err(failed)?;
        let url = desk.config().url.as_str().to_owned();
        let line = if json {
            json!({"listening": format!("http://{address}"), "url": url}).to_string()
        } else {
            format!("Serving {url} on {address}. Stop with Ctrl-C.")
        };
        // A closed stdout is no reason to stop serving.
        let _ = output::say(&line);
        serve(desk, listener, stopped()).await;
        Ok(Answer::silent())
    })
}

async fn bind(listen: &str, allow_remote_proxy: bool) -> Result<TcpListener, Failure> {
    let failed = |source| ListenError { address: listen.to_owned(), source };
    let found = tokio::net::lookup_host(listen).await;
    // What is no address at all is a mistake on the command line, whatever the system calls it.
    let found = found.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let mut addresses: Vec<_> = found.collect();
    if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback() && !allow_remote_proxy) {
        return Err(Failure::new(
            Exit::Usage,
            "not_loopback",
            format!("{open} is reachable from other machines, and this service speaks plain HTTP"),
            "listen on 127.0.0.1 behind a TLS proxy, or give --allow-remote-proxy if the proxy stands elsewhere",
        ));
    }
    // `localhost` is two addresses; 127.0.0.1 is the one that every client tries.
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    let mut last = io::Error::from(io::ErrorKind::InvalidInput);
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(failed(error).into()),
            Err(error) => last = error,
        }
    }
    Err(failed(last).into())
}

async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn request(arguments: Request) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    let query = query_of(arguments.terms.preset, arguments.format, arguments.terms.dcql.as_ref())?;
    let ask = Ask {
        query,
        purpose: arguments.terms.purpose,
        retention: arguments.terms.retention,
        consent: arguments.terms.consent,
        response_mode: arguments.response_mode,
        unknown_status: arguments.terms.unknown_status,
        issuer_algorithms: arguments.issuer_algorithms,
        go_on: arguments.redirect,
        client_id: arguments.client_id,
        scheme: arguments.scheme,
        registration: arguments.registration.as_ref().map(registrar::own).transpose()?,
    };
    let begun = runtime()?.block_on(desk.ask(ask))?;
    let text = format!(
        "Show this link to the holder's wallet, as it is or as a QR code:\n\n{}\n\nIt can be answered until {}. Then:\n\
         amparo-verifier result --data {} {} --wait 60s",
        begun.request_uri,
        begun.expires_at,
        arguments.data.data.display(),
        begun.transaction,
    );
    let object = json!({
        "transaction": begun.transaction.as_str(),
        "request_uri": begun.request_uri,
        "expires_at": begun.expires_at.to_string(),
    });
    Ok(Answer::new(object, text))
}

/// The query that the command line names.
pub(super) fn query_of(
    preset: Option<Preset>,
    format: AcceptedFormat,
    dcql: Option<&PathBuf>,
) -> Result<Query, Failure> {
    let query = match (preset, dcql) {
        (Some(preset), _) => Query::check(preset.query(format)),
        (None, Some(path)) => Query::parse(&offline::read(path)?),
        (None, None) => return Err(Failure::usage("neither --preset nor --dcql is given", "give one of them")),
    };
    query.map_err(|error| {
        Failure::usage(
            format!("the query is not a DCQL query: {error}"),
            "see OpenID4VP 1.0 section 6 for what it takes",
        )
    })
}

fn result(arguments: &ResultOf) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    let id = transaction(&arguments.transaction)?;
    let until = arguments.wait.map(|wait| Instant::now() + Duration::from_secs(wait.get().min(86_400)));
    loop {
        let report = desk.result_for(&id, &arguments.actor, arguments.response_code.as_deref())?;
        let waiting = report.outcome == Outcome::Waiting && until.is_some_and(|until| Instant::now() < until);
        if !waiting {
            return Ok(words::report(&report));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn forget(arguments: &Forget) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    desk.forget(&transaction(&arguments.transaction)?, &arguments.actor)?;
    let object = json!({"transaction": arguments.transaction, "forgotten": true});
    Ok(Answer::new(object, "Destroyed. Nobody can open it any more.".to_owned()))
}

fn audit(arguments: &Audit) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    let lines = desk.audit(arguments.transaction.as_deref())?;
    let mut text = String::new();
    for line in &lines {
        let _ = writeln!(text, "{}  {}  {}  {}  {}", line.at, line.id, line.event, line.actor, line.purpose);
    }
    if lines.is_empty() {
        text.push_str("Nothing was stored or opened yet.");
    }
    let entries: Vec<_> = lines
        .iter()
        .map(|l| json!({"at": l.at.to_string(), "transaction": l.id, "event": l.event, "actor": l.actor, "purpose": l.purpose}))
        .collect();
    Ok(Answer::new(json!({"audit": entries}), text))
}

fn sync(arguments: &Sync) -> Result<Answer, Failure> {
    let desk = open_swept(&arguments.data)?;
    for name in &arguments.forget_type {
        if !desk.forget_type(name)? {
            return Err(Failure::usage(format!("{name:?} is not known"), "sync --show says which types are"));
        }
    }
    for named in &arguments.type_metadata {
        match VerifierUrl::parse(named) {
            // As it was given: the name of a type is compared byte for byte.
            Ok(_) => desk.learn_type_source(named)?,
            Err(_) => drop(desk.learn_type(&offline::read(&PathBuf::from(named))?)?),
        }
    }
    let aggregations: Vec<String> = arguments.aggregation.iter().map(|url| url.as_str().to_owned()).collect();
    let (lists, failed) = match arguments.show {
        true => (desk.list_states()?, Vec::new()),
        false => runtime()?.block_on(async {
            let failed = desk.look_up().await?;
            Ok::<_, DeskError>((desk.sync(&aggregations).await?, failed))
        })?,
    };
    let (types, issuers) = desk.known()?;
    let mut text = String::new();
    for list in &lists {
        let age = list.age.map_or_else(String::new, |age| format!(", {age} old"));
        let end = list.ends_at.map_or_else(String::new, |end| format!(", until {end}"));
        let _ = writeln!(text, "{}{age}{end}: {}", list.word(), credentials::escape::escaped(&list.uri));
    }
    let trust_lists = desk.trust_list_states()?;
    for list in &trust_lists {
        let _ = writeln!(text, "{}", trust::line(list));
    }
    if lists.is_empty() {
        text.push_str("No status list is known yet; name an issuer's with --aggregation.\n");
    }
    words::known_text("type", &types, &mut text);
    words::known_text("issuer's keys", &issuers, &mut text);
    for (source, error) in &failed {
        let _ = writeln!(text, "Not fetched: {}: {error}.", credentials::escape::escaped(source));
    }
    // To go where there is no network with less than everything is not done, whatever was fetched.
    let all_current = lists.iter().map(ListState::word).chain(trust_lists.iter().map(TrustListState::word));
    let all_current = all_current.into_iter().all(|word| word == "current")
        && failed.is_empty()
        && types.iter().chain(&issuers).all(|known| known.current);
    let exit = (!arguments.show && !all_current).then_some(super::failure::Exit::Network);
    let failed: Vec<_> =
        failed.iter().map(|(source, error)| json!({"source": source, "message": error.to_string()})).collect();
    let object = json!({
        "lists": words::lists_json(&lists), "trust_lists": trust::lists_json(&trust_lists),
        "types": words::known_json(&types), "issuers": words::known_json(&issuers),
        "failed": failed, "current": all_current,
    });
    Ok(Answer { exit, ..Answer::new(object, text) })
}

fn renew(data: &Data) -> Result<Answer, Failure> {
    let config = Desk::config_in(&data.data)?;
    let mut rng = crate::service::desk::rng();
    Identity::renew(&data.data, &config, SystemClock.now(), &mut rng).map_err(DeskError::from)?;
    let desk = open(data)?;
    let client_id = desk.identity().client_id(config.client_id_prefix()).map_err(DeskError::from)?;
    let not_after = desk.identity().check(SystemClock.now()).map_err(DeskError::from)?.to_string();
    let text = format!("A new key and certificate, good until {not_after}. Restart serve.");
    Ok(Answer::new(json!({"client_id": client_id, "expires_at": not_after}), text))
}

fn reset_clock(data: &Data) -> Result<Answer, Failure> {
    let desk = open(data)?;
    desk.reset_clock()?;
    let now = SystemClock.now().to_string();
    Ok(Answer::new(json!({"now": now}), format!("The clock is believed again; it is {now}.")))
}
