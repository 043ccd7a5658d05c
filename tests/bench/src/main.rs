//! Speed beside other implementations, in one run on one core: `cargo xtask bench`.
//!
//! Every contestant of a table does the same job: 20 disclosable claims, 5 presented, key binding over audience and nonce, ES256.
//! Each brings its own cryptography; where it takes a signer from outside (`sd-jwt-payload`) it gets ours, the fastest.

mod above;
mod allocations;
mod backends;
mod border;
mod contest;
mod growth;
mod stages;
mod status;

use allocations::Counting;
use contest::{Contestant, Job};
use cpu_time::ThreadTime;
use std::time::Duration;

/// Counts; a request costs about a nanosecond more, for everyone.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    // `cargo run --release -- border` prints the tables of the border alone.
    if std::env::args().nth(1).as_deref() == Some("border") {
        return border::print();
    }
    // The same for the growth with the number of claims.
    if std::env::args().nth(1).as_deref() == Some("growth") {
        return growth::print();
    }
    let job = Job::new();
    if std::env::args().nth(1).as_deref() == Some("verification") {
        above::print(&job);
        status::print(&job);
        return;
    }
    let mut contestants: Vec<Box<dyn Contestant>> = vec![
        Box::new(contest::ours::Ours::new(&job)),
        Box::new(contest::sd_jwt_rs::SdJwtRs::new(&job)),
        Box::new(contest::sd_jwt_payload::SdJwtPayload::new(&job)),
        Box::new(contest::ssi::Ssi::new(&job)),
    ];
    println!("SD-JWT, 20 disclosable claims, 5 presented, key binding, ES256; {MEASURED}\n");
    run(&mut contestants);
    above::print(&job);
    let ours = contest::mdoc_ours::Ours::new(&job);
    let isomdl = contest::isomdl::Isomdl::new(&job, &ours.document());
    let mut contestants: Vec<Box<dyn Contestant>> = vec![Box::new(ours), Box::new(isomdl)];
    println!("mdoc, 20 elements, 5 presented, device signature, ES256; {MEASURED}\n");
    run(&mut contestants);
    growth::print();
    status::print(&job);
    border::print();
    backends::print();
    stages::print();
}

const MEASURED: &str = "one core, operations per second of processor time (median of 7 turns)";

/// Lets everyone do everything and prints a table; the first is ours.
fn run(contestants: &mut [Box<dyn Contestant>]) {
    println!("| | issue | present | verify |\n|---|---|---|---|");
    let mut table = vec![[[0f64; 7]; 3]; contestants.len()];
    // Turn by turn, so that a machine that slows down slows everyone.
    for turn in 0..7 {
        for (row, contestant) in table.iter_mut().zip(contestants.iter_mut()) {
            row[0][turn] = rate(|| contestant.issue());
            row[1][turn] = rate(|| contestant.present());
            row[2][turn] = rate(|| contestant.verify());
        }
    }
    let medians: Vec<[f64; 3]> = table.into_iter().map(|row| row.map(median)).collect();
    for (contestant, row) in contestants.iter().zip(&medians) {
        let cells: Vec<String> =
            row.iter().zip(&medians[0]).map(|(r, ours)| format!("{r:.0} ({:.2}×)", ours / r)).collect();
        println!("| {} | {} |", contestant.name(), cells.join(" | "));
    }
    println!("\n(n×): how many times faster ours is in this run.\n");
    println!("Requests for memory in one operation, and KiB of them:\n");
    println!("| | issue | present | verify |\n|---|---|---|---|");
    for contestant in contestants {
        let cells = [
            allocations::of(|| contestant.issue()),
            allocations::of(|| contestant.present()),
            allocations::of(|| contestant.verify()),
        ];
        let cells = cells.map(|(times, bytes)| format!("{times} ({:.1})", bytes as f64 / 1024.0));
        println!("| {} | {} |", contestant.name(), cells.join(" | "));
    }
    println!();
}

fn median(mut turns: [f64; 7]) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns[3]
}

/// Runs for 300 ms of this thread's time and gives runs per second of it.
fn rate(mut run: impl FnMut()) -> f64 {
    run();
    let started = ThreadTime::now();
    let mut n = 0u32;
    while started.elapsed() < Duration::from_millis(300) {
        for _ in 0..16 {
            run();
        }
        n += 16;
    }
    f64::from(n) / started.elapsed().as_secs_f64()
}
