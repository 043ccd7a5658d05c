//! Wallet and browser on one device: the answer is opened only by the session that the person came back to.

use crate::world::*;
use verifier::policy::ResponseMode;
use verifier::service::go_on::GoOn;
use verifier::service::{Ask, DeskError, Outcome};

async fn asked(world: &World) -> Asked {
    let go_on = Some(GoOn::parse("https://desk.example/back?lang=es").unwrap());
    world.ask_as(Ask { go_on, response_mode: ResponseMode::DirectPost, ..ask() }).await
}

fn code(reply: &Reply) -> String {
    let address = url::Url::parse(reply.body["redirect_uri"].as_str().unwrap()).unwrap();
    assert!(address.as_str().starts_with("https://desk.example/back?lang=es&"), "{address}");
    address.query_pairs().find(|(name, _)| name == "response_code").unwrap().1.into_owned()
}

#[tokio::test]
async fn vp_14_3_attack_48_an_answer_opens_only_with_the_secret_that_came_back() {
    let world = World::new().await;
    let card = world.short_lived();
    let mut codes = Vec::new();
    for _ in 0..2 {
        let asked = asked(&world).await;
        assert!(asked.object.redirect_uri.is_none(), "it is not in the request, only in the answer to the answer");
        let reply = world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await;
        codes.push((asked, code(&reply)));
    }
    let [(first, one), (second, two)] = &codes[..] else { panic!() };
    assert!(one != two && one.len() == 43, "fresh, 256 bits");
    let open = |asked: &Asked, code: Option<&str>| world.desk.result_for(&asked.id, &actor(), code);
    for wrong in [None, Some(""), Some(two.as_str()), Some(&one[1..])] {
        assert!(matches!(open(first, wrong), Err(DeskError::OtherSession)), "{wrong:?}");
    }
    assert_eq!(open(first, Some(one)).unwrap().outcome, Outcome::Verified);
    assert_eq!(open(second, Some(two)).unwrap().outcome, Outcome::Verified);
    let stored = std::fs::read(world.data().join("verifier.db")).unwrap();
    let log = std::fs::read(world.data().join("verifier.db-wal")).unwrap_or_default();
    assert!(![stored, log].iter().any(|bytes| bytes.windows(43).any(|w| w == one.as_bytes())), "its hash only is kept");
}

#[tokio::test]
async fn a_refusal_goes_back_the_same_way_and_an_answer_that_does_not_hold_nowhere() {
    let world = World::new().await;
    let first = asked(&world).await;
    let state = first.object.state.clone().unwrap();
    let reply = world.post_form(&first, &[("error", "access_denied"), ("state", &state)]).await;
    assert_eq!((reply.status, code(&reply).len()), (200, 43), "as after an answer: who looks on learns nothing");
    assert_eq!(world.stands(&first), (Outcome::Refused, "access_denied".to_owned()));
    let second = asked(&world).await;
    let reply = world.post(&second, "nonsense~").await;
    assert!(reply.status == 400 && reply.body.get("redirect_uri").is_none());
    // On another device there is nowhere to go.
    let other = world.ask_as(Ask { response_mode: ResponseMode::DirectPost, ..ask() }).await;
    let reply = world.post(&other, &present(&world.short_lived(), &asked_paths(), &world.binding(&other))).await;
    assert!(reply.status == 200 && reply.body.get("redirect_uri").is_none());
}
