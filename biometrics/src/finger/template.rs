//! The template of one impression: minutiae, and which way the ridges run between them.

use std::f32::consts::TAU;
use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::extractor::Extractor;
use super::field::OrientationField;

/// What a minutia is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Zeroize)]
pub enum MinutiaKind {
    /// Not known.
    #[default]
    Other,
    /// A ridge ends.
    Ending,
    /// A ridge forks.
    Bifurcation,
}

/// One minutia, at 500 dpi. Personal data: shows nothing in `Debug`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Minutia {
    /// Pixels from the left.
    pub(super) x: u16,
    /// Pixels from the top.
    pub(super) y: u16,
    /// 256ths of a turn, counter-clockwise from the right, as in ISO/IEC 19794-2.
    pub(super) angle: u8,
    pub(super) kind: MinutiaKind,
    /// 1 to 100; 0 if not known.
    pub(super) quality: u8,
}

impl Minutia {
    /// The angle in radians, counter-clockwise.
    pub(super) fn radians(&self) -> f32 {
        f32::from(self.angle) * TAU / 256.0
    }

    pub(super) fn place(&self) -> (f32, f32) {
        (f32::from(self.x), f32::from(self.y))
    }
}

impl fmt::Debug for Minutia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { x: _, y: _, angle: _, kind: _, quality: _ } = self;
        f.debug_struct("Minutia").finish_non_exhaustive()
    }
}

/// One impression of a finger. Personal data, wiped on drop.
pub struct FingerTemplate {
    pub(super) extractor: Extractor,
    /// The image's size in pixels at 500 dpi.
    pub(super) width: u16,
    pub(super) height: u16,
    /// The best first, at most [`MOST_MINUTIAE`].
    pub(super) minutiae: Zeroizing<Vec<Minutia>>,
    /// Ours only: templates in the standard formats have none.
    pub(super) field: Option<OrientationField>,
}

impl FingerTemplate {
    /// Keeps the best minutiae.
    pub(super) fn new(
        extractor: Extractor,
        (width, height): (u16, u16),
        mut minutiae: Zeroizing<Vec<Minutia>>,
        field: Option<OrientationField>,
    ) -> Self {
        // By place where quality is equal, so that the same template always comes out.
        minutiae.sort_by_key(|m| (std::cmp::Reverse(m.quality), m.y, m.x, m.angle));
        let mut template = Self { extractor, width, height, minutiae, field };
        template.keep_best(MOST_MINUTIAE);
        template
    }

    /// Leaves so many minutiae, the best: for media that hold few. What is dropped is wiped.
    pub fn keep_best(&mut self, most: usize) {
        if let Some(beyond) = self.minutiae.get_mut(most..) {
            beyond.iter_mut().for_each(Zeroize::zeroize);
        }
        self.minutiae.truncate(most);
    }

    /// What found its minutiae.
    #[must_use]
    pub const fn extractor(&self) -> Extractor {
        self.extractor
    }

    /// How many minutiae it has.
    #[must_use]
    pub fn minutiae(&self) -> usize {
        self.minutiae.len()
    }

    /// The stored form: version, extractor, size, minutiae, field. To be sealed, never stored as it is.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { extractor, width, height, minutiae, field } = self;
        let cells = field.as_ref().map_or(0, OrientationField::encoded_length);
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + MINUTIA * minutiae.len() + cells));
        bytes.extend_from_slice(&[VERSION, extractor.to_byte()]);
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.push(u8::try_from(minutiae.len()).unwrap_or(u8::MAX));
        for Minutia { x, y, angle, kind, quality } in minutiae.iter() {
            bytes.extend_from_slice(&x.to_be_bytes());
            bytes.extend_from_slice(&y.to_be_bytes());
            bytes.extend_from_slice(&[*angle, *kind as u8, *quality]);
        }
        if let Some(field) = field {
            field.write(&mut bytes);
        }
        bytes
    }

    /// Reads what [`FingerTemplate::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`FingerTemplateError`] if the version, a length or a value is not one that we write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FingerTemplateError> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(FingerTemplateError::WrongLength);
        };
        let [version, extractor, w0, w1, h0, h1, count] = *header;
        if version != VERSION {
            return Err(FingerTemplateError::UnknownVersion { got: version });
        }
        let extractor = Extractor::from_byte(extractor).ok_or(FingerTemplateError::NotATemplate)?;
        let (width, height) = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
        let count = usize::from(count);
        if count > MOST_MINUTIAE {
            return Err(FingerTemplateError::NotATemplate);
        }
        let (list, rest) = rest.split_at_checked(count * MINUTIA).ok_or(FingerTemplateError::WrongLength)?;
        let mut minutiae = Zeroizing::new(Vec::with_capacity(count));
        for entry in list.as_chunks::<MINUTIA>().0 {
            let [x0, x1, y0, y1, angle, kind, quality] = *entry;
            let (x, y) = (u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
            let kind = match kind {
                0 => MinutiaKind::Other,
                1 => MinutiaKind::Ending,
                2 => MinutiaKind::Bifurcation,
                _ => return Err(FingerTemplateError::NotATemplate),
            };
            if x >= width || y >= height || quality > 100 {
                return Err(FingerTemplateError::NotATemplate);
            }
            minutiae.push(Minutia { x, y, angle, kind, quality });
        }
        let field = if rest.is_empty() {
            None
        } else {
            Some(OrientationField::read(rest, width, height).ok_or(FingerTemplateError::WrongLength)?)
        };
        Ok(Self { extractor, width, height, minutiae, field })
    }
}

impl fmt::Debug for FingerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { extractor, width: _, height: _, minutiae: _, field: _ } = self;
        f.debug_struct("FingerTemplate").field("extractor", extractor).finish_non_exhaustive()
    }
}

/// Why stored bytes are no [`FingerTemplate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerTemplateError {
    /// A version of the encoding that we do not know.
    #[error("finger template version {got} is unknown, {VERSION} is known: take the print again")]
    UnknownVersion {
        /// The version found.
        got: u8,
    },
    /// Shorter or longer than its own header says.
    #[error("the finger template's length is not what its header says")]
    WrongLength,
    /// Values that no template has.
    #[error("the bytes are not those of a finger template")]
    NotATemplate,
}

/// More than a whole finger has; a bound on the work of a comparison.
pub const MOST_MINUTIAE: usize = 80;

/// 1 did not say which extractor had made it.
const VERSION: u8 = 2;
const HEADER: usize = 7;
const MINUTIA: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_minutiae_are_kept() {
        let minutia = |i: u16| Minutia { x: i, y: i, quality: u8::try_from(i).unwrap(), ..Minutia::default() };
        let list = Zeroizing::new((0..30).map(minutia).collect());
        let mut template = FingerTemplate::new(Extractor::Foreign, (100, 100), list, None);
        template.keep_best(40);
        assert_eq!(template.minutiae(), 30);
        template.keep_best(10);
        let kept: Vec<u8> = template.minutiae.iter().map(|m| m.quality).collect();
        assert_eq!(kept, (20..30).rev().collect::<Vec<u8>>());
    }
}
