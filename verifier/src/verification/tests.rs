use super::held::HeldCredential;
use super::*;
use crate::guarded::Content;
use credentials::key_binding::KeyBindingError;
use credentials::type_metadata::{ResolveError, RuleError};
use schemas::Timestamp;
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
    let codes = [
        "not_asked",
        "revoked",
        "suspended",
        "revoked",
        "not_as_asked",
        "incomplete",
        "over_disclosure",
        "consent_missing",
        "consent_invalid",
        "consent_invalid",
        "status_unknown",
        "not_as_asked",
    ];
    assert_eq!(errors.each_ref().map(VerifyError::code), codes);
    for error in errors {
        let text = error.to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        assert!(error.code().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", error.code());
    }
    let over = VerifyError::OverDisclosure { paths: vec![ClaimPath::names(["a", "b"])] };
    assert_eq!(over.to_string(), r#"the answer discloses what was not asked for: ["a","b"]"#);
}

#[test]
fn every_refusal_has_its_own_word_for_machines() {
    let at = Timestamp::from_unix(1_800_000_000);
    let ended = ChainError::ListEnded { ended: at };
    let presentation = |source| VerifyError::Presentation { query: "q".to_owned(), source }.code();
    for (source, code) in [
        (PresentationError::Chain(ChainError::UnknownIssuer), "issuer_not_trusted"),
        (PresentationError::TypeNotIssuers, "issuer_not_trusted"),
        (PresentationError::Chain(ended), "status_unknown"),
        (PresentationError::Chain(ChainError::Expired), "issuer_invalid"),
        (PresentationError::IssuerName, "issuer_invalid"),
        (PresentationError::Jws(JwsError::Signature), "signature_invalid"),
        (PresentationError::Jws(JwsError::Algorithm), "presentation_invalid"),
        (PresentationError::NotYetValid { not_before: at }, "not_yet_valid"),
        (PresentationError::Expired { expired_at: at }, "expired"),
        (PresentationError::Type, "not_as_asked"),
        (PresentationError::KeyBindingMissing, "key_binding_missing"),
        (PresentationError::KeyBinding(KeyBindingError::Nonce), "key_binding_invalid"),
        (PresentationError::Endless, "presentation_invalid"),
    ] {
        assert_eq!(presentation(source.clone()), code, "{source}");
    }
    let document = |source| VerifyError::Document { query: "q".to_owned(), source }.code();
    for (source, code) in [
        (DocumentError::Chain(ChainError::UnknownIssuer), "issuer_not_trusted"),
        (DocumentError::TypeNotIssuers, "issuer_not_trusted"),
        (DocumentError::Chain(ended), "status_unknown"),
        (DocumentError::Chain(ChainError::Signature), "issuer_invalid"),
        (DocumentError::SignedOutOfTime, "issuer_invalid"),
        (DocumentError::IssuerAuth(CoseError::Signature), "signature_invalid"),
        (DocumentError::IssuerAuth(CoseError::Algorithm), "presentation_invalid"),
        (DocumentError::NotYetValid { valid_from: at }, "not_yet_valid"),
        (DocumentError::Expired { valid_until: at }, "expired"),
        (DocumentError::Type, "not_as_asked"),
        (DocumentError::DeviceAuth(CoseError::Mac), "key_binding_invalid"),
        (DocumentError::UnexpectedMac, "key_binding_invalid"),
        (DocumentError::DocType, "presentation_invalid"),
    ] {
        assert_eq!(document(source.clone()), code, "{source}");
    }
    let wallet = DocumentError::Form(ResponseError::Status(10));
    assert_eq!(document(wallet.clone()), "presentation_invalid");
    assert_eq!(VerifyError::Response(wallet).code(), "wallet_error");
    assert_eq!(VerifyError::Response(DocumentError::Type).code(), "not_as_asked");
    let metadata = TypeError::Metadata(ResolveError::Missing { vct: "urn:x".to_owned() });
    assert_eq!(
        (type_code(&metadata), type_code(&TypeError::Rule(RuleError::OtherType))),
        ("type_metadata_invalid", "type_rules_broken")
    );
}

#[test]
fn the_words_say_what_does_not_answer() {
    let named = |why| VerifyError::Shortfall { query: "q".to_owned(), why }.to_string();
    for (why, said) in [
        (Shortfall::MoreThanOne, "one presentation was asked for, and there are several"),
        (Shortfall::Type, "it is of another type"),
        (Shortfall::NotHolderBound, "it is not bound to its holder"),
        (Shortfall::Claims(vec![ClaimPath::names(["a"])]), r#"missing, or with another value: ["a"]"#),
        (Shortfall::Authority, "none of the authorities named stands behind its issuer"),
        (Shortfall::UnknownQuery, "it cannot be matched"),
    ] {
        assert_eq!(named(why), format!("the presentation for q does not answer what was asked: {said}"));
    }
}
