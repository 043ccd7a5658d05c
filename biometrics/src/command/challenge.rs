//! `challenge`: a new challenge to record, or the judgement of frames that were.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::CaptureError;
use biometrics::pad::challenge::{Challenge, Frame, Progress, Reflection, Script, Sign};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;

use super::{Answer, Failure, home, median_ms};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Frames of one presentation: a list `frame,ms`, or a folder that holds one as frames.csv or just the frames.
    #[arg(long, value_name = "DIR|LIST", required_unless_present = "new")]
    frames: Option<PathBuf>,
    /// The challenge that was recorded [default: challenge.json beside the frames].
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Frames a second, where no list says when each was taken.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: u32,
    /// The screen showed the challenge's colours: they must come back from the face.
    #[arg(long)]
    light: bool,
    /// Draw a new challenge and print it: what to show to the person, in which order.
    #[arg(long, conflicts_with_all = ["frames", "script"])]
    new: bool,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Some(frames) = &arguments.frames else { return draw() };
    let folder = if frames.is_dir() { frames.as_path() } else { frames.parent().unwrap_or(Path::new("")) };
    let script = read_script(&arguments.script.clone().unwrap_or_else(|| folder.join(SCRIPT)))?;
    let list = if frames.is_dir() { frames.join(LIST) } else { frames.clone() };
    let listed = if list.is_file() || !frames.is_dir() { read_list(&list)? } else { in_folder(frames, arguments.fps)? };
    let mut engine = home::load_engine(home)?;
    let reflection = if arguments.light { Reflection::Required } else { Reflection::Ignored };
    let mut challenge = Challenge::begin(script, reflection);
    let (mut times, mut judged) = (Vec::new(), 0_usize);
    for (path, at) in &listed {
        let sample = home::read_sample(path)?;
        judged += 1;
        let start = Instant::now();
        let progress = match engine.capture_in_motion(&sample) {
            Ok(capture) => challenge.observe(Frame::new(*at, &sample, capture)),
            Err(error @ CaptureError::Runtime { .. }) => {
                return Err(Failure::capture(&path.display().to_string(), &error));
            }
            Err(_) => challenge.observe_nothing(*at),
        };
        times.push(start.elapsed());
        match progress {
            Progress::Going(next) => challenge = *next,
            Progress::Present(_) => return Ok(report(None, judged, times)),
            Progress::Refused(sign) => return Ok(report(Some(sign.code()), judged, times)),
        }
    }
    // The recording ends before the challenge does.
    Ok(report(Some(Sign::TimedOut.code()), judged, times))
}

fn draw() -> Result<Answer, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Failure::internal)?;
    let script = Script::generate(&mut ChaCha20Rng::from_seed(seed));
    let object = serde_json::to_value(&script).map_err(Failure::internal)?;
    let steps: Vec<String> = script.prompts().iter().map(|prompt| format!("- {}", prompt.instruction())).collect();
    let sentences = format!("Look straight, then:\n{}\n{object}", steps.join("\n"));
    Ok(Answer { object, sentences })
}

fn report(reason: Option<&'static str>, judged: usize, times: Vec<Duration>) -> Answer {
    let ms = median_ms(times);
    let sentence = match reason {
        None => format!("One face answered the whole challenge, in {judged} frames."),
        Some(reason) => format!("Refused at frame {judged}: {reason}."),
    };
    Answer {
        object: json!({ "present": reason.is_none(), "reason": reason, "frames": judged, "frame_ms_median": ms }),
        sentences: format!("{sentence} A frame takes {ms:.0} ms (median)."),
    }
}

fn read_script(path: &Path) -> Result<Script, Failure> {
    let hint = "challenge --new draws one: keep what it prints with --json as challenge.json";
    let text = home::read_named(path).map_err(|failure| Failure { hint: hint.to_owned(), ..failure })?;
    serde_json::from_slice(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display()), hint))
}

/// A list with the header `frame,ms`; paths are relative to it.
fn read_list(path: &Path) -> Result<Vec<(PathBuf, Duration)>, Failure> {
    let fail = |message: String| {
        Failure::usage(format!("{}: {message}", path.display()), "the first line is frame,ms: a picture, and when")
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| fail(error.to_string()))?;
    if !reader.headers().map_err(|error| fail(error.to_string()))?.iter().eq(["frame", "ms"]) {
        return Err(fail("not a list of frames".to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut frames = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| fail(error.to_string()))?;
        let (Some(frame), Some(Ok(ms))) = (record.get(0), record.get(1).map(str::parse)) else {
            return Err(fail(format!("line {} has no time", record.position().map_or(0, csv::Position::line))));
        };
        frames.push((folder.join(frame), Duration::from_millis(ms)));
    }
    Ok(frames)
}

fn in_folder(folder: &Path, fps: u32) -> Result<Vec<(PathBuf, Duration)>, Failure> {
    let pictures = super::pairs::in_folder(folder)?;
    let at = |i: usize| Duration::from_secs_f64((i as f64 + 1.0) / f64::from(fps));
    Ok(pictures.into_iter().enumerate().map(|(i, path)| (path, at(i))).collect())
}

/// The files of a recorded presentation.
pub(super) const SCRIPT: &str = "challenge.json";
pub(super) const LIST: &str = "frames.csv";
