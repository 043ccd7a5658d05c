//! Every sentence that a person reads, in one place, so that other languages can stand beside this one.
//!
//! Text of peers reaches these functions only as [`wallet_core::display::Shown`].

mod challenge;
mod claims;
mod holdings;
mod issuance;
mod paper;
mod presentation;
mod proximity;
mod vault;

pub(crate) use challenge::{
    DRAW_HINT, FILM_HINT, FILMING, LOOKS_LIKE_AN_ATTACK, LOOKS_LIKE_AN_ATTACK_HINT, NETWORK_HINT, NO_CAMERA,
    RECORDING_HINT, challenge_drawn, refused_by,
};
pub(crate) use holdings::{card_written, credential, history, holdings, low, refilled, to_be_refilled};
pub(crate) use issuance::{arrived, attested, left_provider, offered, page, tx_code, waiting};
pub(crate) use paper::{PRINT_IT, printed, sheet, to_be_printed};
pub(crate) use presentation::{
    LESS, asked_for, beyond_purpose, comes_along, goes_on, no_purpose, not_known_still, not_told, open_it, optional,
    refused, sent, to_be_shown,
};
pub(crate) use proximity::{
    BEYOND_HINT, NO_ADDRESS, NO_ADDRESS_HINT, NO_CODE_FORM_HINT, NO_READER_HINT, NOT_READ, NOT_READ_HINT,
    NOTHING_TO_SHOW, READER_AT_FAULT_HINT, WAITING_FOR_READER, show_to_reader,
};
pub(crate) use vault::{
    NO_ANCHOR, NO_ANCHOR_HINT, few_captures, list_taken, models_refused, no_models, too_few_captures, trusted,
    vault_made,
};

pub(crate) const UNAVAILABLE: &str = "The vault is locked, or it did not recognise you.";
pub(crate) const UNAVAILABLE_HINT: &str = "Check the photograph, the PIN file, the device key and the vault. After several failures a vault waits before it lets you try again.";
pub(crate) const DECLINED: &str = "You did not agree, so nothing was done.";
pub(crate) const DECLINED_HINT: &str = "Run the command again if you change your mind.";
pub(crate) const INTERNAL: &str = "Something went wrong inside this program.";
pub(crate) const INTERNAL_HINT: &str =
    "This is our fault. What was saved before is still there; run it again with RUST_LOG=info and report what it says.";
pub(crate) const CLOCK_HINT: &str =
    "A trust list in your vault was issued later than this machine's clock says: set the clock.";
pub(crate) const BUSY_HINT: &str = "Wait until the other program is done, then try again.";
pub(crate) const PIN_FILE_HINT: &str = "A PIN file holds the PIN on one line, as text.";
pub(crate) const USAGE_HINT: &str = "Add --help to see what the command takes, with an example.";
pub(crate) const NOBODY_TO_ASK: &str = "This needs your agreement, and there is no terminal to ask on.";
pub(crate) const YES_HINT: &str =
    "Add --yes to agree beforehand, or run it on a terminal to see first what would happen.";
pub(crate) const TX_CODE_HINT: &str = "The issuer gave you a code on another way: add it as --tx-code.";
pub(crate) const PASTE_OFFER: &str = "The offer: the whole openid-credential-offer:// link (it is not shown)";
pub(crate) const NOTHING_PASTED: &str = "Standard input holds no such line.";
pub(crate) const NOTHING_PASTED_HINT: &str =
    "With --paste the offer is one line of standard input, and the code that the issuer gave the next.";
pub(crate) const PROMISE_FORGOTTEN: &str =
    "The promise is forgotten, with its keys and its token: what was promised cannot be had any more.";
pub(crate) const NO_SUCH_PROMISE: &str = "No issuer has promised anything under that id.";
pub(crate) const NO_SUCH_PROMISE_HINT: &str = "`amparo list` shows what is promised, with its ids.";
pub(crate) const NO_DEVICE_KEY: &str = "The device key is missing from the command line.";
pub(crate) const NO_DEVICE_KEY_HINT: &str =
    "Add --device-key FILE, the file that was made or named when the vault was made.";
pub(crate) const SETUP_HINT: &str = "Run `cargo xtask setup` once, or set AMPARO_HOME to the folder that it filled.";
pub(crate) const FRAMES_HINT: &str = "Give one to a few photographs of the same face.";

pub(crate) const SETUP_AGAIN_HINT: &str = "Run `cargo xtask setup` again; it fetches the pinned files and checks them.";
pub(crate) const NOT_SAVED_HINT: &str = "Nothing was changed; what was saved before is still there.";
pub(crate) const LONGER_PIN_HINT: &str =
    "Choose a longer PIN: four characters or more beside a face, six or more beside a finger; four words are better.";
pub(crate) const LEDGER_FULL_HINT: &str = "Use another --device-key file for this vault.";
pub(crate) const NO_MEMORY_HINT: &str = "Close other programs and try again; 256 MiB are needed for a moment.";
pub(crate) const NOT_A_DEVICE_KEY_HINT: &str =
    "Name another file: this one is kept as it is, and a new device key is made only where no file is.";
pub(crate) const NOT_AN_ID: &str = "That is not the id of a credential.";
pub(crate) const NOT_AN_ID_HINT: &str = "`amparo list` shows the ids.";
pub(crate) const CONVENIENCE_ONLY: &str = "This vault opens with the face alone: it is a convenience, not a protection, for a face is not a secret. Make it anew with --pin-file to protect it.";
pub(crate) const SAME_PICTURE: &str = "The same photograph is named twice: it says nothing new.";
pub(crate) const FINGER_NEEDS_PIN: &str = "A vault that asks for a finger needs a PIN.";
pub(crate) const FINGER_NEEDS_PIN_HINT: &str =
    "Add --pin-file FILE with a PIN of six characters or more: a finger by itself protects nothing.";
pub(crate) const FINGER_ONLY_ASKED: &str = "The finger is compared inside this program, after PIN and device key have opened the vault: it stops whoever uses this program, not whoever changes it. PIN and device key are what protects.";
pub(crate) const FINGER_OPTIONS: &str = "These options of the finger's pictures do not go together.";
pub(crate) const FINGER_OPTIONS_HINT: &str = "--dpi (200 to 2000) is for scans, --mirrored for --capture photograph.";
pub(crate) const MORE_FINGERS_HINT: &str = "Repeat --finger: one for each picture of the same finger; three are good.";
pub(crate) const SAME_FINGER_HINT: &str =
    "Take all pictures of one finger, of the middle of the fingertip, and leave out bad ones.";
pub(crate) const MORE_CAPTURES_HINT: &str = "Repeat --face or --finger: one for each photograph.";
pub(crate) const SHORT_PIN: &str = "The PIN is short: whoever has the vault, the device key and a photograph of you can find it by trying. Ten digits or four words hold much longer.";
pub(crate) const UNLOCKED: &str = "The vault recognised you. It is locked again.";
pub(crate) const UNLOCKED_IN_PRESENCE: &str =
    "The vault recognised you, and the face answered the challenge. It is locked again.";
pub(crate) const FORGOTTEN: &str = "The credential, its copies and their keys are gone from the vault.";

pub(crate) const NO_FORM: &str = "The name of the file says nothing of its form.";
pub(crate) const NO_FORM_HINT: &str = "Let it end in .html, .png, .gif or .txt.";
pub(crate) const NO_CARD_FORM_HINT: &str = "Let it end in .svg or .png.";
pub(crate) const NO_CARD_HINT: &str = "Write it as .svg instead, or show it without --card.";
pub(crate) const NOT_PATHS: &str = "--only names no claims.";
pub(crate) const NOT_PATHS_HINT: &str =
    "Write names with commas between (given_name,family_name), or paths as JSON arrays ([\"address\",\"locality\"]).";
pub(crate) const TAKE_IT_UP: &str = "Take up this offer?";
pub(crate) const REFILL_IT: &str = "Do you want to fetch new copies?";
pub(crate) const KEEP_IT: &str = "Is this about you, and do you want to keep it?";
pub(crate) const SHOW_IT: &str = "Show this, on these terms?";
pub(crate) const TELL_THEM: &str = "Tell the verifier that its request cannot be answered? It learns nothing else.";
pub(crate) const SHOW_PORTRAIT: &str = "Your portrait is asked for. A face is a name that cannot be changed. Show it?";
pub(crate) const SHOW_AGAIN: &str =
    "Every copy was shown once. Show one again? The verifiers could find out that both belong to you.";
pub(crate) const KEPT: &str = "It is in your vault.";

pub(crate) const LOOKING: &str = "looking at the photographs";
pub(crate) const OPENING: &str = "opening the vault";
pub(crate) const MAKING: &str = "making the vault";
pub(crate) const SAVING: &str = "saving the vault";
pub(crate) const CALLING: &str = "talking to the other side";

/// An error's message as a sentence: a capital first, a full stop last. A name of a file at its head stays as it is.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let is_word =
        text.split_whitespace().next().is_some_and(|word| word.bytes().all(|b| b.is_ascii_alphabetic() || b == b','));
    let mut sentence: String = if is_word { first.to_uppercase().chain(letters).collect() } else { text.to_owned() };
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}
