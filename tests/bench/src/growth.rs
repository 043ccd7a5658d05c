//! How costs grow with the number of claims: ours alone, five shown, microseconds of processor time.

use crate::contest::{Contestant, Job, mdoc_ours, ours};
use crate::rate;

/// An SD-JWT has at most 256 disclosures here; a document may have more elements.
const SD_JWT: [usize; 4] = [5, 20, 100, 250];
const MDOC: [usize; 4] = [5, 20, 100, 500];

/// Prints both tables.
pub fn print() {
    println!("Growth with the number of claims, 5 shown; microseconds of processor time\n");
    println!("| | claims | issue | present | verify |\n|---|---|---|---|---|");
    for claims in SD_JWT {
        row("SD-JWT", claims, &mut ours::Ours::new(&Job::of(claims, 5)));
    }
    for claims in MDOC {
        row("mdoc", claims, &mut mdoc_ours::Ours::new(&Job::of(claims, 5)));
    }
    println!();
}

fn row(name: &str, claims: usize, contestant: &mut dyn Contestant) {
    let [issue, present, verify] = [
        1e6 / rate(|| contestant.issue()),
        1e6 / rate(|| contestant.present()),
        1e6 / rate(|| contestant.verify()),
    ];
    println!("| {name} | {claims} | {issue:.0} | {present:.0} | {verify:.0} |");
}
