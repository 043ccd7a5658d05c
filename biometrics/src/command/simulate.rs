//! `simulate`: a presentation made up from a photograph, as frames that `challenge` can judge.

use std::path::{Path, PathBuf};

use biometrics::pad::challenge::{Challenge, Frame, Progress, Reflection, Script};
use biometrics::simulation::{Performance, Portrait, Seed, Species};
use biometrics::{Engine, Sample};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;

use super::challenge::{LIST, SCRIPT};
use super::simulate_fingers::{self, FingerArguments};
use super::{Answer, Failure, home};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The photograph of the face: a portrait, looking straight.
    #[arg(long, value_name = "IMG", required_unless_present = "fingers")]
    portrait: Option<PathBuf>,
    /// The second person of a cut [default: the same].
    #[arg(long, value_name = "IMG")]
    other: Option<PathBuf>,
    /// What is presented.
    #[arg(long, value_name = "SPECIES", value_parser = species, required_unless_present = "fingers")]
    species: Option<Species>,
    /// Challenge and performance are drawn from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The screen's light counts.
    #[arg(long)]
    light: bool,
    #[command(flatten)]
    fingers: FingerArguments,
    /// Where the frames go, with their list and the challenge, or the photographs: a folder that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn species(text: &str) -> Result<Species, String> {
    let names: Vec<&str> = Species::ALL.iter().map(|s| s.code()).collect();
    Species::ALL.into_iter().find(|s| s.code() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Arguments { portrait: source, other: second, species, seed, light, fingers, out } = arguments;
    let (Some(source), Some(species)) = (source, species) else { return simulate_fingers::run(fingers, *seed, out) };
    let mut engine = home::load_engine(home)?;
    let first = home::read_sample(source)?;
    let second = home::read_sample(second.as_ref().unwrap_or(source))?;
    let portraits = [portrait(&mut engine, source, &first)?, portrait(&mut engine, source, &second)?];
    let [one, other] = &portraits;
    let storage = |path: &Path, error: std::io::Error| {
        Failure::storage(format!("{}: {error}", path.display()), "choose another --out")
    };
    std::fs::create_dir(out).map_err(|error| storage(out, error))?;
    let script = script(*seed);
    let mut list = String::from("frame,ms\n");
    let mut written = 0_usize;
    let outcome = play(&mut engine, one, other, *species, *seed, *light, |at, sample| {
        let name = format!("{written:04}.ppm");
        let path = out.join(&name);
        let mut bytes = format!("P6\n{} {}\n255\n", sample.width(), sample.height()).into_bytes();
        bytes.extend_from_slice(sample.as_rgb());
        std::fs::write(&path, bytes).map_err(|error| storage(&path, error))?;
        list.push_str(&format!("{name},{}\n", at.as_millis()));
        written += 1;
        Ok(())
    })?;
    let text = serde_json::to_string(&script).map_err(Failure::internal)?;
    for (name, text) in [(SCRIPT, text), (LIST, list)] {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(|error| storage(&path, error))?;
    }
    let code = species.code();
    Ok(Answer {
        object: json!({ "simulated": true, "species": code, "frames": written, "sign": outcome }),
        sentences: format!("{written} simulated frames of {code} are in {}.", out.display()),
    })
}

pub(super) fn portrait<'a>(engine: &mut Engine, path: &Path, sample: &'a Sample) -> Result<Portrait<'a>, Failure> {
    let capture = engine.capture(sample).map_err(|error| Failure::capture(&path.display().to_string(), &error))?;
    Ok(Portrait::new(sample, &capture))
}

fn script(seed: u64) -> Script {
    Script::generate(&mut ChaCha20Rng::seed_from_u64(seed ^ 0xC0DE))
}

/// Plays one presentation to its end; gives the sign that ended it, or nothing if the face was taken to be present.
pub(super) fn play(
    engine: &mut Engine,
    one: &Portrait<'_>,
    other: &Portrait<'_>,
    species: Species,
    seed: u64,
    light: bool,
    mut see: impl FnMut(std::time::Duration, &Sample) -> Result<(), Failure>,
) -> Result<Option<&'static str>, Failure> {
    let reflection = if light { Reflection::Required } else { Reflection::Ignored };
    let mut challenge = Challenge::begin(script(seed), reflection);
    let mut performance = Performance::new(one, other, species, Seed(seed));
    loop {
        let (at, sample) = performance.next_frame(&challenge).map_err(Failure::internal)?;
        see(at, &sample)?;
        let progress = match engine.capture_in_motion(&sample) {
            Ok(capture) => challenge.observe(Frame::new(at, &sample, capture)),
            Err(error @ biometrics::CaptureError::Runtime { .. }) => return Err(Failure::capture("a frame", &error)),
            Err(_) => challenge.observe_nothing(at),
        };
        match progress {
            Progress::Going(next) => challenge = *next,
            Progress::Present(_) => return Ok(None),
            Progress::Refused(sign) => return Ok(Some(sign.code())),
        }
    }
}
