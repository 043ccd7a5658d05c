//! Status: who is asked and when, and what counts as valid.

use crate::issuer::Issuer;
use crate::world::*;
use credentials::jws;
use credentials::status_list::{Bits, StatusList};
use credentials::trust::{AnchorLimits, Usage};
use schemas::Seconds;
use schemas::status::StatusReference;
use serde_json::json;
use verifier::policy::{ConsentMode, ResponseMode, UnknownStatus};
use verifier::service::{Ask, Outcome};

async fn asked(world: &World) -> Asked {
    world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await
}

async fn presented(world: &World, card: &crate::issuer::Card) -> (Asked, Reply) {
    let asked = asked(world).await;
    let reply = world.post(&asked, &present(card, &asked_paths(), &world.binding(&asked))).await;
    (asked, reply)
}

#[tokio::test]
async fn attack_67_presentations_do_not_phone_home() {
    let world = World::new().await;
    let card = world.card("a", 1);
    // Requests first, so that only presentations follow.
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(asked(&world).await);
    }
    assert_eq!(world.host.asked("a"), 0);
    for asked in &waiting {
        let reply = world.post(asked, &present(&card, &asked_paths(), &world.binding(asked))).await;
        assert_eq!(reply.status, 200);
        assert_eq!(world.host.asked("a"), 1, "the very first of an unknown list, and never again");
    }
    asked(&world).await;
    assert_eq!(world.host.asked("a"), 2, "a request fetches what is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_67_holders_who_come_at_once_share_the_first_fetch() {
    let world = std::sync::Arc::new(World::new().await);
    let card = std::sync::Arc::new(world.card("a", 1));
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(asked(&world).await);
    }
    let mut posts = tokio::task::JoinSet::new();
    for asked in waiting {
        let (world, card) = (world.clone(), card.clone());
        posts.spawn(
            async move { world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await.status },
        );
    }
    assert_eq!(posts.join_all().await, [200; 6]);
    assert_eq!(world.host.asked("a"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_67_known_lists_are_fetched_on_their_schedule() {
    let world = World::new().await;
    let card = world.card("a", 1);
    assert_eq!(presented(&world, &card).await.1.status, 200);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stop = std::sync::Arc::new(tokio::sync::Notify::new());
    let stopped = stop.clone();
    let serving =
        tokio::spawn(verifier::service::serve(world.desk.clone(), listener, async move { stopped.notified().await }));
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(world.host.asked("a"), 1, "its time has not come");
    world.later(12 * 3600);
    let begun = std::time::Instant::now();
    while world.host.asked("a") < 2 && begun.elapsed().as_secs() < 15 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(world.host.asked("a"), 2, "its ttl of 12 h is over");
    stop.notify_one();
    serving.await.unwrap();
}

#[tokio::test]
async fn attack_67_a_list_that_could_not_be_had_is_not_asked_for_again_by_presentations() {
    let world = World::new().await;
    let uri = format!("{}/gone", world.lists);
    let card = world.issuer.issue(&Issuer::draft(NOW, Some(StatusReference { idx: 1, uri })));
    let (first, second) = (asked(&world).await, asked(&world).await);
    for asked in [&first, &second] {
        world.refused(asked, &present(&card, &asked_paths(), &world.binding(asked)), "status_unknown").await;
        assert_eq!(world.host.asked("gone"), 1);
    }
    world.publish("gone", &[]);
    let third = asked(&world).await;
    let reply = world.post(&third, &present(&card, &asked_paths(), &world.binding(&third))).await;
    assert_eq!(reply.status, 200, "the request fetched it");
}

#[tokio::test]
async fn a_stranger_makes_the_verifier_fetch_nothing() {
    let world = World::new().await;
    let stranger = Issuer::new(7_001);
    let uri = format!("{}/strange", world.lists);
    let card = stranger.issue(&Issuer::draft(NOW, Some(StatusReference { idx: 1, uri })));
    let asked = asked(&world).await;
    world.refused(&asked, &present(&card, &asked_paths(), &world.binding(&asked)), "issuer_not_trusted").await;
    assert_eq!(world.host.asked("strange"), 0);
}

#[tokio::test]
async fn a_revoked_credential_is_refused_from_the_next_request_on() {
    let world = World::new().await;
    let card = world.card("a", 5);
    assert_eq!(presented(&world, &card).await.1.status, 200);
    world.later(1);
    world.publish("a", &[5]);
    let (asked, reply) = presented(&world, &card).await;
    assert_eq!((reply.status, reply.code()), (400, "revoked"));
    assert_eq!(world.stands(&asked), (Outcome::Refused, "revoked".into()));
    // Others in the same list still stand.
    let uri = format!("{}/a", world.lists);
    let other = world.issuer.issue(&Issuer::draft(NOW, Some(StatusReference { idx: 6, uri })));
    assert_eq!(presented(&world, &other).await.1.status, 200);
}

#[tokio::test]
async fn attack_61_an_index_outside_the_list_is_refused() {
    let world = World::new().await;
    for idx in [1024, 1 << 32, u64::MAX >> 1] {
        let card = world.card("a", idx);
        assert_eq!(presented(&world, &card).await.1.code(), "status_invalid", "{idx}");
    }
}

#[tokio::test]
async fn attack_62_64_a_list_that_is_not_in_order_is_as_good_as_none() {
    let world = World::new().await;
    let (other_chain, other_key) = world.issuer.leaf(Usage::CredentialIssuing);
    let list = StatusList::new(1024, Bits::One).unwrap();
    let ends = NOW.plus(Seconds::DAY);
    let token = |uri: &str| world.issuer.list(uri, NOW, Seconds::DAY, &[]);
    let signed = |name: &str, typ: &str, lst: &str, bits: u8| {
        let header = json!({"alg": "ES256", "typ": typ, "x5c": world.issuer.status_chain.to_x5c()});
        let payload = json!({"sub": format!("{}/{name}", world.lists), "iat": NOW.unix(), "exp": ends.unix(),
            "status_list": {"bits": bits, "lst": lst}});
        jws::sign(header.as_object().unwrap(), payload.to_string().as_bytes(), &world.issuer.status_key).unwrap()
    };
    let lst = list.to_lst();
    let uri = |name: &str| format!("{}/{name}", world.lists);
    let tokens = [
        ("other-sub", token("https://other.example/1")),
        ("usage", list.to_token(&uri("usage"), NOW, ends, Seconds::HOUR, &other_chain, &other_key).unwrap()),
        ("typ", signed("typ", "JWT", &lst, 1)),
        ("bits", signed("bits", "statuslist+jwt", &lst, 3)),
        ("truncated", signed("truncated", "statuslist+jwt", &lst[..lst.len() - 4], 1)),
        ("raw", signed("raw", "statuslist+jwt", "AAAA", 1)),
        ("html", "<html>".to_owned()),
    ];
    for (name, token) in tokens {
        world.host.put(name, token);
        let reference = StatusReference { idx: 1, uri: uri(name) };
        let card = world.issuer.issue(&Issuer::draft(NOW, Some(reference)));
        assert_eq!(presented(&world, &card).await.1.code(), "status_unknown", "{name}");
        assert_eq!(world.host.asked(name), 1);
    }
}

#[tokio::test]
async fn attack_65_a_stale_list_is_refused_unless_the_policy_takes_it() {
    let world = World::new().await;
    let card = world.card("a", 1);
    assert_eq!(presented(&world, &card).await.1.status, 200);
    // Two days on the list has ended and its host is silent.
    world.host.put("a", String::new());
    world.later(2 * 86_400);
    let (asked, reply) = presented(&world, &card).await;
    assert_eq!(reply.code(), "status_unknown");
    assert_eq!(world.stands(&asked).0, Outcome::Refused);
    let ask = Ask { unknown_status: UnknownStatus::Accept, response_mode: ResponseMode::DirectPost, ..ask() };
    let asked = world.ask_as(ask).await;
    assert_eq!(world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await.status, 200);
    let report = world.report(&asked);
    assert_eq!(report.held.unwrap().content().credentials()[0].status().as_str(), "unknown", "and says so");
}

#[tokio::test]
async fn attack_65_a_stale_list_that_said_revoked_is_refused_whatever_the_policy() {
    let world = World::new().await;
    let (revoked, other) = (world.card("a", 5), world.card("a", 6));
    assert_eq!(presented(&world, &other).await.1.status, 200);
    world.later(1);
    world.publish("a", &[5]);
    let accepting = || Ask { unknown_status: UnknownStatus::Accept, response_mode: ResponseMode::DirectPost, ..ask() };
    // The request fetches the new list; nobody presents under it. Then someone keeps newer ones away until it has ended.
    world.ask_as(accepting()).await;
    world.host.put("a", String::new());
    world.later(2 * 86_400);
    // Twice: once with the list read from the store, once from memory.
    for _ in 0..2 {
        let asked = world.ask_as(accepting()).await;
        let reply = world.post(&asked, &present(&revoked, &asked_paths(), &world.binding(&asked))).await;
        assert_eq!((reply.status, reply.code()), (400, "revoked"));
    }
    let asked = world.ask_as(accepting()).await;
    assert_eq!(world.post(&asked, &present(&other, &asked_paths(), &world.binding(&asked))).await.status, 200);
}

#[tokio::test]
async fn attack_66_an_older_list_does_not_bring_a_credential_back() {
    let world = World::new().await;
    let card = world.card("a", 5);
    let uri = format!("{}/a", world.lists);
    let older = world.issuer.list(&uri, world.desk_time(), Seconds::DAY, &[]);
    world.later(60);
    world.publish("a", &[5]);
    assert_eq!(presented(&world, &card).await.1.code(), "revoked");
    world.host.put("a", older);
    world.later(60);
    assert_eq!(presented(&world, &card).await.1.code(), "revoked");
}

#[tokio::test]
async fn attack_72_a_newer_list_than_the_clock_allows_makes_the_clock_suspect() {
    let world = World::new().await;
    let card = world.card("a", 1);
    world.later(3600);
    world.publish("a", &[]);
    assert_eq!(presented(&world, &card).await.1.status, 200);
    world.clock.set(NOW);
    assert!(world.desk.ask(ask()).await.is_err(), "an hour behind a verified list: nothing is accepted");
}

impl World {
    fn desk_time(&self) -> schemas::Timestamp {
        use verifier::service::clock::Clock;
        self.clock.now()
    }
}

#[tokio::test]
async fn attack_36_a_tenant_signs_no_list_on_another_s_host() {
    let world = World::new().await;
    let tenant = Issuer::new(7_037);
    let limits = AnchorLimits { types: None, status_hosts: Some(vec!["tenant.example".to_owned()]) };
    world.desk.trust(tenant.anchor.as_bytes(), Some(&limits)).unwrap();
    let uri = format!("{}/mine", world.lists);
    // The tenant un-revokes what another issuer has revoked.
    world.host.put("mine", tenant.list(&uri, NOW, Seconds::DAY, &[]));
    let card = world.issuer.issue(&Issuer::draft(NOW, Some(StatusReference { idx: 3, uri })));
    assert_eq!(presented(&world, &card).await.1.code(), "status_unknown");
    // The host's own issuer may sign it.
    world.publish("mine", &[3]);
    world.later(3_600);
    assert_eq!(presented(&world, &card).await.1.code(), "revoked");
}

#[tokio::test]
async fn attack_64_65_66_a_list_in_cwt_format_counts_as_one_in_jwt_format_does() {
    let world = World::new().await;
    let (card, other) = (world.card("a", 5), world.card("a", 6));
    let uri = format!("{}/a", world.lists);
    let cwt = |lasting, revoked: &[u64]| world.issuer.list_cwt(&uri, world.desk_time(), lasting, revoked);
    world.host.put_bytes("a", cwt(Seconds::DAY, &[]));
    assert_eq!(presented(&world, &card).await.1.status, 200);
    let older = cwt(Seconds::DAY, &[]);
    // One format after the other: the newest list counts, whichever it is in.
    world.later(60);
    world.publish("a", &[5]);
    assert_eq!(presented(&world, &card).await.1.code(), "revoked");
    world.host.put_bytes("a", older);
    world.later(60);
    assert_eq!(presented(&world, &card).await.1.code(), "revoked", "an older one brings nothing back");
    world.host.put_bytes("a", cwt(Seconds::DAY, &[6]));
    assert_eq!(presented(&world, &card).await.1.status, 200);
    assert_eq!(presented(&world, &other).await.1.code(), "revoked");
    // Signed by the key for credentials, and one with a byte changed.
    let mut broken = cwt(Seconds::DAY, &[]);
    let last = broken.len() - 1;
    broken[last] ^= 1;
    world.later(60);
    world.host.put_bytes("a", broken);
    assert_eq!(presented(&world, &other).await.1.code(), "revoked", "what does not hold changes nothing");
    // Ended, it has no word for a credential, and what it said against one stands.
    world.host.put_bytes("a", Vec::new());
    world.later(2 * 86_400);
    assert_eq!(presented(&world, &card).await.1.code(), "status_unknown");
    let accepting = Ask { unknown_status: UnknownStatus::Accept, response_mode: ResponseMode::DirectPost, ..ask() };
    let asked = world.ask_as(accepting).await;
    let reply = world.post(&asked, &present(&other, &asked_paths(), &world.binding(&asked))).await;
    assert_eq!((reply.status, reply.code()), (400, "revoked"));
}
