//! Tokens bound to a key (RFC 9449).

use crate::support::{World, code, keys, refusal, refused};
use credentials::signer::SoftwareKey;
use credentials::{dpop, jws};
use issuer::desk::Offered;
use reqwest::{Response, StatusCode};
use schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT;
use serde_json::{Value, json};

fn proof(world: &World, path: &str, token: Option<&str>, jti: u8, key: &SoftwareKey) -> String {
    let (url, nonce) = (format!("{}{path}", world.url), world.issuer.dpop_nonce());
    dpop::create("POST", &url, world.issuer.now(), token, Some(&nonce), [jti; 16], key).unwrap()
}

async fn redeem(world: &World, offered: &Offered, proofs: &[&str]) -> Response {
    let code = code(offered);
    let form = [
        ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offered.tx_code.as_str()),
    ];
    let mut request = world.http.post(format!("{}/token", world.url)).form(&form);
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    request.send().await.unwrap()
}

async fn bound_token(world: &World, key: &SoftwareKey, jti: u8) -> String {
    let offered = world.offer();
    let answer: Value = redeem(world, &offered, &[&proof(world, "/token", None, jti, key)]).await.json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A token bound to a key, and proofs for it.
pub(crate) struct Bound {
    pub(crate) key: SoftwareKey,
    pub(crate) token: String,
    pub(crate) refresh: Option<String>,
    count: std::cell::Cell<u8>,
}

impl Bound {
    pub(crate) async fn new(world: &World, offered: &Offered, seed: u64) -> Self {
        let key = keys(1, seed).pop().unwrap();
        let proof = proof(world, "/token", None, 200, &key);
        let answer: Value = redeem(world, offered, &[&proof]).await.json().await.unwrap();
        assert_eq!(answer["token_type"], "DPoP", "{answer}");
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        Self { key, token: text("access_token").unwrap(), refresh: text("refresh_token"), count: 0.into() }
    }

    /// Asks for the next tokens with this refresh token.
    pub(crate) async fn refresh(&self, world: &World, token: &str) -> Response {
        self.refresh_by(world, token, Some(&self.key)).await
    }

    pub(crate) async fn refresh_by(&self, world: &World, token: &str, key: Option<&SoftwareKey>) -> Response {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let mut request = world.http.post(format!("{}/token", world.url)).form(&form);
        self.count.set(self.count.get() + 1);
        if let Some(key) = key {
            request = request.header("dpop", proof(world, "/token", None, self.count.get(), key));
        }
        request.send().await.unwrap()
    }

    /// The next tokens in place of these.
    pub(crate) async fn renewed(&mut self, world: &World) -> Response {
        let response = self.refresh(world, self.refresh.as_ref().unwrap()).await;
        if response.status() != StatusCode::OK {
            return response;
        }
        let answer: Value = response.json().await.unwrap();
        assert_eq!((&answer["token_type"], answer["expires_in"].as_u64()), (&json!("DPoP"), Some(300)));
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        (self.token, self.refresh) = (text("access_token").unwrap(), text("refresh_token"));
        Response::from(axum::http::Response::new(Vec::new()))
    }

    pub(crate) async fn ask(&self, world: &World, body: &Value) -> Response {
        let request = world.http.post(format!("{}/credential", world.url));
        let request = request.header("authorization", format!("DPoP {}", self.token));
        request.header("dpop", self.proof(world, "/credential")).json(body).send().await.unwrap()
    }

    pub(crate) fn proof(&self, world: &World, path: &str) -> String {
        self.count.set(self.count.get() + 1);
        proof(world, path, Some(&self.token), self.count.get(), &self.key)
    }
}

async fn ask(world: &World, scheme: &str, token: &str, proof: Option<&str>, seed: u64) -> Response {
    let proofs = world.proofs(&world.nonce().await, &keys(1, seed));
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    let mut request = world.http.post(format!("{}/credential", world.url));
    request = request.header("authorization", format!("{scheme} {token}")).json(&body);
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_token_is_good_with_its_key() {
    let world = World::new().await;
    let key = &keys(1, 40)[0];
    let token = bound_token(&world, key, 1).await;
    let good = proof(&world, "/credential", Some(&token), 2, key);
    assert_eq!(ask(&world, "DPoP", &token, Some(&good), 41).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_51_what_is_wrong_with_a_proof_is_401() {
    let world = World::new().await;
    let [key, other] = <[SoftwareKey; 2]>::try_from(keys(2, 42)).ok().unwrap();
    let token = bound_token(&world, &key, 1).await;
    let at = format!("{}/credential", world.url);
    let now = world.issuer.now();
    let good = proof(&world, "/credential", Some(&token), 9, &key);
    let (head, _) = good.rsplit_once('.').unwrap();
    let past = schemas::Timestamp::from_unix(now.unix() - 3_600);
    let nonce = world.issuer.dpop_nonce();
    let none = {
        use credentials::signer::Signer;
        let header = json!({"alg": "none", "typ": "dpop+jwt", "jwk": key.public_key().to_jwk()});
        let claims = json!({"htm": "POST", "htu": at, "iat": now, "jti": "x", "ath": "x"});
        jws::sign(header.as_object().unwrap(), claims.to_string().as_bytes(), &key).unwrap()
    };
    for (what, given) in [
        ("none", None),
        ("no ath", Some(proof(&world, "/credential", None, 10, &key))),
        ("ath of another token", Some(proof(&world, "/credential", Some("other"), 11, &key))),
        ("wrong htu", Some(proof(&world, "/token", Some(&token), 12, &key))),
        ("htu of another issuer", {
            Some(
                dpop::create(
                    "POST",
                    "https://other.example/credential",
                    now,
                    Some(&token),
                    Some(&nonce),
                    [13; 16],
                    &key,
                )
                .unwrap(),
            )
        }),
        ("wrong htm", Some(dpop::create("GET", &at, now, Some(&token), Some(&nonce), [14; 16], &key).unwrap())),
        ("an hour ago", Some(dpop::create("POST", &at, past, Some(&token), Some(&nonce), [15; 16], &key).unwrap())),
        ("key swapped between token and credential", Some(proof(&world, "/credential", Some(&token), 16, &other))),
        ("alg none", Some(none)),
        ("no signature", Some(format!("{head}."))),
        ("not a JWS", Some("x".to_owned())),
    ] {
        let response = ask(&world, "DPoP", &token, given.as_deref(), 43).await;
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{what}: {challenge}");
        assert_eq!(refusal(response).await, refused(401, "invalid_dpop_proof"), "{what}");
    }
    // A bound token is no bearer token, with or without a proof.
    for given in [None, Some(good.as_str())] {
        assert_eq!(refusal(ask(&world, "Bearer", &token, given, 44).await).await, refused(401, "invalid_token"));
    }
    assert_eq!(ask(&world, "DPoP", &token, Some(&good), 45).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_51_a_proof_is_good_once_even_over_a_restart() {
    let world = World::new().await;
    let key = &keys(1, 46)[0];
    let token = bound_token(&world, key, 1).await;
    let good = proof(&world, "/credential", Some(&token), 2, key);
    // Its first use fails for another reason, and spends it all the same.
    let bad_body =
        world.http.post(format!("{}/credential", world.url)).header("authorization", format!("DPoP {token}"));
    let response = bad_body.header("dpop", &good).json(&json!({})).send().await.unwrap();
    assert_eq!(refusal(response).await, refused(400, "invalid_credential_request"));
    assert_eq!(refusal(ask(&world, "DPoP", &token, Some(&good), 47).await).await, refused(401, "invalid_dpop_proof"));
    let restarted = world.reopen();
    let call = issuer::desk::CredentialCall {
        authorization: Some(issuer::desk::Authorization::Dpop(&token)),
        dpop: Some(&good),
        body: b"{}",
        encrypted: false,
    };
    assert!(matches!(restarted.issue(&call), Err(issuer::desk::CredentialError::InvalidDpop)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_9449_8_9_a_proof_without_a_nonce_of_ours_is_sent_back_with_one_everywhere() {
    let world = World::new().await;
    let (key, mut jti) = (&keys(1, 50)[0], 100);
    let old = world.issuer.dpop_nonce();
    let strange = world.issuer.nonce();
    world.later(301);
    let now = world.issuer.now();
    let mut made = |path: &str, token: Option<&str>, nonce: Option<&str>| {
        jti += 1;
        dpop::create("POST", &format!("{}{path}", world.url), now, token, nonce, [jti; 16], key).unwrap()
    };
    // None, one that is over, one for key proofs, one of somebody else.
    let bad = [None, Some(old.as_str()), Some(strange.as_str()), Some("x")];
    let offered = world.offer();
    for nonce in bad {
        let response = redeem(&world, &offered, &[&made("/token", None, nonce)]).await;
        let given = response.headers()["dpop-nonce"].to_str().unwrap().to_owned();
        assert_eq!(refusal(response).await, refused(400, "use_dpop_nonce"), "{nonce:?}");
        assert_ne!(Some(given.as_str()), nonce);
    }
    let response = redeem(&world, &offered, &[&made("/token", None, None)]).await;
    let given = response.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let response = redeem(&world, &offered, &[&made("/token", None, Some(&given))]).await;
    assert_eq!(response.status(), StatusCode::OK, "the offer was not spent by what was sent back");
    let token = response.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();

    for nonce in bad {
        let response = ask(&world, "DPoP", &token, Some(&made("/credential", Some(&token), nonce)), 51).await;
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("DPoP error=\"use_dpop_nonce\""), "{challenge}");
        assert!(response.headers().contains_key("dpop-nonce"));
        assert_eq!(refusal(response).await, refused(401, "use_dpop_nonce"), "{nonce:?}");
    }
    // The nonce endpoint gives one that is good at once.
    let response = world.http.post(format!("{}/nonce", world.url)).send().await.unwrap();
    let given = response.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let good = made("/credential", Some(&token), Some(&given));
    let response = ask(&world, "DPoP", &token, Some(&good), 51).await;
    assert_eq!(response.status(), StatusCode::OK);
    let id = response.json::<Value>().await.unwrap()["notification_id"].clone();
    let mut tell = async |nonce: Option<&str>| {
        let request = world.http.post(format!("{}/notification", world.url));
        let request = request.header("authorization", format!("DPoP {token}"));
        let request = request.header("dpop", made("/notification", Some(&token), nonce));
        request.json(&json!({"notification_id": id, "event": "credential_accepted"})).send().await.unwrap()
    };
    for nonce in bad {
        assert_eq!(refusal(tell(nonce).await).await, refused(401, "use_dpop_nonce"), "{nonce:?}");
    }
    assert_eq!(tell(Some(&given)).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_51_the_token_endpoint_refuses_bad_proofs_and_grants_nothing() {
    let world = World::new().await;
    let key = &keys(1, 48)[0];
    let offered = world.offer();
    let good = proof(&world, "/token", None, 1, key);
    let wrong_uri = proof(&world, "/credential", None, 2, key);
    for proofs in [vec!["x"], vec![wrong_uri.as_str()], vec![good.as_str(), good.as_str()]] {
        let response = redeem(&world, &offered, &proofs).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_dpop_proof"));
    }
    assert_eq!(redeem(&world, &offered, &[&good]).await.status(), StatusCode::OK);
    // The same proof for another offer.
    let response = redeem(&world, &world.offer(), &[&good]).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_dpop_proof"));
}

#[tokio::test(flavor = "multi_thread")]
async fn haip_4_an_issuer_that_demands_bound_tokens_gives_no_others() {
    let world = World::demanding(issuer::demands::Demands { dpop: true, ..Default::default() }).await;
    let offered = world.offer();
    assert_eq!(refusal(redeem(&world, &offered, &[]).await).await, refused(400, "invalid_dpop_proof"));
    let code_offer = world.code_offer();
    let code = world.code(&code_offer).await;
    assert_eq!(refusal(world.exchange(&code, &[], None).await).await, refused(400, "invalid_dpop_proof"));
    // Neither of them is used up by that.
    let key = &keys(1, 70)[0];
    let bound = redeem(&world, &offered, &[&proof(&world, "/token", None, 1, key)]).await;
    assert_eq!(bound.status(), StatusCode::OK);
    let bound = world.exchange(&code, &[], Some(proof(&world, "/token", None, 2, key))).await;
    let answer: Value = bound.json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
}
