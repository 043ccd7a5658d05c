//! Text from a peer, made safe to show: what would move, hide or forge what is read is shown as an escape.

use std::borrow::Cow;

/// `text` with control characters, line breaks, invisible and direction-changing characters written as `\u{…}`.
///
/// Letters of every script stay as they are; nothing is normalised, so two texts that differ stay different.
///
/// # Source
/// SD-JWT VC §7.6 "Risks Associated with Textual Information"; Unicode TR 36 §3.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether `c` is not seen as itself: category Cc, line and paragraph separators, and the format characters that
/// hide or reorder.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_13_direction_overrides_and_invisible_characters_are_rendered_escaped() {
        assert_eq!(escaped("Олена Ñandú 李"), "Олена Ñandú 李");
        assert_eq!(escaped("a\u{202e}gpj.exe"), "a\\u{202e}gpj.exe");
        assert_eq!(escaped("a\r\nlog"), "a\\u{d}\\u{a}log");
        assert_eq!(escaped("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
    }
}
