//! Consent: asked for, granted, narrowed, forged, and left out.

use crate::world::*;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds};
use serde_json::json;
use verifier::policy::{ConsentMode, ResponseMode};
use verifier::service::clock::Clock;
use verifier::service::{Ask, Outcome};

const MODE: ResponseMode = ResponseMode::DirectPostJwt;

#[tokio::test]
async fn a_consent_is_agreed_and_its_terms_hold() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::Required, MODE).await;
    let shown = present(&world.short_lived(), &asked_paths(), &world.consenting(&asked, &asked_paths(), 30));
    assert_eq!(world.post(&asked, &shown).await.status, 200);
    let report = world.report(&asked);
    let consent = report.consent.unwrap();
    assert_eq!((consent.purpose, consent.retention), (Purpose::BorderEntry, Seconds::HOUR));
    assert_eq!(consent.expires_at, NOW.plus(Seconds::new(30)));
    assert_eq!(report.kept_until, Some(consent.expires_at));
}

#[tokio::test]
async fn without_a_consent_required_refuses_and_offered_keeps_to_its_own_limit() {
    let world = World::new().await;
    let required = world.ask(ConsentMode::Required, MODE).await;
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&required));
    world.refused(&required, &shown, "consent_missing").await;
    for mode in [ConsentMode::Offered, ConsentMode::NotAsked] {
        let asked = world.ask(mode, MODE).await;
        assert_eq!(asked.object.transaction_data.is_some(), mode == ConsentMode::Offered);
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
        assert_eq!(world.post(&asked, &shown).await.status, 200);
        let report = world.report(&asked);
        assert_eq!((report.outcome, report.consent), (Outcome::Verified, None));
        assert_eq!(report.kept_until, Some(NOW.plus(Seconds::HOUR)), "the retention that was asked for");
    }
}

#[tokio::test]
async fn a_wallet_that_must_refuse_an_offer_can_answer_without_it() {
    let world = World::new().await;
    let offered = world.desk.ask(Ask { consent: ConsentMode::Offered, ..ask() }).await.unwrap();
    let asked = world.fetch(&offered, None).await;
    let state = asked.object.state.clone().unwrap();
    let refusal = [("error", "invalid_transaction_data"), ("state", state.as_str())];
    assert_eq!(world.post_form(&asked, &refusal).await.status, 200);
    assert_eq!(world.stands(&asked).0, Outcome::Waiting);
    let again = world.fetch(&offered, None).await;
    assert_eq!((&again.object.transaction_data, &again.object.nonce), (&None, &asked.object.nonce));
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&again));
    assert_eq!(world.post(&again, &shown).await.status, 200);
    // A required one stays required.
    let required = world.ask(ConsentMode::Required, MODE).await;
    let state = required.object.state.clone().unwrap();
    let refusal = [("error", "invalid_transaction_data"), ("state", state.as_str())];
    assert_eq!(world.post_form(&required, &refusal).await.status, 200);
    assert_eq!(world.stands(&required), (Outcome::Refused, "invalid_transaction_data".into()));
}

#[tokio::test]
async fn attack_68_a_consent_out_of_its_time_is_refused() {
    let world = World::new().await;
    let now = world.clock.now();
    let (one, day) = (Seconds::new(1), Seconds::DAY);
    for (nbf, exp) in [
        (now.minus(day), now.minus(one)),
        (now.minus(day), now),
        (now.plus(Seconds::new(120)), now.plus(Seconds::HOUR)),
        (now, now.plus(day.times(91))),
        (now.plus(one), now),
    ] {
        let asked = world.ask(ConsentMode::Required, MODE).await;
        let binding =
            with_grant(&world.consenting(&asked, &asked_paths(), 30), |grant| (grant.nbf, grant.exp) = (nbf, exp));
        world.refused(&asked, &present(&world.short_lived(), &asked_paths(), &binding), "consent_invalid").await;
    }
}

#[tokio::test]
async fn attack_69_a_grant_wider_than_the_request_or_narrower_than_what_is_shown_is_refused() {
    let world = World::new().await;
    let wider = [asked_paths(), vec![ClaimPath::names(["birth_date"])]].concat();
    let changes: [fn(&mut schemas::consent::Grant); 5] = [
        |grant| grant.claims.push(ClaimPath::names(["birth_date"])),
        |grant| drop(grant.claims.pop()),
        |grant| grant.purpose = vec![Purpose::BorderEntry, Purpose::SupportService],
        |grant| grant.purpose = vec![Purpose::AgeCheck],
        |grant| grant.ret = "PT2H".into(),
    ];
    for change in changes {
        let asked = world.ask(ConsentMode::Required, MODE).await;
        let binding = with_grant(&world.consenting(&asked, &asked_paths(), 30), change);
        world.refused(&asked, &present(&world.short_lived(), &asked_paths(), &binding), "consent_invalid").await;
    }
    let asked = world.ask(ConsentMode::Required, MODE).await;
    let binding = world.consenting(&asked, &asked_paths(), 30);
    world.refused(&asked, &present(&world.short_lived(), &wider, &binding), "over_disclosure").await;
}

#[tokio::test]
async fn attack_69_a_grant_may_name_array_elements_as_the_holder_counts_them() {
    let world = World::new().await;
    let second: ClaimPath = serde_json::from_value(json!(["nationalities", 1])).unwrap();
    let names = asked_paths()[..2].to_vec();
    let granted = [names.clone(), vec![second]].concat();
    let asked = world.ask(ConsentMode::Required, MODE).await;
    let shown = present(&world.short_lived(), &granted, &world.consenting(&asked, &granted, 30));
    assert_eq!(world.post(&asked, &shown).await.status, 200, "only FR is shown, and only FR was granted");
    let first: ClaimPath = serde_json::from_value(json!(["nationalities", 0])).unwrap();
    let other = [names, vec![first]].concat();
    let asked = world.ask(ConsentMode::Required, MODE).await;
    let shown = present(&world.short_lived(), &granted, &world.consenting(&asked, &other, 30));
    world.post(&asked, &shown).await;
    assert_eq!(world.stands(&asked), (Outcome::Refused, "consent_invalid".into()), "FR is shown, ES was granted");
}

#[tokio::test]
async fn attack_70_a_grant_for_another_verifier_or_request_is_refused() {
    let (here, there) = (World::new().await, World::new().await);
    let theirs = there.ask(ConsentMode::Required, MODE).await;
    let foreign = there.consenting(&theirs, &asked_paths(), 30);
    // Moved into a key binding for us, with and without our own hash.
    for own_hash in [false, true] {
        let asked = here.ask(ConsentMode::Required, MODE).await;
        let own = here.consenting(&asked, &asked_paths(), 30);
        let mut binding = here.binding(&asked);
        binding.consent = foreign.consent.clone();
        binding.transaction_data_hashes =
            if own_hash { own.transaction_data_hashes } else { foreign.transaction_data_hashes.clone() };
        here.refused(&asked, &present(&here.short_lived(), &asked_paths(), &binding), "consent_invalid").await;
    }
    let asked = here.ask(ConsentMode::Required, MODE).await;
    let binding = with_grant(&here.consenting(&asked, &asked_paths(), 30), |g| g.aud = "x509_hash:other".into());
    here.refused(&asked, &present(&here.short_lived(), &asked_paths(), &binding), "consent_invalid").await;
    // Their presentation as a whole.
    let asked = here.ask(ConsentMode::Required, MODE).await;
    here.refused(&asked, &present(&here.short_lived(), &asked_paths(), &foreign), "key_binding_invalid").await;
}

#[tokio::test]
async fn attack_70_one_consent_does_not_serve_two_answers() {
    let world = World::new().await;
    let first = world.ask(ConsentMode::Required, MODE).await;
    let binding = world.consenting(&first, &asked_paths(), 30);
    let id = binding.consent.as_ref().unwrap().id.clone();
    assert_eq!(world.post(&first, &present(&world.short_lived(), &asked_paths(), &binding)).await.status, 200);
    let second = world.ask(ConsentMode::Required, MODE).await;
    let binding = with_grant(&world.consenting(&second, &asked_paths(), 30), |grant| grant.id = id);
    let reply = world.post(&second, &present(&world.short_lived(), &asked_paths(), &binding)).await;
    assert_eq!((reply.status, reply.code()), (400, "consent_replayed"));
    assert_eq!(world.stands(&second).0, Outcome::Refused);
    assert_eq!(world.stands(&first).0, Outcome::Verified, "the first is not harmed");
    assert_eq!(keys(&world.data()), 1);
}

#[tokio::test]
async fn a_consent_that_nobody_asked_for_is_refused() {
    let world = World::new().await;
    let other = world.ask(ConsentMode::Required, MODE).await;
    let asked = world.ask(ConsentMode::NotAsked, MODE).await;
    let mut binding = world.binding(&asked);
    binding.consent = world.consenting(&other, &asked_paths(), 30).consent;
    world.desk.forget(&other.id, &actor()).unwrap();
    world.refused(&asked, &present(&world.short_lived(), &asked_paths(), &binding), "consent_invalid").await;
}
