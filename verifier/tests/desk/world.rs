//! A verifier, an issuer, and a wallet that does as it is told, well or badly.

use crate::issuer::{Card, Issuer, StatusHost};
use credentials::consent::{Choice, ConsentId, RequestIn, grant};
use credentials::dcql::Query;
use credentials::jwe::Recipient;
use credentials::key_binding::KeyBindingClaims;
use credentials::request_object::RequestObjectIn;
use credentials::sd_jwt::SdJwtVc;
use credentials::trust::TrustAnchors;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use schemas::consent::Grant;
use schemas::openid4vp::RequestObject;
use schemas::purpose::Purpose;
use schemas::status::StatusReference;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::TcpListener;
use verifier::guarded::{Actor, RecordId};
use verifier::policy::{AcceptedFormat, ConsentMode, IssuerAlgorithms, LinkScheme, ResponseMode, UnknownStatus};
use verifier::preset::Preset;
use verifier::service::clock::{Clock, SetClock};
use verifier::service::config::{Config, VerifierName, VerifierUrl};
use verifier::service::{Ask, Begun, Desk, Outcome, Report, router};

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) desk: Arc<Desk>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) issuer: Issuer,
    pub(crate) host: StatusHost,
    pub(crate) lists: String,
    pub(crate) http: reqwest::Client,
    pub(crate) rng: Mutex<ChaCha20Rng>,
}

/// A request as the wallet fetched and checked it.
pub(crate) struct Asked {
    pub(crate) id: RecordId,
    pub(crate) link: String,
    pub(crate) object: RequestObject,
}

/// What came back over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

static SEEDS: AtomicU64 = AtomicU64::new(1);

impl World {
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1").await
    }

    /// A verifier whose URL names `host`.
    pub(crate) async fn at(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{host}:{}", listener.local_addr().unwrap().port());
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::new(NOW));
        let config = Config {
            version: 1,
            url: VerifierUrl::parse(&url).unwrap(),
            name: VerifierName::parse("Border post 4").unwrap(),
            contact: None,
            client_id: "x509_hash".into(),
            made_at: NOW,
        };
        let data = dir.path().join("desk");
        Desk::create(&data, &config).unwrap();
        let desk = Desk::open(&data, clock.clone()).unwrap();
        let issuer = Issuer::new(SEEDS.fetch_add(1, Ordering::Relaxed));
        desk.trust(issuer.anchor.as_bytes(), None).unwrap();
        let serving = router(desk.clone());
        tokio::spawn(async move { axum::serve(listener, serving).await });
        let (status, lists) = StatusHost::start().await;
        let rng = Mutex::new(ChaCha20Rng::seed_from_u64(SEEDS.fetch_add(1, Ordering::Relaxed)));
        Self { dir, desk, clock, issuer, host: status, lists, http: http(), rng }
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("desk")
    }

    /// The verifier as another process would open it.
    pub(crate) fn reopen(&self) -> Arc<Desk> {
        Desk::open(&self.data(), self.clock.clone()).unwrap()
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.clock.set(self.clock.now().plus(Seconds::new(seconds)));
    }

    /// A credential with a status in the list `name`, which is served.
    pub(crate) fn card(&self, name: &str, idx: u64) -> Card {
        let uri = self.publish(name, &[]);
        self.issuer.issue(&Issuer::draft(NOW, Some(StatusReference { idx, uri })))
    }

    /// Serves the list `name`, issued now, good for two days; gives its URI.
    pub(crate) fn publish(&self, name: &str, revoked: &[u64]) -> String {
        let uri = format!("{}/{name}", self.lists);
        self.host.put(name, self.issuer.list(&uri, self.clock.now(), Seconds::DAY.times(2), revoked));
        uri
    }

    /// A credential without a status.
    pub(crate) fn short_lived(&self) -> Card {
        self.issuer.issue(&Issuer::draft(NOW, None))
    }

    pub(crate) async fn ask_as(&self, ask: Ask) -> Asked {
        let begun = self.desk.ask(ask).await.unwrap();
        self.fetch(&begun, Some("wallet-nonce-1")).await
    }

    pub(crate) async fn ask(&self, consent: ConsentMode, response_mode: ResponseMode) -> Asked {
        self.ask_as(Ask { consent, response_mode, ..ask() }).await
    }

    /// Fetches and authenticates a request as a wallet does that trusts this verifier.
    pub(crate) async fn fetch(&self, begun: &Begun, wallet_nonce: Option<&str>) -> Asked {
        let link = url::Url::parse(&begun.request_uri).unwrap();
        let get = |name: &str| link.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned()).unwrap();
        let (client_id, request_uri) = (get("client_id"), get("request_uri"));
        let response = match wallet_nonce {
            None => self.http.get(&request_uri).send().await.unwrap(),
            Some(nonce) => self.http.post(&request_uri).form(&[("wallet_nonce", nonce)]).send().await.unwrap(),
        };
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/oauth-authz-req+jwt");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let text = response.text().await.unwrap();
        let anchor = std::fs::read(self.data().join("trust-anchor.pem")).unwrap();
        let anchors = TrustAnchors::from_pem(&anchor).unwrap();
        let request = RequestObjectIn::parse(&text).unwrap();
        request.authenticate(&client_id, &anchors, self.clock.now(), wallet_nonce).unwrap();
        let object = serde_json::from_value(crate::issuer::payload(&text)).unwrap();
        Asked { id: begun.transaction.clone(), link: begun.request_uri.clone(), object }
    }

    /// The claims a wallet signs by default: no consent.
    pub(crate) fn binding(&self, asked: &Asked) -> KeyBindingClaims {
        KeyBindingClaims {
            audience: asked.object.client_id.clone(),
            nonce: asked.object.nonce.clone(),
            issued_at: self.clock.now(),
            transaction_data_hashes: None,
            consent: None,
            amr: vec!["pin".into()],
            acr: Some("urn:amparo:acr:presence-sw-pin".into()),
            auth_time: None,
        }
    }

    /// The same with a consent as a wallet of ours grants it: what is shown, for `lasting`.
    pub(crate) fn consenting(&self, asked: &Asked, paths: &[ClaimPath], lasting: u64) -> KeyBindingClaims {
        let proposal = RequestIn::parse(asked.object.transaction_data.as_deref().unwrap_or_default()).unwrap().unwrap();
        let choice = Choice { claims: paths.to_vec(), lasting: Some(Seconds::new(lasting)), ..Choice::default() };
        let mut secret = [0; 32];
        let mut rng = self.rng.lock().unwrap();
        rng.fill_bytes(&mut secret);
        let granted = grant(&proposal, &choice, ConsentId::generate(&mut *rng), &secret, self.clock.now()).unwrap();
        KeyBindingClaims {
            transaction_data_hashes: Some(vec![proposal.hash().to_owned()]),
            consent: Some(granted),
            ..self.binding(asked)
        }
    }

    pub(crate) async fn post(&self, asked: &Asked, presentation: &str) -> Reply {
        self.post_token(asked, json!({"identity": [presentation]})).await
    }

    /// Posts a `vp_token`, encrypted where that is demanded.
    pub(crate) async fn post_token(&self, asked: &Asked, token: Value) -> Reply {
        let state = asked.object.state.as_deref().unwrap();
        if asked.object.response_mode == "direct_post" {
            return self.post_form(asked, &[("vp_token", &token.to_string()), ("state", state)]).await;
        }
        let recipient = Recipient::choose(asked.object.client_metadata.as_ref().unwrap()).unwrap();
        let answer = json!({"vp_token": token, "state": state}).to_string();
        let jwe = recipient.encrypt(answer.as_bytes(), &mut *self.rng.lock().unwrap()).unwrap();
        self.post_form(asked, &[("response", &jwe)]).await
    }

    pub(crate) async fn post_form(&self, asked: &Asked, form: &[(&str, &str)]) -> Reply {
        let uri = asked.object.response_uri.as_deref().unwrap();
        reply(self.http.post(uri).form(form).send().await.unwrap()).await
    }

    pub(crate) fn report(&self, asked: &Asked) -> Report {
        self.desk.result(&asked.id, &actor()).unwrap()
    }

    /// How a transaction stands, and the code of what went wrong.
    pub(crate) fn stands(&self, asked: &Asked) -> (Outcome, String) {
        let report = self.report(asked);
        assert!(report.held.is_none() || report.outcome == Outcome::Verified);
        (report.outcome, report.error.map(|error| error.code).unwrap_or_default())
    }

    /// Presents with a changed binding and expects this refusal, after which nothing is kept and nothing can follow.
    pub(crate) async fn refused(&self, asked: &Asked, presentation: &str, code: &str) {
        let reply = self.post(asked, presentation).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{reply:?}");
        assert_eq!(self.stands(asked), (Outcome::Refused, code.to_owned()));
        assert_eq!(self.post(asked, presentation).await.status, 404, "its nonce is spent");
        assert_eq!(keys(&self.data()), 0, "nothing is kept of it");
    }
}

pub(crate) async fn reply(response: reqwest::Response) -> Reply {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    Reply { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}

pub(crate) fn ask() -> Ask {
    Ask {
        query: Query::check(Preset::BorderIdentity.query(AcceptedFormat::Any)).unwrap(),
        purpose: Purpose::BorderEntry,
        retention: Seconds::HOUR,
        consent: ConsentMode::NotAsked,
        response_mode: ResponseMode::DirectPostJwt,
        unknown_status: UnknownStatus::Refuse,
        issuer_algorithms: IssuerAlgorithms::default(),
        go_on: None,
        client_id: None,
        scheme: LinkScheme::default(),
        registration: None,
    }
}

pub(crate) fn actor() -> Actor {
    Actor::parse("test").unwrap()
}

/// The claims that `border-identity` asks for.
pub(crate) fn asked_paths() -> Vec<ClaimPath> {
    ["given_name", "family_name", "nationalities"].map(|name| ClaimPath::names([name])).to_vec()
}

/// A presentation of these claims, bound as the wallet says.
pub(crate) fn present(card: &Card, paths: &[ClaimPath], binding: &KeyBindingClaims) -> String {
    let credential = SdJwtVc::reopen(&card.text).unwrap();
    credential.select(paths).unwrap().bind(binding, &card.holder).unwrap()
}

/// How many keys are kept.
pub(crate) fn keys(data: &Path) -> usize {
    std::fs::read_dir(data.join("keys")).unwrap().count()
}

pub(crate) fn with_grant(binding: &KeyBindingClaims, change: impl FnOnce(&mut Grant)) -> KeyBindingClaims {
    let mut changed = binding.clone();
    change(changed.consent.as_mut().unwrap());
    changed
}

/// A client without proxies; there is no TLS on loopback.
pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}
