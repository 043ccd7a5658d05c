//! The token endpoint.

use crate::support::{World, code, refusal, refused, wrong};
use issuer::desk::{RedeemError, TokenCall};
use reqwest::StatusCode;
use schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn attack_49_a_code_is_good_once() {
    let world = World::new().await;
    let offered = world.offer();
    world.token(&offered).await;
    let again = world.redeem(&offered, offered.tx_code.as_str()).await;
    assert_eq!(again.headers()["cache-control"], "no-store");
    assert_eq!(refusal(again).await, refused(400, "invalid_grant"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_49_twenty_in_parallel_give_one_token() {
    let world = Arc::new(World::new().await);
    let offered = Arc::new(world.offer());
    let requests = (0..20).map(|_| {
        let (world, offered) = (Arc::clone(&world), Arc::clone(&offered));
        tokio::spawn(async move { world.redeem(&offered, offered.tx_code.as_str()).await.status() })
    });
    let mut statuses = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        statuses.push(request.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::OK).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::BAD_REQUEST).count(), 19, "{statuses:?}");
}

/// Each on its own database connection, as separate processes are.
#[tokio::test(flavor = "multi_thread")]
async fn attack_49_twenty_processes_give_one_token() {
    let world = World::new().await;
    let offered = world.offer();
    let code = code(&offered);
    let issuers: Vec<_> = (0..20).map(|_| world.reopen()).collect();
    let granted = std::thread::scope(|scope| {
        let redeem = |issuer: &issuer::Issuer| {
            let call = TokenCall {
                grant_type: Some(PRE_AUTHORIZED_CODE_GRANT),
                code: Some(&code),
                tx_code: Some(offered.tx_code.as_str()),
                ..TokenCall::default()
            };
            match issuer.redeem(&call) {
                Ok(_) => 1,
                Err(RedeemError::InvalidGrant) => 0,
                Err(other) => panic!("{other}"),
            }
        };
        let threads: Vec<_> = issuers.iter().map(|issuer| scope.spawn(move || redeem(issuer))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum::<u32>()
    });
    assert_eq!(granted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_50_five_wrong_codes_kill_the_offer_even_over_a_restart() {
    let world = World::new().await;
    let offered = world.offer();
    let wrong = wrong(&offered);
    for _ in 0..3 {
        assert_eq!(refusal(world.redeem(&offered, &wrong).await).await, refused(400, "invalid_grant"));
    }
    // The count is in the database, not in the process.
    let restarted = world.reopen();
    let code = code(&offered);
    let call = |tx_code| TokenCall {
        grant_type: Some(PRE_AUTHORIZED_CODE_GRANT),
        code: Some(&code),
        tx_code: Some(tx_code),
        ..TokenCall::default()
    };
    assert!(matches!(restarted.redeem(&call(&wrong)), Err(RedeemError::WrongTxCode { left: 1 })));
    assert!(matches!(restarted.redeem(&call(&wrong)), Err(RedeemError::WrongTxCode { left: 0 })));
    // Dead for everybody, also with the right code.
    let right = offered.tx_code.as_str();
    assert!(matches!(restarted.redeem(&call(right)), Err(RedeemError::InvalidGrant)));
    assert_eq!(refusal(world.redeem(&offered, right).await).await, refused(400, "invalid_grant"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_50_the_count_is_of_one_offer_and_parallel_guesses_are_all_counted() {
    let world = Arc::new(World::new().await);
    let (victim, other) = (Arc::new(world.offer()), world.offer());
    let wrong = Arc::new(wrong(&victim));
    let guesses = (0..12).map(|_| {
        let (world, victim, wrong) = (Arc::clone(&world), Arc::clone(&victim), Arc::clone(&wrong));
        tokio::spawn(async move { world.redeem(&victim, &wrong).await.text().await.unwrap() })
    });
    let mut answers = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        answers.push(guess.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|a| a.contains("wrong transaction code")).count(), 5, "{answers:?}");
    assert_eq!(refusal(world.redeem(&victim, victim.tx_code.as_str()).await).await, refused(400, "invalid_grant"));
    world.token(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_50_a_thief_of_many_offers_is_slowed_down() {
    let limits = issuer::service::Limits { wrong_tx_codes: 6, ..Default::default() };
    let world = World::with("", limits, Default::default()).await;
    let offers: Vec<_> = (0..3).map(|_| world.offer()).collect();
    let mut statuses = Vec::new();
    for offered in &offers {
        for _ in 0..4 {
            statuses.push(world.redeem(offered, &wrong(offered)).await.status().as_u16());
        }
    }
    assert_eq!(statuses.iter().filter(|s| **s == 400).count(), 6, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_ends_with_its_time() {
    let world = World::new().await;
    let offered = world.offer();
    world.later(599);
    let early = world.offer();
    world.later(1);
    assert_eq!(refusal(world.redeem(&offered, offered.tx_code.as_str()).await).await, refused(400, "invalid_grant"));
    world.token(&early).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_is_told_so_and_costs_no_try() {
    let world = World::new().await;
    let offered = world.offer();
    let (code, tx) = (code(&offered), offered.tx_code.as_str());
    let grant = ("grant_type", PRE_AUTHORIZED_CODE_GRANT);
    let pre = ("pre-authorized_code", code.as_str());
    for (form, expected) in [
        (vec![], "invalid_request"),
        (vec![grant], "invalid_request"),
        (vec![grant, pre], "invalid_request"),
        (vec![grant, pre, ("tx_code", "")], "invalid_request"),
        (vec![grant, ("tx_code", tx)], "invalid_request"),
        (vec![grant, pre, pre, ("tx_code", tx)], "invalid_request"),
        (vec![("grant_type", "authorization_code"), ("code", "x")], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "unknown")], "invalid_grant"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![grant, ("pre-authorized_code", "unknown"), ("tx_code", tx)], "invalid_grant"),
        (vec![grant, pre, ("tx_code", tx), ("authorization_details", "[]")], "invalid_authorization_details"),
        (vec![grant, pre, ("tx_code", tx), ("authorization_details", "{")], "invalid_authorization_details"),
    ] {
        assert_eq!(refusal(world.post_form("/token", &form).await).await, refused(400, expected), "{form:?}");
    }
    let json = world.http.post(format!("{}/token", world.url)).json(&json!({"grant_type": "x"})).send().await.unwrap();
    assert_eq!(refusal(json).await, refused(400, "invalid_request"));
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let response = world.http.request(method, format!("{}/token", world.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    world.token(&offered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorization_details_give_an_identifier_that_must_be_used() {
    let world = World::new().await;
    let offered = world.offer();
    let code = code(&offered);
    let details = json!([{"type": "openid_credential", "credential_configuration_id": "identity"}]).to_string();
    let form = [
        ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offered.tx_code.as_str()),
        ("authorization_details", details.as_str()),
    ];
    let answer: Value = world.post_form("/token", &form).await.json().await.unwrap();
    let id = &answer["authorization_details"][0]["credential_identifiers"][0];
    assert_eq!(answer["authorization_details"][0]["credential_configuration_id"], "identity");
    assert_eq!(answer["expires_in"], 300);
    let token = answer["access_token"].as_str().unwrap();
    let proofs = world.proofs(&world.nonce().await, &crate::support::keys(1, 9));
    let by_configuration = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    let response = world.request(token, &by_configuration).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_credential_request"));
    let unknown = json!({"credential_identifier": "attestation", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(token, &unknown).await).await, refused(400, "unknown_credential_identifier"));
    let by_identifier = json!({"credential_identifier": id, "proofs": {"jwt": proofs}});
    assert_eq!(world.request(token, &by_identifier).await.status(), StatusCode::OK);
}
