//! An issuer, a wallet and a verifier that others wrote take the other side (npm: `@openid4vc/*`, `@sd-jwt/*`, `jose`).

use crate::world::World;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// Where the peers are installed, or `None` with a word why the test is skipped.
fn peers() -> Option<&'static Path> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    PLACE.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let works = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !works("node") || !works("npm") {
        println!("skipped: Node.js 20 and npm are not here (Debian: apt-get install nodejs npm)");
        return None;
    }
    // Tests run as processes of their own: one installs, the others wait for it.
    let lock = std::fs::File::create(folder.join(".install.lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("node_modules/.package-lock.json").is_file() {
        let status = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&folder)
            .status()
            .unwrap();
        if !status.success() {
            println!("skipped: the peers could not be installed (npm ci): is there a network?");
            return None;
        }
    }
    Some(folder)
}

/// A peer that serves; it says one JSON object a line.
struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    fn start(folder: &Path, script: &str, arguments: &[&str]) -> Self {
        let mut child =
            Command::new("node").arg(folder.join(script)).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the peer said {line:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
    let Some(folder) = peers() else { return };
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
    let Some(folder) = peers() else { return };
    let Some(world) = World::with_vault() else { return };
    let anchor = world.text("peer-issuer.pem");
    let mut issuer = Peer::start(folder, "issuer.mjs", &[&anchor]);
    let offer = issuer.says();
    world.holder("trust", &["--anchor", &anchor], 0);
    world.holder("receive", &[offer["offer"].as_str().unwrap(), "--tx-code", "4321", "--yes", "--known-only"], 0);
    let list = world.holder("list", &[], 0).json;
    assert_eq!(list["credentials"][0]["copies"], 5, "the issuer's batch size is 5");
    for (prefix, mode) in [("x509_san_dns", "direct_post.jwt"), ("x509_hash", "direct_post")] {
        let own = world.text(&format!("peer-verifier-{prefix}.pem"));
        let mut verifier = Peer::start(folder, "verifier.mjs", &[&anchor, &own, prefix, mode]);
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
