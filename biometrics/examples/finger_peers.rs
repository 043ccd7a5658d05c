//! The product's finger comparison beside MINDTCT with BOZORTH3, on the same images in one run.
//!
//! `cargo run --release -p biometrics --example finger_peers -- DPI DIR [DPI DIR…]`: folders of prints named
//! FINGER_IMPRESSION. Every pair of impressions of each folder once: all mated, all non-mated.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement by hand: it stops where it stands, reads files, and prints a table"
)]

use std::time::{Duration, Instant};

use biometrics::Sample;
use biometrics::comparison::ComparisonScore;
use biometrics::evaluation::{Evaluation, Rate};
use biometrics::finger::{FingerCapture, FingerImage, FingerProbe, FingerReference, Resolution, compare};

/// One print, as each side sees it.
struct Print {
    finger: String,
    probe: FingerProbe,
    reference: FingerReference,
    peer: Vec<fprint_bozorth3::Minutia>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("| set | matcher | mated | non-mated | EER | FMR100 | FMR1000 | extraction ms | comparisons/s |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for pair in arguments.chunks_exact(2) {
        let [dpi, folder] = pair else { continue };
        set(Resolution::new(dpi.parse().unwrap()).unwrap(), std::path::Path::new(folder));
    }
}

fn set(resolution: Resolution, folder: &std::path::Path) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "tif"));
    paths.sort();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let prints: Vec<Print> = paths.iter().map(|path| take(path, resolution, &mut ours, &mut theirs)).collect();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let own = |a: &Print, b: &Print| compare(&b.probe, &a.reference).value();
    row(&name, "ours", &prints, &mut ours, own);
    // BOZORTH3 counts; the sigmoid keeps the order.
    let peer = |a: &Print, b: &Print| {
        let score = f64::from(fprint_bozorth3::match_score(&b.peer, &a.peer));
        score / (score + 40.0)
    };
    row(&name, "MINDTCT + BOZORTH3", &prints, &mut theirs, peer);
}

fn take(path: &std::path::Path, resolution: Resolution, ours: &mut Vec<Duration>, theirs: &mut Vec<Duration>) -> Print {
    let sample = Sample::decode(&std::fs::read(path).unwrap()).unwrap();
    let start = Instant::now();
    let image = FingerImage::from_scan(&sample, resolution).unwrap();
    let template = FingerCapture::take_ungated(&image).unwrap().into_template();
    ours.push(start.elapsed());
    let start = Instant::now();
    let grey: Vec<u8> = sample.as_rgb().chunks_exact(3).filter_map(|pixel| pixel.first().copied()).collect();
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let image = fprint_mindtct::GrayImage::new(&grey, width, height, resolution.dpi()).unwrap();
    let mut found = fprint_mindtct::detect_minutiae(image);
    theirs.push(start.elapsed());
    // As NBIS does: the best 150.
    found.sort_by_key(|m| std::cmp::Reverse(m.quality));
    found.truncate(150);
    let peer = found.iter().map(|m| fprint_bozorth3::Minutia::from_xyt(m.x, m.y, m.theta)).collect();
    let finger = path.file_stem().unwrap().to_string_lossy().rsplit_once('_').unwrap().0.to_owned();
    Print { finger, probe: FingerProbe::new(&template), reference: FingerReference::enrol([&template]).unwrap(), peer }
}

fn row(set: &str, name: &str, prints: &[Print], times: &mut [Duration], score: impl Fn(&Print, &Print) -> f64) {
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
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    let [hundred, thousand] = [1e-2, 1e-3].map(|fmr| rate(evaluation.at_fmr(fmr).fnmr));
    println!(
        "| {set} | {name} | {} | {} | {:.2} % | {hundred} | {thousand} | {middle:.0} | {speed:.0} |",
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
