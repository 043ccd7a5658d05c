//! SVG templates, made harmless: only what draws, nothing that runs, fetches or repeats itself without end.

mod allowed;
mod fill;

pub use fill::FillError;

use super::claim::is_svg_id;
use super::resource::DataUri;
use crate::b64;
use crate::escape::escaped;
use allowed::{Shape, is_attribute, is_plain_value, is_style, shape};
use roxmltree::{Attribute, Document, Node, ParsingOptions};
use std::fmt::Write as _;

/// An SVG template that was read and written anew from an allow-list of elements, attributes and values. What is not in the
/// list is refused, not left out: a card that lacks a part could say something else.
///
/// No script, event handler, style sheet, animation, filter, link, `use`, foreign content or reference to anything outside is
/// in the list; a picture may only be in the template itself, as PNG, JPEG or WebP.
///
/// # Source
/// SD-JWT VC §5.5.1.2.2 "SVG Rendering".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SvgTemplate {
    pieces: Vec<Piece>,
}

/// What a filled-in template is put together from.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    /// XML as it stands.
    Literal(String),
    /// The `svg_id` of a claim whose value goes here, in text.
    Placeholder(String),
}

/// Why a template is not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SvgError {
    /// More bytes than are read.
    #[error("SVG of {got} bytes, at most {} are read", SvgTemplate::MOST_BYTES)]
    TooLong {
        /// What came.
        got: usize,
    },
    /// Not XML that we read: with a document type, more nodes than are read, or broken.
    #[error("not XML, or XML with a document type, or too many nodes")]
    NotXml,
    /// Not an `svg` element at the top.
    #[error("not an SVG document")]
    NotSvg,
    /// Nested deeper than is read.
    #[error("SVG nested deeper than {MOST_DEPTH}")]
    TooDeep,
    /// An element that is not in the list.
    #[error("element {0} is not drawn")]
    Element(String),
    /// An attribute that is not in the list, or not there.
    #[error("attribute {0} is not drawn")]
    Attribute(String),
    /// A value that could do more than draw.
    #[error("the value of attribute {0} is not drawn")]
    Value(String),
    /// A placeholder that is not one, or not in text.
    #[error("a placeholder is malformed or outside text")]
    Placeholder,
}

const MOST_DEPTH: usize = 32;
const MOST_NODES: u32 = 4096;
const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

impl SvgTemplate {
    /// The most bytes of a template.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads a template.
    ///
    /// # Errors
    /// [`SvgError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SvgError> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(SvgError::TooLong { got: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| SvgError::NotXml)?;
        // Without a document type there are no entities to grow; the limit of nodes bounds memory, and depth with it.
        let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|_| SvgError::NotXml)?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" || root.tag_name().namespace() != Some(SVG) {
            return Err(SvgError::NotSvg);
        }
        let mut writing = Writing { pieces: Vec::new(), text: String::new() };
        writing.element(root, 1)?;
        writing.pieces.push(Piece::Literal(writing.text));
        Ok(Self { pieces: writing.pieces })
    }

    /// The names of the claims that it shows.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Placeholder(id) => Some(id.as_str()),
        })
    }
}

/// The template as it is written anew.
struct Writing {
    pieces: Vec<Piece>,
    /// What follows the last piece.
    text: String,
}

impl Writing {
    /// Recursion is bounded by `depth`.
    fn element(&mut self, node: Node<'_, '_>, depth: usize) -> Result<(), SvgError> {
        let name = node.tag_name().name();
        let shape = shape(name).filter(|_| node.tag_name().namespace() == Some(SVG));
        let shape = shape.filter(|_| (depth == 1) == (name == "svg")).ok_or_else(|| SvgError::Element(shown(name)))?;
        if depth > MOST_DEPTH {
            return Err(SvgError::TooDeep);
        }
        if shape == Shape::Silent {
            return Ok(());
        }
        self.text.push('<');
        self.text.push_str(name);
        if depth == 1 {
            // Writing to a string does not fail.
            let _ = write!(self.text, " xmlns=\"{SVG}\"");
        }
        for attribute in node.attributes() {
            self.attribute(&attribute, shape)?;
        }
        self.text.push('>');
        for child in node.children() {
            if child.is_element() {
                self.element(child, depth + 1)?;
            } else if child.is_text() {
                self.characters(child.text().unwrap_or_default(), shape)?;
            }
            // Comments and processing instructions stay behind.
        }
        let _ = write!(self.text, "</{name}>");
        Ok(())
    }

    fn attribute(&mut self, attribute: &Attribute<'_, '_>, shape: Shape) -> Result<(), SvgError> {
        let (name, value) = (attribute.name(), attribute.value());
        let refused = || SvgError::Value(shown(name));
        let value = match (attribute.namespace(), name) {
            (None | Some(XLINK), "href") if shape == Shape::Picture => {
                let data =
                    DataUri::parse(value).filter(|data| data.media_type() != "image/svg+xml").ok_or_else(refused)?;
                format!("data:{};base64,{}", data.media_type(), b64::encode_standard(data.bytes()))
            }
            (Some(XML), "space") if matches!(value, "default" | "preserve") => {
                let _ = write!(self.text, " xml:space=\"{value}\"");
                return Ok(());
            }
            // Whatever language it is in, it is drawn the same.
            (Some(XML), "lang") => return Ok(()),
            (None, "version") => return Ok(()),
            (None, "style") if is_style(value) => value.to_owned(),
            (None, "style") => return Err(refused()),
            (None, name) if is_attribute(name) && is_plain_value(value) => value.to_owned(),
            (None, name) if is_attribute(name) => return Err(refused()),
            _ => return Err(SvgError::Attribute(shown(name))),
        };
        let _ = write!(self.text, " {name}=\"");
        escape_onto(&value, &mut self.text);
        self.text.push('"');
        Ok(())
    }

    /// Text, with its placeholders. Outside elements that show text there is only space.
    fn characters(&mut self, text: &str, shape: Shape) -> Result<(), SvgError> {
        if shape != Shape::Text {
            return if text.contains("{{") { Err(SvgError::Placeholder) } else { Ok(()) };
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (id, after) = after.split_once("}}").ok_or(SvgError::Placeholder)?;
            if !is_svg_id(id) {
                return Err(SvgError::Placeholder);
            }
            escape_onto(before, &mut self.text);
            self.pieces.push(Piece::Literal(std::mem::take(&mut self.text)));
            self.pieces.push(Piece::Placeholder(id.to_owned()));
            rest = after;
        }
        escape_onto(rest, &mut self.text);
        Ok(())
    }
}

/// Appends `text` with what means something to XML written as entities, and what XML does not have as U+FFFD.
///
/// # Source
/// SD-JWT VC §5.5.1.2.2; XML 1.0 §2.2 "Characters".
fn escape_onto(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => to.push('\u{fffd}'),
            c if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => to.push('\u{fffd}'),
            c => to.push(c),
        }
    }
}

/// A name of the template's, safe to show.
fn shown(name: &str) -> String {
    escaped(name).chars().take(64).collect()
}

#[cfg(test)]
mod tests;
