use super::*;
use crate::policy::{AcceptedFormat, ConsentMode};
use crate::preset::Preset;
use crate::transaction::{Asker, Inquiry};
use credentials::dcql::Query;
use credentials::jwe::{self, ContentEncryption};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use serde_json::json;

fn transaction(seed: u64, mode: ResponseMode) -> Transaction {
    let query = Query::check(Preset::AgeOver18.query(AcceptedFormat::Any)).unwrap();
    let inquiry = Inquiry::new(query, Purpose::AgeCheck, Seconds::HOUR, ConsentMode::NotAsked).unwrap();
    let asker = Asker { client_id: "x509_hash:a".into(), name: "n".into(), contact: None };
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Transaction::begin(inquiry.answered_by(mode), &asker, Timestamp::from_unix(1_800_000_000), &mut rng).unwrap()
}

fn key(seed: u64) -> DecryptionKey {
    DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        form.append_pair(name, value);
    }
    form.finish().into_bytes()
}

fn encrypted(t: &Transaction, to: &DecryptionKey, enc: ContentEncryption, payload: Option<Value>) -> Vec<u8> {
    let payload = payload.unwrap_or(json!({"vp_token": {"identity": ["x~"]}, "state": t.state().expose()}));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let text = payload.to_string();
    let jwe = jwe::encrypt(text.as_bytes(), to.public_key(), Some("1"), enc, &[], &[], &mut rng).unwrap();
    form(&[("response", &jwe)])
}

fn opened(body: &[u8], t: &Transaction, key: Option<&DecryptionKey>) -> Result<AnswerContent, AnswerError> {
    AnswerIn::parse(body)?.open(t, key).map(OpenedAnswer::into_content)
}

#[test]
fn a_plain_and_both_encrypted_answers_are_read() {
    let t = transaction(1, ResponseMode::DirectPost);
    let body = form(&[("vp_token", r#"{"identity":["a~b","c~"]}"#), ("state", t.state().expose()), ("other", "x")]);
    let AnswerContent::Presentations(all) = opened(&body, &t, None).unwrap() else { panic!() };
    assert_eq!(all.iter().collect::<Vec<_>>(), [("identity", "a~b"), ("identity", "c~")]);
    let t = transaction(1, ResponseMode::DirectPostJwt);
    for enc in ContentEncryption::ALL {
        let body = encrypted(&t, &key(2), enc, None);
        assert!(matches!(opened(&body, &t, Some(&key(2))), Ok(AnswerContent::Presentations(_))));
    }
}

#[test]
fn attack_38_a_plain_answer_is_refused_where_encryption_was_demanded() {
    let t = transaction(1, ResponseMode::DirectPostJwt);
    let token = r#"{"identity":["a~b"]}"#;
    let body = form(&[("vp_token", token), ("state", t.state().expose())]);
    assert_eq!(opened(&body, &t, Some(&key(2))).unwrap_err(), AnswerError::NotEncrypted);
    let body = form(&[("vp_token", token), ("state", "another")]);
    assert_eq!(opened(&body, &t, Some(&key(2))).unwrap_err(), AnswerError::State);
    // A refusal may come in the clear (§8.3.1).
    let body = form(&[("error", "access_denied"), ("state", t.state().expose())]);
    assert!(matches!(opened(&body, &t, Some(&key(2))), Ok(AnswerContent::Refusal(Refusal::AccessDenied))));
}

#[test]
fn attack_38_only_what_was_offered_is_decrypted() {
    let t = transaction(1, ResponseMode::DirectPostJwt);
    for header in [
        json!({"alg": "dir", "enc": "A128GCM"}),
        json!({"alg": "RSA1_5", "enc": "A128GCM"}),
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_648u64, "p2s": "AAAA"}),
        json!({"alg": "ECDH-ES", "enc": "A128CBC-HS256"}),
        json!({"alg": "ECDH-ES", "enc": "A128GCM", "zip": "DEF"}),
    ] {
        let jwe = format!(
            "{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
            credentials::b64::encode(header.to_string().as_bytes())
        );
        let refused = opened(&form(&[("response", &jwe)]), &t, Some(&key(2))).unwrap_err();
        assert!(matches!(refused, AnswerError::Jwe(_)), "{header}: {refused}");
    }
}

#[test]
fn attack_48_the_answer_to_one_session_does_not_answer_another() {
    let (a, b) = (transaction(1, ResponseMode::DirectPostJwt), transaction(2, ResponseMode::DirectPostJwt));
    let for_a = encrypted(&a, &key(2), ContentEncryption::A128Gcm, None);
    assert!(matches!(opened(&for_a, &b, Some(&key(3))), Err(AnswerError::Jwe(JweError::Decrypt))), "another key");
    assert_eq!(opened(&for_a, &b, Some(&key(2))).unwrap_err(), AnswerError::State);
    let stateless = encrypted(&a, &key(2), ContentEncryption::A128Gcm, Some(json!({"vp_token": {"identity": ["x"]}})));
    assert_eq!(opened(&stateless, &a, Some(&key(2))).unwrap_err(), AnswerError::State);
}

#[test]
fn an_encrypted_answer_that_was_not_asked_for_is_refused() {
    let t = transaction(1, ResponseMode::DirectPost);
    let body = encrypted(&t, &key(2), ContentEncryption::A128Gcm, None);
    assert_eq!(opened(&body, &t, None).unwrap_err(), AnswerError::Encrypted);
}

#[test]
fn malformed_answers_are_refused() {
    let parse = |body: &[u8]| AnswerIn::parse(body).map(|_| ()).unwrap_err();
    assert_eq!(parse(b""), AnswerError::Kind);
    assert_eq!(parse(b"state=x"), AnswerError::Kind);
    assert_eq!(parse(b"vp_token=%7B%7D&error=x"), AnswerError::Kind);
    assert_eq!(parse(b"error=x&error=y"), AnswerError::Parameters);
    assert_eq!(parse("a=1&".repeat(20).as_bytes()), AnswerError::Parameters);
    assert!(matches!(parse(&vec![b'a'; MAX_BODY + 1]), AnswerError::TooLong { .. }));
    for token in ["[]", "{}", r#"{"a":[]}"#, r#"{"a":"x"}"#, r#"{"a":[1]}"#, r#"{"a":[{"x":1}]}"#, "null"] {
        assert_eq!(parse(&form(&[("vp_token", token)])), AnswerError::VpToken, "{token}");
    }
    for token in ["{", r#"{"a":["x"],"a":["y"]}"#, "x~"] {
        assert!(matches!(parse(&form(&[("vp_token", token)])), AnswerError::Json(_)), "{token}");
    }
    let many = json!({"a": vec!["x"; 17]}).to_string();
    assert_eq!(parse(&form(&[("vp_token", &many)])), AnswerError::VpToken);
}

#[test]
fn debug_shows_no_presentation() {
    let answer = AnswerIn::parse(&form(&[("vp_token", r#"{"a":["very-secret"]}"#), ("state", "hidden")])).unwrap();
    let shown = format!("{answer:?}");
    assert!(!shown.contains("secret") && !shown.contains("hidden"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = AnswerIn::parse(&body);
    }
}
