//! Tokens: JWS, SD-JWT, KB-JWT, JWE.

use crate::world::{AUDIENCE, NONCE, NOW, WORLD, hash};
use credentials::b64;
use credentials::json::Limits;
use credentials::jwe::{ContentEncryption, DecryptionKey, JweIn};
use credentials::jws::{self, JwsIn};
use credentials::sd_jwt::{SdJwtJsonIn, SdJwtVc, verify_issued, verify_presented as verify_sd_jwt};
use credentials::signer::Signer as _;
use serde_json::{Map, Value};

/// A compact JWS; and, when it is none, a header and a payload, one a line, that are signed.
pub fn jws(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(jws) = JwsIn::parse(text, &Limits::TOKEN) {
        let _ = jws.payload_object(&Limits::TOKEN);
        let _ = jws.verify(WORLD.issuer.public_key());
    }
    let (header, payload) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(Value::Object(header)) = serde_json::from_str(header) else { return };
    let signed = jws::sign(&header, payload.as_bytes(), &WORLD.issuer).unwrap();
    if let Ok(jws) = JwsIn::parse(&signed, &Limits::TOKEN) {
        assert_eq!(header.get("alg"), Some(&Value::from("ES256")), "the only algorithm");
        jws.verify(WORLD.issuer.public_key()).unwrap();
        jws.verify(WORLD.holder.public_key()).unwrap_err();
        assert_eq!(jws.payload_bytes(), payload.as_bytes());
        if let Ok(object) = jws.payload_object(&Limits::TOKEN) {
            // Strict JSON is JSON to everybody else, and means the same.
            assert_eq!(serde_json::from_slice::<Map<String, Value>>(payload.as_bytes()).unwrap(), object);
        }
    }
}

/// A payload, then disclosures, one a line, as JSON: signed by an issuer, received, kept, opened again, shown and verified.
pub fn sd_jwt(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // As a whole, in both serialisations.
    let _ = verify_issued(text, &WORLD.policy(), NOW);
    if let Ok(json) = SdJwtJsonIn::parse(data) {
        json.texts().for_each(|text| drop(verify_issued(text, &WORLD.policy(), NOW)));
    }
    let mut lines = text.lines();
    let Some(Ok(Value::Object(mut payload))) = lines.next().map(serde_json::from_str::<Value>) else { return };
    for (name, value) in WORLD.payload() {
        payload.entry(name).or_insert(value);
    }
    let disclosures: Vec<String> = lines.take(300).map(|line| b64::encode(line.as_bytes())).collect();
    // A digest that only the harness can compute is written as the number of its disclosure: {"...": 0}, {"_sd": [1]}.
    let mut payload = Value::Object(payload);
    put_digests(&mut payload, &disclosures);
    let payload = serde_json::to_vec(&payload).unwrap();
    let issued = WORLD.forge(&WORLD.header(), &payload, &disclosures);
    let Ok(held) = verify_issued(&issued, &WORLD.policy(), NOW) else { return };
    no_digest_is_left(&Value::Object(held.claims().clone()));
    let opened = SdJwtVc::reopen(held.as_str()).unwrap();
    assert_eq!(opened.claims(), held.claims(), "kept as received");
    let paths = held.disclosable_paths();
    for shown in [&paths[..0], &paths[..paths.len().min(1)], &paths[..]] {
        let Ok(selection) = opened.select(shown) else { continue };
        let presented = selection.bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
        if let Ok(presented) = verify_sd_jwt(&presented, &WORLD.expected()) {
            no_digest_is_left(&Value::Object(presented.claims().clone()));
            for path in presented.disclosed_paths() {
                assert!(paths.contains(&path), "nothing is shown that could not be hidden");
            }
        }
    }
}

fn put_digests(value: &mut Value, disclosures: &[String]) {
    let digest = |value: &Value| -> Option<Value> {
        let text = disclosures.get(usize::try_from(value.as_u64()?).ok()?)?;
        Some(Value::String(hash(text)))
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::Array(items) if name == "_sd" => {
                        items.iter_mut().for_each(|item| *item = digest(item).unwrap_or_else(|| item.take()));
                    }
                    number if name == "..." => *number = digest(number).unwrap_or_else(|| number.take()),
                    other => put_digests(other, disclosures),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put_digests(item, disclosures)),
        _ => {}
    }
}

fn no_digest_is_left(claims: &Value) {
    match claims {
        Value::Object(members) => {
            assert!(!members.contains_key("_sd") && !members.contains_key("..."), "a digest is left in the claims");
            members.values().for_each(no_digest_is_left);
        }
        Value::Array(items) => items.iter().for_each(no_digest_is_left),
        _ => {}
    }
}

/// A header and claims, one a line, that the holder signs over a real credential.
pub fn kb_jwt(data: &[u8]) {
    let Some((header, claims)) = str::from_utf8(data).ok().and_then(|text| text.split_once('\n')) else { return };
    let (Ok(header), Ok(Value::Object(mut claims))) =
        (serde_json::from_str::<Value>(header), serde_json::from_str::<Value>(claims))
    else {
        return;
    };
    if !header.is_object() {
        return;
    }
    let issued = WORLD.issue(&WORLD.draft());
    claims.entry("sd_hash").or_insert_with(|| hash(&issued).into());
    let asked = claims.clone();
    let bound = WORLD.bind_with(&issued, &header, &Value::Object(claims), &WORLD.holder);
    if let Ok(presented) = verify_sd_jwt(&bound, &WORLD.expected()) {
        assert_eq!(asked.get("aud"), Some(&Value::from(AUDIENCE)));
        assert_eq!(asked.get("nonce"), Some(&Value::from(NONCE)));
        assert_eq!(presented.key_binding().nonce(), NONCE);
        // The very same words under another key are nobody's.
        let stranger = WORLD.bind_with(&issued, &header, &Value::Object(asked), &WORLD.issuer);
        verify_sd_jwt(&stranger, &WORLD.expected()).unwrap_err();
    }
}

/// A JWE for a key of ours that nobody else knows: nothing opens that a fuzzer wrote.
pub fn jwe(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(jwe) = JweIn::parse(text) else { return };
    let key = DecryptionKey::from_scalar(&[7; 32]).unwrap();
    let allowed = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];
    assert!(key.open(&jwe, &allowed).is_err(), "a message was forged");
}
