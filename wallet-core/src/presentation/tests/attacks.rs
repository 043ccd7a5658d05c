//! What others may try.

use super::*;
use crate::effect::{AddressError, Response};
use crate::testing::Party;
use credentials::request_object::RequestObjectError;
use credentials::sd_jwt::{Expected, verify_presented};
use credentials::trust::{ChainPolicy, Usage};
use schemas::openid4vp::RequestObject;

#[test]
fn attack_47_over_asking_is_refused_or_warned_of() {
    let mut wallet = HOLDER.clone();
    let asks =
        |names: &[&str], purpose| Checkpoint { dcql: asking(names), purpose: Some(purpose), ..Checkpoint::default() };
    // A portrait to learn an age: never, whatever the person says.
    let portrait = || asks(&["age_over_18", "picture"], Purpose::AgeCheck);
    assert_eq!(wallet.choose(portrait(), &yes()).unwrap_err(), ChoiceError::OverAsking(vec![path(&["picture"])]));
    let only = Some(vec![path(&["age_over_18"])]);
    assert!(wallet.choose(portrait(), &Choice { only, ..Choice::default() }).is_ok(), "without it, yes");
    // Another claim that the purpose cannot need: a yes of its own.
    let name = || asks(&["age_over_18", "family_name"], Purpose::AgeCheck);
    assert_eq!(
        wallet.choose(name(), &Choice::default()).unwrap_err(),
        ChoiceError::ConcernsNotAccepted(vec![path(&["family_name"])])
    );
    assert!(wallet.choose(name(), &Choice { show_beyond_purpose: true, ..Choice::default() }).is_ok());
    // A portrait for a purpose that can need it, or without any: a yes of its own.
    for purpose in [Some(Purpose::BorderEntry), None] {
        let checkpoint = || Checkpoint { dcql: asking(&["picture"]), purpose, ..Checkpoint::default() };
        assert_eq!(wallet.choose(checkpoint(), &Choice::default()).unwrap_err(), ChoiceError::PortraitNotAgreed);
        assert!(wallet.choose(checkpoint(), &Choice { show_portrait: true, ..Choice::default() }).is_ok());
    }
    // Something that the proposal gives no reason for: never.
    let explained = Some(vec![path(&["given_name"])]);
    let unexplained = Checkpoint { explained, ..Checkpoint::default() };
    assert_eq!(
        wallet.choose(unexplained, &yes()).unwrap_err(),
        ChoiceError::OverAsking(vec![path(&["nationalities"])])
    );
    // The person sees all of it beforehand.
    let mut verifier = Verifier::new(portrait());
    wallet.anchors = verifier.party.anchors();
    let offered = wallet.offered(&mut verifier).credentials();
    let concerns: Vec<Option<Concern>> = offered[0].paths.iter().map(|shown| shown.concern).collect();
    assert_eq!(concerns, [None, Some(Concern::PortraitBeyondPurpose)]);
}

/// What is posted to the verifier by an errand.
fn posted<E: Errand>(errand: &E) -> (String, Vec<u8>, Vec<(&'static str, String)>) {
    let effect: &Effect = errand.effect();
    let headers = effect.headers().map(|(name, value)| (name, value.to_owned())).collect();
    (effect.url().to_string(), effect.body().to_vec(), headers)
}

#[test]
fn vp_15_9_a_refusal_is_the_same_as_absence() {
    let mut answers = Vec::new();
    for checkpoint in [Checkpoint::default, || Checkpoint { dcql: asking(&["email"]), ..Checkpoint::default() }] {
        let mut verifier = Verifier::new(checkpoint());
        let mut wallet = Wallet::knowing(&verifier);
        answers.push(posted(&wallet.authenticated(&mut verifier).unwrap().refuse().unwrap()));
        let authenticated = wallet.authenticated(&mut verifier).unwrap();
        match authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW) {
            Ok(offered) => answers.push(posted(&offered.refuse().unwrap())),
            Err(absent) => {
                assert_eq!(absent.asker().trust, Trust::Known);
                answers.push(posted(&absent.refuse().unwrap()));
            }
        }
        let mut empty = Wallet { anchors: verifier.party.anchors(), ..Wallet::empty() };
        let authenticated = empty.authenticated(&mut verifier).unwrap();
        let absent = authenticated.match_against(&Holdings::of(&mut empty.memory), NOW).unwrap_err();
        let refusing = absent.refuse().unwrap();
        answers.push(posted(&refusing));
        run(refusing, &mut Vec::new(), |effect| verifier.answer(effect), NOW, &mut empty.rng).unwrap();
        assert_eq!(verifier.error().as_deref(), Some("access_denied"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "six reasons, one answer: {answers:?}");
    assert_eq!(answers[0].1, b"error=access_denied&state=state-of-this-session");
}

#[test]
fn vp_15_4_1_a_value_that_does_not_match_is_absence() {
    let mut dcql = asking(&["given_name"]);
    dcql["credentials"][0]["claims"][0]["values"] = value!(["Fatou"]);
    let mut verifier = Verifier::new(Checkpoint { dcql, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let authenticated = wallet.authenticated(&mut verifier).unwrap();
    assert!(authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW).is_err());
    assert!(verifier.received.is_empty(), "nothing is sent before the person says so");
}

#[test]
fn attack_40_a_request_signed_by_another_is_not_answered_at_all() {
    let mut rng = HOLDER.rng.clone();
    let mut refused = |client_id: Option<String>, spoil: fn(&mut Verifier, Party)| {
        let mut verifier = Verifier::new(Checkpoint::default());
        let wallet = Wallet::knowing(&verifier);
        let stranger = Party::new("Stranger", &["verifier.example"], Usage::Verifier, &mut rng);
        spoil(&mut verifier, stranger);
        let mut link = verifier.link();
        if let Some(other) = client_id {
            link = link.replace(&urlencoded(&verifier.client_id()), &urlencoded(&other));
        }
        let fetching = RequestLink::parse(&link).unwrap().fetch(&mut rng);
        let received = run(fetching, &mut Vec::new(), |e| verifier.answer(e), NOW, &mut rng).unwrap();
        let rejected = received.authenticate(&wallet.anchors, NOW).unwrap_err();
        let error = rejected.error().clone();
        assert!(rejected.reply().is_none(), "nobody is known to have asked");
        error
    };
    use RequestObjectError::*;
    let own = Verifier::new(Checkpoint::default()).client_id();
    assert_eq!(refused(None, |verifier, stranger| verifier.party.key = stranger.key), Signature.into());
    let impostor = |verifier: &mut Verifier, stranger: Party| verifier.party = stranger;
    assert_eq!(
        refused(Some(own), impostor),
        OtherClient.into(),
        "the link names the real verifier, a stranger answers"
    );
    let claims_to_be: fn(&mut Verifier, Party) = |verifier, stranger| {
        verifier.party = stranger;
        verifier.checkpoint.tamper = |request| request.client_id = "x509_san_dns:border.example".into();
    };
    assert_eq!(refused(Some("x509_san_dns:border.example".into()), claims_to_be), OtherCertificate.into());
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn attack_41_an_answer_goes_only_where_the_request_may_send_it() {
    let cases: [fn(&mut RequestObject); 4] = [
        |request| request.response_uri = Some("http://verifier.example/response".into()),
        |request| request.response_uri = Some("http://127.0.0.1:9/response".into()),
        |request| request.response_uri = Some("https://a:b@verifier.example/".into()),
        |request| request.response_uri = None,
    ];
    for tamper in cases {
        let mut verifier = Verifier::new(Checkpoint { tamper, ..Checkpoint::default() });
        let rejected = Wallet::knowing(&verifier).authenticated(&mut verifier).unwrap_err();
        let error = rejected.error().clone();
        let not_https = RequestError::ResponseAddress(AddressError::NotHttps);
        assert!(error == not_https || error == RequestObjectError::ResponseUri.into(), "{error}");
        assert!(rejected.reply().is_none());
    }
}

#[test]
fn attack_46_transaction_data_that_is_not_understood_is_an_error() {
    let unknown: fn(&mut RequestObject) = |request| {
        let entry = credentials::b64::encode(br#"{"type":"payment","credential_ids":["id"]}"#);
        request.transaction_data.get_or_insert_default().push(entry);
    };
    let empty: fn(&mut RequestObject) = |request| request.transaction_data = Some(vec![]);
    for tamper in [unknown, empty] {
        let mut verifier = Verifier::new(Checkpoint { tamper, ..Checkpoint::default() });
        let mut wallet = Wallet::knowing(&verifier);
        let rejected = wallet.authenticated(&mut verifier).unwrap_err();
        assert!(matches!(rejected.error(), RequestError::RequestObject(RequestObjectError::TransactionData(_))));
        assert_eq!(rejected.fault(), Fault::Peer);
        let reply = rejected.reply().unwrap();
        run(reply, &mut Vec::new(), |effect| verifier.answer(effect), NOW, &mut wallet.rng).unwrap();
        assert_eq!(verifier.received[0].body, b"error=invalid_transaction_data&state=state-of-this-session");
    }
}

#[test]
fn attack_48_what_is_made_for_one_session_serves_no_other() {
    let mut one = Verifier::new(Checkpoint { encrypted: false, purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&one);
    let (_, verified) = wallet.present(&mut one, &Choice::default());
    assert_eq!(verified.credentials["id"][0].key_binding().nonce(), one.checkpoint.nonce);
    // The same answer at another session of the same verifier: its nonce differs.
    let body = String::from_utf8(one.received[0].body.clone()).unwrap();
    let form: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let token: Value = serde_json::from_str(&form["vp_token"]).unwrap();
    let client_id = one.client_id();
    let other = Expected::new(ChainPolicy::known_only(&wallet.issuers), &client_id, "another-session-nonce-1", NOW);
    assert!(verify_presented(token["id"][0].as_str().unwrap(), &other).is_err());
    // Evidence for one request is none for another, nor after five minutes.
    let mut two = Verifier::new(Checkpoint { nonce: "n-another_WzA2Mj7kPq3v", ..Checkpoint::default() });
    let holder = wallet.recognised(&one);
    let consented = wallet.offered(&mut two).consent(&Choice::default(), NOW, &mut wallet.rng).unwrap();
    let refused = consented.answer(holder, &mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng);
    assert_eq!(refused.map(drop), Err(AnswerError::NotRecognised));
    let consented = wallet.offered(&mut two).consent(&Choice::default(), NOW, &mut wallet.rng).unwrap();
    let (holder, late) = (wallet.recognised(&two), NOW.plus(Seconds::new(301)));
    let refused = consented.answer(holder, &mut Holdings::of(&mut wallet.memory), late, &mut wallet.rng);
    assert_eq!(refused.map(drop), Err(AnswerError::NotRecognised));
    // A request object that was made for another call of the wallet.
    let mut stale =
        Verifier::new(Checkpoint { tamper: |r| r.wallet_nonce = Some("another".into()), ..Checkpoint::default() });
    let rejected = wallet.authenticated(&mut stale).unwrap_err();
    assert_eq!(*rejected.error(), RequestError::RequestObject(RequestObjectError::WalletNonce));
}

/// Modules `mismatched-client-id` and `missing-nonce` of the OIDF conformance suite.
#[test]
fn haip_5_mismatched_clients_and_missing_nonces_end_it_in_the_wallet() {
    let cases: [fn(&mut RequestObject); 3] = [
        |request| request.client_id = "x509_san_dns:verifier.example".into(),
        |request| request.nonce = String::new(),
        |request| request.nonce = "short".into(),
    ];
    let errors = [RequestObjectError::OtherClient, RequestObjectError::Nonce, RequestObjectError::Nonce];
    for (tamper, error) in cases.into_iter().zip(errors) {
        let mut verifier = Verifier::new(Checkpoint { tamper, ..Checkpoint::default() });
        let rejected = Wallet::knowing(&verifier).authenticated(&mut verifier).unwrap_err();
        assert_eq!(*rejected.error(), RequestError::RequestObject(error.clone()));
        assert_eq!(rejected.reply().is_some(), error == RequestObjectError::Nonce, "whoever is known is told");
        assert!(verifier.received.is_empty());
    }
}

/// Module `no-claims` of the OIDF conformance suite.
#[test]
fn haip_5_a_query_without_claims_shows_that_it_is_held_and_no_more() {
    let mut dcql = asking(&[]);
    dcql["credentials"][0].as_object_mut().unwrap().remove("claims");
    let mut verifier = Verifier::new(Checkpoint { dcql, purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    assert!(wallet.offered(&mut verifier).credentials()[0].paths.is_empty());
    let (_, verified) = wallet.present(&mut verifier, &Choice::default());
    assert_eq!(shown(&verified), value!({}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_back_is_refused_without_a_panic(body: Vec<u8>, cut in 0usize..3_000, status in 200u16..600) {
        let mut verifier = Verifier::new(Checkpoint::default());
        let mut wallet = Wallet::knowing(&verifier);
        // Noise, and a sound request with noise in the middle.
        let mut spoilt = verifier.request(None).into_bytes();
        spoilt.splice(cut.min(spoilt.len()).., body.iter().copied());
        for body in [body.clone(), spoilt] {
            let fetching = RequestLink::parse(&verifier.link()).unwrap().fetch(&mut wallet.rng);
            let answer = |_: &Effect| Outcome::Response(Response { status: 200, headers: Vec::new(), body: body.clone() });
            if let Ok(received) = run(fetching, &mut Vec::new(), answer, NOW, &mut wallet.rng) {
                let rejected = received.authenticate(&wallet.anchors, NOW).unwrap_err();
                prop_assert!(rejected.reply().is_none());
            }
        }
        let sending = wallet.sending(&mut verifier, &Choice::default()).unwrap();
        let answer = |_: &Effect| Outcome::Response(Response { status, headers: Vec::new(), body: body.clone() });
        let sent = run(sending, &mut Vec::new(), answer, NOW, &mut wallet.rng);
        prop_assert_eq!(sent.is_ok(), status == 200);
        let _ = RequestLink::parse(&String::from_utf8_lossy(&body));
    }
}
