//! Status lists: PyPI `token-status-list` 0.1.0a2.dev1 and npm `@sd-jwt/jwt-status-list` 0.19.0, in 1, 2, 4 and 8 bits.

use super::authority::{Authority, key, now, private_jwk, public_jwk};
use super::place::{ask_node, ask_python, node, python};
use credentials::jws;
use credentials::status_list::{Bits, StatusList, TokenDraft, verify};
use credentials::trust::Usage;
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use serde_json::{Value, json};

const URI: &str = "https://issuer.example/status/1";
const ALL: [Bits; 4] = [Bits::One, Bits::Two, Bits::Four, Bits::Eight];

/// A value for each of 64 entries, of all that the bits hold.
fn values(bits: Bits) -> Vec<u8> {
    (0..64_u32).map(|n| u8::try_from((n * n + 3 * n) % (1 << bits.get())).unwrap()).collect()
}

fn status(value: u8) -> Status {
    match value {
        0 => Status::Valid,
        1 => Status::Invalid,
        2 => Status::Suspended,
        other => Status::Other(other),
    }
}

fn ours(bits: Bits) -> StatusList {
    let mut list = StatusList::new(64, bits).unwrap();
    for (at, value) in (0..).zip(values(bits)) {
        list.set(at, status(value)).unwrap();
    }
    list
}

fn all(list: &StatusList) -> Vec<Status> {
    (0..64).map(|at| list.get(at).unwrap()).collect()
}

fn expected(bits: Bits) -> Vec<Status> {
    values(bits).into_iter().map(status).collect()
}

#[test]
fn token_status_list_reads_our_lists_and_we_read_its() {
    let Some(packages) = python() else { return };
    for bits in ALL {
        let list = json!({"bits": bits.get(), "lst": ours(bits).to_lst()});
        let at: Vec<u8> = (0..64).collect();
        let answer = ask_python(packages, "formats.py", &json!({"do": "read", "list": list, "at": at}));
        assert_eq!(answer["statuses"], json!(values(bits)), "{answer}");
        let answer = ask_python(packages, "formats.py", &written(bits));
        let list = StatusList::from_lst(bits, answer["list"]["lst"].as_str().unwrap()).unwrap();
        assert_eq!(all(&list), expected(bits));
    }
}

fn written(bits: Bits) -> Value {
    json!({"do": "list", "bits": bits.get(), "statuses": values(bits), "subject": URI})
}

#[test]
fn the_claims_of_token_status_list_are_those_that_we_verify() {
    let Some(packages) = python() else { return };
    let authority = Authority::new();
    let signer = key(4);
    let (_, x5c) = authority.certify(&signer, Usage::StatusSigning);
    let answer = ask_python(packages, "formats.py", &written(Bits::Two));
    // It knows no `x5c`, and writes its signature as Python shows bytes (docs/peers.md): so the header and the signature are ours.
    assert!(answer["token"].as_str().unwrap().ends_with(".b'c2lnbmF0dXJl'"), "{answer}");
    let header = json!({"alg": "ES256", "typ": "statuslist+jwt", "x5c": x5c});
    let (Value::Object(header), Value::Object(claims)) = (header, answer["claims"].clone()) else { panic!("{answer}") };
    let token = jws::sign_object(&header, &claims, &signer).unwrap();
    let list = verify(&token, URI, &authority.anchors, now(), None).unwrap();
    for (at, value) in (0..).zip(values(Bits::Two)) {
        let reference = StatusReference { idx: at, uri: URI.to_owned() };
        assert_eq!(list.status(&reference, now()).unwrap(), status(value));
    }
    // In CBOR it is draft 2: the list under 65534, where 65533 is today's, and 65534 the time to live (§5.2).
    assert_eq!(answer["cwt_labels"], json!([2, 1, 6, 65534]));
}

#[test]
fn whole_status_list_tokens_go_both_ways_with_sd_jwt_js() {
    if node().is_none() {
        return;
    }
    let authority = Authority::new();
    let signer = key(4);
    let (chain, x5c) = authority.certify(&signer, Usage::StatusSigning);
    for bits in ALL {
        let issued_at = now();
        let expires_at = Timestamp::from_unix(issued_at.unix() + 3_600);
        let draft = TokenDraft { uri: URI, issued_at, expires_at, ttl: Seconds::new(300), aggregation_uri: None };
        let token = ours(bits).sign(&draft, &chain, &signer).unwrap();
        let at: Vec<u8> = (0..64).collect();
        let job = json!({"do": "read", "token": token, "issuer": public_jwk(&signer), "at": at});
        let answer = ask_node("sd_jwt.mjs", &[], &job);
        assert_eq!(answer["statuses"], json!(values(bits)), "{answer}");
        let mut other = job.clone();
        other["issuer"] = public_jwk(&key(7));
        assert!(ask_node("sd_jwt.mjs", &[], &other)["error"].is_string(), "it would refuse another signer");

        let payload = json!({"sub": URI, "iat": issued_at, "exp": expires_at, "ttl": 300});
        let job = json!({
            "do": "list", "bits": bits.get(), "statuses": values(bits), "issuer": private_jwk(&signer), "header": {"x5c": x5c}, "payload": payload,
        });
        let answer = ask_node("sd_jwt.mjs", &[], &job);
        let token = answer["token"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let list = verify(token, URI, &authority.anchors, issued_at, None).unwrap();
        let statuses =
            (0..64).map(|idx| list.status(&StatusReference { idx, uri: URI.to_owned() }, issued_at).unwrap());
        assert_eq!(statuses.collect::<Vec<_>>(), expected(bits));
    }
}
