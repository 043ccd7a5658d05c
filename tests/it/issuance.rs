//! Issuance by the commands: both formats at once, and a registry that decides later.

use crate::world::World;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

impl World {
    /// An offer with more on the command line: its whole answer.
    pub(crate) fn offer_with(&self, more: &[&str]) -> Value {
        let claims = json!({"given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12"});
        std::fs::write(self.place("claims.json"), claims.to_string()).unwrap();
        let (data, claims) = (self.text("issuer"), self.text("claims.json"));
        let offer = ["offer", "--data", &data, "--type", "identity", "--claims", &claims, "--count", "3"];
        self.run("amparo-issuer", &[&offer[..], more].concat(), 0).json
    }

    pub(crate) fn issuer_command(&self, command: &str, more: &[&str], expected: i32) -> Value {
        let data = self.text("issuer");
        self.run("amparo-issuer", &[&[command, "--data", &data][..], more].concat(), expected).json
    }
}

#[test]
fn both_formats_come_at_once_and_a_promise_outlives_the_process() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&["--format", "sd-jwt,mdoc", "--by-reference", "--scheme", "haip-vci"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    assert!(link.starts_with("haip-vci://?credential_offer_uri=") && link.len() < 150, "a small code");
    let received = world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0).json;
    let formats: Vec<&Value> = received["credentials"].as_array().unwrap().iter().map(|c| &c["format"]).collect();
    assert_eq!(formats, [&json!("dc+sd-jwt"), &json!("mso_mdoc")]);
    let document = received["credentials"][1]["id"].as_str().unwrap();
    assert_eq!(received["credentials"][1]["doctype"], "org.amparo.identity.1");
    let shown = world.holder("show", &[document], 0).json;
    assert_eq!((&shown["claims"]["given_name"], &shown["copies"]), (&json!("Alma"), &json!(3)));
    assert!(shown["disclosable"].as_array().unwrap().contains(&json!(["eu.europa.ec.eudi.pid.1", "given_name"])));

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let promised = world.holder("receive", &[link, "--tx-code", code, "--yes"], 0).json;
    assert_eq!((&promised["received"], promised["waiting"].as_array().unwrap().len()), (&json!(false), 1));
    assert_eq!(world.holder("list", &[], 0).json["waiting"].as_array().unwrap().len(), 1);
    let pending = world.issuer_command("pending", &[], 0);
    assert_eq!(pending["pending"][0]["reference"], offer["reference"]);
    world.issuer_command("approve", &["--handle", offer["handle"].as_str().unwrap()], 0);
    let received = world.holder("receive", &["--resume", "--wait", "20s", "--yes", "--known-only"], 0).json;
    assert_eq!((&received["received"], &received["credentials"][0]["copies"]), (&json!(true), &json!(3)));
    assert_eq!(received["waiting"], json!([]));
    assert_eq!(world.issuer_command("pending", &[], 0), json!({"pending": []}));
    let list = world.holder("list", &[], 0).json;
    assert_eq!((list["credentials"].as_array().unwrap().len(), &list["waiting"]), (3, &json!([])));

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    world.holder("receive", &[link, "--tx-code", code, "--yes"], 0);
    world.issuer_command("decline", &["--handle", offer["handle"].as_str().unwrap()], 0);
    let declined = world.holder("receive", &["--resume", "--wait", "20s", "--yes"], 0).json;
    assert_eq!((&declined["received"], &declined["declined"]), (&json!(false), &json!(["Identity"])));
    assert_eq!(declined["waiting"], json!([]));
}

#[test]
fn an_issuer_that_demands_encryption_is_met_at_once_and_later() {
    let Some(mut world) = World::with_vault() else { return };
    world.restart_issuer(&["--require-encryption"]);
    let offer = world.offer_with(&["--format", "sd-jwt,mdoc"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0).json;
    assert_eq!(received["credentials"].as_array().unwrap().len(), 2);

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    world.holder("receive", &[link, "--tx-code", code, "--yes"], 0);
    world.issuer_command("approve", &["--handle", offer["handle"].as_str().unwrap()], 0);
    // The key that the wallet was given before is good after a restart.
    world.restart_issuer(&["--require-encryption"]);
    let received = world.holder("receive", &["--resume", "--wait", "20s", "--yes", "--known-only"], 0).json;
    assert_eq!((&received["received"], &received["credentials"][0]["copies"]), (&json!(true), &json!(3)));
}

#[test]
fn new_copies_come_without_the_desk_until_it_is_revoked() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&["--format", "sd-jwt,mdoc"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0).json;
    assert_eq!(
        (&received["credentials"][0]["copies"], &received["credentials"][0]["refillable"]),
        (&json!(3), &json!(true))
    );
    let refilled = world.holder("refill", &["--yes"], 0).json;
    let copies: Vec<&Value> = refilled["refilled"].as_array().unwrap().iter().map(|held| &held["copies"]).collect();
    assert_eq!(
        (copies, &refilled["cannot"]),
        (vec![&json!(5), &json!(5)], &json!([])),
        "each showed one and has three more"
    );
    let id = received["credentials"][0]["id"].as_str().unwrap();
    assert_eq!(world.holder("refill", &[id, "--yes"], 0).json["refilled"][0]["copies"], 7);
    assert_eq!(world.holder("show", &[id], 0).json["claims"]["given_name"], "Alma");

    world.issuer_command("revoke", &["--handle", offer["handle"].as_str().unwrap()], 0);
    let refused = world.holder("refill", &[id, "--yes"], 4).json;
    assert!(refused["error"]["hint"].as_str().unwrap().contains("desk"), "{refused}");
    assert_eq!(world.holder("show", &[id], 0).json["copies"], 7, "no copy was shown for nothing");

    let offer = world.offer_with(&["--no-refill"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0).json;
    assert_eq!(received["credentials"][0]["refillable"], false);
    world.holder("refill", &[received["credentials"][0]["id"].as_str().unwrap(), "--yes"], 2);
}

/// One exchange over a socket, as a browser makes it: the head of the answer.
fn browse(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The part of `text` between `from` and `to`.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or_else(|| panic!("{text}"), |(found, _)| found)
}

#[test]
fn the_person_gives_the_code_on_the_issuers_page_and_comes_back() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&["--grant", "authorization-code", "--format", "sd-jwt,mdoc"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = by_page(&world, link, code);
    assert_eq!((&received["received"], &received["known"]), (&json!(true), &json!(true)), "{received}");
    assert_eq!(received["credentials"].as_array().unwrap().len(), 2);
    // The offer is used up.
    world.holder("receive", &[link, "--yes"], 4);
}

/// The wallet takes the offer up, the person goes to the issuer's page with the desk's code and comes back: what the wallet says.
pub(crate) fn by_page(world: &World, link: &str, code: &str) -> Value {
    let mut wallet = world
        .commands
        .command("amparo")
        .args(["receive", "--vault", &world.text("vault"), "--pin-file", &world.text("pin")])
        .args(["--device-key", &world.text("key"), "--face", &world.photograph("obama3.jpg")])
        .args([link, "--yes", "--known-only", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read to the end, or the wallet would speak into a closed pipe.
    let mut said = BufReader::new(wallet.stderr.take().unwrap()).lines().map(Result::unwrap);
    let page = said.by_ref().find(|line| line.starts_with("http")).expect("the wallet says where to go");
    let issuer = world.issuer_url.strip_prefix("http://").unwrap().to_owned();
    let target = page.strip_prefix(&world.issuer_url).unwrap();
    let close = "connection: close\r\n\r\n";
    let shown = browse(&issuer, &format!("GET {target} HTTP/1.1\r\nhost: {issuer}\r\n{close}"));
    assert!(shown.starts_with("HTTP/1.1 200") && shown.contains("Registry"), "{shown}");
    let form = format!("{}&code={code}&answer=yes", target.split_once('?').unwrap().1);
    let sent = browse(
        &issuer,
        &format!(
            "POST /authorize HTTP/1.1\r\nhost: {issuer}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n{close}{form}",
            form.len()
        ),
    );
    assert!(sent.starts_with("HTTP/1.1 303"), "{sent}");
    let back = between(&sent, "location: http://", "\r\n");
    let (address, path) = back.split_once('/').unwrap();
    let seen = browse(address, &format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\n{close}"));
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    let _ = said.count();
    let output = wallet.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_offer_and_its_code_are_pasted_unseen_and_a_promise_can_be_forgotten() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&[]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let pasted = |text: String, expected: i32| {
        let mut wallet = world
            .commands
            .command("amparo")
            .args(["receive", "--vault", &world.text("vault"), "--pin-file", &world.text("pin")])
            .args(["--device-key", &world.text("key"), "--face", &world.photograph("obama3.jpg")])
            .args(["--paste", "--yes", "--known-only", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wallet.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = wallet.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(expected), "{said}");
        serde_json::from_str::<Value>(&said).unwrap()
    };
    pasted(String::new(), 2);
    pasted("no offer\n".into(), 2);
    pasted(format!("{link}\n"), 2);
    let received = pasted(format!("{link}\n{code}\n"), 0);
    assert_eq!(received["credentials"][0]["copies"], 3, "{received}");

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let promised = world.holder("receive", &[link, "--tx-code", code, "--yes"], 0).json;
    let id = promised["waiting"][0]["id"].as_str().unwrap().to_owned();
    world.holder("forget", &["--promise", "ffff"], 2);
    assert_eq!(world.holder("forget", &["--promise", &id], 0).json["promise"], json!(id));
    assert_eq!(world.holder("list", &[], 0).json["waiting"], json!([]));
    world.holder("forget", &["--promise", &id], 2);
}
