//! The command as scripts meet it: exit codes, one JSON object, nothing lost on bad input.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn amparo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amparo"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn run(arguments: &[&str]) -> (i32, Value, Output) {
    answer(amparo(arguments).arg("--json"))
}

fn answer(command: &mut Command) -> (i32, Value, Output) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not one JSON object: {text:?} {output:?}"));
    (output.status.code().expect("an exit code"), json, output)
}

fn code(json: &Value) -> &str {
    json["error"]["code"].as_str().unwrap_or_default()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The home with the models and the photographs, or `None` where `cargo xtask setup` has not run.
fn home() -> Option<PathBuf> {
    let home = wallet_app::adapters::home::Home::find().ok()?.path().to_path_buf();
    let there = home.join("runtime/libonnxruntime.so").is_file() && home.join("photographs/obama.jpg").is_file();
    if !there {
        println!("skipped: run cargo xtask setup");
    }
    there.then_some(home)
}

/// A vault made from two photographs, and what opens it.
struct Scene {
    folder: tempfile::TempDir,
    home: PathBuf,
}

impl Scene {
    fn new() -> Option<Self> {
        let home = home()?;
        let scene = Self { folder: tempfile::tempdir().unwrap(), home };
        std::fs::write(scene.place("pin"), "48213957\n").unwrap();
        let (exit, json, output) = scene.make("me.amparo", "device.key");
        assert_eq!(exit, 0, "{output:?}");
        assert_eq!(json["created"], true);
        Some(scene)
    }

    fn make(&self, vault: &str, key: &str) -> (i32, Value, Output) {
        let (vault, key, pin) = (self.place(vault), self.place(key), self.place("pin"));
        let (one, two) = (self.photograph("obama.jpg"), self.photograph("obama2.jpg"));
        let keys = ["--vault", text(&vault), "--device-key", text(&key), "--pin-file", text(&pin)];
        run(&[&["new", "--face", text(&one), "--face", text(&two)][..], &keys].concat())
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn photograph(&self, name: &str) -> PathBuf {
        self.home.join("photographs").join(name)
    }

    /// Opens with the photograph that was not enrolled, unless told otherwise.
    fn open(&self, command: &str, change: &[(&str, &Path)], rest: &[&str]) -> Command {
        let mut given: Vec<(&str, PathBuf)> = vec![
            ("--vault", self.place("me.amparo")),
            ("--face", self.photograph("obama3.jpg")),
            ("--pin-file", self.place("pin")),
            ("--device-key", self.place("device.key")),
        ];
        for (option, path) in change {
            given.iter_mut().find(|(name, _)| name == option).unwrap().1 = path.to_path_buf();
        }
        let mut all = amparo(&[command]);
        given.iter().for_each(|(option, path)| {
            all.arg(option).arg(path);
        });
        all.args(rest).arg("--json");
        all
    }
}

#[test]
fn every_command_explains_itself() {
    let commands = [
        "new",
        "trust",
        "unlock",
        "receive",
        "list",
        "show",
        "present",
        "refuse",
        "history",
        "forget",
        "attest",
        "refill",
        "paper",
        "proximity",
        "challenge",
    ];
    for command in commands {
        let output = amparo(&[command, "--help"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(
            ["Example:", "Examples:"].iter().any(|word| help.contains(word))
                && help.contains(&format!("amparo {command} ")),
            "{help}"
        );
    }
    for later in ["pin", "enrol", "withdraw"] {
        assert_eq!(amparo(&[later, "--help"]).output().unwrap().status.code(), Some(2), "{later} is not there yet");
    }
}

#[test]
fn what_is_mistyped_is_usage() {
    for arguments in [
        &["unknown"][..],
        &["unlock"],
        &["unlock", "--vault"],
        &["unlock", "--vault", "v", "--face", "f", "--frobnicate"],
        &["present", "--vault", "v", "--face", "f", "--device-key", "k", "openid4vp://", "--for", "a while"],
        &["list", "--vault", "v", "--face", "f"],
    ] {
        let (exit, json, _) = run(arguments);
        assert_eq!((exit, code(&json)), (2, "usage"), "{arguments:?}");
        assert!(
            json["error"]["message"].as_str().unwrap().len() > 5 && json["error"]["hint"].as_str().unwrap().len() > 5
        );
    }
    let output = amparo(&["list", "--vault", "v", "--face", "f"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--device-key FILE"), "it says what to give");
    assert!(output.stdout.is_empty());
}

#[test]
fn attack_93_a_bad_picture_is_judged_before_the_vault_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("notes.jpg"), "this is a text file\n").unwrap();
    std::fs::write(place("empty.png"), "").unwrap();
    std::fs::write(place("me.amparo"), "not looked at").unwrap();
    for face in ["absent.jpg", ".", "notes.jpg", "empty.png"] {
        for command in ["unlock", "list"] {
            let (vault, face_path, key) = (place("me.amparo"), place(face), place("key"));
            let (exit, json, _) =
                run(&[command, "--vault", text(&vault), "--face", text(&face_path), "--device-key", text(&key)]);
            assert_eq!((exit, code(&json)), (3, "unavailable"), "{face}: {json}");
            let hint = json["error"]["hint"].as_str().unwrap().to_lowercase();
            assert!(hint.contains("picture") || hint.contains("photograph"), "{face}: {hint}");
            assert!(!hint.contains("pin") && !hint.contains("key") && !hint.contains("vault"), "{face}: {hint}");
        }
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["empty.png", "me.amparo", "notes.jpg"], "no lock, no key, nothing was made");
}

#[test]
fn missing_models_name_the_command_that_fetches_them() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("grey.ppm");
    let mut ppm = b"P6 320 320 255\n".to_vec();
    ppm.extend(vec![128; 320 * 320 * 3]);
    std::fs::write(&picture, ppm).unwrap();
    let arguments = ["unlock", "--vault", "v", "--face", text(&picture), "--device-key", "k", "--json"];
    let (exit, json, _) = answer(amparo(&arguments).env("AMPARO_HOME", folder.path().join("nothing")));
    assert_eq!((exit, code(&json)), (7, "setup"));
    assert!(json["error"]["hint"].as_str().unwrap().contains("cargo xtask setup"));
}

#[test]
fn attack_92_a_model_that_is_not_the_pinned_one_is_refused() {
    let Some(home) = home() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("models")).unwrap();
    std::fs::create_dir_all(folder.path().join("runtime")).unwrap();
    for model in std::fs::read_dir(home.join("models")).unwrap() {
        let model = model.unwrap();
        let mut bytes = std::fs::read(model.path()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(folder.path().join("models").join(model.file_name()), bytes).unwrap();
    }
    std::fs::copy(home.join("runtime/libonnxruntime.so"), folder.path().join("runtime/libonnxruntime.so")).unwrap();
    let face = home.join("photographs/obama.jpg");
    let arguments = ["unlock", "--vault", "v", "--face", text(&face), "--device-key", "k", "--json"];
    let (exit, json, _) = answer(amparo(&arguments).env("AMPARO_HOME", folder.path()));
    assert_eq!((exit, code(&json)), (7, "setup"), "{json}");
}

#[test]
fn a_vault_is_made_opened_and_never_overwritten() {
    let Some(scene) = Scene::new() else { return };
    let made = std::fs::read(scene.place("me.amparo")).unwrap();
    assert_eq!(made.len(), wallet_core::vault::FILE_LEN);
    let (exit, json, _) = answer(&mut scene.open("unlock", &[], &[]));
    assert_eq!((exit, &json["unlocked"]), (0, &Value::Bool(true)), "{json}");
    let (exit, json, _) = answer(&mut scene.open("list", &[], &[]));
    assert_eq!((exit, &json["credentials"]), (0, &Value::Array(vec![])));
    let (exit, json, _) = answer(&mut scene.open("history", &[], &[]));
    assert_eq!((exit, &json["history"]), (0, &Value::Array(vec![])));
    let (exit, json, _) = scene.make("me.amparo", "device.key");
    assert_eq!((exit, code(&json)), (7, "storage"));
    assert_eq!(std::fs::read(scene.place("me.amparo")).unwrap(), made);
    let (exit, json, _) = scene.make("second.amparo", "device.key");
    assert_eq!(exit, 0, "one device key serves several vaults: {json}");
    assert_eq!(answer(&mut scene.open("unlock", &[], &[])).0, 0);
    assert_eq!(answer(&mut scene.open("unlock", &[("--vault", &scene.place("second.amparo"))], &[])).0, 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for name in ["me.amparo", "device.key"] {
            assert_eq!(std::fs::metadata(scene.place(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn attack_77_every_reason_not_to_open_is_one_answer() {
    let Some(scene) = Scene::new() else { return };
    scene.make("other.amparo", "other.key");
    std::fs::write(scene.place("wrong-pin"), "11111111\n").unwrap();
    std::fs::write(scene.place("no.key"), "this is no device key").unwrap();
    let vault = std::fs::read(scene.place("me.amparo")).unwrap();
    std::fs::write(scene.place("short.amparo"), &vault[..vault.len() / 2]).unwrap();
    std::fs::write(scene.place("empty.amparo"), "").unwrap();
    std::fs::write(scene.place("long.amparo"), [&vault[..], b"x"].concat()).unwrap();
    let mut flipped = vault.clone();
    flipped[vault.len() / 2] ^= 1;
    std::fs::write(scene.place("flipped.amparo"), &flipped).unwrap();

    let changes: [(&str, PathBuf); 9] = [
        ("--face", scene.photograph("biden.jpg")),
        ("--pin-file", scene.place("wrong-pin")),
        ("--device-key", scene.place("other.key")),
        ("--device-key", scene.place("no.key")),
        ("--device-key", scene.place("absent.key")),
        ("--vault", scene.place("short.amparo")),
        ("--vault", scene.place("empty.amparo")),
        ("--vault", scene.place("long.amparo")),
        ("--vault", scene.place("flipped.amparo")),
    ];
    let mut answers = Vec::new();
    for (option, path) in &changes {
        let started = Instant::now();
        let (exit, json, output) = answer(&mut scene.open("list", &[(option, path)], &[]));
        assert_eq!(exit, 3, "{option} {path:?}: {json}");
        assert!(started.elapsed() >= Duration::from_millis(1_200), "{option} {path:?}: too quick");
        answers.push((json, output.stderr));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(code(&answers[0].0), "unavailable");
    assert!(!scene.place("absent.key").exists(), "only `new` makes a device key");
    assert_eq!(std::fs::read(scene.place("flipped.amparo")).unwrap(), flipped, "the file is untouched");
    assert_eq!(answer(&mut scene.open("unlock", &[], &[])).0, 0, "and the right ones open");
}

#[cfg(target_os = "linux")]
#[test]
fn an_unlock_lets_go_of_the_models_before_argon2_takes_its_memory() {
    let Some(scene) = Scene::new() else { return };
    let mut child = scene.open("unlock", &[], &[]).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0_u64;
    let exit = loop {
        // The kernel's own high-water mark: looked at often enough to be seen once Argon2 has filled its memory.
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let peak =
            told.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|line| line.split_whitespace().next());
        most = most.max(peak.and_then(|kib| kib.parse().ok()).unwrap_or_default());
        match child.try_wait().unwrap() {
            Some(exit) => break exit.code(),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!(exit, Some(0));
    assert!(most > ARGON2_KIB, "Argon2's memory was not seen: {most} KiB");
    // About 100 MiB are the vault, the programs and what the C library keeps; with the models it would be 140 and more.
    assert!(most < ARGON2_KIB + 125 * 1024, "at most {} MiB beside Argon2's", (most - ARGON2_KIB) / 1024);
}

/// What one Argon2id of a vault takes: 256 MiB.
const ARGON2_KIB: u64 = 256 * 1024;

#[test]
fn attack_88_failed_attempts_are_counted_across_processes() {
    let Some(scene) = Scene::new() else { return };
    std::fs::write(scene.place("wrong-pin"), "11111111\n").unwrap();
    let wrong = || {
        let begun = Instant::now();
        assert_eq!(answer(&mut scene.open("unlock", &[("--pin-file", &scene.place("wrong-pin"))], &[])).0, 3);
        begun.elapsed()
    };
    let slowest = (0..6).map(|_| wrong()).max().unwrap();
    // The sixth failure set a wait of 30 s. On a machine so busy that one more attempt may take as long, the seventh and the
    // eighth are awaited: they set longer ones.
    let mut wait = Duration::from_secs(30);
    for longer in [60, 300] {
        if slowest * 4 > wait {
            std::thread::sleep(wait + Duration::from_secs(1));
            wrong();
            wait = Duration::from_secs(longer);
        }
    }
    // Now even the right ones do not open.
    assert_eq!(answer(&mut scene.open("unlock", &[], &[])).0, 3);
}

#[test]
fn what_is_not_there_is_told() {
    let Some(scene) = Scene::new() else { return };
    let key = scene.place("device.key");
    for (option, path) in [
        ("--vault", scene.place("absent.amparo")),
        ("--vault", scene.folder.path().to_path_buf()),
        ("--pin-file", scene.place("absent")),
        ("--pin-file", scene.folder.path().to_path_buf()),
    ] {
        let (exit, json, _) = answer(&mut scene.open("unlock", &[(option, &path)], &[]));
        assert_eq!((exit, code(&json)), (7, "storage"), "{option} {path:?}: {json}");
    }
    std::fs::write(scene.place("anchor.pem"), "not a certificate").unwrap();
    for (anchor, expected) in [(scene.place("anchor.pem"), 2), (scene.place("absent.pem"), 7), (key, 2)] {
        let (exit, json, _) = answer(&mut scene.open("trust", &[], &["--anchor", text(&anchor)]));
        assert_eq!(exit, expected, "{anchor:?}: {json}");
    }
    for id in ["x", "00000000000000000000000000000000"] {
        for command in ["show", "forget"] {
            assert_eq!(answer(&mut scene.open(command, &[], &[id])).0, 2, "{command} {id}");
        }
    }
}

#[test]
fn links_that_lead_nowhere_end_with_their_own_codes() {
    let Some(scene) = Scene::new() else { return };
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let offer = |issuer: &str| {
        let offer = format!(
            r#"{{"credential_issuer":"{issuer}","credential_configuration_ids":["identity"],"grants":{{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{{"pre-authorized_code":"x"}}}}}}"#
        );
        let offer: String = url::form_urlencoded::byte_serialize(offer.as_bytes()).collect();
        format!("openid-credential-offer://?credential_offer={offer}")
    };
    let request = |uri: &str| {
        let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        format!("openid4vp://?client_id=x509_hash%3Aabc&request_uri={uri}")
    };
    for (command, link, expected) in [
        ("receive", "nonsense".to_owned(), 2),
        ("receive", "openid-credential-offer://".to_owned(), 4),
        ("present", "https://example.org/".to_owned(), 2),
        ("present", "openid4vp://?".to_owned(), 4),
        ("receive", offer(&format!("http://{dead}")), 6),
        ("present", request(&format!("http://{dead}/r")), 6),
        ("refuse", request(&format!("http://{dead}/r")), 6),
    ] {
        let rest = if command == "refuse" { vec![link.as_str()] } else { vec![link.as_str(), "--yes"] };
        // A proxy in the environment would be asked, and answer that there is nobody: it is never asked.
        let mut command_line = scene.open(command, &[], &rest);
        let (exit, json, _) =
            answer(command_line.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9"));
        assert_eq!(exit, expected, "{command} {link}: {json}");
    }
    // Attack 43: private addresses behind links of the person's own.
    for address in
        ["http://10.0.0.1", "https://10.0.0.1", "http://169.254.169.254", "https://[::ffff:127.0.0.1]", "file:///etc"]
    {
        let (exit, json, _) = answer(&mut scene.open("receive", &[], &[&offer(address), "--yes"]));
        assert!(matches!(exit, 2 | 4), "{address}: {exit} {json}");
    }
}

/// Prints of two fingers beside the project, or nothing where they are not.
fn prints() -> Option<PathBuf> {
    let data = std::env::var_os("AMPARO_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let prints = data.join("fingers/fvc2002/DB1_B");
    if !prints.is_dir() {
        println!("skipped: {} is not here", prints.display());
        return None;
    }
    Some(prints)
}

#[test]
fn a_vault_that_asks_for_a_finger_opens_with_it_and_with_nothing_else() {
    let Some(prints) = prints() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("pin"), "48213957\n").unwrap();
    std::fs::write(place("wrong-pin"), "48213958\n").unwrap();
    std::fs::write(place("short-pin"), "48213\n").unwrap();
    let print = |name: &str| prints.join(name);
    let new = |fingers: &[&str], pin: Option<&str>| {
        let mut command = amparo(&["new"]);
        fingers.iter().for_each(|name| {
            command.arg("--finger").arg(print(name));
        });
        pin.iter().for_each(|pin| {
            command.arg("--pin-file").arg(place(pin));
        });
        command.arg("--vault").arg(place("me.amparo")).arg("--device-key").arg(place("device.key")).arg("--json");
        answer(&mut command)
    };
    let three = ["101_1.tif", "101_2.tif", "101_3.tif"];
    let refused = |(exit, json, _): (i32, Value, Output), expected: i32, hint: &str| {
        assert_eq!(exit, expected, "{json}");
        assert!(json["error"]["hint"].as_str().unwrap().contains(hint), "{json}");
        assert!(!place("me.amparo").exists());
    };
    refused(new(&three, None), 2, "--pin-file");
    refused(new(&three, Some("short-pin")), 2, "six");
    refused(new(&three[..1], Some("pin")), 2, "--finger");
    refused(new(&["101_1.tif", "101_2.tif", "105_1.tif"], Some("pin")), 3, "one finger");
    let (exit, json, _) = new(&three, Some("pin"));
    assert_eq!(
        (exit, &json["finger"], &json["convenience_only"]),
        (0, &Value::Bool(true), &Value::Bool(false)),
        "{json}"
    );
    assert!(json["warnings"].to_string().contains("inside this program"), "{json}");

    let open = |finger: &str, pin: &str, key: &str| {
        let mut command = amparo(&["list", "--json"]);
        command.arg("--finger").arg(print(finger)).arg("--pin-file").arg(place(pin));
        command.arg("--vault").arg(place("me.amparo")).arg("--device-key").arg(place(key));
        let started = Instant::now();
        (answer(&mut command), started.elapsed())
    };
    let ((exit, json, _), _) = open("101_4.tif", "pin", "device.key");
    assert_eq!((exit, &json["credentials"]), (0, &Value::Array(vec![])), "{json}");
    let wrong =
        [("105_1.tif", "pin", "device.key"), ("101_4.tif", "wrong-pin", "device.key"), ("101_4.tif", "pin", "no.key")];
    let mut answers = Vec::new();
    for (finger, pin, key) in wrong {
        let ((exit, json, output), took) = open(finger, pin, key);
        assert_eq!(exit, 3, "{finger} {pin} {key}: {json}");
        assert!(took >= Duration::from_millis(1_200), "{finger} {pin} {key}: too quick");
        answers.push((json, output.stderr));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    let (exit, json, _) = run(&["unlock", "--vault", "v", "--finger", "f", "--face", "g"]);
    assert_eq!((exit, code(&json)), (2, "usage"), "a finger or a face");
    let (exit, json, _) = run(&["unlock", "--vault", "v", "--face", "g", "--capture", "photograph"]);
    assert_eq!((exit, code(&json)), (2, "usage"), "--capture is the finger's");
    assert_eq!(open("101_5.tif", "pin", "device.key").0.0, 0);
}
