//! Key binding and the credential beneath it, as they arrive over HTTP.

use crate::issuer::{Card, Issuer};
use crate::world::*;
use credentials::jws;
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::AnchorLimits;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::{ClaimPath, Seconds};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use verifier::policy::{ConsentMode, ResponseMode};
use verifier::service::Outcome;

async fn asked(world: &World) -> Asked {
    world.ask(ConsentMode::NotAsked, ResponseMode::DirectPost).await
}

/// The chosen disclosures without a KB-JWT, ending with `~`.
fn unbound(card: &Card) -> String {
    SdJwtVc::reopen(&card.text).unwrap().select(&asked_paths()).unwrap().unbound()
}

/// A KB-JWT over `over` with a payload of one's own.
fn forged(over: &str, asked: &Asked, signer: &SoftwareKey, change: impl FnOnce(&mut Value)) -> String {
    let mut payload = json!({
        "iat": NOW.unix(), "aud": asked.object.client_id, "nonce": asked.object.nonce,
        "sd_hash": credentials::b64::encode(&Sha256::digest(over.as_bytes())),
    });
    change(&mut payload);
    let header = json!({"alg": "ES256", "typ": "kb+jwt"});
    let header = header.as_object().unwrap();
    jws::sign(header, payload.to_string().as_bytes(), signer).unwrap()
}

#[tokio::test]
async fn attack_29_without_key_binding_it_is_refused() {
    let world = World::new().await;
    let asked = asked(&world).await;
    world.refused(&asked, &unbound(&world.short_lived()), "key_binding_missing").await;
}

#[tokio::test]
async fn attack_30_another_audience_is_refused() {
    let world = World::new().await;
    let card = world.short_lived();
    let own = asked(&world).await.object.client_id;
    let stripped = own.trim_start_matches("x509_hash:").to_owned();
    for wrong in [json!("x509_hash:other"), json!([own]), json!(stripped), json!(own.to_uppercase()), json!(null)] {
        let asked = asked(&world).await;
        let over = unbound(&card);
        let kb = forged(&over, &asked, &card.holder, |payload| payload["aud"] = wrong.clone());
        world.refused(&asked, &(over + &kb), "key_binding_invalid").await;
    }
}

#[tokio::test]
async fn attack_31_another_nonce_is_refused() {
    let world = World::new().await;
    let card = world.short_lived();
    let earlier = asked(&world).await.object.nonce;
    let folded = |nonce: &str| if nonce == nonce.to_lowercase() { nonce.to_uppercase() } else { nonce.to_lowercase() };
    for n in 0..4 {
        let asked = asked(&world).await;
        let wrong = [earlier.clone(), String::new(), folded(&asked.object.nonce), format!("{} ", asked.object.nonce)];
        let over = unbound(&card);
        let kb = forged(&over, &asked, &card.holder, |payload| payload["nonce"] = json!(wrong[n]));
        world.refused(&asked, &(over + &kb), "key_binding_invalid").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_31_of_eight_answers_at_once_one_is_taken() {
    let world = std::sync::Arc::new(World::new().await);
    for mode in [ResponseMode::DirectPost, ResponseMode::DirectPostJwt] {
        let asked = std::sync::Arc::new(world.ask(ConsentMode::NotAsked, mode).await);
        let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&asked));
        let mut posts = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (world, asked, shown) = (world.clone(), asked.clone(), shown.clone());
            posts.spawn(async move { world.post(&asked, &shown).await.status });
        }
        let mut answers = posts.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, [200, 404, 404, 404, 404, 404, 404, 404]);
        assert_eq!(world.stands(&asked).0, Outcome::Verified);
    }
}

#[tokio::test]
async fn attack_31_a_second_transaction_does_not_take_the_first_ones_presentation() {
    let world = World::new().await;
    let (first, second) = (asked(&world).await, asked(&world).await);
    let shown = present(&world.short_lived(), &asked_paths(), &world.binding(&first));
    assert_eq!(world.post(&first, &shown).await.status, 200);
    let reply = world.post(&second, &shown).await;
    assert_eq!((reply.status, reply.code()), (400, "key_binding_invalid"));
}

#[tokio::test]
async fn attack_32_a_key_binding_of_another_time_is_refused() {
    let world = World::new().await;
    let card = world.short_lived();
    for (offset, good) in [(-3600, false), (3600, false), (-301, false), (61, false), (-300, true), (60, true)] {
        let asked = asked(&world).await;
        let over = unbound(&card);
        let kb = forged(&over, &asked, &card.holder, |payload| payload["iat"] = json!(NOW.unix() + offset));
        if good {
            assert_eq!(world.post(&asked, &(over + &kb)).await.status, 200, "{offset}");
            world.desk.forget(&asked.id, &actor()).unwrap();
        } else {
            world.refused(&asked, &(over + &kb), "key_binding_invalid").await;
        }
    }
}

#[tokio::test]
async fn attack_33_what_is_presented_is_what_was_signed() {
    let world = World::new().await;
    let card = world.short_lived();
    let asked_for = async || asked(&world).await;
    let parts = |text: &str| -> Vec<String> { text.split('~').map(str::to_owned).collect() };
    // Reordered, then trimmed.
    for change in [(|p: &mut Vec<String>| p.swap(1, 2)) as fn(&mut Vec<String>), |p| drop(p.remove(1))] {
        let asked = asked_for().await;
        let mut all = parts(&present(&card, &asked_paths(), &world.binding(&asked)));
        change(&mut all);
        world.refused(&asked, &all.join("~"), "key_binding_invalid").await;
    }
    // Another hash than the issuer chose.
    let asked = asked_for().await;
    let over = unbound(&card);
    let kb = forged(&over, &asked, &card.holder, |payload| payload["sd_hash"] = json!("AAAA"));
    world.refused(&asked, &(over + &kb), "key_binding_invalid").await;
}

#[tokio::test]
async fn attack_34_a_key_binding_by_another_key_is_refused() {
    let world = World::new().await;
    let card = world.short_lived();
    let thief = SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(99)).unwrap();
    let asked = asked(&world).await;
    let over = unbound(&card);
    let kb = forged(&over, &asked, &thief, |_| {});
    world.refused(&asked, &(over + &kb), "key_binding_invalid").await;
}

#[tokio::test]
async fn attack_34_a_confirmation_claim_with_a_private_key_is_refused() {
    let world = World::new().await;
    let holder = SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(5)).unwrap();
    let public = holder.public_key().to_jwk();
    let mut private = public.clone();
    private.insert("d".into(), json!(credentials::b64::encode(&holder.scalar().unwrap()[..])));
    for cnf in [json!({"jwk": private}), json!({"jwk": [public, public]}), json!({"jkt": "x"}), json!({})] {
        let payload = json!({"vct": crate::issuer::VCT, "exp": NOW.unix() + 3600, "cnf": cnf, "given_name": "A",
            "family_name": "B", "nationalities": []});
        let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": world.issuer.chain.to_x5c()});
        let header = header.as_object().unwrap();
        let over = jws::sign(header, payload.to_string().as_bytes(), &world.issuer.key).unwrap() + "~";
        let asked = asked(&world).await;
        let kb = forged(&over, &asked, &holder, |_| {});
        world.refused(&asked, &(over + &kb), "presentation_invalid").await;
    }
}

#[tokio::test]
async fn a_stranger_s_credential_is_refused_until_the_stranger_is_trusted() {
    let world = World::new().await;
    let stranger = Issuer::new(7_000);
    let card = stranger.issue(&Issuer::draft(NOW, None));
    let first = asked(&world).await;
    world.refused(&first, &present(&card, &asked_paths(), &world.binding(&first)), "issuer_not_trusted").await;
    // By another process, while this one serves.
    world.reopen().trust(stranger.anchor.as_bytes(), None).unwrap();
    let second = asked(&world).await;
    let reply = world.post(&second, &present(&card, &asked_paths(), &world.binding(&second))).await;
    assert_eq!(reply.status, 200);
    world.desk.forget(&second.id, &actor()).unwrap();
    // And no longer, once the anchor is taken out.
    assert!(world.reopen().distrust(stranger.anchor.as_bytes()).unwrap()[0].1);
    let third = asked(&world).await;
    world.refused(&third, &present(&card, &asked_paths(), &world.binding(&third)), "issuer_not_trusted").await;
}

#[tokio::test]
async fn attack_37_at_exp_it_has_expired_and_at_nbf_it_is_valid() {
    let world = World::new().await;
    let one = Seconds::new(1);
    for (not_before, expires_at, code) in [
        (None, NOW, "expired"),
        (None, NOW.plus(one), ""),
        (Some(NOW.plus(one)), NOW.plus(Seconds::HOUR), "not_yet_valid"),
        (Some(NOW), NOW.plus(Seconds::HOUR), ""),
    ] {
        let mut draft = Issuer::draft(NOW, None);
        (draft.not_before, draft.expires_at) = (not_before, expires_at);
        let card = world.issuer.issue(&draft);
        let asked = asked(&world).await;
        let reply = world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await;
        assert_eq!(reply.code(), code);
    }
}

#[tokio::test]
async fn attack_35_another_type_is_refused() {
    let world = World::new().await;
    for vct in ["urn:amparo:attestation:1", "urn:amparo:identity:1 ", "urn:amparo:identity:1/", "URN:amparo:identity:1"]
    {
        let mut draft = Issuer::draft(NOW, None);
        draft.vct = vct.into();
        let card = world.issuer.issue(&draft);
        let asked = asked(&world).await;
        world.refused(&asked, &present(&card, &asked_paths(), &world.binding(&asked)), "not_as_asked").await;
    }
}

#[tokio::test]
async fn no_more_and_no_less_than_was_asked_for() {
    let world = World::new().await;
    let card = world.short_lived();
    let first = asked(&world).await;
    let more = [asked_paths(), vec![ClaimPath::names(["birth_date"])]].concat();
    world.refused(&first, &present(&card, &more, &world.binding(&first)), "over_disclosure").await;
    let message = world.report(&first).error.unwrap().message;
    assert!(message.contains("birth_date") && !message.contains("2001"), "the path, never the value: {message}");
    let second = asked(&world).await;
    let less = &asked_paths()[..2];
    world.refused(&second, &present(&card, less, &world.binding(&second)), "not_as_asked").await;
    let third = asked(&world).await;
    let shown = present(&card, &asked_paths(), &world.binding(&third));
    for token in [json!({"other": [shown]}), json!({"identity": [shown], "other": [shown]})] {
        let asked = asked(&world).await;
        let shown = present(&card, &asked_paths(), &world.binding(&asked));
        let token = Value::from_iter(token.as_object().unwrap().keys().map(|id| (id.clone(), json!([shown]))));
        assert_eq!(world.post_token(&asked, token).await.code(), "not_asked");
    }
    let fourth = asked(&world).await;
    let shown = present(&card, &asked_paths(), &world.binding(&fourth));
    assert_eq!(world.post_token(&fourth, json!({"identity": [shown, shown]})).await.code(), "not_as_asked");
}

#[tokio::test]
async fn attack_36_of_two_tenants_each_issues_its_own_types_only() {
    let world = World::new().await;
    let tenant = Issuer::new(7_036);
    let limits = |types: &[&str]| AnchorLimits {
        types: Some(types.iter().map(|&vct| vct.to_owned()).collect()),
        status_hosts: None,
    };
    let card = tenant.issue(&Issuer::draft(NOW, None));
    let refused = async || {
        let asked = asked(&world).await;
        world.refused(&asked, &present(&card, &asked_paths(), &world.binding(&asked)), "issuer_not_trusted").await;
    };
    // By another process, while this one serves.
    let changed = |limits: Option<&AnchorLimits>| world.reopen().trust(tenant.anchor.as_bytes(), limits).unwrap()[0].1;
    assert!(changed(Some(&limits(&["urn:amparo:attestation:1"]))));
    refused().await;
    // Named once more without limits it keeps those it has.
    assert!(!changed(None));
    refused().await;
    assert!(changed(Some(&limits(&[crate::issuer::VCT]))));
    let asked = asked(&world).await;
    let reply = world.post(&asked, &present(&card, &asked_paths(), &world.binding(&asked))).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let world = World::new().await;
    let first = rusqlite::Connection::open(world.data().join("verifier.db")).unwrap();
    first
        .execute_batch(
            "ALTER TABLE anchors DROP COLUMN limits; ALTER TABLE transactions DROP COLUMN go_on;
         ALTER TABLE transactions DROP COLUMN response_code; DROP TABLE aggregations; DROP TABLE trust_lists;
         ALTER TABLE transactions DROP COLUMN registration; ALTER TABLE transactions DROP COLUMN issuer_algorithms;
         DROP TABLE type_sources; DROP TABLE types; DROP TABLE issuers; DROP TABLE knowledge; PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(first);
    let desk = world.reopen();
    assert_eq!(desk.known_issuers().unwrap(), 1);
    assert_eq!(desk.learn_type(br#"{"vct":"urn:example:permit:1"}"#).unwrap(), "urn:example:permit:1");
    let limits = AnchorLimits { types: Some(vec![crate::issuer::VCT.to_owned()]), status_hosts: None };
    assert!(desk.trust(world.issuer.anchor.as_bytes(), Some(&limits)).unwrap()[0].1);
    assert!(!world.reopen().trust(world.issuer.anchor.as_bytes(), Some(&limits)).unwrap()[0].1);
}
