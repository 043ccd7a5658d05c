//! Issuance by PyPI `openid4vci` 1.0.0a1, which is an issuer only: our wallet receives at once and later, in the clear and encrypted.

use super::authority::{Authority, key, private_jwk};
use super::place::{Peer, python, scripts};
use crate::world::World;
use credentials::trust::Usage;
use serde_json::{Value, json};
use std::process::Command;

/// The issuer, and what it said when it began.
fn issuer(world: &World, encrypt: bool) -> Option<(Peer, Value)> {
    let packages = python()?;
    let (authority, signer) = (Authority::new(), key(1));
    let (_, x5c) = authority.certify(&signer, Usage::CredentialIssuing);
    let anchor = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", authority.anchor);
    std::fs::write(world.place("peer.pem"), anchor).unwrap();
    world.holder("trust", &["--anchor", &world.text("peer.pem")], 0);
    let job = json!({"issuer": private_jwk(&signer), "x5c": x5c, "encrypt": encrypt});
    let mut command = Command::new("python3");
    command.arg("-B").arg(scripts().join("issuer.py")).arg(job.to_string()).env("PYTHONPATH", packages);
    let mut peer = Peer::start(&mut command);
    let said = peer.says();
    Some((peer, said))
}

#[test]
fn our_wallet_receives_from_the_issuer_of_openid4vci() {
    let Some(world) = World::with_vault() else { return };
    for encrypt in [false, true] {
        let Some((_peer, said)) = issuer(&world, encrypt) else { return };
        let (now, later, code) = (said["identity"].as_str().unwrap(), said["later"].as_str().unwrap(), "4321");
        let wrong = world.holder("receive", &[now, "--tx-code", "1234", "--yes"], 4).json;
        assert!(wrong["error"].is_object(), "it refuses another code: {wrong}");
        let received = world.holder("receive", &[now, "--tx-code", code, "--yes", "--known-only"], 0).json;
        assert_eq!(
            (&received["received"], &received["credentials"][0]["copies"]),
            (&json!(true), &json!(4)),
            "{received}"
        );
        let shown = world.holder("show", &[received["credentials"][0]["id"].as_str().unwrap()], 0).json;
        assert_eq!(shown["claims"]["given_name"], "Inés");
        world.holder("receive", &[now, "--tx-code", code, "--yes"], 4);

        let promised = world.holder("receive", &[later, "--tx-code", code, "--yes"], 0).json;
        assert_eq!(
            (&promised["received"], promised["waiting"].as_array().unwrap().len()),
            (&json!(false), 1),
            "{promised}"
        );
        let received = world.holder("receive", &["--resume", "--wait", "20s", "--yes", "--known-only"], 0).json;
        assert_eq!(
            (&received["received"], &received["credentials"][0]["copies"]),
            (&json!(true), &json!(4)),
            "{received}"
        );
    }
}
