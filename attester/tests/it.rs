//! The provider over real HTTP on a loopback port, with real keys.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests touch the world, and stop where they stand"
)]

use attester::config::{Config, ProviderUrl};
use attester::identity;
use attester::service::{self, Bounds};
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::TrustAnchors;
use credentials::{key_attestation, proof, wallet_attestation};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use schemas::{Seconds, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

fn config(url: &str) -> Config {
    Config {
        version: 1,
        url: ProviderUrl::parse(url).unwrap(),
        client_id: "org.amparo.wallet".into(),
        wallet_name: "Amparo".into(),
        wallet_link: None,
        lifetime: Seconds::DAY.times(7),
        key_storage: vec!["iso_18045_basic".into()],
        user_authentication: Vec::new(),
    }
}

#[test]
fn an_interrupted_beginning_is_begun_anew_and_a_finished_one_is_kept() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    let config = config("https://wallets.example");
    let init = |seed| identity::init(dir.path(), &config, now(), &mut ChaCha20Rng::seed_from_u64(seed));
    init(1).unwrap();
    // As it stands when the process is killed before the last file has its name.
    std::fs::rename(at("attester.json"), at("attester.json.unfinished")).unwrap();
    std::fs::write(at("attesting-key.pem"), "half a k").unwrap();
    assert!(matches!(identity::open(dir.path(), now()), Err(identity::IdentityError::Absent(_))));
    init(2).unwrap();
    identity::open(dir.path(), now()).unwrap();
    assert!(!at("attester.json.unfinished").exists());
    assert!(matches!(init(3), Err(identity::IdentityError::Exists(_))));
    // A provider that has lost its settings has lost no key yet.
    std::fs::remove_file(at("attester.json")).unwrap();
    let key = std::fs::read(at("attesting-key.pem")).unwrap();
    assert!(matches!(init(4), Err(identity::IdentityError::Exists(_))));
    assert_eq!(std::fs::read(at("attesting-key.pem")).unwrap(), key);
}

struct World {
    _dir: TempDir,
    url: String,
    code: String,
    anchors: TrustAnchors,
    http: reqwest::Client,
}

fn now() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64)
}

fn keys(count: usize, seed: u64) -> Vec<SoftwareKey> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| SoftwareKey::generate(&mut rng).unwrap()).collect()
}

impl World {
    async fn new() -> Self {
        Self::within(Bounds::default()).await
    }

    async fn within(bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tenant", listener.local_addr().unwrap());
        let dir = TempDir::new().unwrap();
        let config = config(&url);
        identity::init(dir.path(), &config, now(), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert!(matches!(
            identity::init(dir.path(), &config, now(), &mut ChaCha20Rng::seed_from_u64(1)),
            Err(identity::IdentityError::Exists(_))
        ));
        let attester = Arc::new(identity::open(dir.path(), now()).unwrap());
        tokio::spawn(service::serve(listener, attester, bounds, std::future::pending()));
        let anchors = TrustAnchors::from_pem(&std::fs::read(dir.path().join("trust-anchor.pem")).unwrap()).unwrap();
        let code = std::fs::read_to_string(dir.path().join("wallet-code.txt")).unwrap().trim().to_owned();
        // Any provider will do: these tests speak plain HTTP. A second installation in one process is refused, and harmless.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { _dir: dir, url, code, anchors, http }
    }

    async fn ask(&self, path: &str, code: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(code).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_44_whoever_connects_and_says_nothing_is_shown_the_door() {
    let short = Duration::from_millis(300);
    let world = World::within(Bounds { connections: 1, head: short, life: short, farewell: short }).await;
    let address = world.url.trim_start_matches("http://").trim_end_matches("/tenant");
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    // There is one place: whoever comes second is served when the first was shown out.
    let nothing = json!({});
    let asked = world.ask("/key-attestations", &world.code, &nothing);
    let (status, _) = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap();
    assert_eq!(status, 400);
    let mut rest = Vec::new();
    assert!(tokio::time::timeout(short, silent.read_to_end(&mut rest)).await.is_ok(), "it stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_01_wallets_are_attested_alike_and_issuers_believe_it() {
    let world = World::new().await;
    let well_known = world.url.replace("/tenant", "/.well-known/amparo-wallet-provider/tenant");
    let metadata: Value = world.http.get(well_known).send().await.unwrap().json().await.unwrap();
    assert_eq!((&metadata["provider"], &metadata["client_id"]), (&json!(world.url), &json!("org.amparo.wallet")));
    let holders = keys(2, 7);
    let jwks: Vec<Value> = holders.iter().map(|key| key.public_key().to_jwk().into()).collect();
    let (status, answer) = world.ask("/wallet-attestations", &world.code, &json!({"keys": jwks})).await;
    assert_eq!(status, 200, "{answer}");
    let day = now().floor_to(Seconds::DAY);
    for (text, key) in answer["attestations"].as_array().unwrap().iter().zip(&holders) {
        let attested = wallet_attestation::verify(text.as_str().unwrap(), &world.anchors, now()).unwrap();
        assert_eq!((&attested.key, attested.client_id.as_str()), (key.public_key(), "org.amparo.wallet"));
        assert_eq!(attested.expires_at, day.plus(Seconds::DAY.times(7)), "a midnight, for all wallets of this day");
    }
    // Everything but the key is the same, and there is nothing of a person.
    let strip = |n: usize| {
        let text = answer["attestations"][n].as_str().unwrap();
        let payload = credentials::b64::decode(text.split('.').nth(1).unwrap()).unwrap();
        let mut claims: Value = serde_json::from_slice(&payload).unwrap();
        claims["cnf"] = Value::Null;
        (text.split('.').next().unwrap().to_owned(), claims.to_string())
    };
    assert_eq!(strip(0), strip(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_02_keys_are_attested_to_whoever_has_them() {
    let world = World::new().await;
    let holders = keys(3, 9);
    let prove = |nonce: &str| -> Vec<String> {
        holders.iter().map(|key| proof::create(&world.url, nonce, now(), key).unwrap()).collect()
    };
    let body = json!({"proofs": prove("n-1"), "nonce": "n-1"});
    let (status, answer) = world.ask("/key-attestations", &world.code, &body).await;
    assert_eq!(status, 200, "{answer}");
    let text = answer["attestation"].as_str().unwrap();
    let attested = key_attestation::verify(text, &world.anchors, |nonce| nonce == "n-1", now()).unwrap();
    assert_eq!(attested.keys, holders.iter().map(|key| key.public_key().clone()).collect::<Vec<_>>());
    assert_eq!((attested.key_storage, attested.user_authentication.len()), (vec!["iso_18045_basic".to_owned()], 0));
    for (body, what) in [
        (json!({"proofs": prove("n-2"), "nonce": "n-1"}), "proofs for another nonce"),
        (json!({"proofs": [], "nonce": "n-1"}), "no proof"),
        (json!({"proofs": [prove("n-1")[0], prove("n-1")[0]], "nonce": "n-1"}), "one key twice"),
        (json!({"proofs": vec!["x"; 65], "nonce": "n-1"}), "too many"),
        (json!({"proofs": prove(""), "nonce": ""}), "no nonce"),
        (
            json!({"proofs": [proof::create("https://other.example", "n-1", now(), &holders[0]).unwrap()], "nonce": "n-1"}),
            "for another",
        ),
    ] {
        let (status, answer) = world.ask("/key-attestations", &world.code, &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_03_nobody_is_attested_without_the_code_and_what_is_malformed_is_refused() {
    let world = World::new().await;
    let jwk = |seed| Value::from(keys(1, seed)[0].public_key().to_jwk());
    let one = json!({"keys": [jwk(1)]});
    for path in ["/wallet-attestations", "/key-attestations"] {
        for code in ["", "another"] {
            assert_eq!(world.ask(path, code, &one).await.0, 401);
        }
        let response = world.http.post(format!("{}{path}", world.url)).json(&one).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["www-authenticate"].to_str().unwrap()),
            (401, "Bearer")
        );
    }
    let mut private = jwk(2);
    private["d"] = "AA".into();
    for (body, what) in [
        (json!({"keys": []}), "none"),
        (json!({"keys": [jwk(1), jwk(1)]}), "one twice"),
        (json!({"keys": (0..17).map(jwk).collect::<Vec<_>>()}), "too many"),
        (json!({"keys": [private]}), "a private key"),
        (json!({"keys": ["x"]}), "no key"),
        (json!({}), "nothing"),
    ] {
        let (status, answer) = world.ask("/wallet-attestations", &world.code, &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{what}");
    }
    let flood = "x".repeat(service::MAX_BODY + 1);
    let request = world.http.post(format!("{}/wallet-attestations", world.url)).bearer_auth(&world.code).body(flood);
    assert_eq!(request.send().await.unwrap().status(), 413);
}
