//! The status lists of attestations: looked up where one is named, and believed against also after their end.

use crate::attestation::{Attester, ask_alone, copies};
use crate::support::{World, keys, refusal, refused};
use crate::wallet_attestation::{Shown, demands};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use credentials::status_list::{Bits, StatusList};
use issuer::demands::Demands;
use schemas::Seconds;
use schemas::status::Status;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A provider's status list, served; none is an answer that is no list.
struct Served {
    uri: String,
    token: Arc<Mutex<Option<String>>>,
}

impl Served {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/status/1", listener.local_addr().unwrap());
        let token: Arc<Mutex<Option<String>>> = Arc::default();
        let shared = Arc::clone(&token);
        let answer = move || {
            let token = shared.lock().unwrap().clone();
            async move { token.ok_or(StatusCode::SERVICE_UNAVAILABLE) }
        };
        let router = Router::new().route("/status/1", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { uri, token }
    }

    /// Publishes a list of now in which entry 3 says this.
    fn publish(&self, world: &World, attester: &Attester, status: Status) {
        let mut list = StatusList::new(64, Bits::Two).unwrap();
        list.set(3, status).unwrap();
        let (now, (chain, key)) = (world.issuer.now(), &attester.lists);
        let token = list.to_token(&self.uri, now, now.plus(Seconds::HOUR), Seconds::MINUTE, chain, key).unwrap();
        *self.token.lock().unwrap() = Some(token);
    }

    fn fall_silent(&self) {
        *self.token.lock().unwrap() = None;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_e_status_a_wallet_attestation_that_was_revoked_is_refused() {
    let (attester, key, served) = (Attester::new(600), keys(1, 604).pop().unwrap(), Served::new().await);
    let world = World::demanding(demands(&attester, true)).await;
    let shown = Shown { world: &world, attester: &attester, key: &key };
    let uri = served.uri.clone();
    let redeem = async |idx: u64| {
        let status = json!({"status_list": {"idx": idx, "uri": uri}});
        shown.redeem(|_, claims, _| claims["status"] = status.clone()).await
    };
    let invalid = refused(400, "invalid_client");
    // No list, no word for it; and it is not asked for again within a minute.
    assert_eq!(refusal(redeem(3).await).await, invalid);
    served.publish(&world, &attester, Status::Valid);
    assert_eq!(refusal(redeem(3).await).await, invalid);
    world.later(60);
    assert_eq!(redeem(3).await.status(), StatusCode::OK);
    assert_eq!(refusal(redeem(64).await).await, invalid, "beyond the list");
    // Revoked, seen when the list is due.
    world.later(60);
    for against in [Status::Invalid, Status::Suspended] {
        world.later(60);
        served.publish(&world, &attester, against);
        assert_eq!(refusal(redeem(3).await).await, invalid, "{against:?}");
    }
    assert_eq!(redeem(2).await.status(), StatusCode::OK, "of the others nothing is said");
    // An older list, or one of somebody else, does not take back what was said.
    let old = served.token.lock().unwrap().clone();
    world.later(60);
    served.publish(&world, &Attester::new(610), Status::Valid);
    assert_eq!(refusal(redeem(3).await).await, invalid);
    *served.token.lock().unwrap() = old;
    // Out of reach: while the list is good it is used, at its end nothing vouches any more.
    served.fall_silent();
    world.later(60);
    assert_eq!(redeem(2).await.status(), StatusCode::OK);
    world.later(3_600);
    assert_eq!(refusal(redeem(2).await).await, invalid);
    assert_eq!(refusal(redeem(3).await).await, invalid);
    served.publish(&world, &attester, Status::Valid);
    world.later(60);
    served.publish(&world, &attester, Status::Valid);
    assert_eq!(redeem(3).await.status(), StatusCode::OK, "given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_d_status_a_key_attestation_that_was_revoked_is_refused() {
    let (attester, served) = (Attester::new(620), Served::new().await);
    let demands = Demands { key_attesters: Some(attester.anchors()), key_attestation: true, ..Demands::default() };
    let world = World::demanding(demands).await;
    let ask = async |seed: u64, idx: u64| {
        let (holders, nonce) = (keys(2, seed), world.nonce().await);
        let status = json!({"status_list": {"idx": idx, "uri": served.uri}});
        let attestation = attester.attest_with(&world, &holders, &nonce, "iso_18045_high", |claims| {
            claims["status"] = status;
        });
        ask_alone(&world, &json!([attestation])).await
    };
    served.publish(&world, &attester, Status::Invalid);
    assert_eq!(refusal(ask(630, 3).await).await, refused(400, "invalid_proof"));
    assert_eq!(copies(ask(632, 4).await).await.len(), 2);
}
