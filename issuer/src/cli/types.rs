//! `amparo-issuer types`.

use super::{Failure, Report};
use crate::configuration::Configuration;
use crate::desk::Issuer;
use credentials::type_metadata::Integrity;
use schemas::ClaimPath;
use schemas::credential_type::{self, ClaimKind, CredentialType};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// `types --data DIR [--document FILE]…`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-issuer types --data ./issuer --json
  amparo-issuer types --data ./issuer --document residence.json

A document (SD-JWT VC, section 5) describes a type of your own, whose vct is URL/types/…; `serve` serves it at that very
URL, at once. It may extend `identity` or `attestation` by their vct. What is published does not change: credentials name
its digest. Publish what is new under another vct, such as URL/types/residence/2.

This program issues its own types only. What is published describes credentials that other software of yours issues.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Publish this type metadata document; may be given several times, for a type and what it extends.
    #[arg(long, value_name = "FILE")]
    document: Vec<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        // What an issuer can issue is asked of an issuer: one whose keys do not hold can issue nothing.
        let issuer = Issuer::open(&self.data)?;
        if !self.document.is_empty() {
            return publish(&issuer, &self.document).map(Some);
        }
        let types: Vec<Value> = credential_type::ALL.into_iter().map(as_json).collect();
        let texts: Vec<String> = credential_type::ALL.into_iter().map(as_text).collect();
        Ok(Some(Report { json: json!({"types": types}), text: texts.join("\n\n") }))
    }
}

fn publish(issuer: &Issuer, paths: &[PathBuf]) -> Result<Report, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        documents.push(read(path).map_err(|error| {
            let message = format!("{} cannot be read: {error}", path.display());
            Failure::usage("document_file", message, "Give a JSON file of at most 512 KiB with the type's metadata.")
        })?);
    }
    let published = issuer.types().publish(&issuer.config().url, &documents)?;
    let list: Vec<Value> =
        published.iter().map(|vct| json!({"vct": vct, "integrity": integrity(issuer, vct)})).collect();
    let text = format!("Published: {}.", published.join(", "));
    Ok(Report { json: json!({"published": list}), text })
}

fn integrity(issuer: &Issuer, vct: &str) -> Option<String> {
    issuer.types().find(vct).map(|document| Integrity::of(&document).to_string())
}

/// A file, and no more of it than a document may have, and a byte.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(512 * 1024 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn as_json(credential_type: &CredentialType) -> Value {
    let claims = credential_type.claims.iter().map(|claim| {
        json!({
            "path": ClaimPath::names([claim.name]), "kind": claim.kind, "required": claim.required,
            "derived": claim.derived, "label": claim.label,
        })
    });
    let own = Configuration::all().filter(|configuration| configuration.credential_type.id == credential_type.id);
    let configurations = own.map(|c| json!({"id": c.to_string(), "format": c.format.identifier()}));
    json!({
        "id": credential_type.id, "vct": credential_type.vct, "doctype": doctype(credential_type),
        "configurations": configurations.collect::<Vec<_>>(),
        "label": credential_type.label, "claims": claims.collect::<Vec<_>>(),
    })
}

fn as_text(credential_type: &CredentialType) -> String {
    let mut text =
        format!("{} ({}, as a document {})", credential_type.id, credential_type.vct, doctype(credential_type));
    for claim in credential_type.claims {
        let note = match (claim.required, claim.derived) {
            (true, _) => ", required",
            (_, true) => ", derived from birth_date",
            _ => "",
        };
        text.push_str(&format!("\n  {:<18} {}: {}{note}", claim.name, claim.label, kind(claim.kind)));
    }
    text
}

fn doctype(credential_type: &CredentialType) -> &'static str {
    schemas::mdoc::by_credential_type(credential_type).map_or("", |document| document.doc_type)
}

const fn kind(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Text => "text",
        ClaimKind::Date => "date (YYYY-MM-DD)",
        ClaimKind::TextList => "list of texts",
        ClaimKind::Boolean => "true or false",
        ClaimKind::Integer => "whole number",
        ClaimKind::TextMap => "object of texts",
        ClaimKind::Picture => "JPEG data URL, at most 12 KiB",
    }
}
