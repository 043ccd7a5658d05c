//! What is put on paper.

use super::claims::what;
use wallet_core::paper::{Prepared, Printed};
use wallet_core::presentation::Terms;
use wallet_core::words::Words;

/// The last question before a paper is made.
pub(crate) const PRINT_IT: &str = "Make this paper?";

/// What would be on the paper, and what to be wary of.
pub(crate) fn to_be_printed(prepared: &Prepared, words: &Words) -> String {
    let terms = prepared.terms();
    format!(
        "The paper would show {} to whoever reads it, {}, until {}.\n{}{CANNOT}",
        what(&[prepared.disclosed()], words),
        purposes(terms),
        terms.ends_at,
        if prepared.has_portrait() { "" } else { NO_PORTRAIT },
    )
}

/// A paper was made.
pub(crate) fn printed(printed: &Printed, file: &str) -> String {
    let codes = match printed.codes().len() {
        1 => "one code".to_owned(),
        n => format!("{n} codes"),
    };
    format!(
        "The paper is in {file}: {codes}, {} bytes. It holds until {}.\n{CANNOT} Destroy the file and the paper when you no longer need them.",
        printed.bytes(),
        printed.terms().ends_at,
    )
}

/// The heading of a sheet, its paragraphs, and the label of its switch.
pub(crate) fn sheet(printed: &Printed) -> (&'static str, Vec<String>, &'static str) {
    let terms = printed.terms();
    let lines = vec![
        format!("These codes hold {}, until {}. Then nobody may accept them.", purposes(terms), terms.ends_at),
        "Read them with amparo-verifier, in any order; no network is needed. Compare the person with the portrait."
            .to_owned(),
    ];
    ("Amparo paper", lines, "One after another, for a camera in front of this screen")
}

fn purposes(terms: &Terms) -> String {
    let purposes: Vec<String> = terms.purposes.iter().map(ToString::to_string).collect();
    format!("for {}", purposes.join(", "))
}

const CANNOT: &str = "It cannot be taken back before that: whoever has it, or a photograph of it, can show it.";
const NO_PORTRAIT: &str = "Without your portrait nobody can tell whose paper it is.\n";
