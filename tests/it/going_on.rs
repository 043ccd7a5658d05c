//! Where the person goes on in a browser: a program called `xdg-open` that writes down what it is given stands for it.

use crate::world::World;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

impl World {
    /// The holder's command, where the system opens browsers by a program of ours; and where that writes.
    fn with_browser(&self, name: &str, command: &str, rest: &[&str]) -> (Child, PathBuf) {
        let (folder, opened) = (self.place(name), self.place(&format!("{name}.txt")));
        std::fs::create_dir(&folder).unwrap();
        let opener = folder.join("xdg-open");
        let script = "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$1\" > \"$OPENED.new\"\nmv \"$OPENED.new\" \"$OPENED\"\n";
        std::fs::write(&opener, script).unwrap();
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let (vault, pin, key, face) =
            (self.text("vault"), self.text("pin"), self.text("key"), self.photograph("obama3.jpg"));
        let mut run: Command = self.commands.command("amparo");
        run.env("PATH", path).env("OPENED", &opened).args([command, "--json", "--vault", &vault]);
        run.args(["--pin-file", &pin, "--device-key", &key, "--face", &face, "--yes"]).args(rest);
        run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (run.spawn().unwrap(), opened)
    }
}

fn said(wallet: Child) -> Value {
    let output = wallet.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// What the browser was given, once it was.
fn given(opened: &Path) -> String {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if let Ok(text) = std::fs::read_to_string(opened) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no browser was opened")
}

#[test]
fn a_browser_is_opened_where_the_verifier_says_only_when_the_person_does() {
    let Some(world) = World::with_vault() else { return };
    let (_, offer, code) = world.offer("2");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let ask = || {
        let terms = ["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"];
        world.request(&[&terms[..], &["--redirect", "https://shop.example/back"]].concat()).1
    };
    let (wallet, unopened) = world.with_browser("unasked", "present", &[&ask()]);
    let address = said(wallet)["redirect_uri"].clone();
    assert!(address.as_str().unwrap().starts_with("https://shop.example/back"), "{address}");
    let (wallet, opened) = world.with_browser("open", "present", &[&ask(), "--open"]);
    let address = said(wallet)["redirect_uri"].as_str().unwrap().to_owned();
    assert_eq!(given(&opened), format!("1\n{address}\n"), "one argument, whole");
    assert!(!unopened.exists(), "nobody said so");
}

#[test]
fn the_issuer_s_page_is_opened_when_the_person_says_so() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&["--grant", "authorization-code"]);
    let link = offer["credential_offer_uri"].as_str().unwrap();
    let (mut wallet, opened) = world.with_browser("page", "receive", &[link, "--open"]);
    let given = given(&opened);
    // The page waits for a person; this one leaves.
    wallet.kill().unwrap();
    wallet.wait().unwrap();
    let page = given.strip_prefix("1\n").unwrap();
    assert!(page.starts_with(&format!("{}/authorize?", world.issuer_url)), "{page}");
}
