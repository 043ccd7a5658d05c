//! The authorization code flow: the request that goes ahead, the page, the code.

use crate::support::{World, client, keys, link_offer, refusal, refused, wrong};
use credentials::dpop;
use credentials::signer::SoftwareKey;
use issuer::desk::{Grant, Offered};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const BACK: &str = "http://127.0.0.1:51004/back";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn challenge() -> String {
    credentials::b64::encode(&Sha256::digest(VERIFIER))
}

/// A browser that shows where it is sent.
pub(crate) fn browser() -> Client {
    drop(client());
    Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap()
}

fn state(offered: &Offered) -> String {
    link_offer(&offered.link).grants.unwrap().authorization_code.unwrap().issuer_state.unwrap()
}

fn proof(world: &World, path: &str, nonce: Option<&str>, key: &SoftwareKey) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    let jti = u128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
    dpop::create("POST", &format!("{}{path}", world.url), world.issuer.now(), None, nonce, jti, key).unwrap()
}

impl World {
    pub(crate) fn code_offer(&self) -> Offered {
        self.offer_with(|order| order.grant = Grant::AuthorizationCode)
    }

    pub(crate) fn pushed_form(&self, offered: &Offered) -> HashMap<&'static str, String> {
        HashMap::from([
            ("response_type", "code".to_owned()),
            ("client_id", "org.example.wallet".to_owned()),
            ("redirect_uri", BACK.to_owned()),
            ("state", "s-1".to_owned()),
            ("code_challenge", challenge()),
            ("code_challenge_method", "S256".to_owned()),
            ("scope", "identity".to_owned()),
            ("issuer_state", state(offered)),
        ])
    }

    pub(crate) async fn push(&self, form: &HashMap<&str, String>) -> Response {
        self.http.post(format!("{}/par", self.url)).form(form).send().await.unwrap()
    }

    /// A pushed request: its name.
    pub(crate) async fn pushed(&self, offered: &Offered) -> String {
        let response = self.push(&self.pushed_form(offered)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["expires_in"], 540);
        answer["request_uri"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn page(&self, request: &str) -> Response {
        self.page_of("org.example.wallet", request).await
    }

    async fn page_of(&self, client: &str, request: &str) -> Response {
        let mut url = url::Url::parse(&format!("{}/authorize", self.url)).unwrap();
        url.query_pairs_mut().append_pair("client_id", client).append_pair("request_uri", request);
        browser().get(url).send().await.unwrap()
    }

    pub(crate) async fn decide(&self, request: &str, code: &str, answer: &str) -> Response {
        let form = [("client_id", "org.example.wallet"), ("request_uri", request), ("code", code), ("answer", answer)];
        browser().post(format!("{}/authorize", self.url)).form(&form).send().await.unwrap()
    }

    /// Where the person is sent: the parameters.
    pub(crate) async fn sent_back(&self, response: Response) -> HashMap<String, String> {
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        assert!(location.starts_with(&format!("{BACK}?")), "{location}");
        let url = url::Url::parse(&location).unwrap();
        let pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!((pairs["iss"].as_str(), pairs["state"].as_str()), (self.url.as_str(), "s-1"));
        pairs
    }

    pub(crate) async fn code(&self, offered: &Offered) -> String {
        let request = self.pushed(offered).await;
        let back = self.decide(&request, offered.tx_code.as_str(), "yes").await;
        self.sent_back(back).await["code"].clone()
    }

    pub(crate) async fn exchange(&self, code: &str, change: &[(&str, &str)], proof: Option<String>) -> Response {
        let mut form = HashMap::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", "org.example.wallet"),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(change.iter().copied());
        let mut request = self.http.post(format!("{}/token", self.url)).form(&form);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_5_the_whole_flow_with_a_bound_token() {
    let world = World::new().await;
    let offered = world.code_offer();
    assert!(link_offer(&offered.link).grants.unwrap().pre_authorized_code.is_none());
    let request = world.pushed(&offered).await;

    let page = world.page(&request).await;
    assert_eq!(page.status(), StatusCode::OK);
    let headers = page.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        (&headers["x-frame-options"], &headers["cache-control"]),
        (&"DENY".parse().unwrap(), &"no-store".parse().unwrap())
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:51004"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("Casa Abierta") && html.contains("Identity") && !html.contains("<script"), "{html}");

    let again = world.decide(&request, &wrong(&offered), "yes").await;
    assert_eq!(again.status(), StatusCode::FORBIDDEN);
    assert!(again.text().await.unwrap().contains("Tries left: 4"));
    // People write spaces.
    let (first, second) = offered.tx_code.as_str().split_at(4);
    let back = world.decide(&request, &format!("{first} {second}"), "yes").await;
    let code = world.sent_back(back).await["code"].clone();
    // Answered once: neither the page nor the offer is there any more.
    assert_eq!(world.page(&request).await.status(), StatusCode::BAD_REQUEST);
    let repeated = world.push(&world.pushed_form(&offered)).await;
    assert_eq!(refusal(repeated).await, refused(400, "invalid_request"));

    let key = &keys(1, 120)[0];
    let sent_back = world.exchange(&code, &[], Some(proof(&world, "/token", None, key))).await;
    assert_eq!(sent_back.status(), StatusCode::BAD_REQUEST);
    let nonce = sent_back.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    assert_eq!(refusal(sent_back).await, refused(400, "use_dpop_nonce"));
    let answer = world.exchange(&code, &[], Some(proof(&world, "/token", Some(&nonce), key))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP");
    assert!(answer.get("authorization_details").is_none(), "it was asked for by scope");
    let token = answer["access_token"].as_str().unwrap();

    let holders = keys(2, 121);
    let proofs = world.proofs(&world.nonce().await, &holders);
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    let at = format!("{}/credential", world.url);
    let nonce = world.issuer.dpop_nonce();
    let shown = dpop::create("POST", &at, world.issuer.now(), Some(token), Some(&nonce), [7; 16], key).unwrap();
    let request = world.http.post(at).header("authorization", format!("DPoP {token}")).header("dpop", shown);
    let issued: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    let copy = issued["credentials"][1]["credential"].as_str().unwrap();
    assert_eq!(world.verify(copy).claims()["given_name"], "Ana María");
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_7636_a_code_is_good_for_who_asked_and_once() {
    let world = World::new().await;
    let code = world.code(&world.code_offer()).await;
    for change in [
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"),
        ("code_verifier", "short"),
        ("client_id", "another"),
        ("redirect_uri", "http://127.0.0.1:51004/other"),
        ("code", "unknown"),
    ] {
        let refusal = refusal(world.exchange(&code, &[change], None).await).await;
        assert_eq!(refusal, refused(400, "invalid_grant"), "{change:?}");
    }
    let answer: Value = world.exchange(&code, &[], None).await.json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    // RFC 6749 §4.1.2: a code used twice is refused, and what it gave ends.
    assert_eq!(refusal(world.exchange(&code, &[], None).await).await, refused(400, "invalid_grant"));
    let proofs = world.proofs(&world.nonce().await, &keys(1, 122));
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(refusal(world.request(&token, &body).await).await, refused(401, "invalid_token"));

    let late = world.code(&world.code_offer()).await;
    world.later(60);
    assert_eq!(refusal(world.exchange(&late, &[], None).await).await, refused(400, "invalid_grant"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_wallets_with_one_code_get_one_token_at_most() {
    let world = World::new().await;
    let code = world.code(&world.code_offer()).await;
    let exchanges = (0..8).map(|_| world.exchange(&code, &[], None));
    let statuses: Vec<StatusCode> = futures_of(exchanges).await.iter().map(Response::status).collect();
    assert!(statuses.iter().filter(|status| **status == StatusCode::OK).count() <= 1, "{statuses:?}");
}

async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    // Polled in turn: the requests of all are under way before the first answer is read.
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_9126_what_goes_ahead_is_read_strictly() {
    let world = World::new().await;
    let offered = world.code_offer();
    let good = world.pushed_form(&offered);
    for (name, value, code) in [
        ("response_type", "token", "unsupported_response_type"),
        ("client_id", "", "invalid_request"),
        ("redirect_uri", "https://evil.example/back", "invalid_request"),
        ("redirect_uri", "http://localhost:1/back", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "attestation", "invalid_scope"),
        ("scope", "", "invalid_request"),
        ("issuer_state", "", "invalid_request"),
        ("issuer_state", "injected", "invalid_request"),
        ("dpop_jkt", "x", "invalid_request"),
        ("request_uri", "urn:x", "invalid_request"),
        ("authorization_details", "[]", "invalid_request"),
    ] {
        let mut form = good.clone();
        form.insert(name, value.to_owned());
        assert_eq!(refusal(world.push(&form).await).await, refused(400, code), "{name}={value}");
    }
    let mut details = good.clone();
    details.remove("scope");
    details.insert(
        "authorization_details",
        json!([{"type": "openid_credential", "credential_configuration_id": "attestation"}]).to_string(),
    );
    assert_eq!(refusal(world.push(&details).await).await, refused(400, "invalid_authorization_details"));
    details.insert(
        "authorization_details",
        json!([{"type": "openid_credential", "credential_configuration_id": "identity"}]).to_string(),
    );
    assert_eq!(world.push(&details).await.status(), StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn fapi_2_only_a_request_that_went_ahead_is_shown_and_for_less_than_ten_minutes() {
    let world = World::new().await;
    let offered = world.code_offer();
    let request = world.pushed(&offered).await;
    world.later(539);
    assert_eq!(world.page(&request).await.status(), StatusCode::OK);
    world.later(1);
    // What is over, what never was, and the same parameters without having gone ahead.
    let mut plain = url::Url::parse(&format!("{}/authorize", world.url)).unwrap();
    plain.query_pairs_mut().extend_pairs(world.pushed_form(&offered));
    let plain = browser().get(plain).send().await.unwrap();
    for shown in [world.page(&request).await, world.page("urn:x").await, plain] {
        assert!(shown.status().is_client_error(), "{}", shown.status());
        assert!(shown.headers().get("location").is_none(), "nobody is sent anywhere");
    }
    assert!(world.decide(&request, offered.tx_code.as_str(), "yes").await.status().is_client_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_9449_10_the_code_is_bound_to_the_key_that_went_ahead() {
    let world = World::new().await;
    let [key, other] = <[SoftwareKey; 2]>::try_from(keys(2, 123)).ok().unwrap();
    let offered = world.code_offer();
    let form = world.pushed_form(&offered);
    let push = async |proof: String| {
        world.http.post(format!("{}/par", world.url)).form(&form).header("dpop", proof).send().await.unwrap()
    };
    let sent_back = push(proof(&world, "/par", None, &key)).await;
    let nonce = sent_back.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    assert_eq!(refusal(sent_back).await, refused(400, "use_dpop_nonce"));
    // A c_nonce is no DPoP nonce.
    let c_nonce = world.nonce().await;
    assert_eq!(refusal(push(proof(&world, "/par", Some(&c_nonce), &key)).await).await, refused(400, "use_dpop_nonce"));
    let pushed: Value = push(proof(&world, "/par", Some(&nonce), &key)).await.json().await.unwrap();
    let back = world.decide(pushed["request_uri"].as_str().unwrap(), offered.tx_code.as_str(), "yes").await;
    let code = world.sent_back(back).await["code"].clone();
    for stolen in [None, Some(proof(&world, "/token", Some(&nonce), &other))] {
        assert_eq!(refusal(world.exchange(&code, &[], stolen).await).await, refused(400, "invalid_dpop_proof"));
    }
    let own = Some(proof(&world, "/token", Some(&nonce), &key));
    assert_eq!(world.exchange(&code, &[], own).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_50_five_wrong_codes_on_the_page_end_the_offer() {
    let world = World::new().await;
    let offered = world.code_offer();
    for left in (1..5).rev() {
        // A new request does not give new tries.
        let request = world.pushed(&offered).await;
        let page = world.decide(&request, &wrong(&offered), "yes").await.text().await.unwrap();
        assert!(page.contains(&format!("Tries left: {left}")), "{page}");
    }
    let request = world.pushed(&offered).await;
    let back = world.decide(&request, &wrong(&offered), "yes").await;
    assert_eq!(world.sent_back(back).await["error"], "access_denied");
    assert_eq!(world.decide(&request, offered.tx_code.as_str(), "yes").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refusal(world.push(&world.pushed_form(&offered)).await).await, refused(400, "invalid_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_refuses_keeps_the_offer_and_the_wallet_is_told() {
    let world = World::new().await;
    let offered = world.code_offer();
    let request = world.pushed(&offered).await;
    let back = world.decide(&request, "", "no").await;
    assert_eq!(world.sent_back(back).await["error"], "access_denied");
    assert_eq!(world.page(&request).await.status(), StatusCode::BAD_REQUEST);
    let code = world.code(&offered).await;
    assert_eq!(world.exchange(&code, &[], None).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_56_nothing_of_a_request_runs_on_the_page_and_a_stranger_is_sent_nowhere() {
    let world = World::new().await;
    let offered = world.code_offer();
    let mut form = world.pushed_form(&offered);
    let name = "\"><script>alert(1)</script>'";
    form.insert("client_id", name.to_owned());
    let pushed: Value = world.push(&form).await.json().await.unwrap();
    let request = pushed["request_uri"].as_str().unwrap();
    // Of another client: no redirect, and no word about which of the two is wrong.
    for (client, request) in [("org.example.wallet", request), (name, "urn:x"), ("", ""), (name, "")] {
        let page = world.page_of(client, request).await;
        assert_eq!((page.status(), page.headers().get("location")), (StatusCode::BAD_REQUEST, None));
    }
    let page = world.page_of(name, request).await;
    let html = page.text().await.unwrap();
    assert!(
        html.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;") && !html.contains("<script"),
        "{html}"
    );
    world.later(600);
    let page = world.page_of(name, request).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST, "its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_claim_while_a_code_waits() {
    let world = World::new().await;
    let offered = world.code_offer();
    let code = world.code(&offered).await;
    for name in ["issuer.sqlite", "issuer.sqlite-wal"] {
        let bytes = std::fs::read(world.dir.path().join(name)).unwrap_or_default();
        for needle in ["Vega-Quispe", "1990-05-17", code.as_str(), BACK, &state(&offered)] {
            assert!(!bytes.windows(needle.len()).any(|w| w == needle.as_bytes()), "{name} {needle}");
        }
    }
    let at = format!("{}/.well-known/oauth-authorization-server", world.url);
    let metadata: Value = world.http.get(at).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_endpoint"], format!("{}/authorize", world.url));
}
