//! New copies without the desk: a refresh token bound to a key, and a copy that is shown.

use crate::dpop::Bound;
use crate::support::{World, ana, code, keys, now, refusal, refused};
use credentials::b64;
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{self, Elements, SessionTranscript};
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::SoftwareKey;
use credentials::trust::ChainPolicy;
use issuer::configuration::Format;
use issuer::desk::{Offered, Outcome, Pace};
use issuer::issuing::Span;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DENIED: (u16, &str) = (400, "credential_request_denied");

/// A wallet with copies of an identity and what renews them.
struct Wallet {
    bound: Bound,
    copies: Vec<String>,
    holders: Vec<SoftwareKey>,
    offered: Offered,
}

impl Wallet {
    async fn new(world: &World, seed: u64) -> Self {
        let offered = world.offer_with(|order| order.count = 3);
        Self::of(world, offered, "identity", seed).await
    }

    async fn of(world: &World, offered: Offered, id: &str, seed: u64) -> Self {
        let (bound, holders) = (Bound::new(world, &offered, seed).await, keys(3, seed + 1));
        let proofs = world.proofs(&world.nonce().await, &holders);
        let body = json!({"credential_configuration_id": id, "proofs": {"jwt": proofs}});
        let copies = copies(bound.ask(world, &body).await).await;
        Self { bound, copies, holders, offered }
    }

    /// What its first copy shows, whole, to `audience`.
    fn shown(&self, world: &World, audience: &str, nonce: &str) -> String {
        show(world, &self.copies[0], &self.holders[0], audience, nonce, |paths| paths)
    }

    async fn refilled(&self, world: &World, id: &str, shown: &str, nonce: &str, seed: u64) -> reqwest::Response {
        let body = json!({
            "credential_configuration_id": id, "proofs": {"jwt": world.proofs(nonce, &keys(5, seed))},
            "org.amparo.shown": shown,
        });
        self.bound.ask(world, &body).await
    }
}

async fn copies(response: reqwest::Response) -> Vec<String> {
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert!(status.is_success(), "{body}");
    body["credentials"].as_array().unwrap().iter().map(|c| c["credential"].as_str().unwrap().to_owned()).collect()
}

fn show(
    world: &World,
    copy: &str,
    key: &SoftwareKey,
    audience: &str,
    nonce: &str,
    choose: fn(Vec<ClaimPath>) -> Vec<ClaimPath>,
) -> String {
    let copy = SdJwtVc::reopen(copy).unwrap();
    let selection = copy.select(&choose(copy.disclosable_paths())).unwrap();
    let claims = KeyBindingClaims::new(audience, nonce, world.issuer.now());
    selection.bind(&claims, key).unwrap()
}

fn entry(copy: &SdJwtVc) -> (String, u64) {
    let status = copy.status().unwrap();
    (status.uri.clone(), status.idx)
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_01_the_claims_of_a_copy_are_signed_anew_with_the_times_of_its_day() {
    let world = World::new().await;
    let mut claims = ana();
    claims["birth_date"] = json!("2008-12-20");
    let offered = world.offer_claims("identity", claims, |order| order.count = 3);
    let mut wallet = Wallet::of(&world, offered, "identity", 200).await;
    let old: Vec<SdJwtVc> = wallet.copies.iter().map(|copy| world.verify(copy)).collect();
    assert_eq!(old[0].claims()["age_over_18"], false);
    world.later(40 * 86_400);
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let nonce = world.nonce().await;
    let shown = wallet.shown(&world, &world.url, &nonce);
    let new = copies(wallet.refilled(&world, "identity", &shown, &nonce, 202).await).await;
    assert_eq!(new.len(), 3, "as many as the desk has said, not as many as were asked for");
    let new: Vec<SdJwtVc> = new.iter().map(|copy| world.verify(copy)).collect();
    let mut entries: BTreeSet<(String, u64)> = old.iter().map(entry).collect();
    for copy in &new {
        assert!(entries.insert(entry(copy)), "each has a status entry of its own");
        assert_eq!(
            (copy.issued_at(), copy.not_before(), copy.expires_at()),
            (old[0].issued_at(), old[0].not_before(), old[0].expires_at()),
            "of the same cohort, and no longer-lived"
        );
        assert_eq!(copy.claims()["age_over_18"], true, "what is derived is derived today");
        for name in ["given_name", "family_name", "birth_date", "nationalities", "address", "sex"] {
            assert_eq!(copy.claims().get(name), old[0].claims().get(name), "{name}");
        }
        assert_eq!(copy.disclosable_paths().len(), old[0].disclosable_paths().len());
    }
    // A new copy renews as well.
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let nonce = world.nonce().await;
    let again = show(&world, new[0].as_str(), &keys(1, 202)[0], &world.url, &nonce, |paths| paths);
    assert_eq!(copies(wallet.refilled(&world, "identity", &again, &nonce, 203).await).await.len(), 3);
    for file in ["issuer.sqlite", "issuer.sqlite-wal"] {
        let bytes = std::fs::read(world.dir.path().join(file)).unwrap_or_default();
        for secret in ["Vega-Quispe", "2008-12-20", wallet.bound.refresh.as_ref().unwrap()] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} in {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_02_documents_are_renewed_like_any_other() {
    let world = World::new().await;
    let offered = world.offer_with(|order| (order.count, order.formats) = (3, vec![Format::SdJwtVc, Format::Mdoc]));
    let mut wallet = Wallet::of(&world, offered, "identity-mdoc", 210).await;
    let anchors = world.anchors();
    let read = |copy: &str| {
        let bytes = b64::decode(copy).unwrap();
        mdoc::verify_issued(&bytes, &ChainPolicy::known_only(&anchors), world.issuer.now()).unwrap()
    };
    let old = read(&wallet.copies[0]);
    world.later(86_400);
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let show = |document: &mdoc::Mdoc, nonce: &str, endpoint: &str| {
        let transcript = SessionTranscript::openid4vp(&world.url, nonce, None, &format!("{}{endpoint}", world.url));
        let selection = document.select(&document.elements().paths()).unwrap();
        let signed = selection.sign(&transcript, &Elements::default(), &wallet.holders[0]).unwrap();
        b64::encode(&mdoc::device_response(&[signed]))
    };
    let nonce = world.nonce().await;
    for (shown, what) in [
        (show(&old, "another", "/credential"), "for another nonce"),
        (show(&old, &nonce, "/answer"), "for a verifier"),
        (wallet.copies[0].clone(), "without the holder's word"),
    ] {
        let response = wallet.refilled(&world, "identity-mdoc", &shown, &nonce, 212).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_proof"), "{what}");
    }
    let shown = show(&old, &nonce, "/credential");
    // A copy of one configuration has none of another.
    let response = wallet.refilled(&world, "identity", &shown, &nonce, 212).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_proof"));
    let new = copies(wallet.refilled(&world, "identity-mdoc", &shown, &nonce, 212).await).await;
    assert_eq!(new.len(), 3);
    let new = read(&new[0]);
    assert_eq!((new.valid_from(), new.valid_until()), (old.valid_from(), old.valid_until()));
    assert_eq!((new.elements(), new.authorizations()), (old.elements(), old.authorizations()));
    assert_ne!(new.status(), old.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_03_only_a_good_copy_of_this_very_issuance_is_taken() {
    let world = World::new().await;
    let mut wallet = Wallet::new(&world, 220).await;
    let other = Wallet::new(&world, 230).await;
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let nonce = world.nonce().await;
    let url = world.url.clone();
    let required: fn(Vec<ClaimPath>) -> Vec<ClaimPath> =
        |paths| paths.into_iter().filter(|path| *path != ClaimPath::names(["family_name"])).collect();
    let whole: fn(Vec<ClaimPath>) -> Vec<ClaimPath> = |paths| paths;
    let (copy, key) = (&wallet.copies[0], &wallet.holders[0]);
    let mut forged = wallet.shown(&world, &url, &nonce);
    forged.pop();
    for (shown, what) in [
        (show(&world, copy, key, &url, "another", whole), "another nonce"),
        (show(&world, copy, key, "x509_san_dns:desk.example", &nonce, whole), "said to a verifier"),
        (show(&world, copy, key, &url, &nonce, required), "a required claim is hidden"),
        (show(&world, &other.copies[0], &other.holders[0], &url, &nonce, whole), "a copy of another issuance"),
        (copy.clone(), "a copy without its holder"),
        (forged, "a broken signature"),
    ] {
        let response = wallet.refilled(&world, "identity", &shown, &nonce, 222).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_proof"), "{what}");
    }
    let body =
        json!({"credential_configuration_id": "identity", "proofs": {"jwt": world.proofs(&nonce, &keys(1, 223))}});
    assert_eq!(refusal(wallet.bound.ask(&world, &body).await).await, refused(400, "invalid_proof"), "nothing is shown");
    // Proofs of two moments leave open of which the copy is.
    let mut proofs = world.proofs(&nonce, &keys(1, 224));
    proofs.extend(world.proofs(&world.nonce().await, &keys(1, 225)));
    let shown = wallet.shown(&world, &url, &nonce);
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}, "org.amparo.shown": shown});
    assert_eq!(refusal(wallet.bound.ask(&world, &body).await).await, refused(400, "invalid_proof"), "two nonces");
    // The key that has shown it gets no second copy.
    let same = world.proofs(&nonce, &wallet.holders[..1]);
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": same}, "org.amparo.shown": shown});
    assert_eq!(refusal(wallet.bound.ask(&world, &body).await).await, refused(400, "invalid_proof"), "an old key");
    // None of it has spent the token; and it is good once.
    assert_eq!(copies(wallet.refilled(&world, "identity", &shown, &nonce, 226).await).await.len(), 3);
    let nonce = world.nonce().await;
    let shown = wallet.shown(&world, &url, &nonce);
    let response = wallet.refilled(&world, "identity", &shown, &nonce, 227).await;
    assert_eq!(refusal(response).await, refused(401, "invalid_token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_04_a_refresh_token_is_good_with_its_key_and_until_its_successor_is_used() {
    let world = World::new().await;
    let mut wallet = Wallet::new(&world, 240).await;
    let first = wallet.bound.refresh.clone().unwrap();
    let stranger = &keys(1, 249)[0];
    for key in [None, Some(stranger)] {
        let response = wallet.bound.refresh_by(&world, &first, key).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_dpop_proof"));
    }
    assert_eq!(refusal(wallet.bound.refresh(&world, "other").await).await, refused(400, "invalid_grant"));
    // An answer that got lost: the same again, and what was lost is good no more.
    let lost: Value = wallet.bound.refresh(&world, &first).await.json().await.unwrap();
    assert_ne!(lost["refresh_token"], json!(first));
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let response = wallet.bound.refresh(&world, lost["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_grant"));
    // Once the next one is used, whoever shows the first ends them all; a stranger cannot.
    let nonce = world.nonce().await;
    let shown = wallet.shown(&world, &world.url, &nonce);
    assert_eq!(copies(wallet.refilled(&world, "identity", &shown, &nonce, 242).await).await.len(), 3);
    let response = wallet.bound.refresh_by(&world, &first, Some(stranger)).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_dpop_proof"));
    let second = wallet.bound.refresh.clone().unwrap();
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    for token in [&first, &second, &first] {
        assert_eq!(refusal(wallet.bound.refresh(&world, token).await).await.1, "invalid_grant".to_owned());
        if token == &first {
            break;
        }
    }
    let third = wallet.bound.refresh.clone().unwrap();
    assert_eq!(
        refusal(wallet.bound.refresh(&world, &third).await).await,
        refused(400, "invalid_grant"),
        "all are ended"
    );
    let nonce = world.nonce().await;
    let shown = wallet.shown(&world, &world.url, &nonce);
    let response = wallet.refilled(&world, "identity", &shown, &nonce, 243).await;
    assert_eq!(refusal(response).await, refused(401, "invalid_token"), "and the access token with them");
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_05_what_is_revoked_is_not_renewed_and_what_was_renewed_is_revoked_with_it() {
    let world = World::new().await;
    for (n, pace) in [Pace::Now, Pace::Delayed].into_iter().enumerate() {
        let seed = 250 + 20 * n as u64;
        let mut wallet = Wallet::new(&world, seed).await;
        assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
        let nonce = world.nonce().await;
        let shown = wallet.shown(&world, &world.url, &nonce);
        let new = copies(wallet.refilled(&world, "identity", &shown, &nonce, seed + 3).await).await;
        assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
        assert_eq!(world.issuer.revoke(&wallet.offered.handle, pace).unwrap(), Outcome::Revoked);
        let nonce = world.nonce().await;
        let shown = wallet.shown(&world, &world.url, &nonce);
        let response = wallet.refilled(&world, "identity", &shown, &nonce, seed + 4).await;
        assert_eq!(refusal(response).await, refused(401, "invalid_token"), "with the token of before");
        let response = wallet.bound.renewed(&world).await;
        assert_eq!(refusal(response).await, refused(400, "invalid_grant"));
        world.later(3_601);
        world.issuer.maintain().unwrap();
        for copy in wallet.copies.iter().chain(&new) {
            let (uri, index) = entry(&SdJwtVc::reopen(copy).unwrap());
            let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
            let list: u32 = uri.rsplit('/').next().unwrap().parse().unwrap();
            let sql = "SELECT revoked FROM entries WHERE list = ?1 AND idx = ?2";
            let revoked: bool = database.query_row(sql, (list, index as i64), |row| row.get(0)).unwrap();
            assert!(revoked, "old and new");
        }
    }
    // One copy alone that is marked: not shown for new ones either.
    let mut wallet = Wallet::new(&world, 295).await;
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let (uri, index) = entry(&SdJwtVc::reopen(&wallet.copies[0]).unwrap());
    let list: u32 = uri.rsplit('/').next().unwrap().parse().unwrap();
    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    for (column, value) in [("due", i64::MAX), ("revoked", 1)] {
        let sql = format!("UPDATE entries SET {column} = ?3 WHERE list = ?1 AND idx = ?2");
        database.execute(&sql, (list, index as i64, value)).unwrap();
        let nonce = world.nonce().await;
        let shown = wallet.shown(&world, &world.url, &nonce);
        let response = wallet.refilled(&world, "identity", &shown, &nonce, 298).await;
        assert_eq!(refusal(response).await, refused(DENIED.0, DENIED.1), "{column}");
        let sql = format!("UPDATE entries SET {column} = NULL WHERE list = ?1 AND idx = ?2 AND {column} IS NOT 1");
        database.execute(&sql, (list, index as i64)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refill_06_it_ends_with_the_credential_and_is_given_where_the_desk_allows_it_and_a_key_binds_it() {
    let world = World::new().await;
    let refused_by_desk = world.offer_with(|order| order.refill = false);
    assert!(Bound::new(&world, &refused_by_desk, 300).await.refresh.is_none());
    let answer: Value = world.redeem(&world.offer(), "").await.json().await.unwrap();
    assert!(answer.get("refresh_token").is_none());
    let offered = world.offer();
    assert_ne!(code(&offered), "");
    let bearer: Value = world.redeem(&offered, offered.tx_code.as_str()).await.json().await.unwrap();
    assert_eq!((&bearer["token_type"], bearer.get("refresh_token")), (&json!("Bearer"), None));

    let mut short = world.offer_with(|order| order.valid = Seconds::DAY.times(2));
    short.configuration_ids.truncate(1);
    let mut wallet = Wallet::of(&world, short, "identity", 302).await;
    let end = Span::new(now(), Seconds::DAY.times(2)).until;
    world.clock.set(Timestamp::from_unix(end.unix() - 1));
    assert_eq!(wallet.bound.renewed(&world).await.status(), 200);
    let nonce = world.nonce().await;
    let shown = wallet.shown(&world, &world.url, &nonce);
    world.later(1);
    let response = wallet.refilled(&world, "identity", &shown, &nonce, 304).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_proof"), "a copy that has expired");
    world.later(86_400);
    let response = wallet.bound.renewed(&world).await;
    assert_eq!(refusal(response).await, refused(400, "invalid_grant"), "and so has the refresh token");
}
