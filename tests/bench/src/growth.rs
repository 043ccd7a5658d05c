//! How costs grow with the number of claims: ours alone, five parts shown, microseconds of processor time.

use crate::contest::{Contestant, Job, mdoc_ours, ours};
use crate::rate;

/// Nothing has more than 256 disclosures or elements here (attack 17): more claims than [`MOST_PARTS`] stand two in one.
const CLAIMS: [usize; 5] = [5, 20, 100, 250, 500];
/// How many disclosures or elements at most.
const MOST_PARTS: usize = 250;

/// Prints both tables.
pub fn print() {
    println!("Growth with the number of claims, 5 disclosures or elements shown; microseconds of processor time.");
    println!("At most 256 disclosures or elements are read: 500 claims stand in {MOST_PARTS} of two claims each.\n");
    println!("| | claims | disclosures or elements | issue | present | verify |\n|---|---|---|---|---|---|");
    for claims in CLAIMS {
        row("SD-JWT", claims, &mut ours::Ours::new(&job(claims)));
    }
    for claims in CLAIMS {
        row("mdoc", claims, &mut mdoc_ours::Ours::new(&job(claims)));
    }
    println!();
}

fn job(claims: usize) -> Job {
    if claims > MOST_PARTS { Job::in_pairs(claims / 2, 5) } else { Job::of(claims, 5) }
}

fn row(name: &str, claims: usize, contestant: &mut dyn Contestant) {
    let parts = job(claims).claims.len();
    let [issue, present, verify] =
        [1e6 / rate(|| contestant.issue()), 1e6 / rate(|| contestant.present()), 1e6 / rate(|| contestant.verify())];
    println!("| {name} | {claims} | {parts} | {issue:.0} | {present:.0} | {verify:.0} |");
}
