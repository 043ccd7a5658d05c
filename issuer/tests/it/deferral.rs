//! Issuance that somebody approves later.

use crate::support::{World, code, keys, refusal, refused};
use credentials::dpop;
use credentials::signer::{Signer, SoftwareKey};
use issuer::desk::{DECISION_TIME, Offered, Outcome, Pace};
use issuer::store::Decision;
use reqwest::{Response, StatusCode};
use schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A fresh proof; the tests of one process never repeat a `jti`.
fn proof(world: &World, path: &str, token: Option<&str>, key: &SoftwareKey) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let jti = u128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
    let (url, nonce) = (format!("{}{path}", world.url), world.issuer.dpop_nonce());
    dpop::create("POST", &url, world.issuer.now(), token, Some(&nonce), jti, key).unwrap()
}

impl World {
    fn deferred_offer(&self) -> Offered {
        self.offer_with(|order| order.decision_time = Some(DECISION_TIME))
    }

    async fn bound(&self, offered: &Offered, key: &SoftwareKey) -> Response {
        let code = code(offered);
        let form = [
            ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
            ("pre-authorized_code", code.as_str()),
            ("tx_code", offered.tx_code.as_str()),
        ];
        let request = self.http.post(format!("{}/token", self.url)).form(&form);
        request.header("dpop", proof(self, "/token", None, key)).send().await.unwrap()
    }

    async fn call(&self, path: &str, token: &str, key: &SoftwareKey, body: &Value) -> Response {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let request = request.header("authorization", format!("DPoP {token}"));
        request.header("dpop", proof(self, path, Some(token), key)).send().await.unwrap()
    }

    async fn ask(&self, token: &str, key: &SoftwareKey, transaction: &str) -> Response {
        self.call("/deferred_credential", token, key, &json!({"transaction_id": transaction})).await
    }

    /// An offer that was taken up: its token, and what the wallet asks with.
    async fn put_off(&self, offered: &Offered, key: &SoftwareKey, holders: &[SoftwareKey]) -> (String, String) {
        let answer: Value = self.bound(offered, key).await.json().await.unwrap();
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("DPoP"), &json!(7 * 86_400)));
        let token = answer["access_token"].as_str().unwrap().to_owned();
        let proofs = self.proofs(&self.nonce().await, holders);
        let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
        let response = self.call("/credential", &token, key, &body).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let answer: Value = response.json().await.unwrap();
        assert!(answer.get("credentials").is_none());
        assert_eq!(answer["interval"], 5);
        // The token has done what it was for.
        let again = self.call("/credential", &token, key, &body).await;
        assert_eq!(refusal(again).await, refused(401, "invalid_token"));
        (token, answer["transaction_id"].as_str().unwrap().to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_9_what_is_approved_is_issued_once_to_the_keys_that_asked() {
    let world = World::new().await;
    let key = &keys(1, 90)[0];
    let holders = keys(3, 91);
    let offered = world.deferred_offer();
    let (token, transaction) = world.put_off(&offered, key, &holders).await;

    // Another process, as the registry's clerk has it: what waits is told by its reference, and by nothing else.
    let clerk = world.reopen();
    let [pending] = &clerk.pending().unwrap()[..] else { panic!() };
    assert_eq!(Some(&pending.reference), offered.reference.as_ref());
    assert_eq!((pending.configuration.as_str(), pending.decision), ("identity", None));

    world.later(3 * 86_400);
    let waits = world.ask(&token, key, &transaction).await;
    assert_eq!(waits.status(), StatusCode::ACCEPTED);
    let waits: Value = waits.json().await.unwrap();
    assert_eq!(waits, json!({"transaction_id": transaction, "interval": 5}), "§9.2: the same identifier");

    assert_eq!(clerk.decide(&offered.handle, Decision::Approved).unwrap(), 1);
    assert_eq!(clerk.decide(&offered.handle, Decision::Declined).unwrap(), 0, "a decision stands");
    let issued: Value = world.ask(&token, key, &transaction).await.json().await.unwrap();
    let copies = issued["credentials"].as_array().unwrap();
    for (copy, holder) in copies.iter().zip(&holders) {
        let credential = world.verify(copy["credential"].as_str().unwrap());
        assert_eq!(credential.confirmation_key(), holder.public_key());
        assert_eq!(credential.claims()["family_name"], "Vega-Quispe");
    }
    assert_eq!(copies.len(), 3);
    assert_eq!(refusal(world.ask(&token, key, &transaction).await).await, refused(401, "invalid_token"));
    assert!(clerk.pending().unwrap().is_empty());
    assert_eq!(clerk.revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_9_3_what_is_declined_is_told_and_its_claims_are_gone() {
    let world = World::new().await;
    let key = &keys(1, 92)[0];
    let offered = world.deferred_offer();
    let (token, transaction) = world.put_off(&offered, key, &keys(1, 93)).await;
    let sealed = || {
        let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
        database.query_row("SELECT sealed FROM pending", (), |row| row.get::<_, Option<Vec<u8>>>(0)).unwrap()
    };
    assert!(sealed().is_some());
    assert_eq!(world.reopen().decide(&offered.handle, Decision::Declined).unwrap(), 1);
    assert_eq!(sealed(), None);
    for _ in 0..2 {
        let refusal = refusal(world.ask(&token, key, &transaction).await).await;
        assert_eq!(refusal, refused(400, "credential_request_denied"));
    }
    world.later(7 * 86_400);
    assert_eq!(refusal(world.ask(&token, key, &transaction).await).await, refused(401, "invalid_token"));
    world.issuer.maintain().unwrap();
    assert!(world.issuer.pending().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_9_1_a_transaction_is_asked_for_with_its_own_token_and_key() {
    let world = World::new().await;
    let [key, other] = <[SoftwareKey; 2]>::try_from(keys(2, 94)).ok().unwrap();
    let (token, transaction) = world.put_off(&world.deferred_offer(), &key, &keys(1, 95)).await;
    let (other_token, other_transaction) = world.put_off(&world.deferred_offer(), &other, &keys(1, 96)).await;
    for unknown in ["", "x", other_transaction.as_str(), token.as_str()] {
        let refusal = refusal(world.ask(&token, &key, unknown).await).await;
        assert_eq!(refusal, refused(400, "invalid_transaction_id"), "{unknown}");
    }
    let no_id = world.call("/deferred_credential", &token, &key, &json!({})).await;
    assert_eq!(refusal(no_id).await, refused(400, "invalid_credential_request"));
    let stolen = world.ask(&other_token, &key, &other_transaction).await;
    assert_eq!(refusal(stolen).await, refused(401, "invalid_dpop_proof"));
    let bearer = world.http.post(format!("{}/deferred_credential", world.url)).bearer_auth(&token);
    let bearer = bearer.json(&json!({"transaction_id": transaction})).send().await.unwrap();
    assert_eq!(refusal(bearer).await, refused(401, "invalid_token"));
    let none = world.http.post(format!("{}/deferred_credential", world.url)).json(&json!({})).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_13_10_a_token_that_outlives_five_minutes_is_bound_to_a_key() {
    let world = World::new().await;
    let offered = world.deferred_offer();
    let unbound = world.redeem(&offered, offered.tx_code.as_str()).await;
    assert_eq!(refusal(unbound).await, refused(400, "invalid_dpop_proof"));
    // The offer is not used up by that.
    assert_eq!(world.bound(&offered, &keys(1, 97)[0]).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_can_be_withdrawn_and_says_nothing_in_the_database() {
    let world = World::new().await;
    let key = &keys(1, 98)[0];
    let offered = world.deferred_offer();
    let (token, transaction) = world.put_off(&offered, key, &keys(2, 99)).await;
    for name in ["issuer.sqlite", "issuer.sqlite-wal"] {
        let bytes = std::fs::read(world.dir.path().join(name)).unwrap_or_default();
        for needle in ["Vega-Quispe", "1990-05-17", transaction.as_str(), offered.handle.as_str(), "\"kty\""] {
            assert!(!bytes.windows(needle.len()).any(|w| w == needle.as_bytes()), "{name} {needle}");
        }
    }
    assert_eq!(world.reopen().revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Withdrawn);
    assert_eq!(refusal(world.ask(&token, key, &transaction).await).await, refused(401, "invalid_token"));
    assert_eq!(world.reopen().decide(&offered.handle, Decision::Approved).unwrap(), 0);
    // The keys that were shown are used up all the same.
    let answer: Value = world.bound(&world.offer(), key).await.json().await.unwrap();
    let second = answer["access_token"].as_str().unwrap().to_owned();
    let proofs = world.proofs(&world.nonce().await, &keys(2, 99));
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.call("/credential", &second, key, &body).await).await, refused(400, "invalid_proof"));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_who_ask_at_once_get_one_answer() {
    let world = World::new().await;
    let key = &keys(1, 100)[0];
    let offered = world.deferred_offer();
    let (token, transaction) = world.put_off(&offered, key, &keys(1, 101)).await;
    world.issuer.decide(&offered.handle, Decision::Approved).unwrap();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let body = json!({"transaction_id": transaction});
        let request = world.http.post(format!("{}/deferred_credential", world.url)).json(&body);
        let request = request.header("authorization", format!("DPoP {token}"));
        let request = request.header("dpop", proof(&world, "/deferred_credential", Some(&token), key));
        asking.spawn(async move { request.send().await.unwrap().status() });
    }
    let statuses = asking.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_9449_9_a_question_without_a_fresh_nonce_is_sent_back() {
    let world = World::new().await;
    let offered = world.deferred_offer();
    let (key, holders) = (keys(1, 170).pop().unwrap(), keys(1, 171));
    let (token, transaction) = world.put_off(&offered, &key, &holders).await;
    let url = format!("{}/deferred_credential", world.url);
    let old = world.issuer.dpop_nonce();
    world.later(301);
    for (n, nonce) in [None, Some(old.as_str())].into_iter().enumerate() {
        let shown = dpop::create("POST", &url, world.issuer.now(), Some(&token), nonce, [n as u8; 16], &key).unwrap();
        let request = world.http.post(&url).header("authorization", format!("DPoP {token}")).header("dpop", shown);
        let response = request.json(&json!({"transaction_id": transaction})).send().await.unwrap();
        assert!(response.headers().contains_key("dpop-nonce"));
        assert_eq!(refusal(response).await, refused(401, "use_dpop_nonce"), "{nonce:?}");
    }
    assert_eq!(world.ask(&token, &key, &transaction).await.status(), StatusCode::ACCEPTED);
}
