//! The active challenge: what to do, and why an answer was not taken.

use biometrics::pad::challenge::{Script, Sign};
use schemas::Timestamp;

pub(crate) const DRAW_HINT: &str =
    "Draw another with `amparo challenge --new`, answer it before a camera, and open within five minutes.";
pub(crate) const RECORDING_HINT: &str = "Name a folder that holds the frames as pictures, in the order of their names; or with a list frames.csv that begins with the line frame,ms.";

pub(crate) const FILM_HINT: &str = "Have the camera's program write one JPEG picture after another into the pipe, such as `ffmpeg … -c:v mjpeg -f image2pipe -`.";

pub(crate) const FILMING: &str = "taking what the camera sends";
pub(crate) const NO_CAMERA: &str =
    "`--challenge -` takes what a camera sends into a pipe, each picture when it comes, without --fps";

pub(crate) const NETWORK_HINT: &str =
    "Name the network's file and its own SHA-256; its contract stands in `amparo-biometrics pad --help`.";
pub(crate) const LOOKS_LIKE_AN_ATTACK: &str =
    "the network that was named does not take this for a living face before a camera";
pub(crate) const LOOKS_LIKE_AN_ATTACK_HINT: &str =
    "Take the pictures anew, of yourself, in even light and without a screen or print in them.";

/// A challenge was drawn: what to do before the camera.
pub(crate) fn challenge_drawn(script: &Script, light: bool, ends_at: Timestamp) -> String {
    let mut text = String::from("Look straight into the camera, then one after the other, each within five seconds:");
    for prompt in script.prompts() {
        text.push_str("\n- ");
        text.push_str(prompt.instruction());
    }
    if light {
        text.push_str(
            "\nThe colours that the screen must show meanwhile, one for each step there and back, are in the file.",
        );
    }
    text.push_str(&format!("\nIt is good for one opening, until {ends_at}."));
    text
}

/// Why an answer was not taken: in plain words what the willing can do better, and of an attack that it looks like one, not why.
pub(crate) const fn refused_by(sign: Sign) -> &'static str {
    match sign {
        Sign::WrongMotion => "the challenge was not met: another movement was made than the one asked for",
        Sign::TimedOut => "the challenge was not met: a movement did not come in its time",
        Sign::FaceLost => "the challenge was not met: your face, alone, was not seen all the time",
        _ => "the challenge was not met: these frames do not look like one person before a camera",
    }
}
