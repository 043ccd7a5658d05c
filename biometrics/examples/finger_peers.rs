//! The product's finger comparison, by each extractor, beside BOZORTH3 on the same images in one run.
//!
//! `cargo run --release -p biometrics --example finger_peers -- DPI DIR [DPI DIR…]`: folders of prints named
//! FINGER_IMPRESSION. Every pair of impressions of each folder once: all mated, all non-mated.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement by hand: it stops where it stands, reads files, and prints a table"
)]

use std::time::{Duration, Instant};

use biometrics::Sample;
use biometrics::comparison::ComparisonScore;
use biometrics::evaluation::{Evaluation, Rate};
use biometrics::finger::{
    FingerCapture, FingerImage, FingerProbe, FingerReference, FingerTemplate, Leader, MinutiaFinder, RecordFormat,
    Resolution, compare, write_record,
};
use biometrics::models::{LEADER, RUNTIME_LINUX_X86_64};

/// One print, as each side sees it.
struct Print {
    finger: String,
    ours: Sides,
    /// Where the network is set up.
    network: Option<Network>,
    peer: Vec<fprint_bozorth3::Minutia>,
}

struct Sides {
    probe: FingerProbe,
    reference: FingerReference,
}

struct Network {
    ours: Sides,
    peer: Vec<fprint_bozorth3::Minutia>,
}

/// How long each extraction took.
#[derive(Default)]
struct Times {
    ours: Vec<Duration>,
    network: Vec<Duration>,
    peer: Vec<Duration>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut network = network();
    println!("| set | matcher | mated | non-mated | EER | FMR100 | FMR1000 | extraction ms | comparisons/s |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for pair in arguments.chunks_exact(2) {
        let [dpi, folder] = pair else { continue };
        set(Resolution::new(dpi.parse().unwrap()).unwrap(), std::path::Path::new(folder), network.as_mut());
    }
}

/// The network, if `AMPARO_HOME` has it.
fn network() -> Option<MinutiaFinder> {
    let home = std::path::PathBuf::from(std::env::var_os("AMPARO_HOME")?);
    let model = std::fs::read(home.join("models").join(LEADER.file_name)).ok()?;
    let library = home.join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    Some(MinutiaFinder::Leader(Box::new(Leader::load(&library, &model).unwrap())))
}

fn set(resolution: Resolution, folder: &std::path::Path, mut network: Option<&mut MinutiaFinder>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "tif"));
    paths.sort();
    let mut times = Times::default();
    let prints: Vec<Print> =
        paths.iter().map(|path| take(path, resolution, network.as_deref_mut(), &mut times)).collect();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    row(&name, "ours, MINDTCT", &prints, &mut times.ours, |a, b| own(&a.ours, &b.ours));
    row(&name, "MINDTCT + BOZORTH3", &prints, &mut times.peer, |a, b| peer(&a.peer, &b.peer));
    if network.is_some() {
        let of = |print: &Print, by: &dyn Fn(&Network) -> f64| print.network.as_ref().map(by).unwrap();
        let both = |a: &Print, b: &Print, by: &dyn Fn(&Network, &Network) -> f64| of(a, &|a| of(b, &|b| by(a, b)));
        let by_ours = |a: &Print, b: &Print| both(a, b, &|a, b| own(&a.ours, &b.ours));
        row(&name, "ours, LEADER", &prints, &mut times.network.clone(), by_ours);
        let by_peer = |a: &Print, b: &Print| both(a, b, &|a, b| peer(&a.peer, &b.peer));
        row(&name, "LEADER + BOZORTH3", &prints, &mut times.network, by_peer);
    }
}

fn own(reference: &Sides, probe: &Sides) -> f64 {
    compare(&probe.probe, &reference.reference).unwrap().value()
}

/// BOZORTH3 counts; the sigmoid keeps the order.
fn peer(reference: &[fprint_bozorth3::Minutia], probe: &[fprint_bozorth3::Minutia]) -> f64 {
    let score = f64::from(fprint_bozorth3::match_score(probe, reference));
    score / (score + 40.0)
}

fn take(
    path: &std::path::Path,
    resolution: Resolution,
    network: Option<&mut MinutiaFinder>,
    times: &mut Times,
) -> Print {
    let sample = Sample::decode(&std::fs::read(path).unwrap()).unwrap();
    let by = |finder: &mut MinutiaFinder, times: &mut Vec<Duration>| {
        let start = Instant::now();
        let image = FingerImage::from_scan(&sample, resolution).unwrap();
        let template = FingerCapture::take_ungated(&image, finder).unwrap().into_template();
        times.push(start.elapsed());
        template
    };
    let ours = sides(&by(&mut MinutiaFinder::Mindtct, &mut times.ours));
    let network = network.map(|finder| {
        let template = by(finder, &mut times.network);
        Network { ours: sides(&template), peer: for_the_peer(&template) }
    });
    let start = Instant::now();
    let grey: Vec<u8> = sample.as_rgb().chunks_exact(3).filter_map(|pixel| pixel.first().copied()).collect();
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let image = fprint_mindtct::GrayImage::new(&grey, width, height, resolution.dpi()).unwrap();
    let mut found = fprint_mindtct::detect_minutiae(image);
    times.peer.push(start.elapsed());
    // As NBIS does: the best 150.
    found.sort_by_key(|m| std::cmp::Reverse(m.quality));
    found.truncate(150);
    let peer = found.iter().map(|m| fprint_bozorth3::Minutia::from_xyt(m.x, m.y, m.theta)).collect();
    let finger = path.file_stem().unwrap().to_string_lossy().rsplit_once('_').unwrap().0.to_owned();
    Print { finger, ours, network, peer }
}

fn sides(template: &FingerTemplate) -> Sides {
    Sides { probe: FingerProbe::new(template), reference: FingerReference::enrol([template]).unwrap() }
}

/// By way of a standard's record, as any two programs exchange minutiae; rows are counted from the bottom there.
fn for_the_peer(template: &FingerTemplate) -> Vec<fprint_bozorth3::Minutia> {
    let record = write_record(RecordFormat::Iso19794, template).unwrap();
    let (header, rest) = record.split_at(28);
    let height = i32::from(u16::from_be_bytes([header[16], header[17]]));
    let minutia = |bytes: &[u8; 6]| {
        let [x0, x1, y0, y1, angle, _] = *bytes;
        let (x, y) = (i32::from(u16::from_be_bytes([x0 & 0x3F, x1])), i32::from(u16::from_be_bytes([y0, y1])));
        fprint_bozorth3::Minutia::from_xyt(x, height - 1 - y, (f64::from(angle) * 360.0 / 256.0).round() as i32)
    };
    let count = usize::from(header[27]);
    rest.as_chunks::<6>().0.iter().take(count).map(minutia).collect()
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
