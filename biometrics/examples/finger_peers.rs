//! BOZORTH3 on minutiae of MINDTCT, and on those of the product's templates, in one run.
//!
//! `cargo run --release -p biometrics --example finger_peers -- TEMPLATES DPI DIR [DPI DIR…]`: folders of prints named
//! FINGER_IMPRESSION, and templates of them as `evaluate --keep TEMPLATES/SET/EXTRACTOR` wrote them. Every pair of impressions of each
//! folder once: all mated, all non-mated.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement by hand: it stops where it stands, reads files, and prints a table"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use biometrics::Sample;
use biometrics::comparison::ComparisonScore;
use biometrics::evaluation::{Evaluation, Rate};
use biometrics::finger::{FingerTemplate, RecordFormat, Resolution, write_record};

/// One print, as the matcher takes it.
struct Print {
    finger: String,
    minutiae: Vec<fprint_bozorth3::Minutia>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((templates, sets)) = arguments.split_first() else { return };
    println!("| set | matcher | mated | non-mated | EER | FMR100 | FMR1000 | extraction ms | comparisons/s |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for pair in sets.chunks_exact(2) {
        let [dpi, folder] = pair else { continue };
        set(Resolution::new(dpi.parse().unwrap()).unwrap(), Path::new(folder), Path::new(templates));
    }
}

fn set(resolution: Resolution, folder: &Path, templates: &Path) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "tif"));
    paths.sort();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let mut times = Vec::new();
    let by_nbis: Vec<Print> = paths.iter().map(|path| taken(path, resolution, &mut times)).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    row(&name, "MINDTCT + BOZORTH3", &by_nbis, &format!("{middle:.0}"));
    let kept = templates.join(&name).join("leader");
    if kept.is_dir() {
        let by_network: Vec<Print> = paths.iter().map(|path| read(path, &kept)).collect();
        row(&name, "LEADER + BOZORTH3", &by_network, "as ours");
    }
}

fn taken(path: &Path, resolution: Resolution, times: &mut Vec<Duration>) -> Print {
    let sample = Sample::decode(&std::fs::read(path).unwrap()).unwrap();
    let start = Instant::now();
    let grey: Vec<u8> = sample.as_rgb().chunks_exact(3).filter_map(|pixel| pixel.first().copied()).collect();
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let image = fprint_mindtct::GrayImage::new(&grey, width, height, resolution.dpi()).unwrap();
    let mut found = fprint_mindtct::detect_minutiae(image);
    times.push(start.elapsed());
    // As NBIS does: the best 150.
    found.sort_by_key(|m| std::cmp::Reverse(m.quality));
    found.truncate(150);
    let minutiae = found.iter().map(|m| fprint_bozorth3::Minutia::from_xyt(m.x, m.y, m.theta)).collect();
    Print { finger: finger(path), minutiae }
}

fn finger(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().rsplit_once('_').unwrap().0.to_owned()
}

/// By way of a standard's record, as any two programs exchange minutiae; BOZORTH3 counts rows from the bottom.
fn read(path: &Path, kept: &Path) -> Print {
    let template = std::fs::read(kept.join(path.file_stem().unwrap())).unwrap();
    let template = FingerTemplate::from_bytes(&template).unwrap();
    let record = write_record(RecordFormat::Iso19794, &template).unwrap();
    let (header, rest) = record.split_at(28);
    let height = i32::from(u16::from_be_bytes([header[16], header[17]]));
    let minutia = |bytes: &[u8; 6]| {
        let [x0, x1, y0, y1, angle, _] = *bytes;
        let (x, y) = (i32::from(u16::from_be_bytes([x0 & 0x3F, x1])), i32::from(u16::from_be_bytes([y0, y1])));
        fprint_bozorth3::Minutia::from_xyt(x, height - 1 - y, (f64::from(angle) * 360.0 / 256.0).round() as i32)
    };
    let count = usize::from(header[27]);
    Print { finger: finger(path), minutiae: rest.as_chunks::<6>().0.iter().take(count).map(minutia).collect() }
}

/// BOZORTH3 counts; the sigmoid keeps the order.
fn score(reference: &Print, probe: &Print) -> f64 {
    let score = f64::from(fprint_bozorth3::match_score(&probe.minutiae, &reference.minutiae));
    score / (score + 40.0)
}

fn row(set: &str, name: &str, prints: &[Print], extraction: &str) {
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for (i, first) in prints.iter().enumerate() {
        for second in prints.iter().skip(i + 1) {
            let value = ComparisonScore::of_a_peer(score(first, second)).unwrap();
            if first.finger == second.finger { &mut mated } else { &mut non_mated }.push(value);
        }
    }
    let speed = (mated.len() + non_mated.len()) as f64 / start.elapsed().as_secs_f64();
    let evaluation = Evaluation::new(mated, non_mated).unwrap();
    let [hundred, thousand] = [1e-2, 1e-3].map(|fmr| rate(evaluation.at_fmr(fmr).fnmr));
    println!(
        "| {set} | {name} | {} | {} | {:.2} % | {hundred} | {thousand} | {extraction} | {speed:.0} |",
        evaluation.mated().len(),
        evaluation.non_mated().len(),
        evaluation.eer() * 100.0,
    );
}

fn rate(rate: Rate) -> String {
    let interval = rate.interval();
    let percent = |v: f64| v * 100.0;
    format!(
        "{:.1} % ({}, {:.1}–{:.1} %)",
        percent(rate.value()),
        rate.misses,
        percent(interval.low),
        percent(interval.high)
    )
}
