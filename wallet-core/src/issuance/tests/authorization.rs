//! The person goes to the issuer's own page and comes back.

use super::*;

/// A wallet whose request went ahead.
fn authorization(issuer: &mut Issuer) -> (Wallet, Authorization) {
    let mut wallet = Wallet::new();
    let offered = wallet.offered_by(issuer).unwrap();
    assert!(offered.wants_authorization() && offered.tx_code().is_none());
    let refused = offered.accept(None, None, NOW, &mut wallet.rng).map(drop);
    assert_eq!(refused, Err(IssuanceError::AuthorizationWanted));
    let pushing = offered.authorize(BACK, None, NOW, &mut wallet.rng).unwrap();
    let authorization = run(pushing, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
    (wallet, authorization.unwrap())
}

#[test]
fn vci_5_the_person_goes_to_the_issuers_page_and_comes_back_with_a_code() {
    let scoped: fn(&str, &mut Value) = |path, v| {
        if path.ends_with("issuer/tenant") {
            v["credential_configurations_supported"]["identity"]["scope"] = "identity-scope".into();
        }
    };
    for (tamper, wanted) in [(scoped, Some("identity-scope")), (|_, _| {}, None)] {
        let mut issuer = Issuer::new(Desk { code_flow: true, tamper, ..Desk::default() });
        let (mut wallet, authorization) = authorization(&mut issuer);
        let pushed = issuer.pushed.clone().unwrap();
        assert_eq!((pushed["response_type"].as_str(), pushed["code_challenge_method"].as_str()), ("code", "S256"));
        assert_eq!((pushed["redirect_uri"].as_str(), pushed["issuer_state"].as_str()), (BACK, "code-of-256-bits"));
        assert_eq!(pushed.get("scope").map(String::as_str), wanted);
        assert_eq!(pushed.contains_key("authorization_details"), wanted.is_none());
        assert!(!pushed.contains_key("code_verifier"), "it is shown with the code and not before");
        // What the browser carries names the request and says nothing of it.
        let query: Vec<(String, String)> = authorization.url().query_pairs().into_owned().collect();
        let names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tenant", "client_id", "request_uri"]);
        assert_eq!(query[2].1, "urn:example:request-1");

        let back = format!("/back?code=code-1&state={}&iss=https%3A%2F%2Fissuer.example%2Ftenant", pushed["state"]);
        let redeeming = authorization.returned(&back, NOW, &mut wallet.rng).unwrap();
        assert!(!format!("{redeeming:?} {authorization:?}").contains("code-1"), "no code in a log");
        let delivered = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
        let arrived = delivered.unwrap().verify(&issuer.party.anchors(), NOW).unwrap();
        assert_eq!(arrived.summary(&Holdings::of(&mut wallet.memory)).credentials[0].copies, 30);
        // A code of somebody else: the issuer refuses it, and so says the wallet.
        let injected = back.replace("code-1", "code-2");
        let redeeming = authorization.returned(&injected, NOW, &mut wallet.rng).unwrap();
        let refused = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
        assert_eq!(refused.map(drop), Err(IssuanceError::GrantRefused { with_tx_code: false }));
    }
}

#[test]
fn rfc_9207_an_answer_of_another_request_or_server_is_passed_over() {
    let mut issuer = Issuer::new(Desk { code_flow: true, ..Desk::default() });
    let (mut wallet, authorization) = authorization(&mut issuer);
    let state = issuer.pushed.clone().unwrap()["state"].clone();
    let iss = "iss=https%3A%2F%2Fissuer.example%2Ftenant";
    let mut come = |redirect: &str| authorization.returned(redirect, NOW, &mut wallet.rng).map(drop);
    for stray in [
        "/favicon.ico".to_owned(),
        "/back".to_owned(),
        format!("/back?code=c&{iss}"),
        format!("/back?code=c&{iss}&state=other"),
        format!("/back?code=c&state={state}"),
        format!("/back?code=c&state={state}&iss=https%3A%2F%2Fevil.example"),
        format!("/back?code=c&state={state}&{iss}%2F"),
        format!("/back?state={state}&{iss}"),
        format!("/back?code=c&code=d&state={state}&{iss}"),
        format!("/other?code=c&state={state}&{iss}"),
        format!("http://127.0.0.1:51005/back?code=c&state={state}&{iss}"),
        format!("//evil.example/back?code=c&state={state}&{iss}"),
    ] {
        assert_eq!(come(&stray), Err(IssuanceError::NotOurRedirect), "{stray}");
    }
    let denied = come(&format!("/back?error=access_denied&state={state}&{iss}")).unwrap_err();
    assert_eq!(denied, IssuanceError::Refused { answer: Answer::Authorization, code: Some("access_denied".into()) });
    assert_eq!(denied.fault(), Fault::Person);
    // Another's words are not shown.
    let drawn = come(&format!("/back?error=%1b%5b2J%0aKept.&state={state}&{iss}")).unwrap_err();
    assert_eq!(drawn, IssuanceError::Refused { answer: Answer::Authorization, code: None });
    // Whole, as a person pastes it.
    assert_eq!(come(&format!(" {BACK}?code=c&state={state}&{iss}\n")), Ok(()));
}

#[test]
fn haip_4_codes_that_are_not_guarded_are_not_asked_for() {
    let without: [fn(&str, &mut Value); 4] = [
        |path, v| set(path, "server/tenant", v, "pushed_authorization_request_endpoint", Value::Null),
        |path, v| set(path, "server/tenant", v, "code_challenge_methods_supported", value!(["plain"])),
        |path, v| set(path, "server/tenant", v, "authorization_response_iss_parameter_supported", Value::Null),
        |path, v| set(path, "server/tenant", v, "authorization_endpoint", Value::Null),
    ];
    for tamper in without {
        let mut issuer = Issuer::new(Desk { code_flow: true, tamper, ..Desk::default() });
        let refused = Wallet::new().offered_by(&mut issuer).map(drop);
        assert_eq!(refused, Err(IssuanceError::CodeNotGuarded));
    }
}
