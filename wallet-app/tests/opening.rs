//! Openings by the command and the real models: by an answer to a challenge, past a network, with a template that follows.
//!
//! Nobody sat before a camera for this: a photograph is bent over a drawn head, which answers. It passes, as decision 0125 says a
//! head drawn in time does; what is shown is that recordings, other faces and second answers do not.

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

use biometrics::models::RUNTIME_LINUX_X86_64;
use biometrics::pad::challenge::{Challenge, Frame, Progress, Reflection, Script};
use biometrics::simulation::{Performance, Portrait, Seed, Species};
use biometrics::{Engine, Sample};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A vault of one person, and the models that look at faces.
struct Scene {
    folder: tempfile::TempDir,
    photographs: PathBuf,
    engine: Engine,
}

impl Scene {
    /// `None` where `cargo xtask setup` has not run.
    fn new() -> Option<Self> {
        let home = wallet_app::adapters::home::Home::find().ok()?;
        let photographs = home.path().join("photographs");
        let (Ok(detector), Ok(embedder), true) = (home.detector(), home.embedder(), photographs.is_dir()) else {
            println!("skipped: run cargo xtask setup");
            return None;
        };
        let runtime = home.path().join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
        let engine = Engine::load(&runtime, &detector, &embedder).unwrap();
        let scene = Self { folder: tempfile::tempdir().unwrap(), photographs, engine };
        std::fs::write(scene.place("pin"), "48213957\n").unwrap();
        let faces = ["obama.jpg", "obama2.jpg"].map(|name| scene.photographs.join(name));
        let (exit, json) =
            scene.run("new", &["--pin-file", "pin", "--face", text(&faces[0]), "--face", text(&faces[1])]);
        assert_eq!(exit, 0, "{json}");
        Some(scene)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &str, rest: &[&str]) -> (i32, Value) {
        self.run_at("+0", command, rest)
    }

    /// Runs the command so much later, where that can be pretended.
    fn run_at(&self, later: &str, command: &str, rest: &[&str]) -> (i32, Value) {
        let mut all = Command::new(env!("CARGO_BIN_EXE_amparo"));
        all.args([command, "--vault", "me.amparo", "--device-key", "device.key", "--json"]).args(rest);
        if let Some(library) = faketime().filter(|_| later != "+0") {
            all.env("LD_PRELOAD", library).env("FAKETIME", later);
        }
        let output = all.current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("RUST_LOG").output().unwrap();
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code().unwrap(), json)
    }

    fn draw(&self, folder: &str) -> (Script, Instant) {
        std::fs::create_dir_all(self.place(folder)).unwrap();
        let file = self.place(folder).join("challenge.json");
        let _ = std::fs::remove_file(&file);
        let (exit, json) = self.run("challenge", &["--new", "--out", text(&file)]);
        assert_eq!((exit, &json["drawn"]), (0, &Value::Bool(true)), "{json}");
        let script = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(json["challenge"], serde_json::to_value(&script).unwrap());
        (script, Instant::now())
    }

    /// Draws, and has a head drawn of this photograph answer. Gives the script when as much time has passed as the recording takes.
    fn draw_and_answer(&mut self, folder: &str, photograph: &str) -> Script {
        let (script, drawn) = self.draw(folder);
        let sample = Sample::decode(&std::fs::read(self.photographs.join(photograph)).unwrap()).unwrap();
        let capture = self.engine.capture(&sample).unwrap();
        let portrait = Portrait::new(&sample, &capture);
        let mut performance = Performance::new(&portrait, &portrait, Species::BonaFide, Seed(7));
        let mut challenge = Challenge::begin(script.clone(), Reflection::Ignored);
        let mut list = String::from("frame,ms\n");
        let last = loop {
            let (at, frame) = performance.next_frame(&challenge).unwrap();
            let name = format!("{}.ppm", at.as_millis());
            let head = format!("P6\n{} {}\n255\n", frame.width(), frame.height()).into_bytes();
            std::fs::write(self.place(folder).join(&name), [&head, frame.as_rgb()].concat()).unwrap();
            list.push_str(&format!("{name},{}\n", at.as_millis()));
            let capture = self.engine.capture_in_motion(&frame).unwrap();
            match challenge.observe(Frame::new(at, &frame, capture)) {
                Progress::Going(next) => challenge = *next,
                Progress::Present(_) => break at,
                Progress::Refused(sign) => panic!("{sign:?}"),
            }
        };
        std::fs::write(self.place(folder).join("frames.csv"), list).unwrap();
        std::thread::sleep(last.saturating_sub(drawn.elapsed()));
        script
    }

    fn unlock(&self, folder: &str) -> (i32, Value) {
        self.run("unlock", &["--pin-file", "pin", "--challenge", folder])
    }
}

/// The library that shows a process another time, where Debian's package `faketime` has put it.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}

/// The images of `shared/data`, if they are there.
fn data() -> Option<PathBuf> {
    let set = std::env::var_os("AMPARO_DATA").map(PathBuf::from);
    let beside = ["../../shared/data", "../../../shared/data"];
    let beside = beside.map(|data| Path::new(env!("CARGO_MANIFEST_DIR")).join(data));
    let found = set.into_iter().chain(beside).find(|data| data.join("models/minifasnet-v2-se.onnx").is_file());
    if found.is_none() {
        println!("skipped: no shared/data/models/minifasnet-v2-se.onnx (AMPARO_DATA says where)");
    }
    found
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn message(json: &Value) -> &str {
    assert_eq!(json["error"]["code"], "unavailable", "{json}");
    json["error"]["message"].as_str().unwrap()
}

#[test]
fn attack_91_an_answer_opens_once_as_presence_and_a_recording_of_it_never_again() {
    let Some(mut scene) = Scene::new() else { return };
    let face = scene.photographs.join("obama3.jpg");
    let (exit, json) = scene.run("unlock", &["--pin-file", "pin", "--face", text(&face)]);
    assert_eq!((exit, &json["presence"]), (0, &Value::from("none")), "a photograph is no presence: {json}");

    let answered = scene.draw_and_answer("answer", "obama3.jpg");
    let (exit, json) = scene.unlock("answer");
    assert_eq!(
        (exit, &json["unlocked"], &json["presence"]),
        (0, &Value::Bool(true), &Value::from("challenge")),
        "{json}"
    );

    // The same frames once more: spent.
    let (exit, json) = scene.unlock("answer");
    assert_eq!(exit, 3);
    assert!(message(&json).contains("answered already"), "{json}");

    // A recording of the answer to another challenge; the first seconds of it tell.
    let list = std::fs::read_to_string(scene.place("answer/frames.csv")).unwrap();
    let beginning: Vec<&str> = list.lines().take(40).collect();
    std::fs::write(scene.place("answer/frames.csv"), beginning.join("\n")).unwrap();
    let drawn = loop {
        let (script, drawn) = scene.draw("next");
        if script.prompts()[0] != answered.prompts()[0] {
            break drawn;
        }
    };
    std::thread::sleep(Duration::from_secs(4).saturating_sub(drawn.elapsed()));
    let (exit, json) = scene.unlock("answer");
    assert_eq!(exit, 3);
    assert!(message(&json).contains("challenge was not met"), "{json}");
}

#[test]
fn attack_91_another_face_that_answers_is_not_the_holders() {
    let Some(mut scene) = Scene::new() else { return };
    scene.draw_and_answer("answer", "biden.jpg");
    let (exit, json) = scene.unlock("answer");
    assert_eq!(exit, 3);
    assert!(message(&json).contains("did not recognise you"), "as any wrong face: {json}");
}

#[test]
fn what_is_no_answer_is_told_before_the_vault_is_touched() {
    let Some(scene) = Scene::new() else { return };
    scene.draw("answer");
    let before = std::fs::read(scene.place("device.key")).unwrap();
    let told = |folder: &str| {
        let (exit, json) = scene.unlock(folder);
        assert_eq!(exit, 3);
        message(&json).to_owned()
    };
    assert!(told("absent").contains("cannot be read"));
    assert!(told("answer").contains("holds no frames"));
    std::fs::write(scene.place("answer/1.jpg"), "no picture").unwrap();
    assert!(told("answer").contains("1.jpg"));
    assert_eq!(std::fs::read(scene.place("device.key")).unwrap(), before, "neither counted nor spent");
    // Not beside a photograph, and drawn only for a vault and a device key that belong together.
    assert_eq!(scene.run("unlock", &["--challenge", "answer", "--face", "answer/1.jpg"]).0, 2);
    std::fs::write(scene.place("me.amparo"), vec![0; wallet_core::vault::FILE_LEN]).unwrap();
    let (exit, json) = scene.run("challenge", &["--new"]);
    assert_eq!((exit, &json["error"]["code"]), (3, &Value::from("unavailable")));
}

#[test]
fn attack_91_what_the_operators_network_takes_for_an_attack_does_not_open_and_counts() {
    let (Some(scene), Some(data)) = (Scene::new(), data()) else { return };
    let network = data.join("models/minifasnet-v2-se.onnx");
    let sha256 = "af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6";
    let unlock = |face: &Path, sha256: &str| {
        let network = ["--pad-model", text(&network), "--pad-sha256", sha256];
        scene.run("unlock", &[&["--pin-file", "pin", "--face", text(face)], &network[..]].concat())
    };
    let own = scene.photographs.join("obama3.jpg");
    let (exit, json) = unlock(&own, sha256);
    assert_eq!((exit, &json["pad_network"], &json["presence"]), (0, &"bona-fide".into(), &"none".into()), "{json}");
    let key = || std::fs::read(scene.place("device.key")).unwrap();
    let before = key();
    let (exit, json) = unlock(&data.join("pad/image_F1.jpg"), sha256);
    assert_eq!(exit, 3, "{json}");
    assert!(message(&json).contains("network"), "{json}");
    assert_ne!(key(), before, "it counts like a wrong face");
    // A living face, but another one: the network does not open anything.
    let (exit, json) = unlock(&data.join("pad/image_T1.jpg"), sha256);
    assert_eq!(exit, 3, "{json}");
    assert!(message(&json).contains("did not recognise you"), "{json}");
    // Another file than the configured one, or half of the options.
    let (exit, json) = unlock(&own, &"0".repeat(64));
    assert_eq!((exit, &json["error"]["code"]), (7, &"setup".into()), "{json}");
    let half = ["--pin-file", "pin", "--face", text(&own), "--pad-model", text(&network)];
    assert_eq!(scene.run("unlock", &half).0, 2);
}

#[test]
fn a_template_follows_its_face_once_a_week_unless_the_person_says_no() {
    let Some(scene) = Scene::new() else { return };
    if faketime().is_none() {
        return println!("skipped: there is no libfaketime here");
    }
    let face = scene.photographs.join("obama3.jpg");
    let vault = || std::fs::read(scene.place("me.amparo")).unwrap();
    let opened_at = |later: &str, rest: &[&str]| {
        let before = vault();
        let given = [&["--pin-file", "pin", "--face", text(&face)], rest].concat();
        let (exit, json) = scene.run_at(later, "unlock", &given);
        assert_eq!((exit, &json["unlocked"]), (0, &Value::Bool(true)), "{later}: {json}");
        vault() != before
    };
    assert!(!opened_at("+0", &[]), "enrolled today");
    assert!(!opened_at("+9d", &["--no-update"]));
    assert!(opened_at("+9d", &[]));
    assert!(!opened_at("+10d", &[]), "once a week");
    assert!(opened_at("+20d", &[]));
    let (exit, json) = scene.run("list", &["--pin-file", "pin", "--face", text(&face)]);
    assert_eq!((exit, &json["credentials"]), (0, &Value::Array(vec![])), "what was in it is in it");
}
