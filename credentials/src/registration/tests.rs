use super::*;
use crate::request_object::{ClientId, RequestObjectIn};
use crate::signer::SoftwareKey;
use crate::testing::{Authority, NOW, key};
use serde_json::json;

const CLIENT: &str = "x509_san_dns:border.example";

struct World {
    verifiers: Authority,
    registrars: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
}

impl World {
    fn new() -> Self {
        let (verifiers, registrars) = (Authority::new("Verifiers"), Authority::new("Registrars"));
        let (chain, key) = registrars.leaf(Usage::VerifierRegistering, &["registrar.example"], 41);
        Self { verifiers, registrars, chain, key }
    }

    fn signed(&self, change: impl FnOnce(&mut Value)) -> String {
        self.typed(TYP, change)
    }

    fn typed(&self, typ: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "sub": CLIENT, "name": "Border Post", "purposes": ["amparo:border-entry", "of-another-framework"],
            "credentials": [{"format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]},
                             "claims": [{"path": ["given_name"]}, {"path": ["address"]}]}],
            "contact": "border@border.example", "supervisory_authority": {"name": "Data protection", "email": "dpa@gov.example"},
            "iat": NOW, "exp": NOW.plus(Seconds::DAY), "entitlements": ["not read"],
        });
        change(&mut claims);
        let header = json!({"alg": "ES256", "typ": typ, "x5c": self.chain.to_x5c()});
        jws::sign_object(header.as_object().unwrap(), claims.as_object().unwrap(), &self.key).unwrap()
    }

    fn request(&self, client_id: &str, verifier_info: Value, purpose: Option<&str>) -> AuthenticatedRequest {
        let (chain, key) = self.verifiers.leaf(Usage::Verifier, &["border.example"], 1);
        let client_id = match client_id {
            "hash" => {
                let verified = chain.verify(&self.verifiers.anchors(), Usage::Verifier, NOW).unwrap();
                ClientId::x509_hash(&verified.leaf_sha256()).to_string()
            }
            other => other.to_owned(),
        };
        let mut payload = json!({
            "client_id": client_id, "response_type": "vp_token", "response_mode": "direct_post",
            "response_uri": "https://border.example/answer/1", "nonce": "0HZ_wFv2mKcR7tYxPq3dLg",
            "dcql_query": {"credentials": [{"id": "sx", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]},
                                            "claims": [{"path": ["given_name"]}, {"path": ["family_name"]}]}]},
            "verifier_info": verifier_info,
        });
        if let Some(purpose) = purpose {
            let proposal = json!({
                "type": schemas::consent::CONSENT_REQUEST_TYPE, "credential_ids": ["sx"],
                "controller": {"client_id": client_id, "name": "Border"},
                "purposes": [{"code": purpose, "claims": [["given_name"]]}], "retention": "PT1H",
                "not_after": NOW.plus(Seconds::MINUTE),
            });
            payload["transaction_data"] = json!([crate::b64::encode(proposal.to_string().as_bytes())]);
        }
        let header = json!({"alg": "ES256", "typ": "oauth-authz-req+jwt", "x5c": chain.to_x5c()});
        let text = jws::sign_object(header.as_object().unwrap(), payload.as_object().unwrap(), &key).unwrap();
        let request = RequestObjectIn::parse(&text).unwrap();
        request.authenticate(&client_id, &self.verifiers.anchors(), NOW, None).unwrap()
    }

    fn read(&self, text: &str, purpose: Option<&str>) -> Result<Registrations, RegistrationError> {
        let request = self.request(CLIENT, json!([{"format": FORMAT, "data": text}]), purpose);
        Registrations::of(&request, &self.registrars.anchors(), NOW)
    }
}

const BORDER: Option<&str> = Some("amparo:border-entry");

fn path(name: &str) -> ClaimPath {
    ClaimPath::names([name])
}

#[test]
fn registration_01_a_registration_says_what_its_verifier_may_ask_for() {
    let world = World::new();
    let found = world.read(&world.signed(|_| {}), BORDER).unwrap();
    let one = found.iter().next().unwrap();
    assert_eq!((one.claims().name.as_str(), one.registrar().trust()), ("Border Post", Trust::Known));
    assert_eq!(
        one.purposes().collect::<Vec<_>>(),
        [Purpose::BorderEntry],
        "a code that is not known counts for nothing"
    );
    let mut query = world.request(CLIENT, json!([]), None).query().credential("sx").unwrap().clone();
    let purposes = [Purpose::BorderEntry];
    assert!(found.cover(&query, &path("given_name"), &purposes) && found.cover(&query, &path("given_name"), &[]));
    assert!(found.cover(&query, &ClaimPath::names(["address", "locality"]), &purposes), "what stands below");
    assert!(!found.cover(&query, &path("family_name"), &purposes), "another claim");
    assert!(!found.cover(&query, &path("given_name"), &[Purpose::AgeCheck]), "another purpose");
    query.meta.vct_values = Some(vec!["urn:amparo:identity:1".into(), "urn:amparo:attestation:1".into()]);
    assert!(!found.cover(&query, &path("given_name"), &purposes), "another type besides");
    query.meta.vct_values = None;
    assert!(!found.cover(&query, &path("given_name"), &purposes), "any type");
    query.format = "mso_mdoc".into();
    assert!(!found.cover(&query, &path("given_name"), &purposes), "another format");
}

#[test]
fn registration_02_it_is_bound_to_the_verifier_that_asks() {
    let world = World::new();
    assert!(world.read(&world.signed(|_| {}), None).is_ok());
    for sub in ["x509_san_dns:other.example", "border.example", "x509_san_dns:Border.example", ""] {
        let refused = world.read(&world.signed(|claims| claims["sub"] = json!(sub)), None).unwrap_err();
        let expected = if sub.is_empty() { RegistrationError::Malformed } else { RegistrationError::OtherVerifier };
        assert_eq!(refused, expected, "{sub}");
    }
    // By the name in a certificate that a known anchor vouches for, so that it outlives the certificate; not by a stranger's.
    let by_hash = |sub: &str, anchors: &TrustAnchors| {
        let info = json!([{"format": FORMAT, "data": world.signed(|claims| claims["sub"] = json!(sub))}]);
        let known = world.request("hash", info, None);
        let subject = known.verifier().unwrap().subject().to_owned();
        (subject, Registrations::of(&known, anchors, NOW).map(|found| found.is_empty()))
    };
    let (subject, _) = by_hash("x", &world.registrars.anchors());
    assert_eq!(by_hash(&subject, &world.registrars.anchors()).1, Ok(false));
    let refused = by_hash("another name", &world.registrars.anchors()).1;
    assert_eq!(refused, Err(RegistrationError::OtherVerifier));
}

#[test]
fn registration_03_a_registrar_that_is_not_known_has_no_word() {
    let world = World::new();
    let text = world.signed(|_| {});
    let request = |data: Value| world.request(CLIENT, json!([{"format": FORMAT, "data": data}]), BORDER);
    for registrars in [TrustAnchors::default(), world.verifiers.anchors()] {
        assert!(Registrations::of(&request(json!(text)), &registrars, NOW).unwrap().is_empty());
    }
    // A key that was not made to register: an attester's, a verifier's.
    for usage in [Usage::VerifierAttesting, Usage::Verifier] {
        let (chain, key) = world.registrars.leaf(usage, &["registrar.example"], 43);
        let other = World { chain, key, ..World::new() };
        let found = Registrations::of(&request(json!(other.signed(|_| {}))), &world.registrars.anchors(), NOW).unwrap();
        assert!(found.is_empty(), "{usage:?}");
    }
    // Other formats, and what is no token at all.
    for info in [
        json!([{"format": "jwt", "data": text}]),
        json!([{"format": FORMAT, "data": {}}]),
        json!([{"format": FORMAT, "data": "x"}]),
    ] {
        let request = world.request(CLIENT, info, BORDER);
        assert!(Registrations::of(&request, &world.registrars.anchors(), NOW).unwrap().is_empty());
    }
}

#[test]
fn registration_04_what_a_known_registrar_signed_must_hold() {
    let world = World::new();
    let refused = |text: &str| world.read(text, BORDER).unwrap_err();
    let forged = World { key: key(44), chain: world.chain.clone(), ..World::new() };
    assert_eq!(refused(&forged.signed(|_| {})), RegistrationError::Signature);
    assert_eq!(refused(&world.typed("JWT", |_| {})), RegistrationError::Signature);
    for (member, value) in [
        ("exp", json!(NOW)),
        ("iat", json!(NOW.plus(Seconds::new(61)))),
        ("exp", json!(NOW.plus(Seconds::DAY.times(367)))),
    ] {
        assert_eq!(refused(&world.signed(|claims| claims[member] = value)), RegistrationError::Time, "{member}");
    }
    for (member, value) in [
        ("purposes", json!("amparo:border-entry")),
        ("credentials", json!(null)),
        ("name", json!("")),
        ("contact", json!("x".repeat(513))),
        ("credentials", json!([{"format": "dc+sd-jwt", "meta": {}, "claims": [{"path": []}]}])),
    ] {
        assert_eq!(refused(&world.signed(|claims| claims[member] = value)), RegistrationError::Malformed, "{member}");
    }
    let one = json!({"format": FORMAT, "data": "x"});
    let request = world.request(CLIENT, json!(vec![one; 9]), None);
    assert_eq!(Registrations::of(&request, &world.registrars.anchors(), NOW), Err(RegistrationError::TooMany));
}

#[test]
fn attack_69_a_purpose_that_is_not_registered_is_refused() {
    let world = World::new();
    let text = world.signed(|_| {});
    for purpose in ["amparo:age-check", "amparo:support-service"] {
        assert_eq!(world.read(&text, Some(purpose)).unwrap_err(), RegistrationError::Purpose, "{purpose}");
    }
    assert!(world.read(&text, BORDER).is_ok() && world.read(&text, None).is_ok());
}

#[test]
fn registration_05_what_is_written_is_read() {
    let world = World::new();
    let query = world.request(CLIENT, json!([]), None).query().clone();
    let own = read_own(&world.signed(|_| {})).unwrap();
    let written = RegistrationClaims { credentials: registered(&query), ..own };
    let text = sign(&written, &world.chain, &world.key).unwrap();
    assert_eq!(read_own(&text), Ok(written));
    let found = world.read(&text, BORDER).unwrap();
    let asked = query.credential("sx").unwrap();
    assert!(query.asked_paths().iter().all(|path| found.cover(asked, path, &[Purpose::BorderEntry])));
}
