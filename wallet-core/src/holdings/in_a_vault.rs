//! The ceremonies on a real vault: created, opened, saved, killed and opened again.

use super::Holdings;
use crate::device_key::SoftwareStore;
use crate::effect::Effect;
use crate::enrolment::{NewVault, create};
use crate::history;
use crate::issuance::{self, TxCode};
use crate::presentation::{Choice, RequestLink};
use crate::secret::Pin;
use crate::testing::{Checkpoint, Desk, Issuer, NOW, Verifier, asking, run};
use crate::unlock::{BootId, Clock, Opened, begin};
use crate::vault::{Argon2Cost, OpenVault};
use biometrics::template::{Embedding, ModelId, Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::{ClaimPath, Seconds};

/// A vault with a PIN and a face, on a disk that is a variable.
struct Disk {
    file: Vec<u8>,
    store: Vec<u8>,
    rng: ChaCha20Rng,
}

fn face(turn: f32) -> Embedding {
    let output: Vec<f32> = (0..128).map(|i| ((i as f32 + 1.0) * 1.3).sin() + 0.3 * (i as f32 * turn).cos()).collect();
    Embedding::from_output(&output, ModelId::new([9; 32])).unwrap()
}

fn pin() -> Pin {
    Pin::parse("246810").unwrap()
}

const CLOCK: Clock = Clock { now: NOW, boot: BootId::from_bytes([1; 16]), uptime: Seconds::new(1_000) };

impl Disk {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([4; 32]);
        let mut store = SoftwareStore::generate(&mut rng).unwrap();
        let reference = Reference::enrol(&[face(0.1), face(0.2)]).unwrap();
        let new = NewVault { reference: &reference, pin: Some(&pin()), cost: Argon2Cost::FLOOR };
        let created = create(&new, &mut store, CLOCK, &mut rng).unwrap();
        Self { file: created.file, store: created.store.to_vec(), rng }
    }

    fn open(&mut self) -> (Opened, SoftwareStore) {
        let mut store = SoftwareStore::parse(&self.store).unwrap();
        let attempt = begin(&mut store, &self.file, CLOCK).unwrap().persisted();
        let probe = Probe::from_frames(&[face(0.15)]).unwrap();
        let opened = attempt.try_open(&mut store, Some(&pin()), Some(&probe)).unwrap();
        (opened, store)
    }

    fn save(&mut self, vault: &mut OpenVault, store: &mut SoftwareStore) {
        let plan = vault.save(store, NOW, &mut self.rng).unwrap();
        self.file = plan.file().to_vec();
        self.store = vault.confirm(plan, store, &self.file).unwrap().to_vec();
    }
}

#[test]
fn a_credential_lives_in_a_real_vault_and_no_copy_outlives_a_crash() {
    let mut disk = Disk::new();
    // Thirty copies with the largest portrait fit (security.md §3.2).
    let mut desk = Desk::default();
    desk.claims["picture"] = format!("data:image/jpeg;base64,{}", "A".repeat(16_384)).into();
    let mut issuer = Issuer::new(desk);
    let (mut opened, mut store) = disk.open();
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    let mut from_issuer = |effect: &Effect| issuer.answer(effect);
    let link = Issuer::new(Desk::default()).link();
    let offered = run(issuance::follow(&link).unwrap(), &mut Vec::new(), &mut from_issuer, NOW, &mut rng).unwrap();
    let redeeming = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut rng).unwrap();
    let delivered = run(redeeming, &mut Vec::new(), &mut from_issuer, NOW, &mut rng).unwrap();
    let mut holdings = Holdings::of(&mut opened.vault);
    holdings.trust(issuer.party.anchor_pem.as_bytes(), &mut rng).unwrap();
    assert_eq!(holdings.trust(issuer.party.anchor_pem.as_bytes(), &mut rng), Ok(0), "once is enough");
    let arrived = delivered.verify(&holdings.trust_anchors(), NOW).unwrap();
    let confirmed = arrived.summary(&holdings).confirmed();
    let kept = arrived.keep(confirmed, &mut holdings, NOW, &mut rng).unwrap();
    disk.save(&mut opened.vault, &mut store);
    let id = kept.saved().credentials[0];

    let claims = asking(&["given_name", "age_over_18"]);
    let mut verifier = Verifier::new(Checkpoint { dcql: claims, ..Checkpoint::default() });
    let (mut opened, mut store) = disk.open();
    let mut holdings = Holdings::of(&mut opened.vault);
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 30);
    let link = RequestLink::parse(&verifier.link()).unwrap();
    let holder = opened.unlocked.for_request(link.id());
    let received = run(link.fetch(&mut rng), &mut Vec::new(), |e| verifier.answer(e), NOW, &mut rng).unwrap();
    let anchors = verifier.party.anchors();
    let offered = received.authenticate(&anchors, NOW).unwrap().match_against(&holdings, NOW).unwrap();
    let choice = Choice { only: Some(vec![ClaimPath::names(["age_over_18"])]), ..Choice::default() };
    let consented = offered.consent(&choice, NOW, &mut rng).unwrap();
    let answer = consented.answer(holder, &mut holdings, NOW, &mut rng).unwrap();
    disk.save(&mut opened.vault, &mut store);
    let sending = answer.saved();

    // Killed before anything was sent: the next opening knows the copy as used, and what would have been shown.
    let (mut after, _) = disk.open();
    let holdings = Holdings::of(&mut after.vault);
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 29);
    let [entry] = &holdings.history().unwrap()[..] else { panic!() };
    assert_eq!(entry.outcome, history::Outcome::Sent);
    assert_eq!(holdings.consents(NOW).len(), 1);

    run(sending, &mut Vec::new(), |e| verifier.answer(e), NOW, &mut rng).unwrap();
    let verified = verifier.verified(&issuer.party.anchors());
    let claims = verified.credentials["id"][0].claims();
    assert_eq!((claims.get("age_over_18"), claims.get("given_name")), (Some(&true.into()), None));
    assert_eq!(verified.credentials["id"][0].key_binding().amr(), ["pin", "swk"]);
}
