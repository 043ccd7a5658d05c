//! A credential as a card: the SVG template of its type filled in, or a plain card of our own.

use crate::display::Shown;
use crate::holdings::{Credential, Held};
use crate::words::Words;
use credentials::type_metadata::{ColorScheme, Contrast, Orientation, ResolvedType, SvgTemplate, TypeDisplay};
use schemas::ClaimPath;
use serde_json::Value;
use std::fmt;
use std::fmt::Write as _;

/// A card: the text of an SVG document that holds claims of the person, runs nothing and refers to nothing outside itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    svg: String,
    is_template: bool,
}

impl Card {
    /// Draws a credential. A template is used that came with its type's document; one that stands elsewhere is not fetched now,
    /// and one that is not harmless is not used: then, and for mobile documents, it is a plain card.
    ///
    /// # Source
    /// SD-JWT VC §5.5.1, §8.4.
    pub fn of(held: &Held, credential: &Credential, words: &Words) -> Self {
        let display = words.display(held.type_id());
        let filled = display.and_then(|(resolved, display)| filled(resolved, display, credential));
        match filled {
            Some(svg) => Self { svg, is_template: true },
            None => {
                Self { svg: plain(held, credential, words, display.map(|(_, display)| display)), is_template: false }
            }
        }
    }

    /// The SVG document.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Whether it is the template of its type.
    pub const fn is_template(&self) -> bool {
        self.is_template
    }
}

/// The template that came with the type, filled in; none that is not exactly what the document names, or not harmless.
fn filled(resolved: &ResolvedType, display: &TypeDisplay, credential: &Credential) -> Option<String> {
    let Credential::SdJwtVc(credential) = credential else { return None };
    let reference = display.svg_template(Orientation::Landscape, ColorScheme::Light, Contrast::Normal)?;
    let data = reference.resource.data().filter(|data| data.media_type() == "image/svg+xml")?;
    reference.resource.check(data.bytes()).ok()?;
    SvgTemplate::parse(data.bytes()).ok()?.fill(resolved, &credential.as_issued()).ok()
}

const WIDTH: usize = 480;
const LINE: usize = 24;
/// The most claims on a plain card.
const MOST_LINES: usize = 24;
/// The most characters of a line: what is longer would leave the card.
const MOST_CHARS: usize = 52;
const BACKGROUND: [u8; 3] = [0x1f, 0x3a, 0x5f];
const TEXT: [u8; 3] = [0xff; 3];

/// A card of our own: what it is, whose word, and what is in it, pictures aside.
fn plain(held: &Held, credential: &Credential, words: &Words, display: Option<&TypeDisplay>) -> String {
    let simple = display.and_then(TypeDisplay::simple);
    let background = simple.and_then(|simple| simple.background_color).map_or(BACKGROUND, |color| color.0);
    let text = simple.and_then(|simple| simple.text_color).map_or(TEXT, |color| color.0);
    let claims = credential.claims();
    let told = claims.iter().filter(|(name, _)| !TECHNICAL.contains(&name.as_str()));
    let lines: Vec<String> = told
        .filter_map(|(name, value)| {
            Some(format!("{}: {}", words.claim(held.type_id(), &ClaimPath::names([name])), said(value)?))
        })
        .take(MOST_LINES)
        .collect();
    let height = 96 + LINE * lines.len();
    let (background, text) = (color(background), color(text));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\
         <rect x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{height}\" rx=\"12\" fill=\"{background}\"/>"
    );
    let mut line = |y: usize, size: usize, words: &str| {
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            "<text x=\"20\" y=\"{y}\" font-family=\"sans-serif\" font-size=\"{size}\" fill=\"{text}\">{}</text>",
            escaped(words)
        );
    };
    line(36, 20, words.type_name(held.type_id(), &held.label()).as_str());
    line(60, 13, held.issuer_name().as_str());
    for (n, words) in lines.iter().enumerate() {
        line(96 + LINE * n, 15, words);
    }
    svg.push_str("</svg>");
    svg
}

/// What is each copy's own, or of the token and not of the person.
const TECHNICAL: [&str; 8] = ["iss", "iat", "nbf", "exp", "vct", "vct#integrity", "cnf", "status"];

/// A value in a line; none of a picture, or of nothing.
fn said(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() || text.starts_with("data:") => return None,
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(said).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members.values().filter_map(said).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    Some(Shown::text(&text).to_string())
}

fn color([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text for XML, no longer than a line. What moves or hides text was written out before ([`Shown`]).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == MOST_CHARS {
            escaped.push('…');
            break;
        }
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Claims of a person are on it.
impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { svg, is_template } = self;
        f.debug_struct("Card").field("bytes", &svg.len()).field("is_template", is_template).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
