//! Tests of decoding: what is taken, what is refused, and before what.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;

/// A picture whose four quarters differ: red, green, blue, grey.
fn picture(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| match (x * 2 < width, y * 2 < height) {
        (true, true) => image::Rgb([220, 20, 20]),
        (false, true) => image::Rgb([20, 220, 20]),
        (true, false) => image::Rgb([20, 20, 220]),
        (false, false) => image::Rgb([128, 128, 128]),
    }))
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn at(sample: &Sample, x: u32, y: u32) -> [u8; 3] {
    let start = ((y * sample.width() + x) * 3) as usize;
    sample.as_rgb()[start..start + 3].try_into().unwrap()
}

fn is_near(colour: [u8; 3], expected: [u8; 3]) -> bool {
    colour.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 25)
}

fn refused(bytes: &[u8]) -> DecodeError {
    Sample::decode(bytes).unwrap_err()
}

/// A PNG chunk with its checksum.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(body);
    let mut crc = u32::MAX;
    for byte in &bytes[4..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    bytes.extend_from_slice(&(!crc).to_be_bytes());
    bytes
}

/// Inserts a chunk behind a PNG's header.
fn with_chunk(png: &[u8], kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(kind, body), &png[33..]].concat()
}

/// A JPEG segment.
fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], &length[..], body].concat()
}

/// An EXIF segment that holds an orientation only.
fn exif(orientation: u8) -> Vec<u8> {
    let tiff = [b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat();
    segment(0xE1, &[b"Exif\0\0".as_slice(), &tiff].concat())
}

#[test]
fn every_format_is_read_and_its_name_does_not_matter() {
    for format in
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff]
    {
        let sample = Sample::decode(&encode(&picture(64, 48), format)).unwrap_or_else(|e| panic!("{format:?}: {e}"));
        assert_eq!((sample.width(), sample.height()), (64, 48), "{format:?}");
        assert!(is_near(at(&sample, 10, 10), [220, 20, 20]), "{format:?}");
        assert!(is_near(at(&sample, 10, 40), [20, 20, 220]), "{format:?}");
    }
}

#[test]
fn grey_deep_and_transparent_pictures_become_rgb() {
    let pictures = [
        DynamicImage::ImageLuma8(picture(32, 32).into_luma8()),
        DynamicImage::ImageLumaA16(picture(32, 32).into_luma_alpha16()),
        DynamicImage::ImageRgba8(picture(32, 32).into_rgba8()),
        DynamicImage::ImageRgb16(picture(32, 32).into_rgb16()),
    ];
    for picture in pictures {
        let sample = Sample::decode(&encode(&picture, ImageFormat::Png)).unwrap();
        assert!(is_near(at(&sample, 30, 30), [128; 3]), "{:?}", picture.color());
    }
}

#[test]
fn exif_orientation_is_applied() {
    let jpeg = encode(&picture(64, 48), ImageFormat::Jpeg);
    // 6: turn a quarter clockwise; the lower left comes up left.
    let turned = [&jpeg[..2], &exif(6), &jpeg[2..]].concat();
    let sample = Sample::decode(&turned).unwrap();
    assert_eq!((sample.width(), sample.height()), (48, 64));
    assert!(is_near(at(&sample, 5, 5), [20, 20, 220]));
    assert!(is_near(at(&sample, 40, 5), [220, 20, 20]));
    // An orientation that does not exist changes nothing.
    let odd = [&jpeg[..2], &exif(77), &jpeg[2..]].concat();
    assert_eq!(Sample::decode(&odd).unwrap().width(), 64);
}

#[test]
fn attack_93_what_is_no_picture_is_refused() {
    assert_eq!(refused(b""), DecodeError::Empty);
    assert_eq!(refused(b"Dear reader, I am a text named portrait.jpg"), DecodeError::NotAPicture);
    assert_eq!(refused(&[0; 64]), DecodeError::NotAPicture);
    for (bytes, format) in [
        (b"GIF89a........".as_slice(), "GIF"),
        (b"%PDF-1.7 ....", "PDF"),
        (b"\0\0\0\x18ftypheic....", "HEIC"),
        (b"\0\0\0\x18ftypavif....", "AVIF"),
        (b"<svg onload=alert(1)>", "SVG and XML"),
        (b"II\x2b\0........", "BigTIFF"),
    ] {
        assert_eq!(refused(bytes), DecodeError::UnsupportedFormat { format });
    }
    assert!(refused(b"GIF89a........").hint().contains("JPEG"));
}

#[test]
fn attack_93_sizes_are_checked_before_anything_is_allocated() {
    let png = |width: u32, height: u32| {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
        [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])].concat()
    };
    let too_many = |got| DecodeError::TooManyPixels { most: Sample::MAX_PIXELS, got };
    assert_eq!(refused(&png(65_535, 65_535)), too_many(65_535 * 65_535));
    assert_eq!(refused(&png(u32::MAX, u32::MAX)), too_many(u64::from(u32::MAX) * u64::from(u32::MAX)));
    assert_eq!(refused(&png(8_000, 6_250)), too_many(50_000_000));
    assert_eq!(refused(&png(0, 0)), DecodeError::NoPixels);
    assert_eq!(refused(&png(10, 0)), DecodeError::NoPixels);
    assert_eq!(refused(&png(100_000, 1)), DecodeError::TooLong { most: 16_384 });
    assert_eq!(refused(b"P6 65535 65535 255\n"), too_many(65_535 * 65_535));
    assert!(matches!(refused(b"P5 0 0 255\n"), DecodeError::NoPixels | DecodeError::Malformed));

    let mut jpeg = encode(&picture(64, 48), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    assert_eq!(refused(&jpeg), too_many(65_535 * 65_535));
    jpeg[frame + 5..frame + 9].fill(0);
    assert_eq!(refused(&jpeg), DecodeError::NoPixels);
    let most = Sample::MAX_BYTES;
    assert_eq!(refused(&vec![0; most + 1]), DecodeError::TooManyBytes { most, got: most + 1 });
}

#[test]
fn attack_93_compressed_text_and_profiles_are_not_expanded() {
    // A megabyte of zeros that a reader of text or profiles would inflate, a thousand times over: never handed on.
    let png = encode(&picture(32, 32), ImageFormat::Png);
    let mut bomb = png.clone();
    for _ in 0..50 {
        bomb = with_chunk(&bomb, b"zTXt", &[b"Comment\0\0".as_slice(), &[0x78; 100_000]].concat());
        bomb = with_chunk(&bomb, b"iCCP", &[b"profile\0\0".as_slice(), &[0x78; 100_000]].concat());
    }
    let stripped = png::strip(&bomb).unwrap();
    assert!(stripped.len() <= png.len());
    assert_eq!(Sample::decode(&bomb).unwrap().width(), 32);
    // A huge EXIF block is dropped with its orientation; a sane one is kept.
    let large = with_chunk(&png, b"eXIf", &vec![0; 10 << 20]);
    assert_eq!(Sample::decode(&large).unwrap().width(), 32);
}

#[test]
fn attack_93_ten_megabytes_of_exif_are_refused() {
    let jpeg = encode(&picture(64, 48), ImageFormat::Jpeg);
    let filler = segment(0xE1, &[0; 65_000]).repeat(160);
    let bomb = [&jpeg[..2], &filler, &jpeg[2..]].concat();
    assert!(matches!(refused(&bomb), DecodeError::TooMuchMetadata { .. }));
    let webp = encode(&picture(64, 48), ImageFormat::WebP);
    let extra = [b"EXIF".as_slice(), &(10_u32 << 20).to_le_bytes(), &vec![0; 10 << 20]].concat();
    let mut bomb = [webp.as_slice(), &extra].concat();
    let size = u32::try_from(bomb.len() - 8).unwrap().to_le_bytes();
    bomb[4..8].copy_from_slice(&size);
    assert!(matches!(refused(&bomb), DecodeError::TooMuchMetadata { .. }));
}

#[test]
fn attack_93_a_hundred_scans_are_refused() {
    let frame = segment(0xC2, &[8, 0x04, 0, 0x04, 0, 1, 1, 0x11, 0]);
    let scan = [segment(0xDA, &[1, 1, 0, 0, 0, 0]), vec![0x55; 10]].concat();
    let bomb = [b"\xFF\xD8".as_slice(), &frame, &scan.repeat(100), b"\xFF\xD9"].concat();
    assert_eq!(refused(&bomb), DecodeError::TooManyScans { most: 32, got: 33 });
    // The larger the picture, the fewer: 2,800 × 2,800 pixels are read sixteen times at most.
    let large = segment(0xC2, &[8, 0x0A, 0xF0, 0x0A, 0xF0, 1, 1, 0x11, 0]);
    let bomb = [b"\xFF\xD8".as_slice(), &large, &scan.repeat(20), b"\xFF\xD9"].concat();
    assert_eq!(refused(&bomb), DecodeError::TooManyScans { most: 16, got: 17 });
}

#[test]
fn attack_93_animations_and_pages_are_refused() {
    let png = encode(&picture(32, 32), ImageFormat::Png);
    assert_eq!(refused(&with_chunk(&png, b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0])), DecodeError::Animated);
    let webp = |kind: &[u8; 4], body: &[u8]| {
        let size = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [b"RIFF".as_slice(), &size, b"WEBP", kind, &length, body].concat()
    };
    assert_eq!(refused(&webp(b"VP8X", &[0x02, 0, 0, 0, 31, 0, 0, 31, 0, 0])), DecodeError::Animated);
    assert_eq!(refused(&webp(b"ANIM", &[0; 6])), DecodeError::Animated);
    let mut tiff = encode(&picture(32, 32), ImageFormat::Tiff);
    let directory = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
    let entries = usize::from(u16::from_le_bytes(tiff[directory..directory + 2].try_into().unwrap()));
    tiff[directory + 2 + 12 * entries] = 8;
    assert_eq!(refused(&tiff), DecodeError::SeveralPages);
}

#[test]
fn attack_93_truncated_pictures_are_refused() {
    for format in
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff]
    {
        let whole = encode(&picture(64, 48), format);
        for share in [1, 2, 5, 9] {
            let cut = &whole[..whole.len() * share / 10];
            assert!(Sample::decode(cut).is_err(), "{format:?} cut to {share}/10");
        }
    }
    let jpeg = encode(&picture(64, 48), ImageFormat::Jpeg);
    assert_eq!(refused(&jpeg[..jpeg.len() - 2]), DecodeError::Truncated);
}

/// Pictures that other programs wrote: the corpus of the fuzzer.
macro_rules! corpus {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fuzz/corpus/picture/", $name)).as_slice()
    };
}

#[test]
fn attack_93_cmyk_is_read_in_its_colours() {
    let plain = Sample::decode(corpus!("png")).unwrap();
    let cmyk = Sample::decode(corpus!("jpeg_cmyk")).unwrap();
    assert_eq!((cmyk.width(), cmyk.height()), (24, 16));
    let difference = plain.as_rgb().iter().zip(cmyk.as_rgb()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
    assert!(difference / (24.0 * 16.0 * 3.0) < 25.0, "inverted, or in other colours: {difference}");
    // A header of four components with nothing behind it.
    let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0");
    let frame = segment(0xC0, &[8, 0, 16, 0, 16, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    let scan = [segment(0xDA, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]), vec![0; 8]].concat();
    let hollow = [b"\xFF\xD8".as_slice(), &adobe, &frame, &scan, b"\xFF\xD9"].concat();
    assert_eq!(refused(&hollow), DecodeError::Malformed);
}

#[test]
fn attack_93_pictures_of_other_programs_are_read_turned_or_refused() {
    let size = |bytes: &[u8]| Sample::decode(bytes).map(|s| (s.width(), s.height()));
    for bytes in [
        corpus!("png"),
        corpus!("jpeg"),
        corpus!("jpeg_progressive"),
        corpus!("webp"),
        corpus!("webp_lossy"),
        corpus!("tiff"),
        corpus!("tiff_lzw"),
        corpus!("bmp"),
        corpus!("ppm"),
    ] {
        assert_eq!(size(bytes), Ok((24, 16)), "{:?}", &bytes[..16]);
    }
    assert_eq!((size(corpus!("jpeg_turned")), size(corpus!("one_pixel"))), (Ok((16, 24)), Ok((1, 1))));
    assert_eq!(size(corpus!("png_animated")), Err(DecodeError::Animated));
    assert_eq!(size(corpus!("webp_animated")), Err(DecodeError::Animated));
    assert_eq!(size(corpus!("jpeg_truncated")), Err(DecodeError::Truncated));
}

#[test]
fn attack_93_a_polyglot_is_only_what_its_first_bytes_say() {
    // A PNG with an archive behind it: the pixels are taken, nothing else is kept or looked at.
    let mut both = encode(&picture(32, 32), ImageFormat::Png);
    both.extend_from_slice(b"PK\x03\x04 and a whole archive");
    let sample = Sample::decode(&both).unwrap();
    assert_eq!(sample.as_rgb().len(), 32 * 32 * 3);
    // An archive with a picture behind it is none.
    let archive = [b"PK\x03\x04".as_slice(), &encode(&picture(32, 32), ImageFormat::Png)].concat();
    assert_eq!(refused(&archive), DecodeError::NotAPicture);
}

#[test]
fn a_camera_frame_must_have_its_size() {
    assert!(Sample::from_rgb(2, 2, vec![0; 12]).is_ok());
    assert_eq!(Sample::from_rgb(2, 2, vec![0; 11]).err(), Some(DecodeError::Truncated));
    assert_eq!(Sample::from_rgb(0, 2, Vec::new()).err(), Some(DecodeError::NoPixels));
    assert!(matches!(Sample::from_rgb(65_535, 65_535, Vec::new()).err(), Some(DecodeError::TooManyPixels { .. })));
    let sample = Sample::from_rgb(1, 1, vec![1, 2, 3]).unwrap();
    assert_eq!(format!("{sample:?}"), "Sample { width: 1, height: 1, .. }");
}

proptest! {
    #[test]
    fn damaged_pictures_never_panic(which in 0_usize..6, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff][which];
        let mut bytes = encode(&picture(24, 16), format);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = Sample::decode(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = Sample::decode(&bytes);
    }
}
