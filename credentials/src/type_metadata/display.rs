//! How a type is called and looks in one language.

use super::claim::{MOST_LOCALES, check_locales, locale};
use super::{DocumentError, Integrity, IntegrityError, LanguageTag, Resource, read};
use crate::escape::escaped;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How a type is called and looks in one language.
///
/// # Source
/// SD-JWT VC §5.5 "Display Metadata".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDisplay {
    pub(super) locale: LanguageTag,
    name: String,
    description: Option<String>,
    simple: Option<SimpleRendering>,
    svg_templates: Vec<SvgReference>,
}

/// The look without a template.
///
/// # Source
/// SD-JWT VC §5.5.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleRendering {
    /// The logo.
    pub logo: Option<Logo>,
    /// The picture behind the text.
    pub background: Option<Background>,
    /// The colour behind the text.
    pub background_color: Option<Color>,
    /// The colour of the text.
    pub text_color: Option<Color>,
}

/// A logo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Where it is.
    pub resource: Resource,
    alt_text: Option<String>,
}

/// A picture behind the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Background {
    /// Where it is.
    pub resource: Resource,
}

/// A colour: red, green, blue.
///
/// # Source
/// CSS Color Module Level 3 §4.2.1: `#rgb`, `#rrggbb`, `rgb(r, g, b)` of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

/// An SVG template, where it is and what for it is made.
///
/// # Source
/// SD-JWT VC §5.5.1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvgReference {
    /// Where it is.
    pub resource: Resource,
    /// The orientation it is made for.
    pub orientation: Option<Orientation>,
    /// The colour scheme it is made for.
    pub color_scheme: Option<ColorScheme>,
    /// The contrast it is made for.
    pub contrast: Option<Contrast>,
}

/// How a screen is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// `portrait`
    Portrait,
    /// `landscape`
    Landscape,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScheme {
    /// `light`
    Light,
    /// `dark`
    Dark,
}

/// How much contrast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contrast {
    /// `normal`
    Normal,
    /// `high`
    High,
}

impl TypeDisplay {
    /// The language.
    pub const fn locale(&self) -> &LanguageTag {
        &self.locale
    }

    /// The name for people; safe to show.
    pub fn name(&self) -> Cow<'_, str> {
        escaped(&self.name)
    }

    /// More about it for people; safe to show.
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.description.as_deref().map(escaped)
    }

    /// The look without a template.
    pub const fn simple(&self) -> Option<&SimpleRendering> {
        self.simple.as_ref()
    }

    /// The templates, each for some properties.
    pub fn svg_templates(&self) -> &[SvgReference] {
        &self.svg_templates
    }

    /// The template that fits most of these wishes; the first of several that fit as well.
    ///
    /// # Source
    /// SD-JWT VC §5.5.1.2.1.
    pub fn svg_template(
        &self,
        orientation: Orientation,
        color_scheme: ColorScheme,
        contrast: Contrast,
    ) -> Option<&SvgReference> {
        // What it is made for weighs more than what it is not made against.
        let fits = |template: &SvgReference| {
            let weigh = |fits: Option<bool>| fits.map_or(0, |fits| if fits { 1 } else { -1 });
            weigh(template.orientation.map(|own| own == orientation))
                + weigh(template.color_scheme.map(|own| own == color_scheme))
                + weigh(template.contrast.map(|own| own == contrast))
        };
        self.svg_templates.iter().rev().max_by_key(|template| fits(template))
    }
}

impl Logo {
    /// The text in its place; safe to show.
    pub fn alt_text(&self) -> Option<Cow<'_, str>> {
        self.alt_text.as_deref().map(escaped)
    }
}

/// The most templates in one language.
const MOST_TEMPLATES: usize = 16;

/// Reads `display` of a type.
pub(super) fn displays(map: &Map<String, Value>) -> Result<Option<Vec<TypeDisplay>>, DocumentError> {
    let displays = read::objects(map, "display", MOST_LOCALES, display)?;
    check_locales(displays.iter().flatten().map(|display| &display.locale))?;
    Ok(displays)
}

fn display(map: &Map<String, Value>) -> Result<TypeDisplay, DocumentError> {
    let (mut simple, mut svg_templates) = (None, Vec::new());
    if let Some(rendering) = read::object(map, "rendering")? {
        simple = read::object(rendering, "simple")?.map(simple_rendering).transpose()?;
        svg_templates = read::objects(rendering, "svg_templates", MOST_TEMPLATES, svg)?.unwrap_or_default();
        let is_bare =
            |svg: &SvgReference| svg.orientation.is_none() && svg.color_scheme.is_none() && svg.contrast.is_none();
        if svg_templates.len() > 1 && svg_templates.iter().any(is_bare) {
            return Err(DocumentError::Missing("properties"));
        }
    }
    Ok(TypeDisplay {
        locale: locale(map)?,
        name: read::required(read::text(map, "name")?, "name")?,
        description: read::text(map, "description")?,
        simple,
        svg_templates,
    })
}

fn simple_rendering(map: &Map<String, Value>) -> Result<SimpleRendering, DocumentError> {
    let logo = |map| Ok::<_, DocumentError>(Logo { resource: resource(map)?, alt_text: read::text(map, "alt_text")? });
    let background = |map| Ok::<_, DocumentError>(Background { resource: resource(map)? });
    Ok(SimpleRendering {
        logo: read::object(map, "logo")?.map(logo).transpose()?,
        background: read::object(map, "background_image")?.map(background).transpose()?,
        background_color: color(map, "background_color")?,
        text_color: color(map, "text_color")?,
    })
}

fn svg(map: &Map<String, Value>) -> Result<SvgReference, DocumentError> {
    let properties = read::object(map, "properties")?;
    let property = |name: &'static str| match properties {
        Some(properties) => read::text(properties, name),
        None => Ok(None),
    };
    let orientation = match property("orientation")?.as_deref() {
        None => None,
        Some("portrait") => Some(Orientation::Portrait),
        Some("landscape") => Some(Orientation::Landscape),
        Some(_) => return Err(DocumentError::Malformed("orientation")),
    };
    let color_scheme = match property("color_scheme")?.as_deref() {
        None => None,
        Some("light") => Some(ColorScheme::Light),
        Some("dark") => Some(ColorScheme::Dark),
        Some(_) => return Err(DocumentError::Malformed("color_scheme")),
    };
    let contrast = match property("contrast")?.as_deref() {
        None => None,
        Some("normal") => Some(Contrast::Normal),
        Some("high") => Some(Contrast::High),
        Some(_) => return Err(DocumentError::Malformed("contrast")),
    };
    if properties.is_some() && orientation.is_none() && color_scheme.is_none() && contrast.is_none() {
        return Err(DocumentError::Missing("orientation, color_scheme or contrast"));
    }
    Ok(SvgReference { resource: resource(map)?, orientation, color_scheme, contrast })
}

/// `uri` and `uri#integrity`. An integrity that cannot be read spoils the picture, not the document: see [`Resource::check`].
fn resource(map: &Map<String, Value>) -> Result<Resource, DocumentError> {
    let Some(Value::String(uri)) = map.get("uri") else {
        return Err(map.get("uri").map_or(DocumentError::Missing("uri"), |_| DocumentError::Malformed("uri")));
    };
    let integrity: Option<Result<Integrity, IntegrityError>> = match map.get("uri#integrity") {
        None => None,
        Some(Value::String(text)) => Some(Integrity::parse(text)),
        Some(_) => return Err(DocumentError::Malformed("uri#integrity")),
    };
    Resource::new(uri, integrity).ok_or(DocumentError::Malformed("uri"))
}

fn color(map: &Map<String, Value>, name: &'static str) -> Result<Option<Color>, DocumentError> {
    let text = read::text(map, name)?;
    text.map(|text| Color::parse(&text).ok_or(DocumentError::Malformed(name))).transpose()
}

impl Color {
    /// Reads a colour.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
            let parts: Vec<u8> = inner.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
            return parts.try_into().ok().map(Self);
        }
        let digits: Vec<u8> = text
            .strip_prefix('#')?
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect::<Option<_>>()?;
        match digits.as_slice() {
            [r, g, b] => Some(Self([r, g, b].map(|digit| digit * 17))),
            [r, s, g, h, b, c] => Some(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        }
    }
}
