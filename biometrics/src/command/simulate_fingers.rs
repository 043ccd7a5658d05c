//! `simulate --fingers`: photographs of fingertips made up from scanners' images.

use std::path::{Path, PathBuf};

use biometrics::finger::{FingerImage, Handedness, Resolution};
use biometrics::simulation::{Conditions, Seed, fingertip};
use serde_json::json;

use super::embedding_cache::progress;
use super::{Answer, Failure, home, pairs};

#[derive(clap::Args)]
pub(super) struct FingerArguments {
    /// A folder of scanners' images: a photograph is made up of each, of the same name.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["portrait", "species", "other", "light"])]
    fingers: Option<PathBuf>,
    /// Fingers: resolution of the scanners' images [default: 500].
    #[arg(long, value_name = "N", requires = "fingers")]
    dpi: Option<u32>,
    /// Fingers: how hard the photographs are.
    #[arg(long, value_name = "KIND", value_parser = conditions, default_value = "ordinary")]
    conditions: Conditions,
    /// Fingers: mirrored photographs.
    #[arg(long, requires = "fingers")]
    mirrored: bool,
}

fn conditions(text: &str) -> Result<Conditions, String> {
    let names: Vec<&str> = Conditions::ALL.iter().map(|c| c.code()).collect();
    Conditions::ALL.into_iter().find(|c| c.code() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(super) fn run(arguments: &FingerArguments, seed: u64, out: &Path) -> Result<Answer, Failure> {
    let FingerArguments { fingers, dpi, conditions, mirrored } = arguments;
    let Some(folder) = fingers else {
        return Err(Failure::usage("nothing to simulate was given", "give --portrait with --species, or --fingers"));
    };
    let resolution = dpi.map_or(Ok(Resolution::STANDARD), Resolution::new);
    let resolution = resolution.map_err(|error| Failure::usage(error.to_string(), "give the scanner's resolution"))?;
    let handedness = if *mirrored { Handedness::Mirrored } else { Handedness::AsSeen };
    let storage = |path: &Path, error: std::io::Error| {
        Failure::storage(format!("{}: {error}", path.display()), "choose another --out")
    };
    let pictures = pairs::in_folder(folder)?;
    std::fs::create_dir(out).map_err(|error| storage(out, error))?;
    let bar = progress(pictures.len() as u64, "photographs");
    let (mut written, mut without) = (0_usize, 0_usize);
    for (i, path) in pictures.iter().enumerate() {
        let sample = home::read_sample(path)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let taken = FingerImage::from_scan(&sample, resolution).ok().and_then(|print| {
            fingertip(&print, *conditions, handedness, Seed(seed.wrapping_mul(1_000_003).wrapping_add(i as u64))).ok()
        });
        match taken {
            Some(jpeg) => {
                let to = out.join(format!("{stem}.jpg"));
                std::fs::write(&to, jpeg).map_err(|error| storage(&to, error))?;
                written += 1;
            }
            None => without += 1,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if written == 0 {
        return Err(Failure::usage(
            format!("no image in {} shows a print", folder.display()),
            "give a folder of scanners' images of fingers",
        ));
    }
    Ok(Answer {
        object: json!({
            "simulated": true, "conditions": conditions.code(), "photographs": written, "without_print": without,
        }),
        sentences: format!("{written} SIMULATED photographs of fingertips are in {}.", out.display()),
    })
}
