//! BOZORTH3 on minutiae of MINDTCT and on those of the product's templates, beside the product's own comparison, in one run; and how many
//! times the errors of each peer the product makes.
//!
//! `cargo run --release -p biometrics --example finger_peers -- TEMPLATES DPI DIR [DPI DIR…]`: folders of prints named
//! FINGER_IMPRESSION, and templates of them as `evaluate --keep TEMPLATES/SET/EXTRACTOR` wrote them. Every pair of impressions of each
//! folder once: all mated, all non-mated. SourceAFIS runs beside them where `AMPARO_SOURCEAFIS` is its class path
//! (`tests/peers/sourceafis/build`); elsewhere what it did once, elsewhere, stands in its place, and says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement by hand: it stops where it stands, reads files, and prints a table"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use biometrics::Sample;
use biometrics::comparison::ComparisonScore;
use biometrics::evaluation::{Evaluation, Rate};
use biometrics::finger::{
    FingerProbe, FingerReference, FingerTemplate, RecordFormat, Resolution, compare, write_record,
};

/// One print, as BOZORTH3 takes it.
struct Print {
    minutiae: Vec<fprint_bozorth3::Minutia>,
}

/// What a matcher did on a set.
struct Result {
    set: String,
    eer: f64,
    hundred: f64,
    thousand: f64,
    /// Where the truth of the last lies.
    thousand_from: f64,
}

/// A matcher, and what it did on each set.
#[derive(Default)]
struct Results(BTreeMap<&'static str, Vec<Result>>);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((templates, sets)) = arguments.split_first() else { return };
    println!("| set | matcher | mated | non-mated | EER | FMR100 | FMR1000 | extraction ms | comparisons/s |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut results = Results::default();
    for pair in sets.chunks_exact(2) {
        let [dpi, folder] = pair else { continue };
        let resolution = Resolution::new(dpi.parse().unwrap()).unwrap();
        set(resolution, Path::new(folder), Path::new(templates), &mut results);
    }
    let recorded = if results.0.contains_key(SOURCE_AFIS) { &[][..] } else { &RECORDED };
    for &(set, eer, hundred, thousand) in recorded {
        let result = Result { set: set.to_owned(), eer, hundred, thousand, thousand_from: 0.0 };
        if results.0.values().flatten().any(|measured| measured.set == set) {
            results.0.entry(SOURCE_AFIS_RECORDED).or_default().push(result);
        }
    }
    results.print_means();
    results.print_ratios();
}

fn set(resolution: Resolution, folder: &Path, templates: &Path, results: &mut Results) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "tif"));
    paths.sort();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let fingers: Vec<String> = paths.iter().map(|path| finger(path)).collect();
    let mut times = Vec::new();
    let by_nbis: Vec<Print> = paths.iter().map(|path| taken(path, resolution, &mut times)).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1e3);
    let bozorth = |prints: &[Print], i: usize, j: usize| score(&prints[i], &prints[j]);
    results.add(&name, NBIS, &fingers, &format!("{middle:.0}"), |i, j| bozorth(&by_nbis, i, j));
    if let Ok(class_path) = std::env::var("AMPARO_SOURCEAFIS") {
        let source_afis = SourceAfis::run(&class_path, resolution, folder);
        let (ms, speed) = (format!("{:.0}", source_afis.extraction_ms), source_afis.comparisons_per_second);
        results.add_at(&name, SOURCE_AFIS, &fingers, &ms, speed, |i, j| source_afis.score(i, j));
    }
    for (extractor, own, peer) in [("mindtct", OURS, None), ("leader", OURS_BY_NETWORK, Some(NETWORK))] {
        let kept = templates.join(&name).join(extractor);
        if !kept.is_dir() {
            continue;
        }
        let templates: Vec<FingerTemplate> = paths.iter().map(|path| kept_template(path, &kept)).collect();
        if let Some(peer) = peer {
            let prints: Vec<Print> = templates.iter().map(exchanged).collect();
            results.add(&name, peer, &fingers, "as ours", |i, j| bozorth(&prints, i, j));
        }
        let references: Vec<_> = templates.iter().map(|template| FingerReference::enrol([template]).unwrap()).collect();
        let probes: Vec<_> = templates.iter().map(FingerProbe::new).collect();
        results.add(&name, own, &fingers, "in `fingers`", |i, j| compare(&probes[j], &references[i]).unwrap().value());
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
    Print { minutiae }
}

fn finger(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().rsplit_once('_').unwrap().0.to_owned()
}

fn kept_template(path: &Path, kept: &Path) -> FingerTemplate {
    FingerTemplate::from_bytes(&std::fs::read(kept.join(path.file_stem().unwrap())).unwrap()).unwrap()
}

/// By way of a standard's record, as any two programs exchange minutiae; BOZORTH3 counts rows from the bottom.
fn exchanged(template: &FingerTemplate) -> Print {
    let record = write_record(RecordFormat::Iso19794, template).unwrap();
    let (header, rest) = record.split_at(28);
    let height = i32::from(u16::from_be_bytes([header[16], header[17]]));
    let minutia = |bytes: &[u8; 6]| {
        let [x0, x1, y0, y1, angle, _] = *bytes;
        let (x, y) = (i32::from(u16::from_be_bytes([x0 & 0x3F, x1])), i32::from(u16::from_be_bytes([y0, y1])));
        fprint_bozorth3::Minutia::from_xyt(x, height - 1 - y, (f64::from(angle) * 360.0 / 256.0).round() as i32)
    };
    let count = usize::from(header[27]);
    Print { minutiae: rest.as_chunks::<6>().0.iter().take(count).map(minutia).collect() }
}

/// BOZORTH3 counts; the sigmoid keeps the order.
fn score(reference: &Print, probe: &Print) -> f64 {
    let score = f64::from(fprint_bozorth3::match_score(&probe.minutiae, &reference.minutiae));
    score / (score + 40.0)
}

/// What SourceAFIS did on a set, in a process of its own.
struct SourceAfis {
    extraction_ms: f64,
    comparisons_per_second: f64,
    /// Of each print, against each later one.
    scores: Vec<Vec<f64>>,
}

impl SourceAfis {
    fn run(class_path: &str, resolution: Resolution, folder: &Path) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/sourceafis/Peer.java");
        let mut java = Command::new("java");
        // One processor, as everything beside it.
        java.args(["-XX:ActiveProcessorCount=1", "-cp", class_path]).arg(program);
        let output = java.arg(resolution.dpi().to_string()).arg(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines =
            text.lines().map(|line| line.split_whitespace().map(|value| value.parse().unwrap()).collect::<Vec<f64>>());
        let [extraction_ms, comparisons_per_second] = [(); 2].map(|()| lines.next().unwrap()[0]);
        Self { extraction_ms, comparisons_per_second, scores: lines.collect() }
    }

    /// It counts, too; about 40 is its usual threshold.
    fn score(&self, i: usize, j: usize) -> f64 {
        let score = self.scores[i][j - i - 1];
        score / (score + 40.0)
    }
}

impl Results {
    /// Compares every two prints, and tells how fast.
    fn add(
        &mut self,
        set: &str,
        name: &'static str,
        fingers: &[String],
        extraction: &str,
        score: impl Fn(usize, usize) -> f64,
    ) {
        let pairs = fingers.len() * fingers.len().saturating_sub(1) / 2;
        let start = Instant::now();
        let scores: Vec<Vec<f64>> =
            (0..fingers.len()).map(|i| (i + 1..fingers.len()).map(|j| score(i, j)).collect()).collect();
        let speed = pairs as f64 / start.elapsed().as_secs_f64();
        self.add_at(set, name, fingers, extraction, speed, |i, j| scores[i][j - i - 1]);
    }

    fn add_at(
        &mut self,
        set: &str,
        name: &'static str,
        fingers: &[String],
        extraction: &str,
        speed: f64,
        score: impl Fn(usize, usize) -> f64,
    ) {
        let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
        for (i, first) in fingers.iter().enumerate() {
            for (j, second) in fingers.iter().enumerate().skip(i + 1) {
                let value = ComparisonScore::of_a_peer(score(i, j)).unwrap();
                if first == second { &mut mated } else { &mut non_mated }.push(value);
            }
        }
        let evaluation = Evaluation::new(mated, non_mated).unwrap();
        let [hundred, thousand] = [1e-2, 1e-3].map(|fmr| evaluation.at_fmr(fmr).fnmr);
        println!(
            "| {set} | {name} | {} | {} | {:.2} % | {} | {} | {extraction} | {speed:.0} |",
            evaluation.mated().len(),
            evaluation.non_mated().len(),
            evaluation.eer() * 100.0,
            rate(hundred),
            rate(thousand),
        );
        self.0.entry(name).or_default().push(Result {
            set: set.to_owned(),
            eer: evaluation.eer(),
            hundred: hundred.value(),
            thousand: thousand.value(),
            thousand_from: thousand.interval().low,
        });
    }

    fn mean(&self, name: &str, of: impl Fn(&Result) -> f64) -> Option<f64> {
        let results = self.0.get(name)?;
        Some(results.iter().map(of).sum::<f64>() / results.len() as f64)
    }

    fn print_means(&self) {
        println!("\nMeans over the sets:\n");
        println!("| matcher | EER | FMR100 | FMR1000 |\n|---|---|---|---|");
        for name in self.0.keys() {
            let mean = |of: fn(&Result) -> f64| self.mean(name, of).unwrap_or(f64::NAN) * 100.0;
            let [eer, hundred, thousand] = [mean(|r| r.eer), mean(|r| r.hundred), mean(|r| r.thousand)];
            println!("| {name} | {eer:.2} % | {hundred:.1} % | {thousand:.1} % |");
        }
    }

    /// How many times a peer's errors are ours, and whether that is what was aimed at.
    fn print_ratios(&self) {
        println!("\nOurs by the peer's, of these means:\n");
        println!(
            "| ours | peer | EER | FMR1000 | aim | sets on which our FMR1000 is worse beyond its interval |\n|---|---|---|---|---|---|"
        );
        for (own, peer, aim) in RATIOS {
            let ratio = |of: fn(&Result) -> f64| Some(self.mean(own, of)? / self.mean(peer, of)?);
            // A peer that did not run has no row.
            let (Some(eer), Some(thousand)) = (ratio(|r| r.eer), ratio(|r| r.thousand)) else { continue };
            let aimed = aim.map_or("none".to_owned(), |aim| {
                let verdict = if eer <= aim && thousand <= aim { "reached" } else { "**missed**" };
                format!("{aim:.2} at most: {verdict}")
            });
            let is_worse = |(own, peer): &(&Result, &Result)| own.thousand_from > peer.thousand;
            let pairs = self.0[own].iter().zip(&self.0[peer]);
            let worse: Vec<&str> = pairs.filter(is_worse).map(|(own, _)| own.set.as_str()).collect();
            let worse = if worse.is_empty() { "none".to_owned() } else { worse.join(", ") };
            println!("| {own} | {peer} | {eer:.2} | {thousand:.2} | {aimed} | {worse} |");
        }
    }
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

const OURS: &str = "ours, MINDTCT";
const OURS_BY_NETWORK: &str = "ours, LEADER";
const NBIS: &str = "MINDTCT + BOZORTH3";
const NETWORK: &str = "LEADER + BOZORTH3";
const SOURCE_AFIS: &str = "SourceAFIS 3.18.1";
const SOURCE_AFIS_RECORDED: &str = "SourceAFIS 3.18.1 (recorded, not measured in this run)";
const RATIOS: [(&str, &str, Option<f64>); 6] = [
    (OURS, SOURCE_AFIS, Some(0.75)),
    (OURS, SOURCE_AFIS_RECORDED, Some(0.75)),
    (OURS, NBIS, None),
    (OURS_BY_NETWORK, NETWORK, Some(0.7)),
    (OURS_BY_NETWORK, SOURCE_AFIS, None),
    (OURS_BY_NETWORK, SOURCE_AFIS_RECORDED, None),
];
/// EER, FMR100 and FMR1000 of SourceAFIS on the same images' raw pixels and the same pairs, measured once, elsewhere.
const RECORDED: [(&str, f64, f64, f64); 4] = [
    ("DB1_B", 0.030, 0.032, 0.057),
    ("DB2_B", 0.015, 0.018, 0.036),
    ("DB3_B", 0.114, 0.186, 0.275),
    ("DB4_B", 0.061, 0.096, 0.193),
];
