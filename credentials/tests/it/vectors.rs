//! Published vectors, from `../shared/data` or `AMPARO_DATA`; they say so when they are skipped.

use crate::world::{NOW, WORLD, map};
use credentials::json::Limits;
use credentials::jws::JwsIn;
use credentials::key::PublicKey;
use credentials::sd_jwt::{SdJwtIn, verify_presented};
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of one set of vectors; `None`, said aloud, when it is not on this machine.
fn folder(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("AMPARO_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let folder = data.join("vectors").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no vectors at {}", folder.display());
    None
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The files are wrapped for print.
fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.split_whitespace().collect())
}

fn json_at(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// `key_settings` of the set's `settings.yml`.
fn key(x: &str, y: &str) -> PublicKey {
    PublicKey::from_jwk(&map(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}))).unwrap()
}

/// JWS JSON serialisation, flattened or general, rewritten as compact text.
fn compact(path: &Path) -> Option<String> {
    let value: Value = serde_json::from_str(&text(path)?).unwrap();
    let first = value.get("signatures").map_or(&value, |signatures| &signatures[0]);
    let part = |name: &str| first.get(name).or_else(|| value.get(name)).unwrap().as_str().unwrap();
    let mut compact = format!("{}.{}.{}~", part("protected"), part("payload"), part("signature"));
    // RFC 9901 §8.1 puts these two into the unprotected header; some of the files have them beside it.
    let unprotected = |name: &str| [&first["header"], first, &value].into_iter().find_map(|place| place.get(name));
    for disclosure in unprotected("disclosures").unwrap().as_array().unwrap() {
        compact.push_str(disclosure.as_str().unwrap());
        compact.push('~');
    }
    compact.push_str(unprotected("kb_jwt").and_then(Value::as_str).unwrap_or_default());
    Some(compact)
}

#[test]
fn rfc9901_examples_are_read_verified_and_processed() {
    let Some(folder) = folder("sd-jwt-generated") else { return };
    let issuer = key("b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8");
    let holder = key("TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc", "ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ");
    let mut seen = 0;
    for example in entries(&folder).into_iter().filter(|path| path.is_dir()) {
        let read = |name: &str| {
            text(&example.join(format!("{name}.txt")))
                .or_else(|| compact(&example.join(format!("{name}.json"))))
                .unwrap()
        };
        let (issued, presented) = (read("sd_jwt_issuance"), read("sd_jwt_presentation"));
        let issued = SdJwtIn::parse(&issued).unwrap();
        assert_eq!(issued.jws().verify(&issuer), Ok(()), "{}", example.display());
        assert_eq!(Value::Object(issued.payload().clone()), json_at(&example.join("sd_jwt_payload.json")));
        let all = issued.process().unwrap();
        for (name, value) in json_at(&example.join("user_claims.json")).as_object().unwrap() {
            assert_eq!(all.claims.get(name), Some(value), "{}: {name}", example.display());
        }
        let presented = SdJwtIn::parse(&presented).unwrap();
        assert_eq!(presented.jws().verify(&issuer), Ok(()));
        if let Some(key_binding) = presented.key_binding() {
            let key_binding = JwsIn::parse(key_binding, &Limits::TOKEN).unwrap();
            assert_eq!(key_binding.verify(&holder), Ok(()), "{}", example.display());
            let claims = key_binding.payload_object(&Limits::TOKEN).unwrap();
            // The JSON files' hash was taken over another text than RFC 9901 §8.4 names; we read the compact form only.
            if example.join("sd_jwt_presentation.txt").exists() {
                assert_eq!(claims["sd_hash"], presented.sd_hash(), "{}", example.display());
            }
        }
        let shown = presented.process().unwrap();
        assert_eq!(
            Value::Object(shown.claims),
            json_at(&example.join("verified_contents.json")),
            "{}",
            example.display()
        );
        seen += 1;
    }
    assert_eq!(seen, 15);
}

/// A frame of sd-jwt-js as our draft: what is in the top `_sd` is disclosable, the rest visible, deeper `_sd` nested.
fn nested_paths(frame: &Map<String, Value>, path: &mut Vec<PathElement>, value: &Value, found: &mut Vec<ClaimPath>) {
    let element = |key: &str, value: &Value| match value {
        Value::Array(_) => PathElement::Index(key.parse().unwrap()),
        _ => PathElement::Name(key.to_owned()),
    };
    for (key, frame) in frame {
        if key == "_sd" {
            for name in frame.as_array().unwrap() {
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                path.push(element(&name, value));
                if path.len() > 1 {
                    found.push(ClaimPath::new(path.clone()));
                }
                path.pop();
            }
        } else if let Value::Object(frame) = frame {
            let step = element(key, value);
            let inner = match &step {
                PathElement::Index(index) => &value[usize::try_from(*index).unwrap()],
                _ => &value[key],
            };
            path.push(step);
            nested_paths(frame, path, inner, found);
            path.pop();
        }
    }
}

/// The paths that a presentation frame of sd-jwt-js chooses.
fn chosen_paths(frame: &Value, path: &mut Vec<PathElement>, value: &Value, found: &mut Vec<ClaimPath>) {
    for (key, frame) in frame.as_object().into_iter().flatten() {
        let (step, inner) = match value {
            Value::Array(items) => (PathElement::Index(key.parse().unwrap()), items.get(key.parse::<usize>().unwrap())),
            _ => (PathElement::Name(key.clone()), value.get(key)),
        };
        // Some frames ask for what is not there.
        let Some(inner) = inner else { continue };
        path.push(step);
        match frame {
            Value::Bool(true) => found.push(ClaimPath::new(path.clone())),
            frame => chosen_paths(frame, path, inner, found),
        }
        path.pop();
    }
}

#[test]
fn sd_jwt_js_cases_are_issued_shown_and_verified() {
    let Some(folder) = folder("openwallet-foundation__sd-jwt-js/packages") else { return };
    let world = &*WORLD;
    let mut seen = 0;
    for file in entries(&folder.join("sd-jwt-vc/test")).into_iter().chain(entries(&folder.join("core/test"))) {
        let case = json_at(&file);
        let (Some(Value::Object(claims)), Some(frame)) = (case.get("claims"), case.get("disclosureFrame")) else {
            eprintln!("skipped: no claims in {}", file.display());
            continue;
        };
        let frame = frame.as_object().cloned().unwrap_or_default();
        let top: Vec<&str> =
            frame.get("_sd").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut draft = world.draft();
        draft.decoys = false;
        draft.disclosable.clear();
        for (name, value) in claims {
            // The registered claims of these cases have fields of their own in a draft.
            if ["iss", "iat", "nbf", "exp", "cnf", "vct", "status"].contains(&name.as_str()) {
                continue;
            }
            let to = if top.contains(&name.as_str()) { &mut draft.disclosable } else { &mut draft.visible };
            to.insert(name.clone(), value.clone());
        }
        let all = Value::Object(claims.clone());
        nested_paths(&frame, &mut Vec::new(), &all, &mut draft.nested);
        let held = world.held(&draft);
        let mut chosen = Vec::new();
        chosen_paths(&case["presentationFrames"], &mut Vec::new(), &all, &mut chosen);
        let text = held.select(&chosen).unwrap().bind(&world.key_binding(), &world.holder).unwrap();
        let presented = verify_presented(&text, &world.expected()).unwrap();
        for (name, value) in case["presentedClaims"].as_object().unwrap() {
            assert_eq!(presented.claims().get(name), Some(value), "{}: {name}", file.display());
        }
        assert!(presented.expires_at().unwrap() > NOW);
        seen += 1;
    }
    assert!(seen >= 30, "{seen}");
}
