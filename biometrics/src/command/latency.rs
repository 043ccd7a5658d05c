//! `latency`: what an unlock by face spends its time and memory on, apart from the vault and Argon2.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use biometrics::comparison::compare;
use biometrics::engine::Step;
use biometrics::protection::{Message, TransformSeed, release, seal};
use biometrics::sample::{DecodeError, Sample};
use biometrics::template::{Probe, Reference};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Map, Value, json};

use super::moment::{Moment, Spent};
use super::{Answer, ExtractorName, Failure, Modality, finger, home, latency_finger, median_ms, round3};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What is measured.
    #[arg(long, value_enum, default_value = "face")]
    modality: Modality,
    /// What finds the minutiae of a print [default: mindtct].
    #[arg(long, value_enum, value_name = "NAME")]
    extractor: Option<ExtractorName>,
    /// A portrait that the product takes, or a scanner's image of a print.
    image: PathBuf,
    /// How often each part is timed, after one turn that is not; with 0 there is only that one.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(0..=1000))]
    turns: u32,
    /// The portrait as a camera of 640 × 480 pixels would have it: reduced to fit, black beside it.
    #[arg(long)]
    camera: bool,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Arguments { modality, extractor, image, turns, camera } = arguments;
    let name = image.display().to_string();
    home::read_named(image)?;
    match (modality, extractor) {
        (Modality::Finger, _) if *camera => {
            return Err(Failure::usage("--camera is for faces", "leave --camera out for fingers"));
        }
        (Modality::Finger, _) => {
            return latency_finger::run(image, *turns, &mut finger::finder(extractor.unwrap_or_default(), home)?);
        }
        (Modality::Face, Some(_)) => {
            return Err(Failure::usage("--extractor is for finger images", "leave --extractor out for faces"));
        }
        (Modality::Face, None) => (),
    }
    let before = resident_kib("VmRSS");
    let started = Instant::now();
    let mut engine = home::load_engine(home)?;
    let load_ms = round3(started.elapsed().as_secs_f64() * 1e3);
    let (loaded, load_peak) = (resident_kib("VmRSS"), resident_kib("VmHWM"));
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(Failure::internal)?;
    let mut rng = ChaCha20Rng::from_seed(key);
    let mut parts: Vec<(&'static str, Vec<Spent>)> = PARTS.map(|part| (part, Vec::new())).into();
    let mut size = (0, 0);
    // The first turn is not counted: caches are cold, and the runtime allocates.
    for turn in 0..=*turns {
        let mut times = Vec::with_capacity(PARTS.len());
        let mut last = Moment::now();
        let mut lap = |counts: bool| {
            let now = Moment::now();
            times.extend(counts.then(|| now.since(&last)));
            last = now;
        };
        let mut sample = home::read_sample(image)?;
        lap(true);
        if *camera {
            sample = reduced(&sample).map_err(|error| Failure::decode(&name, error))?;
            lap(false);
        }
        size = (sample.width(), sample.height());
        let capture = engine.capture_in_steps(&sample, &mut |step| {
            // What a later version may add is part of the step that follows.
            if matches!(step, Step::Found | Step::Refined | Step::Aligned | Step::Embedded) {
                lap(true);
            }
        });
        let embedding = capture.map_err(|error| Failure::capture(&name, &error))?.into_embedding();
        let reference = Reference::fuse(&[&embedding]).map_err(Failure::internal)?;
        let (seed, message) = (TransformSeed::generate(&mut rng), Message::generate(&mut rng));
        let helper = seal(&reference, &seed, &message);
        let probe = Probe::from_frames(&[embedding]).map_err(Failure::internal)?;
        let started = Moment::now();
        std::hint::black_box(release(&probe, &seed, &helper));
        // The second stage.
        std::hint::black_box(compare(&probe, &reference)).map_err(Failure::internal)?;
        times.push(Moment::now().since(&started));
        if turn > 0 {
            parts.iter_mut().zip(times).for_each(|((_, all), time)| all.push(time));
        }
    }
    let mut sentences = format!(
        "{turns} turns on one thread; milliseconds by the clock (median) and of the processor (mean, counted in ticks of the \
         kernel); the models were loaded in {load_ms:.0}.\n"
    );
    let (mut told, mut told_processor) = (Map::new(), Map::new());
    let (mut template, mut template_processor) = (0.0, 0.0);
    for (part, times) in parts {
        let ms = median_ms(times.iter().map(|spent| spent.clock).collect());
        let processor = mean_ms(times.iter().filter_map(|spent| spent.processor));
        if TEMPLATE.contains(&part) {
            template += ms;
            template_processor += processor;
        }
        sentences.push_str(&format!("  {part:<28} {ms:>8.2} {processor:>8.2}\n"));
        told.insert(part.to_owned(), json!(ms));
        told_processor.insert(part.to_owned(), json!(processor));
    }
    let peak = resident_kib("VmHWM");
    let mib = |kib: Option<u64>| kib.map_or("not known here".to_owned(), |kib| format!("{} MiB", kib / 1024));
    sentences.push_str(&format!(
        "  template, without decoding   {template:>8.2} {template_processor:>8.2}\nPeak memory of this process {}: {} before the models, at most {} while they were loaded, {} with them.",
        mib(peak),
        mib(before),
        mib(load_peak),
        mib(loaded)
    ));
    told.insert("template".to_owned(), json!(round3(template)));
    told.insert("load".to_owned(), json!(load_ms));
    told_processor.insert("template".to_owned(), json!(round3(template_processor)));
    Ok(Answer {
        object: json!({ "turns": turns, "width": size.0, "height": size.1, "ms": Value::Object(told), "processor_ms": Value::Object(told_processor), "peak_rss_kib": peak, "peak_rss_loading_kib": load_peak, "rss_with_models_kib": loaded }),
        sentences,
    })
}

/// The picture in the middle of 640 × 480 pixels, each the mean of what it covers; a smaller one stays as it is.
fn reduced(sample: &Sample) -> Result<Sample, DecodeError> {
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let [to_width, to_height] = CAMERA.map(|length| length as usize);
    let scale = (width as f64 / to_width as f64).max(height as f64 / to_height as f64).max(1.0);
    let (own_width, own_height) = ((width as f64 / scale) as usize, (height as f64 / scale) as usize);
    let (left, top) = ((to_width - own_width) / 2, (to_height - own_height) / 2);
    let span = |i: usize, length: usize| {
        let [from, to] = [i, i + 1].map(|i| ((i as f64 * scale) as usize).min(length));
        from..to.max(from + 1).min(length)
    };
    let mut rgb = vec![0_u8; to_width * to_height * 3];
    for (y, row) in rgb.chunks_exact_mut(to_width * 3).skip(top).take(own_height).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).skip(left).take(own_width).enumerate() {
            let (rows, columns) = (span(y, height), span(x, width));
            let count = (rows.len() * columns.len()).max(1) as u64;
            let mut sums = [0_u64; 3];
            for row in rows {
                let run = (row * width + columns.start) * 3..(row * width + columns.end) * 3;
                let values = sample.as_rgb().get(run).unwrap_or_default();
                for covered in values.as_chunks::<3>().0 {
                    sums.iter_mut().zip(covered).for_each(|(sum, value)| *sum += u64::from(*value));
                }
            }
            pixel.iter_mut().zip(sums).for_each(|(pixel, sum)| *pixel = (sum / count) as u8);
        }
    }
    let [width, height] = CAMERA;
    Sample::from_rgb(width, height, rgb)
}

/// Ticks are some milliseconds long: a short part has one in some turns and none in others.
fn mean_ms(times: impl Iterator<Item = Duration>) -> f64 {
    let (sum, count) = times.fold((0.0, 0_u32), |(sum, count), time| (sum + time.as_secs_f64() * 1e3, count + 1));
    round3(sum / f64::from(count.max(1)))
}

/// A line of `/proc/self/status`; nothing where there is none.
pub(super) fn resident_kib(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Columns and rows.
const CAMERA: [u32; 2] = [640, 480];
const PARTS: [&str; 6] =
    ["decode", "detect", "refine the landmarks", "align and judge", "embed, two looks", "release of the key"];
/// What lies between a decoded picture and a template.
const TEMPLATE: [&str; 4] = ["detect", "refine the landmarks", "align and judge", "embed, two looks"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portrait_lies_in_the_middle_of_what_a_camera_has_and_keeps_its_brightness() {
        // Twice as high as a camera's picture; its left half is brighter.
        let (width, height) = (400_u32, 960_u32);
        let rgb = (0..width * height).flat_map(|i| if i % width < width / 2 { [200, 100, 50] } else { [40; 3] });
        let reduced = reduced(&Sample::from_rgb(width, height, rgb.collect()).unwrap()).unwrap();
        assert_eq!((reduced.width(), reduced.height()), (640, 480));
        let at = |x: usize, y: usize| reduced.as_rgb().get((y * 640 + x) * 3..).unwrap().first_chunk::<3>().unwrap();
        // 200 wide, so from 220 to 420.
        for y in [0, 240, 479] {
            assert_eq!(
                [at(219, y), at(220, y), at(319, y), at(320, y), at(419, y), at(420, y)],
                [&[0; 3], &[200, 100, 50], &[200, 100, 50], &[40; 3], &[40; 3], &[0; 3]]
            );
        }
    }
}
