//! How an issuance went, by the wallet's word.

use crate::support::{World, keys, refusal, refused};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

impl World {
    /// An issuance: its token, and what the wallet calls it.
    pub(crate) async fn issued(&self, seed: u64) -> (String, String) {
        let token = self.token(&self.offer()).await;
        let proofs = self.proofs(&self.nonce().await, &keys(1, seed));
        let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
        let answer: Value = self.request(&token, &body).await.json().await.unwrap();
        (token, answer["notification_id"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn tell(&self, token: &str, body: &Value) -> Response {
        self.http.post(format!("{}/notification", self.url)).bearer_auth(token).json(body).send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_11_every_event_is_taken_and_the_same_again_is_as_good_as_once() {
    let world = World::new().await;
    let (token, id) = world.issued(130).await;
    for event in ["credential_accepted", "credential_failure", "credential_deleted"] {
        for _ in 0..2 {
            let told = world.tell(&token, &json!({"notification_id": id, "event": event, "else": 1})).await;
            assert_eq!(told.status(), StatusCode::NO_CONTENT, "{event}");
        }
    }
    // Nothing of it is kept: the database is the same for whoever accepts and whoever gives up.
    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    let columns: Vec<String> = database
        .prepare("SELECT name FROM pragma_table_info('notices')")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(columns, ["id", "token", "dpop_key", "expires"]);
    world.later(300);
    let late = world.tell(&token, &json!({"notification_id": id, "event": "credential_accepted"})).await;
    assert_eq!(refusal(late).await, refused(401, "invalid_token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_11_3_what_is_wrong_with_a_notification_has_its_code() {
    let world = World::new().await;
    let ((token, id), (_, other)) = (world.issued(131).await, world.issued(132).await);
    let accepted = "credential_accepted";
    for (body, code) in [
        (json!({"notification_id": other, "event": accepted}), "invalid_notification_id"),
        (json!({"notification_id": "x", "event": accepted}), "invalid_notification_id"),
        (json!({"event": accepted}), "invalid_notification_request"),
        (json!({"notification_id": id}), "invalid_notification_request"),
        (json!({"notification_id": id, "event": "credential_Accepted"}), "invalid_notification_request"),
        (
            json!({"notification_id": id, "event": accepted, "event_description": "\"quoted\""}),
            "invalid_notification_request",
        ),
        (json!({"notification_id": id, "event": accepted, "event_description": 7}), "invalid_notification_request"),
        (json!([]), "invalid_notification_request"),
    ] {
        assert_eq!(refusal(world.tell(&token, &body).await).await, refused(400, code), "{body}");
    }
    let good = json!({"notification_id": id, "event": accepted});
    assert_eq!(refusal(world.tell("unknown", &good).await).await, refused(401, "invalid_token"));
    let none = world.http.post(format!("{}/notification", world.url)).json(&good).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(world.tell(&token, &good).await.status(), StatusCode::NO_CONTENT);
}
