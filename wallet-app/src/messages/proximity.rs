//! A reader that stands beside the person.

pub(crate) const WAITING_FOR_READER: &str = "waiting for the reader";
pub(crate) const NOTHING_TO_SHOW: &str =
    "Nothing in your vault answers that. Tell the reader? It hears the same as when you say no.";
pub(crate) const NOT_READ: &str = "The reader has the answer, and says that it could not read it.";
pub(crate) const NOT_READ_HINT: &str = "Show a new code; a copy was used up.";
pub(crate) const NO_READER_HINT: &str = "Show a new code, and let the reader come to it on this machine.";
pub(crate) const READER_AT_FAULT_HINT: &str = "Nothing was shown: whoever came is no reader of this kind.";
pub(crate) const BEYOND_HINT: &str =
    "Add --other-machines if readers are to come over a network; what is said is encrypted, that you wait is not.";
pub(crate) const NO_ADDRESS: &str = "The code must say where the reader comes to, and that address is none.";
pub(crate) const NO_ADDRESS_HINT: &str = "Give --listen an address of this machine, such as 127.0.0.1:0.";
pub(crate) const NO_CODE_FORM_HINT: &str = "Let it end in .png or .txt.";

/// The code, drawn for a terminal, and its text.
pub(crate) fn show_to_reader(drawn: &str, uri: &str) -> String {
    format!(
        "Show this code to the reader and to nobody else. It is good for one reader and one question.\n{drawn}{uri}"
    )
}
