//! A wallet that knows only the protocols: what it asks is the same for whoever serves.

use crate::http::{Answer, Http};
use credentials::b64;
use credentials::dpop;
use credentials::jwe::Recipient;
use credentials::key_binding::KeyBindingClaims;
use credentials::proof;
use credentials::sd_jwt::SdJwtVc;
use credentials::signer::SoftwareKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A copy and its key.
pub(crate) struct Held {
    text: String,
    key: SoftwareKey,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix(since.as_secs().try_into().unwrap())
}

/// Keys that no issuer has seen before.
fn rng() -> ChaCha20Rng {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&started.to_le_bytes());
    seed[16..24].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    ChaCha20Rng::from_seed(seed)
}

/// From the offer to the copies: metadata, token (refused once, for the nonce of its proof), nonce, credentials.
pub(crate) fn receive(http: &mut Http, offer: &str, tx_code: &str, copies: usize) -> Vec<Held> {
    let rng = &mut rng();
    let offer: Value = serde_json::from_str(&parameter(offer, "credential_offer")).unwrap();
    let issuer = offer["credential_issuer"].as_str().unwrap();
    let metadata = http.get(&format!("{issuer}/.well-known/openid-credential-issuer")).json();
    let server = http.get(&format!("{issuer}/.well-known/oauth-authorization-server")).json();
    let grant = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
    let code = offer["grants"][grant]["pre-authorized_code"].as_str().unwrap();
    let form = format!("grant_type={}&pre-authorized_code={}&tx_code={tx_code}", encoded(grant), encoded(code));
    let dpop = SoftwareKey::generate(rng).unwrap();
    let token_endpoint = server["token_endpoint"].as_str().unwrap();
    let mut nonce = None;
    let mut ask = |nonce: &mut Option<String>| -> Answer {
        let mut jti = [0; 16];
        rng.fill_bytes(&mut jti);
        let proof = dpop::create("POST", token_endpoint, now(), None, nonce.as_deref(), jti, &dpop).unwrap();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof.as_str())];
        let answer = http.post(token_endpoint, &headers, form.as_bytes());
        *nonce = answer.header("dpop-nonce").map(str::to_owned).or(nonce.take());
        answer
    };
    let refused = ask(&mut nonce);
    assert_eq!(refused.json()["error"], "use_dpop_nonce");
    let granted = ask(&mut nonce);
    assert_eq!(granted.status, 200, "{}", granted.text());
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();

    let answer = http.post(metadata["nonce_endpoint"].as_str().unwrap(), &[], b"");
    nonce = answer.header("dpop-nonce").map(str::to_owned).or(nonce);
    let c_nonce = answer.json()["c_nonce"].as_str().unwrap().to_owned();
    let keys: Vec<SoftwareKey> = (0..copies).map(|_| SoftwareKey::generate(rng).unwrap()).collect();
    let proofs: Vec<String> = keys.iter().map(|key| proof::create(issuer, &c_nonce, now(), key).unwrap()).collect();
    let request =
        json!({"credential_configuration_id": offer["credential_configuration_ids"][0], "proofs": {"jwt": proofs}});
    let endpoint = metadata["credential_endpoint"].as_str().unwrap();
    let mut jti = [0; 16];
    rng.fill_bytes(&mut jti);
    let proof = dpop::create("POST", endpoint, now(), Some(&token), nonce.as_deref(), jti, &dpop).unwrap();
    let authorization = format!("DPoP {token}");
    let headers = [("content-type", "application/json"), ("dpop", proof.as_str()), ("authorization", &authorization)];
    let answer = http.post(endpoint, &headers, request.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let issued = answer.json();
    let texts = issued["credentials"].as_array().unwrap().iter();
    let held = texts.zip(keys).map(|(c, key)| Held { text: c["credential"].as_str().unwrap().to_owned(), key });
    let held: Vec<Held> = held.collect();
    assert_eq!(held.len(), copies);
    held
}

/// From the link to the verifier's yes: the request object, and the answer, encrypted.
pub(crate) fn present(http: &mut Http, link: &str, held: &Held) {
    let object = http.get(&parameter(link, "request_uri")).text();
    let payload = b64::decode(object.split('.').nth(1).unwrap_or_else(|| panic!("{object}"))).unwrap();
    let request: Value = serde_json::from_slice(&payload).unwrap();
    let text = |name: &str| request[name].as_str().unwrap().to_owned();
    let query = &request["dcql_query"]["credentials"][0];
    let paths = query["claims"].as_array().unwrap().iter().map(|claim| claim["path"].clone());
    let paths: Vec<ClaimPath> = paths.map(|path| serde_json::from_value(path).unwrap()).collect();
    let credential = SdJwtVc::reopen(&held.text).unwrap();
    let claims = KeyBindingClaims::new(&text("client_id"), &text("nonce"), now());
    let presentation = credential.select(&paths).unwrap().bind(&claims, &held.key).unwrap();
    let mut answer = json!({"vp_token": {query["id"].as_str().unwrap(): [presentation]}});
    if let Some(state) = request.get("state") {
        answer["state"] = state.clone();
    }
    let metadata = serde_json::from_value(request["client_metadata"].clone()).unwrap();
    let jwe = Recipient::choose(&metadata).unwrap().encrypt(answer.to_string().as_bytes(), &mut rng()).unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answered = http.post(&text("response_uri"), &headers, format!("response={jwe}").as_bytes());
    assert_eq!(answered.status, 200, "{}", answered.text());
}

/// A parameter of a link's query.
fn parameter(link: &str, name: &str) -> String {
    let query = link.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name));
    let value = found.unwrap_or_else(|| panic!("{link}")).1;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
