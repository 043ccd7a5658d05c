//! The command line, as `--help` shows it.

use super::finger::FingerPictures;
use super::logging::LogFormat;
use super::{
    attest, challenge, forget, history, list, new, paper, present, proximity, receive, refill, refuse, show, trust,
    unlock,
};
use crate::adapters::film::Film;
use crate::adapters::footage::Footage;
use crate::adapters::pictures::PadModel;
use crate::adapters::recording::Recording;
use crate::cli::progress::Step;
use crate::failure::Failure;
use crate::messages;
use crate::session::{Keys, Session, Shown};
use biometrics::pad::network::ModelHash;
use clap::{Args, Parser, Subcommand};
use credentials::type_metadata::LanguageTag;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use wallet_core::unlock::Unlocked;

/// Your credentials, encrypted on this device, opened with your face, your PIN and this device's key.
#[derive(Debug, Parser)]
#[command(name = "amparo", version, propagate_version = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Print exactly one JSON object on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// How log lines on stderr look
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
    /// The language in which credentials and claims are named, such as es; repeat it for a second choice. The system's otherwise
    #[arg(long, global = true, value_name = "LANGUAGE", value_parser = crate::language::tag)]
    pub(super) lang: Vec<LanguageTag>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Enrol a face and create a vault
    #[command(after_help = new::EXAMPLE)]
    New(new::New),
    /// Trust an issuer or a verifier by its trust anchor
    #[command(after_help = trust::EXAMPLE)]
    Trust(trust::Trust),
    /// Open the vault and close it again
    #[command(after_help = unlock::EXAMPLE)]
    Unlock(unlock::Unlock),
    /// Draw a challenge: movements that show, made before a camera, that you are there
    #[command(after_help = challenge::EXAMPLE)]
    Challenge(challenge::Challenge),
    /// Have a provider vouch for this wallet, where an issuer wants that
    #[command(after_help = attest::EXAMPLE)]
    Attest(attest::Attest),
    /// Receive a credential from an issuer's offer
    #[command(after_help = receive::EXAMPLE)]
    Receive(receive::Receive),
    /// Fetch new copies of what runs low, from its issuer, without the desk
    #[command(after_help = refill::EXAMPLE)]
    Refill(refill::Refill),
    /// List the credentials
    #[command(after_help = list::EXAMPLE)]
    List(list::List),
    /// Show one credential
    #[command(after_help = show::EXAMPLE)]
    Show(show::Show),
    /// Answer a verifier's request with what you choose to show
    #[command(after_help = present::EXAMPLE)]
    Present(present::Present),
    /// Answer a reader that stands beside you, with no network: shows a code and waits for the reader
    #[command(after_help = proximity::EXAMPLE)]
    Proximity(proximity::Proximity),
    /// Put a part of a credential on paper, as codes, for a time
    #[command(after_help = paper::EXAMPLE)]
    Paper(paper::Paper),
    /// Say no to a verifier's request; it learns no more than from absence
    #[command(after_help = refuse::EXAMPLE)]
    Refuse(refuse::Refuse),
    /// What was shown, to whom, why and until when; never the values
    #[command(after_help = history::EXAMPLE)]
    History(history::History),
    /// Remove one credential from the vault
    #[command(after_help = forget::EXAMPLE)]
    Forget(forget::Forget),
}

/// What opens a vault.
#[derive(Debug, Args)]
pub(super) struct Opening {
    /// The vault
    #[arg(long, value_name = "FILE")]
    pub(super) vault: PathBuf,
    /// A photograph of your face; repeat it for more frames of this one attempt
    #[arg(long, value_name = "IMG", required_unless_present_any = ["finger", "challenge"])]
    pub(super) face: Vec<PathBuf>,
    /// Instead: a folder with frames of your face making the movements that `amparo challenge` drew, or `-` for what a camera sends into the
    /// pipe meanwhile, one JPEG picture after another; whoever you show something to is then told that you were there
    #[arg(long, value_name = "DIR|-", conflicts_with = "face")]
    challenge: Option<PathBuf>,
    /// Frames a second, where no frames.csv (frame,ms) in that folder says when each was taken [default: 10]
    #[arg(long, value_name = "N", requires = "challenge", value_parser = clap::value_parser!(u32).range(1..=120))]
    fps: Option<u32>,
    /// A picture of your finger, for a vault that was made with one
    #[arg(long, value_name = "IMG", conflicts_with_all = ["face", "challenge"])]
    finger: Option<PathBuf>,
    #[command(flatten)]
    finger_pictures: FingerPictures,
    /// A network that tells living faces from pictures of faces, of the contract in `amparo-biometrics pad --help`: what it takes for an
    /// attack does not open. None is shipped
    #[arg(long, value_name = "FILE", requires = "pad_sha256", conflicts_with = "finger")]
    pad_model: Option<PathBuf>,
    /// Its SHA-256: another file is refused
    #[arg(long, value_name = "HEX", requires = "pad_model")]
    pad_sha256: Option<ModelHash>,
    /// Leave the stored template of your face as it is; otherwise it follows your face a little, once a week at most, and never far from
    /// what was enrolled
    #[arg(long)]
    no_update: bool,
    /// A file with your PIN, if the vault was made with one
    #[arg(long, value_name = "FILE")]
    pub(super) pin_file: Option<PathBuf>,
    /// The file with this device's key
    #[arg(long, value_name = "FILE")]
    pub(super) device_key: Option<PathBuf>,
}

impl Opening {
    /// Opens the vault, and gives the evidence that it was opened.
    pub(super) fn open(&self) -> Result<(Session, Unlocked), Failure> {
        let Self { vault, face, challenge, fps, finger, finger_pictures, .. } = self;
        let footage = challenge.as_deref().map(|from| footage(from, *fps)).transpose()?;
        let shown = match (finger, &footage) {
            (Some(picture), _) => Shown::Finger(picture, finger_pictures.source()?),
            (None, Some(footage)) => Shown::Answer(footage),
            (None, None) => Shown::Faces(face),
        };
        let pad_model = self.pad_model.clone().zip(self.pad_sha256).map(|(file, sha256)| PadModel { file, sha256 });
        Session::open(&Keys {
            vault,
            shown,
            pin_file: self.pin_file.as_deref(),
            device_key: self.device_key.as_deref(),
            pad_model: pad_model.as_ref(),
            follows: !self.no_update,
        })
    }
}

/// The frames of a folder; or what a camera sends on the standard input, until it ends.
fn footage(from: &Path, frames_a_second: Option<u32>) -> Result<Footage, Failure> {
    if from != Path::new("-") {
        let recording = Recording::find(from, frames_a_second.unwrap_or(FRAMES_A_SECOND));
        return recording.map(Footage::Recorded).map_err(|error| Failure::recording(&error));
    }
    let input = std::io::stdin();
    if frames_a_second.is_some() || input.is_terminal() {
        return Err(Failure::usage(messages::NO_CAMERA, messages::FILM_HINT));
    }
    let _step = Step::begin(messages::FILMING);
    Film::take(input.lock()).map(Footage::Filmed).map_err(|error| Failure::film(&error))
}

const FRAMES_A_SECOND: u32 = 10;
const EXIT_CODES: &str = "Exit codes: 0 done, 1 internal fault, 2 usage, 3 locked or not recognised, 4 the other party or its data was refused, \
5 refused by you or consent missing or ended, 6 network, 7 storage.";
