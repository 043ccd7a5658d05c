//! Requests that nobody signs: the link is all there is, and the answer goes to the place that it names.

use crate::world::*;
use credentials::request_object::UnsignedRequestIn;
use verifier::policy::{ClientIdPrefix, ConsentMode, LinkScheme, ResponseMode};
use verifier::service::clock::Clock as _;
use verifier::service::{Ask, Outcome};

fn unsigned(response_mode: ResponseMode) -> Ask {
    Ask { client_id: Some(ClientIdPrefix::RedirectUri), response_mode, ..ask() }
}

async fn asked(world: &World, ask: Ask) -> Asked {
    let begun = world.desk.ask(ask).await.unwrap();
    let link = url::Url::parse(&begun.request_uri).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    assert!(pairs.iter().all(|(name, _)| name != "request_uri"), "there is nothing to fetch");
    let pairs = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let request = UnsignedRequestIn::parse(pairs).unwrap().check(world.clock.now()).unwrap();
    Asked { id: begun.transaction, link: begun.request_uri, object: request.request().clone() }
}

#[tokio::test]
async fn vp_30_an_unsigned_request_is_answered_under_every_check() {
    let world = World::new().await;
    for mode in [ResponseMode::DirectPostJwt, ResponseMode::DirectPost] {
        let asked = asked(&world, unsigned(mode)).await;
        assert!(asked.link.starts_with("openid4vp://?") && !asked.link.contains("Border"));
        let place = asked.object.response_uri.clone().unwrap();
        assert_eq!(asked.object.client_id, format!("redirect_uri:{place}"));
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
        assert_eq!(world.post(&asked, &shown).await.status, 200);
        assert_eq!(world.stands(&asked).0, Outcome::Verified);
    }
    // The audience is the place of this one transaction: what was made for another is refused.
    let (one, two) = (
        asked(&world, unsigned(ResponseMode::DirectPost)).await,
        asked(&world, unsigned(ResponseMode::DirectPost)).await,
    );
    let mut binding = world.binding(&two);
    binding.audience = one.object.client_id.clone();
    let reply = world.post(&two, &present(&world.short_lived(), &asked_paths(), &binding)).await;
    assert_ne!(reply.status, 200);
    assert_eq!(world.stands(&two).0, Outcome::Refused);
}

#[tokio::test]
async fn vp_35_nothing_of_an_unsigned_request_is_ever_signed() {
    let world = World::new().await;
    for consent in [ConsentMode::Required, ConsentMode::Offered] {
        let refused = world.desk.ask(Ask { consent, ..unsigned(ResponseMode::DirectPost) }).await;
        assert!(refused.unwrap_err().to_string().contains("nobody signs"));
    }
    let scheme = LinkScheme::Haip;
    let asked = asked(&world, Ask { scheme, ..unsigned(ResponseMode::DirectPost) }).await;
    assert!(asked.link.starts_with("haip-vp://?"));
    // Even under the handle that is in the store and in no link.
    let store = rusqlite::Connection::open(world.data().join("verifier.db")).unwrap();
    let sql = "SELECT request_handle FROM transactions WHERE id = ?1";
    let handle: String = store.query_row(sql, [asked.id.as_str()], |row| row.get(0)).unwrap();
    let place = asked.object.response_uri.as_deref().unwrap();
    let (base, _) = place.split_once("/openid4vp/").unwrap();
    let fetched = world.http.get(format!("{base}/openid4vp/request/{handle}")).send().await.unwrap();
    assert_eq!(fetched.status(), 404);
}
