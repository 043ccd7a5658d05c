//! Text that others wrote, made safe to show on a terminal or a screen.

use serde::Serialize;
use std::fmt;

/// Text of a peer (a name, a description, a claim), escaped so that it can be shown.
///
/// Control characters, line breaks, characters that turn the direction of writing (U+202E and its kin), invisible
/// characters stand as `\u{…}`, so that the text can neither move the cursor, nor forge a line of output, nor read
/// differently from what it says. The zero-width joiner and non-joiner stay where a script needs
/// them: between two letters outside ASCII. Longer text than asked for ends in `…`.
///
/// What is *not* checked: letters that only look like others (homoglyphs). A name is never a proof of who speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Shown(String);

impl Shown {
    /// The text of a name, at most 120 characters of it.
    pub fn name(text: &str) -> Self {
        Self::limited(text, NAME_CHARS)
    }

    /// The text of a sentence or a claim, at most 600 characters of it.
    pub fn text(text: &str) -> Self {
        Self::limited(text, TEXT_CHARS)
    }

    /// An address, whole, so that it can be opened: a parsed URL holds no character that needs escaping.
    pub fn address(url: &url::Url) -> Self {
        Self::limited(url.as_str(), url.as_str().len())
    }

    /// The host of an address, whole, with its port where that is not the usual one: who is reached is told by the end of a name.
    pub fn host(url: &url::Url) -> Self {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        Self::limited(&host, host.len())
    }

    /// The escaped text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first letter of the text and a full stop, for initials; nothing when there is no letter.
    pub fn initial(text: &str) -> Option<Self> {
        text.chars().find(|c| c.is_alphabetic()).map(|c| Self(format!("{}.", c.to_uppercase())))
    }

    fn limited(text: &str, most: usize) -> Self {
        let mut shown = String::with_capacity(text.len().min(4 * most));
        let mut before: Option<char> = None;
        let mut letters = text.chars().peekable();
        let mut count = 0;
        while let Some(letter) = letters.next() {
            if count == most {
                shown.push('…');
                break;
            }
            count += 1;
            let joins = is_joiner(letter)
                && before.is_some_and(is_foreign_letter)
                && letters.peek().copied().is_some_and(is_foreign_letter);
            if joins || !is_treacherous(letter) {
                shown.push(letter);
            } else {
                shown.extend(letter.escape_unicode());
            }
            before = Some(letter);
        }
        Self(shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Shown {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

const fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

fn is_foreign_letter(letter: char) -> bool {
    !letter.is_ascii() && letter.is_alphabetic()
}

/// Whether a character could move the cursor, turn the text, or hide in it.
///
/// General categories Cc, Cf, Zl, Zp and Co, and the invisible fillers, as ranges: the standard library knows only Cc.
pub const fn is_treacherous(letter: char) -> bool {
    matches!(letter,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}'
        | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

const NAME_CHARS: usize = 120;
const TEXT_CHARS: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attack_13_bidi_and_control_characters_are_shown_escaped() {
        assert_eq!(Shown::name("Shelter \u{202e}ecilop").as_str(), "Shelter \\u{202e}ecilop");
        assert_eq!(Shown::name("a\u{feff}b\u{200b}c\u{2066}").as_str(), "a\\u{feff}b\\u{200b}c\\u{2066}");
        let once = Shown::name("a\u{202e}b");
        assert_eq!(Shown::name(once.as_str()), once, "what is escaped already stays as it is");
    }

    #[test]
    fn attack_13_an_address_is_shown_to_the_end_of_its_host() {
        // As long as a name can be, and it begins as another would be written.
        let labels = ["border", "gov", "example"].into_iter().chain(std::iter::repeat_n("a123456789012345678901", 9));
        let host = format!("{}.evil.example", labels.collect::<Vec<_>>().join("."));
        assert!((121..=253).contains(&host.len()), "{}", host.len());
        let url = url::Url::parse(&format!("https://{host}/answer")).unwrap();
        assert_eq!(Shown::host(&url).as_str(), host);
        assert_eq!(Shown::address(&url).as_str(), url.as_str());
        let with_port = url::Url::parse("https://verifier.example:8443/answer").unwrap();
        assert_eq!(Shown::host(&with_port).as_str(), "verifier.example:8443");
        // Letters of other scripts stand as they are looked up, not as they look.
        let twin = url::Url::parse("https://b\u{43e}rder.example/").unwrap();
        assert!(Shown::host(&twin).as_str().starts_with("xn--"), "{}", Shown::host(&twin));
    }

    #[test]
    fn attack_56_terminal_and_log_injection_stays_literal() {
        assert_eq!(Shown::name("x\r\nverified: yes").as_str(), "x\\u{d}\\u{a}verified: yes");
        assert_eq!(Shown::name("\u{1b}[2J").as_str(), "\\u{1b}[2J");
        assert_eq!(Shown::name("{{7*7}} ${x} =cmd").as_str(), "{{7*7}} ${x} =cmd");
    }

    #[test]
    fn names_of_people_stay_as_they_are() {
        for name in ["José Núñez", "Zoë", "فاطمه\u{200c}زهرا", "李小龍", "Nguyễn Thị", "O'Brien", "क्\u{200d}षा"]
        {
            // The Devanagari virama is a mark, not a letter: there the joiner is shown, which is safe.
            let shown = Shown::name(name);
            assert!(shown.as_str() == name || name.contains('\u{200d}'), "{shown}");
        }
        assert_eq!(Shown::initial("  élise").unwrap().as_str(), "É.");
        assert_eq!(Shown::initial("\u{202e}"), None);
    }

    #[test]
    fn long_text_is_cut() {
        let shown = Shown::name(&"x".repeat(1_000_000));
        assert_eq!(shown.as_str().chars().count(), 121);
        assert!(shown.as_str().ends_with('…'));
    }

    proptest! {
        #[test]
        fn nothing_treacherous_is_ever_shown(text in any::<String>()) {
            let shown = Shown::text(&text);
            prop_assert!(shown.as_str().chars().all(|c| !is_treacherous(c) || is_joiner(c)));
        }
    }
}
