//! Credential requests and answers encrypted beside TLS (OpenID4VCI 1.0 §10).

use crate::support::{World, keys, refusal, refused};
use credentials::jwe::{ContentEncryption, DecryptionKey, JweIn, MAX_BATCH, Recipient, encrypt};
use issuer::demands::Demands;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use reqwest::Response;
use schemas::Seconds;
use schemas::openid4vci::{IssuerMetadata, RequestEncryption};
use serde_json::{Value, json};

const NAME: &str = "invalid_encryption_parameters";

fn reader(seed: u64) -> DecryptionKey {
    DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

async fn metadata(world: &World) -> IssuerMetadata {
    let url = format!("{}/.well-known/openid-credential-issuer", world.url);
    world.http.get(url).send().await.unwrap().json().await.unwrap()
}

async fn offered(world: &World) -> RequestEncryption {
    metadata(world).await.credential_request_encryption.unwrap()
}

/// A body sealed to the issuer as its metadata says.
async fn sealed(world: &World, body: &Value) -> String {
    let to = Recipient::of_issuer(&offered(world).await).unwrap();
    to.encrypt(body.to_string().as_bytes(), &mut ChaCha20Rng::seed_from_u64(3)).unwrap()
}

async fn body(world: &World, seed: u64) -> Value {
    let proofs = world.proofs(&world.nonce().await, &keys(1, seed));
    json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}})
}

fn wishing(mut body: Value, to: &DecryptionKey) -> Value {
    body["credential_response_encryption"] = json!({"jwk": to.to_public_jwk("answer"), "enc": "A256GCM"});
    body
}

async fn post(world: &World, path: &str, scheme: (&str, &str), kind: &str, text: String) -> Response {
    let (token, dpop) = scheme;
    let request = world.http.post(format!("{}{path}", world.url)).header("content-type", kind).body(text);
    if dpop.is_empty() {
        return request.bearer_auth(token).send().await.unwrap();
    }
    request.header("authorization", format!("DPoP {token}")).header("dpop", dpop).send().await.unwrap()
}

async fn ask(world: &World, token: &str, kind: &str, text: String) -> Response {
    post(world, "/credential", (token, ""), kind, text).await
}

/// What only `reader` can read, with the status.
async fn opened(response: Response, reader: &DecryptionKey) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/jwt", "{status}");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let text = response.text().await.unwrap();
    let jwe = JweIn::parse_at_most(&text, MAX_BATCH).unwrap();
    assert_eq!((jwe.kid(), jwe.encryption()), (Some("answer"), ContentEncryption::A256Gcm));
    (status, serde_json::from_slice(&reader.open(&jwe, &ContentEncryption::ALL).unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_10_requests_and_answers_are_encrypted_for_whoever_wishes() {
    let world = World::new().await;
    let read = metadata(&world).await;
    let (requests, answers) =
        (read.credential_request_encryption.unwrap(), read.credential_response_encryption.unwrap());
    let [jwk] = &requests.jwks.keys[..] else { panic!() };
    assert_eq!((jwk["alg"].as_str(), jwk["use"].as_str(), jwk.get("d")), (Some("ECDH-ES"), Some("enc"), None));
    assert!(jwk["kid"].is_string() && !requests.encryption_required && !answers.encryption_required);
    assert_eq!(answers.alg_values_supported, ["ECDH-ES"]);
    assert_eq!(answers.enc_values_supported, ["A256GCM", "A128GCM"]);
    let restarted = world.reopen().metadata().credential_request_encryption.unwrap();
    assert_eq!(restarted, requests, "a wallet that was given the key before a restart can use it after");

    let token = world.token(&world.offer()).await;
    let me = reader(1);
    let text = sealed(&world, &wishing(body(&world, 60).await, &me)).await;
    let (status, answer) = opened(ask(&world, &token, "application/jwt", text).await, &me).await;
    assert_eq!(status, 200);
    world.verify(answer["credentials"][0]["credential"].as_str().unwrap());

    // An encrypted request alone is answered in the clear.
    let token = world.token(&world.offer()).await;
    let text = sealed(&world, &body(&world, 61).await).await;
    let response = ask(&world, &token, "application/jwt", text).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"].to_str().unwrap()),
        (200, &"application/json")
    );
    assert!(response.json::<Value>().await.unwrap()["credentials"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_8_3_1_2_wrong_encryption_parameters_are_refused_in_the_clear_and_spend_nothing() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let (me, plain) = (reader(1), body(&world, 62).await);
    let good = wishing(plain.clone(), &me);
    let key = credentials::key::PublicKey::from_jwk(&offered(&world).await.jwks.keys[0]).unwrap();
    let kid = offered(&world).await.jwks.keys[0]["kid"].as_str().unwrap().to_owned();
    let to = |key: &credentials::key::PublicKey, kid: Option<&str>| {
        let rng = &mut ChaCha20Rng::seed_from_u64(5);
        encrypt(good.to_string().as_bytes(), key, kid, ContentEncryption::A128Gcm, &[], &[], rng).unwrap()
    };
    let zipped = {
        let text = to(&key, Some(&kid));
        let (header, rest) = text.split_once('.').unwrap();
        let mut header: Value = serde_json::from_slice(&credentials::b64::decode(header).unwrap()).unwrap();
        header["zip"] = json!("DEF");
        format!("{}.{rest}", credentials::b64::encode(header.to_string().as_bytes()))
    };
    // An answer may be encrypted only where the wish could not be exchanged on the way.
    let mut cases = vec![
        ("application/json", good.to_string(), "wished for in the clear"),
        ("application/jwt", good.to_string(), "not encrypted, and said to be"),
        ("application/jwt", to(&key, None), "without kid"),
        ("application/jwt", to(&key, Some("other")), "of another kid"),
        ("application/jwt", to(reader(2).public_key(), Some(&kid)), "to another key"),
        ("application/jwt", zipped, "compressed"),
    ];
    for (member, value, what) in [
        ("jwk", json!({}), "an empty key"),
        (
            "jwk",
            {
                let mut jwk = me.to_public_jwk("k");
                jwk.remove("alg");
                json!(jwk)
            },
            "a key without alg",
        ),
        (
            "jwk",
            {
                let mut jwk = me.to_public_jwk("k");
                jwk.insert("alg".into(), json!("RSA-OAEP"));
                json!(jwk)
            },
            "a key of another alg",
        ),
        (
            "jwk",
            {
                let mut jwk = me.to_public_jwk("k");
                jwk.insert("d".into(), json!("AA"));
                json!(jwk)
            },
            "a private key",
        ),
        ("enc", json!("A192GCM"), "another enc"),
        ("enc", Value::Null, "no enc"),
        ("zip", json!("DEF"), "compression"),
    ] {
        let mut wish = good.clone();
        wish["credential_response_encryption"][member] = value;
        cases.push(("application/jwt", sealed(&world, &wish).await, what));
    }
    let odd = {
        let mut wish = plain.clone();
        wish["credential_response_encryption"] = json!("yes");
        wish
    };
    cases.push(("application/jwt", sealed(&world, &odd).await, "a word for a wish"));
    for (kind, text, what) in cases {
        let response = ask(&world, &token, kind, text).await;
        assert_eq!(response.headers()["content-type"], "application/json", "{what}: errors are never encrypted");
        assert_eq!(refusal(response).await, refused(400, NAME), "{what}");
    }
    // Who has no token is not decrypted for.
    let response = ask(&world, "other", "application/jwt", to(&key, Some("other"))).await;
    assert_eq!(refusal(response).await, refused(401, "invalid_token"));
    // An error of the request itself, in the clear as well.
    let faulty = wishing(json!({"credential_configuration_id": "identity"}), &me);
    let response = ask(&world, &token, "application/jwt", sealed(&world, &faulty).await).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_proof"));
    let (status, _) = opened(ask(&world, &token, "application/jwt", sealed(&world, &good).await).await, &me).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_10_an_issuer_that_demands_encryption_takes_and_gives_nothing_else() {
    let world = World::demanding(Demands { encryption: true, ..Demands::default() }).await;
    let read = metadata(&world).await;
    assert!(read.credential_request_encryption.unwrap().encryption_required);
    assert!(read.credential_response_encryption.unwrap().encryption_required);
    let token = world.token(&world.offer()).await;
    let (me, plain) = (reader(1), body(&world, 63).await);
    let response = ask(&world, &token, "application/json", plain.to_string()).await;
    assert_eq!(refusal(response).await, refused(400, NAME), "a request in the clear");
    let response = ask(&world, &token, "application/jwt", sealed(&world, &plain).await).await;
    assert_eq!(refusal(response).await, refused(400, NAME), "no key for the answer");
    let good = wishing(plain, &me);
    let (status, _) = opened(ask(&world, &token, "application/jwt", sealed(&world, &good).await).await, &me).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_9_what_comes_later_is_encrypted_as_each_question_says() {
    let world = World::new().await;
    let offered = world.offer_with(|order| order.decision_time = Some(Seconds::DAY));
    let bound = crate::dpop::Bound::new(&world, &offered, 64).await;
    let (first, second) = (reader(1), reader(2));
    let text = sealed(&world, &wishing(body(&world, 65).await, &first)).await;
    let proof = bound.proof(&world, "/credential");
    let (status, answer) =
        opened(post(&world, "/credential", (&bound.token, &proof), "application/jwt", text).await, &first).await;
    assert_eq!((status, answer["interval"].as_u64()), (202, Some(5)), "also a promise is encrypted");
    let question = json!({"transaction_id": answer["transaction_id"]});
    let asked = async |kind: &str, text: String| {
        let proof = bound.proof(&world, "/deferred_credential");
        post(&world, "/deferred_credential", (&bound.token, &proof), kind, text).await
    };
    let clear = asked("application/json", wishing(question.clone(), &second).to_string()).await;
    assert_eq!(refusal(clear).await, refused(400, NAME), "a wish in the clear");
    let response = asked("application/json", question.to_string()).await;
    assert_eq!(response.status().as_u16(), 202, "what the first request wished is not asked for again");
    assert_eq!(response.json::<Value>().await.unwrap()["transaction_id"], question["transaction_id"]);
    world.issuer.decide(&offered.handle, issuer::store::Decision::Approved).unwrap();
    let text = sealed(&world, &wishing(question, &second)).await;
    let (status, answer) = opened(asked("application/jwt", text).await, &second).await;
    assert_eq!((status, answer["credentials"].as_array().unwrap().len()), (200, 1));
}
