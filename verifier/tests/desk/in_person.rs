//! Holders who stand at the desk: the same questions, the same refusals, and nothing is fetched.

use crate::issuer::{Document, Issuer};
use crate::world::*;
use credentials::consent::{Choice, ConsentId, ProposedConsent, grant, grant_elements};
use credentials::dcql::Query;
use credentials::mdoc::{self, DeviceProof, Elements, ResponseStatus, device_failure, device_response};
use credentials::proximity::{HolderEngagement, RequestIn, Session, SessionStatus};
use credentials::signer::SoftwareKey;
use credentials::trust::ChainPolicy;
use credentials::trust::TrustAnchors;
use schemas::mdoc::{IDENTITY_DOCUMENT, PID_NAME_SPACE};
use schemas::status::StatusReference;
use schemas::{ClaimPath, Seconds};
use serde_json::json;
use std::process::Command;
use verifier::policy::{AcceptedFormat, ConsentMode, UnknownStatus};
use verifier::preset::Preset;
use verifier::service::{Ask, DeskError, Encounter, Outcome};

fn asking(consent: ConsentMode, unknown_status: UnknownStatus) -> Ask {
    let query = Query::check(Preset::BorderIdentity.query(AcceptedFormat::Mdoc)).unwrap();
    Ask { query, consent, unknown_status, ..ask() }
}

fn shown() -> Vec<ClaimPath> {
    ["given_name", "family_name", "nationality"].map(|name| ClaimPath::names([PID_NAME_SPACE, name])).to_vec()
}

/// The holder's side of an encounter, after it read the request.
struct Phone {
    session: Session,
    proposal: Option<ProposedConsent>,
}

impl World {
    fn approached(&self, ask: Ask) -> (Encounter, Phone) {
        let holder = HolderEngagement::new(SoftwareKey::generate(&mut *self.rng.lock().unwrap()).unwrap(), Vec::new());
        let encounter = self.desk.approach(ask, holder.engagement().clone()).unwrap();
        let (session, request) = holder.accept(encounter.message()).unwrap();
        let anchor = std::fs::read(self.data().join("trust-anchor.pem")).unwrap();
        let anchors = TrustAnchors::from_pem(&anchor).unwrap();
        let policy = ChainPolicy::known_only(&anchors);
        let now = verifier::service::clock::Clock::now(&*self.clock);
        let asked = RequestIn::parse(&request).unwrap().authenticate(&policy, session.transcript(), now).unwrap();
        assert_eq!(asked[0].request.doc_type(), IDENTITY_DOCUMENT.doc_type);
        let proposal = asked[0].request.proposal().map(|raw| ProposedConsent::parse(raw).unwrap());
        (encounter, Phone { session, proposal })
    }

    fn granting(&self, phone: &Phone, paths: &[ClaimPath]) -> Elements {
        let choice = Choice { claims: paths.to_vec(), ..Choice::default() };
        let id = ConsentId::generate(&mut *self.rng.lock().unwrap());
        let now = verifier::service::clock::Clock::now(&*self.clock);
        grant_elements(&grant(phone.proposal.as_ref().unwrap(), &choice, id, &[7; 32], now).unwrap())
    }

    /// What comes of it: the state and the code of what went wrong.
    fn heard(&self, encounter: Encounter, reply: &[u8]) -> (Outcome, String) {
        let id = encounter.id().clone();
        self.desk.hear(encounter, reply).unwrap();
        let report = self.desk.result(&id, &actor()).unwrap();
        assert_eq!(report.held.is_some(), report.outcome == Outcome::Verified);
        (report.outcome, report.error.map(|error| error.code).unwrap_or_default())
    }

    fn document_in(&self, list: &str, idx: u64) -> Document {
        let uri = format!("{}/{list}", self.lists);
        self.issuer.issue_document(&Issuer::document_draft(NOW, Some(StatusReference { idx, uri })))
    }
}

fn made(phone: &Phone, card: &Document, paths: &[ClaimPath], own: &Elements, proof: DeviceProof) -> mdoc::Document {
    let selection = card.mdoc.select(paths).unwrap();
    let session = &phone.session;
    match proof {
        DeviceProof::Mac => {
            selection.authenticate(session.transcript(), own, &card.holder, session.peer_key()).unwrap()
        }
        _ => selection.sign(session.transcript(), own, &card.holder).unwrap(),
    }
}

fn refused(code: &str) -> (Outcome, String) {
    (Outcome::Refused, code.to_owned())
}

fn verified() -> (Outcome, String) {
    (Outcome::Verified, String::new())
}

#[tokio::test]
async fn iso18013_9_3_1_a_document_is_shown_in_person_with_a_mac_or_a_signature() {
    let world = World::new().await;
    let card = world.issuer.issue_document(&Issuer::document_draft(NOW, None));
    for (proof, last) in [(DeviceProof::Mac, false), (DeviceProof::Mac, true), (DeviceProof::Signature, true)] {
        let (encounter, phone) = world.approached(asking(ConsentMode::Required, UnknownStatus::Refuse));
        let own = world.granting(&phone, &shown());
        let response = device_response(&[made(&phone, &card, &shown(), &own, proof)]);
        let id = encounter.id().clone();
        let farewell = if last {
            world.desk.hear(encounter, &phone.session.send_last(&response).unwrap()).unwrap()
        } else {
            world.desk.hear(encounter, &phone.session.send(&response).unwrap().1).unwrap()
        };
        assert_eq!(farewell, (!last).then(|| SessionStatus::Termination.message()));
        let report = world.desk.result(&id, &actor()).unwrap();
        let view = report.held.unwrap();
        let claims = serde_json::Value::Object(view.content().credentials()[0].claims().clone());
        assert_eq!(claims, json!({"family_name": "Pérez", "given_name": "Ana", "nationalities": ["ES", "FR"]}));
        assert!(report.consent.is_some());
    }
    // Under guard as any other: it ends with its consent.
    let (encounter, phone) = world.approached(asking(ConsentMode::Required, UnknownStatus::Refuse));
    let own = world.granting(&phone, &shown());
    let response = device_response(&[made(&phone, &card, &shown(), &own, DeviceProof::Mac)]);
    let id = encounter.id().clone();
    world.desk.hear(encounter, &phone.session.send_last(&response).unwrap()).unwrap();
    world.later(3600);
    assert_eq!(world.desk.result(&id, &actor()).unwrap().outcome, Outcome::Ended);
}

#[tokio::test]
async fn what_does_not_hold_in_person_is_refused_as_it_is_online() {
    let world = World::new().await;
    let card = world.issuer.issue_document(&Issuer::document_draft(NOW, None));
    let approached = |consent| world.approached(asking(consent, UnknownStatus::Refuse));
    let say =
        |phone: Phone, encounter, response: &[u8]| world.heard(encounter, &phone.session.send_last(response).unwrap());
    // Nothing; a failure; nothing but the end; another session's message.
    let (encounter, phone) = approached(ConsentMode::Required);
    assert_eq!(say(phone, encounter, &device_response(&[])), refused("access_denied"));
    let (encounter, phone) = approached(ConsentMode::Required);
    assert_eq!(say(phone, encounter, &device_failure(ResponseStatus::GeneralError)), refused("wallet_error"));
    let (encounter, phone) = approached(ConsentMode::Required);
    assert_eq!(world.heard(encounter, &phone.session.end()), refused("session_ended"));
    let (encounter, _) = approached(ConsentMode::Required);
    let (_, other) = approached(ConsentMode::Required);
    let stray = other.session.send_last(&device_response(&[])).unwrap();
    assert_eq!(world.heard(encounter, &stray), refused("session_broken"));
    // Without a consent; with one for what is not shown; with one for another request.
    let (encounter, phone) = approached(ConsentMode::Required);
    let bare = device_response(&[made(&phone, &card, &shown(), &Elements::new(), DeviceProof::Mac)]);
    assert_eq!(say(phone, encounter, &bare), refused("consent_missing"));
    let (encounter, phone) = approached(ConsentMode::Required);
    let own = world.granting(&phone, &shown()[..1]);
    let wider = device_response(&[made(&phone, &card, &shown(), &own, DeviceProof::Mac)]);
    assert_eq!(say(phone, encounter, &wider), refused("consent_invalid"));
    let (_, before) = approached(ConsentMode::Required);
    world.later(1);
    let (encounter, phone) = approached(ConsentMode::Required);
    let own = world.granting(&before, &shown());
    let moved = device_response(&[made(&phone, &card, &shown(), &own, DeviceProof::Mac)]);
    assert_eq!(say(phone, encounter, &moved), refused("consent_invalid"));
    // Made for another session; by another key; less than was asked; more than was asked.
    let (_, other) = approached(ConsentMode::NotAsked);
    for proof in [DeviceProof::Mac, DeviceProof::Signature] {
        let (encounter, phone) = approached(ConsentMode::NotAsked);
        let foreign = device_response(&[made(&other, &card, &shown(), &Elements::new(), proof)]);
        assert_eq!(say(phone, encounter, &foreign), refused("key_binding_invalid"));
    }
    for (paths, code) in [
        (shown()[..1].to_vec(), "not_as_asked"),
        ([shown(), vec![ClaimPath::names([PID_NAME_SPACE, "birth_date"])]].concat(), "over_disclosure"),
    ] {
        let (encounter, phone) = approached(ConsentMode::NotAsked);
        let response = device_response(&[made(&phone, &card, &paths, &Elements::new(), DeviceProof::Mac)]);
        assert_eq!(say(phone, encounter, &response), refused(code));
    }
    let stranger = Issuer::new(7_002).issue_document(&Issuer::document_draft(NOW, None));
    let (encounter, phone) = approached(ConsentMode::NotAsked);
    let response = device_response(&[made(&phone, &stranger, &shown(), &Elements::new(), DeviceProof::Mac)]);
    assert_eq!(say(phone, encounter, &response), refused("issuer_not_trusted"));
    assert_eq!(keys(&world.data()), 0, "nothing is kept of any");
}

#[tokio::test]
async fn attack_67_in_person_nothing_is_fetched_and_what_was_synced_is_used() {
    let world = World::new().await;
    let card = world.document_in("a", 3);
    let show = |unknown| {
        let (encounter, phone) = world.approached(asking(ConsentMode::NotAsked, unknown));
        let response = device_response(&[made(&phone, &card, &shown(), &Elements::new(), DeviceProof::Mac)]);
        world.heard(encounter, &phone.session.send_last(&response).unwrap())
    };
    world.publish("a", &[]);
    assert_eq!(show(UnknownStatus::Refuse), refused("status_unknown"));
    assert_eq!(show(UnknownStatus::Accept), verified());
    assert_eq!(world.host.asked("a"), 0, "noted, and not fetched");
    // Beforehand, all of an issuer's lists, whoever will come; those of other hosts are left.
    let (uri, other) = (format!("{}/a", world.lists), format!("{}/b", world.lists));
    world.publish("b", &[]);
    let named = json!({"status_lists": [uri, other, "http://127.0.0.2:9/c", "https://elsewhere.example/d"]});
    world.host.put("all", named.to_string());
    let states = world.desk.sync(&[format!("{}/all", world.lists)]).await.unwrap();
    let states: Vec<_> = states.iter().map(|state| (state.uri.as_str(), state.word())).collect();
    assert_eq!(states, [(uri.as_str(), "current"), (other.as_str(), "current")]);
    let asked = world.host.asked("a");
    assert_eq!(show(UnknownStatus::Refuse), verified());
    assert_eq!(world.host.asked("a"), asked);
    // It is remembered, and a host that is silent spoils nothing.
    world.host.put("all", String::new());
    world.later(60);
    assert_eq!(world.desk.sync(&[]).await.unwrap()[0].age, Some(Seconds::new(60)));
    assert_eq!(world.host.asked("all"), 2);
}

#[tokio::test]
async fn attack_65_72_in_person_a_stale_list_speaks_only_against_and_time_does_not_go_back() {
    let world = World::new().await;
    let (good, revoked) = (world.document_in("a", 3), world.document_in("a", 4));
    let show = |card: &Document, unknown| {
        let (encounter, phone) = world.approached(asking(ConsentMode::NotAsked, unknown));
        let response = device_response(&[made(&phone, card, &shown(), &Elements::new(), DeviceProof::Mac)]);
        world.heard(encounter, &phone.session.send_last(&response).unwrap())
    };
    let uri = world.publish("a", &[4]);
    world.host.put("all", json!({"status_lists": [uri]}).to_string());
    world.desk.sync(&[format!("{}/all", world.lists)]).await.unwrap();
    assert_eq!(show(&good, UnknownStatus::Refuse), verified());
    assert_eq!(show(&revoked, UnknownStatus::Refuse), refused("revoked"));
    // Three days in the desert.
    world.later(3 * 86_400);
    let [state] = &world.desk.list_states().unwrap()[..] else { panic!("one") };
    assert_eq!((state.word(), state.age), ("stale", Some(Seconds::DAY.times(3))));
    assert_eq!(show(&good, UnknownStatus::Refuse), refused("status_unknown"));
    assert_eq!(show(&good, UnknownStatus::Accept), verified());
    assert_eq!(show(&revoked, UnknownStatus::Accept), refused("revoked"), "kept away, and revoked all the same");
    // A clock that is set back so that the list seems current again.
    world.clock.set(NOW);
    let holder = HolderEngagement::new(SoftwareKey::generate(&mut *world.rng.lock().unwrap()).unwrap(), Vec::new());
    let ask = asking(ConsentMode::NotAsked, UnknownStatus::Refuse);
    let suspect = world.desk.approach(ask, holder.engagement().clone()).unwrap_err();
    assert!(matches!(suspect, DeskError::ClockSuspect(_)), "{suspect}");
    assert!(matches!(world.desk.list_states(), Err(DeskError::ClockSuspect(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sync_says_how_old_the_lists_are_and_whether_all_are_current() {
    let world = World::new().await;
    let run = |rest: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_amparo-verifier"))
            .args(["sync", "--json", "--data"])
            .arg(world.data())
            .args(rest)
            .output()
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), json)
    };
    assert_eq!(run(&["--show"]), (Some(0), json!({"lists": [], "trust_lists": [], "current": true})));
    let now = verifier::service::clock::SystemClock;
    let uri = format!("{}/a", world.lists);
    let now = verifier::service::clock::Clock::now(&now);
    world.host.put("a", world.issuer.list(&uri, now, Seconds::DAY, &[]));
    let gone = format!("{}/gone", world.lists);
    world.host.put("all", json!({"status_lists": [uri, gone]}).to_string());
    let (code, said) = run(&["--aggregation", &format!("{}/all", world.lists)]);
    assert_eq!((code, &said["current"]), (Some(6), &json!(false)), "{said}");
    assert_eq!((&said["lists"][0]["state"], &said["lists"][1]["state"]), (&json!("current"), &json!("missing")));
    let (code, said) = run(&["--show"]);
    assert_eq!((code, &said["lists"][0]["uri"]), (Some(0), &json!(uri)));
    assert!(said["lists"][0]["age"].is_string(), "{said}");
}
