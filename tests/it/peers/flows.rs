//! Whole flows over HTTP: an issuer, a wallet and a verifier that others wrote (npm: `@openid4vc/*`, `@sd-jwt/*`, `jose`).

use super::place::{Peer, node, scripts};
use crate::world::World;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn wallet(folder: &Path, state: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Value {
    let output = run_wallet(folder, state, arguments, environment);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run_wallet(folder: &Path, state: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("node");
    command.arg(folder.join("wallet.mjs")).args(arguments).env("STATE", state).envs(environment.iter().copied());
    command.output().unwrap()
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
    // A request that nobody signed: all of it stands in the link.
    let unsigned = ["--client-id", "redirect_uri", "--consent", "none", "--preset", "border-identity"];
    let (transaction, link) =
        world.request(&[&unsigned[..], &["--purpose", "border-entry", "--retention", "15m"]].concat());
    let sent = wallet(folder, &state, &["present", &link, "given_name,family_name,nationalities"], &[]);
    assert_eq!((&sent["status"], &sent["client"]), (&json!(200), &json!("redirect_uri")));
    assert_eq!(world.result(&transaction, 0)["credentials"][0]["claims"]["given_name"], "Alma");
}

#[test]
fn a_wallet_that_others_wrote_fetches_an_offer_to_which_a_link_refers() {
    let Some(folder) = node() else { return };
    let Some(world) = World::new() else { return };
    let offer = world.offer_with(&["--by-reference"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    assert!(link.starts_with("openid-credential-offer://?credential_offer_uri=http"));
    let state = world.place("peer-wallet.json");
    let anchor = world.text("issuer/trust-anchor.pem");
    assert_eq!(wallet(folder, &state, &["receive", link, code, &anchor], &[])["received"], 2);
    // Redeemed, it is not there any more.
    assert!(!run_wallet(folder, &state, &["receive", link, code, &anchor], &[]).status.success());
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
    for (prefix, mode) in [
        ("x509_san_dns", "direct_post.jwt"),
        ("x509_hash", "direct_post"),
        ("redirect_uri", "direct_post.jwt"),
        ("decentralized_identifier", "direct_post.jwt"),
    ] {
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

/// The peer's wallet and our issuer.
struct Received<'w> {
    folder: &'static Path,
    world: &'w World,
}

impl Received<'_> {
    /// An offer with more on the command line: handle, link, code.
    fn offer(&self, more: &[&str]) -> [String; 3] {
        let claims =
            json!({"given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12", "nationalities": ["SV"]});
        std::fs::write(self.world.place("claims.json"), claims.to_string()).unwrap();
        let (data, claims) = (self.world.text("issuer"), self.world.text("claims.json"));
        let offer = ["offer", "--data", &data, "--type", "identity", "--claims", &claims, "--count", "2"];
        let offer = self.world.run("amparo-issuer", &[&offer[..], more].concat(), 0);
        ["/handle", "/credential_offer_uri", "/tx_code"].map(|member| offer.text(member).unwrap())
    }

    fn receive(&self, offer: &[String; 3], environment: &[(&str, &str)]) -> Output {
        let [_, link, code] = offer;
        let (state, anchor) = (self.world.place("peer-wallet.json"), self.world.text("issuer/trust-anchor.pem"));
        run_wallet(self.folder, &state, &["receive", link, code, &anchor], environment)
    }

    fn received(&self, offer: &[String; 3], environment: &[(&str, &str)]) -> Value {
        let output = self.receive(offer, environment);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn resume(&self, environment: &[(&str, &str)]) -> Value {
        let (state, anchor) = (self.world.place("peer-wallet.json"), self.world.text("issuer/trust-anchor.pem"));
        wallet(self.folder, &state, &["resume", &anchor], environment)
    }
}

#[test]
fn a_wallet_that_others_wrote_pushes_its_request_and_proves_it_by_pkce_and_dpop() {
    let Some(folder) = node() else { return };
    let Some(world) = World::new() else { return };
    let peer = Received { folder, world: &world };
    let page = ["--grant", "authorization-code", "--format", "sd-jwt,mdoc"];
    let received = peer.received(&peer.offer(&page), &[]);
    assert_eq!(
        (&received["received"], &received["token_type"]),
        (&json!(4), &json!("DPoP")),
        "two copies in each format"
    );
    assert_eq!((&received["pushed"], &received["nonced"]), (&json!(true), &json!(true)), "{received}");
    // With another code verifier than the one whose challenge was pushed there is no token (RFC 7636 §4.6).
    let refused = peer.receive(&peer.offer(&page), &[("WITHOUT_VERIFIER", "1")]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("invalid_grant"), "{said}");
}

#[test]
fn a_wallet_that_others_wrote_waits_for_a_decision_and_encrypts_beside_http() {
    let Some(folder) = node() else { return };
    let Some(mut world) = World::new() else { return };
    world.restart_issuer(&["--require-encryption"]);
    let peer = Received { folder, world: &world };
    let sealed = [("ENCRYPT", "1")];
    let offer = peer.offer(&[]);
    assert!(!peer.receive(&offer, &[]).status.success(), "in the clear it gets nothing");
    let received = peer.received(&peer.offer(&["--format", "sd-jwt,mdoc"]), &sealed);
    assert_eq!((&received["received"], &received["sealed"]), (&json!(4), &json!(true)), "{received}");

    let offer = peer.offer(&["--deferred"]);
    let promised = peer.received(&offer, &sealed);
    assert_eq!((&promised["received"], &promised["waiting"]), (&json!(0), &json!(1)));
    let waiting = peer.resume(&sealed);
    assert_eq!((&waiting["received"], &waiting["waiting"]), (&json!(0), &json!(1)), "nobody has decided");
    assert!(waiting["interval"].is_u64(), "{waiting}");
    let [handle, ..] = &offer;
    world.run("amparo-issuer", &["approve", "--data", &world.text("issuer"), "--handle", handle], 0);
    assert_eq!(peer.resume(&sealed)["received"], 2);
}

/// A query for a claim of an SD-JWT VC and an element of a document, in one answer.
fn both(world: &World) -> String {
    let dcql = json!({"credentials": [
        {"id": "who", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]}, "claims": [{"path": ["given_name"]}]},
        {"id": "from", "format": "mso_mdoc", "meta": {"doctype_value": "org.amparo.identity.1"},
         "claims": [{"path": ["eu.europa.ec.eudi.pid.1", "nationality"], "intent_to_retain": false}]},
    ]});
    std::fs::write(world.place("dcql.json"), dcql.to_string()).unwrap();
    world.text("dcql.json")
}

#[test]
fn a_wallet_that_others_wrote_answers_with_two_credentials_in_two_formats() {
    let Some(folder) = node() else { return };
    let Some(world) = World::new() else { return };
    let peer = Received { folder, world: &world };
    peer.received(&peer.offer(&["--format", "sd-jwt,mdoc"]), &[]);
    let dcql = both(&world);
    for mode in ["direct_post.jwt", "direct_post"] {
        let query = [
            "--dcql",
            &dcql,
            "--purpose",
            "border-entry",
            "--retention",
            "15m",
            "--consent",
            "none",
            "--response-mode",
            mode,
        ];
        let (transaction, link) = world.request(&query);
        let sent = wallet(folder, &world.place("peer-wallet.json"), &["present", &link], &[]);
        assert_eq!((&sent["status"], &sent["queries"]), (&json!(200), &json!(["who", "from"])), "{mode}");
        let result = world.result(&transaction, 0);
        let shown: Vec<_> = result["credentials"].as_array().unwrap().iter().map(|c| c["claims"].clone()).collect();
        assert!(
            shown.contains(&json!({"given_name": "Alma"})) && shown.contains(&json!({"nationalities": ["SV"]})),
            "{mode}: {result}"
        );
    }
}

#[test]
fn our_wallet_answers_a_verifier_that_others_wrote_with_two_credentials_in_two_formats() {
    if node().is_none() {
        return;
    }
    let Some(world) = World::with_vault() else { return };
    let anchor = world.text("issuer/trust-anchor.pem");
    for format in ["sd-jwt", "mdoc"] {
        let (_, offer, code) = world.offer_in(format, "3");
        world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    }
    for mode in ["direct_post.jwt", "direct_post"] {
        let own = world.text("peer-verifier.pem");
        let mut verifier = Peer::node("verifier.mjs", &[&anchor, &own, "x509_hash", mode, "several"]);
        let request = verifier.says();
        world.holder("present", &[request["request"].as_str().unwrap(), "--yes"], 0);
        let verified = verifier.says();
        assert_eq!(
            (&verified["verified"], &verified["given_name"]),
            (&json!(true), &json!("Alma")),
            "{mode}: {verified}"
        );
        assert_eq!(verified["document"], json!({"family_name": "Rivas"}), "{mode}: {verified}");
    }
}

/// Our wallet on its way over an issuer's page, which sends it back at once: the wallet, and what it told the browser.
fn by_page(world: &World, offer: &str) -> (Child, String) {
    let mut wallet = world
        .commands
        .command("amparo")
        .args(["receive", "--vault", &world.text("vault"), "--pin-file", &world.text("pin")])
        .args(["--device-key", &world.text("key"), "--face", &world.photograph("obama3.jpg")])
        .args([offer, "--yes", "--known-only", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(wallet.stderr.take().unwrap()).lines().map(Result::unwrap);
    let page = said.by_ref().find(|line| line.starts_with("http")).expect("the wallet says where to go");
    // Read to the end, or the wallet would speak into a closed pipe.
    std::thread::spawn(move || said.count());
    // The person's browser: Node's, which follows where it is sent.
    let browser = "fetch(process.argv[1]).then((r) => console.log(r.status))";
    let told = Command::new("node").args(["-e", browser, &page]).output().unwrap();
    (wallet, String::from_utf8_lossy(&told.stdout).trim().to_owned())
}

#[test]
fn our_wallet_goes_by_the_page_of_an_issuer_that_others_wrote_and_waits_for_a_document() {
    if node().is_none() {
        return;
    }
    let Some(world) = World::with_vault() else { return };
    let anchor = world.text("peer-issuer.pem");
    let mut issuer = Peer::node("page-issuer.mjs", &[&anchor]);
    let offer = issuer.says();
    world.holder("trust", &["--anchor", &anchor], 0);
    let (wallet, told) = by_page(&world, offer["offer"].as_str().unwrap());
    let output = wallet.wait_with_output().unwrap();
    let promised: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told.as_str(), promised["waiting"].as_array().map(Vec::len)), ("200", Some(1)), "{promised}");
    let received = world.holder("receive", &["--resume", "--wait", "20s", "--yes", "--known-only"], 0).json;
    assert_eq!((&received["received"], &received["credentials"][0]["copies"]), (&json!(true), &json!(3)), "{received}");
    assert_eq!(received["credentials"][0]["format"], "mso_mdoc");
    let shown = world.holder("show", &[received["credentials"][0]["id"].as_str().unwrap()], 0).json;
    assert_eq!(shown["claims"]["given_name"], "Inés");
    let seen = issuer.says();
    assert_eq!((&seen["pushed"], &seen["asked"]), (&json!(1), &json!(2)), "{seen}");
    assert!(seen["refusedForNonce"].as_u64().unwrap() >= 1, "the wallet begins without a nonce: {seen}");
}

#[test]
fn our_wallet_takes_no_code_that_comes_back_from_another_issuer() {
    if node().is_none() {
        return;
    }
    let Some(world) = World::with_vault() else { return };
    let anchor = world.text("peer-issuer.pem");
    let mut command = Command::new("node");
    command.arg(scripts().join("page-issuer.mjs")).arg(&anchor).env("OTHER_ISS", "https://other.example");
    let mut issuer = Peer::start(&mut command);
    let offer = issuer.says();
    world.holder("trust", &["--anchor", &anchor], 0);
    let (mut wallet, told) = by_page(&world, offer["offer"].as_str().unwrap());
    // RFC 9207 §2.4: not taken. It goes on waiting for its own issuer.
    assert_eq!(told, "404");
    assert!(wallet.try_wait().unwrap().is_none());
    wallet.kill().unwrap();
    wallet.wait().unwrap();
}
