//! Trust lists: taken beforehand, renewed on a schedule, and one rule when they have ended.

use crate::issuer::Issuer;
use crate::world::*;
use credentials::trust::list::{Entry, TrustListDraft, TrustListError};
use credentials::trust::{AnchorLimits, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};
use verifier::policy::{ConsentMode, ResponseMode, UnknownStatus};
use verifier::service::{Ask, DeskError, Outcome, TrustListState};

/// Who signs lists.
struct Ministry {
    authority: Issuer,
    chain: credentials::trust::CertificateChain,
    key: credentials::signer::SoftwareKey,
}

impl Ministry {
    fn new(seed: u64) -> Self {
        let authority = Issuer::new(seed);
        let (chain, key) = authority.leaf(Usage::TrustListSigning);
        Self { authority, chain, key }
    }

    fn signers(&self) -> &[u8] {
        self.authority.anchor.as_bytes()
    }

    /// A list that holds for a day.
    fn list(&self, name: &str, sequence: u64, issued_at: Timestamp, entries: &[Entry]) -> String {
        let expires_at = issued_at.plus(Seconds::DAY);
        let draft = TrustListDraft { name, sequence, issued_at, expires_at, ttl: Seconds::HOUR, entries };
        draft.sign(&self.chain, &self.key).unwrap()
    }
}

fn certificate(issuer: &Issuer) -> Vec<u8> {
    TrustAnchors::from_pem(issuer.anchor.as_bytes()).unwrap().iter().next().unwrap().der().to_vec()
}

fn names(issuer: &Issuer, usages: &[Usage]) -> Entry {
    let limits = AnchorLimits { types: Some(vec![crate::issuer::VCT.to_owned()]), status_hosts: None };
    Entry::new(certificate(issuer), usages.to_vec(), limits).unwrap()
}

const ISSUING: &[Usage] = &[Usage::CredentialIssuing, Usage::StatusSigning];

/// How a presentation of this issuer's fares: its code, or the word for its status.
async fn fares(world: &World, issuer: &Issuer, unknown_status: UnknownStatus) -> String {
    let ask = Ask { unknown_status, consent: ConsentMode::NotAsked, response_mode: ResponseMode::DirectPost, ..ask() };
    let asked = world.ask_as(ask).await;
    let card = issuer.issue(&Issuer::draft(NOW, None));
    let reply = world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await;
    match world.stands(&asked) {
        (Outcome::Verified, _) => {
            let report = world.report(&asked);
            report.held.unwrap().content().credentials()[0].status().as_str().to_owned()
        }
        _ => reply.code().to_owned(),
    }
}

fn state(world: &World) -> TrustListState {
    let [state] = <[TrustListState; 1]>::try_from(world.desk.trust_list_states().unwrap()).unwrap();
    state
}

#[tokio::test]
async fn attack_65_an_issuer_of_an_ended_trust_list_is_refused_unless_the_policy_takes_it() {
    let (world, ministry, shelter) = (World::new().await, Ministry::new(8_001), Issuer::new(8_002));
    assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "issuer_not_trusted");
    let list = ministry.list("urn:list", 1, NOW, &[names(&shelter, ISSUING)]);
    let taken = world.desk.take_trust_list(&list, None, Some(ministry.signers())).unwrap();
    assert_eq!((taken.number, taken.names, taken.word()), (1, (1, 0), "current"));
    assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "none");
    // Its own signer is nobody's issuer.
    assert_eq!(fares(&world, &ministry.authority, UnknownStatus::Refuse).await, "issuer_not_trusted");
    world.later(86_400);
    assert_eq!((state(&world).word(), state(&world).age), ("stale", Seconds::DAY));
    assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "status_unknown");
    assert_eq!(fares(&world, &shelter, UnknownStatus::Accept).await, "unknown", "and the result says so");
    // The next number is taken without saying again who signs, and all is as before.
    let next = ministry.list("urn:list", 2, NOW.plus(Seconds::DAY), &[names(&shelter, ISSUING)]);
    world.desk.take_trust_list(&next, None, None).unwrap();
    assert_eq!(fares(&world, &shelter, UnknownStatus::Accept).await, "none");
    assert!(world.desk.remove_trust_list("urn:list").unwrap());
    assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "issuer_not_trusted");
}

#[tokio::test]
async fn attack_65_what_an_ended_trust_list_withdrew_stays_withdrawn_whatever_the_policy() {
    let (world, shelter) = (World::new().await, Issuer::new(8_012));
    let (first, second) = (Ministry::new(8_010), Ministry::new(8_011));
    let withdrawing = first.list("urn:first", 1, NOW, &[Entry::withdrawn(certificate(&shelter)).unwrap()]);
    world.desk.take_trust_list(&withdrawing, None, Some(first.signers())).unwrap();
    world.later(3 * 86_400);
    let naming = second.list("urn:second", 9, NOW.plus(Seconds::DAY.times(3)), &[names(&shelter, ISSUING)]);
    world.desk.take_trust_list(&naming, None, Some(second.signers())).unwrap();
    for policy in [UnknownStatus::Refuse, UnknownStatus::Accept] {
        assert_eq!(fares(&world, &shelter, policy).await, "issuer_not_trusted");
    }
    let words: Vec<_> = world.desk.trust_list_states().unwrap().iter().map(TrustListState::word).collect();
    assert_eq!(words, ["stale", "current"]);
}

#[tokio::test]
async fn attack_66_sync_refuses_an_older_trust_list_and_one_of_another_authority_and_keeps_its_own() {
    let (world, shelter) = (World::new().await, Issuer::new(8_022));
    let (ministry, other) = (Ministry::new(8_020), Ministry::new(8_021));
    let address = format!("{}/trust", world.lists);
    let entries = [names(&shelter, ISSUING)];
    world.host.put("trust", ministry.list("urn:list", 5, NOW, &entries));
    let unnamed = world.desk.fetch_trust_list(&address, None).await;
    assert!(matches!(unnamed, Err(DeskError::NoListSigner)));
    let taken = world.desk.fetch_trust_list(&address, Some(ministry.signers())).await.unwrap();
    assert_eq!((taken.number, taken.address.as_deref()), (5, Some(address.as_str())));

    let troubles = async |token: String| {
        world.later(60);
        world.host.put("trust", token);
        world.desk.sync(&[]).await.unwrap();
        assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "none", "the list at hand stays");
        let state = state(&world);
        (state.number, state.trouble.unwrap_or_default())
    };
    let now = NOW.plus(Seconds::MINUTE);
    let (number, why) = troubles(ministry.list("urn:list", 4, now, &[])).await;
    assert!(number == 5 && why.contains("number 4 is older than number 5"), "{why}");
    let (number, why) = troubles(ministry.list("urn:list", 5, now, &[])).await;
    assert!(number == 5 && why.contains("something else"), "{why}");
    let (number, why) = troubles(other.list("urn:list", 9, now, &[])).await;
    assert!(number == 5 && why.contains("another authority"), "{why}");
    let (number, why) = troubles(ministry.list("urn:another", 9, now, &[])).await;
    assert!(number == 5 && why.contains("another trust list"), "{why}");
    let (number, why) = troubles(String::new()).await;
    assert!(number == 5 && why.contains("404"), "{why}");
    assert_eq!(troubles(ministry.list("urn:list", 6, now, &entries)).await, (6, String::new()));

    // By hand no more than by schedule; and nobody signs it from today on who did not before.
    let by_hand = world.desk.take_trust_list(&ministry.list("urn:list", 5, now, &entries), None, None);
    assert!(matches!(by_hand, Err(DeskError::TrustList(TrustListError::RolledBack { seen: 6, got: 5 }))));
    let both = [ministry.signers(), other.signers()].concat();
    for signers in [other.signers(), &both] {
        for list in [other.list("urn:list", 9, now, &[]), ministry.list("urn:list", 7, now, &[])] {
            let refused = world.desk.take_trust_list(&list, None, Some(signers));
            let expected = matches!(
                refused,
                Err(DeskError::OtherAuthorities(_) | DeskError::TrustList(TrustListError::OtherAuthority))
            );
            assert!(expected, "{refused:?}");
        }
    }
    assert_eq!(state(&world).number, 6);
}

#[tokio::test]
async fn attack_67_trust_lists_are_fetched_on_their_schedule_and_never_for_a_presentation() {
    let (world, ministry, shelter) = (World::new().await, Ministry::new(8_030), Issuer::new(8_031));
    world.host.put("trust", ministry.list("urn:list", 1, NOW, &[names(&shelter, ISSUING)]));
    let address = format!("{}/trust", world.lists);
    world.desk.fetch_trust_list(&address, Some(ministry.signers())).await.unwrap();
    assert_eq!(world.host.asked("trust"), 1);
    for _ in 0..2 {
        assert_eq!(fares(&world, &shelter, UnknownStatus::Refuse).await, "none");
    }
    assert_eq!(world.host.asked("trust"), 1, "neither by a request nor by an answer");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stop = std::sync::Arc::new(tokio::sync::Notify::new());
    let stopped = stop.clone();
    let serving =
        tokio::spawn(verifier::service::serve(world.desk.clone(), listener, async move { stopped.notified().await }));
    world.later(3_600);
    world.host.put("trust", ministry.list("urn:list", 2, NOW.plus(Seconds::HOUR), &[]));
    let begun = std::time::Instant::now();
    while state(&world).number < 2 && begun.elapsed().as_secs() < 15 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!((state(&world).number, world.host.asked("trust")), (2, 2), "its ttl of an hour is over");
    stop.notify_one();
    serving.await.unwrap();
    assert_eq!(fares(&world, &shelter, UnknownStatus::Accept).await, "issuer_not_trusted", "no longer named");
}

#[tokio::test]
async fn attack_72_a_trust_list_that_was_issued_makes_a_clock_before_it_suspect() {
    let (world, ministry, shelter) = (World::new().await, Ministry::new(8_050), Issuer::new(8_051));
    let list = ministry.list("urn:list", 1, NOW.plus(Seconds::MINUTE), &[names(&shelter, ISSUING)]);
    world.desk.take_trust_list(&list, None, Some(ministry.signers())).unwrap();
    // Within the tolerance of what this clock itself has said, and not of what the list has.
    world.clock.set(NOW.minus(Seconds::new(61)));
    assert!(matches!(world.desk.ask(ask()).await, Err(DeskError::ClockSuspect(_))));
    world.clock.set(NOW.minus(Seconds::MINUTE));
    assert!(world.desk.ask(ask()).await.is_ok());
}

#[tokio::test]
async fn attack_36_an_anchor_that_a_list_names_for_one_thing_does_no_other() {
    let (world, ministry, post) = (World::new().await, Ministry::new(8_040), Issuer::new(8_041));
    let list = ministry.list("urn:list", 1, NOW, &[names(&post, &[Usage::Verifier])]);
    world.desk.take_trust_list(&list, None, Some(ministry.signers())).unwrap();
    assert_eq!(fares(&world, &post, UnknownStatus::Accept).await, "issuer_not_trusted");
}
