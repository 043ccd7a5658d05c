//! Two people side by side, no network: a wallet shows a code, a reader comes, both as processes, and no service runs.

use crate::world::World;
use credentials::mdoc::device_response;
use credentials::proximity::{
    Ble, DocumentRequest, HolderEngagement, IntentToRetain, ReaderEngagement, Received, Retrieval, Session,
    write_request,
};
use credentials::signer::SoftwareKey;
use nearby::tcp::{Reach, TcpLink, Waiting};
use nearby::{Bounds, Link as _};
use schemas::mdoc::{IDENTITY_DOCUMENT, PID_NAME_SPACE};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

const BOUNDS: Bounds = Bounds { message: 258 * 1024, messages: 8 };
const SOON: Duration = Duration::from_secs(60);
/// A person with three copies of an identity as a document; a desk with every status list, which knows the issuer by a trust
/// list alone: then issuer and verifier stop.
fn in_the_desert() -> Option<World> {
    let mut world = World::with_vault()?;
    let (_, offer, code) = world.offer_in("mdoc", "3");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let (data, lists) = (world.text("verifier"), format!("{}/status", world.issuer_url));
    let (authority, anchor) = (world.text("issuer"), world.text("issuer/trust-anchor.pem"));
    let entries = json!({"entries": [
        {"anchor": anchor, "usages": ["mdoc", "credential", "status"], "types": ["identity"]},
    ]});
    std::fs::write(world.place("entries.json"), entries.to_string()).unwrap();
    let entries = world.text("entries.json");
    world.run("amparo-issuer", &["trust-list", "--data", &authority, "--entries", &entries], 0);
    let list = format!("{}/trust-list", world.issuer_url);
    world.run("amparo-verifier", &["trust", "--data", &data, "--anchor", &anchor, "--remove"], 0);
    world.run("amparo-verifier", &["trust", "--data", &data, "--list", &list, "--list-signer", &anchor], 0);
    let synced = world.run("amparo-verifier", &["sync", "--data", &data, "--aggregation", &lists], 0).json;
    assert_eq!(synced["current"], true, "{synced}");
    assert_eq!(
        (&synced["trust_lists"][0]["number"], &synced["trust_lists"][0]["state"]),
        (&json!(1), &json!("current"))
    );
    (world.issuer, world.verifier) = (None, None);
    Some(world)
}

/// A wallet that shows its code and waits.
struct Shown {
    wallet: Child,
    code: String,
}

impl World {
    fn show(&self, name: &str, rest: &[&str]) -> Shown {
        let (vault, pin, key, face) =
            (self.text("vault"), self.text("pin"), self.text("key"), self.photograph("obama3.jpg"));
        let file = self.place(&format!("{name}.txt"));
        let mut command = self.commands.command("amparo");
        command.args(["proximity", "--vault", &vault, "--pin-file", &pin, "--device-key", &key, "--face", &face]);
        command.args(["--json", "--code"]).arg(&file).args(rest).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut wallet = command.spawn().unwrap();
        let begun = Instant::now();
        loop {
            let code = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some(code) = code.strip_suffix('\n') {
                return Shown { wallet, code: code.to_owned() };
            }
            if let Some(ended) = wallet.try_wait().unwrap() {
                panic!("the wallet ended with {ended}: {}", said(wallet).1);
            }
            assert!(begun.elapsed() < SOON, "no code");
            sleep(Duration::from_millis(50));
        }
    }

    fn read_code(&self, code: &[&str], rest: &[&str], expected: i32) -> Value {
        let data = self.text("verifier");
        let preset = ["--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m"];
        let arguments = [&["proximity", "--data", &data], code, &preset, rest].concat();
        self.run("amparo-verifier", &arguments, expected).json
    }

    fn copies_left(&self) -> Value {
        self.holder("list", &[], 0).json["credentials"][0]["copies"].clone()
    }
}

fn said(wallet: Child) -> (Option<i32>, String, Value) {
    let output = wallet.wait_with_output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), json)
}

impl Shown {
    fn ended(self, expected: i32) -> Value {
        let (code, stderr, json) = said(self.wallet);
        assert_eq!(code, Some(expected), "{json} {stderr}");
        json
    }
}

fn key(byte: u8) -> SoftwareKey {
    SoftwareKey::from_scalar(&[byte; 32]).unwrap()
}

fn socket(engagement: &credentials::proximity::DeviceEngagement) -> SocketAddr {
    let [Retrieval::Socket(address)] = engagement.retrieval() else { panic!("no socket") };
    *address
}

/// A reader of another make, which does not say who it is: its session, its link, its first message.
fn stranger(code: &str) -> (Session, TcpLink, Vec<u8>) {
    let reader = ReaderEngagement::scan(code, key(61)).unwrap();
    let link = TcpLink::call(socket(reader.engagement()), Reach::ThisMachine, SOON, BOUNDS).unwrap();
    let asked = DocumentRequest::new(IDENTITY_DOCUMENT.doc_type);
    let asked = asked.with(PID_NAME_SPACE, "given_name", IntentToRetain::No);
    let request = write_request(&[asked], reader.transcript(), None).unwrap();
    let (session, message) = reader.establish(&request).unwrap();
    (session, link, message)
}

#[test]
fn a_presentation_with_no_network_on_either_side() {
    let Some(world) = in_the_desert() else { return };
    let shown = world.show("first", &["--yes", "--only", "given_name,family_name,nationalities", "--for", "5m"]);
    let read = world.read_code(&[&shown.code], &[], 0);
    assert_eq!(read["state"], "verified");
    let [card] = &read["credentials"].as_array().unwrap()[..] else { panic!("{read}") };
    assert_eq!(card["claims"], json!({"given_name": "Alma", "family_name": "Rivas", "nationalities": ["SV"]}));
    assert_eq!((&card["doctype"], &card["status"]), (&json!("org.amparo.identity.1"), &json!("valid")));
    assert_eq!(card["presence"]["acr"], "urn:amparo:acr:presence-none");
    assert_eq!(read["consent"]["purpose"], "border-entry");
    let answered = shown.ended(0);
    assert_eq!(
        (&answered["sent"], &answered["delivered"], &answered["known"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!(answered["verifier"], "Desk");
    assert_eq!(answered["consent"]["expires_at"], read["consent"]["expires_at"], "both know the same end");
    assert_eq!(world.copies_left(), 2, "a copy is used up as it is online");
    let history = world.holder("history", &[], 0).json.to_string();
    assert!(history.contains("\"delivered\"") && !history.contains("Alma"), "{history}");
    // The result is kept and ends as any other.
    let again = world.result(read["transaction"].as_str().unwrap(), 0);
    assert_eq!(again["credentials"], read["credentials"]);

    // The code as a camera sees it, and as a pipe brings it.
    let shown = world.show("second", &["--yes"]);
    let picture = world.text("code.txt");
    std::fs::write(&picture, format!("{}\n", shown.code)).unwrap();
    assert_eq!(world.read_code(&["--code", &picture], &[], 0)["state"], "verified");
    shown.ended(0);

    let shown = world.show("third", &["--yes"]);
    let age = world.read_code(&[&shown.code], &[], 0)["lists"][0].clone();
    assert_eq!(age["state"], "current", "{age}");
    shown.ended(0);
    // The last copy is not shown again unasked, and the reader hears what it hears of a wallet without anything.
    let shown = world.show("fourth", &["--yes"]);
    assert_eq!(world.read_code(&[&shown.code], &[], 4)["error"]["code"], "access_denied");
    shown.ended(5);
}

#[test]
fn vp_15_9_in_person_a_refusal_looks_like_absence() {
    let Some(world) = in_the_desert() else { return };
    let mut heard = Vec::new();
    for (name, rest, query, exit) in
        [("no", ["--refuse"], "border-identity", 0), ("absent", ["--yes"], "support-service", 5)]
    {
        let shown = world.show(name, &rest);
        let data = world.text("verifier");
        let purpose = if query == "border-identity" { "border-entry" } else { "support-service" };
        let arguments =
            ["proximity", "--data", &data, &shown.code, "--preset", query, "--purpose", purpose, "--retention", "15m"];
        let mut answer = world.run("amparo-verifier", &arguments, 4).json;
        answer.as_object_mut().unwrap().retain(|name, _| name != "transaction" && name != "lists");
        heard.push(answer);
        shown.ended(exit);
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0]["error"]["code"], "access_denied");
    assert_eq!(world.copies_left(), 3);
    assert_eq!(world.holder("history", &[], 0).json["history"], json!([]));
}

#[test]
fn attack_40_readers_that_nobody_knows_or_that_are_silent_about_themselves() {
    let Some(world) = in_the_desert() else { return };
    let other = world.text("other");
    world.run("amparo-verifier", &["init", "--data", &other, "--url", "https://other.example", "--name", "Post"], 0);
    world.run("amparo-verifier", &["trust", "--data", &other, "--anchor", &world.text("issuer/trust-anchor.pem")], 0);
    let ask = |code: &str, expected| {
        let preset = ["--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m"];
        let arguments = [&["proximity", "--data", &other, code], &preset[..], &["--unknown-status", "accept"]].concat();
        world.run("amparo-verifier", &arguments, expected).json
    };
    let shown = world.show("unknown", &["--yes", "--known-only"]);
    assert_eq!(ask(&shown.code, 4)["error"]["code"], "access_denied");
    assert_eq!(shown.ended(4)["error"]["code"], "refused");
    // As online: --yes takes one that is not known, and says so.
    let shown = world.show("accepted", &["--yes"]);
    ask(&shown.code, 0);
    assert_eq!(shown.ended(0)["known"], false);

    let shown = world.show("silent", &["--yes"]);
    let (session, mut link, message) = stranger(&shown.code);
    link.send(&message).unwrap();
    let Received::Last(answer) = session.receive(&link.receive(SOON).unwrap()).unwrap() else { panic!("not the last") };
    assert_eq!(answer, device_response(&[]), "what a wallet without anything says");
    let failure = shown.ended(4);
    assert!(failure["error"]["message"].as_str().unwrap().contains("does not say who it is"), "{failure}");
    assert_eq!(world.copies_left(), 2);
}

#[test]
fn attack_48_sessions_that_are_changed_replayed_or_shared() {
    let Some(world) = in_the_desert() else { return };
    // Changed on the way to the wallet.
    let shown = world.show("changed", &["--yes"]);
    let (_, mut link, mut message) = stranger(&shown.code);
    *message.last_mut().unwrap() ^= 1;
    link.send(&message).unwrap();
    assert_eq!(hex(&link.receive(SOON).unwrap()), "a1667374617475730a", "status 10, encryption error");
    assert_eq!(shown.ended(4)["error"]["code"], "refused");

    // Replayed to another code of the same wallet; and a second reader at one code.
    let first = world.show("one", &["--yes"]);
    let code = first.code.clone();
    let (_, mut link, message) = stranger(&code);
    link.send(&message).unwrap();
    first.ended(4);
    assert_eq!(world.read_code(&[&code], &[], 6)["error"]["code"], "no_holder", "a code is good once");
    let second = world.show("two", &["--yes"]);
    let engagement = credentials::proximity::DeviceEngagement::from_uri(&second.code).unwrap();
    let mut link = TcpLink::call(socket(&engagement), Reach::ThisMachine, SOON, BOUNDS).unwrap();
    link.send(&message).unwrap();
    assert_eq!(hex(&link.receive(SOON).unwrap()), "a1667374617475730a");
    assert_eq!(second.ended(4)["error"]["code"], "refused");
    let third = world.show("three", &["--yes"]);
    let mut link = TcpLink::call(socket_of(&third.code), Reach::ThisMachine, SOON, BOUNDS).unwrap();
    link.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(hex(&link.receive(SOON).unwrap()), "a1667374617475730b", "status 11, decoding error");
    third.ended(4);
    assert_eq!(world.copies_left(), 3);

    // Changed on the way to the reader, or cut off: a wallet of ours in this process.
    for (changed, exit, code) in [(true, 4, "session_broken"), (false, 6, "no_holder")] {
        let waiting = Waiting::at("127.0.0.1:0".parse().unwrap(), Reach::ThisMachine).unwrap();
        let holder = HolderEngagement::new(key(62), vec![Retrieval::Socket(waiting.address())]);
        let uri = holder.qr_uri();
        let wallet = spawn(move || {
            let (mut link, message) = waiting.first(SOON, BOUNDS).unwrap();
            let (session, _) = holder.accept(&message).unwrap();
            if changed {
                let mut answer = session.send_last(&device_response(&[])).unwrap();
                let place = answer.len() / 2;
                answer[place] ^= 1;
                link.send(&answer).unwrap();
                let _ = link.receive(SOON);
            }
        });
        assert_eq!(world.read_code(&[&uri], &[], exit)["error"]["code"], code);
        wallet.join().unwrap();
    }
}

#[test]
fn codes_that_lead_elsewhere_or_nowhere_are_refused_by_name() {
    let Some(world) = in_the_desert() else { return };
    let code = |ways| HolderEngagement::new(key(63), ways).qr_uri();
    let far = code(vec![Retrieval::Socket("192.0.2.7:4000".parse().unwrap())]);
    assert_eq!(world.read_code(&[&far], &[], 2)["error"]["code"], "not_this_machine");
    assert_eq!(world.read_code(&[&code(Vec::new())], &[], 6)["error"]["code"], "no_way");
    assert_eq!(world.read_code(&["mdoc:AAAA"], &[], 4)["error"]["code"], "engagement_invalid");
    assert_eq!(world.read_code(&["openid4vp://x"], &[], 2)["error"]["code"], "usage");
    for wrong in [["--listen", "192.0.2.7:0"], ["--listen", "0.0.0.0:0"], ["--code", "code.gif"]] {
        let failure = world.holder("proximity", &[&["--yes"], &wrong[..]].concat(), 2).json;
        assert_eq!(failure["error"]["code"], "usage", "{failure}");
    }
    let nobody = world.holder("proximity", &["--yes", "--wait", "1s"], 6).json;
    assert_eq!(nobody["error"]["code"], "network");
    // Over Bluetooth: a code without it, and one with it where there is none.
    assert_eq!(world.read_code(&[&far], &["--ble"], 6)["error"]["code"], "no_way");
    let found = code(vec![Retrieval::Ble(Ble { peripheral: Some([7; 16]), central: None })]);
    let said = world.read_code(&[&found], &[], 6);
    assert!(said["error"]["hint"].as_str().unwrap().contains("--ble"), "{said}");
    let told = |said: &Value| {
        let error = &said["error"];
        assert_eq!((&error["code"], error["message"].is_string()), (&json!("no_radio"), true), "{said}");
        assert!(error["hint"].as_str().unwrap().contains("--ble"), "{said}");
    };
    told(&world.read_code(&[&found], &["--ble"], 2));
    let before = world.copies_left();
    told(&world.holder("proximity", &["--yes", "--ble"], 2).json);
    assert_eq!(world.copies_left(), before);
}

fn socket_of(code: &str) -> SocketAddr {
    socket(&credentials::proximity::DeviceEngagement::from_uri(code).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
