//! Type metadata: npm `@sd-jwt/sd-jwt-vc` 0.19.0 fetches what our issuer publishes and holds it to the digest in the credential.

use super::authority::{Authority, key, now, public_jwk, rng};
use super::place::{ask_node, node};
use crate::world::World;
use credentials::b64;
use credentials::sd_jwt::{IssuanceDraft, issue};
use credentials::signer::Signer as _;
use credentials::trust::Usage;
use credentials::type_metadata::Integrity;
use schemas::Seconds;
use serde_json::{Map, Value, json};

/// What the peer says of the type of a credential that names this type and this digest.
fn judged(world: &World, vct: &str, integrity: Option<&str>, mended: bool) -> Value {
    let (authority, issuer) = (Authority::new(), key(1));
    let (chain, _) = authority.certify(&issuer, Usage::CredentialIssuing);
    let visible = integrity.map(|text| ("vct#integrity".to_owned(), json!(text))).into_iter().collect();
    let draft = IssuanceDraft {
        vct: vct.to_owned(),
        issuer: None,
        issued_at: now(),
        not_before: None,
        expires_at: now().plus(Seconds::DAY),
        status: None,
        visible,
        disclosable: Map::from_iter([("category".to_owned(), json!("A"))]),
        nested: Vec::new(),
        decoys: false,
    };
    let issued = issue(&draft, &chain, key(2).public_key(), &issuer, &mut rng(9)).unwrap();
    let registry = format!("{}/types", world.issuer_url);
    let job = json!({
        "do": "type", "issued": issued, "issuer": public_jwk(&issuer), "registry": registry, "mended": mended,
    });
    ask_node("sd_jwt.mjs", &[], &job)
}

/// Publishes a document, as the operator does; gives its type and digest.
fn publish(world: &World, name: &str, more: &Value) -> (String, String) {
    let vct = format!("{}/types/{name}", world.issuer_url);
    let mut document = json!({"vct": vct, "name": name});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    std::fs::write(world.place("document.json"), document.to_string()).unwrap();
    let (data, path) = (world.text("issuer"), world.text("document.json"));
    let said = world.run("amparo-issuer", &["types", "--data", &data, "--document", &path], 0).json;
    let digest = said["published"][0]["integrity"].as_str().unwrap().to_owned();
    assert_eq!(digest, Integrity::of(document.to_string().as_bytes()).to_string());
    (vct, digest)
}

/// The bytes of `sha256-…`.
fn standard(integrity: &str) -> Vec<u8> {
    let text = integrity.strip_prefix("sha256-").unwrap().trim_end_matches('=');
    b64::decode(&text.replace('+', "-").replace('/', "_")).unwrap()
}

#[test]
fn a_peer_fetches_the_types_that_we_publish_and_holds_them_to_their_digests() {
    if node().is_none() {
        return;
    }
    let Some(world) = World::new() else { return };
    let (plain, plain_digest) = publish(&world, "plain", &json!({}));
    let claims = json!([{"path": ["category"], "sd": "always", "mandatory": true, "display": [{"locale": "en", "label": "Category"}]}]);
    let more = json!({"extends": "urn:amparo:attestation:1", "claims": claims});
    let (residence, digest) = publish(&world, "residence", &more);

    // As it comes: it fetches and reads the document.
    let said = judged(&world, &plain, None, false);
    assert_eq!(
        (&said["type"]["mergedTypeMetadata"]["name"], &said["error"]),
        (&json!("plain"), &Value::Null),
        "{said}"
    );
    // With a digest it compares hexadecimal with base64: the very digest is there, and it refuses (docs/peers.md).
    let said = judged(&world, &plain, Some(&plain_digest), false);
    let hex: String = standard(&plain_digest).iter().map(|byte| format!("{byte:02x}")).collect();
    let error = said["error"].as_str().unwrap();
    assert!(error.contains(&hex) && error.contains("Integrity check"), "{said}");

    // With that mended it takes ours, and what ours stands upon, and would refuse another document.
    let said = judged(&world, &residence, Some(&digest), true);
    assert_eq!(said["type"]["vctValues"], json!([residence, "urn:amparo:attestation:1"]), "{said}");
    let merged = &said["type"]["mergedTypeMetadata"];
    let labels: Vec<&str> =
        merged["claims"].as_array().unwrap().iter().filter_map(|claim| claim["display"][0]["label"].as_str()).collect();
    assert!(labels.contains(&"Category"), "{merged}");
    let said = judged(&world, &residence, Some(&plain_digest), true);
    assert!(said["error"].as_str().unwrap().contains("Integrity check"), "{said}");
    let said = judged(&world, &format!("{}/types/absent", world.issuer_url), None, true);
    assert!(said["error"].as_str().unwrap().contains("404"), "{said}");
}
