use super::held::HeldCredential;
use super::*;
use crate::guarded::Content;
use serde_json::json;

#[test]
fn what_is_kept_survives_its_seal_and_shows_nothing_in_debug() {
    let value = json!([{
        "query": "identity", "vct": "urn:amparo:identity:1", "issuer": "Casa", "claims": {"given_name": "Ana"},
        "status": "valid", "acr": null, "amr": ["pin"], "face": false,
    }]);
    let held = Held::from_bytes(value.to_string().as_bytes()).unwrap();
    let again = Held::from_bytes(&held.to_bytes()).unwrap();
    let [credential]: &[HeldCredential] = again.credentials() else { panic!() };
    assert_eq!(credential.claims()["given_name"], "Ana");
    assert_eq!((credential.status(), credential.acr()), (StatusFinding::Valid, None));
    let shown = format!("{held:?}");
    assert!(!shown.contains("Ana") && !shown.contains("Casa"), "{shown}");
}

#[test]
fn bytes_that_are_something_else_are_not_read_as_held() {
    for bytes in ["", "{}", "null", "[{}]", r#"[{"query":1}]"#] {
        assert!(Held::from_bytes(bytes.as_bytes()).is_none(), "{bytes}");
    }
    assert!(Held::from_bytes(b"[]").is_some());
}

#[test]
fn every_refusal_has_a_word_and_a_sentence_in_lower_case() {
    let query = || "q".to_owned();
    let errors = [
        VerifyError::NotAsked,
        VerifyError::Revoked { query: query(), status: Status::Invalid },
        VerifyError::Revoked { query: query(), status: Status::Suspended },
        VerifyError::Revoked { query: query(), status: Status::Other(7) },
        VerifyError::Shortfall { query: query(), why: Shortfall::Claims(vec![ClaimPath::names(["a"])]) },
        VerifyError::Unanswered,
        VerifyError::OverDisclosure { paths: vec![ClaimPath::names(["a", "b"])] },
        VerifyError::ConsentMissing,
        VerifyError::SeveralConsents,
        VerifyError::UnaskedConsent,
        VerifyError::StatusUnknown { query: query() },
        VerifyError::Presentation { query: query(), source: PresentationError::Type },
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        assert!(error.code().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", error.code());
    }
    let over = VerifyError::OverDisclosure { paths: vec![ClaimPath::names(["a", "b"])] };
    assert_eq!(over.to_string(), r#"the answer discloses what was not asked for: ["a","b"]"#);
}
