//! Bad input everywhere: the right exit code, a sentence that says what to do, nothing lost.

use crate::world::{World, commands};
use image::{GenericImage, Rgb, RgbImage};
use serde_json::json;
use tests::free_ports;

/// The error of a `--json` answer: a code, a message, and what to do next.
fn assert_helps(error: &serde_json::Value, code: &str) {
    assert_eq!(error["error"]["code"], code, "{error}");
    for part in ["message", "hint"] {
        assert!(error["error"][part].as_str().is_some_and(|t| t.len() > 10), "no {part}: {error}");
    }
}

#[test]
fn pictures_that_cannot_be_used_are_judged_before_the_vault_is_touched() {
    let Some(world) = World::with_vault() else { return };
    let key_before = std::fs::read(world.place("key")).unwrap();
    let no_face = RgbImage::from_fn(640, 480, |x, y| Rgb([(x / 3) as u8, (y / 2) as u8, 90]));
    no_face.save(world.place("no-face.png")).unwrap();
    let one = image::open(world.photograph("obama.jpg"))
        .unwrap()
        .resize(480, 640, image::imageops::FilterType::Triangle)
        .to_rgb8();
    let two = image::open(world.photograph("biden.jpg"))
        .unwrap()
        .resize(480, 640, image::imageops::FilterType::Triangle)
        .to_rgb8();
    let mut both = RgbImage::new(one.width() + two.width(), one.height().max(two.height()));
    both.copy_from(&one, 0, 0).unwrap();
    both.copy_from(&two, one.width(), 0).unwrap();
    both.save(world.place("two-faces.png")).unwrap();
    std::fs::write(world.place("text.jpg"), "this is no picture").unwrap();
    std::fs::create_dir(world.place("folder.jpg")).unwrap();
    for name in ["no-face.png", "two-faces.png", "text.jpg"] {
        let answer = world.holder_with(&world.text(name), "unlock", &[], 3);
        assert_helps(&answer.json, "unavailable");
    }
    for name in ["folder.jpg", "absent.jpg"] {
        let output = world
            .commands
            .command("amparo")
            .args(["unlock", "--json", "--vault", &world.text("vault")])
            .args(["--pin-file", &world.text("pin"), "--device-key", &world.text("key"), "--face", &world.text(name)])
            .output()
            .unwrap();
        assert!([Some(2), Some(3), Some(7)].contains(&output.status.code()), "{name}: {output:?}");
        assert!(!output.stdout.is_empty(), "{name}: {output:?}");
    }
    assert_eq!(std::fs::read(world.place("key")).unwrap(), key_before, "a picture alone must not count as an attempt");
    world.holder("unlock", &[], 0);
}

#[test]
fn a_damaged_vault_a_wrong_pin_and_an_absent_device_key_are_one_answer_and_nothing_is_lost() {
    let Some(world) = World::with_vault() else { return };
    let vault = std::fs::read(world.place("vault")).unwrap();
    std::fs::write(world.place("vault"), &vault[..vault.len() / 2]).unwrap();
    let truncated = world.holder("unlock", &[], 3).json;
    assert_eq!(
        std::fs::read(world.place("vault")).unwrap(),
        vault[..vault.len() / 2],
        "an unreadable vault is left alone"
    );
    std::fs::write(world.place("vault"), &vault).unwrap();
    std::fs::write(world.place("pin"), "00000000").unwrap();
    let wrong_pin = world.holder("unlock", &[], 3).json;
    std::fs::write(world.place("pin"), crate::world::PIN).unwrap();
    std::fs::rename(world.place("key"), world.place("key-away")).unwrap();
    let no_key = world.holder("unlock", &[], 3).json;
    assert_eq!(truncated["error"], wrong_pin["error"]);
    assert_eq!(truncated["error"], no_key["error"]);
    assert!(!world.place("key").exists(), "only `new` makes a device key");
    std::fs::rename(world.place("key-away"), world.place("key")).unwrap();
    world.holder("unlock", &[], 0);
}

#[test]
fn a_wrong_code_a_dead_issuer_and_a_used_offer_are_told_apart_and_leave_the_vault_as_it_was() {
    let Some(mut world) = World::with_vault() else { return };
    let (_, offer, code) = world.offer("2");
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    assert_helps_any(&world.holder("receive", &[&offer, "--tx-code", wrong, "--yes"], 4).json);
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    assert_helps_any(&world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 4).json);
    let (_, offer, code) = world.offer("2");
    world.issuer = None;
    assert_helps_any(&world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 6).json);
    assert_helps_any(&world.holder("receive", &["https://example.org/no-offer", "--yes"], 2).json);
    assert_eq!(world.holder("list", &[], 0).json["credentials"].as_array().unwrap().len(), 1);
    world.verifier = None;
    let (_, link) = world.request(&["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"]);
    assert_helps_any(&world.holder("present", &[&link, "--yes"], 6).json);
}

#[test]
fn a_clock_a_day_off_is_named_and_costs_nothing() {
    let Some(library) = faketime() else { return println!("skipped: there is no libfaketime here") };
    let Some(world) = World::with_vault() else { return };
    let (vault, pin, key, face) =
        (world.text("vault"), world.text("pin"), world.text("key"), world.photograph("obama3.jpg"));
    let off = |by: &str, command: &str, rest: &[&str]| {
        let mut run = world.commands.command("amparo");
        run.env("LD_PRELOAD", &library).env("FAKETIME", by).args([command, "--json", "--vault", &vault]);
        let output =
            run.args(["--pin-file", &pin, "--device-key", &key, "--face", &face, "--yes"]).args(rest).output().unwrap();
        let said = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        (output.status.code(), said.unwrap_or_else(|_| panic!("{by} {command}: {output:?}")))
    };
    for by in ["-1d", "+1d"] {
        let (_, offer, code) = world.offer("2");
        let (exit, said) = off(by, "receive", &[&offer, "--tx-code", &code]);
        assert_eq!(exit, Some(4), "{by}: {said}");
        assert!(said["error"]["hint"].as_str().unwrap().contains("clock"), "{by}: {said}");
        assert!(world.holder("list", &[], 0).json["credentials"].as_array().unwrap().is_empty(), "nothing was kept");
    }
    let (_, offer, code) = world.offer("2");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    for by in ["-1d", "+1d"] {
        let before = world.holder("list", &[], 0).json["credentials"].clone();
        let (transaction, link) =
            world.request(&["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"]);
        let (exit, said) = off(by, "present", &[&link]);
        assert_eq!(exit, Some(4), "{by}: {said}");
        assert!(said["error"]["hint"].as_str().unwrap().contains("clock"), "{by}: {said}");
        assert_eq!(world.holder("list", &[], 0).json["credentials"], before, "no copy is spent");
        // The same request still serves the same person when the clock is right.
        world.holder("present", &[&link, "--yes"], 0);
        assert_eq!(world.result(&transaction, 0)["state"], "verified");
    }
    // A list that the person took was issued already: an hour before it nobody is called, nor even asked.
    let (authority, anchor, list) = (world.text("issuer"), world.text("issuer/trust-anchor.pem"), world.text("list"));
    std::fs::write(world.place("entries.json"), r#"{"entries": []}"#).unwrap();
    let entries = world.text("entries.json");
    world.run("amparo-issuer", &["trust-list", "--data", &authority, "--entries", &entries, "--out", &list], 0);
    world.holder("trust", &["--list", &list, "--list-signer", &anchor], 0);
    for (command, argument) in
        [("present", "openid4vp://?client_id=x&request_uri=https://verifier.invalid/r"), ("refill", "")]
    {
        let (exit, said) = off("-1h", command, &[argument][usize::from(argument.is_empty())..]);
        assert_eq!((exit, &said["error"]["code"]), (Some(1), &json!("clock_suspect")), "{command}: {said}");
        assert!(said["error"]["hint"].as_str().unwrap().contains("clock"), "{said}");
    }
    assert_eq!(off("-1m", "refill", &[]).0, Some(0), "a minute is no reason");
}

/// The library that shows a process another time, where Debian's package `faketime` has put it.
fn faketime() -> Option<std::path::PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}

fn assert_helps_any(error: &serde_json::Value) {
    let code = error["error"]["code"].as_str().unwrap_or_default().to_owned();
    assert!(!code.is_empty(), "{error}");
    assert_helps(error, &code);
}

#[test]
fn the_same_photograph_twice_is_one_and_says_so() {
    let Some(world) = World::new() else { return };
    let face = world.photograph("obama.jpg");
    let (vault, pin, key) = (world.text("vault"), world.text("pin"), world.text("key"));
    let twice = ["new", "--vault", &vault, "--pin-file", &pin, "--device-key", &key, "--face", &face, "--face", &face];
    assert_helps(&world.run("amparo", &twice, 2).json, "usage");
    assert!(!world.place("vault").exists() && !world.place("key").exists());
}

#[cfg(unix)]
#[test]
fn a_root_key_that_others_may_read_stops_the_issuer() {
    use std::os::unix::fs::PermissionsExt;
    let Some(world) = World::new() else { return };
    let root = world.place("issuer/keys/root.pem");
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (data, claims) = (world.text("issuer"), world.text("claims.json"));
    std::fs::write(&claims, r#"{"given_name": "Alma", "family_name": "Rivas"}"#).unwrap();
    let offer = ["offer", "--data", &data, "--type", "identity", "--claims", &claims, "--count", "2"];
    let said = world.run("amparo-issuer", &offer, 7).json;
    assert!(said["error"]["message"].as_str().unwrap().contains("root.pem"), "{said}");
    std::fs::remove_file(&root).unwrap();
    world.offer("2");
}

#[test]
fn a_taken_port_and_a_second_init_are_refused_with_a_word() {
    let Some(commands) = commands() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("issuer").to_string_lossy().into_owned();
    let [port] = free_ports().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    commands.run("amparo-issuer", &["init", "--data", &data, "--url", &url, "--name", "Registry"], 0).unwrap();
    let again = commands
        .command("amparo-issuer")
        .args(["init", "--data", &data, "--url", &url, "--name", "Registry"])
        .output()
        .unwrap();
    assert!(!again.status.success(), "a second init must not replace the keys");
    let _held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let taken = commands
        .command("amparo-issuer")
        .args(["serve", "--data", &data, "--listen", &format!("127.0.0.1:{port}")])
        .output()
        .unwrap();
    assert_eq!(taken.status.code(), Some(6), "{taken:?}");
    assert!(String::from_utf8_lossy(&taken.stderr).contains(&port.to_string()), "{taken:?}");
}
