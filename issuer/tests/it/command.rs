//! The command, as a process.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-issuer"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn json_of(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "exactly one JSON object: {text}");
    serde_json::from_str(text).unwrap()
}

/// Exit code and error code of a failure; it has a message and a hint as well.
fn failure(arguments: &[&str]) -> (i32, String) {
    let output = run(&[arguments, &["--json"]].concat());
    let error = json_of(&output)["error"].clone();
    for name in ["message", "hint"] {
        assert!(!error[name].as_str().unwrap().is_empty(), "{error}");
    }
    // Without --json the same in sentences, on stderr.
    let plain = run(arguments);
    assert_eq!(plain.status.code(), output.status.code());
    assert!(plain.stdout.is_empty() && !plain.stderr.is_empty());
    (output.status.code().unwrap(), error["code"].as_str().unwrap().to_owned())
}

fn failed(exit: i32, code: &str) -> (i32, String) {
    (exit, code.to_owned())
}

struct Data {
    dir: TempDir,
    path: String,
}

fn data(url: &str) -> Data {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("issuer").display().to_string();
    let output = run(&["init", "--data", &path, "--url", url, "--name", "Casa Abierta", "--json"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json_of(&output)["trust_anchor"], format!("{path}/trust-anchor.pem"));
    Data { dir, path }
}

impl Data {
    fn claims(&self, claims: &Value) -> String {
        let path = self.dir.path().join("claims.json");
        std::fs::write(&path, claims.to_string()).unwrap();
        path.display().to_string()
    }
}

#[test]
fn init_makes_private_keys_and_overwrites_nothing() {
    let data = data("https://issuer.example");
    let dir = Path::new(&data.path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| std::fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
        for file in ["credential.pem", "status.pem", "intermediate.pem", "root.pem", "fingerprint.key"] {
            assert_eq!(mode(&format!("keys/{file}")), 0o600, "{file}");
        }
        assert_eq!((mode("."), mode("keys")), (0o700, 0o700));
    }
    let anchor = std::fs::read(dir.join("trust-anchor.pem")).unwrap();
    let again = ["init", "--data", &data.path, "--url", "https://issuer.example", "--name", "Casa Abierta"];
    assert_eq!(failure(&again), failed(7, "already_initialised"));
    assert_eq!(std::fs::read(dir.join("trust-anchor.pem")).unwrap(), anchor);

    let elsewhere = data.dir.path().join("b").display().to_string();
    let init = |url, name| failure(&["init", "--data", &elsewhere, "--url", url, "--name", name]);
    assert_eq!(init("http://issuer.example", "x"), failed(2, "invalid_url"));
    assert_eq!(init("issuer", "x"), failed(2, "invalid_url"));
    assert_eq!(init("https://issuer.example", "a\r\nb"), failed(2, "invalid_name"));
    assert!(!Path::new(&elsewhere).exists());
    let file = data.claims(&json!({}));
    let under_a_file = format!("{file}/x");
    let blocked = ["init", "--data", &under_a_file, "--url", "https://issuer.example", "--name", "x"];
    assert_eq!(failure(&blocked), failed(7, "storage"));
}

#[test]
fn types_lists_claims() {
    let data = data("https://issuer.example");
    let types = json_of(&run(&["types", "--data", &data.path, "--json"]));
    assert_eq!(types["types"][0]["id"], "identity");
    assert_eq!(types["types"][1]["vct"], "urn:amparo:attestation:1");
    assert_eq!(types["types"][1]["doctype"], "org.amparo.attestation.1");
    assert_eq!(types["types"][0]["configurations"][1]["id"], "identity-mdoc");
    let given_name = &types["types"][0]["claims"][0];
    assert_eq!((&given_name["path"], &given_name["required"]), (&json!(["given_name"]), &json!(true)));
    let text = run(&["types", "--data", &data.path]).stdout;
    assert!(String::from_utf8(text).unwrap().contains("derived from birth_date"));
}

#[test]
fn types_publishes_a_document_of_the_operator() {
    let data = data("https://issuer.example");
    let vct = "https://issuer.example/types/residence/1";
    let file = data.claims(&json!({"vct": vct, "extends": "urn:amparo:attestation:1"}));
    let publish = ["types", "--data", &data.path, "--document", &file];
    let published = json_of(&run(&[&publish[..], &["--json"]].concat()));
    assert_eq!(published["published"][0]["vct"], vct);
    assert!(published["published"][0]["integrity"].as_str().unwrap().starts_with("sha256-"));
    assert!(String::from_utf8(run(&publish).stdout).unwrap().contains(vct));
    data.claims(&json!({"vct": vct, "name": "Another"}));
    assert_eq!(failure(&publish), failed(2, "type_is_published"));
    data.claims(&json!({"vct": "https://other.example/types/x"}));
    assert_eq!(failure(&publish), failed(2, "not_our_type"));
    data.claims(&json!({"vct": format!("{vct}2"), "extends": "https://other.example/types/x"}));
    assert_eq!(failure(&publish), failed(2, "invalid_document"));
    data.claims(&json!([]));
    assert_eq!(failure(&publish), failed(2, "invalid_document"));
    assert_eq!(failure(&["types", "--data", &data.path, "--document", "/nowhere.json"]), failed(2, "document_file"));
}

#[test]
fn offer_and_revoke_say_what_the_contract_says() {
    let data = data("https://issuer.example");
    let claims = data.claims(&json!({"given_name": "Ana", "family_name": "Vega", "birth_date": "1990-05-17"}));
    let offer = ["offer", "--data", &data.path, "--type", "identity", "--claims", &claims, "--count", "3", "--json"];
    let offered = json_of(&run(&offer));
    let members: Vec<_> = offered.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["handle", "credential_offer_uri", "tx_code", "expires_at", "credential_configuration_ids"]);
    assert!(
        offered["credential_offer_uri"].as_str().unwrap().starts_with("openid-credential-offer://?credential_offer=")
    );
    assert_eq!(offered["tx_code"].as_str().unwrap().len(), 8);
    assert!(offered["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(offered["credential_configuration_ids"], json!(["identity"]));
    let waits = json_of(&run(&[&offer[..], &["--deferred", "--decide-within", "3d"]].concat()));
    assert_eq!(waits["reference"].as_str().unwrap().len(), 8);
    assert_eq!(json_of(&run(&["pending", "--data", &data.path, "--json"])), json!({"pending": []}));
    let handle = waits["handle"].as_str().unwrap();
    for decide in ["approve", "decline"] {
        assert_eq!(failure(&[decide, "--data", &data.path, "--handle", handle]), failed(2, "nothing_pending"));
    }
    assert_eq!(
        failure(&[&offer[..7], &["--deferred", "--decide-within", "31d"]].concat()),
        failed(2, "invalid_decision_time")
    );
    let both = json_of(&run(&[&offer[..], &["--format", "sd-jwt,mdoc"]].concat()));
    assert_eq!(both["credential_configuration_ids"], json!(["identity", "identity-mdoc"]));

    let handle = offered["handle"].as_str().unwrap();
    let revoked = json_of(&run(&["revoke", "--data", &data.path, "--handle", handle, "--json"]));
    assert_eq!(revoked, json!({"handle": handle, "revoked": true}));
    assert_eq!(failure(&["revoke", "--data", &data.path, "--handle", handle]), failed(2, "unknown_handle"));
    assert_eq!(failure(&["revoke", "--data", &data.path, "--handle", "x"]), failed(2, "invalid_handle"));

    // From standard input, and in sentences.
    let mut child = command(&["offer", "--data", &data.path, "--type", "attestation", "--claims", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(br#"{"attested_by":"Casa","category":"A"}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("openid-credential-offer://"));
}

#[test]
fn bad_input_has_its_exit_code_and_a_hint() {
    let data = data("https://issuer.example");
    let good = data.claims(&json!({"given_name": "Ana", "family_name": "Vega"}));
    let offer = |type_id: &str, claims: &str, more: &[&str]| {
        failure(&[&["offer", "--data", &data.path, "--type", type_id, "--claims", claims], more].concat())
    };
    assert_eq!(offer("passport", &good, &[]), failed(2, "unknown_type"));
    assert_eq!(offer("identity", "/nowhere.json", &[]), failed(2, "claims_file"));
    assert_eq!(offer("identity", &data.path, &[]), failed(2, "claims_file"));
    assert_eq!(offer("identity", &good, &["--count", "31"]), failed(2, "invalid_count"));
    assert_eq!(offer("identity", &good, &["--count", "0"]), failed(2, "invalid_count"));
    assert_eq!(offer("identity", &good, &["--valid", "0d"]), failed(2, "invalid_validity"));
    assert_eq!(offer("identity", &good, &["--valid", "soon"]), failed(2, "usage"));
    assert_eq!(offer("identity", &good, &["--valid", "36500d"]), failed(2, "outlives_certificate"));
    assert_eq!(offer("identity", &good, &["--redeem-within", "25h"]), failed(2, "invalid_lifetime"));
    assert_eq!(failure(&["revoke"]), failed(2, "usage"));
    assert_eq!(failure(&["nonsense"]), failed(2, "usage"));
    for bad in [json!({"given_name": "Ana"}), json!({"given_name": "Ana", "family_name": "V", "x": 1}), json!([])] {
        let claims = data.claims(&bad);
        assert_eq!(offer("identity", &claims, &[]), failed(2, "invalid_claims"));
    }
    let nowhere = data.dir.path().join("nowhere").display().to_string();
    for name in ["types", "serve", "renew"] {
        assert_eq!(failure(&[name, "--data", &nowhere]), failed(7, "not_initialised"), "{name}");
    }
    let revoke = ["revoke", "--data", &nowhere, "--handle", "00000000000000000000000000000000"];
    assert_eq!(failure(&revoke), failed(7, "not_initialised"));
    assert!(!Path::new(&nowhere).exists(), "a command that fails makes nothing");
}

#[cfg(unix)]
#[test]
fn damaged_and_exposed_files_are_told_by_name() {
    use std::os::unix::fs::PermissionsExt;
    let data = data("https://issuer.example");
    let key = Path::new(&data.path).join("keys/credential.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(failure(&["types", "--data", &data.path]), failed(7, "key_file"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let whole = std::fs::read(&key).unwrap();
    std::fs::write(&key, &whole[..whole.len() / 3]).unwrap();
    assert_eq!(failure(&["types", "--data", &data.path]), failed(7, "key_file"));
    std::fs::write(&key, &whole).unwrap();
    std::fs::write(Path::new(&data.path).join("issuer.sqlite"), b"this is no database, whatever its name says")
        .unwrap();
    assert_eq!(failure(&["types", "--data", &data.path]), failed(7, "damaged"));
}

#[test]
fn help_has_examples() {
    for name in ["init", "serve", "types", "offer", "revoke", "renew"] {
        let output = run(&[name, "--help"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("Example") && text.contains("amparo-issuer"), "{name}");
    }
    assert!(run(&["--version"]).status.success());
}

fn answer_text(answer: &Value) -> &str {
    answer["credentials"][0]["credential"].as_str().unwrap()
}

/// A served issuer, stopped when it goes.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_and_revocations_work_beside_the_running_service() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let data = data(&url);
    let listen = format!("127.0.0.1:{port}");
    let log = data.dir.path().join("serve.log");
    let child = command(&["serve", "--data", &data.path, "--listen", &listen, "--json", "--log-format", "json"])
        .env("RUST_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut served = Served(child);
    let mut line = String::new();
    BufReader::new(served.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json!({"listening": listen, "url": url}));

    // The port is taken.
    assert_eq!(failure(&["serve", "--data", &data.path, "--listen", &listen]), failed(6, "port_taken"));
    assert_eq!(failure(&["serve", "--data", &data.path, "--listen", "0.0.0.0:0"]), failed(2, "not_loopback"));

    let claims = data.claims(&json!({"given_name": "Ana", "family_name": "Vega"}));
    let offer = ["offer", "--data", &data.path, "--type", "identity", "--claims", &claims, "--json"];
    let offered = json_of(&run(&offer));
    let grant = crate::support::link_offer(offered["credential_offer_uri"].as_str().unwrap()).grants.unwrap();
    let http = crate::support::client();
    let code = grant.pre_authorized_code.unwrap().pre_authorized_code;
    let form = [
        ("grant_type", schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offered["tx_code"].as_str().unwrap()),
    ];
    let post = |path: &str| http.post(format!("{url}{path}"));
    let token: Value = post("/token").form(&form).send().await.unwrap().json().await.unwrap();
    let nonce: Value = post("/nonce").send().await.unwrap().json().await.unwrap();
    use issuer::clock::Clock;
    let now = issuer::clock::SystemClock.now();
    let key = &crate::support::keys(1, 90)[0];
    let proof = credentials::proof::create(&url, nonce["c_nonce"].as_str().unwrap(), now, key).unwrap();
    let body = json!({"credential_configuration_id": "identity", "proofs": {"jwt": [proof]}});
    let access_token = token["access_token"].as_str().unwrap();
    let request = post("/credential").bearer_auth(access_token).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let credential = answer["credentials"][0]["credential"].as_str().unwrap();
    let anchors = std::fs::read(Path::new(&data.path).join("trust-anchor.pem")).unwrap();
    let anchors = credentials::trust::TrustAnchors::from_pem(&anchors).unwrap();
    let policy = credentials::trust::ChainPolicy::known_only(&anchors);
    let credential = credentials::sd_jwt::verify_issued(credential, &policy, now).unwrap();

    let handle = offered["handle"].as_str().unwrap();
    assert!(run(&["revoke", "--data", &data.path, "--handle", handle]).status.success());
    let status = credential.status().unwrap();
    let token = http.get(&status.uri).send().await.unwrap().text().await.unwrap();
    let _ = http.get(format!("{url}/credential?access_token={access_token}")).send().await.unwrap();

    // Even a log of everything holds no secret, no claim and no address.
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.lines().count() >= 5 && log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    let tx_code = offered["tx_code"].as_str().unwrap();
    let peer = "127.0.0.1:";
    for secret in [code.as_str(), tx_code, access_token, handle, "Vega", peer, answer_text(&answer)] {
        assert!(!log.replace(&url, "").replace(&listen, "").contains(secret), "{secret} in {log}");
    }

    let list = credentials::status_list::verify(&token, &status.uri, &anchors, now, None).unwrap();
    assert_eq!(list.status(status, now).unwrap(), schemas::status::Status::Invalid);
}

#[test]
fn a_trust_list_is_written_with_a_higher_number_each_time() {
    use credentials::trust::list::verify;
    use credentials::trust::{TrustAnchors, Usage};
    let (authority, shelter) = (data("https://registry.example"), data("https://shelter.example"));
    let anchor = |data: &Data| format!("{}/trust-anchor.pem", data.path);
    let lost = data("https://lost.example");
    let entries = authority.claims(&json!({"entries": [
        {"anchor": anchor(&shelter), "usages": ["credential", "status"], "types": ["attestation"]},
        {"anchor": anchor(&lost), "withdrawn": true},
    ]}));
    let signers = TrustAnchors::from_pem(&std::fs::read(anchor(&authority)).unwrap()).unwrap();
    let list = ["trust-list", "--data", &authority.path, "--entries", &entries];
    let mut known = None;
    for number in 1..=3u64 {
        // The third under a new key: nobody who knows the anchor needs to be told.
        if number == 3 {
            assert!(run(&["renew", "--data", &authority.path]).status.success());
        }
        let written = json_of(&run(&[&list[..], &["--json"]].concat()));
        assert_eq!(
            (&written["number"], &written["anchors"], &written["withdrawn"]),
            (&json!(number), &json!(1), &json!(1))
        );
        let token = std::fs::read_to_string(written["file"].as_str().unwrap()).unwrap();
        let now = schemas::Timestamp::from_unix(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64,
        );
        let taken = verify(token.trim(), &signers, known.as_ref(), now).unwrap();
        assert_eq!((taken.sequence(), taken.name().as_str()), (number, "https://registry.example/trust-list"));
        assert_eq!(taken.entries()[0].usages(), [Usage::CredentialIssuing, Usage::StatusSigning]);
        let types = taken.entries()[0].limits().types.clone().unwrap();
        assert_eq!(types, ["urn:amparo:attestation:1", "org.amparo.attestation.1"]);
        assert!(taken.entries()[1].is_withdrawn());
        known = Some(taken.known().clone());
    }
    assert_eq!(failure(&[&list[..], &["--number", "3"]].concat()), failed(2, "number_taken"));
    assert_eq!(failure(&[&list[..], &["--valid", "91d"]].concat()), failed(2, "invalid_validity"));
    let wrong = authority.claims(&json!({"entries": [{"anchor": anchor(&shelter), "usages": ["trust-list"]}]}));
    assert_eq!(failure(&["trust-list", "--data", &authority.path, "--entries", &wrong]), failed(2, "invalid_entries"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(format!("{}/keys/trust-list.pem", authority.path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
