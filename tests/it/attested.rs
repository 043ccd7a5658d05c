//! An issuer that gives only to wallets that a provider vouches for: refused without, received with.

use crate::issuance::by_page;
use crate::world::World;
use serde_json::{Value, json};
use tests::{Server, free_ports};

/// A provider beside the world, that serves.
struct Provider {
    url: String,
    anchor: String,
    code: String,
    _server: Server,
}

impl Provider {
    fn new(world: &World, name: &str, more: &[&str]) -> Self {
        let [port] = free_ports().unwrap();
        let (url, data) = (format!("http://127.0.0.1:{port}"), world.text(name));
        let init = ["init", "--data", &data, "--url", &url, "--name", "Amparo"];
        world.run("amparo-attester", &[&init[..], more].concat(), 0);
        let server = world.serve("amparo-attester", name, &url);
        let (anchor, code) = (format!("{data}/trust-anchor.pem"), format!("{data}/wallet-code.txt"));
        Self { url, anchor, code, _server: server }
    }

    fn attest(&self, world: &World, expected: i32) -> Value {
        world.holder("attest", &["--provider", &self.url, "--code-file", &self.code], expected).json
    }
}

#[test]
fn an_issuer_that_demands_it_gives_to_wallets_that_are_vouched_for_and_to_no_others() {
    let Some(mut world) = World::with_vault() else { return };
    let provider = Provider::new(&world, "attester", &[]);
    world.restart_issuer(&["--wallet-providers", &provider.anchor, "--require-wallet-attestation"]);
    let offer = world.offer_with(&["--grant", "authorization-code"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let refused = world.holder("receive", &[link, "--yes"], 4).json;
    assert!(refused["error"]["hint"].as_str().unwrap().contains("amparo attest"), "{refused}");

    let attested = provider.attest(&world, 0);
    assert_eq!((&attested["attested"], &attested["attestations"]), (&json!(true), &json!(8)), "{attested}");
    let received = by_page(&world, link, code);
    assert_eq!(received["credentials"][0]["copies"], 3, "{received}");
    // With the desk's code as well, and for new copies without the desk, each time with another attestation.
    let offer = world.offer_with(&[]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0);
    let id = received["credentials"][0]["id"].as_str().unwrap();
    assert_eq!(world.holder("refill", &[id, "--yes"], 0).json["refilled"][0]["copies"], 5);

    // Keys attested as well, in a token that is bound: what is attested of them stands in the copies.
    let levels = Provider::new(&world, "levels", &["--key-storage", "iso_18045_basic"]);
    let own = ["--require-wallet-attestation", "--require-key-attestation", "--wallet-providers", &levels.anchor];
    world.restart_issuer(&[&own[..], &["--key-attesters", &levels.anchor, "--require-dpop"]].concat());
    levels.attest(&world, 0);
    let offer = world.offer_with(&["--grant", "authorization-code", "--format", "sd-jwt,mdoc"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = by_page(&world, link, code);
    assert_eq!(received["credentials"].as_array().map(Vec::len), Some(2), "{received}");
    let id = received["credentials"][0]["id"].as_str().unwrap();
    let shown = world.holder("show", &[id], 0).json;
    assert_eq!(shown["claims"]["holder_key_assurance"], json!({"key_storage": ["iso_18045_basic"]}), "{shown}");
    world.holder("refill", &[id, "--yes"], 0);
    world.restart_issuer(&["--wallet-providers", &provider.anchor, "--require-wallet-attestation"]);

    // Another provider, which this issuer does not know: the wallet is refused, and the offer is still good.
    let other = Provider::new(&world, "other-attester", &[]);
    other.attest(&world, 0);
    let offer = world.offer_with(&[]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let refused = world.holder("receive", &[link, "--tx-code", code, "--yes"], 4).json;
    assert!(refused["error"]["message"].as_str().unwrap().contains("invalid_client"), "{refused}");
    provider.attest(&world, 0);
    world.holder("receive", &[link, "--tx-code", code, "--yes"], 0);
    assert_eq!(world.holder("attest", &["--leave"], 0).json, json!({"attested": false, "left": true}));
    assert_eq!(world.holder("attest", &["--leave"], 0).json["left"], false);
    // The code of another provider, a word that is none, and no provider at all.
    let wrong = ["--provider", provider.url.as_str(), "--code-file", other.code.as_str()];
    world.holder("attest", &wrong, 4);
    world.holder("attest", &["--provider", "http://wallets.example", "--code-file", &other.code], 2);
}
