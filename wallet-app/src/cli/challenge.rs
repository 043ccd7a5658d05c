//! `amparo challenge`: draw the movements that a face is to answer with, for the next opening.

use super::output::Answer;
use crate::adapters::new_file::NewFile;
use crate::adapters::surroundings::{clock, now, randomness};
use crate::adapters::vault_file::Files;
use crate::failure::Failure;
use crate::messages;
use crate::session;
use biometrics::pad::challenge::Reflection;
use serde_json::json;
use std::path::PathBuf;
use wallet_core::device_key::DeviceStore;
use wallet_core::unlock::{CHALLENGE_GOOD_FOR, Unavailable, draw_challenge};

/// What `challenge` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Challenge {
    /// The vault that will be opened with it
    #[arg(long, value_name = "FILE")]
    vault: PathBuf,
    /// The file with this device's key
    #[arg(long, value_name = "FILE")]
    device_key: Option<PathBuf>,
    /// Draw a new one, in the place of the last: it is good for one opening within five minutes
    #[arg(long, required = true)]
    new: bool,
    /// Where to write it, for programs that show it; the file must not be there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A screen will light the face in the colours that are drawn with it: they must come back from the face
    #[arg(long)]
    light: bool,
}

pub(super) fn run(arguments: &Challenge) -> Result<Answer, Failure> {
    let Challenge { vault, device_key, new: _, out, light } = arguments;
    let files = Files::existing(vault, session::device_key(device_key.as_deref())?)?;
    let out_file = out.as_deref().map(NewFile::create).transpose()?;
    let file = files.vault()?;
    let Some(mut store) = session::store(&files)? else { return Err(Failure::unavailable()) };
    let reflection = if *light { Reflection::Required } else { Reflection::Ignored };
    let drawn = draw_challenge(&mut store, &file, clock(), reflection, &mut randomness());
    // Also where it was too early: that was counted.
    files.write_device_key(&store.to_bytes())?;
    let script = drawn.map_err(|Unavailable| Failure::unavailable())?;
    let ends_at = now().plus(CHALLENGE_GOOD_FOR);
    let written = json!(script);
    if let Some(file) = out_file {
        file.write(format!("{written}\n").as_bytes())?;
    }
    Ok(Answer {
        json: json!({
            "drawn": true,
            "challenge": written,
            "light": light,
            "expires_at": ends_at.to_string(),
            "file": out.as_ref().map(|out| out.display().to_string()),
        }),
        text: messages::challenge_drawn(&script, *light, ends_at),
    })
}

pub(super) const EXAMPLE: &str = "Example:
  amparo challenge --new --vault me.amparo --device-key device.key --out answer/challenge.json
Then let a camera take at least ten pictures a second into that folder while you make the movements, and within five minutes:
  amparo unlock --vault me.amparo --challenge answer --fps 10 --pin-file pin.txt --device-key device.key
Or, with nothing of your face on a disk, from a camera's program through a pipe:
  ffmpeg -f v4l2 -t 40 -i /dev/video0 -c:v mjpeg -q:v 2 -f image2pipe - | amparo unlock --vault me.amparo --challenge - --pin-file pin.txt --device-key device.key
It shows that what was recorded was made for this challenge. It does not show that it was made by a camera.";
