//! Wallet attestations (OpenID4VCI 1.0 Appendix E) at the endpoints where wallets authenticate.

use crate::attestation::Attester;
use crate::authorization::BACK;
use crate::support::{World, keys, refusal, refused};
use credentials::jws;
use credentials::signer::{Signer, SoftwareKey};
use credentials::wallet_attestation::{self, CHALLENGE_HEADER, HEADER, POP_HEADER, POP_TYPE, TYPE};
use issuer::demands::Demands;
use reqwest::{RequestBuilder, Response, StatusCode};
use schemas::Seconds;
use schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

const CLIENT: &str = "org.example.wallet";

/// What a wallet shows, in order but for what is changed: header and claims of the attestation, claims of the proof.
pub(crate) struct Shown<'w> {
    pub(crate) world: &'w World,
    pub(crate) attester: &'w Attester,
    pub(crate) key: &'w SoftwareKey,
}

type Change = fn(&mut Value, &mut Value, &mut Value);

impl Shown<'_> {
    async fn challenge(&self) -> String {
        let response = self.world.http.post(format!("{}/challenge", self.world.url)).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body: Value = response.json().await.unwrap();
        body["attestation_challenge"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn headers(&self, change: impl Fn(&mut Value, &mut Value, &mut Value)) -> [String; 2] {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = self.world.issuer.now();
        let mut header = json!({"alg": "ES256", "typ": TYPE, "x5c": self.attester.chain.to_x5c()});
        let mut claims = json!({
            "iss": "https://wallets.example", "sub": CLIENT, "iat": now, "exp": now.plus(Seconds::DAY),
            "cnf": {"jwk": self.key.public_key().to_jwk()},
        });
        let mut pop = json!({
            "iss": CLIENT, "aud": self.world.url, "iat": now, "jti": NEXT.fetch_add(1, Ordering::Relaxed).to_string(),
            "challenge": self.challenge().await,
        });
        change(&mut header, &mut claims, &mut pop);
        let sign = |header: &Value, claims: &Value, key: &SoftwareKey| {
            jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), key).unwrap()
        };
        [sign(&header, &claims, &self.attester.key), sign(&json!({"alg": "ES256", "typ": POP_TYPE}), &pop, self.key)]
    }

    fn with(request: RequestBuilder, [attestation, pop]: &[String; 2]) -> RequestBuilder {
        request.header(HEADER, attestation).header(POP_HEADER, pop)
    }

    pub(crate) async fn redeem(&self, change: impl Fn(&mut Value, &mut Value, &mut Value)) -> Response {
        let headers = self.headers(change).await;
        Self::with(pre_authorized(self.world), &headers).send().await.unwrap()
    }

    async fn push(&self, change: Change) -> Response {
        let headers = self.headers(change).await;
        let form = self.world.pushed_form(&self.world.code_offer());
        Self::with(self.world.http.post(format!("{}/par", self.world.url)).form(&form), &headers).send().await.unwrap()
    }
}

/// A token request in order, for an offer of its own, by nobody in particular.
fn pre_authorized(world: &World) -> RequestBuilder {
    let offered = world.offer();
    let code = crate::support::code(&offered);
    let form = [
        ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offered.tx_code.as_str()),
        ("client_id", CLIENT),
    ];
    world.http.post(format!("{}/token", world.url)).form(&form)
}

pub(crate) fn demands(attester: &Attester, wallet_attestation: bool) -> Demands {
    Demands { wallet_providers: Some(attester.anchors()), wallet_attestation, ..Demands::default() }
}

async fn server_metadata(world: &World) -> Value {
    let url = format!("{}/.well-known/oauth-authorization-server", world.url);
    world.http.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_e_an_attested_wallet_goes_by_the_page_and_redeems_its_code() {
    let (attester, key) = (Attester::new(500), keys(1, 502).pop().unwrap());
    let world = World::demanding(demands(&attester, true)).await;
    let metadata = server_metadata(&world).await;
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["attest_jwt_client_auth"]));
    assert_eq!(metadata["client_attestation_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(metadata["client_attestation_pop_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(metadata["challenge_endpoint"], format!("{}/challenge", world.url));
    assert_eq!(metadata["pre-authorized_grant_anonymous_access_supported"], false);

    let shown = Shown { world: &world, attester: &attester, key: &key };
    let offered = world.code_offer();
    let headers = shown.headers(|_, _, _| {}).await;
    let push = world.http.post(format!("{}/par", world.url)).form(&world.pushed_form(&offered));
    let response = Shown::with(push, &headers).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let request: Value = response.json().await.unwrap();
    let back = world.decide(request["request_uri"].as_str().unwrap(), offered.tx_code.as_str(), "yes").await;
    let code = world.sent_back(back).await["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("code_verifier", crate::authorization::VERIFIER),
    ];
    let exchange = || world.http.post(format!("{}/token", world.url)).form(&form);
    // Another wallet of the same provider has the code, and not the key.
    let other = keys(1, 503).pop().unwrap();
    let thief = Shown { key: &other, ..shown };
    let response = Shown::with(exchange(), &thief.headers(|_, _, _| {}).await).send().await.unwrap();
    assert_eq!(refusal(response).await, refused(400, "invalid_grant"));
    assert_eq!(refusal(exchange().send().await.unwrap()).await, refused(400, "invalid_client"));
    let response = Shown::with(exchange(), &shown.headers(|_, _, _| {}).await).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
}

/// The OIDF modules on client attestations: exp past, no sub, wrong aud, bad pop, mismatched key, bad signature; and more.
#[tokio::test(flavor = "multi_thread")]
async fn vci_e_a_wallet_that_nobody_vouches_for_is_turned_away_at_both_endpoints() {
    let (attester, key) = (Attester::new(510), keys(1, 512).pop().unwrap());
    let world = World::demanding(demands(&attester, true)).await;
    let shown = Shown { world: &world, attester: &attester, key: &key };
    let changes: [(&str, Change); 10] = [
        ("exp past", |_, claims, _| claims["exp"] = claims["iat"].clone()),
        ("no sub", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("sub"))),
        ("no exp", |_, claims, _| drop(claims.as_object_mut().unwrap().remove("exp"))),
        ("another typ", |header, _, _| header["typ"] = "JWT".into()),
        ("no certificate", |header, _, _| drop(header.as_object_mut().unwrap().remove("x5c"))),
        ("wrong aud", |_, _, pop| pop["aud"] = "https://other.example".into()),
        ("another iss", |_, _, pop| pop["iss"] = "org.example.other".into()),
        ("no jti", |_, _, pop| drop(pop.as_object_mut().unwrap().remove("jti"))),
        ("stale", |_, _, pop| pop["iat"] = json!(pop["iat"].as_i64().unwrap() - 301)),
        ("mismatched key", |_, claims, _| {
            claims["cnf"]["jwk"] = keys(1, 513)[0].public_key().to_jwk().into();
        }),
    ];
    for (what, change) in changes {
        assert_eq!(refusal(shown.redeem(change).await).await, refused(400, "invalid_client"), "{what}");
        assert_eq!(refusal(shown.push(change).await).await, refused(400, "invalid_client"), "{what}");
    }
    // Without, with one half of it, one header twice, a forged one, and one of a stranger.
    let send = async |change: &dyn Fn(RequestBuilder) -> RequestBuilder| {
        refusal(change(pre_authorized(&world)).send().await.unwrap()).await
    };
    let good = shown.headers(|_, _, _| {}).await;
    let invalid = refused(400, "invalid_client");
    assert_eq!(send(&|request| request).await, invalid);
    assert_eq!(send(&|request| request.header(HEADER, &good[0])).await, invalid);
    assert_eq!(send(&|request| request.header(POP_HEADER, &good[1])).await, invalid);
    assert_eq!(send(&|request| Shown::with(request, &good).header(HEADER, &good[0])).await, invalid);
    let bad_signature = format!("{}A", &good[0][..good[0].len() - 2]);
    assert_eq!(send(&|request| Shown::with(request, &[bad_signature.clone(), good[1].clone()])).await, invalid);
    assert_eq!(send(&|request| Shown::with(request, &[good[0].clone(), "bad.pop.x".into()])).await, invalid);
    let stranger = Attester::new(514);
    let stranger = Shown { attester: &stranger, ..shown };
    assert_eq!(refusal(stranger.redeem(|_, _, _| {}).await).await, invalid);
    // For another client than the one that asks.
    let other = shown
        .redeem(|_, claims, pop| {
            claims["sub"] = "org.example.other".into();
            pop["iss"] = "org.example.other".into();
        })
        .await;
    assert_eq!(refusal(other).await, invalid);
    // What was good is good once.
    let used = Shown::with(pre_authorized(&world), &good).send().await.unwrap();
    assert_eq!(used.status(), StatusCode::OK);
    assert_eq!(send(&|request| Shown::with(request, &good)).await, invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_e_a_challenge_of_ours_is_demanded_and_given_with_the_refusal() {
    let (attester, key) = (Attester::new(520), keys(1, 522).pop().unwrap());
    let world = World::demanding(demands(&attester, true)).await;
    let shown = Shown { world: &world, attester: &attester, key: &key };
    let none: Change = |_, _, pop| drop(pop.as_object_mut().unwrap().remove("challenge"));
    let foreign: Change = |_, _, pop| pop["challenge"] = "of-my-own-making".into();
    for (jti, change) in [(8, none), (9, foreign)] {
        let response = shown.redeem(change).await;
        let given = response.headers()[CHALLENGE_HEADER].to_str().unwrap().to_owned();
        assert_eq!(refusal(response).await, refused(400, "use_attestation_challenge"));
        let now = world.issuer.now();
        let [attestation, _] = shown.headers(|_, _, _| {}).await;
        let pop = wallet_attestation::create(CLIENT, &world.url, Some(&given), now, [jti; 16], &key);
        let again = Shown::with(pre_authorized(&world), &[attestation, pop.unwrap()]).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::OK);
    }
    // Ours, and five minutes old; and a nonce of ours of another kind.
    let headers = shown.headers(|_, _, _| {}).await;
    world.later(299);
    assert_eq!(Shown::with(pre_authorized(&world), &headers).send().await.unwrap().status(), StatusCode::OK);
    let headers = shown.headers(|_, _, _| {}).await;
    world.later(300);
    let late = Shown::with(pre_authorized(&world), &headers).send().await.unwrap();
    assert_eq!(refusal(late).await, refused(400, "use_attestation_challenge"));
    let [attestation, _] = shown.headers(|_, _, _| {}).await;
    let nonce = world.nonce().await;
    let pop = wallet_attestation::create(CLIENT, &world.url, Some(&nonce), world.issuer.now(), [7; 16], &key).unwrap();
    let other = Shown::with(pre_authorized(&world), &[attestation, pop]).send().await.unwrap();
    assert_eq!(refusal(other).await, refused(400, "use_attestation_challenge"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vci_e_where_none_is_demanded_what_is_shown_holds_all_the_same() {
    let (attester, key) = (Attester::new(530), keys(1, 532).pop().unwrap());
    let world = World::demanding(demands(&attester, false)).await;
    let metadata = server_metadata(&world).await;
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["attest_jwt_client_auth", "none"]));
    assert_eq!(metadata["pre-authorized_grant_anonymous_access_supported"], true);
    let shown = Shown { world: &world, attester: &attester, key: &key };
    assert_eq!(pre_authorized(&world).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(shown.redeem(|_, _, _| {}).await.status(), StatusCode::OK);
    let expired = shown.redeem(|_, claims, _| claims["exp"] = claims["iat"].clone()).await;
    assert_eq!(refusal(expired).await, refused(400, "invalid_client"));
    // An issuer that asks nobody believes nobody, and refuses nobody for it.
    let world = World::new().await;
    assert_eq!(server_metadata(&world).await["token_endpoint_auth_methods_supported"], json!(["none"]));
    let shown = Shown { world: &world, attester: &attester, key: &key };
    assert_eq!(shown.redeem(|_, claims, _| claims["exp"] = json!(1)).await.status(), StatusCode::OK);
}
