//! The Digital Credentials API: npm `@openid4vc/openid4vp` 0.4.6 asks and answers, the platform between us played by the test.

use super::authority::{Authority, key, now, private_jwk, public_jwk, rng};
use super::place::{ask_node, node};
use credentials::algorithm::HashAlgorithm;
use credentials::b64;
use credentials::jwe::DecryptionKey;
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{self, Elements, KeyAuthorizations, Mdoc, SessionTranscript};
use credentials::request_object::RequestObjectError;
use credentials::request_object::dc_api::{self, DcApiAnswer, DcApiRequest, Protocol};
use credentials::sd_jwt::{self, IssuanceDraft, verify_issued, verify_presented};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, Usage};
use schemas::openid4vp::{AuthorizationResponse, RequestObject};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ORIGIN: &str = "https://desk.example";
const ELSEWHERE: &str = "https://evil.example";
const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";
const TYPES: [&str; 2] = ["urn:amparo:identity:1", "org.iso.18013.5.1.mDL"];
const SPACE: &str = "org.iso.18013.5.1";
const WAYS: [(Protocol, &str); 4] = [
    (Protocol::Unsigned, "dc_api"),
    (Protocol::Unsigned, "dc_api.jwt"),
    (Protocol::Signed, "dc_api"),
    (Protocol::Signed, "dc_api.jwt"),
];

/// An issuer of both formats, a holder, and a verifier with a certificate and a key for answers.
struct Parties {
    authority: Authority,
    issuer: SoftwareKey,
    holder: SoftwareKey,
    verifier: SoftwareKey,
    /// Of the verifier: its chain, `x5c`, and the client identifier that goes with them.
    certified: (CertificateChain, Vec<String>, String),
    answers: SoftwareKey,
    pid: String,
    doc: Vec<u8>,
    now: Timestamp,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

impl Parties {
    fn new() -> Self {
        let (authority, issuer, holder, verifier, now) = (Authority::new(), key(1), key(2), key(3), now());
        let (chain, x5c) = authority.certify(&verifier, Usage::Verifier);
        let client_id = format!("x509_hash:{}", HashAlgorithm::Sha256.digest(chain.leaf()));
        let until = Timestamp::from_unix(now.unix() + 86_400);
        let pid = IssuanceDraft {
            vct: TYPES[0].into(),
            issuer: None,
            issued_at: now,
            not_before: None,
            expires_at: until,
            status: None,
            visible: Map::new(),
            disclosable: object(json!({"given_name": "Inés", "family_name": "Peer"})),
            nested: Vec::new(),
            decoys: true,
        };
        let mut elements = Elements::new();
        elements.insert(SPACE, "family_name", "Коваль");
        elements.insert(SPACE, "weight", 57);
        let doc = mdoc::IssuanceDraft {
            doc_type: TYPES[1].into(),
            elements,
            signed_at: now,
            valid_from: now,
            valid_until: until,
            expected_update: None,
            status: None,
            authorizations: KeyAuthorizations::new(),
            decoys: true,
        };
        let (issues, _) = authority.certify(&issuer, Usage::CredentialIssuing);
        let pid = sd_jwt::issue(&pid, &issues, holder.public_key(), &issuer, &mut rng(9)).unwrap();
        let (issues, _) = authority.certify(&issuer, Usage::MdocIssuing);
        let doc = mdoc::issue(&doc, &issues, holder.public_key(), &issuer, &mut rng(9)).unwrap();
        let certified = (chain, x5c, client_id);
        Self { authority, issuer, holder, verifier, certified, answers: key(4), pid, doc, now }
    }

    fn policy(&self) -> ChainPolicy<'_> {
        ChainPolicy::known_only(&self.authority.anchors)
    }

    fn read(&self, protocol: Protocol, data: &Value, origin: &str) -> Result<DcApiRequest, RequestObjectError> {
        DcApiRequest::read(protocol, data, origin, &self.authority.anchors, self.now.plus(schemas::Seconds::new(5)))
    }

    fn job(&self, what: Value) -> Value {
        let mut job = object(json!({
            "origin": ORIGIN, "types": TYPES, "space": SPACE, "nonce": NONCE, "x5c": self.certified.1, "clientId": self.certified.2,
            "signer": private_jwk(&self.verifier), "encryption": private_jwk(&self.answers), "issuer": public_jwk(&self.issuer),
            "anchor": self.authority.anchor, "holder": private_jwk(&self.holder),
        }));
        job.extend(object(what));
        Value::Object(job)
    }

    fn asked_by_peer(&self, protocol: Protocol, mode: &str) -> Value {
        let job = self.job(json!({"do": "ask", "signed": protocol == Protocol::Signed, "mode": mode}));
        let answer = ask_node("dc_api.mjs", &[], &job);
        assert!(answer["data"].is_object(), "{answer}");
        answer["data"].clone()
    }

    /// A name of the one credential, a name of the other, for `audience` and `transcript`.
    fn present(&self, audience: &str, transcript: &SessionTranscript) -> AuthorizationResponse {
        let held = verify_issued(&self.pid, &self.policy(), self.now).unwrap();
        let binding = KeyBindingClaims::new(audience, NONCE, self.now);
        let chosen = held.select_exactly(&[ClaimPath::names(["given_name"])]).unwrap();
        let pid = chosen.bind(&binding, &self.holder).unwrap();
        let held = Mdoc::reopen(&self.doc).unwrap();
        let chosen = held.select(&[ClaimPath::names([SPACE, "family_name"])]).unwrap();
        let document = chosen.sign(transcript, &Elements::new(), &self.holder).unwrap();
        let doc = b64::encode(&mdoc::device_response(&[document]));
        let token = [("pid", pid), ("doc", doc)].map(|(id, shown)| (id.to_owned(), vec![Value::from(shown)]));
        AuthorizationResponse { vp_token: BTreeMap::from(token), state: None }
    }

    /// What we ask, as the object that goes into the platform's call.
    fn asked_by_us(&self, protocol: Protocol, mode: &str) -> Value {
        let mut metadata = json!({"vp_formats_supported": {
            "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]},
            "mso_mdoc": {"issuerauth_alg_values": [-7], "deviceauth_alg_values": [-7]},
        }});
        if mode == "dc_api.jwt" {
            metadata["jwks"] = json!({"keys": [self.recipient().to_public_jwk("1")]});
            metadata["encrypted_response_enc_values_supported"] = json!(["A128GCM", "A256GCM"]);
        }
        let request: RequestObject = serde_json::from_value(json!({
            "client_id": self.certified.2, "aud": "https://self-issued.me/v2", "response_type": "vp_token", "response_mode": mode,
            "nonce": NONCE, "expected_origins": [ORIGIN], "client_metadata": metadata,
            "dcql_query": {"credentials": [
                {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": [TYPES[0]]}, "claims": [{"path": ["given_name"]}]},
                {"id": "doc", "format": "mso_mdoc", "meta": {"doctype_value": TYPES[1]}, "claims": [{"path": [SPACE, "family_name"]}]},
            ]},
        }))
        .unwrap();
        match protocol {
            Protocol::Unsigned => dc_api::unsigned(&request).unwrap(),
            _ => dc_api::signed(&request, &self.certified.0, &self.verifier).unwrap(),
        }
    }

    fn recipient(&self) -> DecryptionKey {
        DecryptionKey::from_scalar(&self.answers.scalar().unwrap()).unwrap()
    }
}

#[test]
fn our_wallet_answers_a_verifier_that_others_wrote_by_the_digital_credentials_api() {
    if node().is_none() {
        return;
    }
    let parties = Parties::new();
    for (protocol, mode) in WAYS {
        let data = parties.asked_by_peer(protocol, mode);
        let request = parties.read(protocol, &data, ORIGIN).unwrap_or_else(|e| panic!("{protocol:?} {mode}: {e}"));
        let client = request.client().map(|(client_id, _)| client_id.as_str());
        assert_eq!(client, (protocol == Protocol::Signed).then_some(parties.certified.2.as_str()));
        assert_eq!((request.nonce(), request.query().credentials().len()), (NONCE, 2));
        let answered = parties.present(&request.audience(), &request.session_transcript());
        let answer = request.answer(&answered, &mut rng(5)).unwrap();
        let read = |data: &Value, answer: &Value| {
            ask_node("dc_api.mjs", &[], &parties.job(json!({"do": "read", "data": data, "answer": answer})))
        };
        let seen = read(&data, &answer);
        assert_eq!(seen["claims"]["given_name"], "Inés", "{protocol:?} {mode}: {seen}");
        assert!(seen["claims"].get("family_name").is_none(), "{seen}");
        assert_eq!(seen["document"], json!({"family_name": "Коваль"}), "{seen}");
        assert_eq!(seen["sealed"], mode == "dc_api.jwt");
        // It can refuse: what is bound to another origin, in the one format and in the other.
        let elsewhere = SessionTranscript::openid4vp_dc_api(ELSEWHERE, NONCE, None);
        for wrong in [
            parties.present(&dc_api::audience(ELSEWHERE), &request.session_transcript()),
            parties.present(&request.audience(), &elsewhere),
        ] {
            let seen = read(&data, &request.answer(&wrong, &mut rng(6)).unwrap());
            assert!(seen["error"].is_string(), "{protocol:?} {mode}: {seen}");
        }
        // So can we: another site that passes the request on.
        if protocol == Protocol::Signed {
            assert_eq!(parties.read(protocol, &data, ELSEWHERE).unwrap_err(), RequestObjectError::OtherOrigin);
        }
    }
}

#[test]
fn a_wallet_that_others_wrote_answers_us_by_the_digital_credentials_api() {
    if node().is_none() {
        return;
    }
    let parties = Parties::new();
    for (protocol, mode) in WAYS {
        let data = parties.asked_by_us(protocol, mode);
        let job = |origin: &str| {
            let held = json!({"pid": parties.pid, "doc": b64::encode(&parties.doc)});
            parties.job(json!({"do": "answer", "data": data, "held": held, "origin": origin}))
        };
        let answer = ask_node("dc_api.mjs", &[], &job(ORIGIN));
        assert!(answer["data"].is_object(), "{protocol:?} {mode}: {answer}");
        assert_eq!(answer["client"], if protocol == Protocol::Signed { "x509_hash" } else { "origin" });
        let recipient = (mode == "dc_api.jwt").then(|| parties.recipient());
        let Ok(DcApiAnswer::Presented(response)) = DcApiAnswer::read(&answer["data"], recipient.as_ref()) else {
            panic!("{protocol:?} {mode}: {answer}");
        };
        let shown = |id: &str| response.vp_token[id][0].as_str().unwrap().to_owned();
        let at = parties.now.plus(schemas::Seconds::new(5));
        let pid = |origin: &str| {
            let audience = dc_api::audience(origin);
            let expected = sd_jwt::Expected::new(parties.policy(), &audience, NONCE, at);
            verify_presented(&shown("pid"), &expected).map(|seen| seen.claims().clone())
        };
        let claims = pid(ORIGIN).unwrap_or_else(|e| panic!("{protocol:?} {mode}: {e}"));
        assert_eq!((&claims["given_name"], claims.get("family_name")), (&json!("Inés"), None));
        assert!(pid(ELSEWHERE).is_err());
        let thumbprint = recipient.is_some().then(|| parties.answers.public_key().thumbprint());
        let doc = |origin: &str| {
            let transcript = SessionTranscript::openid4vp_dc_api(origin, NONCE, thumbprint.as_ref());
            let expected = mdoc::Expected::new(parties.policy(), &transcript, at);
            mdoc::verify_presented(&b64::decode(&shown("doc")).unwrap(), &expected).map(|seen| seen.elements().clone())
        };
        let elements = doc(ORIGIN).unwrap_or_else(|e| panic!("{protocol:?} {mode}: {e}"));
        assert_eq!(elements.get(SPACE, "family_name"), Some(&"Коваль".into()));
        assert!(elements.get(SPACE, "weight").is_none() && doc(ELSEWHERE).is_err());
        // A signed request says where it may come from.
        let elsewhere = ask_node("dc_api.mjs", &[], &job(ELSEWHERE));
        assert_eq!(elsewhere["error"].is_string(), protocol == Protocol::Signed, "{elsewhere}");
    }
}
