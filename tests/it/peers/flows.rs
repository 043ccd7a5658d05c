//! Whole flows over HTTP: an issuer, a wallet and a verifier that others wrote (npm: `@openid4vc/*`, `@sd-jwt/*`, `jose`).

use super::place::{Peer, node};
use crate::world::World;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn wallet(folder: &Path, state: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Value {
    let output = Command::new("node")
        .arg(folder.join("wallet.mjs"))
        .args(arguments)
        .env("STATE", state)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_wallet_that_others_wrote_receives_from_our_issuer_and_presents_to_our_verifier() {
    let Some(folder) = node() else { return };
    let Some(world) = World::new() else { return };
    let (_, offer, code) = world.offer("2");
    let state = world.place("peer-wallet.json");
    let received = wallet(folder, &state, &["receive", &offer, &code, &world.text("issuer/trust-anchor.pem")], &[]);
    assert_eq!(received["received"], 2);
    assert_eq!(received["token_type"], "DPoP");
    for (enc, consent) in [("A256GCM", "none"), ("A128GCM", "offered")] {
        let (transaction, link) = world.request(&[
            "--preset",
            "border-identity",
            "--purpose",
            "border-entry",
            "--retention",
            "15m",
            "--consent",
            consent,
        ]);
        let claims = "given_name,family_name,nationalities";
        let sent = wallet(folder, &state, &["present", &link, claims], &[("ENC", enc)]);
        assert_eq!(sent["status"], 200, "{enc} {consent}");
        assert_eq!(sent["response_mode"], "direct_post.jwt");
        let result = world.result(&transaction, 0);
        assert_eq!(result["state"], "verified");
        assert_eq!(result["credentials"][0]["claims"]["given_name"], "Alma");
        assert!(result["consent"].is_null() || result["consent"]["retention"].is_string(), "{result}");
    }
}

#[test]
fn our_wallet_receives_from_an_issuer_and_presents_to_a_verifier_that_others_wrote() {
    if node().is_none() {
        return;
    }
    let Some(world) = World::with_vault() else { return };
    let anchor = world.text("peer-issuer.pem");
    let mut issuer = Peer::node("issuer.mjs", &[&anchor]);
    let offer = issuer.says();
    world.holder("trust", &["--anchor", &anchor], 0);
    world.holder("receive", &[offer["offer"].as_str().unwrap(), "--tx-code", "4321", "--yes", "--known-only"], 0);
    let list = world.holder("list", &[], 0).json;
    assert_eq!(list["credentials"][0]["copies"], 5, "the issuer's batch size is 5");
    for (prefix, mode) in [("x509_san_dns", "direct_post.jwt"), ("x509_hash", "direct_post")] {
        let own = world.text(&format!("peer-verifier-{prefix}.pem"));
        let mut verifier = Peer::node("verifier.mjs", &[&anchor, &own, prefix, mode]);
        let request = verifier.says();
        let sent = world.holder("present", &[request["request"].as_str().unwrap(), "--yes"], 0).json;
        assert!(sent["consent"].is_null(), "it asked for none: {sent}");
        let verified = verifier.says();
        assert_eq!(verified["verified"], true, "{verified}");
        assert_eq!(verified["given_name"], "Inés");
        assert!(verified["family_name"].is_null(), "not asked for, not shown: {verified}");
        assert_eq!(verified["encrypted"], mode == "direct_post.jwt");
    }
}
