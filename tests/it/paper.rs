//! A person without a phone: printed at a shelter, read at a border without a network.

use crate::world::World;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageFormat};
use serde_json::{Value, json};

/// A person with an identity, and the id that `list` gives it.
fn somebody() -> Option<(World, String)> {
    let world = World::with_vault()?;
    let (_, offer, code) = world.offer("3");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let list = world.holder("list", &[], 0).json;
    let id = list["credentials"][0]["id"].as_str().unwrap().to_owned();
    Some((world, id))
}

impl World {
    fn print(&self, id: &str, out: &str, rest: &[&str], expected: i32) -> Value {
        let out = self.text(out);
        let mut arguments = vec![id, "--only", "given_name,nationalities", "--purpose", "border-entry", "--out", &out];
        arguments.extend(["--yes"].iter().chain(rest));
        self.holder("paper", &arguments, expected).json
    }

    fn read(&self, files: &[&str], rest: &[&str], expected: i32) -> Value {
        let anchor = self.text("issuer/trust-anchor.pem");
        let files: Vec<String> = files.iter().map(|file| self.text(file)).collect();
        let mut arguments = vec!["verify", "--anchor", &anchor];
        files.iter().for_each(|file| arguments.extend(["--paper", file]));
        arguments.extend(rest);
        self.run("amparo-verifier", &arguments, expected).json
    }

    fn copies(&self) -> Value {
        self.holder("list", &[], 0).json["credentials"][0]["copies"].clone()
    }
}

/// A photograph of a page, at so many hundredths of its size.
fn seen(page: &GrayImage, scale: u32, blur: f32) -> DynamicImage {
    let (width, height) = (page.width() * scale / 100, page.height() * scale / 100);
    let mut seen = image::imageops::resize(page, width, height, FilterType::Triangle);
    for (x, _, pixel) in seen.enumerate_pixels_mut() {
        let light = 0.55 + 0.4 * f64::from(x) / f64::from(width);
        pixel.0 = [(f64::from(pixel.0[0]) * light + 12.0) as u8];
    }
    DynamicImage::ImageLuma8(seen).rotate90().blur(blur)
}

const OFFLINE: &[&str] = &["--unknown-status", "accept"];

#[test]
fn a_paper_is_printed_photographed_and_read_until_it_ends() {
    let Some((world, id)) = somebody() else { return };
    let printed = world.print(&id, "paper.png", &["--for", "15m"], 0);
    assert_eq!((printed["printed"].clone(), printed["portrait"].clone()), (json!(true), json!(false)));
    assert!(printed["codes"].as_u64().unwrap() >= 2, "{printed}");
    assert_eq!(world.copies(), 2, "a paper takes a copy, so that no two can be linked");

    // Without a word on its status nobody accepts it by default.
    let unknown = world.read(&["paper.png"], &[], 4)["error"].clone();
    assert_eq!(unknown["code"], "status_unknown");
    assert!(unknown["message"].as_str().unwrap().contains(&world.issuer_url), "where the list stands: {unknown}");
    let read = world.read(&["paper.png"], OFFLINE, 0);
    assert_eq!(read["claims"], json!({"given_name": "Alma", "nationalities": ["SV"]}));
    assert_eq!(read["consent"]["purpose"], json!(["border-entry"]));
    assert_eq!(read["consent"]["checked"], true);
    assert_eq!(read["paper"]["portrait"], false);

    // As a camera sees it: turned, smaller, out of focus, unevenly lit, compressed; once more where something was not read.
    for (name, scale, blur) in [("far.jpg", 70, 0.9), ("near.jpg", 90, 0.5)] {
        let seen = seen(&image::open(world.place("paper.png")).unwrap().into_luma8(), scale, blur);
        seen.save_with_format(world.place(name), ImageFormat::Jpeg).unwrap();
    }
    assert_eq!(world.read(&["near.jpg"], OFFLINE, 0)["claims"], read["claims"]);
    assert_eq!(world.read(&["far.jpg", "near.jpg"], OFFLINE, 0)["claims"], read["claims"]);

    let end = printed["consent"]["expires_at"].as_str().unwrap();
    let ended = world.read(&["paper.png"], &[OFFLINE, &["--now", end]].concat(), 5);
    assert_eq!(ended["error"]["code"], "consent_ended");
    let history = world.holder("history", &[], 0).json.to_string();
    assert!(history.contains("urn:amparo:paper:1") && !history.contains("Alma"), "{history}");
}

#[test]
fn codes_are_read_one_by_one_and_what_is_missing_is_named() {
    let Some((world, id)) = somebody() else { return };
    let printed = world.print(&id, "paper.txt", &[], 0);
    let text = std::fs::read_to_string(world.place("paper.txt")).unwrap();
    let codes: Vec<&str> = text.lines().collect();
    assert_eq!(codes.len() as u64, printed["codes"].as_u64().unwrap());
    for (place, code) in codes.iter().enumerate() {
        std::fs::write(world.place(&format!("{place}.txt")), code).unwrap();
    }
    let missing = world.read(&["0.txt"], OFFLINE, 2);
    assert!(missing["error"]["message"].as_str().unwrap().contains("missing: 2"), "{missing}");
    let files: Vec<String> = (0..codes.len()).rev().map(|place| format!("{place}.txt")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(world.read(&files, OFFLINE, 0)["verified"], true);

    // Of two papers, and of something else.
    world.print(&id, "other.txt", &[], 0);
    assert_eq!(world.read(&["0.txt", "other.txt"], OFFLINE, 4)["error"]["code"], "paper_invalid");
    assert_eq!(world.read(&["pin"], OFFLINE, 2)["error"]["code"], "usage");
    std::fs::write(world.place("cut.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    assert_eq!(world.read(&["cut.png"], OFFLINE, 2)["error"]["code"], "usage");
}

#[test]
fn a_film_of_a_screen_is_read_from_pictures_in_any_order_some_of_them_spoilt() {
    let Some((world, id)) = somebody() else { return };
    let printed = world.print(&id, "paper.gif", &[], 0);
    let total = printed["codes"].as_u64().unwrap() as usize;
    assert!(total >= 2, "{printed}");
    let whole = world.read(&["paper.gif"], OFFLINE, 0);
    assert_eq!((&whole["verified"], &whole["paper"]["codes"]), (&json!(true), &json!(total)));

    // As a camera takes it, held before a screen: between two codes there is none; some come twice; the order is lost.
    let film = std::fs::File::open(world.place("paper.gif")).unwrap();
    let mut decoder = gif::DecodeOptions::new();
    decoder.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = decoder.read_info(film).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let gray = frame.buffer.chunks(4).map(|pixel| pixel[0]).collect();
        frames.push(GrayImage::from_raw(frame.width.into(), frame.height.into(), gray).unwrap());
    }
    assert_eq!(frames.len(), total);
    let burst = world.place("burst");
    std::fs::create_dir(&burst).unwrap();
    let shoot = |name: &str, frame: &GrayImage, blur: f32| {
        seen(frame, 90, blur).save_with_format(burst.join(name), ImageFormat::Jpeg).unwrap();
    };
    for (place, frame) in frames.iter().enumerate().skip(1) {
        shoot(&format!("{:02}-sharp.jpg", 90 - place), frame, 0.5);
        shoot(&format!("{:02}-again.jpg", 90 - place), frame, 0.5);
    }
    shoot("00-moved.jpg", &frames[0], 25.0);
    std::fs::write(burst.join("01-cut.jpg"), b"\xff\xd8\xff\xe0cut").unwrap();
    let missing = world.read(&["burst"], OFFLINE, 2)["error"]["message"].as_str().unwrap().to_owned();
    assert!(missing.contains("missing: 1 (") && missing.contains("2 of them without a code"), "{missing}");
    shoot("99-at-last.jpg", &frames[0], 0.5);
    let read = world.read(&["burst"], OFFLINE, 0);
    assert_eq!((&read["claims"], &read["paper"]["unreadable"]), (&whole["claims"], &json!(2)));
    // Of another paper: nobody mixes two.
    world.print(&id, "other.gif", &[], 0);
    assert_eq!(world.read(&["burst", "other.gif"], OFFLINE, 0)["verified"], true, "whole before the other one is met");
    std::fs::remove_file(burst.join("99-at-last.jpg")).unwrap();
    assert_eq!(world.read(&["burst", "other.gif"], OFFLINE, 4)["error"]["code"], "paper_invalid");
    // What breaks off is read as far as it goes.
    let bytes = std::fs::read(world.place("paper.gif")).unwrap();
    std::fs::write(world.place("cut.gif"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    let cut = world.read(&["cut.gif"], OFFLINE, 2)["error"]["message"].as_str().unwrap().to_owned();
    assert!(cut.contains("missing:"), "{cut}");
    std::fs::write(world.place("no.gif"), b"GIF89a").unwrap();
    assert_eq!(world.read(&["no.gif"], OFFLINE, 2)["error"]["code"], "usage");
}

#[test]
fn what_cannot_be_printed_uses_nothing_up_and_leaves_no_file() {
    let Some((world, id)) = somebody() else { return };
    let kept = std::fs::read(world.place("pin")).unwrap();
    std::fs::rename(world.place("pin"), world.place("pin.txt")).unwrap();
    std::fs::copy(world.place("pin.txt"), world.place("pin")).unwrap();
    world.print(&id, "pin.txt", &[], 7);
    assert_eq!(std::fs::read(world.place("pin.txt")).unwrap(), kept, "nothing is overwritten");
    world.print(&id, "paper.doc", &[], 2);
    world.print(&id, "no/such/folder.png", &[], 7);
    let beyond = ["--only", "birth_date", "--purpose", "age-check", "--out", &world.text("a.png"), "--yes"];
    world.holder("paper", &[&[id.as_str()], &beyond[..]].concat(), 2);
    assert!(!world.place("a.png").exists(), "no empty file is left");
    // Somebody else's face.
    let (other, out) = (world.photograph("biden.jpg"), world.text("b.png"));
    let wish = [&id, "--only", "given_name", "--purpose", "border-entry", "--out", &out, "--yes"];
    world.holder_with(&other, "paper", &wish, 3);
    assert!(!world.place("b.png").exists());
    assert_eq!(world.copies(), 3);

    let printed = world.print(&id, "sheet.html", &[], 0);
    let sheet = std::fs::read_to_string(world.place("sheet.html")).unwrap();
    assert_eq!(sheet.matches("<figure").count() as u64, printed["codes"].as_u64().unwrap());
    // Any four letters stand somewhere in the pictures of so many codes: what a person reads is what is around them.
    let around = |part: &str| part.split_once('"').unwrap().1.to_owned();
    let mut parts = sheet.split("base64,");
    let words = parts.next().unwrap().to_owned() + &parts.map(around).collect::<String>();
    assert!(words.len() < 20_000 && words.matches("<figure").count() == sheet.matches("<figure").count());
    assert!(!sheet.contains("<script") && !words.contains("Alma") && words.contains("default-src 'none'"), "{words}");
}
