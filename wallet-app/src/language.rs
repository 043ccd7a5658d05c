//! Which languages the person reads: as the command line says, or else as the system does.

use credentials::type_metadata::LanguageTag;
use std::sync::OnceLock;

/// For this process: one person sits before it.
static CHOSEN: OnceLock<Vec<String>> = OnceLock::new();

/// Takes what the command line says; without it, what the environment says. English is read last in any case.
pub(crate) fn choose(given: &[LanguageTag]) {
    let mut languages: Vec<String> = given.iter().map(|tag| tag.as_str().to_owned()).collect();
    if languages.is_empty() {
        languages
            .extend(["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| of_locale(&std::env::var(name).ok()?)));
    }
    languages.push(LAST.to_owned());
    // Chosen once: at the start.
    let _ = CHOSEN.set(languages);
}

/// The languages, the most wished for first.
pub(crate) fn preferred() -> Vec<String> {
    CHOSEN.get().cloned().unwrap_or_else(|| vec![LAST.to_owned()])
}

/// The language of a POSIX locale such as `es_MX.UTF-8@euro`; none of `C`.
fn of_locale(locale: &str) -> Option<String> {
    let name = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    LanguageTag::parse(&name).filter(|tag| !tag.is("POSIX")).map(|tag| tag.as_str().to_owned())
}

/// One language of the command line.
pub(crate) fn tag(text: &str) -> Result<LanguageTag, &'static str> {
    LanguageTag::parse(text).ok_or("a language tag, such as es, pt-BR or uk")
}

const LAST: &str = "en";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_languages() {
        for (locale, language) in [
            ("es_MX.UTF-8", Some("es-MX")),
            ("uk", Some("uk")),
            ("de_DE@euro", Some("de-DE")),
            ("C.UTF-8", None),
            ("C", None),
            ("POSIX", None),
            ("", None),
            ("\u{202e}es", None),
        ] {
            assert_eq!(of_locale(locale).as_deref(), language, "{locale}");
        }
    }
}
