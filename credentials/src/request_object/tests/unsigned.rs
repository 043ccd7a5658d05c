//! Requests that nobody signed.

use super::*;

const PLACE: &str = "https://border.example/answer/1";

/// The parameters of a link that asks as [`payload`] does.
fn parameters() -> Vec<(&'static str, String)> {
    let asked = payload();
    vec![
        ("client_id", format!("redirect_uri:{PLACE}")),
        ("response_type", "vp_token".into()),
        ("response_mode", "direct_post".into()),
        ("response_uri", PLACE.into()),
        ("nonce", asked["nonce"].as_str().unwrap().into()),
        ("state", asked["state"].as_str().unwrap().into()),
        ("dcql_query", asked["dcql_query"].to_string()),
        ("client_metadata", asked["client_metadata"].to_string()),
    ]
}

fn read(parameters: &[(&str, String)]) -> Result<AuthenticatedRequest, RequestObjectError> {
    UnsignedRequestIn::parse(parameters.iter().map(|(name, text)| (*name, text.as_str())))?.check(NOW)
}

fn changed(name: &'static str, text: &str) -> Vec<(&'static str, String)> {
    let mut parameters = parameters();
    parameters.retain(|(n, _)| *n != name);
    parameters.push((name, text.to_owned()));
    parameters
}

#[test]
fn request_20_an_unsigned_request_is_answered_at_its_own_place() {
    let request = read(&parameters()).unwrap();
    assert_eq!(request.client_id().as_str(), format!("redirect_uri:{PLACE}"));
    assert_eq!((request.response_uri().as_str(), request.verifier()), (PLACE, None));
    assert!(request.consent().is_none());
    // The place may be left out: it is the identifier.
    let mut shorter = parameters();
    shorter.retain(|(name, _)| *name != "response_uri");
    assert_eq!(read(&shorter).unwrap().response_uri().as_str(), PLACE);
    // What nobody can vouch for is not looked at.
    let mut more = parameters();
    more.extend([("verifier_info", "[".into()), ("exp", "1".into()), ("iss", "https://government.example".into())]);
    assert!(read(&more).is_ok());
}

#[test]
fn attack_42_the_place_of_an_unsigned_request_is_compared_to_the_letter() {
    for uri in [
        "https://border.example/answer/2",
        "https://border.example/answer/1/",
        "https://BORDER.example/answer/1",
        "https://border.example:443/answer/1",
        "https://border.example/answer/1?x",
        "https://other.example/answer/1",
    ] {
        assert_eq!(read(&changed("response_uri", uri)).unwrap_err(), RequestObjectError::ResponseHost, "{uri}");
    }
    for uri in ["http://border.example/1", "https://u@border.example/1", "https://border.example/1#x", "x"] {
        let id = format!("redirect_uri:{uri}");
        let mut parameters = changed("client_id", &id);
        parameters.retain(|(name, _)| *name != "response_uri");
        assert_eq!(read(&parameters).unwrap_err(), RequestObjectError::ResponseUri, "{uri}");
    }
}

#[test]
fn request_21_only_a_place_needs_no_signature() {
    let refused = |id: &str| match read(&changed("client_id", id)).unwrap_err() {
        RequestObjectError::ClientId(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(refused("origin:https://border.example"), ClientIdError::NeverSigned("origin"));
    assert_eq!(refused("border"), ClientIdError::NoPrefix);
    assert_eq!(refused("redirect_uri:"), ClientIdError::Malformed);
    for id in [SAN, "verifier_attestation:border", "decentralized_identifier:did:web:a.example", "https://b.example"] {
        assert_eq!(refused(id), ClientIdError::MustBeSigned, "{id}");
    }
}

#[test]
fn request_22_an_unsigned_request_proposes_nothing_and_is_read_strictly() {
    let entry = transaction_data(&consent_request(&format!("redirect_uri:{PLACE}")));
    let refused = read(&changed("transaction_data", &json!([entry]).to_string())).unwrap_err();
    assert_eq!((refused.code(), refused), (None, RequestObjectError::UnsignedConsent));
    for (name, text) in [
        ("dcql_query", "{\"credentials\":[],\"credentials\":[]}"),
        ("dcql_query", "x"),
        ("client_metadata", "[]"),
        ("transaction_data", "\"x\""),
    ] {
        assert_eq!(read(&changed(name, text)).unwrap_err(), RequestObjectError::Malformed, "{name} {text}");
    }
    let mut twice = parameters();
    twice.push(("nonce", "0HZ_wFv2mKcR7tYxPq3dLg".into()));
    assert_eq!(read(&twice).unwrap_err(), RequestObjectError::Malformed);
    assert_eq!(read(&changed("scope", "openid")).unwrap_err(), RequestObjectError::NoQuery);
    assert_eq!(read(&changed("nonce", "short")).unwrap_err(), RequestObjectError::Nonce);
    assert_eq!(read(&changed("redirect_uri", PLACE)).unwrap_err(), RequestObjectError::RedirectUri);
    assert_eq!(read(&changed("response_mode", "fragment")).unwrap_err(), RequestObjectError::ResponseMode);
}
