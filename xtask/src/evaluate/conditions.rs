//! Tables of what is missed under which condition.

use super::table::{at, count, number, percent};
use serde_json::Value;
use std::fmt::Write;

/// Conditions that the pictures' own measures tell: a row a measure, a column for each third of the pairs.
pub(super) fn measured(list: &Value) -> String {
    let mut text = String::from(
        "| measure, of the picture that is worst by it | lowest third of the pairs | middle third | highest third |\n|---|---|---|---|\n",
    );
    for [low, middle, high] in rows(list).as_chunks::<3>().0 {
        let name = at(low, &["condition"]).as_str().unwrap_or_default();
        let cell = |row: &Value| {
            let ends = ["from", "to"].map(|end| format!("{:.2}", number(row, &[end])));
            format!("{} from {} to {}", missed(row), ends[0], ends[1])
        };
        let _ = writeln!(text, "| {name} | {} | {} | {} |", cell(low), cell(middle), cell(high));
    }
    text
}

/// Conditions that the list names, a kind and a level each: a row a kind, a column a level.
pub(super) fn named(list: &Value) -> String {
    let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
    for row in rows(list) {
        let name = at(row, &["condition"]).as_str().unwrap_or_default();
        let kind = name.rsplit_once(' ').map_or(name, |(kind, _)| kind);
        let cell = format!("{} of {}", count(row, &["misses"]), count(row, &["mated"]));
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, cells)) => cells.push(cell),
            None => kinds.push((kind, vec![cell])),
        }
    }
    let levels = kinds.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
    let head: Vec<String> = (1..=levels).map(|level| level.to_string()).collect();
    let mut text = format!("| fault, by level | {} |\n|---|{}\n", head.join(" | "), "---|".repeat(levels));
    for (kind, cells) in kinds {
        let _ = writeln!(text, "| {kind} | {} |", cells.join(" | "));
    }
    text
}

fn rows(list: &Value) -> &[Value] {
    at(list, &["by_condition"]).as_array().map_or(&[][..], Vec::as_slice)
}

/// `1.33 % (4/300, 0–4.44)`: the interval is that of drawing people anew, where there are several.
fn missed(row: &Value) -> String {
    let (misses, mated) = (count(row, &["misses"]), count(row, &["mated"]));
    let bound = |i: usize| at(row, &["ci95_by_subject"]).get(i).and_then(Value::as_f64).map(percent);
    let interval = bound(0).zip(bound(1)).map(|(low, high)| format!(", {low}–{high}")).unwrap_or_default();
    format!("{} % ({misses}/{mated}{interval})", percent(misses as f64 / mated.max(1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_of_a_measure_stand_in_one_row() {
        let third = |from: f64, misses: u64| serde_json::json!({ "condition": "yaw", "from": from, "to": from + 1.0, "mated": 300, "misses": misses, "ci95_by_subject": [0.0, 0.04] });
        let list = serde_json::json!({ "by_condition": [third(0.0, 0), third(1.0, 3), third(2.0, 6)] });
        let table = measured(&list);
        assert!(
            table
                .contains("| yaw | 0 % (0/300, 0–4.00) from 0.00 to 1.00 | 1.00 % (3/300, 0–4.00) from 1.00 to 2.00 |"),
            "{table}"
        );
    }

    #[test]
    fn levels_of_a_fault_stand_in_one_row() {
        let row =
            |condition: &str, misses: u64| serde_json::json!({ "condition": condition, "mated": 20, "misses": misses });
        let list = serde_json::json!({ "by_condition": [row("dark 1", 0), row("dark 2", 4), row("eyes-covered 1", 7), row("eyes-covered 2", 9)] });
        assert_eq!(
            named(&list),
            "| fault, by level | 1 | 2 |\n|---|---|---|\n| dark | 0 of 20 | 4 of 20 |\n| eyes-covered | 7 of 20 | 9 of 20 |\n"
        );
    }
}
