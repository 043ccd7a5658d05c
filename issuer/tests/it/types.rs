//! Type metadata and issuer metadata: published over HTTP, and named by what is issued.

use crate::support::{World, ana, keys, now};
use credentials::issuer_metadata::{IssuerMetadata, KeySource, well_known_url};
use credentials::sd_jwt;
use credentials::trust::{ChainPolicy, PublishedIssuers, TrustAnchors};
use credentials::type_metadata::{Bundled, Integrity, resolve};
use issuer::config::IssuerUrl;
use issuer::demands::Demands;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use reqwest::{Response, StatusCode};
use schemas::{Seconds, credential_type};
use serde_json::json;

async fn get(world: &World, path: &str) -> Response {
    world.http.get(format!("http://{}{path}", world.address)).send().await.unwrap()
}

fn publishing() -> Demands {
    Demands { publish_keys: true, ..Demands::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_issued_names_the_digest_of_its_type_and_keeps_its_rules() {
    let world = World::new().await;
    let attestation = json!({"attested_by": "Casa", "category": "A"});
    for (type_id, claims, seed) in [("identity", ana(), 3), ("attestation", attestation, 4)] {
        let offered = world.offer_claims(type_id, claims, |order| order.count = 1);
        let copy = world.verify(&world.receive(&offered, &keys(1, seed)).await[0]);
        let known = credential_type::by_id(type_id).unwrap();
        let path = format!("/types?vct={}", known.vct);
        let document = get(&world, &path).await;
        assert_eq!(document.status(), StatusCode::OK);
        assert_eq!(document.headers()["content-type"], "application/json");
        assert_eq!(document.headers()["content-security-policy"], "default-src 'none'");
        assert_eq!(document.headers()["x-content-type-options"], "nosniff");
        assert!(document.headers()["cache-control"].to_str().unwrap().contains("max-age="));
        let document = document.bytes().await.unwrap();
        let integrity = Integrity::parse(copy.vct_integrity().unwrap()).unwrap();
        assert_eq!(integrity.check(&document), Ok(()));
        let resolved = resolve(known.vct, copy.vct_integrity(), &Bundled::only()).unwrap();
        assert_eq!(resolved.check_issued(&copy), Ok(()));
    }
    // A document has no `vct#integrity`, and nobody asks for a type that there is not.
    for path in ["/types?vct=urn:example:other", "/types", "/types?vct=", "/types/x", "/types/../issuer.json"] {
        assert_eq!(get(&world, path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_of_the_operator_stands_at_its_own_url_at_once() {
    for path in ["", "/region/7"] {
        let world = World::with(path, issuer::service::Limits::default(), issuer::service::Bounds::default()).await;
        let vct = format!("{}/types/residence/1", world.url);
        assert_eq!(world.http.get(&vct).send().await.unwrap().status(), StatusCode::NOT_FOUND);
        let document = json!({"vct": vct, "extends": "urn:amparo:attestation:1", "name": "Residence"}).to_string();
        let url = IssuerUrl::parse(&world.url).unwrap();
        // As the command does in another process.
        let published = world.reopen().types().publish(&url, &[document.clone().into_bytes()]).unwrap();
        assert_eq!(published, std::slice::from_ref(&vct));
        let served = world.http.get(&vct).send().await.unwrap();
        assert_eq!((served.status(), served.text().await.unwrap()), (StatusCode::OK, document));
        let by_name = world.http.get(format!("{}/types?vct={vct}", world.url)).send().await.unwrap();
        assert_eq!(by_name.status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_verify_by_the_published_keys_before_and_after_renewal() {
    let world = World::demanding(publishing()).await;
    let holders = keys(2, 5);
    let offered = world.offer_with(|order| order.count = 1);
    let before = world.receive(&offered, &holders[..1]).await.remove(0);
    let well_known = well_known_url(&world.url).unwrap();
    let metadata = world.http.get(&well_known).send().await.unwrap();
    assert_eq!(metadata.headers()["content-type"], "application/json");
    assert_eq!(metadata.headers()["cache-control"], "public, max-age=3600");
    let metadata = metadata.bytes().await.unwrap();
    let published = |bytes: &[u8]| {
        let metadata = IssuerMetadata::parse(bytes, &world.url).unwrap();
        let KeySource::Here(keys) = metadata.keys() else { panic!("elsewhere") };
        let mut published = PublishedIssuers::new();
        published.insert(&world.url, keys.clone(), None, now().plus(Seconds::DAY));
        (keys.len(), published)
    };
    let nobody = TrustAnchors::default();
    let verify = |text: &str, published: &PublishedIssuers| {
        sd_jwt::verify_issued(text, &ChainPolicy::known_only(&nobody).with_published(published), now()).map(drop)
    };
    let (count, first) = published(&metadata);
    assert_eq!((count, verify(&before, &first)), (1, Ok(())));
    assert!(sd_jwt::verify_issued(&before, &ChainPolicy::known_only(&nobody), now()).is_err());

    // A new key signs; what the old one signed is verified still.
    let config = world.issuer.config().clone();
    let mut rng = ChaCha20Rng::seed_from_u64(99);
    issuer::init::renew(world.dir.path(), &config, now(), &mut rng).unwrap();
    let renewed = world.reopen().demanding(publishing());
    let metadata = renewed.key_metadata().to_string();
    assert!(!metadata.contains("\"d\""));
    let (count, second) = published(metadata.as_bytes());
    assert_eq!((count, verify(&before, &second)), (2, Ok(())));
    // Of two keys each is meant by its name.
    issuer::init::renew(world.dir.path(), &config, now(), &mut rng).unwrap();
    let (count, third) = published(world.reopen().key_metadata().to_string().as_bytes());
    assert_eq!((count, verify(&before, &third)), (3, Ok(())));
    // The certificate of a former key has ended: then the key is gone.
    world.later(900 * 86_400);
    assert_eq!(published(world.issuer.key_metadata().to_string().as_bytes()).0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_published_only_where_the_operator_says_so() {
    assert_eq!(get(&World::new().await, "/.well-known/jwt-vc-issuer").await.status(), StatusCode::NOT_FOUND);
}
