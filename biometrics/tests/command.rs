//! The command as a caller sees it: exit codes, one JSON object, a sentence that says what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, starts the program and reads files"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_amparo-biometrics")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let mut all = arguments.to_vec();
    all.push("--json");
    let (code, out, _) = run(&all);
    assert_eq!(out.lines().count(), 1, "{out}");
    (code, serde_json::from_str(&out).unwrap())
}

/// A fresh folder for one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("amparo-biometrics-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_command_and_every_option_explains_itself() {
    let (_, overview, _) = run(&["--help"]);
    let listed = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A continued line is further in.
    let commands: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert_eq!(commands.len(), 14, "{commands:?}");
    for command in commands {
        let (code, help, _) = run(&[command, "--help"]);
        assert!(code == 0 && help.contains(&format!("Example: amparo-biometrics {command}")), "{command}: {help}");
        // Below each option and each argument, further in, stands what it is for; in the short form beside it.
        let lines: Vec<&str> = help.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].starts_with("      --")) {
            let beside = pair[0].trim_start().split_once("  ").is_some_and(|(_, text)| !text.trim().is_empty());
            assert!(beside || pair[1].starts_with("          "), "{command}: {} is not explained", pair[0]);
        }
    }
}

#[test]
fn what_is_no_print_is_refused_with_a_hint() {
    let folder = Folder::new("finger");
    let flat = folder.write("flat.pgm", &format!("P2 200 200 255\n{}", "128 ".repeat(200 * 200)));
    let (code, answer) = json(&["template", "--modality", "finger", &flat]);
    assert_eq!((code, answer["error"]["code"].as_str()), (3, Some("unavailable")));
    assert!(answer["error"]["hint"].as_str().unwrap().contains("scanner"));
    let (code, answer) = json(&["compare", "--modality", "finger", "--dpi", "1000", &flat, &flat]);
    assert_eq!((code, answer["error"]["code"].as_str()), (3, Some("unavailable")));
    assert_eq!(run(&["template", "--modality", "finger", &flat, "--dpi", "7"]).0, 2);
    assert_eq!(run(&["template", "--modality", "finger", "/nonexistent.tif"]).0, 2);
    assert_eq!(run(&["template", "--modality", "face", "--dpi", "500", "portrait.jpg"]).0, 2);
    assert_eq!(run(&["template", "--modality", "iris", "eye.jpg"]).0, 2);
}

#[test]
fn the_network_for_prints_is_asked_for_by_name_and_its_absence_is_named() {
    let folder = Folder::new("extractor");
    let print = folder.write("print.pgm", &format!("P2 200 200 255\n{}", "128 ".repeat(200 * 200)));
    let (code, answer) =
        json(&["--home", "/nonexistent", "template", "--modality", "finger", "--extractor", "leader", &print]);
    assert_eq!((code, answer["error"]["code"].as_str()), (7, Some("models")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("LEADER.onnx"), "{answer}");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("xtask setup"), "{answer}");
    // Another file under its name is refused with both hashes.
    folder.write("models/LEADER.onnx", "another network");
    let home = folder.0.to_str().unwrap();
    let (code, answer) = json(&["--home", home, "template", "--modality", "finger", "--extractor", "leader", &print]);
    assert_eq!((code, answer["error"]["code"].as_str()), (7, Some("models")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("SHA-256"), "{answer}");
    // Without it, nothing is missed.
    assert_eq!(json(&["--home", "/nonexistent", "template", "--modality", "finger", &print]).0, 3);
    assert_eq!(run(&["template", "--modality", "face", "--extractor", "leader", &print]).0, 2);
    assert_eq!(run(&["template", "--modality", "finger", "--extractor", "other", &print]).0, 2);
}

#[test]
fn finger_15_the_network_for_prints_needs_less_than_a_kilobyte_for_each_pixel() {
    let print = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/leader/drawn.png");
    let of = |extractor| json(&["latency", "--modality", "finger", "--extractor", extractor, "--turns", "1", print]);
    let (code, answer) = of("leader");
    if (code, answer["error"]["code"].as_str()) == (7, Some("models")) {
        println!("skipped: no LEADER.onnx (cargo xtask setup fetches it)");
        return;
    }
    let (Some(network), Some(plain)) = (answer["peak_rss_kib"].as_u64(), of("mindtct").1["peak_rss_kib"].as_u64())
    else {
        println!("skipped: this system does not tell a process its memory");
        return;
    };
    // 416 by 512 pixels; the runtime itself and the weights take some 35 MB.
    assert!((network - plain) * 1024 < 416 * 512 * 1000, "{network} KiB, without the network {plain}");
}

#[test]
fn templates_of_two_extractors_are_refused_by_name() {
    let folder = Folder::new("mixed");
    // Version, extractor, 300 by 300 pixels, no minutiae.
    let template = |name: &str, extractor: u8| {
        let path = folder.0.join(name);
        std::fs::write(&path, [2, extractor, 1, 44, 1, 44, 0]).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (mindtct, leader) = (template("mindtct", 1), template("leader", 2));
    let (code, answer) = json(&["compare", "--modality", "finger", &mindtct, &leader]);
    let message = answer["error"]["message"].as_str().unwrap();
    assert_eq!(code, 2);
    assert!(message.contains("by leader") && message.contains("by mindtct"), "{message}");
    assert_eq!(json(&["compare", "--modality", "finger", &format!("{leader},{mindtct}"), &leader]).0, 2);
    assert_eq!(json(&["compare", "--modality", "finger", &leader, &leader]).0, 0);
}

#[test]
fn pairs_are_listed_for_a_folder_of_prints() {
    let folder = Folder::new("prints");
    for name in ["101_1.tif", "101_2.tif", "102_1.tif", "102_2.tif", "102_2.iso", "readme.txt"] {
        folder.write(name, "");
    }
    let root = folder.0.to_str().unwrap();
    let (code, out, _) = run(&["pairs", "--fingers", root]);
    assert_eq!(code, 0);
    assert_eq!(out.lines().filter(|line| line.ends_with(",1")).count(), 2);
    assert_eq!(out.lines().filter(|line| line.ends_with(",0")).count(), 4);
    assert_eq!(run(&["pairs"]).0, 2);
}

/// Every two of four fingers are one virtual person once, in three sets of two; both fingers are shown together, by the same number.
#[test]
fn finger_13_two_fingers_make_virtual_people_and_each_finger_is_one_persons_in_a_set() {
    let folder = Folder::new("two-fingers");
    for finger in 101..=104 {
        for impression in 1..=2 {
            folder.write(&format!("{finger}_{impression}.tif"), "");
        }
    }
    let root = folder.0.to_str().unwrap();
    let (code, out, _) = run(&["pairs", "--fingers", root, "--together", "2"]);
    assert_eq!(code, 0);
    let stem = |path: &str| path.rsplit('/').next().unwrap().trim_end_matches(".tif").to_owned();
    let (mut mated, mut non_mated) = (Vec::new(), 0);
    for line in out.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [reference, probe] = [fields[0], fields[1]].map(|f| f.split('|').map(stem).collect::<Vec<String>>());
        let finger = |name: &String| name.split_once('_').unwrap().0.to_owned();
        let impression = |name: &String| name.split_once('_').unwrap().1.to_owned();
        assert_eq!((reference.len(), probe.len()), (2, 2), "{line}");
        assert_eq!(impression(&reference[0]), impression(&reference[1]), "{line}");
        let [a, b] = [&reference, &probe].map(|side| side.iter().map(finger).collect::<Vec<_>>());
        if fields[2] == "1" {
            assert_eq!(a, b, "{line}");
            mated.push(a.iter().min().unwrap().clone() + a.iter().max().unwrap());
        } else {
            assert!(a.iter().all(|finger| !b.contains(finger)), "{line}");
            non_mated += 1;
        }
    }
    mated.sort();
    mated.dedup();
    // Six people in all, one comparison of two impressions each; three times two strangers, four comparisons each.
    assert_eq!((mated.len(), non_mated), (6, 12), "{mated:?}");
    // An odd finger stays alone.
    folder.write("105_1.tif", "");
    folder.write("105_2.tif", "");
    let (_, out, _) = run(&["pairs", "--fingers", root, "--together", "2"]);
    assert_eq!(out.lines().filter(|line| line.ends_with(",1")).count(), 10);
    assert_eq!(run(&["pairs", "--people", root, "--together", "2"]).0, 2);
}

#[test]
fn finger_13_lists_with_several_fingers_are_for_fingers_and_have_as_many_on_both_sides() {
    let folder = Folder::new("lists-of-fingers");
    folder.write("one.png", "x");
    let list = |rows: &str| folder.write("pairs.csv", &format!("reference,probe,mated\n{rows}\n"));
    let path = list("one.png|one.png,one.png,1");
    let (code, answer) = json(&["evaluate", "--modality", "finger", "--pairs", &path]);
    assert_eq!(code, 2);
    assert!(answer["error"]["message"].as_str().unwrap().contains("2 fingers enrolled and 1 shown"), "{answer}");
    let path = list("one.png|one.png,one.png|one.png,1");
    let (code, answer) = json(&["evaluate", "--modality", "face", "--pairs", &path]);
    assert_eq!(code, 2);
    assert!(answer["error"]["message"].as_str().unwrap().contains("these are faces"), "{answer}");
    let one = folder.0.join("one.png");
    let one = one.to_str().unwrap();
    assert_eq!(json(&["compare", "--modality", "face", one, one, "--also", one, one]).0, 2);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = Folder::new("missing");
    let (code, answer) = json(&["template", "--modality", "face", "/nonexistent/portrait.jpg"]);
    assert_eq!(code, 2);
    assert!(answer["error"]["message"].as_str().unwrap().contains("/nonexistent/portrait.jpg"));
    let (code, answer) = json(&["template", "--modality", "face", folder.0.to_str().unwrap()]);
    assert_eq!((code, answer["error"]["code"].as_str()), (2, Some("usage")));
    // The picture is there, the models are not.
    let picture = folder.write("portrait.jpg", "text");
    let (code, answer) = json(&["--home", "/nonexistent", "compare", "--modality", "face", &picture, &picture]);
    assert_eq!((code, answer["error"]["code"].as_str()), (7, Some("models")));
    assert!(answer["error"]["hint"].as_str().unwrap().contains("xtask setup"));
}

#[test]
fn lists_of_pairs_are_checked_before_anything_is_measured() {
    let folder = Folder::new("pairs");
    let refused = |name: &str, text: &str, expected: &str| {
        let list = folder.write(name, text);
        for command in [&["release"][..], &["evaluate", "--modality", "face"][..]] {
            let (code, out, error) = run(&[command, &["--pairs", &list][..]].concat());
            assert_eq!((code, out.as_str()), (2, ""), "{name}");
            assert!(error.contains(expected), "{name}: {error}");
        }
    };
    folder.write("a.jpg", "");
    refused("empty.csv", "", "not a list");
    refused("header.csv", "a,b\n", "not a list");
    refused("none.csv", "reference,probe,mated\n", "no pair");
    refused("mated.csv", "reference,probe,mated\na.jpg,a.jpg,yes\n", "line 2: mated is \"yes\"");
    refused("gone.csv", "reference,probe,mated\na.jpg,b.jpg,1\n", "b.jpg is no file");
    refused("nothing.csv", "reference,probe,mated\n;,a.jpg,1\n", "names no picture");
    refused("other.csv", "reference,probe,mated,weather\na.jpg,a.jpg,1,rain\n", "not a list");
    refused("short.csv", "reference,probe,mated\na.jpg,a.jpg\n", "fields");
    assert_eq!(run(&["release", "--pairs", "/nonexistent.csv"]).0, 2);
}

#[test]
fn pairs_are_listed_for_a_folder_of_people() {
    let folder = Folder::new("people");
    for person in ["s1", "s2", "s10"] {
        for picture in 1..=4 {
            folder.write(&format!("{person}/{picture}.pgm"), "");
        }
    }
    folder.write("readme.txt", "");
    let root = folder.0.to_str().unwrap();
    let (code, out, _) = run(&["pairs", "--people", root, "--enrol", "2", "--frames", "2", "--splits", "1"]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "reference,probe,mated");
    // Three people: one genuine attempt each with both remaining pictures, four on each of two others.
    assert_eq!(lines.iter().filter(|line| line.ends_with(",1")).count(), 3);
    assert_eq!(lines.iter().filter(|line| line.ends_with(",0")).count(), 24);
    assert!(lines[1].contains("s1/1.pgm;") && lines[1].contains("s1/2.pgm,") && lines[1].contains("s1/3.pgm;"));
    assert!(lines[2].contains("s2/1.pgm"), "s2 comes before s10: {}", lines[2]);
    // One against one: each of 6 + 6 + 6 pairs within, each of 48 between, once.
    let (_, out, _) = run(&["pairs", "--people", root]);
    assert_eq!(out.lines().filter(|line| line.ends_with(",1")).count(), 18);
    assert_eq!(out.lines().filter(|line| line.ends_with(",0")).count(), 48);
    assert_eq!(run(&["pairs", "--people", root, "--enrol", "4"]).0, 2);
    assert_eq!(run(&["pairs", "--people", "/nonexistent"]).0, 2);
}

#[test]
fn the_information_set_is_the_shipped_one() {
    let (code, answer) = json(&["polar-table"]);
    assert_eq!((code, &answer["as_shipped"]), (0, &Value::Bool(true)));
    assert_eq!(answer["information_set"].as_array().unwrap().len(), 96);
}

#[test]
fn a_search_finds_what_is_there() {
    let (code, answer) = json(&["search", "--gallery", "2000", "--probes", "20"]);
    assert_eq!(code, 0);
    assert!(answer["rank1"].as_f64().unwrap() >= 0.95, "{answer}");
    assert!(answer["recall_against_f32"].as_f64().unwrap() >= 0.95, "{answer}");
    assert_eq!(run(&["search", "--gallery", "0", "--probes", "1"]).0, 2);
    assert_eq!(run(&["search", "--gallery", "5000000", "--probes", "1"]).0, 2);
}

/// The ORL faces, if they and the models are there.
fn faces() -> Option<PathBuf> {
    let data = std::env::var_os("AMPARO_DATA").map(PathBuf::from);
    let beside = ["../../shared/data", "../../../shared/data"].map(|at| Path::new(env!("CARGO_MANIFEST_DIR")).join(at));
    let found = data.into_iter().chain(beside).map(|data| data.join("faces/orl")).find(|folder| folder.is_dir());
    let there = found.filter(|folder| {
        let picture = folder.join("s1/1.pgm");
        run(&["template", "--modality", "face", picture.to_str().unwrap()]).0 != 7
    });
    if there.is_none() {
        println!(
            "skipped: no shared/data/faces/orl (AMPARO_DATA says where), or no models (cargo xtask setup fetches them)"
        );
    }
    there
}

#[test]
fn bio_18_a_search_for_a_person_gives_ranked_leads_and_how_often_it_is_wrong() {
    let Some(faces) = faces() else { return };
    let folder = Folder::new("people-sought");
    for (person, pictures) in [("s1", [1, 2]), ("s5", [1, 2]), ("s7", [1, 2]), ("s12", [1, 2])] {
        for picture in pictures {
            let name = folder.write(&format!("people/{person}/{picture}.pgm"), "");
            std::fs::copy(faces.join(format!("{person}/{picture}.pgm")), name).unwrap();
        }
    }
    let people = folder.0.join("people");
    let people = people.to_str().unwrap();
    let probe = |person: &str| faces.join(format!("{person}/3.pgm")).to_str().unwrap().to_owned();
    let (code, answer) = json(&["search", "--people", people, "--probe", &probe("s7")]);
    assert_eq!((code, answer["gallery"].as_u64()), (0, Some(4)), "{answer}");
    let candidates = answer["candidates"].as_array().unwrap();
    assert_eq!((candidates.len(), &candidates[0]["person"]), (4, &Value::from("s7")));
    assert_eq!(
        (&candidates[0]["alike"], &candidates[1]["alike"]),
        (&Value::Bool(true), &Value::Bool(false)),
        "{answer}"
    );
    assert!(candidates.iter().all(|candidate| candidate.get("score").is_none()));
    // Twelve comparisons of two people, none alike: the rule says what that bounds for four enrolled, and no more.
    let fpir = &answer["fpir_implied"];
    assert_eq!((fpir["false_matches"].as_u64(), fpir["comparisons"].as_u64()), (Some(0), Some(12)));
    assert!(fpir["value"] == 0.0 && fpir["ci95"][1].as_f64().unwrap() > 0.5, "{answer}");
    let (_, sentences, _) = run(&["search", "--people", people, "--probe", &probe("s1")]);
    assert!(sentences.starts_with("1. s1") && sentences.contains("never a verdict"), "{sentences}");
    assert_eq!(run(&["search", "--people", people]).0, 2);
    assert_eq!(run(&["search", "--people", people, "--probe", "/nonexistent.jpg"]).0, 2);
    assert_eq!(run(&["search", "--people", people, "--probe", &probe("s1"), "--gallery", "3"]).0, 2);
}

#[test]
fn three_attempts_are_a_transaction_and_conditions_are_told_apart() {
    let Some(faces) = faces() else { return };
    let folder = Folder::new("transactions");
    let picture = |person: u32, number: u32| faces.join(format!("s{person}/{number}.pgm")).to_str().unwrap().to_owned();
    // Two people of whom two captures are enrolled and three are shown; the second is said to be the first in the last.
    let mut list = String::from("reference,probe,mated,condition\n");
    for person in [1, 2] {
        for shown in [3, 4, 5] {
            let light = if shown == 5 { "dim" } else { "plain" };
            let enrolled = format!("{};{}", picture(person, 1), picture(person, 2));
            list.push_str(&format!(
                "{enrolled},{},1,{light}\n{enrolled},{},0,\n",
                picture(person, shown),
                picture(person + 2, shown)
            ));
        }
    }
    let named = folder.write("named.csv", &list);
    let (code, answer) = json(&["release", "--pairs", &named]);
    let transactions = &answer["transactions"];
    assert_eq!(
        (code, transactions["attempts"].as_u64(), transactions["trials"].as_u64()),
        (0, Some(3), Some(2)),
        "{answer}"
    );
    assert_eq!(transactions["failed"].as_u64(), Some(0), "{answer}");
    assert!(transactions["failed_ci95_by_subject"].is_array(), "two people are told apart: {answer}");
    let (_, sentences, _) = run(&["release", "--pairs", &named]);
    assert!(sentences.contains("Of 2 transactions of 3 attempts without a common frame 0 failed"), "{sentences}");

    let (_, answer) = json(&["evaluate", "--modality", "face", "--pairs", &named]);
    let conditions = |answer: &Value| -> Vec<(String, u64)> {
        let rows = answer["by_condition"].as_array().unwrap();
        rows.iter().map(|row| (row["condition"].as_str().unwrap().to_owned(), row["mated"].as_u64().unwrap())).collect()
    };
    assert_eq!(conditions(&answer), [("plain".to_owned(), 4), ("dim".to_owned(), 2)]);
    // Without names the measures of the pictures divide the pairs.
    let plain = list.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect::<String>();
    let (_, answer) = json(&["evaluate", "--modality", "face", "--pairs", &folder.write("plain.csv", &plain)]);
    let rows = conditions(&answer);
    assert!(rows.iter().filter(|row| **row == ("yaw".to_owned(), 2)).count() == 3, "{rows:?}");
    let yaws: Vec<f64> = answer["by_condition"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["condition"] == "yaw")
        .map(|row| row["from"].as_f64().unwrap())
        .collect();
    assert!(yaws.is_sorted() && yaws[0] >= 0.0, "{yaws:?}");
}

#[test]
fn finger_02_a_print_is_written_as_a_record_that_matches_those_of_a_commercial_extractor() {
    let data = std::env::var_os("AMPARO_DATA").map(PathBuf::from);
    let beside = ["../../shared/data", "../../../shared/data"].map(|at| Path::new(env!("CARGO_MANIFEST_DIR")).join(at));
    let prints =
        data.into_iter().chain(beside).map(|data| data.join("fingers/fvc2002/DB1_B")).find(|folder| folder.is_dir());
    let Some(prints) = prints else { return println!("skipped: no shared/data/fingers (AMPARO_DATA says where)") };
    let folder = Folder::new("records");
    let file = |name: &str| prints.join(name).to_str().unwrap().to_owned();
    for (standard, head) in [("iso-19794-2", b"FMR\0 20\0"), ("ansi-378", b"FMR\0 20\0")] {
        let record = folder.write(standard, "");
        let taken = ["template", "--modality", "finger", &file("101_1.tif"), "--out", &record, "--record", standard];
        assert_eq!(run(&taken).0, 0, "{standard}");
        assert_eq!(&std::fs::read(&record).unwrap()[..8], head, "{standard}");
        let alike = |other: &str| {
            let (code, answer) = json(&["compare", "--modality", "finger", &record, &file(other)]);
            assert_eq!(code, 0, "{standard} and {other}: {answer}");
            answer["decision"] == "match"
        };
        assert!(alike("101_1.iso") && !alike("102_1.iso"), "{standard}");
    }
    let record = folder.write("face", "");
    let face = ["template", "--modality", "face", &file("101_1.tif"), "--out", &record, "--record", "ansi-378"];
    assert_eq!(run(&face).0, 2);
    assert_eq!(run(&["template", "--modality", "finger", &file("101_1.tif"), "--record", "ansi-378"]).0, 2);
}

#[test]
fn fingers_are_sought_among_made_up_ones() {
    let folder = Folder::new("sought");
    // Twenty minutiae in a corner of 300 by 300 pixels, elsewhere for each finger.
    let template = |name: &str, finger: u32, shift: u32| {
        let mut bytes = vec![2, 1, 1, 44, 1, 44, 20];
        for i in 0..20_u32 {
            let (x, y) =
                ((i * i * 37 + finger * 71 * i) % 260 + shift, (i * 53 + finger * finger * 29 * i) % 260 + shift);
            let angle = (i * 97 + finger * 31 * i) as u8;
            bytes.extend([(x >> 8) as u8, x as u8, (y >> 8) as u8, y as u8, angle, 0, 50]);
        }
        let path = folder.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for finger in 1..=6 {
        template(&format!("known/{finger}_1"), finger, 0);
        template(&format!("known/{finger}_2"), finger, 9);
        template(&format!("others/{finger}_1"), finger + 6, 0);
    }
    let (known, others) = (folder.0.join("known"), folder.0.join("others"));
    let (known, others) = (known.to_str().unwrap(), others.to_str().unwrap());
    let (code, answer) = json(&["search", "--fingers", known, "--others", others, "--gallery", "300", "--probes", "6"]);
    assert_eq!(code, 0, "{answer}");
    assert_eq!((answer["invented"].as_u64(), answer["probes"].as_u64()), (Some(288), Some(6)));
    assert!(answer["rank1"].as_u64().unwrap() >= 5, "{answer}");
    assert_eq!(run(&["search", "--fingers", known, "--gallery", "300", "--probes", "6"]).0, 2);
    assert_eq!(run(&["search", "--fingers", known, "--gallery", "3", "--probes", "6"]).0, 2);
    assert_eq!(run(&["search", "--others", others, "--gallery", "3", "--probes", "6"]).0, 2);
}

#[test]
fn a_challenge_is_drawn_and_what_is_recorded_is_checked_before_the_models_load() {
    let (code, drawn) = json(&["challenge", "--new"]);
    assert_eq!((code, drawn["prompts"].as_array().unwrap().len()), (0, 4));
    let folder = Folder::new("challenge");
    let frames = folder.0.to_str().unwrap().to_owned();
    let (code, answer) = json(&["challenge", "--frames", &frames]);
    assert_eq!(code, 2);
    assert!(answer["error"]["message"].as_str().unwrap().contains("challenge.json"), "{answer}");
    folder.write("challenge.json", &drawn.to_string());
    folder.write("frames.csv", "picture,time\n");
    let (code, answer) = json(&["challenge", "--frames", &frames]);
    assert!(code == 2 && answer["error"]["message"].as_str().unwrap().contains("not a list of frames"), "{answer}");
    folder.write("frames.csv", "frame,ms\na.png,soon\n");
    let (code, answer) = json(&["challenge", "--frames", &frames]);
    assert!(code == 2 && answer["error"]["message"].as_str().unwrap().contains("line 2"), "{answer}");
    folder.write("challenge.json", r#"{"prompts":["nod"],"colours":[]}"#);
    assert_eq!(json(&["challenge", "--frames", &frames]).0, 2);
    assert_eq!(run(&["challenge"]).0, 2);
    assert_eq!(run(&["simulate", "--portrait", "a.jpg", "--species", "mask", "--out", "b"]).0, 2);
    assert_eq!(run(&["pad", "--portrait", "a.jpg", "--network", "n.onnx"]).0, 2);
}

#[test]
fn options_for_photographs_of_fingers_are_for_those() {
    let folder = Folder::new("photographs");
    let flat = folder.write("flat.pgm", &format!("P2 300 300 255\n{}", "128 ".repeat(300 * 300)));
    let (code, answer) = json(&["template", "--modality", "finger", "--capture", "photograph", &flat]);
    assert_eq!((code, answer["error"]["code"].as_str()), (3, Some("unavailable")));
    assert!(answer["error"]["hint"].as_str().unwrap().contains("background"), "{answer}");
    assert_eq!(run(&["template", "--modality", "face", "--capture", "photograph", &flat]).0, 2);
    assert_eq!(run(&["template", "--modality", "finger", "--ridges", "dark", &flat]).0, 2);
    assert_eq!(run(&["template", "--modality", "finger", "--mirrored", &flat]).0, 2);
    let leader = ["template", "--modality", "finger", "--capture", "photograph", "--extractor", "leader", &flat];
    let (code, _, error) = run(&leader);
    assert!(code == 2 && error.contains("not offered for photographs"), "{error}");
    assert_eq!(run(&["compare", "--modality", "face", "--reference-capture", "scan", &flat, &flat]).0, 2);
    let out = folder.0.join("out");
    let root = folder.0.to_str().unwrap();
    let (code, answer) = json(&["simulate", "--fingers", root, "--out", out.to_str().unwrap()]);
    assert_eq!((code, answer["error"]["code"].as_str()), (2, Some("usage")), "{answer}");
    assert_eq!(run(&["simulate", "--out", out.to_str().unwrap()]).0, 2);
}

#[test]
fn photographs_are_made_up_and_listed_beside_the_scans_they_were_made_of() {
    let folder = Folder::new("made-up");
    let mut ridges = String::from("P2 388 374 255\n");
    for y in 0..374 {
        for x in 0..388 {
            let (dx, dy) = (f64::from(x) - 175.0, f64::from(y) - 205.0);
            ridges.push_str(&format!("{} ", (128.0 + 90.0 * (0.7 * (0.8 * dx).hypot(dy)).cos()) as u8));
        }
    }
    for name in ["prints/1_1.pgm", "prints/1_2.pgm", "prints/2_1.pgm"] {
        folder.write(name, &ridges);
    }
    let (prints, out) = (folder.0.join("prints"), folder.0.join("photographs"));
    let (prints, out) = (prints.to_str().unwrap(), out.to_str().unwrap());
    let (code, answer) = json(&["simulate", "--fingers", prints, "--conditions", "good", "--out", out]);
    assert_eq!((code, &answer["simulated"], answer["photographs"].as_u64()), (0, &Value::Bool(true), Some(3)));
    let (code, list, _) = run(&["pairs", "--fingers", prints, "--probes", out]);
    assert_eq!((code, list.lines().count()), (0, 1 + 2 + 4), "{list}");
    assert!(!list.contains("1_1.pgm,") || !list.contains("1_1.pgm,1_1.jpg"));
    assert_eq!(list.lines().filter(|line| line.ends_with(",1")).count(), 2);
    let photograph = format!("{out}/1_1.jpg");
    let (code, answer) = json(&["template", "--modality", "finger", "--capture", "photograph", &photograph]);
    assert_eq!((code, answer["capture"].as_str()), (0, Some("photograph")), "{answer}");
    assert!(answer["photograph"]["ridge_pixels"].as_f64().unwrap() > 5.0, "{answer}");
}
