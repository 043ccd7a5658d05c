//! Verifiers that no certificate vouches for: requests that nobody signed, and keys that a host publishes.

use super::*;
use crate::effect::Response;
use crate::testing::Signed;
use credentials::request_object::{ClientIdError, RequestObjectError};
use schemas::openid4vp::RequestObject;

fn by_nobody() -> Checkpoint {
    Checkpoint { signed: Signed::Nobody, purpose: None, ..Checkpoint::default() }
}

fn on_the_web() -> Checkpoint {
    Checkpoint { signed: Signed::DidOnTheWeb, ..Checkpoint::default() }
}

#[test]
fn vp_30_an_unsigned_request_is_answered_at_its_place_and_shown_for_what_it_is() {
    for encrypted in [true, false] {
        let mut verifier = Verifier::new(Checkpoint { encrypted, ..by_nobody() });
        // Whatever the wallet knows, nobody signed this.
        let mut wallet = Wallet::knowing(&verifier);
        let offered = wallet.offered(&mut verifier);
        let asker = offered.asker();
        assert_eq!((asker.signed, asker.trust), (false, Trust::NotKnown));
        assert_eq!(
            (asker.name.as_str(), asker.host.as_ref().unwrap().as_str()),
            ("verifier.example", "verifier.example")
        );
        assert!(asker.proposal.is_none());
        let refused = offered.consent(&Choice::default(), NOW, &mut wallet.rng).unwrap_err();
        assert_eq!(refused, ChoiceError::VerifierNotKnown, "it takes a yes of its own");
        let (answered, verified) = wallet.present(&mut verifier, &yes());
        assert_eq!(shown(&verified), value!({"given_name": "Amina", "nationalities": ["GN", "FR"]}));
        assert_eq!(answered.receipt.verifier.as_str(), "verifier.example");
        // Only the answer was sent, and nothing was fetched.
        assert_eq!(wallet.asked, [(Method::Post, "https://verifier.example/response".to_owned())]);
        let entries = Holdings::of(&mut wallet.memory).history().unwrap();
        assert_eq!(entries.last().unwrap().verifier.as_str(), "verifier.example");
    }
}

#[test]
fn vp_31_nobody_is_told_anything_who_signed_nothing() {
    // Refused, absent, and wrong in every way that a known verifier is told of.
    let mut verifier = Verifier::new(by_nobody());
    let mut wallet = Wallet::knowing(&verifier);
    assert!(wallet.authenticated(&mut verifier).unwrap().refuse().is_none());
    assert!(wallet.offered(&mut verifier).refuse().is_none());
    let mut empty = Wallet { anchors: verifier.party.anchors(), ..Wallet::empty() };
    let authenticated = empty.authenticated(&mut verifier).unwrap();
    assert!(authenticated.match_against(&Holdings::of(&mut empty.memory), NOW).unwrap_err().refuse().is_none());
    let spoilt: [fn(&mut RequestObject); 5] = [
        |request| request.response_type = "code".into(),
        |request| request.response_mode = "fragment".into(),
        |request| request.redirect_uri = Some("https://verifier.example/back".into()),
        |request| request.transaction_data = Some(vec!["e30".into()]),
        |request| request.response_uri = Some("https://verifier.example/elsewhere".into()),
    ];
    for tamper in spoilt {
        let mut verifier = Verifier::new(Checkpoint { tamper, ..by_nobody() });
        let rejected = wallet.authenticated(&mut verifier).unwrap_err();
        assert!(rejected.reply().is_none());
    }
    assert!(wallet.asked.is_empty() && empty.asked.is_empty(), "no byte was sent");
}

#[test]
fn vp_32_a_prefix_without_a_signature_is_never_signed() {
    // A link that leads to a signed request of such a client goes nowhere; nor does a request that turns out to be one.
    for client in ["redirect_uri:https://verifier.example/response", "origin:https://verifier.example"] {
        let tamper: fn(&mut RequestObject) = match client.starts_with("origin") {
            true => |request| request.client_id = "origin:https://verifier.example".into(),
            false => |request| request.client_id = "redirect_uri:https://verifier.example/response".into(),
        };
        let verifier = Verifier::new(Checkpoint { tamper, ..Checkpoint::default() });
        let mut link = url::Url::parse("openid4vp://").unwrap();
        let uri = "https://verifier.example/request/1";
        link.query_pairs_mut().append_pair("client_id", client).append_pair("request_uri", uri);
        assert_eq!(RequestLink::parse(link.as_str()).unwrap_err(), LinkError::NeverSigned);
        let text = verifier.request(None);
        let error = credentials::request_object::RequestObjectIn::parse(&text)
            .and_then(|request| request.authenticate(client, &verifier.party.anchors(), NOW, None))
            .unwrap_err();
        assert!(matches!(error, RequestObjectError::ClientId(ClientIdError::NeverSigned(_))), "{error}");
    }
}

#[test]
fn attack_13_an_asker_is_shown_to_the_end_of_its_host() {
    let host = format!("border.gov.{}evil.example", "a123456789012345678901.".repeat(9));
    let mut link = url::Url::parse(&Verifier::new(by_nobody()).link()).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    link.query_pairs_mut().clear();
    for (name, text) in pairs {
        link.query_pairs_mut().append_pair(&name, &text.replace("verifier.example", &host));
    }
    let mut rng = HOLDER.rng.clone();
    let received = run(
        RequestLink::parse(link.as_str()).unwrap().fetch(&mut rng),
        &mut Vec::new(),
        |_| Outcome::Unreachable,
        NOW,
        &mut rng,
    );
    let asker = received.unwrap().authenticate(&HOLDER.anchors, NOW).unwrap().asker();
    assert_eq!((asker.name.as_str(), asker.host.unwrap().as_str()), (host.as_str(), host.as_str()));
}

#[test]
fn vp_33_the_key_of_a_did_on_the_web_is_fetched_once_and_from_there_only() {
    let mut verifier = Verifier::new(on_the_web());
    let mut wallet = Wallet::knowing(&verifier);
    let offered = wallet.offered(&mut verifier);
    let asker = offered.asker();
    assert_eq!((asker.name.as_str(), asker.signed, asker.trust), ("did:web:verifier.example", true, Trust::NotKnown));
    let (_, verified) = wallet.present(&mut verifier, &yes());
    assert_eq!(shown(&verified)["given_name"], "Amina");
    let urls: Vec<&str> = wallet.asked.iter().map(|(_, url)| url.as_str()).collect();
    let request = format!("https://verifier.example/request/{}", verifier.checkpoint.nonce);
    let document = "https://verifier.example/.well-known/did.json";
    // Fetched for each request anew: nothing of it is kept.
    let answer = "https://verifier.example/response";
    assert_eq!(urls, [request.as_str(), document, request.as_str(), document, answer]);
    // Whom it knows by name, it tells of a refusal.
    assert!(wallet.authenticated(&mut verifier).unwrap().refuse().is_some());
}

#[test]
fn vp_34_a_document_that_is_not_the_verifiers_ends_it() {
    let verifier = Verifier::new(on_the_web());
    let fetch = |document: Outcome| {
        let mut rng = HOLDER.rng.clone();
        let (mut asked, mut document) = (Vec::new(), Some(document));
        let answer = |effect: &Effect| match effect.url().path() {
            "/.well-known/did.json" => document.take().unwrap(),
            _ => {
                let body = verifier.request(crate::testing::field(effect, "wallet_nonce")).into_bytes();
                Outcome::Response(Response { status: 200, headers: Vec::new(), body })
            }
        };
        run(RequestLink::parse(&verifier.link()).unwrap().fetch(&mut rng), &mut asked, answer, NOW, &mut rng)
    };
    let of = |status, body: Value| json(status, &body);
    assert!(fetch(of(200, verifier.document())).unwrap().authenticate(&TrustAnchors::default(), NOW).is_ok());
    let (gone, other) = (of(404, verifier.document()), of(200, value!({"id": "did:web:other.example"})));
    for document in [gone, other, of(302, value!({})), of(200, value!([]))] {
        assert_eq!(fetch(document).unwrap_err(), FetchError::NotItsDocument);
    }
    let error = fetch(Outcome::Unreachable).unwrap_err();
    assert_eq!((error, error.fault()), (FetchError::NoDocument, Fault::Network));
    // A document without the key, and one that lists it for something else: nobody is known to have asked.
    for change in [value!({"authentication": []}), value!({"authentication": [], "keyAgreement": ["#k1"]})] {
        let mut document = verifier.document();
        document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let rejected = fetch(of(200, document)).unwrap().authenticate(&TrustAnchors::default(), NOW).unwrap_err();
        assert_eq!(*rejected.error(), RequestError::RequestObject(RequestObjectError::NoKey));
        assert!(rejected.reply().is_none());
    }
}

#[test]
fn attack_43_a_did_leads_neither_to_this_machine_nor_to_an_address() {
    for did in ["did:web:localhost", "did:web:127.0.0.1", "did:web:verifier.example%3A8443", "did:web:10.0.0.1"] {
        let client = format!("decentralized_identifier:{did}");
        let mut link = url::Url::parse("openid4vp://").unwrap();
        let uri = "https://verifier.example/request/1";
        link.query_pairs_mut().append_pair("client_id", &client).append_pair("request_uri", uri);
        let mut rng = HOLDER.rng.clone();
        let mut asked = Vec::new();
        let verifier = Verifier::new(on_the_web());
        let text = {
            let payload = value!({"client_id": client, "response_type": "vp_token", "response_mode": "direct_post",
                "response_uri": "https://verifier.example/response", "nonce": verifier.checkpoint.nonce});
            let header = value!({"alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": "#k1"});
            credentials::jws::sign_object(
                header.as_object().unwrap(),
                payload.as_object().unwrap(),
                &verifier.party.key,
            )
            .unwrap()
        };
        let answer =
            |_: &Effect| Outcome::Response(Response { status: 200, headers: vec![], body: text.clone().into_bytes() });
        let received =
            run(RequestLink::parse(link.as_str()).unwrap().fetch(&mut rng), &mut asked, answer, NOW, &mut rng);
        match received {
            Ok(received) => assert!(received.authenticate(&TrustAnchors::default(), NOW).is_err(), "{did}"),
            Err(error) => assert_eq!(error, FetchError::NoDocument, "{did}"),
        }
        assert_eq!(asked.len(), 1, "only the request was fetched: {did}");
    }
}
