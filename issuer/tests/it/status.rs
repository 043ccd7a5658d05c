//! Status lists, and revocation.

use crate::support::{World, keys};
use credentials::sd_jwt::SdJwtVc;
use flate2::read::ZlibDecoder;
use issuer::desk::{Outcome, Pace};
use issuer::secret::Handle;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::io::Read;

/// Reads a status as the draft says it, with no code of ours: zlib, then bit `idx % 8` of byte `idx / 8`, least
/// significant first.
fn bit(token: &str, idx: u64) -> u8 {
    let payload: Value = claims(token);
    assert_eq!(payload["status_list"]["bits"], 1);
    let lst = credentials::b64::decode(payload["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(lst.as_slice()).read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 131_072);
    (bytes[(idx / 8) as usize] >> (idx % 8)) & 1
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&credentials::b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn fetch(world: &World, uri: &str) -> String {
    let response = world.http.get(uri).header("accept", "application/statuslist+jwt").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/statuslist+jwt");
    response.text().await.unwrap()
}

async fn bits(world: &World, credentials: &[SdJwtVc]) -> Vec<u8> {
    let mut bits = Vec::new();
    for credential in credentials {
        let status = credential.status().unwrap();
        let token = fetch(world, &status.uri).await;
        // The verifier's own reading agrees with the draft's.
        let list = credentials::status_list::verify(&token, &status.uri, &world.anchors(), world.issuer.now(), None);
        let said = list.unwrap().status(status, world.issuer.now()).unwrap();
        let bit = bit(&token, status.idx);
        assert_eq!(said == schemas::status::Status::Invalid, bit == 1);
        bits.push(bit);
    }
    bits
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_63_revocation_sets_the_bits_of_its_copies_least_significant_first_and_no_others() {
    let world = World::new().await;
    let (revoked, kept) = (world.offer(), world.offer());
    let gone: Vec<_> = world.receive(&revoked, &keys(12, 60)).await.iter().map(|c| world.verify(c)).collect();
    let stay: Vec<_> = world.receive(&kept, &keys(12, 61)).await.iter().map(|c| world.verify(c)).collect();
    assert_eq!(bits(&world, &gone).await, [0; 12]);

    // By another process, as the command does it; what this one serves says so when the call has returned.
    assert_eq!(world.reopen().revoke(&revoked.handle, Pace::Now).unwrap(), Outcome::Revoked);
    assert_eq!(bits(&world, &gone).await, [1; 12]);
    assert_eq!(bits(&world, &stay).await, [0; 12]);
    let mut set = 0;
    for uri in uris(&world).await {
        let payload = claims(&fetch(&world, &uri).await);
        let lst = credentials::b64::decode(payload["status_list"]["lst"].as_str().unwrap()).unwrap();
        let mut bytes = Vec::new();
        ZlibDecoder::new(lst.as_slice()).read_to_end(&mut bytes).unwrap();
        set += bytes.iter().map(|b| b.count_ones()).sum::<u32>();
    }
    assert_eq!(set, 12);
    assert_eq!(world.issuer.revoke(&revoked.handle, Pace::Now).unwrap(), Outcome::Revoked, "again");
}

async fn uris(world: &World) -> Vec<String> {
    let response = world.http.get(format!("{}/status", world.url)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let lists: Value = response.json().await.unwrap();
    lists["status_lists"].as_array().unwrap().iter().map(|u| u.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_signed_for_its_uri_and_times() {
    let world = World::new().await;
    let all = uris(&world).await;
    assert_eq!(all.len(), 4);
    let first = fetch(&world, &all[0]).await;
    let now = world.issuer.now().unix();
    let payload = claims(&first);
    assert_eq!(payload["sub"], all[0].as_str());
    assert_eq!(payload["iat"], now);
    assert_eq!(payload["exp"], now + 48 * 3_600);
    assert_eq!(payload["ttl"], 12 * 3_600);
    // Served as it was signed, until it is six hours old.
    world.later(6 * 3_600 - 1);
    assert_eq!(fetch(&world, &all[0]).await, first);
    world.later(1);
    let payload = claims(&fetch(&world, &all[0]).await);
    assert_eq!(payload["iat"], now + 6 * 3_600);
    // A clock set back does not serve a list of the future.
    world.clock.set(crate::support::now());
    assert_eq!(claims(&fetch(&world, &all[0]).await)["iat"], now);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_64_a_list_is_signed_by_the_status_key_which_issues_nothing() {
    use credentials::trust::{CertificateChain, Usage};
    let world = World::new().await;
    let token = fetch(&world, &uris(&world).await[0]).await;
    let header = credentials::b64::decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["typ"], "statuslist+jwt");
    let x5c: Vec<String> = serde_json::from_value(header["x5c"].clone()).unwrap();
    let chain = CertificateChain::from_x5c(&x5c).unwrap();
    let (anchors, now) = (world.anchors(), world.issuer.now());
    chain.verify(&anchors, Usage::StatusSigning, now).unwrap();
    assert!(chain.verify(&anchors, Usage::CredentialIssuing, now).is_err());
    assert!(chain.verify(&anchors, Usage::Verifier, now).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_61_a_list_that_is_none_is_not_found_and_history_is_not_kept() {
    let world = World::new().await;
    for id in ["0", "5", "-1", "1.5", "01", "4294967296", "1%20", "%27%20OR%201=1", "..%2F..%2Fetc%2Fpasswd", "1/2", ""]
    {
        let response = world.http.get(format!("{}/status/{id}", world.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{id}");
    }
    let past = world.http.get(format!("{}/status/1?time=1686925000", world.url)).send().await.unwrap();
    assert_eq!(past.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_revocation_falls_within_the_hour_copy_by_copy() {
    let world = World::new().await;
    let offered = world.offer();
    let copies: Vec<_> = world.receive(&offered, &keys(30, 62)).await.iter().map(|c| world.verify(c)).collect();
    assert_eq!(world.issuer.revoke(&offered.handle, Pace::Delayed).unwrap(), Outcome::Revoked);
    world.issuer.maintain().unwrap();
    assert_eq!(bits(&world, &copies).await, [0; 30]);
    world.later(1_800);
    world.issuer.maintain().unwrap();
    let fallen: u32 = bits(&world, &copies).await.iter().map(|b| u32::from(*b)).sum();
    assert!((1..30).contains(&fallen), "{fallen} of 30 after half an hour");
    world.later(1_800);
    world.issuer.maintain().unwrap();
    assert_eq!(bits(&world, &copies).await, [1; 30]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_yet_issued_is_withdrawn() {
    let world = World::new().await;
    let offered = world.offer();
    assert_eq!(world.issuer.revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Withdrawn);
    assert_eq!(world.redeem(&offered, offered.tx_code.as_str()).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(world.issuer.revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Unknown);

    // Between the token and the credential.
    let offered = world.offer();
    let token = world.token(&offered).await;
    let proofs = world.proofs(&world.nonce().await, &keys(1, 63));
    assert_eq!(world.issuer.revoke(&offered.handle, Pace::Now).unwrap(), Outcome::Withdrawn);
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": proofs}});
    assert_eq!(world.request(&token, &body).await.status(), StatusCode::UNAUTHORIZED);

    let unknown = Handle::parse(&"0".repeat(32)).unwrap();
    assert_eq!(world.issuer.revoke(&unknown, Pace::Now).unwrap(), Outcome::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_handle_nobody_can_tell_which_entries_belong_together() {
    let world = World::new().await;
    let offered = world.offer();
    let copies = world.receive(&offered, &keys(5, 64)).await;
    let database = rusqlite::Connection::open(world.dir.path().join("issuer.sqlite")).unwrap();
    let sealed: Vec<u8> = database.query_row("SELECT entries FROM issuances", (), |row| row.get(0)).unwrap();
    assert_eq!(sealed.len(), 30 * 8 + 16, "of one length for every batch");
    for copy in copies {
        let idx = u32::try_from(world.verify(&copy).status().unwrap().idx).unwrap();
        assert!(!sealed.windows(4).any(|w| w == idx.to_be_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trust_list_is_given_where_there_is_one() {
    let world = World::new().await;
    let uri = world.issuer.config().url.join("/trust-list");
    assert_eq!(world.http.get(&uri).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    std::fs::write(world.dir.path().join("trust-list.jwt"), "a.b.c\n").unwrap();
    let response = world.http.get(&uri).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/amparo-trust-list+jwt");
    assert_eq!(response.text().await.unwrap(), "a.b.c");
}
