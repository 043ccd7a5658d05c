//! What a template may hold.

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It draws, or holds what draws.
    Drawing,
    /// It shows text.
    Text,
    /// It shows a picture.
    Picture,
    /// It says something about the template that nobody sees, and is left out with all that is in it.
    Silent,
}

/// What the element of that name is, if it is one of the list.
///
/// Not in it: what runs (`script`, `foreignObject`, event handlers), what fetches (`a`, `style`, `feImage`), what changes
/// (`animate`, `set`), what repeats (`use`, `pattern`, `mask`, `clipPath`, `marker`, `symbol`: ten of them inside one another draw
/// ten billion times), and what costs out of all proportion (`filter`).
pub(super) fn shape(name: &str) -> Option<Shape> {
    match name {
        "svg" | "g" | "defs" | "rect" | "circle" | "ellipse" | "line" | "polyline" | "polygon" | "path"
        | "linearGradient" | "radialGradient" | "stop" => Some(Shape::Drawing),
        "text" | "tspan" | "title" | "desc" => Some(Shape::Text),
        "image" => Some(Shape::Picture),
        "metadata" => Some(Shape::Silent),
        _ => None,
    }
}

/// Where things are and what shape they have.
const GEOMETRY: [&str; 32] = [
    "id",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "fx",
    "fy",
    "fr",
    "dx",
    "dy",
    "rotate",
    "d",
    "points",
    "pathLength",
    "width",
    "height",
    "viewBox",
    "preserveAspectRatio",
    "transform",
    "gradientTransform",
    "gradientUnits",
    "spreadMethod",
    "offset",
    "textLength",
    "lengthAdjust",
];

/// How things look: as attributes, and in `style`.
const LOOKS: [&str; 32] = [
    "fill",
    "fill-opacity",
    "fill-rule",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-miterlimit",
    "opacity",
    "color",
    "font-family",
    "font-size",
    "font-weight",
    "font-style",
    "font-variant",
    "font-stretch",
    "text-anchor",
    "text-decoration",
    "dominant-baseline",
    "alignment-baseline",
    "baseline-shift",
    "letter-spacing",
    "word-spacing",
    "stop-color",
    "stop-opacity",
    "display",
    "visibility",
    "paint-order",
    "vector-effect",
];

pub(super) fn is_attribute(name: &str) -> bool {
    GEOMETRY.contains(&name) || LOOKS.contains(&name)
}

/// Declarations of the looks above, and nothing else.
pub(super) fn is_style(text: &str) -> bool {
    text.split(';').filter(|declaration| !declaration.trim().is_empty()).all(|declaration| {
        let parts = declaration.split_once(':');
        parts.is_some_and(|(name, value)| LOOKS.contains(&name.trim()) && is_plain_value(value))
    })
}

/// The functions that a value may call. None of them leaves the template.
const FUNCTIONS: [&str; 10] =
    ["translate", "scale", "rotate", "matrix", "skewX", "skewY", "rgb", "rgba", "hsl", "hsla"];

/// Whether a value can do nothing but draw: no character that begins something else in CSS or in a URL, no function but those
/// above, and `url` only of something in the template.
pub(super) fn is_plain_value(value: &str) -> bool {
    if value.contains(|c: char| c.is_control() && !c.is_ascii_whitespace() || r"\:;@{}<>&".contains(c)) {
        return false;
    }
    if value.contains("/*") || value.contains("//") {
        return false;
    }
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('(') {
        let name_from =
            before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').map_or(0, |at| at + 1);
        let name = before.get(name_from..).unwrap_or(before);
        let is_local = || {
            after.split_once(')').is_some_and(|(id, _)| {
                let id = id.strip_prefix('#');
                id.is_some_and(|id| {
                    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                })
            })
        };
        if !(FUNCTIONS.contains(&name) || name == "url" && is_local()) {
            return false;
        }
        rest = after;
    }
    true
}
