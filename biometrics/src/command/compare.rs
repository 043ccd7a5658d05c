//! `compare`: one probe against one reference.

use std::path::{Path, PathBuf};

use biometrics::comparison::{Decision, Threshold, compare};
use biometrics::template::{Embedding, Probe, Reference};
use biometrics::{Engine, Sample};
use serde_json::json;

use super::{Answer, CaptureName, Failure, ModalityArguments, finger, home};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    modality: ModalityArguments,
    /// Fingers: how the references were taken, where that differs from --capture.
    #[arg(long, value_enum, value_name = "KIND")]
    reference_capture: Option<CaptureName>,
    /// Pictures of the enrolled person, separated by commas, or one template written by `template --out`.
    #[arg(value_name = "REFERENCE[,REFERENCE…]", value_delimiter = ',', required = true)]
    references: Vec<PathBuf>,
    /// The picture to compare.
    #[arg(value_name = "PROBE")]
    probe: PathBuf,
    /// Fingers: a further finger of the same person, enrolled and shown together with the first; may be given several times.
    #[arg(long, num_args = 2, value_names = ["REFERENCE[,REFERENCE…]", "PROBE"])]
    also: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    for path in arguments.references.iter().chain([&arguments.probe]) {
        home::read_named(path)?;
    }
    let mut fingers = vec![(arguments.references.clone(), arguments.probe.clone())];
    for further in arguments.also.as_chunks::<2>().0 {
        let [references, probe] = further;
        fingers.push((references.split(',').map(PathBuf::from).collect(), PathBuf::from(probe)));
    }
    if let Some(settings) = arguments.modality.finger(arguments.reference_capture)? {
        return finger::compare_files(&fingers, &mut settings.taker(home)?);
    }
    if fingers.len() > 1 {
        return Err(Failure::usage(
            "--also is for fingers",
            "leave --also out: several pictures of a face are joined by commas",
        ));
    }
    let mut engine = home::load_engine(home)?;
    let reference = reference(&mut engine, &arguments.references)?;
    let probe = Probe::from_frames(&[embed(&mut engine, &arguments.probe)?]).map_err(Failure::internal)?;
    let score = compare(&probe, &reference)
        .map_err(|error| Failure::usage(error.to_string(), "make both with the same version of the models"))?;
    let threshold = Threshold::for_faces(&probe, &reference);
    let (word, sentence) = match threshold.decide(score) {
        Decision::Match => ("match", "The probe is taken for the enrolled person"),
        Decision::NonMatch => ("non-match", "The probe is not taken for the enrolled person"),
    };
    let (value, limit) = (score.value(), threshold.value());
    Ok(Answer {
        object: json!({
            "modality": "face", "score": value, "threshold": limit, "decision": word, "references": reference.captures(),
        }),
        sentences: format!("{sentence}: score {value:.3}, threshold {limit:.3}."),
    })
}

fn reference(engine: &mut Engine, paths: &[PathBuf]) -> Result<Reference, Failure> {
    if let [single] = paths {
        let bytes = zeroize::Zeroizing::new(home::read_named(single)?);
        if let Ok(reference) = Reference::from_bytes(&bytes) {
            return Ok(reference);
        }
    }
    let captures: Vec<Embedding> = paths.iter().map(|path| embed(engine, path)).collect::<Result<_, _>>()?;
    Reference::fuse(&captures).map_err(|error| Failure::usage(error.to_string(), error.hint()))
}

fn embed(engine: &mut Engine, path: &Path) -> Result<Embedding, Failure> {
    let sample: Sample = home::read_sample(path)?;
    let capture = engine.capture_ungated(&sample);
    capture.map(|c| c.into_embedding()).map_err(|error| Failure::capture(&path.display().to_string(), &error))
}
