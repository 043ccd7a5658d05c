//! `template`: what the engine sees in one picture.

use std::path::PathBuf;
use std::time::Instant;

use biometrics::finger::RecordFormat;
use biometrics::template::Reference;
use clap::ValueEnum;
use serde_json::json;

use super::{Answer, Failure, ModalityArguments, finger, home, round3};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    modality: ModalityArguments,
    /// The picture.
    image: PathBuf,
    /// Write the template to this file: personal data, unprotected. For evaluation only.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fingers: write a record of this standard instead of our own form, which keeps the ridges' directions, too.
    #[arg(long, value_enum, value_name = "STANDARD", requires = "out")]
    record: Option<RecordName>,
}

/// A standard by which minutiae are exchanged.
#[derive(Clone, Copy, ValueEnum)]
enum RecordName {
    /// ISO/IEC 19794-2:2005.
    #[value(name = "iso-19794-2")]
    Iso19794,
    /// ANSI INCITS 378-2004.
    #[value(name = "ansi-378")]
    Ansi378,
}

impl From<RecordName> for RecordFormat {
    fn from(name: RecordName) -> Self {
        match name {
            RecordName::Iso19794 => Self::Iso19794,
            RecordName::Ansi378 => Self::Ansi378,
        }
    }
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    // A picture that is none must not wait for the models.
    home::read_named(&arguments.image)?;
    if let Some(settings) = arguments.modality.finger(None)? {
        let out = arguments.out.as_deref().map(|out| (out, arguments.record.map(RecordFormat::from)));
        return finger::template(&arguments.image, out, &mut settings.taker(home)?);
    }
    if arguments.record.is_some() {
        return Err(Failure::usage("--record is for finger images", "leave --record out for faces"));
    }
    let mut engine = home::load_engine(home)?;
    let start = Instant::now();
    let sample = home::read_sample(&arguments.image)?;
    let decoded = start.elapsed();
    let name = arguments.image.display().to_string();
    let capture = engine.capture_ungated(&sample).map_err(|error| Failure::capture(&name, &error))?;
    let whole = start.elapsed();

    let (quality, place, faces) = (capture.quality().clone(), capture.place(), capture.faces());
    let verdict = if faces > 1 {
        Err(("several-faces", "make sure that you are alone in the picture"))
    } else {
        quality.check().map_err(|fault| (fault.code(), fault.hint()))
    };
    if let Some(out) = &arguments.out {
        let reference = Reference::fuse(&[capture.into_embedding()]).map_err(Failure::internal)?;
        write_private(out, &reference.to_bytes())
            .map_err(|error| Failure::storage(format!("{}: {error}", out.display()), "choose another --out"))?;
    }
    let (reason, hint) = verdict.err().unzip();
    let times = json!({ "decode": round3(decoded.as_secs_f64() * 1e3), "all": round3(whole.as_secs_f64() * 1e3) });
    let object = json!({
        "modality": "face", "acceptable": verdict.is_ok(), "reason": reason, "hint": hint, "faces": faces,
        "position": place, "quality": quality, "ms": times,
    });
    let mut sentences = match verdict {
        Ok(()) => format!("{name}: a face good enough to be enrolled or recognised."),
        Err((reason, hint)) => format!("{name}: a face, but not good enough ({reason}): {hint}."),
    };
    sentences.push_str(&format!(
        "\nIt is {} × {} pixels large, {} from the left and {} from the top; taken in {:.0} ms.",
        place.width,
        place.height,
        place.left,
        place.top,
        whole.as_secs_f64() * 1e3
    ));
    for component in quality.components() {
        let help = component.advice().map_or_else(String::new, |fault| format!(": {}", fault.hint()));
        sentences.push_str(&format!("\n  {} {:.2}{help}", component.name().code(), component.value()));
    }
    Ok(Answer { object, sentences })
}

/// Writes a file that only its owner may read, whoever could read the one that was there.
pub(super) fn write_private(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // The mode above is that of a new file only.
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    file.write_all(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::write_private;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_template_is_for_its_owner_only_even_over_a_file_that_others_could_read() {
        let path = std::env::temp_dir().join(format!("amparo-template-{}", std::process::id()));
        std::fs::write(&path, b"an older file, longer than what comes").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        write_private(&path, b"template").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        let written = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((mode & 0o777, written.as_slice()), (0o600, &b"template"[..]));
    }
}
