//! What comes from pages and wallets that it was not meant for: forged forms, framed pages, identifiers of others.

use crate::authorization::browser;
use crate::support::{World, code, keys, refusal, refused};
use issuer::desk::{Outcome, Pace};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn attack_54_a_form_that_another_page_sends_decides_nothing() {
    let world = World::new().await;
    let offered = world.code_offer();
    let request = world.pushed(&offered).await;
    let own = world.url.clone();
    let sent = async |answer: &str, headers: &[(&str, &str)]| {
        let form = [
            ("client_id", "org.example.wallet"),
            ("request_uri", request.as_str()),
            ("code", offered.tx_code.as_str()),
            ("answer", answer),
        ];
        let mut post = browser().post(format!("{own}/authorize")).form(&form);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        post.send().await.unwrap()
    };
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:1")],
        &[("origin", own.as_str()), ("origin", "https://evil.example")],
    ] {
        for answer in ["yes", "no"] {
            let page = sent(answer, headers).await;
            assert_eq!((page.status(), page.headers().get("location")), (StatusCode::FORBIDDEN, None), "{headers:?}");
            assert_eq!(page.headers()["x-frame-options"], "DENY");
        }
    }
    // No try was spent, and the request still waits for the person.
    let page = sent("yes", &[("sec-fetch-site", "same-origin"), ("origin", own.as_str())]).await;
    assert!(world.sent_back(page).await.contains_key("code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_54_no_page_is_framed_or_kept_and_no_cookie_is_set() {
    let world = World::new().await;
    let request = world.pushed(&world.code_offer()).await;
    for page in [world.page(&request).await, world.page("urn:unknown").await] {
        let headers = page.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(
            (&headers["x-frame-options"], &headers["cache-control"]),
            (&"DENY".parse().unwrap(), &"no-store".parse().unwrap())
        );
        // No session to ride on: what may be done stands in the form alone.
        assert_eq!(headers.get("set-cookie"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_54_nothing_is_offered_approved_or_revoked_over_http() {
    let world = World::new().await;
    for path in ["/offer", "/offers", "/revoke", "/approve", "/decline", "/pending", "/admin", "/init", "/publish"] {
        for method in [reqwest::Method::GET, reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
            let asked = world.http.request(method, format!("{}{path}", world.url)).body("handle=x");
            assert_eq!(asked.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
    // What types say is read over HTTP, and never written.
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        for path in ["/types", "/types/residence/1"] {
            let asked = world.http.request(method.clone(), format!("{}{path}", world.url)).body("{}");
            assert_eq!(asked.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        }
    }
}

/// Two tenants are two issuers, each with data of its own: what one gave out is unknown to the other, like what nobody gave out.
#[tokio::test(flavor = "multi_thread")]
async fn attack_55_every_identifier_of_one_tenant_is_unknown_to_another() {
    let (one, other) = (World::new().await, World::seeded(8).await);
    // What unknown names get.
    let unknown = async |world: &World, form: &[(&str, &str)]| refusal(world.post_form("/token", form).await).await;

    let offered = one.offer();
    let pre_authorized = code(&offered);
    let grant = ("grant_type", schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT);
    let form = [grant, ("pre-authorized_code", pre_authorized.as_str()), ("tx_code", offered.tx_code.as_str())];
    assert_eq!(unknown(&other, &form).await, refused(400, "invalid_grant"));

    let token = one.token(&offered).await;
    let nonce = one.nonce().await;
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": one.proofs(&nonce, &keys(1, 400))}});
    assert_eq!(refusal(other.request(&token, &body).await).await, refused(401, "invalid_token"));
    let own = other.token(&other.offer()).await;
    let body =
        json!({"credential_configuration_id": "identity", "proofs": {"jwt": other.proofs(&nonce, &keys(1, 401))}});
    assert_eq!(
        refusal(other.request(&own, &body).await).await,
        refused(400, "invalid_nonce"),
        "a nonce of one at the other"
    );

    let code_offer = one.code_offer();
    let request = one.pushed(&code_offer).await;
    let (foreign, none) = (other.page(&request).await, other.page("urn:ietf:params:oauth:request_uri:unknown").await);
    assert_eq!((foreign.status(), foreign.text().await.unwrap()), (none.status(), none.text().await.unwrap()));
    assert_eq!(refusal(other.push(&one.pushed_form(&code_offer)).await).await, refused(400, "invalid_request"));
    let authorization = one.code(&one.code_offer()).await;
    assert_eq!(refusal(other.exchange(&authorization, &[], None).await).await, refused(400, "invalid_grant"));

    let (told, notice) = one.issued(402).await;
    let event = json!({"notification_id": notice, "event": "credential_accepted"});
    assert_eq!(refusal(other.tell(&told, &event).await).await, refused(401, "invalid_token"));
    let (told_there, _) = other.issued(403).await;
    assert_eq!(refusal(other.tell(&told_there, &event).await).await, refused(400, "invalid_notification_id"));

    // The operator's own names for what was issued.
    assert_eq!(other.issuer.revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Unknown);
    assert_eq!(other.issuer.decide(&offered.handle, issuer::store::Decision::Approved).unwrap_or(0), 0);
}
