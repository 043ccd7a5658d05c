//! `cargo xtask evaluate`: every number of docs/biometric-evaluation.md measured anew and written between its markers.

mod attacks;
mod conditions;
mod document;
mod faces;
mod fingers;
mod identification;
mod instructions;
mod latency;
mod photographs;
mod protection;
mod quality;
mod search;
mod table;

use crate::bench;
use crate::setup::{self, Home, Scope, SetupError};
use crate::shell::{self, ShellError};
use document::{Document, DocumentError};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these parts; all of them if none is named.
    #[arg(long, value_enum)]
    part: Vec<Part>,
    /// A folder of people that nothing was chosen on, one folder of pictures each: fills the part of the document on them.
    #[arg(long, value_name = "DIR")]
    held_out: Option<PathBuf>,
    /// The same people's pictures at the size that they were published at: fills the part on these.
    #[arg(long, value_name = "DIR")]
    original: Option<PathBuf>,
    /// Class path of SourceAFIS, as tests/peers/sourceafis/build makes one: it runs as a peer of fingers.
    #[arg(long, value_name = "CLASSPATH")]
    sourceafis: Option<String>,
    /// Simulated presentations of each attack species that are made of each portrait.
    #[arg(long, value_name = "N", default_value_t = 2)]
    presentations: u32,
    /// Measure with the developer build: sooner, with the same error rates; times are longer, and the document says so.
    #[arg(long)]
    developer_build: bool,
}

/// A part of the evaluation: a block of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Comparison of faces.
    Faces,
    /// Release of a key by a face.
    Release,
    /// Faces of people that nothing was chosen on; needs --held-out.
    HeldOut,
    /// The same at the size that the database was published at; needs --original.
    Original,
    /// Quality of faces: error versus discard, and simulated faults.
    Quality,
    /// Unlinkability and irreversibility.
    Protection,
    /// Simulated presentation attacks.
    Attacks,
    /// Fingers, by both extractors.
    Fingers,
    /// 1:N search over fingers, in galleries filled with made up ones.
    Identification,
    /// BOZORTH3 on the same fingers; by LEADER's minutiae only together with `fingers`.
    FingerPeers,
    /// Simulated photographs of fingertips, against scans and against each other.
    Photographs,
    /// 1:N search, and FAISS.
    Search,
    /// Time and memory of an unlock by face, part by part; on a quiet machine.
    Latency,
    /// Instructions of an unlock's parts that are no networks; needs valgrind, and minutes.
    Instructions,
}

/// What could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Shell(#[from] ShellError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the images are not here: {0} (see shared/data/README.md, or set AMPARO_DATA)")]
    NoData(PathBuf),
    #[error("{path}: {source}")]
    Storage { path: PathBuf, source: std::io::Error },
    #[error("`{command}` printed no JSON")]
    NoJson { command: String },
}

/// Where the parts find what they need.
struct Bench {
    home: Home,
    /// The images.
    data: PathBuf,
    /// Lists, and pictures that must not be committed; begun anew by each run.
    folder: PathBuf,
    /// Drawings for the document.
    drawings: PathBuf,
    /// Where in `target` the programs are that are measured.
    profile: &'static str,
}

/// Runs the parts one after the other; each writes its block when it has ended, so that a run cut short loses one part.
pub(crate) fn run(arguments: &Arguments) -> Result<(), EvaluateError> {
    let home = setup::run(Scope::Evaluation)?;
    let data = std::env::var_os("AMPARO_DATA").map_or_else(|| shell::root().join("../shared/data"), PathBuf::from);
    let folder = home.path().join("evaluation");
    let drawings = shell::root().join("docs/evaluation");
    let profile = if arguments.developer_build { "debug" } else { "release" };
    let bench = Bench { home, data, folder, drawings, profile };
    bench.begin_anew()?;
    println!("building what is measured");
    let mut build = shell::cargo();
    build.args(["build", "--quiet", "--package", "biometrics", "--bins", "--examples"]);
    shell::run(build.args((!arguments.developer_build).then_some("--release")))?;
    let document = Document::at(shell::root().join("docs/biometric-evaluation.md"));
    let mut parts = arguments.part.clone();
    if parts.is_empty() {
        parts = <Part as clap::ValueEnum>::value_variants().to_vec();
        parts.retain(|part| *part != Part::HeldOut || arguments.held_out.is_some());
        parts.retain(|part| *part != Part::Original || arguments.original.is_some());
    }
    let bar = steps(parts.len() as u64);
    let begun = Instant::now();
    for part in parts {
        let name = clap::ValueEnum::to_possible_value(&part).map(|v| v.get_name().to_owned()).unwrap_or_default();
        bar.suspend(|| println!("== {name}"));
        bar.set_message(name.clone());
        let started = Instant::now();
        let text = match part {
            Part::Faces => faces::compared(&bench)?,
            Part::Release => faces::released(&bench)?,
            Part::HeldOut => faces::held_out(&bench, arguments.held_out.as_deref())?,
            Part::Original => faces::original(&bench, arguments.original.as_deref())?,
            Part::Quality => quality::measured(&bench)?,
            Part::Protection => protection::measured(&bench)?,
            Part::Attacks => attacks::measured(&bench, arguments.presentations)?,
            Part::Fingers => fingers::measured(&bench)?,
            Part::Identification => identification::measured(&bench)?,
            Part::FingerPeers => fingers::peers(&bench, arguments.sourceafis.as_deref())?,
            Part::Photographs => photographs::measured(&bench)?,
            Part::Search => search::measured(&bench)?,
            Part::Latency => latency::measured(&bench)?,
            Part::Instructions => instructions::measured(&bench)?,
        };
        let seconds = started.elapsed().as_secs();
        let date = time::OffsetDateTime::now_utc().date();
        let build = if arguments.developer_build { ", developer build" } else { "" };
        document
            .replace(&name, &format!("*{date}, {}{build}; measured in {seconds} s.*\n\n{text}", bench::machine()))?;
        bar.suspend(|| println!("{text}\n== {name}: {seconds} s"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!(
        "Done in {} s. Tables are in docs/biometric-evaluation.md, drawings in {}, lists and failures in {}.",
        begun.elapsed().as_secs(),
        bench.drawings.display(),
        bench.folder.display()
    );
    Ok(())
}

/// A bar of parts on a terminal; nothing elsewhere.
fn steps(length: u64) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("evaluate {bar:20} {pos}/{len} {msg} {elapsed}");
    indicatif::ProgressBar::new(length).with_style(style.unwrap_or(indicatif::ProgressStyle::default_bar()))
}

impl Bench {
    fn begin_anew(&self) -> Result<(), EvaluateError> {
        let Self { home: _, data: _, folder, drawings, profile: _ } = self;
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|source| storage(folder, source))?;
        }
        for path in [folder, drawings] {
            std::fs::create_dir_all(path).map_err(|source| storage(path, source))?;
        }
        Ok(())
    }

    /// A folder of images, which must be there.
    fn images(&self, name: &str) -> Result<PathBuf, EvaluateError> {
        let folder = self.data.join(name);
        if folder.is_dir() { Ok(folder) } else { Err(EvaluateError::NoData(folder)) }
    }

    /// One of the portraits of the demo.
    fn portrait(&self, name: &str) -> PathBuf {
        self.home.photograph(name)
    }

    fn drawing(&self, name: &str) -> PathBuf {
        self.drawings.join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.built("amparo-biometrics");
        command.args(arguments).env("AMPARO_HOME", self.home.path());
        command
    }

    /// A program that [`run`] built: not built again in the middle, whatever happens to the sources meanwhile.
    fn built(&self, program: &str) -> Command {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
        Command::new(target.join(self.profile).join(program))
    }

    /// A list of pairs, made by `pairs` with these arguments.
    fn list(&self, name: &str, arguments: &[&str], folder: &Path) -> Result<PathBuf, EvaluateError> {
        let path = self.folder.join(name);
        let text = shell::output(self.command(&["pairs"]).args(arguments).arg(folder))?;
        std::fs::write(&path, text).map_err(|source| storage(&path, source))?;
        Ok(path)
    }

    /// What a command measured.
    fn json(&self, command: &mut Command) -> Result<Value, EvaluateError> {
        let text = shell::output(command.arg("--json"))?;
        serde_json::from_str(text.trim()).map_err(|_| EvaluateError::NoJson { command: shell::describe(command) })
    }
}

fn storage(path: &Path, source: std::io::Error) -> EvaluateError {
    EvaluateError::Storage { path: path.to_path_buf(), source }
}
