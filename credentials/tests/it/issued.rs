//! Credentials as their holder receives them.

use crate::world::{Authority, NOW, WORLD, authority_params, key, leaf_params, map};
use credentials::b64;
use credentials::json::JsonError;
use credentials::jws::{JwsError, sign};
use credentials::sd_jwt::{ClaimError, ParseError, SdJwtIn, SdJwtVc, VerifyError, verify_issued};
use credentials::signer::Signer as _;
use credentials::trust::{CertificateChain, ChainError, ChainPolicy, Trust, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};
use serde_json::{Value, json};

fn verify(text: &str) -> Result<SdJwtVc, VerifyError> {
    verify_issued(text, &WORLD.policy(), NOW)
}

fn with_header(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> VerifyError {
    let world = &*WORLD;
    let mut header = world.header();
    change(&mut header);
    verify(&world.forge(&header, &serde_json::to_vec(&world.payload()).unwrap(), &[])).unwrap_err()
}

fn with_claim(name: &str, value: Value) -> Result<(), VerifyError> {
    verify(&WORLD.forged(map(json!({name: value})).into(), &[])).map(|_| ())
}

#[test]
fn what_is_issued_is_received() {
    let world = &*WORLD;
    let mut draft = world.draft();
    draft.status = Some(schemas::status::StatusReference { idx: 7, uri: "https://status.example/1".into() });
    let credential = world.held(&draft);
    assert_eq!(credential.vct(), "urn:amparo:identity:1");
    assert_eq!(credential.issuer().unwrap().subject(), "Issuer");
    assert_eq!(credential.issuer().unwrap().trust(), Trust::Known);
    assert_eq!(credential.confirmation_key(), world.holder.public_key());
    assert_eq!(credential.expires_at(), Some(draft.expires_at));
    assert_eq!(credential.status(), draft.status.as_ref());
    assert_eq!(credential.claims()["given_name"], "Олена");
    assert_eq!(credential.disclosures().len(), 4);
    let again = SdJwtVc::reopen(credential.as_str()).unwrap();
    assert_eq!(again.claims(), credential.claims());
    assert!(again.issuer().is_none());
    let stranger = verify_issued(credential.as_str(), &ChainPolicy::unknown_allowed(&TrustAnchors::default()), NOW);
    assert_eq!(stranger.unwrap().issuer().unwrap().trust(), Trust::NotKnown);
    let parsed = SdJwtIn::parse(credential.as_str()).unwrap();
    let shown = format!("{credential:?} {:?} {parsed:?} {:?}", parsed.jws(), parsed.clone().process());
    assert!(!shown.contains("Олена") && !shown.contains("locality"), "{shown}");
}

#[test]
fn attack_01_an_unsigned_credential_is_refused() {
    let world = &*WORLD;
    for alg in ["none", "NoNe", "HS256", "ES384"] {
        let error = with_header(|header| {
            header.insert("alg".into(), json!(alg));
        });
        assert_eq!(error, VerifyError::Parse(ParseError::Jws(JwsError::Algorithm)));
    }
    let text = world.issue(&world.draft());
    let (jwt, rest) = text.split_once('~').unwrap();
    let (input, _) = jwt.rsplit_once('.').unwrap();
    let error = verify(&format!("{input}.~{rest}")).unwrap_err();
    assert_eq!(error, VerifyError::Parse(ParseError::Jws(JwsError::Signature)));
}

#[test]
fn attack_06_a_key_in_the_header_is_refused() {
    let world = &*WORLD;
    let attacker = key(66);
    let mut header = world.header();
    header.insert("jwk".into(), attacker.public_key().to_jwk().into());
    let payload = serde_json::to_vec(&world.payload()).unwrap();
    for signer in [&attacker, &world.issuer] {
        let text = format!("{}~", sign(&header, &payload, signer).unwrap());
        assert_eq!(verify(&text).unwrap_err(), VerifyError::Jws(JwsError::Parameter("jwk")));
    }
    header.remove("jwk");
    let text = format!("{}~", sign(&header, &payload, &attacker).unwrap());
    assert_eq!(verify(&text).unwrap_err(), VerifyError::Jws(JwsError::Signature));
    header.remove("x5c");
    let text = format!("{}~", sign(&header, &payload, &attacker).unwrap());
    assert_eq!(verify(&text).unwrap_err(), VerifyError::Chain(ChainError::Empty));
}

#[test]
fn attack_07_08_09_header_parameters_that_fetch_name_or_bend_are_refused() {
    for (name, value) in [
        ("jku", json!("https://attacker.example")),
        ("x5u", json!("https://attacker.example")),
        ("kid", json!("https://attacker.example/k")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let error = with_header(|header| {
            header.insert(name.into(), value);
        });
        let jws = match error {
            VerifyError::Parse(ParseError::Jws(error)) => error,
            other => panic!("{other}"),
        };
        assert!(matches!(jws, JwsError::Parameter(n) | JwsError::Malformed(n) if n == name), "{name}");
    }
}

#[test]
fn attack_10_other_kinds_of_token_are_refused() {
    for typ in
        [json!("JWT"), json!("vc+sd-jwt"), json!("kb+jwt"), json!("statuslist+jwt"), json!("application/dc+sd-jwt")]
    {
        let error = with_header(|header| {
            header.insert("typ".into(), typ);
        });
        assert_eq!(error, VerifyError::Jws(JwsError::Type { expected: "dc+sd-jwt" }));
    }
    let error = with_header(|header| {
        header.remove("typ");
    });
    assert_eq!(error, VerifyError::Jws(JwsError::Type { expected: "dc+sd-jwt" }));
}

#[test]
fn attack_11_a_chain_for_another_usage_or_of_fifty_is_refused() {
    let world = &*WORLD;
    let root = Authority::root(authority_params("Root", None));
    let leaf = root.leaf(&leaf_params("Status", Usage::StatusSigning), world.issuer.public_key());
    let chain = CertificateChain::from_der([leaf]).unwrap();
    let error = with_header(|header| {
        header.insert("x5c".into(), json!(chain.to_x5c()));
    });
    assert_eq!(error, VerifyError::Chain(ChainError::WrongUsage));
    for (x5c, expected) in [
        (json!(vec![world.chain.to_x5c()[0].clone(); 50]), JwsError::Chain(ChainError::TooLong)),
        (json!([]), JwsError::Chain(ChainError::Empty)),
        (json!([1]), JwsError::Chain(ChainError::BadCertificate)),
        (json!("MII"), JwsError::Malformed("x5c")),
    ] {
        let error = with_header(|header| {
            header.insert("x5c".into(), x5c);
        });
        assert_eq!(error, VerifyError::Parse(ParseError::Jws(expected)));
    }
}

#[test]
fn attack_14_15_times_that_are_no_plain_integers_are_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1800003600"),
            json!(1_800_003_600.5),
            json!(1_800_003_600.0),
            json!([1_800_003_600]),
            json!({}),
            json!(null),
            json!(true),
            json!(-1),
            json!((1u64 << 53) + 1),
            json!(u64::MAX),
            json!(-0.0),
        ] {
            assert_eq!(
                with_claim(name, value.clone()),
                Err(VerifyError::Claim(ClaimError::Malformed(name))),
                "{value}"
            );
        }
    }
    let world = &*WORLD;
    let payload = serde_json::to_string(&world.payload()).unwrap().replacen('{', r#"{"nbf":1e999,"#, 1);
    let error = verify(&world.forge(&world.header(), payload.as_bytes(), &[])).unwrap_err();
    let syntax = JwsError::Json { part: "payload", cause: JsonError::Syntax };
    assert_eq!(error, VerifyError::Parse(ParseError::Jws(syntax)));
}

#[test]
fn attack_27_disclosures_in_other_base64_are_refused() {
    let world = &*WORLD;
    let text = world.issue(&world.draft());
    let mut parts: Vec<&str> = text.split('~').collect();
    let padded = format!("{}=", parts[1]);
    parts[1] = &padded;
    assert_eq!(verify(&parts.join("~")).unwrap_err(), VerifyError::Parse(ParseError::Disclosure));
    let jwt = text.split('~').next().unwrap();
    assert!(matches!(
        verify(&format!("{jwt}=~")).unwrap_err(),
        VerifyError::Parse(ParseError::Jws(JwsError::NotCompact))
    ));
}

#[test]
fn attack_28_tildes_missing_or_doubled_and_presentations_are_refused() {
    let world = &*WORLD;
    let text = world.issue(&world.draft());
    let jwt = text.split('~').next().unwrap();
    assert_eq!(verify(jwt).unwrap_err(), VerifyError::Parse(ParseError::NoTilde));
    // Without the last `~` the last disclosure stands where a KB-JWT would.
    assert_eq!(verify(text.strip_suffix('~').unwrap()).unwrap_err(), VerifyError::KeyBindingPresent);
    assert_eq!(verify(&format!("{text}~")).unwrap_err(), VerifyError::Parse(ParseError::EmptyDisclosure));
    assert_eq!(verify(&text.replacen('~', "~~", 1)).unwrap_err(), VerifyError::Parse(ParseError::EmptyDisclosure));
    assert_eq!(verify(&world.bind(&text)).unwrap_err(), VerifyError::KeyBindingPresent);
    assert!(SdJwtVc::reopen(&world.bind(&text)).is_err());
}

#[test]
fn attack_34_cnf_with_other_or_private_keys_is_refused() {
    let jwk = WORLD.holder.public_key().to_jwk();
    let mut private = jwk.clone();
    private.insert("d".into(), json!(b64::encode(&[1; 32])));
    for (cnf, expected) in [
        (json!({"jwk": jwk, "kid": "other"}), ClaimError::Confirmation),
        (json!({"jwk": jwk, "jku": "https://attacker.example"}), ClaimError::Confirmation),
        (json!({"jwk": [jwk, jwk]}), ClaimError::Confirmation),
        (json!({"kid": "did:example:1#0"}), ClaimError::Confirmation),
        (json!({}), ClaimError::Confirmation),
        (json!([{"jwk": jwk}]), ClaimError::Malformed("cnf")),
        (json!({"jwk": private}), ClaimError::Key(credentials::key::KeyError::PrivateKey)),
        (json!({"jwk": {"kty": "RSA", "n": "AQ", "e": "AQAB"}}), ClaimError::Key(credentials::key::KeyError::NotP256)),
    ] {
        assert_eq!(with_claim("cnf", cnf.clone()), Err(VerifyError::Claim(expected)), "{cnf}");
    }
    let mut payload = WORLD.payload();
    payload.remove("cnf");
    let text = WORLD.forge(&WORLD.header(), &serde_json::to_vec(&payload).unwrap(), &[]);
    assert_eq!(verify(&text).unwrap_err(), VerifyError::Claim(ClaimError::Missing("cnf")));
}

#[test]
fn attack_35_a_type_is_one_string_and_its_other_names_are_strings() {
    assert_eq!(with_claim("vct", json!("")), Err(VerifyError::Claim(ClaimError::Malformed("vct"))));
    assert_eq!(with_claim("vct", json!(["a"])), Err(VerifyError::Claim(ClaimError::Malformed("vct"))));
    let malformed = Err(VerifyError::Claim(ClaimError::Malformed("aka_vcts")));
    for aka in [json!([]), json!("a"), json!([1]), json!(["urn:amparo:identity:1"]), json!([""])] {
        assert_eq!(with_claim("aka_vcts", aka), malformed);
    }
    assert_eq!(with_claim("vct#integrity", json!(1)), Err(VerifyError::Claim(ClaimError::Malformed("vct#integrity"))));
    let mut payload = WORLD.payload();
    payload.remove("vct");
    let text = WORLD.forge(&WORLD.header(), &serde_json::to_vec(&payload).unwrap(), &[]);
    assert_eq!(verify(&text).unwrap_err(), VerifyError::Claim(ClaimError::Missing("vct")));
}

#[test]
fn attack_37_boundaries_of_time_for_the_holder() {
    let text = |nbf: i64, exp: i64| WORLD.forged(json!({"nbf": nbf, "exp": exp}), &[]);
    let now = NOW.unix();
    assert!(verify(&text(now, now + 1)).is_ok());
    assert_eq!(verify(&text(now - 1, now)).unwrap_err(), VerifyError::Expired { expired_at: NOW });
    // An issuer's clock may be ahead of the holder's, by 300 s at most.
    assert!(verify(&text(now + 300, now + 600)).is_ok());
    let not_before = NOW.plus(Seconds::new(301));
    assert_eq!(verify(&text(now + 301, now + 600)).unwrap_err(), VerifyError::NotYetValid { not_before });
    // 2016-12-31T23:59:60Z and the second after it have the same number: leap seconds are not counted.
    let leap: Timestamp = "2017-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(leap.unix(), 1_483_228_800);
}

#[test]
fn a_wrong_clock_is_suspected_where_a_time_is_the_reason_and_nowhere_else() {
    for error in [
        VerifyError::NotYetValid { not_before: NOW },
        VerifyError::Expired { expired_at: NOW },
        VerifyError::Chain(ChainError::NotYetValid),
        VerifyError::Chain(ChainError::Expired),
        VerifyError::Chain(ChainError::ListEnded { ended: NOW }),
    ] {
        assert!(error.is_about_time(), "{error}");
    }
    for error in [VerifyError::Endless, VerifyError::Chain(ChainError::UnknownIssuer), VerifyError::IssuerName] {
        assert!(!error.is_about_time(), "{error}");
    }
}

#[test]
fn attack_61_a_status_that_cannot_be_looked_up_is_refused() {
    let uri = "https://status.example/1";
    for status in [
        json!({"status_list": {"idx": -1, "uri": uri}}),
        json!({"status_list": {"idx": 1.5, "uri": uri}}),
        json!({"status_list": {"idx": "1", "uri": uri}}),
        json!({"status_list": {"uri": uri}}),
        json!({"status_list": {"idx": 1}}),
        json!({"status_list": {"idx": 1, "uri": ""}}),
        json!({"other_mechanism": {}}),
        json!({}),
        json!("valid"),
    ] {
        assert_eq!(with_claim("status", status.clone()), Err(VerifyError::Claim(ClaimError::Status)), "{status}");
    }
}
