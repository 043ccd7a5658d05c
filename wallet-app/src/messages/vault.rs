//! Making a vault, and the models that it needs.

use crate::adapters::home::HomeError;
use biometrics::engine::EngineError;
use credentials::trust::list::VerifiedTrustList;
use std::path::Path;
use wallet_core::unlock::Factors;

/// The models cannot be used.
pub(crate) fn no_models(error: &HomeError) -> String {
    format!("The face models are not ready: {error}.")
}

/// The models are there, but are not used.
pub(crate) fn models_refused(error: &EngineError) -> String {
    format!("The face models were refused: {error}.")
}

/// Enrolled from fewer pictures than is good.
pub(crate) fn few_captures(captures: usize, recommended: usize) -> String {
    format!(
        "Only {captures} photographs were enrolled: with {recommended} or more, in different light, the vault recognises you more reliably."
    )
}

/// Too few pictures to enrol from.
pub(crate) fn too_few_captures(captures: usize, least: usize) -> String {
    format!("Enrolment takes {least} or more photographs of you, and got {captures}.")
}

/// A vault was made.
pub(crate) fn vault_made(vault: &Path, device_key: &Path, factors: Factors, warnings: &[String]) -> String {
    let needs = match (factors.finger(), factors.pin()) {
        (true, _) => "your finger, your PIN and the device key",
        (false, true) => "your face, your PIN and the device key",
        (false, false) => "your face and the device key",
    };
    let mut text = format!(
        "The vault is {}. It opens with {needs} ({}) together; keep a copy of neither where the other is.",
        vault.display(),
        device_key.display()
    );
    for warning in warnings {
        text.push('\n');
        text.push_str(warning);
    }
    text
}

/// A trust list was taken.
pub(crate) fn list_taken(list: &VerifiedTrustList, withdrawn: usize, current: bool) -> String {
    let named = list.entries().len() - withdrawn;
    let (name, number, signer, end) = (list.name(), list.sequence(), list.signer(), list.ends_at());
    let until = if current {
        format!("Whom it names is known until {end}; then get a newer one.")
    } else {
        format!("It ended at {end}: whom it names is not known. Get a newer one.")
    };
    format!("Trust list {name}, number {number}, signed by {signer}, names {named} and withdraws {withdrawn}.\n{until}")
}

/// Neither an anchor nor a list.
pub(crate) const NO_ANCHOR: &str = "neither --anchor nor --list is given";
/// What to do about it.
pub(crate) const NO_ANCHOR_HINT: &str = "Give one of them.";

/// Trust anchors were added.
pub(crate) fn trusted(new: usize) -> String {
    match new {
        0 => "This trust anchor was trusted already.".to_owned(),
        1 => "The trust anchor is trusted from now on.".to_owned(),
        _ => format!("{new} trust anchors are trusted from now on."),
    }
}
