//! The command line as a script and a person use it. By the machine's own clock.

use crate::issuer::Issuer;
use crate::world::{asked_paths, http, present};
use credentials::consent::{Choice, ConsentId, RequestIn, grant};
use credentials::jwe::Recipient;
use credentials::key_binding::KeyBindingClaims;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::openid4vp::RequestObject;
use schemas::{Seconds, Timestamp};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_amparo-verifier"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Exit code and the one JSON object.
fn json_of(arguments: &[&str]) -> (i32, Value) {
    let output = program().arg("--json").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "exactly one line: {text}");
    (output.status.code().unwrap(), serde_json::from_str(&text).unwrap())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix(since.as_secs() as i64)
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A verifier that serves, in `dir`, trusting `issuer`.
fn serving(dir: &Path, issuer: &Issuer) -> (String, Served) {
    // A port that was free a moment ago: `init` must name it before `serve` takes it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let data = dir.join("desk").to_str().unwrap().to_owned();
    let url = format!("http://127.0.0.1:{port}");
    let (code, made) = json_of(&["init", "--data", &data, "--url", &url, "--name", "Border post 4"]);
    assert_eq!(code, 0, "{made}");
    assert!(made["client_id"].as_str().unwrap().starts_with("x509_hash:"));
    let anchor = dir.join("issuer.pem");
    std::fs::write(&anchor, &issuer.anchor).unwrap();
    assert_eq!(json_of(&["trust", "--data", &data, "--anchor", anchor.to_str().unwrap()]).1["known_issuers"], 1);
    let mut child = program()
        .args(["--json", "serve", "--data", &data, "--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["listening"], url.as_str());
    (data, Served(child))
}

async fn fetch(request_uri: &str) -> RequestObject {
    let link = url::Url::parse(request_uri).unwrap();
    let uri = link.query_pairs().find(|(name, _)| name == "request_uri").unwrap().1.into_owned();
    let text = http().get(&uri).send().await.unwrap().text().await.unwrap();
    serde_json::from_value(crate::issuer::payload(&text)).unwrap()
}

async fn answer(object: &RequestObject, issuer: &Issuer, lasting: u64) -> u16 {
    let mut rng = ChaCha20Rng::seed_from_u64(now().unix() as u64);
    let proposal = RequestIn::parse(object.transaction_data.as_deref().unwrap_or_default()).unwrap().unwrap();
    let choice = Choice { claims: asked_paths(), lasting: Some(Seconds::new(lasting)), ..Choice::default() };
    let binding = KeyBindingClaims {
        audience: object.client_id.clone(),
        nonce: object.nonce.clone(),
        issued_at: now(),
        transaction_data_hashes: Some(vec![proposal.hash().to_owned()]),
        consent: Some(grant(&proposal, &choice, ConsentId::generate(&mut rng), &[7; 32], now()).unwrap()),
        amr: Vec::new(),
        acr: None,
        auth_time: None,
    };
    let shown = present(&issuer.issue(&Issuer::draft(now(), None)), &asked_paths(), &binding);
    let recipient = Recipient::choose(object.client_metadata.as_ref().unwrap()).unwrap();
    let plain = json!({"vp_token": {"identity": [shown]}, "state": object.state}).to_string();
    let jwe = recipient.encrypt(plain.as_bytes(), &mut rng).unwrap();
    let uri = object.response_uri.as_deref().unwrap();
    http().post(uri).form(&[("response", jwe)]).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_init_to_the_end_of_the_consent() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::new(1);
    let (data, _served) = serving(dir.path(), &issuer);
    let request =
        ["request", "--data", &data, "--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m"];
    let (code, made) = json_of(&request);
    assert_eq!(code, 0, "{made}");
    let id = made["transaction"].as_str().unwrap();
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    let (code, result) = json_of(&["result", "--data", &data, id]);
    assert_eq!((code, result), (0, json!({"state": "waiting", "credentials": [], "consent": null})));

    let object = fetch(made["request_uri"].as_str().unwrap()).await;
    assert_eq!(answer(&object, &issuer, 8).await, 200);
    let (code, result) = json_of(&["result", "--data", &data, id, "--wait", "10s"]);
    assert_eq!((code, &result["state"]), (0, &json!("verified")));
    assert_eq!(result["credentials"][0]["type"], "identity");
    assert_eq!(result["credentials"][0]["claims"]["family_name"], "Pérez");
    assert_eq!(result["consent"]["purpose"], "border-entry");
    assert_eq!(result["consent"]["retention"], "15m");
    let plain = String::from_utf8(run(&["result", "--data", &data, id]).stdout).unwrap();
    assert!(plain.contains("Given name: Ana") && plain.contains("Nationalities: ES, FR"), "{plain}");

    // The janitor of the serving process destroys the key by itself.
    let key = Path::new(&data).join("keys").join(format!("{id}.key"));
    assert!(key.exists());
    let patience = std::time::Instant::now() + Duration::from_secs(40);
    while key.exists() && std::time::Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!key.exists());
    let (code, result) = json_of(&["result", "--data", &data, id]);
    assert_eq!((code, &result["state"], &result["credentials"]), (5, &json!("ended"), &json!([])));
    assert_eq!(result["error"]["code"], "consent_ended");
    assert_eq!(result["consent"]["purpose"], "border-entry");
    let audit = json_of(&["audit", "--data", &data, id]).1;
    let events: Vec<_> =
        audit["audit"].as_array().unwrap().iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["stored", "opened", "opened", "ended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::new(2);
    let (data, _served) = serving(dir.path(), &issuer);
    let request =
        ["request", "--data", &data, "--preset", "border-identity", "--purpose", "border-entry", "--retention", "1h"];
    let refused = async |arguments: &[&str], answer: &dyn Fn(&RequestObject) -> Vec<(String, String)>| {
        let made = json_of(&[&request, arguments].concat()).1;
        let object = fetch(made["request_uri"].as_str().unwrap()).await;
        let form = answer(&object);
        http().post(object.response_uri.as_deref().unwrap()).form(&form).send().await.unwrap();
        let (code, result) = json_of(&["result", "--data", &data, made["transaction"].as_str().unwrap()]);
        assert_eq!(result["state"], "refused");
        assert!(!result["error"]["hint"].as_str().unwrap().is_empty());
        (code, result["error"]["code"].as_str().unwrap().to_owned())
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let denial =
        |object: &RequestObject| vec![pair("error", "access_denied"), pair("state", object.state.as_deref().unwrap())];
    assert_eq!(refused(&[], &denial).await, (4, "access_denied".into()));
    let card = issuer.issue(&Issuer::draft(now(), None));
    let without_consent = |object: &RequestObject| {
        let binding = KeyBindingClaims {
            audience: object.client_id.clone(),
            nonce: object.nonce.clone(),
            issued_at: now(),
            transaction_data_hashes: None,
            consent: None,
            amr: Vec::new(),
            acr: None,
            auth_time: None,
        };
        let token = json!({"identity": [present(&card, &asked_paths(), &binding)]}).to_string();
        vec![pair("vp_token", &token), pair("state", object.state.as_deref().unwrap())]
    };
    let plain = ["--response-mode", "direct_post"];
    assert_eq!(refused(&plain, &without_consent).await, (5, "consent_missing".into()));
    assert_eq!(refused(&[], &without_consent).await, (4, "not_encrypted".into()));
}

#[test]
fn mistakes_are_told_in_sentences_and_codes() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (data, nowhere) = (path("desk"), path("nowhere"));
    let init = ["init", "--data", &data, "--url", "http://127.0.0.1:1", "--name", "Desk"];
    assert_eq!(run(&init).status.code(), Some(0));
    let expect = |arguments: &[&str], exit: i32, code: &str| {
        let (got, object) = json_of(arguments);
        assert_eq!((got, object["error"]["code"].as_str()), (exit, Some(code)), "{arguments:?}: {object}");
        for member in ["message", "hint"] {
            assert!(!object["error"][member].as_str().unwrap().is_empty(), "{arguments:?}");
        }
    };
    expect(&init, 2, "exists");
    expect(&["init", "--data", &path("x"), "--url", "http://desk.example", "--name", "Desk"], 2, "usage");
    expect(&["init", "--data", &path("x"), "--url", "http://127.0.0.1:1", "--name", "a\nb"], 2, "usage");
    let by_name =
        ["init", "--data", &path("x"), "--url", "http://127.0.0.1:1", "--name", "Desk", "--client-id", "x509_san_dns"];
    expect(&by_name, 2, "usage");
    expect(&["result", "--data", &nowhere, "abc"], 2, "no_verifier");
    expect(&["result", "--data", &data, "abc"], 2, "unknown_transaction");
    expect(&["result", "--data", &data, "../../etc/passwd"], 2, "unknown_transaction");
    expect(&["trust", "--data", &data, "--anchor", &nowhere], 2, "file");
    expect(&["trust", "--data", &data, "--anchor", &path("desk")], 2, "file");
    std::fs::write(path("text"), "hello").unwrap();
    expect(&["trust", "--data", &data, "--anchor", &path("text")], 2, "not_an_anchor");
    expect(
        &["request", "--data", &data, "--dcql", &path("text"), "--purpose", "age-check", "--retention", "1h"],
        2,
        "usage",
    );
    let request = ["request", "--data", &data, "--preset", "age-over-18", "--purpose", "age-check", "--retention"];
    expect(&[&request[..], &["91d"]].concat(), 2, "usage");
    expect(&[&request[..], &["0s"]].concat(), 2, "usage");
    expect(&[&request[..], &["1h", "--client-id", "x509_san_dns"]].concat(), 2, "usage");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    expect(&["serve", "--data", &data, "--listen", &address], 6, "port_taken");
    expect(&["serve", "--data", &data, "--listen", "nonsense"], 2, "usage");
    expect(&["serve", "--data", &data, "--listen", "0.0.0.0:0"], 2, "not_loopback");
    let again = json_of(&["trust", "--data", &data, "--anchor", &path("desk/trust-anchor.pem")]).1;
    assert_eq!((&again["known_issuers"], &again["anchors"][0]["new"]), (&json!(1), &json!(true)));
    let gone = json_of(&["trust", "--remove", "--data", &data, "--anchor", &path("desk/trust-anchor.pem")]).1;
    assert_eq!((&gone["known_issuers"], &gone["anchors"][0]["removed"]), (&json!(0), &json!(true)));
    let verify = ["verify", "--anchor", &path("desk/trust-anchor.pem"), "--nonce", "n", "--audience", "a"];
    expect(&[&verify[..], &[&path("text")]].concat(), 4, "presentation_invalid");
    std::fs::write(path("cbor"), [0xa3, 0x67, 0xff, 0xfe]).unwrap();
    expect(&[&verify[..], &[&path("cbor")]].concat(), 2, "not_text");
    expect(&[&verify[..3], &[&path("text")]].concat(), 2, "usage");
    let of_mdoc = [&verify[..3], &["--transcript"]].concat();
    expect(&[&of_mdoc[..], &[&path("text"), &path("cbor")]].concat(), 2, "not_a_transcript");
    std::fs::write(path("session"), [0x83, 0xf6, 0xf6, 0xf6]).unwrap();
    expect(&[&of_mdoc[..], &[&path("session"), &path("cbor")]].concat(), 4, "presentation_invalid");
    let plain = run(&["result", "--data", &data, "abc"]);
    let told = String::from_utf8(plain.stderr).unwrap();
    assert!(plain.stdout.is_empty() && told.contains("no such transaction") && told.contains("What to do"), "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path("desk/identity/request-key.pem"), PermissionsExt::from_mode(0o644)).unwrap();
        expect(&[&request[..], &["1h"]].concat(), 7, "exposed_key");
    }
}

#[test]
fn help_has_an_example_for_every_command() {
    for command in ["init", "trust", "serve", "request", "result", "forget", "audit", "renew", "reset-clock", "verify"]
    {
        let output = run(&[command, "--help"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("Example:") && text.contains("amparo-verifier"), "{command}");
    }
}

#[cfg(unix)]
#[test]
fn the_folder_and_its_secrets_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("desk");
    run(&["init", "--data", data.to_str().unwrap(), "--url", "https://desk.example", "--name", "Desk"]);
    let mode = |path: &str| std::fs::metadata(data.join(path)).unwrap().permissions().mode() & 0o777;
    for (path, expected) in [
        ("", 0o700),
        ("keys", 0o700),
        ("identity/root-key.pem", 0o600),
        ("identity/request-key.pem", 0o600),
        ("verifier.db", 0o600),
        ("verifier.json", 0o600),
        ("trust-anchor.pem", 0o644),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
}

#[test]
fn a_renewed_certificate_stands_under_the_same_anchor() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("desk");
    let data = data.to_str().unwrap();
    let made = json_of(&["init", "--data", data, "--url", "https://desk.example", "--name", "Desk"]).1;
    let anchor = std::fs::read(format!("{data}/trust-anchor.pem")).unwrap();
    // `renew` checks the new leaf against the old root before it says so.
    let (code, renewed) = json_of(&["renew", "--data", data]);
    assert_eq!(code, 0, "{renewed}");
    assert_ne!(renewed["client_id"], made["client_id"]);
    assert_eq!(std::fs::read(format!("{data}/trust-anchor.pem")).unwrap(), anchor);
}

#[test]
fn a_presentation_in_a_file_is_verified_offline() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let issuer = Issuer::new(3);
    let uri = "https://lists.example/1";
    let reference = schemas::status::StatusReference { idx: 3, uri: uri.into() };
    let binding = KeyBindingClaims {
        audience: "x509_hash:abc".into(),
        nonce: "n-1".into(),
        issued_at: now(),
        transaction_data_hashes: None,
        consent: None,
        amr: Vec::new(),
        acr: None,
        auth_time: None,
    };
    let card = issuer.issue(&Issuer::draft(now(), Some(reference)));
    std::fs::write(path("anchor.pem"), &issuer.anchor).unwrap();
    std::fs::write(path("shown.txt"), present(&card, &asked_paths(), &binding) + "\n").unwrap();
    std::fs::write(path("good.jwt"), issuer.list(uri, now(), Seconds::DAY, &[])).unwrap();
    std::fs::write(path("bad.jwt"), issuer.list(uri, now(), Seconds::DAY, &[3])).unwrap();
    let verify = |extra: &[&str]| {
        let base = ["verify", "--anchor", &path("anchor.pem"), "--nonce", "n-1", "--audience", "x509_hash:abc"];
        json_of(&[&base[..], extra, &[&path("shown.txt")]].concat())
    };
    let good = path("good.jwt");
    let (code, object) = verify(&["--status-list", &good]);
    assert_eq!((code, &object["verified"], &object["status"]), (0, &json!(true), &json!("valid")));
    assert_eq!(object["claims"]["given_name"], "Ana");
    let refused = |extra: &[&str], code: &str| {
        let (exit, object) = verify(extra);
        assert_eq!((exit, object["error"]["code"].as_str()), (4, Some(code)), "{object}");
    };
    refused(&[], "status_unknown");
    let bad = path("bad.jwt");
    refused(&["--status-list", &bad], "revoked");
    // An older list, or one of the same second, does not bring it back; nor does the end of the list that revoked it.
    refused(&["--status-list", &good, "--status-list", &bad], "revoked");
    refused(&["--status-list", &bad, "--status-list", &good], "revoked");
    let ended = issuer.list(uri, now().minus(Seconds::DAY.times(2)), Seconds::DAY, &[3]);
    std::fs::write(path("ended.jwt"), ended).unwrap();
    refused(&["--status-list", &path("ended.jwt")], "status_unknown");
    refused(&["--status-list", &path("ended.jwt"), "--unknown-status", "accept"], "revoked");
    // By a trust list instead of the anchor itself.
    let (chain, key) = issuer.leaf(credentials::trust::Usage::TrustListSigning);
    let list = |issued_at: Timestamp| {
        let anchors = credentials::trust::TrustAnchors::from_pem(issuer.anchor.as_bytes()).unwrap();
        let certificate = anchors.iter().next().unwrap().der().to_vec();
        let usages = vec![credentials::trust::Usage::CredentialIssuing, credentials::trust::Usage::StatusSigning];
        let entries = [credentials::trust::list::Entry::new(certificate, usages, Default::default()).unwrap()];
        let expires_at = issued_at.plus(Seconds::HOUR);
        let (name, ttl) = ("urn:list", Seconds::HOUR);
        credentials::trust::list::TrustListDraft { name, sequence: 1, issued_at, expires_at, ttl, entries: &entries }
            .sign(&chain, &key)
            .unwrap()
    };
    std::fs::write(path("trust.jwt"), list(now())).unwrap();
    std::fs::write(path("ended-trust.jwt"), list(now().minus(Seconds::DAY))).unwrap();
    let listed = |name: &str, extra: &[&str]| {
        let (list, signer) = (path(name), path("anchor.pem"));
        let base = ["verify", "--trust-list", &list, "--list-signer", &signer, "--nonce", "n-1"];
        json_of(
            &[&base[..], &["--audience", "x509_hash:abc", "--status-list", &good], extra, &[&path("shown.txt")]]
                .concat(),
        )
    };
    assert_eq!(listed("trust.jwt", &[]).1["status"], "valid");
    assert_eq!(listed("ended-trust.jwt", &[]).1["error"]["code"], "status_unknown");
    let (code, object) = listed("ended-trust.jwt", &["--unknown-status", "accept"]);
    assert_eq!((code, &object["status"]), (0, &json!("unknown")), "{object}");
    refused(&["--status-list", &good, "--now", "2020-01-01T00:00:00Z"], "key_binding_invalid");
    let later = now().plus(Seconds::new(301)).to_string();
    refused(&["--status-list", &good, "--now", &later], "key_binding_invalid");
    assert_eq!(verify(&["--unknown-status", "accept"]).1["status"], "unknown");
}

#[test]
fn a_trust_list_is_taken_shown_and_taken_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let data = path("desk");
    json_of(&["init", "--data", &data, "--url", "https://desk.example", "--name", "Desk"]);
    let (ministry, shelter) = (Issuer::new(31), Issuer::new(32));
    let (chain, key) = ministry.leaf(credentials::trust::Usage::TrustListSigning);
    let anchors = credentials::trust::TrustAnchors::from_pem(shelter.anchor.as_bytes()).unwrap();
    let certificate = anchors.iter().next().unwrap().der().to_vec();
    let limits = credentials::trust::AnchorLimits { types: Some(vec!["urn:a".into()]), status_hosts: None };
    let usages = vec![credentials::trust::Usage::CredentialIssuing];
    let entries = [credentials::trust::list::Entry::new(certificate, usages, limits).unwrap()];
    let write = |sequence| {
        let (name, issued_at, ttl) = ("urn:list", now(), Seconds::HOUR);
        let expires_at = now().plus(Seconds::DAY);
        let draft =
            credentials::trust::list::TrustListDraft { name, sequence, issued_at, expires_at, ttl, entries: &entries };
        std::fs::write(path("list.jwt"), draft.sign(&chain, &key).unwrap()).unwrap();
    };
    write(2);
    std::fs::write(path("ministry.pem"), &ministry.anchor).unwrap();
    let (list, signer) = (path("list.jwt"), path("ministry.pem"));
    let trust = |extra: &[&str]| json_of(&[&["trust", "--data", &data][..], extra].concat());
    assert_eq!(trust(&["--list", &list]).1["error"]["code"], "no_list_signer");
    let (code, taken) = trust(&["--list", &list, "--list-signer", &signer]);
    assert_eq!((code, &taken["trust_list"]["number"], &taken["known_issuers"]), (0, &json!(2), &json!(1)), "{taken}");
    let (code, shown) = trust(&["--show"]);
    assert_eq!((code, &shown["trust_lists"][0]["state"]), (0, &json!("current")));
    assert_eq!(shown["anchors"][0]["usages"], json!(["credential"]));
    assert_eq!(shown["anchors"][0]["types"], json!(["urn:a"]));
    let text = String::from_utf8(run(&["trust", "--data", &data, "--show"]).stdout).unwrap();
    assert!(text.contains("Authority 32, as credential, for urn:a, by a list until"), "{text}");
    write(1);
    let (code, refused) = trust(&["--list", &list]);
    assert_eq!((code, &refused["error"]["code"]), (4, &json!("trust_list")), "{refused}");
    // `sync` without any network says how old it is; a file is not fetched.
    let (code, synced) = json_of(&["sync", "--data", &data]);
    assert_eq!((code, &synced["trust_lists"][0]["number"], &synced["current"]), (0, &json!(2), &json!(true)));
    assert_eq!(trust(&["--list", "http://lists.example/1"]).0, 2, "plain HTTP to another machine");
    assert_eq!(trust(&["--list", "urn:list", "--remove"]).1, json!({"removed": true}));
    assert_eq!(trust(&["--show"]).1["anchors"], json!([]));
}
