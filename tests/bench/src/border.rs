//! What a presentation without a network weighs: on paper as codes, and in person over an encrypted session.

use crate::contest::mdoc::{SPACE, TYPE};
use crate::contest::{Job, NONCE, NOW, PICTURE, mdoc_ours, ours};
use crate::rate;
use base64ct::{Base64, Encoding};
use credentials::consent::{self, ConsentId};
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{Elements, Expected, device_response, verify_presented};
use credentials::paper::{Assembly, PAPER_AUDIENCE, PaperIn, frames, proposal, write};
use credentials::proximity::{
    DocumentRequest, HolderEngagement, IntentToRetain, ReaderEngagement, Received, write_request,
};
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::SoftwareKey;
use credentials::trust::ChainPolicy;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::json;

/// Bytes of the portrait: noise, as JPEG is to a compressor.
const PORTRAIT: usize = 12_000;

/// Prints both tables.
pub fn print() {
    println!(
        "Offline, all claims shown; portrait of {PORTRAIT} bytes; verification in milliseconds of processor time, chain cached\n"
    );
    println!("| | claims | portrait | bytes | codes | verify |\n|---|---|---|---|---|---|");
    for claims in [3, 10, 20] {
        for portrait in [false, true] {
            let (bytes, codes, verify) = paper(&job(claims, portrait));
            println!("| paper | {claims} | {} | {bytes} | {codes} | {verify:.2} |", word(portrait));
        }
    }
    println!(
        "\n| | claims | portrait | characters of the code | bytes to the holder | bytes to the reader | verify |\n|---|---|---|---|---|---|---|"
    );
    for claims in [3, 10, 20] {
        for portrait in [false, true] {
            let ([code, asked, answered], verify) = in_person(&job(claims, portrait));
            println!("| in person | {claims} | {} | {code} | {asked} | {answered} | {verify:.2} |", word(portrait));
        }
    }
    println!();
}

const fn word(portrait: bool) -> &'static str {
    if portrait { "with" } else { "without" }
}

fn job(claims: usize, portrait: bool) -> Job {
    let mut job = Job::of(claims, claims);
    if portrait {
        let mut picture = vec![0; PORTRAIT];
        ChaCha20Rng::seed_from_u64(8).fill_bytes(&mut picture);
        job.claims.insert("picture".into(), json!(format!("{PICTURE}{}", Base64::encode_string(&picture))));
        job.presented.push("picture".into());
    }
    job
}

fn paper(job: &Job) -> (usize, usize, f64) {
    let ours = ours::Ours::new(job);
    let now = Timestamp::from_unix(NOW);
    let purposes = [Purpose::BorderEntry];
    let proposed = proposal(&purposes, &ours.paths, now, now.plus(Seconds::DAY)).expect("proposal");
    let choice = consent::Choice { claims: ours.paths.clone(), lasting: Some(Seconds::DAY), ..Default::default() };
    let id = ConsentId::generate(&mut ChaCha20Rng::seed_from_u64(9));
    let granted = consent::grant(&proposed, &choice, id, &[1; 32], now).expect("grant");
    let binding = KeyBindingClaims {
        audience: PAPER_AUDIENCE.into(),
        transaction_data_hashes: Some(vec![proposed.hash().to_owned()]),
        consent: Some(granted),
        ..ours.binding.clone()
    };
    let held = SdJwtVc::reopen(&ours.issued).expect("reopen");
    let presentation = held.select(&ours.paths).expect("select").bind(&binding, &ours.holder).expect("bind");
    let paper = write(&presentation, NONCE, &proposed).expect("paper");
    let codes = frames(&paper).expect("codes");
    // What a reader does once its camera has given the texts.
    let verified = rate(|| {
        let mut assembly = Assembly::new();
        codes.iter().for_each(|code| assembly.add(code).expect("code"));
        let policy = ChainPolicy::known_only(&ours.anchors).with_cache(&ours.cache);
        let read = PaperIn::parse(&assembly.finish().expect("whole")).expect("paper");
        read.verify(policy, now).expect("verified");
    });
    (paper.len(), codes.len(), 1e3 / verified)
}

fn in_person(job: &Job) -> ([usize; 3], f64) {
    let ours = mdoc_ours::Ours::new(job);
    let key = |byte| SoftwareKey::from_scalar(&[byte; 32]).expect("key");
    let holder = HolderEngagement::new(key(1), Vec::new());
    let code = holder.qr_uri();
    let reader = ReaderEngagement::scan(&code, key(2)).expect("engagement");
    let asked = job
        .presented
        .iter()
        .fold(DocumentRequest::new(TYPE), |asked, name| asked.with(SPACE, name, IntentToRetain::No));
    let request = write_request(&[asked], reader.transcript(), None).expect("request");
    let (reader, establishment) = reader.establish(&request).expect("session");
    let (holder, _) = holder.accept(&establishment).expect("session");
    let paths: Vec<ClaimPath> = ours.paths.clone();
    let held = credentials::mdoc::Mdoc::reopen(&ours.issued).expect("reopen");
    let document =
        held.select(&paths).expect("select").sign(holder.transcript(), &Elements::new(), &ours.holder).expect("sign");
    let answer = holder.send_last(&device_response(&[document])).expect("answer");
    let transcript = reader.transcript().clone();
    let Received::Last(response) = reader.receive(&answer).expect("answer") else { panic!("not the last") };
    let verified = rate(|| {
        let policy = ChainPolicy::known_only(&ours.anchors).with_cache(&ours.cache);
        let expected = Expected::new(policy, &transcript, Timestamp::from_unix(NOW));
        verify_presented(&response, &expected).expect("verified");
    });
    ([code.len(), establishment.len(), answer.len()], 1e3 / verified)
}
