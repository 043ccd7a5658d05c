//! What an unlock's parts that are no networks cost in instructions, and an estimate for an old telephone.

use super::table::{at, count, number, thousands};
use super::{Bench, EvaluateError};
use std::fmt::Write;

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let answer = bench.json(bench.command(&["instructions"]).arg(bench.portrait("obama3.jpg")))?;
    let mut text = String::from(
        "One unlock by face; instructions of x86-64 as valgrind counts them (it has no AVX-512). ESTIMATED milliseconds, for a telephone of 2016:\n\n\
         | part | calls | instructions | ESTIMATE, ms |\n|---|---|---|---|\n",
    );
    for part in at(&answer, &["parts"]).as_array().map_or(&[][..], Vec::as_slice) {
        let (name, instructions) = (at(part, &["part"]).as_str().unwrap_or_default(), count(part, &["instructions"]));
        let (calls, ms) = (count(part, &["calls"]), number(part, &["estimated_ms"]));
        let _ = writeln!(text, "| {name} | {calls} | {} | {ms:.1} |", thousands(instructions));
    }
    let (all, ms) = (thousands(count(&answer, &["instructions"])), number(&answer, &["estimated_ms"]));
    let _ = writeln!(text, "| **all of these** | | **{all}** | **{ms:.1}** |\n");
    let _ = writeln!(text, "{}", at(&answer, &["assumptions"]).as_str().unwrap_or_default());
    Ok(text)
}
