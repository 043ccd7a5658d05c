//! The main job, by the four real commands: issue, hold, unlock, present, a consent that ends, revoke.

mod camera;
mod cast;
mod scene;

use crate::setup::{self, Scope, SetupError};
use crate::shell::{self, ShellError};
use cast::Cast;
use std::path::PathBuf;
use std::time::Instant;
use tests::CommandError;

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Your own photographs of one person: three or more; the last one unlocks, the others enrol.
    #[arg(long, value_name = "IMAGE", conflicts_with = "camera")]
    face: Vec<PathBuf>,
    /// A photograph of another person, who must be refused.
    #[arg(long, value_name = "IMAGE")]
    other_face: Option<PathBuf>,
    /// Take the photographs with the webcam (Linux, `ffmpeg`).
    #[arg(long)]
    camera: bool,
    /// Where to put what is made; a new folder under AMPARO_HOME otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The first step that did not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the four commands do not build: {0}")]
    Build(#[from] ShellError),
    #[error("--face needs three or more photographs of one person, got {0}: the last unlocks, the others enrol")]
    TooFewFaces(usize),
    #[error(transparent)]
    Camera(#[from] camera::CameraError),
    #[error("{path}: {source}")]
    Storage { path: PathBuf, source: std::io::Error },
    #[error("step {number} does not hold ({title}): {source}")]
    Step { number: usize, title: &'static str, source: CommandError },
}

/// Sets up and plays every scene.
pub(crate) fn run(arguments: &Arguments) -> Result<(), DemoError> {
    let home = setup::run(Scope::Demo)?;
    if !arguments.face.is_empty() && arguments.face.len() < 3 {
        return Err(DemoError::TooFewFaces(arguments.face.len()));
    }
    eprintln!("build: the four commands (minutes the first time)");
    let mut build = shell::cargo();
    build.args(["build", "--quiet", "--bins"]);
    shell::run(build.stdout(std::process::Stdio::null()))?;
    let started = Instant::now();

    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => fresh_folder(&home.path().join("demo")),
    };
    let storage = |source| DemoError::Storage { path: folder.clone(), source };
    std::fs::create_dir_all(&folder).map_err(storage)?;
    let folder = std::path::absolute(&folder).map_err(storage)?;
    let mut faces = arguments.face.clone();
    if arguments.camera {
        faces = camera::take(&folder)?;
    }
    if faces.is_empty() {
        faces = ["obama.jpg", "obama2.jpg", "obama3.jpg"].map(|n| home.photograph(n)).to_vec();
    }
    let other = arguments.other_face.clone().unwrap_or_else(|| home.photograph("biden.jpg"));
    let cast = Cast::new(&home, folder, faces, other).map_err(|source| DemoError::Step {
        number: 0,
        title: "setting the stage",
        source,
    })?;
    scene::play(cast, started)
}

/// A folder that is not there yet; of the older ones the last two are kept.
fn fresh_folder(parent: &std::path::Path) -> PathBuf {
    let mut runs: Vec<u32> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_prefix("run-")?.parse().ok())
        .collect();
    runs.sort_unstable();
    for old in runs.iter().rev().skip(2) {
        // Only ever what a demo made; a folder that cannot go is no reason to stop.
        let _ = std::fs::remove_dir_all(parent.join(format!("run-{old}")));
    }
    parent.join(format!("run-{}", runs.last().map_or(1, |n| n.saturating_add(1))))
}
