//! What a presentation without a network weighs: on paper as codes, and in person over an encrypted session.

use crate::contest::mdoc::{SPACE, TYPE, certificates_for};
use crate::contest::{AUDIENCE, Contestant as _, Job, NONCE, NOW, PICTURE, mdoc_ours, ours};
use crate::rate;
use base64ct::{Base64, Encoding};
use credentials::consent::{
    self, ConsentId, ProposedConsent, check_mdoc_grant, grant_elements, holder_authorizations,
};
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{Expected, device_response, verify_response};
use credentials::paper::{Assembly, PAPER_AUDIENCE, PaperIn, frames, proposal, write};
use credentials::proximity::{
    DocumentRequest, HolderEngagement, IntentToRetain, ReaderEngagement, Received, RequestIn, write_request,
};
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, TrustAnchors, oid};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest, Controller, PurposeRequest};
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
    println!("\nIn person the reader signs its request, proposes a consent that is granted, and is shown a MAC; values of Bluetooth at an MTU of 185.\n");
    println!(
        "| | claims | portrait | characters of the code | bytes to the holder | bytes to the reader | values | verify |\n|---|---|---|---|---|---|---|---|"
    );
    for claims in [3, 10, 20] {
        for portrait in [false, true] {
            let InPerson { code, bytes: [asked, answered], values, verify } = in_person(&job(claims, portrait));
            let word = word(portrait);
            println!("| in person | {claims} | {word} | {code} | {asked} | {answered} | {values} | {verify:.2} |");
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

/// What one encounter weighs.
struct InPerson {
    /// Characters of the code that the holder shows.
    code: usize,
    /// Bytes to the holder, and to the reader.
    bytes: [usize; 2],
    /// The same as values of Bluetooth.
    values: usize,
    /// Milliseconds.
    verify: f64,
}

/// A reader that signs its request and proposes a consent, a holder that grants it and authenticates by MAC.
fn in_person(job: &Job) -> InPerson {
    let mut ours = mdoc_ours::Ours::new(job);
    ours.draft.authorizations = holder_authorizations();
    ours.issue();
    let now = Timestamp::from_unix(NOW);
    let key = |byte| SoftwareKey::from_scalar(&[byte; 32]).expect("key");
    let holder = HolderEngagement::new(key(1), Vec::new());
    let code = holder.qr_uri();
    let reader = ReaderEngagement::scan(&code, key(2)).expect("engagement");
    let proposed = proposed(&ours.paths, now);
    let asked = job
        .presented
        .iter()
        .fold(DocumentRequest::new(TYPE), |asked, name| asked.with(SPACE, name, IntentToRetain::No))
        .proposing(&proposed);
    let (readers, chain, signer) = reader_certificates();
    let request = write_request(&[asked], reader.transcript(), Some((&chain, &signer))).expect("request");
    let (reader, establishment) = reader.establish(&request).expect("session");
    let (holder, heard) = holder.accept(&establishment).expect("session");
    RequestIn::parse(&heard)
        .expect("request")
        .authenticate(&ChainPolicy::known_only(&readers), holder.transcript(), now)
        .expect("reader");
    let choice = consent::Choice { claims: ours.paths.clone(), lasting: Some(Seconds::HOUR), ..Default::default() };
    let id = ConsentId::generate(&mut ChaCha20Rng::seed_from_u64(9));
    let granted = consent::grant(&proposed, &choice, id, &[1; 32], now).expect("grant");
    let held = credentials::mdoc::Mdoc::reopen(&ours.issued).expect("reopen");
    let document = held
        .select(&ours.paths)
        .expect("select")
        .authenticate(holder.transcript(), &grant_elements(&granted), &ours.holder, key(2).public_key())
        .expect("mac");
    let answer = holder.send_last(&device_response(&[document])).expect("answer");
    let transcript = reader.transcript().clone();
    let Received::Last(response) = reader.receive(&answer).expect("answer") else { panic!("not the last") };
    let mac_key = key(2);
    let verified = rate(|| {
        let policy = ChainPolicy::known_only(&ours.anchors).with_cache(&ours.cache);
        let expected = Expected::new(policy, &transcript, now).with_mac_key(&mac_key);
        let response = verify_response(&response, &expected).expect("verified");
        check_mdoc_grant(&response.documents[0], &proposed, AUDIENCE, &[], now, now).expect("consent");
    });
    InPerson {
        code: code.len(),
        bytes: [establishment.len(), answer.len()],
        values: establishment.len().div_ceil(VALUE) + answer.len().div_ceil(VALUE),
        verify: 1e3 / verified,
    }
}

/// Bytes of a message in one value of Bluetooth, where the devices agreed on 185: all but four (`nearby::ble`).
const VALUE: usize = 181;

fn proposed(claims: &[ClaimPath], now: Timestamp) -> ProposedConsent {
    ProposedConsent::write(&ConsentRequest {
        type_: CONSENT_REQUEST_TYPE.to_owned(),
        credential_ids: vec!["document-1".to_owned()],
        transaction_data_hashes_alg: None,
        controller: Controller { client_id: AUDIENCE.to_owned(), name: "Border post 4".to_owned(), contact: None },
        purposes: vec![PurposeRequest {
            code: Purpose::BorderEntry,
            dpv: None,
            claims: claims.to_vec(),
            necessity: None,
        }],
        retention: Seconds::HOUR.iso8601(),
        onward: Vec::new(),
        not_after: now.plus(Seconds::MINUTE.times(5)),
        lang: None,
    })
    .expect("proposal")
}

/// An anchor, and the chain and key of a reader below it.
fn reader_certificates() -> (TrustAnchors, CertificateChain, SoftwareKey) {
    let job = Job { issuer: SoftwareKey::from_scalar(&[3; 32]).expect("key"), ..Job::of(1, 1) };
    let (anchor, chain) = certificates_for(&job, &oid::VERIFIER);
    let anchors = TrustAnchors::from_pem(anchor.as_bytes()).expect("anchor");
    (anchors, CertificateChain::from_pem(chain.as_bytes()).expect("chain"), job.issuer)
}
