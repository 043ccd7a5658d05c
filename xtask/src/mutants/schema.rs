//! Mutants as cargo-mutants lists them, and a source text with all of them in it, asleep.

use super::{Arguments, MutantsError};
use crate::shell;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;

/// One change to one place.
pub(super) struct Mutant {
    /// Its place in the list.
    pub(super) id: usize,
    pub(super) file: String,
    /// As cargo-mutants describes it.
    pub(super) name: String,
    /// Lines and columns of the function around it, both from 1; `None` outside of any.
    function: Option<[Position; 2]>,
    /// Whether the function says what it gives: `impl Trait` is one type, which another body would have to give too.
    is_opaque: bool,
    place: [Position; 2],
    replacement: String,
}

type Position = (usize, usize);

impl Mutant {
    /// Whether it can stand in the source beside what it replaces.
    pub(super) const fn can_sleep(&self) -> bool {
        self.function.is_some() && !self.is_opaque
    }
}

/// What cargo-mutants would change in these files.
pub(super) fn list<'f>(
    files: impl Iterator<Item = &'f str> + Clone,
    arguments: &Arguments,
) -> Result<Vec<Mutant>, MutantsError> {
    let list = || {
        let mut list = shell::cargo();
        // What `Debug` hides is pinned by tests of its own.
        list.args(["mutants", "--list", "--colors", "never", "--exclude-re", "fmt"]);
        list.args(files.clone().flat_map(|file| ["--file", file]));
        list.args(arguments.shard.iter().flat_map(|shard| ["--shard", shard]));
        list.args(arguments.matching.iter().flat_map(|matching| ["--re", matching]));
        list
    };
    let names = shell::output(&mut list())?;
    let values: Vec<Value> =
        serde_json::from_str(&shell::output(list().arg("--json"))?).map_err(|_| MutantsError::List)?;
    let mutants: Option<Vec<Mutant>> =
        values.iter().zip(names.lines()).enumerate().map(|(id, (value, name))| read(id, value, name)).collect();
    mutants.filter(|mutants| mutants.len() == values.len()).ok_or(MutantsError::List)
}

fn read(id: usize, value: &Value, name: &str) -> Option<Mutant> {
    let position = |span: &Value, end: &str| {
        let number = |of: &str| span.get(end)?.get(of)?.as_u64()?.try_into().ok();
        Some((number("line")?, number("column")?))
    };
    let span = |of: &Value| Some([position(of.get("span")?, "start")?, position(of.get("span")?, "end")?]);
    let function = value.get("function")?;
    Some(Mutant {
        id,
        file: value.get("file")?.as_str()?.to_owned(),
        name: name.to_owned(),
        function: if function.is_null() { None } else { Some(span(function)?) },
        is_opaque: function.get("return_type").and_then(Value::as_str).is_some_and(|returns| returns.contains("impl ")),
        place: span(value)?,
        replacement: value.get("replacement")?.as_str()?.to_owned(),
    })
}

/// `source` with this change made.
pub(super) fn changed(source: &str, mutant: &Mutant) -> String {
    let place = range(source, &mutant.place);
    format!("{}{}{}", &source[..place.start], mutant.replacement, &source[place.end..])
}

/// `source` in which each function decides by `crate::mutant()` whether it is what it was or one of these mutants.
pub(super) fn with_all(source: &str, mutants: &[&Mutant]) -> String {
    let mut functions: BTreeMap<usize, (Range<usize>, Vec<&Mutant>)> = BTreeMap::new();
    for mutant in mutants {
        if let Some(function) = &mutant.function {
            let function = range(source, function);
            functions.entry(function.start).or_insert((function, Vec::new())).1.push(mutant);
        }
    }
    let mut written = source.to_owned();
    // From the last to the first, so that the places of the others stay.
    for (function, mutants) in functions.into_values().rev() {
        let Some(body) = body(&source[function.clone()]) else { continue };
        let body = function.start + body..function.end - 1;
        let mut arms = String::new();
        for mutant in mutants {
            let place = range(source, &mutant.place);
            let (before, after) = (&source[body.start..place.start], &source[place.end..body.end]);
            arms += &format!("{}return {{{before}{}{after}}},\n", marked(mutant.id), mutant.replacement);
        }
        let head = source[function.start..body.start].replace("const fn ", "fn ");
        let text = format!("{head}match crate::mutant() {{\n{arms}{END}_ => {{{}}}\n}}}}", &source[body]);
        written.replace_range(function, &text);
    }
    written
}

/// Which mutant stands at this byte of what [`with_all`] wrote.
pub(super) fn standing_at(written: &str, byte: usize) -> Option<usize> {
    let before = written.get(..byte)?;
    let begin = before.rfind(BEGIN)?;
    let (id, rest) = before[begin + BEGIN.len()..].split_once("*/")?;
    if rest.contains(END) { None } else { id.parse().ok() }
}

fn marked(id: usize) -> String {
    format!("{BEGIN}{id}*/ {id} => ")
}

const BEGIN: &str = "/*mutant ";
const END: &str = "/*as it was*/ ";

/// Where the body of a function begins, behind its brace: the first that stands in no parenthesis, documentation and attributes
/// passed over.
fn body(function: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut start = 0;
    for line in function.split_inclusive('\n') {
        let is_code = !line.trim_start().starts_with("//") && !line.trim_start().starts_with("#[");
        for (at, c) in line.char_indices().filter(|_| is_code) {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                '{' if depth == 0 => return Some(start + at + 1),
                _ => {}
            }
        }
        start += line.len();
    }
    None
}

/// Lines and columns, both from 1 and columns in characters, as bytes.
fn range(text: &str, [start, end]: &[Position; 2]) -> Range<usize> {
    let byte = |(line, column): &Position| {
        let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let line = text[before..].split('\n').next().unwrap_or_default();
        before + line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at)
    };
    byte(start)..byte(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "/// Of {two}.\nconst fn é(a: [u8; { 1 }], b: u8) -> bool {\n    a[0] < b // ü\n}\nconst N: u8 = 1;\n";

    fn mutant(id: usize, function: Option<[Position; 2]>, place: [Position; 2], replacement: &str) -> Mutant {
        let (file, name) = ("credentials/src/sd_jwt/verify.rs".to_owned(), String::new());
        Mutant { id, file, name, function, is_opaque: false, place, replacement: replacement.to_owned() }
    }

    #[test]
    fn a_function_holds_what_it_was_and_every_mutant() {
        let function = Some([(1, 1), (4, 2)]);
        let mutants = [mutant(3, function, [(3, 10), (3, 11)], "=="), mutant(7, function, [(3, 5), (3, 13)], "true")];
        let written = with_all(SOURCE, &mutants.each_ref());
        assert!(written.starts_with("/// Of {two}.\nfn é(a: [u8; { 1 }], b: u8) -> bool {match crate::mutant() {\n"));
        assert!(written.contains("3 => return {\n    a[0] == b // ü\n},\n"), "{written}");
        assert!(written.contains("7 => return {\n    true // ü\n},\n"), "{written}");
        assert!(written.ends_with("_ => {\n    a[0] < b // ü\n}\n}}\nconst N: u8 = 1;\n"), "{written}");
        assert_eq!(standing_at(&written, written.find("==").unwrap()), Some(3));
        assert_eq!(standing_at(&written, written.find("true").unwrap()), Some(7));
        assert_eq!(standing_at(&written, written.find("a[0] < b").unwrap()), None);
    }

    #[test]
    fn what_is_in_no_function_is_changed_alone() {
        let constant = mutant(0, None, [(5, 15), (5, 16)], "2");
        assert!(!constant.can_sleep());
        assert_eq!(changed(SOURCE, &constant), SOURCE.replace("= 1", "= 2"));
    }
}
