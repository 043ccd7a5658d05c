//! `latency --modality finger`: what a print costs, from an image of 400 × 500 pixels to a template.

use std::path::Path;

use biometrics::finger::{ExtractError, FingerCapture, FingerImage, MinutiaFinder, Resolution};
use biometrics::sample::{DecodeError, Sample};
use serde_json::json;

use super::latency::resident_kib;
use super::moment::Moment;
use super::{Answer, Failure, home, median_ms};

/// Times the extraction of one print; what is loaded for it is not counted.
pub(super) fn run(path: &Path, turns: u32, finder: &mut MinutiaFinder) -> Result<Answer, Failure> {
    let name = path.display().to_string();
    let sample = continued(&home::read_sample(path)?).map_err(|error| Failure::decode(&name, error))?;
    let fail = |error: ExtractError| Failure::unavailable(format!("{name}: {error}"), error.hint());
    let (mut clock, mut processor, mut minutiae) = (Vec::new(), Vec::new(), 0);
    // The first turn is not counted: caches are cold, and the runtime allocates.
    for turn in 0..=turns {
        let start = Moment::now();
        let image = FingerImage::from_scan(&sample, Resolution::STANDARD).map_err(fail)?;
        let capture = FingerCapture::take_ungated(&image, finder).map_err(fail)?;
        let spent = Moment::now().since(&start);
        minutiae = capture.template().minutiae();
        if turn > 0 {
            processor.push(spent.own());
            clock.push(spent.clock);
        }
    }
    let peak = resident_kib("VmHWM");
    let memory = peak.map_or_else(|| "not known here".to_owned(), |kib| format!("{} MiB", kib / 1024));
    let (clock, processor, extractor) = (median_ms(clock), median_ms(processor), finder.extractor().name());
    Ok(Answer {
        object: json!({
            "modality": "finger", "extractor": extractor, "width": WIDTH, "height": HEIGHT, "minutiae": minutiae, "turns": turns,
            "ms": clock, "processor_ms": processor, "peak_rss_kib": peak,
        }),
        sentences: format!(
            "{turns} turns on one thread: a template of {minutiae} minutiae by {extractor} from {WIDTH} × {HEIGHT} pixels, the picture continued \
             in a mirror to that size, takes {processor} ms of the processor, {clock} ms by the clock (median). Peak memory of this process: {memory}."
        ),
    })
}

/// The picture continued in a mirror to the right and down, or cut off.
fn continued(sample: &Sample) -> Result<Sample, DecodeError> {
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let inside =
        |i: usize, length: usize| if (i / length).is_multiple_of(2) { i % length } else { length - 1 - i % length };
    let mut rgb = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for row in 0..HEIGHT as usize {
        for column in 0..WIDTH as usize {
            let at = (inside(row, height) * width + inside(column, width)) * 3;
            rgb.extend_from_slice(sample.as_rgb().get(at..at + 3).unwrap_or(&[0; 3]));
        }
    }
    Sample::from_rgb(WIDTH, HEIGHT, rgb)
}

const WIDTH: u32 = 400;
const HEIGHT: u32 = 500;
