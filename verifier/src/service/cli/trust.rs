//! `trust`: whom the desk believes, by name or by signed list.

use super::arguments::Data;
use super::failure::{Exit, Failure};
use super::offline;
use super::output::Answer;
use super::run::{open, runtime};
use super::words;
use crate::service::TrustListState;
use crate::service::config::VerifierUrl;
use crate::service::desk::Desk;
use clap::Args;
use credentials::escape::escaped;
use credentials::trust::AnchorLimits;
use schemas::credential_type;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) const EXAMPLE: &str = "Example:
  amparo-verifier trust --data desk --anchor issuer/trust-anchor.pem
  amparo-verifier trust --data desk --anchor shelter.pem --issues attestation --status-host shelter.example
  amparo-verifier trust --data desk --list https://registry.example/trust-list --list-signer registry.pem
  amparo-verifier trust --data desk --show

Where several issuers are trusted, say what each may issue: otherwise each could write the others' credentials. Limits that
are given replace those it has; without any those it has stay. A list says it for each of its anchors, and until when; `sync`
and `serve` fetch it again. Anchors named by hand come first, then lists as they were named: the first word on an anchor counts.";

#[derive(Debug, Args)]
pub(super) struct Trust {
    #[command(flatten)]
    data: Data,
    /// The anchor, in PEM form.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["list", "show"])]
    anchor: Vec<PathBuf>,
    /// Believe it for this type only: `identity`, `attestation`, or a `vct`. May be repeated; without it, for every type.
    #[arg(long, value_name = "TYPE")]
    issues: Vec<String>,
    /// Believe its status lists on this host only. May be repeated; without it, on every host.
    #[arg(long, value_name = "HOST")]
    status_host: Vec<String>,
    /// A signed trust list: where it is fetched, or a file. With --remove also its name.
    #[arg(long, value_name = "URL|FILE", conflicts_with_all = ["anchor", "issues", "status_host"])]
    list: Option<String>,
    /// The anchor of who signs that list, in PEM form: believed for this and nothing else. Said once.
    #[arg(long, value_name = "FILE", requires = "list")]
    list_signer: Option<PathBuf>,
    /// Take it out again: it is no longer believed.
    #[arg(long, conflicts_with_all = ["issues", "status_host", "list_signer"])]
    remove: bool,
    /// Show who is believed for what, and how old the lists are. Fetches nothing.
    #[arg(long, conflicts_with_all = ["anchor", "list"])]
    show: bool,
}

pub(super) fn run(arguments: &Trust) -> Result<Answer, Failure> {
    let desk = open(&arguments.data)?;
    match &arguments.list {
        Some(list) if arguments.remove => remove(&desk, list),
        Some(list) => take(&desk, list, arguments),
        None if arguments.show => show(&desk),
        None => anchors(&desk, arguments),
    }
}

fn anchors(desk: &Desk, arguments: &Trust) -> Result<Answer, Failure> {
    let mut text = String::new();
    let mut list = Vec::new();
    let limits = limits(&arguments.issues, &arguments.status_host);
    for path in &arguments.anchor {
        let pem = offline::read(path)?;
        let done = if arguments.remove { desk.distrust(&pem)? } else { desk.trust(&pem, limits.as_ref())? };
        for (name, changed) in done {
            let word = match (arguments.remove, changed) {
                (false, true) => "Trusted now",
                (false, false) => "Trusted already",
                (true, true) => "No longer trusted",
                (true, false) => "Was not trusted",
            };
            let _ = writeln!(text, "{word}: {name}.");
            let member = if arguments.remove { "removed" } else { "new" };
            list.push(json!({"name": name, member: changed}));
        }
    }
    Ok(Answer::new(json!({"anchors": list, "known_issuers": desk.known_issuers()?}), text))
}

/// What an anchor may vouch for, in the words of the command line.
fn limits(issues: &[String], status_hosts: &[String]) -> Option<AnchorLimits> {
    let named = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let vct =
        |type_: &String| credential_type::by_id(type_).map_or_else(|| type_.clone(), |known| known.vct.to_owned());
    let limits = AnchorLimits {
        types: named(issues).map(|list| list.iter().map(vct).collect()),
        status_hosts: named(status_hosts),
    };
    (limits != AnchorLimits::default()).then_some(limits)
}

fn take(desk: &Arc<Desk>, list: &str, arguments: &Trust) -> Result<Answer, Failure> {
    let signers = arguments.list_signer.as_ref().map(offline::read).transpose()?;
    let state = if list.starts_with("https://") || list.starts_with("http://") {
        let url = VerifierUrl::parse(list).map_err(|error| {
            Failure::usage(format!("the list cannot be fetched there: {error}"), "give an https address, or a file")
        })?;
        runtime()?.block_on(desk.fetch_trust_list(url.as_str(), signers.as_deref()))?
    } else {
        let token = String::from_utf8(offline::read(&PathBuf::from(list))?).map_err(|_| {
            Failure::new(Exit::Refused, "trust_list", format!("{list} is no trust list"), "ask for the list again")
        })?;
        desk.take_trust_list(&token, None, signers.as_deref())?
    };
    let (named, withdrawn) = state.names;
    let mut text = format!("Taken: {}\nIt names {named} anchors and withdraws {withdrawn}.\n", line(&state));
    if state.word() == "stale" {
        text.push_str("It has ended: it vouches for nobody. Get a newer one.\n");
    }
    Ok(Answer::new(json!({"trust_list": json_of(&state), "known_issuers": desk.known_issuers()?}), text))
}

fn remove(desk: &Desk, list: &str) -> Result<Answer, Failure> {
    let removed = desk.remove_trust_list(list)?;
    let text = if removed { "The list is no longer believed." } else { "There was no such list." };
    Ok(Answer::new(json!({"removed": removed}), text.to_owned()))
}

fn show(desk: &Desk) -> Result<Answer, Failure> {
    let (lists, anchors) = (desk.trust_list_states()?, desk.believed()?);
    let mut text = String::new();
    let mut objects = Vec::new();
    for anchor in anchors.iter() {
        let limits = anchor.limits().cloned().unwrap_or_default();
        let said = |list: &Option<Vec<String>>| list.as_ref().map(|list| escaped(&list.join(", ")).into_owned());
        let types = said(&limits.types).map_or_else(String::new, |types| format!(", for {types}"));
        let hosts = said(&limits.status_hosts).map_or_else(String::new, |hosts| format!(", lists at {hosts}"));
        let usages: Option<Vec<_>> = anchor.usages().map(words::usages);
        let usages_text = usages.as_ref().map_or_else(String::new, |usages| format!(", as {}", usages.join(", ")));
        let end = anchor.list_end().map_or_else(|| ", by hand".to_owned(), |end| format!(", by a list until {end}"));
        let _ = writeln!(text, "{}{usages_text}{types}{hosts}{end}", anchor.subject());
        objects.push(json!({
            "name": anchor.subject(), "types": limits.types, "status_hosts": limits.status_hosts, "usages": usages,
            "until": anchor.list_end().map(|end| end.to_string()),
        }));
    }
    if objects.is_empty() {
        text.push_str("Nobody is trusted yet.\n");
    }
    for list in &lists {
        let _ = writeln!(text, "{}", line(list));
    }
    Ok(Answer::new(json!({"anchors": objects, "trust_lists": lists_json(&lists)}), text))
}

/// A list for a person, in one line.
pub(super) fn line(list: &TrustListState) -> String {
    let TrustListState { name, signer, number, ends_at, age, trouble, .. } = list;
    let trouble = trouble.as_ref().map_or_else(String::new, |trouble| format!("; not renewed: {trouble}"));
    format!(
        "{}, {age} old, until {ends_at}: trust list {name}, number {number}, signed by {signer}{trouble}",
        list.word()
    )
}

/// Lists for a script.
pub(super) fn lists_json(lists: &[TrustListState]) -> Value {
    lists.iter().map(json_of).collect()
}

fn json_of(list: &TrustListState) -> Value {
    json!({
        "name": list.name, "address": list.address, "signer": list.signer, "number": list.number, "state": list.word(),
        "issued_at": list.issued_at.to_string(), "fetched_at": list.fetched_at.to_string(),
        "ends_at": list.ends_at.to_string(), "age": list.age.to_string(), "anchors": list.names.0,
        "withdrawn": list.names.1, "trouble": list.trouble,
    })
}
