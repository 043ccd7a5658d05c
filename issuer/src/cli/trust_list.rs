//! `amparo-issuer trust-list`.

use super::{Failure, Report};
use crate::desk::{Issuer, TRUST_LIST_FILE};
use crate::init;
use crate::keys::software;
use crate::trust_list::{EntriesError, entries, number_of};
use credentials::trust::list::{TrustListDraft, TrustListIssueError};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use schemas::Seconds;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// `trust-list --data DIR --entries FILE [--valid 30d]`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-issuer trust-list --data ./registry --entries entries.json --valid 30d

FILE of --entries names the anchors, by paths from its own folder:
  {\"entries\": [{\"anchor\": \"shelter.pem\", \"usages\": [\"credential\", \"status\", \"mdoc\"], \"types\": [\"attestation\"],
                \"status_hosts\": [\"shelter.example\"]},
               {\"anchor\": \"post.pem\", \"usages\": [\"verifier\", \"mdoc-reader\"]},
               {\"anchor\": \"lost.pem\", \"withdrawn\": true}]}
Usages: credential, status, mdoc, verifier, mdoc-reader, verifier-attestation, wallet-attestation.

Each list has a higher number than the one before. `serve` gives it at /trust-list; verifiers and wallets need the list and
DIR/trust-anchor.pem, which says who signs it. Before it ends write the next one: an ended list vouches for nobody.")]
pub(super) struct Arguments {
    /// The directory of the authority: made by `init`, like an issuer's.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A JSON file that says whom to believe, for what.
    #[arg(long, value_name = "FILE")]
    entries: PathBuf,
    /// How long the list holds; at most 90d.
    #[arg(long, default_value = "30d", value_name = "TIME")]
    valid: Seconds,
    /// How soon verifiers look for the next one.
    #[arg(long, default_value = "12h", value_name = "TIME")]
    ttl: Seconds,
    /// Its number; one more than the list before when absent.
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    /// Write it here too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let issuer = Issuer::open(&self.data)?;
        let now = issuer.now();
        let text = std::fs::read(&self.entries).map_err(|error| unreadable(&self.entries, &error))?;
        let beside = self.entries.parent().unwrap_or_else(|| Path::new(""));
        let entries = entries(&text, |anchor| {
            let path = beside.join(anchor);
            std::fs::read(&path).map_err(|source| EntriesError::File { path, source })
        })?;
        let path = self.data.join(TRUST_LIST_FILE);
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => Some(number_of(&text).ok_or_else(|| damaged(&path))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let next = before.map_or(1, |before| before.saturating_add(1));
        let number = self.number.unwrap_or(next);
        if number < next {
            return Err(Failure::usage(
                "number_taken",
                format!("the list before has number {}", next - 1),
                "Leave --number out, or give a higher one: lists that are older than one taken are refused.",
            ));
        }
        let expires_at = now.plus(self.valid);
        let config = issuer.config();
        let signer = init::list_signer(&self.data, config, now, expires_at, &mut UnwrapErr(SysRng))?;
        let name = config.url.join(crate::metadata::TRUST_LIST_PATH);
        let draft = TrustListDraft {
            name: &name,
            sequence: number,
            issued_at: now,
            expires_at,
            ttl: self.ttl,
            entries: &entries,
        };
        let token = draft.sign(&signer.1, &signer.0)?;
        for path in [Some(path.as_path()), self.out.as_deref()].into_iter().flatten() {
            software::write_with_mode(path, format!("{token}\n").as_bytes(), 0o644)
                .map_err(|error| Failure::from(init::InitError::Write { path: path.to_owned(), source: error }))?;
        }
        let withdrawn = entries.iter().filter(|entry| entry.is_withdrawn()).count();
        let named = entries.len() - withdrawn;
        let file = self.out.as_ref().unwrap_or(&path).display().to_string();
        Ok(Some(Report {
            json: json!({
                "name": name, "number": number, "expires_at": expires_at.to_string(), "anchors": named,
                "withdrawn": withdrawn, "file": file,
            }),
            text: format!(
                "Trust list {name}, number {number}, names {named} anchors and withdraws {withdrawn}; it holds until \
                 {expires_at}.\nIt is in {file}, and `serve` gives it at its name."
            ),
        }))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage("unreadable", format!("{} cannot be read: {error}", path.display()), "Check the path.")
}

fn damaged(path: &Path) -> Failure {
    Failure::usage(
        "unreadable",
        format!("{} is no trust list", path.display()),
        "Put it back from a backup: its number must not be given twice.",
    )
}

impl From<EntriesError> for Failure {
    fn from(error: EntriesError) -> Self {
        Self::usage("invalid_entries", error.to_string(), "See `amparo-issuer trust-list --help` for an example.")
    }
}

impl From<TrustListIssueError> for Failure {
    fn from(error: TrustListIssueError) -> Self {
        let message = error.to_string();
        match error {
            TrustListIssueError::Lifetime => Self::usage("invalid_validity", message, "Give --valid 30d, for example."),
            TrustListIssueError::TooMany | TrustListIssueError::TooLong { .. } => {
                Self::usage("invalid_entries", message, "Name fewer authorities: wallets take no longer list.")
            }
            TrustListIssueError::Sign(_) => Self::internal(message),
            _ => Self::usage("invalid_entries", message, "Mend the file with the entries."),
        }
    }
}
