//! Codes as pictures: QR codes on a page for print, or one after another on a screen.

use base64ct::{Base64, Encoding as _};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder as _, Luma};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Pixels of one module, and modules of white around a code (ISO/IEC 18004 asks for four).
const PIXELS: u32 = 6;
const QUIET: u32 = 4;
/// Codes beside each other on a page.
const COLUMNS: u32 = 2;

const WHITE: Luma<u8> = Luma([255]);
const BLACK: Luma<u8> = Luma([0]);

/// Why no picture was made of the codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// A text does not fit into a code.
    #[error("a code holds too much")]
    TooMuch(#[source] qrcode::types::QrError),
    /// A picture could not be written.
    #[error("a picture of the codes could not be made")]
    Picture(#[source] image::ImageError),
    /// A film of the codes could not be made.
    #[error("a film of the codes could not be made")]
    Film(#[source] gif::EncodingError),
    /// There are no codes.
    #[error("there are no codes")]
    None,
}

/// What stands on a sheet beside the codes; text of ours only.
pub struct Sheet<'t> {
    /// The language, as BCP 47 names it.
    pub language: &'t str,
    /// The heading.
    pub title: &'t str,
    /// What the person should know, a paragraph each.
    pub lines: &'t [String],
    /// The label of the switch that shows the codes one after another.
    pub in_turn: &'t str,
}

/// A page with all codes, as PNG.
///
/// # Errors
/// [`CodeError`]
pub fn page(codes: &[String]) -> Result<Vec<u8>, CodeError> {
    let drawn = codes.iter().map(|code| draw(code)).collect::<Result<Vec<_>, _>>()?;
    let side = drawn.iter().map(GrayImage::width).max().ok_or(CodeError::None)?;
    let count = u32::try_from(drawn.len()).unwrap_or(u32::MAX);
    let mut page = GrayImage::from_pixel(side * COLUMNS.min(count), side * count.div_ceil(COLUMNS), WHITE);
    for (place, code) in (0..).zip(&drawn) {
        let (x, y) = ((place % COLUMNS) * side, (place / COLUMNS) * side);
        image::imageops::replace(&mut page, code, x.into(), y.into());
    }
    png(&page)
}

/// A sheet to print or to show in a browser, as HTML without script: on paper all codes, on a screen one after another if the
/// person says so.
///
/// # Errors
/// [`CodeError`]
pub fn sheet(codes: &[String], sheet: &Sheet<'_>) -> Result<String, CodeError> {
    let Sheet { language, title, lines, in_turn } = sheet;
    let total = codes.len();
    if total == 0 {
        return Err(CodeError::None);
    }
    let mut html = String::new();
    let share = 100.0 / total as f64;
    // Writing to a String does not fail.
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"{language}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n\
         body{{font:1.3rem/1.5 sans-serif;margin:2rem auto;max-width:52rem;color:#000;background:#fff}}\n\
         .codes{{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:.5rem}}\n\
         figure{{margin:0;text-align:center;break-inside:avoid}} img{{width:100%;image-rendering:pixelated}}\n\
         @keyframes turn{{0%{{opacity:1}}{share:.4}%{{opacity:0}}}}\n\
         @media screen{{#turn:checked~.codes{{display:block;position:relative;height:46rem}}\n\
         #turn:checked~.codes figure{{position:absolute;width:100%;max-width:44rem;opacity:0;\
         animation:turn {cycle:.1}s step-end infinite}}}}\n\
         @media print{{input,label{{display:none}}body{{margin:0}}}}\n</style>\n<h1>{title}</h1>\n",
        cycle = total as f64 * SECONDS_EACH,
    );
    for line in *lines {
        let _ = writeln!(html, "<p>{line}</p>");
    }
    if total > 1 {
        let _ = writeln!(html, "<input type=\"checkbox\" id=\"turn\"> <label for=\"turn\">{in_turn}</label>");
    }
    html.push_str("<div class=\"codes\">\n");
    for (place, code) in codes.iter().enumerate() {
        let picture = Base64::encode_string(&png(&draw(code)?)?);
        let _ = writeln!(
            html,
            "<figure style=\"animation-delay:{:.1}s\"><img alt=\"{}/{total}\" src=\"data:image/png;base64,{picture}\">\
             <figcaption>{}/{total}</figcaption></figure>",
            place as f64 * SECONDS_EACH,
            place + 1,
            place + 1,
        );
    }
    html.push_str("</div>\n</html>\n");
    Ok(html)
}

/// The codes one after another, for ever, as GIF: for any screen that shows pictures.
///
/// # Errors
/// [`CodeError`]
pub fn film(codes: &[String]) -> Result<Vec<u8>, CodeError> {
    let drawn = codes.iter().map(|code| draw(code)).collect::<Result<Vec<_>, _>>()?;
    let side = drawn.iter().map(GrayImage::width).max().ok_or(CodeError::None)?;
    let side = u16::try_from(side).map_err(|_| CodeError::None)?;
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, side, side, &[0, 0, 0, 255, 255, 255]).map_err(CodeError::Film)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(CodeError::Film)?;
    for code in drawn {
        // A code that is smaller than the largest stands on white.
        let mut page = GrayImage::from_pixel(side.into(), side.into(), WHITE);
        image::imageops::replace(&mut page, &code, 0, 0);
        let indices: Vec<u8> = page.as_raw().iter().map(|pixel| u8::from(*pixel > 127)).collect();
        let mut frame = gif::Frame::from_indexed_pixels(side, side, indices, None);
        // In hundredths of a second.
        frame.delay = (SECONDS_EACH * 100.0) as u16;
        encoder.write_frame(&frame).map_err(CodeError::Film)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// How long a code stands on a screen before the next one does.
const SECONDS_EACH: f64 = 0.6;

/// One code for a terminal, light on dark, two rows of it in a line.
///
/// # Errors
/// [`CodeError`]
pub fn terminal(code: &str) -> Result<String, CodeError> {
    let code = QrCode::with_error_correction_level(code, EcLevel::L).map_err(CodeError::TooMuch)?;
    let (width, colors) = (code.width(), code.to_colors());
    let quiet = QUIET as usize;
    let is_dark = |x: usize, y: usize| match (x.checked_sub(quiet), y.checked_sub(quiet)) {
        (Some(x), Some(y)) if x < width && y < width => colors.get(y * width + x) == Some(&Color::Dark),
        _ => false,
    };
    let side = width + 2 * quiet;
    let mut drawn = String::with_capacity(side * (side / 2 + 1) * 3);
    for y in (0..side).step_by(2) {
        drawn.extend((0..side).map(|x| match (is_dark(x, y), y + 1 < side && !is_dark(x, y + 1)) {
            (false, true) => '█',
            (false, false) => '▀',
            (true, true) => '▄',
            (true, false) => ' ',
        }));
        drawn.push('\n');
    }
    Ok(drawn)
}

/// One code at error correction M: 15 % of it may be unreadable.
fn draw(code: &str) -> Result<GrayImage, CodeError> {
    let code = QrCode::with_error_correction_level(code, EcLevel::M).map_err(CodeError::TooMuch)?;
    let width = u32::try_from(code.width()).unwrap_or_default();
    let side = (width + 2 * QUIET) * PIXELS;
    let mut picture = GrayImage::from_pixel(side, side, WHITE);
    for (place, color) in (0..).zip(code.to_colors()) {
        if color == Color::Dark {
            let (left, top) = ((place % width + QUIET) * PIXELS, (place / width + QUIET) * PIXELS);
            for y in top..top + PIXELS {
                for x in left..left + PIXELS {
                    picture.put_pixel(x, y, BLACK);
                }
            }
        }
    }
    Ok(picture)
}

fn png(picture: &GrayImage) -> Result<Vec<u8>, CodeError> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter);
    encoder
        .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::L8)
        .map_err(CodeError::Picture)?;
    Ok(bytes)
}
