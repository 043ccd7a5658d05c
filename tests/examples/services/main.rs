//! Whole flows a second over HTTP on loopback: our services, and those of npm `@openid4vc/*`, asked by the same wallet in the same run.
//!
//! `cargo xtask bench --services` builds it and everything it needs. The services have one core, the wallets the other; turn by turn, so that a
//! machine that slows down slows both. Making offers and requests is the desk's part and not in the numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement stops where it fails, and speaks to a person"
)]

mod http;
mod side;
mod wallet;

use side::{Issuing, Ours, Process, Side, Theirs, Verifying};
use std::path::PathBuf;
use std::time::Instant;
use wallet::Held;

/// `services BINS PEERS FLOWS`: the folder of our commands, that of the scripts, and how many flows a turn.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bins, peers, flows] = &arguments[..] else { panic!("services BINS PEERS FLOWS") };
    let flows: usize = flows.parse().expect("a number of flows");
    let folder = std::env::temp_dir().join(format!("amparo-services-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pinned = side::pin_self();
    let place = if pinned {
        "the services on one core, the wallets on the other"
    } else {
        "no `taskset` here: nothing is pinned"
    };
    println!(
        "Flows over HTTP on loopback, {flows} a turn, median of {TURNS} turns, {WALLETS} wallets at once; {place}\n"
    );
    println!(
        "| flow | ours, a second | processor time, ms | npm `@openid4vc/*` 0.4.6, a second | processor time, ms | ours is faster |"
    );
    println!("|---|---|---|---|---|---|");
    let ours = Ours::new(PathBuf::from(bins), folder.clone());
    let theirs = Theirs::new(PathBuf::from(peers), folder.clone());
    let mut held = None;
    for copies in [1, 10] {
        let (mut our_issuer, mut their_issuer) = (ours.issuer(), theirs.issuer());
        let row = compare(
            || {
                turn(
                    &mut our_issuer,
                    flows,
                    |side| side.offers(flows, copies),
                    |http, (offer, code)| wallet::receive(http, offer, code, copies),
                )
            },
            || {
                turn(
                    &mut their_issuer,
                    flows,
                    |side| side.offers(flows, copies),
                    |http, (offer, code)| wallet::receive(http, offer, code, copies),
                )
            },
        );
        print(&format!("OpenID4VCI 1.0, pre-authorized code, DPoP with nonces, SD-JWT VC, copies: {copies}"), &row);
        if held.is_none() {
            let (offer, code) = our_issuer.offers(1, 1).remove(0);
            held = wallet::receive(&mut http::Http::default(), &offer, &code, 1).pop();
            // The verifiers look its status up where it says.
            let held: &Held = held.as_ref().unwrap();
            let (mut our_verifier, mut their_verifier) = (ours.verifier(), theirs.verifier(&ours.anchor()));
            let row = compare(
                || {
                    turn(
                        &mut our_verifier,
                        flows,
                        |side| side.requests(flows),
                        |http, link| wallet::present(http, link, held),
                    )
                },
                || {
                    turn(
                        &mut their_verifier,
                        flows,
                        |side| side.requests(flows),
                        |http, link| wallet::present(http, link, held),
                    )
                },
            );
            print("OpenID4VP 1.0, signed request, `direct_post.jwt`, SD-JWT VC, three of its claims", &row);
        }
    }
    let _ = std::fs::remove_dir_all(folder);
    println!(
        "\nOurs writes everything to disk before it answers (SQLite), gives each copy a random entry of a status list, and keeps what is presented sealed; the peer is one process and keeps all in memory."
    );
}

const TURNS: usize = 3;
const WALLETS: usize = 8;

/// Flows a second of the clock, and milliseconds of the service's processor time for one.
#[derive(Clone, Copy)]
struct Measured {
    rate: f64,
    cost: f64,
}

fn compare(mut ours: impl FnMut() -> Measured, mut theirs: impl FnMut() -> Measured) -> [Measured; 2] {
    // Once before it counts: caches, and the peer's compiler.
    let _ = (ours(), theirs());
    let turns: Vec<[Measured; 2]> = (0..TURNS).map(|_| [ours(), theirs()]).collect();
    [0, 1].map(|side| {
        let middle = |of: fn(&Measured) -> f64| {
            let mut all: Vec<f64> = turns.iter().map(|turn| of(&turn[side])).collect();
            all.sort_by(f64::total_cmp);
            all[TURNS / 2]
        };
        Measured { rate: middle(|m| m.rate), cost: middle(|m| m.cost) }
    })
}

/// Prepares, then lets the wallets do every flow once.
fn turn<S: Side, J: Sync, A>(
    side: &mut S,
    flows: usize,
    prepare: impl FnOnce(&mut S) -> Vec<J>,
    flow: impl Fn(&mut http::Http, &J) -> A + Sync,
) -> Measured {
    let jobs = prepare(side);
    assert_eq!(jobs.len(), flows);
    let process: Process = side.process();
    let (started, before) = (Instant::now(), process.time());
    std::thread::scope(|scope| {
        for part in jobs.chunks(flows.div_ceil(WALLETS)) {
            let flow = &flow;
            scope.spawn(move || {
                let mut http = http::Http::default();
                for job in part {
                    flow(&mut http, job);
                }
            });
        }
    });
    let (seconds, spent) = (started.elapsed().as_secs_f64(), process.time() - before);
    let flows = flows as f64;
    Measured { rate: flows / seconds, cost: spent * 1e3 / flows }
}

fn print(name: &str, [ours, theirs]: &[Measured; 2]) {
    println!(
        "| {name} | {:.0} | {:.2} | {:.0} | {:.2} | {:.2}× |",
        ours.rate,
        ours.cost,
        theirs.rate,
        theirs.cost,
        ours.rate / theirs.rate
    );
}
