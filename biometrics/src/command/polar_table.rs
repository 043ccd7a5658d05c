//! `polar-table`: the polar code's information set, derived anew.

use biometrics::protection::{INFORMATION_SET, derive_information_set};
use serde_json::json;

use super::Answer;

pub(super) fn run() -> Answer {
    let derived = derive_information_set();
    let mut sentences = String::from("pub const INFORMATION_SET: [PolarIndex; MESSAGE_BITS] = [");
    for (i, index) in derived.iter().enumerate() {
        sentences.push_str(if i % 16 == 0 { "\n    " } else { " " });
        sentences.push_str(&format!("{index},"));
    }
    let is_shipped = derived == INFORMATION_SET;
    sentences.push_str(if is_shipped { "\n];\n// as shipped" } else { "\n];\n// NOT as shipped" });
    Answer { object: json!({ "information_set": derived.to_vec(), "as_shipped": is_shipped }), sentences }
}
