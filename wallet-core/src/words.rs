//! What types call themselves and their claims, in the person's language.

use crate::display::Shown;
use credentials::type_metadata::{Bundled, ResolvedType, TypeDisplay, TypeDocuments, resolve};
use schemas::mdoc::{by_doc_type, claim_of};
use schemas::{ClaimPath, PathElement, credential_type};
use std::collections::BTreeMap;

/// The words of some types.
///
/// What a document of our own says stands for itself. What others write could call a thing by another's name, so the claim's
/// own name stands beside it.
#[derive(Debug, Clone, Default)]
pub struct Words {
    languages: Vec<String>,
    types: BTreeMap<String, ResolvedType>,
}

impl Words {
    /// The words of these types, and of our own, for someone who would read `languages`, the most wished for first. A type without
    /// a document has none.
    pub fn new<'t>(
        languages: &[String],
        documents: &dyn TypeDocuments,
        types: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let own = credential_type::ALL.iter().map(|own| own.vct);
        let resolved =
            types.into_iter().chain(own).filter_map(|vct| Some((vct.to_owned(), resolve(vct, None, documents).ok()?)));
        Self { languages: languages.to_vec(), types: resolved.collect() }
    }

    /// The words of our own types.
    pub fn of_our_own(languages: &[String]) -> Self {
        Self::new(languages, &Bundled::only(), [])
    }

    /// What a type (a `vct` or a document type) is called; `otherwise` where nobody says.
    pub fn type_name(&self, type_id: &str, otherwise: &Shown) -> Shown {
        let display = self.of(type_id).and_then(|resolved| resolved.display(&self.preferred()));
        display.map_or_else(|| otherwise.clone(), |display| Shown::name(&display.name()))
    }

    /// What a claim of that type is called: by its type, or else by its own name, parts joined by dots.
    pub fn claim(&self, type_id: &str, path: &ClaimPath) -> Shown {
        let claim = claim_of(path);
        let path = claim.as_ref().unwrap_or(path);
        let Some((label, rest)) = self.labelled(type_id, path) else { return dotted(path.elements()) };
        let label = if rest.is_empty() { label } else { format!("{label}.{}", dotted(rest)) };
        if is_ours(type_id) {
            Shown::name(&label)
        } else {
            // Whatever length another's word has, the claim's own name stays in sight.
            let label: String = Shown::name(&label).as_str().chars().take(MOST_OF_A_LABEL).collect();
            Shown::name(&format!("{label} ({})", dotted(path.elements())))
        }
    }

    /// A type with all that it extends, and how it looks.
    pub(crate) fn display(&self, type_id: &str) -> Option<(&ResolvedType, &TypeDisplay)> {
        let resolved = self.of(type_id)?;
        Some((resolved, resolved.display(&self.preferred())?))
    }

    /// The label of the longest part of the path that has one, and what is left of the path.
    fn labelled<'p>(&self, type_id: &str, path: &'p ClaimPath) -> Option<(String, &'p [PathElement])> {
        let resolved = self.of(type_id)?;
        let elements = path.elements();
        (1..=elements.len()).rev().find_map(|length| {
            let (part, rest) = elements.split_at_checked(length)?;
            let label = resolved.claim(&ClaimPath::new(part.to_vec()))?.label(&self.preferred())?;
            Some((label.label().into_owned(), rest))
        })
    }

    fn of(&self, type_id: &str) -> Option<&ResolvedType> {
        let vct = by_doc_type(type_id).map_or(type_id, |document| document.credential_type.vct);
        self.types.get(vct)
    }

    fn preferred(&self) -> Vec<&str> {
        self.languages.iter().map(String::as_str).collect()
    }
}

/// Characters of another's word for a claim: half of what is shown.
const MOST_OF_A_LABEL: usize = 60;

fn is_ours(type_id: &str) -> bool {
    by_doc_type(type_id).is_some() || credential_type::by_vct(type_id).is_some()
}

/// A path for people, escaped.
fn dotted(elements: &[PathElement]) -> Shown {
    let parts: Vec<String> = elements
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
    use serde_json::json;

    const IDENTITY: &str = "urn:amparo:identity:1";
    const PERMIT: &str = "https://issuer.example/types/permit/1";

    fn words(languages: &[&str]) -> Words {
        let document = json!({"vct": PERMIT, "extends": IDENTITY, "display": [{"locale": "en", "name": "Permit\u{202e}"}],
            "claims": [{"path": ["family_name"], "display": [{"locale": "en", "label": "Favourite colour\r\nyes"}]},
                       {"path": ["birth_date"], "display": [{"locale": "en", "label": "Favourite colour ".repeat(10)}]},
                       {"path": ["permits", null], "display": [{"locale": "en", "label": "Permit"}]}]});
        let documents = BTreeMap::from([(PERMIT.to_owned(), document.to_string().into_bytes())]);
        let languages: Vec<String> = languages.iter().map(|text| (*text).to_owned()).collect();
        Words::new(&languages, &Bundled::and(&documents), [PERMIT, "urn:example:none"])
    }

    fn path(value: serde_json::Value) -> ClaimPath {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn ours_are_called_as_the_person_reads() {
        let name = Shown::name("x");
        for (languages, kind) in [
            (&["es-MX", "en"][..], "Identidad"),
            (&["fr"], "Identité"),
            (&["zz"], "Identity"),
            (&["zz", "es"], "Identidad"),
        ] {
            assert_eq!(words(languages).type_name(IDENTITY, &name).as_str(), kind);
        }
        let words = words(&["en"]);
        assert_eq!(words.claim(IDENTITY, &path(json!(["nationalities", 0]))).as_str(), "Nationalities.0");
        assert_eq!(words.claim(IDENTITY, &path(json!(["address", "locality"]))).as_str(), "Address.locality");
        assert_eq!(
            words.claim("org.amparo.identity.1", &path(json!(["eu.europa.ec.eudi.pid.1", "nationality"]))).as_str(),
            "Nationalities"
        );
        assert_eq!(words.type_name("org.amparo.identity.1", &name).as_str(), "Identity");
        assert_eq!(words.claim("urn:example:none", &path(json!(["a", "b"]))).as_str(), "a.b");
        assert_eq!(words.type_name("urn:example:none", &name), name);
    }

    #[test]
    fn attack_13_56_words_of_others_are_safe_and_stand_beside_the_name() {
        let words = words(&["en"]);
        let colour = words.claim(PERMIT, &path(json!(["family_name"])));
        assert_eq!(colour.as_str(), "Favourite colour\\u{d}\\u{a}yes (family_name)");
        let long = words.claim(PERMIT, &path(json!(["birth_date"])));
        assert!(long.as_str().ends_with(" (birth_date)"), "{long}");
        assert_eq!(words.claim(PERMIT, &path(json!(["permits", 2]))).as_str(), "Permit (permits.2)");
        assert_eq!(words.claim(PERMIT, &path(json!(["given_name"]))).as_str(), "Given name (given_name)");
        assert_eq!(words.type_name(PERMIT, &Shown::name("x")).as_str(), "Permit\\u{202e}");
        // What one type says is said of no other.
        assert_eq!(words.claim(IDENTITY, &path(json!(["family_name"]))).as_str(), "Family name");
    }
}
