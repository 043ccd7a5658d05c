//! `amparo-issuer types`.

use super::{Failure, Report};
use crate::configuration::Configuration;
use crate::desk::Issuer;
use schemas::ClaimPath;
use schemas::credential_type::{self, ClaimKind, CredentialType};
use serde_json::{Value, json};
use std::path::PathBuf;

/// `types --data DIR`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amparo-issuer types --data ./issuer --json")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        // What an issuer can issue is asked of an issuer: one whose keys do not hold can issue nothing.
        let _ = Issuer::open(&self.data)?;
        let types: Vec<Value> = credential_type::ALL.into_iter().map(as_json).collect();
        let texts: Vec<String> = credential_type::ALL.into_iter().map(as_text).collect();
        Ok(Some(Report { json: json!({"types": types}), text: texts.join("\n\n") }))
    }
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
