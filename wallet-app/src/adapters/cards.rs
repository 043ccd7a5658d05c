//! Cards as pictures. Fonts are in the program: what is drawn is the same on every machine, and nothing of the machine is read.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, ImageHrefResolver, Options, Tree};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wallet_core::card::Card;

/// The widest side of a picture.
const SIDE: f32 = 1_200.0;
/// How long drawing may take. Templates repeat nothing and filter nothing, so honest ones take far less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a card is not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// Not drawn by the library.
    #[error("the card of this type cannot be drawn as a picture")]
    Undrawable,
    /// It takes too long.
    #[error("the card of this type takes too long to draw")]
    TooLong,
}

/// A card as PNG, at most 1200 pixels a side. Pictures in a template are left out: they are decoded by nobody.
///
/// # Errors
/// [`CardError`].
pub fn png(card: &Card) -> Result<Vec<u8>, CardError> {
    png_of(card.svg().to_owned(), PATIENCE)
}

fn png_of(svg: String, patience: Duration) -> Result<Vec<u8>, CardError> {
    let (sender, receiver) = mpsc::channel();
    // In a thread of its own, which is left behind when it takes too long: this program ends soon after.
    std::thread::spawn(move || {
        let _ = sender.send(draw(&svg));
    });
    receiver.recv_timeout(patience).unwrap_or(Err(CardError::TooLong))
}

fn draw(svg: &str) -> Result<Vec<u8>, CardError> {
    let nothing = ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    let options =
        Options { fontdb: fonts(), font_family: FAMILY.to_owned(), image_href_resolver: nothing, ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|_| CardError::Undrawable)?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SIDE / width.max(height);
    let pixels = |side: f32| (side * scale).round().clamp(1.0, SIDE) as u32;
    let mut pixmap = Pixmap::new(pixels(width), pixels(height)).ok_or(CardError::Undrawable)?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|_| CardError::Undrawable)
}

const FAMILY: &str = "DejaVu Sans";

/// DejaVu Sans, whatever a template asks for: Latin, Cyrillic, Greek, Arabic, Hebrew, Armenian, Georgian and more.
fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    Arc::clone(FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family(FAMILY);
        fonts.set_serif_family(FAMILY);
        fonts.set_monospace_family(FAMILY);
        fonts.set_cursive_family(FAMILY);
        fonts.set_fantasy_family(FAMILY);
        Arc::new(fonts)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(svg: &str) -> Result<image::GrayImage, CardError> {
        let png = png_of(svg.to_owned(), PATIENCE)?;
        Ok(image::load_from_memory_with_format(&png, image::ImageFormat::Png).unwrap().to_luma8())
    }

    fn of(body: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 320 200\" width=\"320\" height=\"200\"><rect width=\"320\" height=\"200\" fill=\"#000\"/>{body}</svg>"
        )
    }

    fn light(picture: &image::GrayImage) -> usize {
        picture.pixels().filter(|pixel| pixel.0[0] > 128).count()
    }

    #[test]
    fn text_of_many_scripts_is_drawn_without_fonts_of_the_machine() {
        let empty = picture(&of("")).unwrap();
        assert_eq!((empty.dimensions(), light(&empty)), ((1200, 750), 0));
        for text in ["Ana Núñez", "Прізвище", "Ελένη", "فاطمة"] {
            for family in ["sans-serif", "serif", "Comic Sans MS", ""] {
                let drawn = of(&format!(
                    "<text x=\"9\" y=\"90\" font-size=\"30\" font-family=\"{family}\" fill=\"#fff\">{text}</text>"
                ));
                assert!(light(&picture(&drawn).unwrap()) > 500, "{text} in {family:?}");
            }
        }
    }

    #[test]
    fn attack_43_pictures_are_taken_from_nowhere() {
        let file = tempfile::NamedTempFile::with_suffix(".png").unwrap();
        let mut white = image::GrayImage::new(8, 8);
        white.pixels_mut().for_each(|pixel| pixel.0[0] = 255);
        white.save(file.path()).unwrap();
        for href in [file.path().display().to_string(), format!("file://{}", file.path().display())] {
            let drawn = of(&format!("<image href=\"{href}\" width=\"320\" height=\"200\"/>"));
            assert_eq!(light(&picture(&drawn).unwrap()), 0, "{href}");
        }
    }

    #[test]
    fn attack_44_what_is_huge_is_drawn_small_and_what_takes_long_is_given_up() {
        let huge = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e7\" height=\"9e6\"><rect width=\"1e7\" height=\"9e6\" fill=\"#fff\"/></svg>";
        assert_eq!(picture(huge).unwrap().dimensions(), (1200, 1080));
        let thin = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"100000\"/>";
        assert_eq!(picture(thin).unwrap().dimensions(), (1, 1200));
        assert_eq!(picture("<svg"), Err(CardError::Undrawable));
        let body = "<rect width=\"320\" height=\"200\" fill=\"#fff\" opacity=\"0.01\"/>".repeat(4_000);
        assert_eq!(png_of(of(&body), Duration::from_millis(1)), Err(CardError::TooLong));
    }
}
