//! The command line: what may be asked, and how answers and failures are printed.

mod by_condition;
mod by_subject;
mod challenge;
mod compare;
mod degrade;
mod discard;
mod embedding_cache;
mod evaluate;
mod failure;
mod failure_drawings;
mod failure_pictures;
mod finger;
mod finger_search;
mod finger_source;
mod home;
mod instructions;
mod latency;
mod latency_finger;
mod linkage_plot;
mod moment;
mod pad;
mod pair_list;
mod pairs;
mod people_search;
mod plot;
mod polar_table;
mod protection;
mod release;
mod search;
mod simulate;
mod simulate_fingers;
mod template;
mod transactions;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

use failure::Failure;
use finger_source::{CaptureArguments, CaptureName, FingerSource};

/// Measures what the biometrics of Amparo can and cannot do.
#[derive(Parser)]
#[command(name = "amparo-biometrics", version, max_term_width = 100)]
struct CommandLine {
    /// Print exactly one JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Where models/ and runtime/ are [default: $AMPARO_HOME, else `amparo` in the user's cache folder].
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take a template: quality, position, time. The template itself goes nowhere but into --out.
    #[command(
        after_help = "Example: amparo-biometrics template --modality face portrait.jpg --json\n         amparo-biometrics template --modality finger --extractor leader print.tif\n         amparo-biometrics template --modality finger --capture photograph fingertip.jpg\n         amparo-biometrics template --modality finger print.tif --out print.iso --record iso-19794-2"
    )]
    Template(template::Arguments),
    /// Compare a probe with one reference, or several fused.
    #[command(
        after_help = "Example: amparo-biometrics compare --modality face first.jpg,second.jpg third.jpg\n         amparo-biometrics compare --modality finger --extractor leader 101_1.tif,101_2.tif 101_3.tif\n         amparo-biometrics compare --modality finger left_1.tif left_2.tif --also right_1.tif,right_2.tif right_3.tif\n         amparo-biometrics compare --modality finger --capture photograph --reference-capture scan 101_1.tif fingertip.jpg"
    )]
    Compare(compare::Arguments),
    /// Error rates over a list of pairs: EER, FNMR at FMR, exact intervals.
    #[command(
        after_help = "Example: amparo-biometrics evaluate --modality face --pairs pairs.csv --json --plot det.svg\n         amparo-biometrics evaluate --modality finger --extractor leader --pairs pairs.csv"
    )]
    Evaluate(evaluate::Arguments),
    /// The same list through enrolment, sealing and release.
    #[command(after_help = "Example: amparo-biometrics release --pairs pairs.csv --json")]
    Release(release::Arguments),
    /// What stored data give away: unlinkability, irreversibility, with and without device key and PIN.
    #[command(after_help = "Example: amparo-biometrics protection --pairs pairs.csv --json --plot linkage.svg")]
    Protection(protection::Arguments),
    /// Who of a folder of people could be on a picture, for a human to look at; or speed and recall of 1:N search, on generated vectors or on prints
    /// among fingers that are made up.
    #[command(
        after_help = "Example: amparo-biometrics search --people orl --probe found.jpg\n         amparo-biometrics search --gallery 100000 --probes 100 --json\n         amparo-biometrics search --fingers DB1_B --others DB3_B --others DB4_B --gallery 10000 --probes 70"
    )]
    Search(search::Arguments),
    /// Draw an active challenge, or judge the frames of a presentation that answers one.
    #[command(after_help = "Example: amparo-biometrics challenge --frames recorded/ --light --json")]
    Challenge(challenge::Arguments),
    /// Presentation attacks of each species that pass, counted: APCER and BPCER on simulated presentations.
    #[command(after_help = "Example: amparo-biometrics pad --portrait one.jpg --portrait two.jpg --json")]
    Pad(pad::Arguments),
    /// Make up a presentation from a photograph (frames for `challenge`), or photographs of fingertips. Simulation only.
    #[command(
        after_help = "Example: amparo-biometrics simulate --portrait one.jpg --species still-photograph --out frames\n         amparo-biometrics simulate --fingers fvc2002/DB1_B --conditions ordinary --out photographs"
    )]
    Simulate(simulate::Arguments),
    /// Spoil portraits step by step (blur, darkness, turning, covering…), to see what quality notices. Simulation only.
    #[command(
        after_help = "Example: amparo-biometrics degrade --portrait a.jpg --portrait b.jpg --portrait c.jpg --other d.jpg --out spoilt\n         amparo-biometrics degrade --people orl --kind eyes-covered --kind mouth-covered --out covered"
    )]
    Degrade(degrade::Arguments),
    /// Write a list of pairs for a folder of people, one folder of pictures each, or of prints named FINGER_IMPRESSION.
    #[command(
        after_help = "Example: amparo-biometrics pairs --people orl --enrol 5 --frames 3 > pairs.csv\n         amparo-biometrics pairs --fingers fvc2002/DB1_B > pairs.csv\n         amparo-biometrics pairs --fingers fvc2002/DB1_B --together 2 > two-fingers.csv"
    )]
    Pairs(pairs::Arguments),
    /// What an unlock by face spends its time and memory on, part by part, apart from the vault and Argon2; or what a print costs.
    #[command(
        after_help = "Example: amparo-biometrics latency portrait.jpg --json\n         amparo-biometrics latency --modality finger --extractor leader --turns 3 101_1.tif"
    )]
    Latency(latency::Arguments),
    /// What the parts of an unlock that are no networks cost in instructions (valgrind counts), and an estimate for an old telephone.
    #[command(after_help = "Example: amparo-biometrics instructions portrait.jpg --json")]
    Instructions(instructions::Arguments),
    /// Derive the polar code's information set anew and print it as the constant in the source.
    #[command(after_help = "Example: amparo-biometrics polar-table --json")]
    PolarTable,
}

/// What is measured.
#[derive(Clone, Copy, ValueEnum)]
enum Modality {
    Face,
    Finger,
}

/// What finds the minutiae of a print.
#[derive(Clone, Copy, Default, ValueEnum)]
enum ExtractorName {
    /// NIST's MINDTCT on the enhanced image: fast, needs no model.
    #[default]
    Mindtct,
    /// The LEADER network: several times slower, finds the better minutiae.
    Leader,
}

#[derive(Args)]
struct ModalityArguments {
    /// What is measured.
    #[arg(long, value_enum)]
    modality: Modality,
    #[command(flatten)]
    capture: CaptureArguments,
    /// What finds the minutiae of fingers [default: mindtct]. Prints taken by different ones are not compared.
    #[arg(long, value_enum, value_name = "NAME")]
    extractor: Option<ExtractorName>,
}

impl ModalityArguments {
    /// How prints are taken if fingers are measured, nothing if faces are; references may come from another kind of picture.
    fn finger(&self, reference: Option<CaptureName>) -> Result<Option<finger::Settings>, Failure> {
        let Self { modality, capture, extractor } = self;
        let given = [(extractor.is_some(), "--extractor"), (reference.is_some(), "--reference-capture")];
        let named = given.into_iter().find_map(|(given, name)| given.then_some(name)).or(capture.named());
        let (Modality::Finger, _) = (modality, named) else {
            return named.map_or(Ok(None), |name| {
                Err(Failure::usage(format!("{name} is for finger images"), format!("leave {name} out for faces")))
            });
        };
        let extractor = extractor.unwrap_or_default();
        let (reference, source) = (capture.reference_source(reference)?, capture.source()?);
        let photographs = [reference, source].iter().any(|source| matches!(source, FingerSource::Photograph(_)));
        if photographs && matches!(extractor, ExtractorName::Leader) {
            return Err(Failure::usage(
                "--extractor leader was trained on scanners' images and is not offered for photographs",
                "leave --extractor out",
            ));
        }
        Ok(Some(finger::Settings { reference, source, extractor }))
    }
}

/// What a command has to say: an object for programs, sentences for a person.
struct Answer {
    object: Value,
    sentences: String,
}

pub(crate) fn run() -> ExitCode {
    let line = CommandLine::parse();
    let home = line.home;
    let result = match &line.command {
        Command::Template(arguments) => template::run(arguments, home),
        Command::Compare(arguments) => compare::run(arguments, home),
        Command::Evaluate(arguments) => evaluate::run(arguments, home),
        Command::Release(arguments) => release::run(arguments, home),
        Command::Protection(arguments) => protection::run(arguments, home),
        Command::Search(arguments) => search::run(arguments, home),
        Command::Challenge(arguments) => challenge::run(arguments, home),
        Command::Pad(arguments) => pad::run(arguments, home),
        Command::Simulate(arguments) => simulate::run(arguments, home),
        Command::Degrade(arguments) => degrade::run(arguments, home),
        Command::Pairs(arguments) => pairs::run(arguments),
        Command::Latency(arguments) => latency::run(arguments, home),
        Command::Instructions(arguments) => instructions::run(arguments, home),
        Command::PolarTable => Ok(polar_table::run()),
    };
    let (text, code) = match (&result, line.json) {
        (Ok(answer), true) => (answer.object.to_string(), 0),
        (Ok(answer), false) => (answer.sentences.clone(), 0),
        (Err(failure), true) => {
            let Failure { exit, code, message, hint } = failure;
            (json!({ "error": { "code": code, "message": message, "hint": hint } }).to_string(), *exit)
        }
        (Err(Failure { exit, code: _, message, hint }), false) => {
            let _ = writeln!(std::io::stderr(), "{message}\n{hint}");
            return ExitCode::from(*exit);
        }
    };
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Ok(()) => ExitCode::from(code),
        // Nobody is listening any more: a closed pipe is no fault of ours.
        Err(_) => ExitCode::from(code.max(1)),
    }
}

/// The middle of some durations, in milliseconds.
fn median_ms(mut durations: Vec<std::time::Duration>) -> f64 {
    durations.sort_unstable();
    durations.get(durations.len() / 2).map_or(0.0, |middle| round3(middle.as_secs_f64() * 1e3))
}

/// Three digits after the point: more would be noise.
fn round3(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
