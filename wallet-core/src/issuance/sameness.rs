//! Whether two copies say the same, so that one may stand for the other.

use crate::holdings::Credential;
use credentials::cbor;
use credentials::mdoc::{Elements, Mdoc};
use credentials::sd_jwt::SdJwtVc;
use credentials::trust::VerifiedChain;
use schemas::ClaimPath;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Whether two copies say the same of the same person by the word of the same issuer, and let the holder hide the same: the
/// person is asked by the look of one copy, and another is shown. What must differ from copy to copy may: key, status, the
/// bytes of the portrait (`security.md` §3.2), and times, which an issuer may spread (RFC 9901 §10.1).
pub(super) fn say_the_same(one: &Credential, other: &Credential) -> bool {
    let signed_alike = one.issuer().map(VerifiedChain::leaf_sha256) == other.issuer().map(VerifiedChain::leaf_sha256);
    signed_alike
        && match (one, other) {
            (Credential::SdJwtVc(one), Credential::SdJwtVc(other)) => claim_the_same(one, other),
            (Credential::Mdoc(one), Credential::Mdoc(other)) => hold_the_same(one, other),
            _ => false,
        }
}

/// The same for documents: every element can be hidden, and what the device key may say must be the same too.
fn hold_the_same(one: &Mdoc, other: &Mdoc) -> bool {
    let held = |document: &Mdoc| -> Elements {
        let mut elements = document.elements();
        let portraits: Vec<(String, String)> = elements
            .iter()
            .filter(|(_, identifier, value)| PORTRAITS.contains(identifier) && value.as_bytes().is_some())
            .map(|(name_space, identifier, _)| (name_space.to_owned(), identifier.to_owned()))
            .collect();
        for (name_space, identifier) in portraits {
            elements.insert(&name_space, &identifier, cbor::Value::Null);
        }
        elements
    };
    one.authorizations() == other.authorizations() && held(one) == held(other)
}

/// [`say_the_same`] for SD-JWT VC.
fn claim_the_same(one: &SdJwtVc, other: &SdJwtVc) -> bool {
    let hidden = |credential: &SdJwtVc| -> BTreeSet<ClaimPath> { credential.disclosable_paths().into_iter().collect() };
    said(one) == said(other) && hidden(one) == hidden(other)
}

/// What is said, without what is each copy's own.
fn said(credential: &SdJwtVc) -> Map<String, Value> {
    let mut claims = credential.claims().clone();
    for name in ["cnf", "status", "iat", "nbf", "exp"] {
        claims.remove(name);
    }
    if let Some(picture @ Value::String(_)) = claims.get_mut("picture") {
        *picture = Value::Null;
    }
    claims
}

/// Whether a new copy says the same as an old one, but for what is derived from the day of its issuance.
pub(super) fn say_the_same_again(before: &Credential, now: &Credential) -> bool {
    let shape =
        |credential: &Credential| -> BTreeSet<ClaimPath> { credential.disclosable_paths().into_iter().collect() };
    let allowed = match (before, now) {
        (Credential::Mdoc(one), Credential::Mdoc(other)) => one.authorizations() == other.authorizations(),
        (Credential::SdJwtVc(_), Credential::SdJwtVc(_)) => true,
        _ => false,
    };
    let steady = |credential: &Credential| {
        let mut claims = match credential {
            Credential::SdJwtVc(credential) => said(credential),
            Credential::Mdoc(_) => credential.claims(),
        };
        // The type's document may have become another: what it allows is looked at where it is looked up.
        let may_change =
            |name: &str| name.starts_with("age_over_") || PORTRAITS.contains(&name) || name == "vct#integrity";
        claims.retain(|name, _| !may_change(name));
        claims
    };
    allowed && before.type_id() == now.type_id() && shape(before) == shape(now) && steady(before) == steady(now)
}

/// The elements whose bytes differ from copy to copy.
const PORTRAITS: [&str; 2] = ["portrait", "picture"];
