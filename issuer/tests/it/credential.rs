//! The credential endpoint and the nonce endpoint.

use crate::support::{World, keys, refusal, refused};
use credentials::jws;
use credentials::proof;
use credentials::signer::{Signer, SoftwareKey};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

fn body(proofs: Value) -> Value {
    json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}})
}

/// A proof with another header or other claims than it should have.
fn forged(key: &SoftwareKey, header: Value, claims: Value) -> String {
    let header: Map<String, Value> = header.as_object().unwrap().clone();
    jws::sign(&header, claims.to_string().as_bytes(), key).unwrap()
}

fn header(key: &SoftwareKey) -> Value {
    json!({"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": key.public_key().to_jwk()})
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_52_a_nonce_is_ours_young_and_unspent() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let holders = keys(2, 20);
    let old = world.nonce().await;

    world.later(299);
    let token_2 = world.token(&world.offer()).await;
    let proofs = world.proofs(&old, &holders);
    world.later(1);
    let stale = world.request(&token_2, &body(json!(proofs))).await;
    assert_eq!(refusal(stale).await, refused(400, "invalid_nonce"));
    assert_eq!(refusal(world.request(&token, &body(json!(proofs))).await).await.0, 401, "the token ended as well");

    let token = world.token(&world.offer()).await;
    let fresh = world.nonce().await;
    for nonce in ["", "x", "0".repeat(54).as_str(), &format!("{fresh}A"), &fresh.to_uppercase()] {
        let proofs = world.proofs(nonce, &holders);
        let response = world.request(&token, &body(json!(proofs))).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_nonce"), "{nonce}");
    }
    // One proof with a good nonce does not carry another with a bad one.
    let mixed = [world.proofs(&fresh, &holders[..1]), world.proofs("bad", &holders[1..])].concat();
    assert_eq!(refusal(world.request(&token, &body(json!(mixed))).await).await, refused(400, "invalid_nonce"));

    // Spent once, gone for every other token.
    let other = world.token(&world.offer()).await;
    let response = world.request(&token, &body(json!(world.proofs(&fresh, &holders[..1])))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let response = world.request(&other, &body(json!(world.proofs(&fresh, &holders[1..])))).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_nonce"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_52_a_nonce_of_another_issuer_is_unknown_here() {
    let (here, there) = (World::new().await, World::new().await);
    let token = here.token(&here.offer()).await;
    // Both have their own fingerprint key, although their certificates were drawn from one seed.
    std::fs::write(there.dir.path().join("keys/fingerprint.key"), [9u8; 32]).unwrap();
    let nonce = there.reopen().nonce();
    let response = here.request(&token, &body(json!(here.proofs(&nonce, &keys(1, 21))))).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_nonce"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_52_keys_of_a_batch_differ_and_were_never_seen() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let nonce = world.nonce().await;
    let holders = keys(2, 22);
    let twice = [world.proofs(&nonce, &holders[..1]), world.proofs(&nonce, &holders[..1])].concat();
    assert_eq!(refusal(world.request(&token, &body(json!(twice))).await).await, refused(400, "invalid_proof"));
    let response = world.request(&token, &body(json!(world.proofs(&nonce, &holders[..1])))).await;
    assert_eq!(response.status(), StatusCode::OK);

    let token = world.token(&world.offer()).await;
    let seen = world.proofs(&world.nonce().await, &holders);
    assert_eq!(refusal(world.request(&token, &body(json!(seen))).await).await, refused(400, "invalid_proof"));
    let unseen = world.proofs(&world.nonce().await, &holders[1..]);
    assert_eq!(world.request(&token, &body(json!(unseen))).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_52_a_proof_is_typed_signed_and_addressed_to_us() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let nonce = world.nonce().await;
    let [key, other] = <[SoftwareKey; 2]>::try_from(keys(2, 23)).ok().unwrap();
    let now = world.issuer.now();
    let good = json!({"aud": world.url, "iat": now, "nonce": nonce});
    let with = |name: &str, value: Value| {
        let mut header = header(&key);
        header[name] = value;
        forged(&key, header, good.clone())
    };
    let claims = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        forged(&key, header(&key), claims)
    };
    let mut off_curve = key.public_key().to_jwk();
    off_curve.insert("y".to_owned(), off_curve["x"].clone());
    let mut private = key.public_key().to_jwk();
    private.insert("d".to_owned(), json!("AAAA"));
    let mut without_nonce = good.clone();
    without_nonce.as_object_mut().unwrap().remove("nonce");
    let valid = proof::create(&world.url, &nonce, now, &key).unwrap();
    let (head, _) = valid.rsplit_once('.').unwrap();

    for (what, proof) in [
        ("other issuer", proof::create("https://other.example", &nonce, now, &key).unwrap()),
        ("other issuer, slash", proof::create(&format!("{}/", world.url), &nonce, now, &key).unwrap()),
        ("aud array", claims("aud", json!([world.url]))),
        ("far future", claims("iat", json!(now.unix() + 86_400))),
        ("long ago", claims("iat", json!(now.unix() - 86_400))),
        ("iat float", claims("iat", json!(1.5))),
        ("no nonce", forged(&key, header(&key), without_nonce)),
        ("typ", with("typ", json!("JWT"))),
        ("alg none", with("alg", json!("none"))),
        ("alg HS256", with("alg", json!("HS256"))),
        ("off curve", with("jwk", Value::Object(off_curve))),
        ("private key in it", with("jwk", Value::Object(private))),
        ("not its key", with("jwk", Value::Object(other.public_key().to_jwk()))),
        ("no key", with("jwk", Value::Null)),
        ("crit", with("crit", json!(["exp"]))),
        ("no signature", format!("{head}.")),
        ("other signature", format!("{head}.{}", "A".repeat(86))),
        ("not a JWS", "x.y".to_owned()),
        ("empty", String::new()),
    ] {
        let response = world.request(&token, &body(json!([proof]))).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_proof"), "{what}");
    }
    assert_eq!(world.request(&token, &body(json!([valid]))).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_07_and_08_a_key_is_never_fetched_nor_looked_up() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let nonce = world.nonce().await;
    let key = &keys(1, 24)[0];
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let trap_url = format!("http://{}/keys", trap.local_addr().unwrap());
    let claims = json!({"aud": world.url, "iat": world.issuer.now(), "nonce": nonce});
    for (name, value) in [
        ("jku", json!(trap_url)),
        ("x5u", json!(trap_url)),
        ("kid", json!(trap_url)),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR '1'='1'; DROP TABLE offers; --")),
        ("kid", json!("did:web:127.0.0.1")),
    ] {
        for keep_key in [true, false] {
            let mut header = header(key);
            header[name] = value.clone();
            if !keep_key {
                header.as_object_mut().unwrap().remove("jwk");
            }
            let response = world.request(&token, &body(json!([forged(key, header, claims.clone())]))).await;
            assert_eq!(refusal(response).await, refused(400, "invalid_proof"), "{name} {value}");
        }
    }
    let nobody = tokio::time::timeout(std::time::Duration::from_millis(50), trap.accept()).await;
    assert!(nobody.is_err(), "the issuer fetched a key");
    let response = world.request(&token, &body(json!(world.proofs(&nonce, &keys(1, 24))))).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_error_has_its_code() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let proofs = json!({"jwt": world.proofs(&world.nonce().await, &keys(1, 25))});
    let many = json!({"jwt": world.proofs(&world.nonce().await, &keys(31, 26))});
    for (body, expected) in [
        (json!({"proofs": proofs}), (400, "invalid_credential_request")),
        (json!({"credential_configuration_id": 1, "proofs": proofs}), (400, "invalid_credential_request")),
        (
            json!({"credential_configuration_id": "identity", "credential_identifier": "identity", "proofs": proofs}),
            (400, "invalid_credential_request"),
        ),
        (json!([]), (400, "invalid_credential_request")),
        (
            json!({"credential_configuration_id": "passport", "proofs": proofs}),
            (400, "unknown_credential_configuration"),
        ),
        (json!({"credential_configuration_id": "attestation", "proofs": proofs}), (403, "insufficient_scope")),
        (json!({"credential_identifier": "identity", "proofs": proofs}), (400, "unknown_credential_identifier")),
        (json!({"credential_configuration_id": "identity"}), (400, "invalid_proof")),
        (json!({"credential_configuration_id": "identity", "proof": {"proof_type": "jwt"}}), (400, "invalid_proof")),
        (json!({"credential_configuration_id": "identity", "proofs": {}}), (400, "invalid_proof")),
        (json!({"credential_configuration_id": "identity", "proofs": {"jwt": []}}), (400, "invalid_proof")),
        (json!({"credential_configuration_id": "identity", "proofs": {"jwt": [1]}}), (400, "invalid_proof")),
        (json!({"credential_configuration_id": "identity", "proofs": {"attestation": ["x"]}}), (400, "invalid_proof")),
        (
            json!({"credential_configuration_id": "identity", "proofs": {"jwt": ["x"], "di_vp": []}}),
            (400, "invalid_proof"),
        ),
        (json!({"credential_configuration_id": "identity", "proofs": many}), (400, "invalid_proof")),
        (
            json!({"credential_configuration_id": "identity", "proofs": proofs,
                   "credential_response_encryption": {"jwk": {}, "enc": "A128GCM"}}),
            (400, "invalid_encryption_parameters"),
        ),
    ] {
        let response = world.request(&token, &body).await;
        assert_eq!(refusal(response).await, refused(expected.0, expected.1), "{body}");
    }
    // A name given twice, which lenient readers take for its last value.
    let twice = r#"{"credential_configuration_id":"identity","credential_configuration_id":"attestation"}"#;
    for (kind, text) in [("application/json", twice), ("application/json", "{"), ("text/plain", "{}")] {
        let request = world.http.post(format!("{}/credential", world.url)).bearer_auth(&token);
        let response = request.header("content-type", kind).body(text).send().await.unwrap();
        assert_eq!(refusal(response).await, refused(400, "invalid_credential_request"), "{kind} {text}");
    }
    // None of it has spent the token.
    let good = json!({"credential_configuration_id": "identity", "proofs": proofs});
    assert_eq!(world.request(&token, &good).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_in_the_header_and_used_once() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let good = body(json!(world.proofs(&world.nonce().await, &keys(1, 27))));
    let endpoint = format!("{}/credential", world.url);

    let without = world.http.post(&endpoint).json(&good).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(without.headers()["www-authenticate"], "Bearer");
    let in_query = world.http.post(format!("{endpoint}?access_token={token}")).json(&good).send().await.unwrap();
    assert_eq!(in_query.status(), StatusCode::UNAUTHORIZED);
    for value in ["Bearer", "Bearer ", "Basic eDp5", &format!("Bearer {token}x"), &format!("DPoP {token}"), &token] {
        let request = world.http.post(&endpoint).header("authorization", value).json(&good);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{value}");
    }
    let both = world.http.post(&endpoint).bearer_auth(&token).header("authorization", "Bearer x").json(&good);
    assert_eq!(both.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let request = world.http.post(&endpoint).header("authorization", format!("BEARER {token}")).json(&good);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let again = body(json!(world.proofs(&world.nonce().await, &keys(1, 28))));
    let response = world.request(&token, &again).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    assert_eq!(refusal(response).await, refused(401, "invalid_token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_in_parallel_issues_once() {
    let world = std::sync::Arc::new(World::new().await);
    let token = world.token(&world.offer()).await;
    let nonce = world.nonce().await;
    let requests = (0..10).map(|n| {
        let (world, token) = (std::sync::Arc::clone(&world), token.clone());
        let nonce = if n % 2 == 0 { nonce.clone() } else { world.issuer.nonce() };
        tokio::spawn(async move {
            let proofs = world.proofs(&nonce, &keys(2, 100 + n));
            world.request(&token, &body(json!(proofs))).await.status()
        })
    });
    let mut issued = 0;
    for request in requests.collect::<Vec<_>>() {
        issued += u32::from(request.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(issued, 1);
    // The entries of those who lost the race are given back.
    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    let count = |sql: &str| database.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM entries"), 2);
    assert_eq!(count("SELECT sum(allocated) FROM lists"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_never_outlives_the_certificate_of_its_issuer() {
    let world = World::new().await;
    world.later(500 * 86_400);
    let today = issuer::issuing::date(world.issuer.now());
    let identity = schemas::credential_type::by_id("identity").unwrap();
    let claims =
        || issuer::claims::ClaimSet::parse(identity, crate::support::ana().to_string().as_bytes(), today).unwrap();
    let mut order = issuer::desk::Order::new(claims());
    let error = world.issuer.offer(&order).unwrap_err();
    assert!(matches!(error, issuer::desk::OfferError::OutlivesCertificate { .. }), "{error}");
    order.valid = schemas::Seconds::DAY.times(200);
    world.issuer.offer(&order).unwrap();

    issuer::init::renew(
        world.dir.path(),
        world.issuer.config(),
        world.issuer.now(),
        &mut rand_core::UnwrapErr(getrandom::SysRng),
    )
    .unwrap();
    let renewed = world.reopen();
    renewed.offer(&issuer::desk::Order::new(claims())).unwrap();
}
