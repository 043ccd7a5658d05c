//! Issue, present, verify: how many a second on one core.
//!
//! `cargo bench -p credentials`. A credential of N short claims, each disclosable, decoys on, a chain of two certificates;
//! five are shown, with key binding. What `sign` and `verify` alone cost stands beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a bench may stop where it stands, and borrows the world of the tests"
)]

#[path = "../tests/it/world.rs"]
mod world;

use credentials::json::Limits;
use credentials::jws::{self, JwsIn};
use credentials::sd_jwt::{IssuanceDraft, SdJwtIn, SdJwtVc, issue, verify_issued, verify_presented};
use credentials::signer::Signer as _;
use credentials::trust::ChainCache;
use divan::{Bencher, black_box, counter::ItemsCount};
use schemas::ClaimPath;
use serde_json::{Map, json};
use world::{NOW, WORLD, rng};

fn main() {
    divan::main();
}

const CLAIMS: [usize; 3] = [5, 20, 100];

fn draft(claims: usize) -> IssuanceDraft {
    let mut draft = WORLD.draft();
    draft.disclosable = (0..claims).map(|i| (format!("claim_{i}"), json!(format!("value number {i}")))).collect();
    draft.visible = Map::new();
    draft
}

fn shown() -> Vec<ClaimPath> {
    (0..5).map(|i| ClaimPath::names([format!("claim_{i}")])).collect()
}

fn held(claims: usize) -> SdJwtVc {
    WORLD.held(&draft(claims))
}

fn presentation(claims: usize) -> String {
    held(claims).select(&shown()).unwrap().bind(&WORLD.key_binding(), &WORLD.holder).unwrap()
}

#[divan::bench(args = CLAIMS)]
fn issue_credential(bencher: Bencher<'_, '_>, claims: usize) {
    let (world, draft, mut rng) = (&*WORLD, draft(claims), rng(7));
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        issue(black_box(&draft), &world.chain, world.holder.public_key(), &world.issuer, &mut rng).unwrap()
    });
}

#[divan::bench(args = CLAIMS)]
fn present_held(bencher: Bencher<'_, '_>, claims: usize) {
    let (held, shown, binding) = (held(claims), shown(), WORLD.key_binding());
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| black_box(&held).select(&shown).unwrap().bind(&binding, &WORLD.holder).unwrap());
}

#[divan::bench(args = CLAIMS)]
fn present_reopened(bencher: Bencher<'_, '_>, claims: usize) {
    let (text, shown, binding) = (WORLD.issue(&draft(claims)), shown(), WORLD.key_binding());
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        SdJwtVc::reopen(black_box(&text)).unwrap().select(&shown).unwrap().bind(&binding, &WORLD.holder).unwrap()
    });
}

#[divan::bench(args = CLAIMS)]
fn verify_presentation(bencher: Bencher<'_, '_>, claims: usize) {
    let (text, cache) = (presentation(claims), ChainCache::new());
    let mut expected = WORLD.expected();
    expected.issuers = expected.issuers.with_cache(&cache);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| verify_presented(black_box(&text), &expected).unwrap());
}

#[divan::bench(args = CLAIMS)]
fn verify_presentation_chain_not_cached(bencher: Bencher<'_, '_>, claims: usize) {
    let (text, expected) = (presentation(claims), WORLD.expected());
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| verify_presented(black_box(&text), &expected).unwrap());
}

#[divan::bench(args = CLAIMS)]
fn verify_as_issued(bencher: Bencher<'_, '_>, claims: usize) {
    let (text, cache) = (WORLD.issue(&draft(claims)), ChainCache::new());
    let policy = WORLD.policy().with_cache(&cache);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| verify_issued(black_box(&text), &policy, NOW).unwrap());
}

#[divan::bench(args = CLAIMS)]
fn parse_and_process_only(bencher: Bencher<'_, '_>, claims: usize) {
    let text = WORLD.issue(&draft(claims));
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| SdJwtIn::parse(black_box(&text)).unwrap().process().unwrap());
}

#[divan::bench]
fn es256_sign_alone(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| WORLD.issuer.sign(black_box(&[7; 600])).unwrap());
}

#[divan::bench]
fn es256_verify_alone(bencher: Bencher<'_, '_>) {
    let text = jws::sign(&world::map(json!({"alg": "ES256"})), &[b' '; 400], &WORLD.issuer).unwrap();
    let token = JwsIn::parse(&text, &Limits::TOKEN).unwrap();
    let key = WORLD.issuer.public_key();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| black_box(&token).verify(key).unwrap());
}
