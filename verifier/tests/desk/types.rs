//! What types demand, and issuers that are known by their names: looked up beforehand over HTTP, never because somebody presents.

use crate::issuer::{Issuer, VCT};
use crate::world::{Reply, World, actor, ask, present};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use credentials::dcql::Query;
use credentials::sd_jwt::IssuanceDraft;
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::AnchorLimits;
use credentials::type_metadata::Integrity;
use schemas::{ClaimPath, Seconds};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use verifier::policy::ResponseMode;
use verifier::service::{Ask, LookUpError, Outcome};

/// Publishes documents, and counts who asks.
#[derive(Clone, Default)]
struct Publisher {
    base: String,
    documents: Arc<Mutex<HashMap<String, Given>>>,
    asked: Arc<Mutex<usize>>,
}

/// What is answered at an address.
#[derive(Clone, Default)]
struct Given {
    status: u16,
    location: String,
    body: String,
}

impl Publisher {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self { base: format!("http://{}", listener.local_addr().unwrap()), ..Self::default() };
        let router = Router::new().route("/{*path}", get(give)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Publishes a type at its own URL; gives the URL.
    fn publish(&self, path: &str, mut document: Value) -> String {
        document["vct"] = json!(self.url(path));
        self.put(path, 200, "", &document.to_string());
        self.url(path)
    }

    fn put(&self, path: &str, status: u16, location: &str, body: &str) {
        let answer = Given { status, location: location.to_owned(), body: body.to_owned() };
        self.documents.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

async fn give(State(publisher): State<Publisher>, Path(path): Path<String>) -> impl IntoResponse {
    *publisher.asked.lock().unwrap() += 1;
    let none = Given { status: 404, ..Given::default() };
    let Given { status, location, body } = publisher.documents.lock().unwrap().get(&path).cloned().unwrap_or(none);
    let headers = [
        (HeaderName::from_static("content-type"), "application/json".to_owned()),
        (HeaderName::from_static("cache-control"), "public, max-age=3600".to_owned()),
        (HeaderName::from_static("location"), location),
    ];
    (StatusCode::from_u16(status).unwrap(), headers, body)
}

impl World {
    /// A credential of these claims, those in `visible` not disclosable, asked for by its type and shown whole.
    async fn shown(&self, issuer: &Issuer, vct: &str, change: impl FnOnce(&mut IssuanceDraft)) -> (Reply, Outcome) {
        let mut draft = IssuanceDraft { vct: vct.to_owned(), ..Issuer::draft(crate::world::NOW, None) };
        change(&mut draft);
        let card = issuer.issue(&draft);
        let query = json!({"credentials": [{"id": "identity", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]},
            "claims": [{"path": ["given_name"]}, {"path": ["family_name"]}]}]});
        let query = Query::parse(query.to_string().as_bytes()).unwrap();
        let asked = self.ask_as(Ask { query, response_mode: ResponseMode::DirectPost, ..ask() }).await;
        let paths: Vec<ClaimPath> = ["given_name", "family_name"]
            .iter()
            .filter(|name| draft.disclosable.contains_key(**name))
            .map(|name| ClaimPath::names([*name]))
            .collect();
        let reply = self.post(&asked, &present(&card, &paths, &self.binding(&asked))).await;
        (reply, self.desk.result(&asked.id, &actor()).unwrap().outcome)
    }

    async fn verified(&self, vct: &str, change: impl FnOnce(&mut IssuanceDraft)) {
        let (reply, outcome) = self.shown(&self.issuer, vct, change).await;
        assert_eq!((reply.status, outcome), (200, Outcome::Verified), "{reply:?}");
    }

    async fn refused_as(&self, vct: &str, code: &str, change: impl FnOnce(&mut IssuanceDraft)) {
        let (reply, outcome) = self.shown(&self.issuer, vct, change).await;
        assert_eq!((reply.code(), outcome), (code, Outcome::Refused), "{reply:?}");
    }

    /// What could not be looked up.
    async fn looks_up(&self) -> Vec<LookUpError> {
        self.desk.look_up().await.unwrap().into_iter().map(|(_, error)| error).collect()
    }
}

fn visible(draft: &mut IssuanceDraft) {
    let name = draft.disclosable.shift_remove("family_name").unwrap();
    draft.visible.insert("family_name".into(), name);
}

fn naming(draft: &mut IssuanceDraft, integrity: &Integrity) {
    draft.visible.insert("vct#integrity".into(), json!(integrity.to_string()));
}

#[tokio::test]
async fn a_credential_of_our_type_keeps_its_rules_and_names_its_document() {
    let world = World::new().await;
    world.verified(VCT, |_| {}).await;
    world.refused_as(VCT, "type_rules_broken", visible).await;
    world.refused_as(VCT, "type_metadata_invalid", |draft| naming(draft, &Integrity::of(b"other"))).await;
    // Of a type that nobody has described nothing is demanded, and nobody is asked.
    world.verified("urn:example:unknown", visible).await;
}

#[tokio::test]
async fn a_type_of_others_is_held_to_the_document_that_the_desk_was_given() {
    let world = World::new().await;
    let vct = "urn:example:permit:1";
    let document =
        json!({"vct": vct, "extends": VCT, "claims": [{"path": ["permit"], "mandatory": true, "sd": "never"}]});
    let bytes = document.to_string().into_bytes();
    let integrity = Integrity::of(&bytes);
    world.verified(vct, |_| {}).await;
    assert_eq!(world.reopen().learn_type(&bytes).unwrap(), vct);
    let permit = |draft: &mut IssuanceDraft| {
        draft.visible.insert("permit".into(), json!("work"));
    };
    world.verified(vct, permit).await;
    world
        .verified(vct, |draft| {
            permit(draft);
            naming(draft, &integrity);
        })
        .await;
    world.refused_as(vct, "type_rules_broken", |_| {}).await;
    // The rules of what it extends hold as well.
    world
        .refused_as(vct, "type_rules_broken", |draft| {
            permit(draft);
            visible(draft);
        })
        .await;
    assert!(world.desk.forget_type(vct).unwrap() && !world.desk.forget_type(vct).unwrap());
    world.verified(vct, |_| {}).await;
    for (document, what) in [(json!({"vct": VCT}), "a type of ours"), (json!([]), "no document")] {
        assert!(world.desk.learn_type(document.to_string().as_bytes()).is_err(), "{what}");
    }
}

#[tokio::test]
async fn types_are_fetched_beforehand_with_what_they_extend_and_never_when_somebody_presents() {
    let world = World::new().await;
    let publisher = Publisher::start().await;
    let base = publisher.publish("base", json!({"extends": VCT}));
    let vct =
        publisher.publish("permit", json!({"extends": base, "claims": [{"path": ["permit"], "mandatory": true}]}));
    world.verified(&vct, |_| {}).await;
    assert_eq!(publisher.asked(), 0, "nothing is looked up because it is shown");
    world.desk.learn_type_source(&vct).unwrap();
    assert!(world.looks_up().await.is_empty());
    let asked = publisher.asked();
    assert_eq!(asked, 2);
    // A claim that may be kept back is not missed; what must be disclosable is.
    world.verified(&vct, |_| {}).await;
    world.refused_as(&vct, "type_rules_broken", visible).await;
    assert_eq!(publisher.asked(), asked);
    let (types, _) = world.desk.known().unwrap();
    assert_eq!(
        types.iter().map(|known| (known.name.clone(), known.current)).collect::<Vec<_>>(),
        [(base, true), (vct, true)]
    );
    // The host goes away: what is at hand stays, and the failure is told.
    publisher.put("permit", 500, "", "{}");
    assert!(matches!(world.looks_up().await[..], [LookUpError::Status { status: 500, .. }]));
    world.refused_as(&publisher.url("permit"), "type_rules_broken", visible).await;
}

#[tokio::test]
async fn attack_35_types_in_a_circle_too_deep_or_with_another_digest_refuse_the_credential() {
    let world = World::new().await;
    let publisher = Publisher::start().await;
    let (one, two) = (publisher.url("one"), publisher.url("two"));
    publisher.publish("one", json!({"extends": two}));
    publisher.publish("two", json!({"extends": one}));
    publisher.publish("deep/0", json!({}));
    for n in 1..=12 {
        publisher.publish(&format!("deep/{n}"), json!({"extends": publisher.url(&format!("deep/{}", n - 1))}));
    }
    let wrong = Integrity::of(b"wrong").to_string();
    let digest = publisher.publish("digest", json!({"extends": VCT, "extends#integrity": wrong}));
    let orphan = publisher.publish("orphan", json!({"extends": "urn:example:nobody"}));
    let deep = publisher.url("deep/12");
    for source in [&one, &deep, &digest, &orphan] {
        world.desk.learn_type_source(source).unwrap();
    }
    assert!(world.looks_up().await.is_empty());
    assert!(publisher.asked() < 20, "it ends");
    for vct in [&one, &deep, &digest, &orphan] {
        world.refused_as(vct, "type_metadata_invalid", |_| {}).await;
    }
    // A document says which type it describes, and takes none over that is known from elsewhere.
    publisher.put("thief", 200, "", &json!({"vct": orphan}).to_string());
    publisher.put("ours", 200, "", &json!({"vct": VCT}).to_string());
    for source in ["thief", "ours"] {
        world.desk.learn_type_source(&publisher.url(source)).unwrap();
    }
    let failed = world.looks_up().await;
    assert!(
        failed.len() == 2 && failed.iter().all(|error| matches!(error, LookUpError::Elsewhere { .. })),
        "{failed:?}"
    );
    world.verified(VCT, |_| {}).await;
}

#[tokio::test]
async fn attack_35_whoever_is_extended_describes_no_type_but_the_own() {
    let world = World::new().await;
    let (publisher, victim) = (Publisher::start().await, Publisher::start().await);
    let permit = victim.publish("permit", json!({}));
    let demand = json!([{"path": ["x"], "mandatory": true, "sd": "never"}]);
    // Somebody whose type another one extends describes the permit of a third, and a type without an address.
    for vct in [permit.as_str(), "urn:example:permit:1"] {
        publisher.put("extended", 200, "", &json!({"vct": vct, "claims": demand}).to_string());
        let good = publisher.publish("good", json!({"extends": publisher.url("extended")}));
        world.desk.learn_type_source(&good).unwrap();
        let failed = world.looks_up().await;
        let is_about = |error: &LookUpError| matches!(error, LookUpError::Elsewhere { vct: got } if got == vct);
        assert!(!failed.is_empty() && failed.iter().all(is_about), "{failed:?}");
        assert!(!world.desk.known().unwrap().0.iter().any(|known| known.name == vct));
        world.verified(vct, |_| {}).await;
    }
    world.desk.learn_type_source(&permit).unwrap();
    let failed = world.looks_up().await;
    assert!(!failed.iter().any(|error| matches!(error, LookUpError::Known { .. })), "{failed:?}");
    assert!(world.desk.known().unwrap().0.iter().any(|known| known.name == permit && known.current));
}

#[tokio::test]
async fn attack_43_44_what_leads_inside_or_is_too_much_is_not_fetched() {
    let world = World::new().await;
    let publisher = Publisher::start().await;
    for (n, location) in
        ["http://169.254.169.254/latest", "http://10.0.0.1/", "https://10.0.0.1/", "file:///etc/passwd"]
            .iter()
            .enumerate()
    {
        let path = format!("redirect/{n}");
        publisher.put(&path, 302, location, "{}");
        world.desk.learn_type_source(&publisher.url(&path)).unwrap();
    }
    publisher.put("huge", 200, "", &format!("{{\"vct\":\"x\",\"y\":\"{}\"}}", "x".repeat(600 * 1024)));
    publisher.put("list", 200, "", "[]");
    publisher.put("error", 404, "", &json!({"vct": publisher.url("error")}).to_string());
    for path in ["huge", "list", "error"] {
        world.desk.learn_type_source(&publisher.url(path)).unwrap();
    }
    // A type may not lead inside by what it extends either.
    let inside = publisher.publish("inside", json!({"extends": "https://10.0.0.1/type"}));
    world.desk.learn_type_source(&inside).unwrap();
    let failed = world.looks_up().await;
    assert_eq!(failed.len(), 8, "{failed:?}");
    assert_eq!(failed.iter().filter(|error| matches!(error, LookUpError::Fetch(_))).count(), 6, "{failed:?}");
    let known: Vec<String> = world.desk.known().unwrap().0.into_iter().filter(|k| k.current).map(|k| k.name).collect();
    assert_eq!(known, std::slice::from_ref(&inside));
    world.refused_as(&inside, "type_metadata_invalid", |_| {}).await;
    // Nor does an issuer by where its keys are.
    for keys in ["http://10.0.0.1/keys", "https://169.254.169.254/keys", "file:///etc/passwd"] {
        let metadata = json!({"issuer": publisher.base, "jwks_uri": keys}).to_string();
        publisher.put(".well-known/jwt-vc-issuer", 200, "", &metadata);
        assert!(world.desk.trust_published(&publisher.base, None).await.is_err(), "{keys}");
    }
    assert!(world.desk.known().unwrap().1.is_empty());
}

/// What `key` is published as.
fn metadata(issuer: &str, key: &SoftwareKey) -> String {
    let mut jwk = key.public_key().to_jwk();
    jwk.insert("kid".into(), json!(key.public_key().key_id()));
    json!({"issuer": issuer, "jwks": {"keys": [jwk]}}).to_string()
}

#[tokio::test]
async fn an_issuer_is_believed_by_the_keys_it_publishes_where_the_operator_says_so() {
    let world = World::new().await;
    let publisher = Publisher::start().await;
    let stranger = Issuer::new(4_000);
    let named = |draft: &mut IssuanceDraft| draft.issuer = Some(publisher.base.clone());
    publisher.put(".well-known/jwt-vc-issuer", 200, "", &metadata(&publisher.base, &stranger.key));
    assert_eq!(world.shown(&stranger, VCT, named).await.0.code(), "issuer_not_trusted");
    assert_eq!(publisher.asked(), 0, "not because somebody presents");

    let limits = |vct: &str| Some(AnchorLimits { types: Some(vec![vct.to_owned()]), status_hosts: None });
    world.desk.trust_published(&publisher.base, limits("urn:amparo:attestation:1")).await.unwrap();
    assert_eq!(world.shown(&stranger, VCT, named).await.0.code(), "issuer_not_trusted", "attack 36: not of this type");
    world.desk.trust_published(&publisher.base, limits(VCT)).await.unwrap();
    let asked = publisher.asked();
    assert_eq!(world.shown(&stranger, VCT, named).await.1, Outcome::Verified);
    // Whoever else bears its name is refused, whatever certificates it has: the name says how it is verified (§7.3).
    assert_ne!(world.shown(&world.issuer, VCT, named).await.0.status, 200);
    assert_eq!(publisher.asked(), asked);
    // Its key was taken back, and the desk looked again.
    let other = Issuer::new(4_001);
    publisher.put(".well-known/jwt-vc-issuer", 200, "", &metadata(&publisher.base, &other.key));
    assert!(world.looks_up().await.is_empty());
    assert_ne!(world.shown(&stranger, VCT, named).await.0.status, 200);
    assert_eq!(world.shown(&other, VCT, named).await.1, Outcome::Verified);
    // Keys that could not be fetched for long are relied on no longer.
    publisher.put(".well-known/jwt-vc-issuer", 404, "", "");
    world.later(2 * 86_400);
    assert_eq!(world.looks_up().await.len(), 1);
    assert_ne!(world.shown(&other, VCT, named).await.0.status, 200);
    assert!(!world.desk.known().unwrap().1[0].current);
    assert!(world.desk.distrust_published(&publisher.base).unwrap());
    assert_eq!(world.shown(&other, VCT, named).await.0.code(), "issuer_not_trusted");
}

#[tokio::test]
async fn attack_34_metadata_of_another_issuer_or_with_a_private_key_is_not_believed() {
    let world = World::new().await;
    let publisher = Publisher::start().await;
    let key = &world.issuer.key;
    let mut private = serde_json::from_str::<Value>(&metadata(&publisher.base, key)).unwrap();
    private["jwks"]["keys"][0]["d"] = json!("AAAA");
    for text in [
        metadata("https://other.example", key),
        private.to_string(),
        json!({"issuer": publisher.base, "jwks": {"keys": []}}).to_string(),
        json!({"issuer": publisher.base}).to_string(),
        "{".to_owned(),
    ] {
        publisher.put(".well-known/jwt-vc-issuer", 200, "", &text);
        assert!(world.desk.trust_published(&publisher.base, None).await.is_err(), "{text}");
    }
    // Keys elsewhere are fetched by the same client.
    let keys = serde_json::from_str::<Value>(&metadata(&publisher.base, key)).unwrap()["jwks"].take();
    publisher.put("keys", 200, "", &keys.to_string());
    let elsewhere = json!({"issuer": publisher.base, "jwks_uri": publisher.url("keys")}).to_string();
    publisher.put(".well-known/jwt-vc-issuer", 200, "", &elsewhere);
    world.desk.trust_published(&publisher.base, None).await.unwrap();
    let (reply, outcome) = world.shown(&world.issuer, VCT, |draft| draft.issuer = Some(publisher.base.clone())).await;
    assert_eq!(outcome, Outcome::Verified, "{reply:?}");
    assert!(world.desk.known().unwrap().1[0].until.unwrap() <= crate::world::NOW.plus(Seconds::DAY));
}
