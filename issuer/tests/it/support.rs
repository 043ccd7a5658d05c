//! An issuer to test against, and what a wallet does.

use credentials::proof;
use credentials::sd_jwt::{self, SdJwtVc};
use credentials::signer::SoftwareKey;
use credentials::trust::{ChainPolicy, TrustAnchors};
use issuer::Issuer;
use issuer::claims::ClaimSet;
use issuer::clock::SetClock;
use issuer::config::{IssuerName, IssuerUrl};
use issuer::demands::Demands;
use issuer::desk::{Offered, Order};
use issuer::service::{self, Bounds, Limits};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use reqwest::{Client, Response, StatusCode};
use schemas::openid4vci::{CredentialOffer, PRE_AUTHORIZED_CODE_GRANT};
use schemas::{Seconds, Timestamp, credential_type};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// When the tests take place.
pub(crate) const NOW: &str = "2026-11-23T14:07:31Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) url: String,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) http: Client,
    pub(crate) address: std::net::SocketAddr,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("", Limits::default(), Bounds::default()).await
    }

    pub(crate) async fn with(path: &str, limits: Limits, bounds: Bounds) -> Self {
        Self::made(path, limits, bounds, Demands::default(), 7).await
    }

    /// An issuer whose keys and secrets are drawn from another seed.
    pub(crate) async fn seeded(seed: u64) -> Self {
        Self::made("", Limits::default(), Bounds::default(), Demands::default(), seed).await
    }

    pub(crate) async fn demanding(demands: Demands) -> Self {
        Self::made("", Limits::default(), Bounds::default(), demands, 7).await
    }

    async fn made(path: &str, limits: Limits, bounds: Bounds, demands: Demands, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let dir = TempDir::new().unwrap();
        let url = IssuerUrl::parse(&format!("http://{address}{path}")).unwrap();
        let name = IssuerName::parse("Casa Abierta").unwrap();
        issuer::init::init(dir.path(), &url, &name, now(), &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
        let clock = Arc::new(SetClock::new(now()));
        let issuer = Arc::new(Issuer::open_at(dir.path(), Arc::clone(&clock)).unwrap().demanding(demands));
        let router = service::router_with(Arc::clone(&issuer), limits);
        tokio::spawn(service::serve(listener, router, bounds, std::future::pending()));
        Self { url: url.as_str().to_owned(), dir, clock, issuer, http: client(), address }
    }

    /// Another issuer on the same data, as a restarted or a second process has it.
    pub(crate) fn reopen(&self) -> Issuer {
        Issuer::open_at(self.dir.path(), Arc::clone(&self.clock)).unwrap()
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.clock.set(self.issuer.now().plus(Seconds::new(seconds)));
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(&std::fs::read(self.dir.path().join("trust-anchor.pem")).unwrap()).unwrap()
    }

    pub(crate) fn offer(&self) -> Offered {
        self.offer_with(|_| {})
    }

    pub(crate) fn offer_with(&self, change: impl FnOnce(&mut Order)) -> Offered {
        self.offer_claims("identity", ana(), change)
    }

    pub(crate) fn offer_claims(&self, type_id: &str, claims: Value, change: impl FnOnce(&mut Order)) -> Offered {
        let today = issuer::issuing::date(self.issuer.now());
        let known = credential_type::by_id(type_id).unwrap();
        let claims = ClaimSet::parse(known, claims.to_string().as_bytes(), today).unwrap();
        let mut order = Order::new(claims);
        change(&mut order);
        self.issuer.offer(&order).unwrap()
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http.post(format!("{}{path}", self.url)).form(form).send().await.unwrap()
    }

    /// The token request of an ordinary wallet.
    pub(crate) async fn redeem(&self, offered: &Offered, tx_code: &str) -> Response {
        let code = code(offered);
        let form =
            [("grant_type", PRE_AUTHORIZED_CODE_GRANT), ("pre-authorized_code", code.as_str()), ("tx_code", tx_code)];
        self.post_form("/token", &form).await
    }

    pub(crate) async fn token(&self, offered: &Offered) -> String {
        let response = self.redeem(offered, offered.tx_code.as_str()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["token_type"], "Bearer");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn nonce(&self) -> String {
        let response = self.http.post(format!("{}/nonce", self.url)).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body: Value = response.json().await.unwrap();
        body["c_nonce"].as_str().unwrap().to_owned()
    }

    pub(crate) fn proofs(&self, nonce: &str, holders: &[SoftwareKey]) -> Vec<String> {
        holders.iter().map(|key| proof::create(&self.url, nonce, self.issuer.now(), key).unwrap()).collect()
    }

    pub(crate) async fn request(&self, token: &str, body: &Value) -> Response {
        let request = self.http.post(format!("{}/credential", self.url)).bearer_auth(token);
        request.json(body).send().await.unwrap()
    }

    /// A whole issuance, as an ordinary wallet does it.
    pub(crate) async fn receive(&self, offered: &Offered, holders: &[SoftwareKey]) -> Vec<String> {
        let token = self.token(offered).await;
        let nonce = self.nonce().await;
        let id = &offered.configuration_ids[0];
        let body = json!({"credential_configuration_id": id, "proofs": {"jwt": self.proofs(&nonce, holders)}});
        let response = self.request(&token, &body).await;
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
        let body: Value = response.json().await.unwrap();
        let credentials = body["credentials"].as_array().unwrap();
        credentials.iter().map(|c| c["credential"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn verify(&self, credential: &str) -> SdJwtVc {
        let anchors = self.anchors();
        sd_jwt::verify_issued(credential, &ChainPolicy::known_only(&anchors), self.issuer.now()).unwrap()
    }
}

pub(crate) fn client() -> Client {
    // Any provider will do: these tests speak plain HTTP. A second installation in one process is refused, and harmless.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) fn ana() -> Value {
    json!({
        "given_name": "Ana María", "family_name": "Vega-Quispe", "birth_date": "1990-05-17",
        "nationalities": ["PE", "VE"], "address": {"locality": "Lima", "street_address": "Jirón 7"}, "sex": "female",
    })
}

pub(crate) fn link_offer(link: &str) -> CredentialOffer {
    let (_, query) = link.split_once("://?").unwrap();
    let (name, value) = url::form_urlencoded::parse(query.as_bytes()).next().unwrap();
    assert_eq!(name, "credential_offer");
    serde_json::from_str(&value).unwrap()
}

pub(crate) fn code(offered: &Offered) -> String {
    link_offer(&offered.link).grants.unwrap().pre_authorized_code.unwrap().pre_authorized_code
}

/// A transaction code that is not the right one.
pub(crate) fn wrong(offered: &Offered) -> String {
    let right: u32 = offered.tx_code.as_str().parse().unwrap();
    format!("{:08}", (right + 1) % 100_000_000)
}

pub(crate) fn keys(count: usize, seed: u64) -> Vec<SoftwareKey> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| SoftwareKey::generate(&mut rng).unwrap()).collect()
}

/// Status and error code of a refusal.
pub(crate) async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or(Value::Null);
    if let Some(text) = body["error_description"].as_str() {
        // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E
        assert!(text.bytes().all(|b| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\'), "{text}");
    }
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
