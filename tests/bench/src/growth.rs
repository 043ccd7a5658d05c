//! How costs grow with the number of claims: ours alone, five shown, microseconds of processor time.

use crate::contest::{Contestant, Job, mdoc_ours, ours};
use crate::rate;

/// Nothing has more than 256 disclosures or elements here (attack 17).
const CLAIMS: [usize; 4] = [5, 20, 100, 250];

/// Prints both tables.
pub fn print() {
    println!("Growth with the number of claims, 5 shown; microseconds of processor time\n");
    println!("| | claims | issue | present | verify |\n|---|---|---|---|---|");
    for claims in CLAIMS {
        row("SD-JWT", claims, &mut ours::Ours::new(&Job::of(claims, 5)));
    }
    for claims in CLAIMS {
        row("mdoc", claims, &mut mdoc_ours::Ours::new(&Job::of(claims, 5)));
    }
    println!();
}

fn row(name: &str, claims: usize, contestant: &mut dyn Contestant) {
    let [issue, present, verify] =
        [1e6 / rate(|| contestant.issue()), 1e6 / rate(|| contestant.present()), 1e6 / rate(|| contestant.verify())];
    println!("| {name} | {claims} | {issue:.0} | {present:.0} | {verify:.0} |");
}
