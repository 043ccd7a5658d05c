//! Claims by name, never by value.

use schemas::mdoc::claim_of;
use schemas::{ClaimPath, PathElement};
use wallet_core::display::Shown;
use wallet_core::history::Disclosed;

/// What was or would be disclosed, of which types.
pub(super) fn what(disclosed: &[Disclosed]) -> String {
    let parts: Vec<String> = disclosed
        .iter()
        .map(|disclosed| format!("{} of {}", listed(&disclosed.paths), Shown::text(&disclosed.type_)))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Claim paths for people: names joined by dots, escaped. What stands inside another of them is not told twice.
pub(super) fn listed(paths: &[ClaimPath]) -> String {
    let inside = |path: &ClaimPath| paths.iter().any(|other| other != path && other.covers(path));
    let mut names: Vec<String> =
        paths.iter().filter(|path| !inside(path)).map(|path| named(path).to_string()).collect();
    names.dedup();
    if names.is_empty() { "nothing that can be chosen".to_owned() } else { names.join(", ") }
}

/// One path for people: the claim that an element of an mdoc stands for, where it is one of ours.
pub(super) fn named(path: &ClaimPath) -> Shown {
    let claim = claim_of(path);
    let path = claim.as_ref().unwrap_or(path);
    let parts: Vec<String> = path
        .elements()
        .iter()
        .map(|element| match element {
            PathElement::Name(name) => name.clone(),
            PathElement::Index(index) => index.to_string(),
            PathElement::Every(()) => "*".to_owned(),
        })
        .collect();
    Shown::name(&parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_inside_another_is_not_told_twice() {
        let first = ClaimPath::new(vec![PathElement::Name("services".into()), PathElement::Index(0)]);
        assert_eq!(
            listed(&[first.clone(), ClaimPath::names(["services"]), ClaimPath::names(["address", "locality"])]),
            "services, address.locality"
        );
        assert_eq!(listed(&[first]), "services.0");
        assert_eq!(listed(&[]), "nothing that can be chosen");
        let nationality = ClaimPath::names(["eu.europa.ec.eudi.pid.1", "nationality"]);
        assert_eq!(
            listed(&[nationality, ClaimPath::names(["org.iso.18013.5.1", "sex"])]),
            "nationalities, org.iso.18013.5.1.sex"
        );
    }

    #[test]
    fn attack_56_names_that_would_forge_a_line_are_escaped() {
        let forged = ClaimPath::names(["age\r\nYour consent ends today", "\u{202e}x"]);
        assert_eq!(listed(&[forged]), "age\\u{d}\\u{a}Your consent ends today.\\u{202e}x");
    }
}
