//! Language tags, and which of several texts is for whom.

use std::fmt;

/// A language tag that is well-formed; whether its subtags are registered is not checked.
///
/// # Source
/// RFC 5646 §2.1, §2.2.9 "well-formed".
#[derive(Debug, Clone)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Reads a tag: subtags of one to eight ASCII letters and digits, the first of letters, none of a single character last.
    pub fn parse(text: &str) -> Option<Self> {
        let subtags: Vec<&str> = text.split('-').collect();
        let (first, last) = (subtags.first()?, subtags.last()?);
        let is_subtag = |s: &&str| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
        let begins = first.bytes().all(|b| b.is_ascii_alphabetic()) && (first.len() > 1 || subtags.len() > 1);
        let is_tag = text.len() <= LONGEST && subtags.iter().all(is_subtag) && begins && last.len() > 1;
        is_tag.then(|| Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same tag; case does not matter.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether `range` is this tag or the beginning of it.
    fn begins_with(&self, range: &str) -> bool {
        match (self.0.get(..range.len()), self.0.as_bytes().get(range.len())) {
            (Some(beginning), None | Some(b'-')) => beginning.eq_ignore_ascii_case(range),
            _ => false,
        }
    }
}

const LONGEST: usize = 64;

impl PartialEq for LanguageTag {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for LanguageTag {}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one of `texts` that suits someone who would read `preferred`, the most wished for first.
///
/// By lookup: `de-CH-1996` finds `de-CH-1996`, `de-CH`, `de`. Where that finds nothing, by filtering: `de` finds `de-AT`. Where that
/// finds nothing either, the first text: the person still sees something.
///
/// # Source
/// RFC 4647 §3.4 "Lookup", §3.3.1 "Basic Filtering".
pub(super) fn choose<'t, T>(texts: &'t [T], tag: impl Fn(&T) -> &LanguageTag, preferred: &[&str]) -> Option<&'t T> {
    let with = |range: &str| texts.iter().find(|text| tag(text).is(range));
    let ranges = || preferred.iter().copied().filter(|range| *range != "*");
    ranges()
        .find_map(|range| truncations(range).find_map(with))
        .or_else(|| ranges().find_map(|range| texts.iter().find(|text| tag(text).begins_with(range))))
        .or_else(|| texts.first())
}

/// `range`, and then it without its last subtag, a single character that would stand last included, down to the first subtag.
fn truncations(range: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(range), |range| {
        let (mut rest, _) = range.rsplit_once('-')?;
        if let Some((before, last)) = rest.rsplit_once('-')
            && last.len() == 1
        {
            rest = before;
        }
        Some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen<'t>(tags: &'t [&str], preferred: &[&str]) -> &'t str {
        let parsed: Vec<LanguageTag> = tags.iter().map(|tag| LanguageTag::parse(tag).unwrap()).collect();
        let found = choose(&parsed, |tag| tag, preferred).unwrap();
        tags.iter().find(|tag| **tag == found.as_str()).unwrap()
    }

    #[test]
    fn rfc4647_3_4_a_range_is_shortened_until_it_is_found() {
        // The example of the section.
        let range = "zh-Hant-CN-x-private1-private2";
        let found: Vec<&str> = truncations(range).collect();
        assert_eq!(found, [range, "zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"]);
        assert_eq!(chosen(&["en", "zh", "zh-Hant"], &[range]), "zh-Hant");
        assert_eq!(chosen(&["en", "es-MX", "es"], &["ES-mx", "en"]), "es-MX");
        assert_eq!(chosen(&["en", "uk"], &["pl", "uk-UA", "en"]), "uk");
        // The order is the person's.
        assert_eq!(chosen(&["en", "uk"], &["en", "uk"]), "en");
    }

    #[test]
    fn what_is_not_found_falls_back() {
        assert_eq!(chosen(&["en-US", "de-DE"], &["de"]), "de-DE");
        assert_eq!(chosen(&["en-US", "de-DE"], &["de-AT"]), "en-US");
        assert_eq!(chosen(&["en-US", "de-DE"], &["d"]), "en-US");
        assert_eq!(chosen(&["en-US", "de-DE"], &["*"]), "en-US");
        assert_eq!(chosen(&["ar", "en"], &[]), "ar");
        assert!(choose(&[], |tag: &LanguageTag| tag, &["en"]).is_none());
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for tag in ["en", "de-CH-1996", "zh-Hant-TW", "x-amparo", "i-klingon", "sr-Latn-RS", "es-419"] {
            assert!(LanguageTag::parse(tag).is_some(), "{tag}");
        }
        for tag in
            ["", "e", "1n", "en_US", "en-", "-en", "en--US", "toolonglanguage", "en-x", "en\u{202e}", "en US", "*"]
        {
            assert!(LanguageTag::parse(tag).is_none(), "{tag}");
        }
        assert!(LanguageTag::parse(&"en-a1".repeat(20)).is_none());
    }
}
