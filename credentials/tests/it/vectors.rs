//! Published vectors, from `../shared/data` or `AMPARO_DATA`; they say so when they are skipped.

use crate::world::{NOW, WORLD};
use credentials::sd_jwt::verify_presented;
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value};
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

fn json_at(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
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
