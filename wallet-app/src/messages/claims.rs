//! Claims by name, never by value.

use schemas::ClaimPath;
use wallet_core::display::Shown;
use wallet_core::history::Disclosed;
use wallet_core::words::Words;

/// What was or would be disclosed, of which types.
pub(super) fn what(disclosed: &[Disclosed], words: &Words) -> String {
    let parts: Vec<String> = disclosed
        .iter()
        .map(|Disclosed { type_, paths }| {
            format!("{} of {}", listed(type_, paths, words), words.type_name(type_, &Shown::text(type_)))
        })
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Claims of one type for people. What stands inside another of them is not told twice.
pub(super) fn listed(type_id: &str, paths: &[ClaimPath], words: &Words) -> String {
    let inside = |path: &ClaimPath| paths.iter().any(|other| other != path && other.covers(path));
    let mut names: Vec<String> =
        paths.iter().filter(|path| !inside(path)).map(|path| words.claim(type_id, path).to_string()).collect();
    names.dedup();
    if names.is_empty() { "nothing that can be chosen".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::PathElement;

    const OTHER: &str = "urn:example:other";

    fn words() -> Words {
        Words::of_our_own(&["es".to_owned()])
    }

    #[test]
    fn what_stands_inside_another_is_not_told_twice() {
        let listed = |paths: &[ClaimPath]| listed(OTHER, paths, &words());
        let first = ClaimPath::new(vec![PathElement::Name("services".into()), PathElement::Index(0)]);
        assert_eq!(
            listed(&[first.clone(), ClaimPath::names(["services"]), ClaimPath::names(["address", "locality"])]),
            "services, address.locality"
        );
        assert_eq!(listed(&[first]), "services.0");
        assert_eq!(listed(&[]), "nothing that can be chosen");
    }

    #[test]
    fn claims_are_named_in_the_language_of_the_person() {
        let disclosed = |type_: &str| Disclosed {
            type_: type_.to_owned(),
            paths: vec![ClaimPath::names(["nationalities"]), ClaimPath::names(["org.iso.18013.5.1", "sex"])],
        };
        let said = what(&[disclosed("urn:amparo:identity:1")], &words());
        assert_eq!(said, "Nacionalidades, org.iso.18013.5.1.sex of Identidad");
        let nationality = ClaimPath::names(["eu.europa.ec.eudi.pid.1", "nationality"]);
        assert_eq!(listed("org.amparo.identity.1", &[nationality], &words()), "Nacionalidades");
        assert_eq!(what(&[disclosed(OTHER)], &words()), "nationalities, org.iso.18013.5.1.sex of urn:example:other");
    }

    #[test]
    fn attack_56_names_that_would_forge_a_line_are_escaped() {
        let forged = ClaimPath::names(["age\r\nYour consent ends today", "\u{202e}x"]);
        assert_eq!(listed(OTHER, &[forged], &words()), "age\\u{d}\\u{a}Your consent ends today.\\u{202e}x");
    }
}
