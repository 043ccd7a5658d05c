//! How requests are fetched and answers arrive.

use crate::world::*;
use credentials::jwe::{ContentEncryption, encrypt};
use credentials::key::PublicKey;
use serde_json::{Value, json};
use std::collections::HashSet;
use verifier::policy::{ClientIdPrefix, ConsentMode, ResponseMode};
use verifier::service::{Ask, Outcome};

#[tokio::test]
async fn a_presentation_is_verified_in_every_response_mode() {
    let world = World::new().await;
    for (n, mode) in [ResponseMode::DirectPostJwt, ResponseMode::DirectPost].into_iter().enumerate() {
        let card = world.card("a", n as u64);
        let asked = world.ask(ConsentMode::NotAsked, mode).await;
        assert_eq!(world.stands(&asked).0, Outcome::Waiting);
        let reply = world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await;
        assert_eq!((reply.status, reply.body), (200, json!({})));
        let report = world.report(&asked);
        assert_eq!(report.outcome, Outcome::Verified);
        let view = report.held.unwrap();
        let [credential] = view.content().credentials() else { panic!() };
        assert_eq!(
            Value::Object(credential.claims().clone()),
            json!({"given_name": "Ana", "family_name": "Pérez", "nationalities": ["ES", "FR"]})
        );
        assert_eq!((credential.issuer(), credential.status().as_str()), ("Casa Abierta", "valid"));
        assert_eq!(credential.acr(), Some("urn:amparo:acr:presence-sw-pin"));
        assert!(!credential.face_is_evidence());
    }
}

#[tokio::test]
async fn both_content_encryptions_are_taken_and_offered() {
    let world = World::new().await;
    for enc in ContentEncryption::ALL {
        let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPostJwt).await;
        let metadata = asked.object.client_metadata.clone().unwrap();
        assert_eq!(metadata.encrypted_response_enc_values_supported.unwrap(), ["A128GCM", "A256GCM"]);
        let key = PublicKey::from_jwk(&metadata.jwks.unwrap().keys[0]).unwrap();
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
        let answer = json!({"vp_token": {"identity": [shown]}, "state": asked.object.state}).to_string();
        let jwe =
            encrypt(answer.as_bytes(), &key, Some("1"), enc, b"apu", b"apv", &mut *world.rng.lock().unwrap()).unwrap();
        assert_eq!(world.post_form(&asked, &[("response", &jwe)]).await.status, 200);
        assert_eq!(world.stands(&asked).0, Outcome::Verified);
    }
}

#[tokio::test]
async fn a_request_is_fetched_by_get_and_post_and_more_than_once() {
    let world = World::new().await;
    let begun = world.desk.ask(ask()).await.unwrap();
    let by_get = world.fetch(&begun, None).await.object;
    let by_post = world.fetch(&begun, Some("n-1")).await.object;
    let again = world.fetch(&begun, Some("n-2")).await.object;
    assert_eq!((by_get.wallet_nonce.as_deref(), by_post.wallet_nonce.as_deref()), (None, Some("n-1")));
    assert_eq!(again.wallet_nonce.as_deref(), Some("n-2"));
    assert!(by_get.nonce == by_post.nonce && by_post.nonce == again.nonce, "one transaction, one nonce");
    assert!(credentials::b64::decode(&by_get.nonce).unwrap().len() * 8 >= 128);
    // Answered, it is gone.
    let asked = world.fetch(&begun, None).await;
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    assert_eq!(world.post(&asked, &shown).await.status, 200);
    let uri = request_uri(&begun.request_uri);
    assert_eq!(world.http.get(&uri).send().await.unwrap().status(), 404);
}

fn request_uri(link: &str) -> String {
    let link = url::Url::parse(link).unwrap();
    link.query_pairs().find(|(name, _)| name == "request_uri").unwrap().1.into_owned()
}

#[tokio::test]
async fn a_wallet_nonce_is_bounded_and_unambiguous() {
    let world = World::new().await;
    let uri = request_uri(&world.desk.ask(ask()).await.unwrap().request_uri);
    let long = "x".repeat(1025);
    for form in [vec![("wallet_nonce", long.as_str())], vec![("wallet_nonce", "a"), ("wallet_nonce", "b")]] {
        assert_eq!(reply(world.http.post(&uri).form(&form).send().await.unwrap()).await.code(), "wallet_nonce");
    }
    let json = world.http.post(&uri).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(json.status(), 415);
    let plain = world.http.post(&uri).form(&[("wallet_metadata", "{\"vp_formats_supported\":{}}")]).send().await;
    assert_eq!(plain.unwrap().status(), 200, "metadata alone is fine, and so is what we do not know");
}

#[tokio::test]
async fn attack_40_41_the_request_names_its_own_certificate_and_host() {
    let world = World::at("localhost").await;
    for (prefix, starts) in
        [(ClientIdPrefix::X509Hash, "x509_hash:"), (ClientIdPrefix::X509SanDns, "x509_san_dns:localhost")]
    {
        // `fetch` authenticates it as a wallet does: signature by the key of the certificate that the client identifier
        // names, response_uri on the host of the certificate.
        let asked = world.ask_as(Ask { client_id: Some(prefix), ..ask() }).await;
        assert!(asked.object.client_id.starts_with(starts), "{}", asked.object.client_id);
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
        assert_eq!(world.post(&asked, &shown).await.status, 200);
    }
    let by_address = World::new().await;
    assert!(by_address.desk.ask(Ask { client_id: Some(ClientIdPrefix::X509SanDns), ..ask() }).await.is_err());
}

#[tokio::test]
async fn attack_42_no_redirect_comes_from_what_a_wallet_posts() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await;
    assert_eq!(asked.object.redirect_uri, None);
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    let token = json!({"identity": [shown]}).to_string();
    let form = [
        ("vp_token", token.as_str()),
        ("state", asked.object.state.as_deref().unwrap()),
        ("redirect_uri", "https://evil.example/"),
    ];
    let reply = world.post_form(&asked, &form).await;
    assert_eq!((reply.status, reply.body), (200, json!({})));
}

#[tokio::test]
async fn attack_44_bodies_are_bounded_and_never_inflated() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await;
    let uri = asked.object.response_uri.clone().unwrap();
    let form = "application/x-www-form-urlencoded";
    let large = world.http.post(&uri).header("content-type", form).body(vec![b'a'; 5 << 20]).send().await;
    assert!(large.is_err() || large.unwrap().status() == 413);
    // A gzip bomb is 1 kB of nonsense to whoever does not inflate it.
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].repeat(100);
    let bomb = world.http.post(&uri).header("content-type", form).header("content-encoding", "gzip").body(bomb).send();
    assert_eq!(bomb.await.unwrap().status(), 400);
    assert_eq!(world.stands(&asked), (Outcome::Waiting, "answer_unreadable".into()), "and the request still waits");
}

#[tokio::test]
async fn attack_38_a_plain_answer_is_refused_where_encryption_was_demanded() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPostJwt).await;
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
    let token = json!({"identity": [shown]}).to_string();
    let state = asked.object.state.as_deref().unwrap();
    let reply = world.post_form(&asked, &[("vp_token", &token), ("state", "guessed")]).await;
    assert_eq!((reply.status, world.stands(&asked).0), (400, Outcome::Waiting), "a stranger changes nothing");
    let reply = world.post_form(&asked, &[("vp_token", &token), ("state", state)]).await;
    assert_eq!((reply.status, reply.code()), (400, "not_encrypted"));
    assert_eq!(world.stands(&asked), (Outcome::Refused, "not_encrypted".into()));
    assert_eq!(world.post(&asked, &shown).await.status, 404, "seen in the clear, it is burnt");
}

#[tokio::test]
async fn attack_38_what_cannot_be_decrypted_spends_nothing_until_it_is_too_much() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPostJwt).await;
    let header = |value: Value| credentials::b64::encode(value.to_string().as_bytes());
    let jwes = [
        json!({"alg": "dir", "enc": "A128GCM"}),
        json!({"alg": "RSA1_5", "enc": "A128GCM"}),
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_648_u64}),
        json!({"alg": "ECDH-ES", "enc": "A128GCM", "zip": "DEF"}),
        json!({"alg": "ECDH-ES", "enc": "A128GCM", "epk": {"kty": "EC", "crv": "P-256",
            "x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "y": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}),
    ];
    for value in jwes {
        let jwe = format!("{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", header(value));
        assert_eq!(world.post_form(&asked, &[("response", &jwe)]).await.code(), "answer_unreadable");
    }
    assert_eq!(world.stands(&asked), (Outcome::Waiting, "answer_unreadable".into()));
    for _ in 0..3 {
        assert_eq!(world.post_form(&asked, &[("response", "x")]).await.status, 400);
    }
    assert_eq!(world.stands(&asked), (Outcome::Refused, "answer_unreadable".into()), "eight are too many");
}

#[tokio::test]
async fn attack_48_an_answer_reaches_only_its_own_session() {
    let world = World::new().await;
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        let (mine, other) =
            (world.ask(ConsentMode::NotAsked, mode).await, world.ask(ConsentMode::NotAsked, mode).await);
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&mine));
        // Sent where the other session listens, as made for mine.
        let mut crossed = mine.object.clone();
        crossed.response_uri = other.object.response_uri.clone();
        let crossed = Asked { id: other.id.clone(), link: String::new(), object: crossed };
        assert_eq!(world.post(&crossed, &shown).await.code(), "answer_unreadable");
        assert_eq!(world.stands(&other).0, Outcome::Waiting);
        // With the other session's state and key, but signed for mine: the nonce gives it away.
        assert_eq!(world.post(&other, &shown).await.code(), "key_binding_invalid");
        assert_eq!(world.post(&mine, &shown).await.status, 200, "and mine is not harmed");
    }
}

#[tokio::test]
async fn the_handles_of_one_transaction_tell_nothing_of_each_other() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await;
    let uris = [request_uri(&asked.link), asked.object.response_uri.clone().unwrap()];
    let handles = uris.each_ref().map(|uri| uri.rsplit('/').next().unwrap().to_owned());
    let all = [handles[0].clone(), handles[1].clone(), asked.object.nonce.clone(), asked.object.state.clone().unwrap()];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
    assert!(!all.contains(&asked.id.as_str().to_owned()), "the desk's identifier is never on the wire");
    let swapped = uris[1].replace(&handles[1], &handles[0]);
    let reply = reply(world.http.post(&swapped).form(&[("error", "access_denied")]).send().await.unwrap()).await;
    assert_eq!((reply.status, reply.code()), (404, "not_waiting"));
}

#[tokio::test]
async fn a_refusal_is_noted_and_told_apart_from_no_answer() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::Required, ResponseMode::DirectPostJwt).await;
    let state = asked.object.state.clone().unwrap();
    let refusal = [("error", "access_denied"), ("error_description", "<script>"), ("state", state.as_str())];
    assert_eq!(world.post_form(&asked, &refusal).await.status, 200);
    assert_eq!(world.stands(&asked), (Outcome::Refused, "access_denied".into()));
    let silent = world.ask(ConsentMode::Required, ResponseMode::DirectPostJwt).await;
    world.later(300);
    assert_eq!(world.stands(&silent), (Outcome::Ended, "not_answered".into()));
    assert_eq!(keys(&world.data()), 0);
}

#[tokio::test]
async fn what_is_not_a_form_is_refused() {
    let world = World::new().await;
    let asked = world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await;
    let uri = asked.object.response_uri.clone().unwrap();
    let response = world.http.post(&uri).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(response.status(), 415);
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(world.http.get(&uri).send().await.unwrap().status(), 405);
    for handle in ["..%2f..%2fetc%2fpasswd", "'; DROP TABLE transactions; --", "x"] {
        let uri = uri.rsplit_once('/').unwrap().0.to_owned() + "/" + handle;
        let response = world.http.post(&uri).form(&[("error", "x")]).send().await.unwrap();
        assert_eq!(response.status(), 404, "{handle}");
    }
    assert_eq!(world.stands(&asked).0, Outcome::Waiting);
}
