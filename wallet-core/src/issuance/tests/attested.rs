//! Issuers that give only to wallets that a provider vouches for.

use super::*;
use crate::attestation::{AttestationError, ProviderCode, TellsApart, WalletAttestation, enrol};
use crate::testing::Provider;
use schemas::Seconds;

/// A wallet that a provider vouches for, and an issuer that demands it.
fn world(change: impl FnOnce(&mut Desk)) -> (Wallet, Issuer) {
    let (wallet, issuer, _) = world_and_provider(change);
    (wallet, issuer)
}

fn world_and_provider(change: impl FnOnce(&mut Desk)) -> (Wallet, Issuer, Provider) {
    let (mut wallet, mut provider) = (Wallet::new(), Provider::new("https://wallets.example"));
    let enrolling = enrol("https://wallets.example", ProviderCode::parse(Provider::CODE).unwrap()).unwrap();
    let enrolled = run(enrolling, &mut Vec::new(), |e| provider.answer(e), NOW, &mut wallet.rng).unwrap();
    Holdings::of(&mut wallet.memory).enrol(enrolled, &mut wallet.rng).unwrap();
    let mut desk = Desk { providers: Some(provider.anchors()), ..Desk::default() };
    change(&mut desk);
    (wallet, Issuer::new(desk), provider)
}

fn take(wallet: &mut Wallet) -> WalletAttestation {
    Holdings::of(&mut wallet.memory).take_attestation(NOW, &mut wallet.rng).unwrap().unwrap().saved()
}

fn received(wallet: &mut Wallet, issuer: &mut Issuer) -> Result<crate::holdings::CredentialId, IssuanceError> {
    let offered = wallet.offered_by(issuer)?;
    assert!(offered.wants_attestation());
    let attestation = take(wallet);
    let redeeming =
        offered.attested(attestation).accept(issuer.desk.tx_code.map(TxCode::new), None, NOW, &mut wallet.rng)?;
    let delivered = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)?;
    let arrived = delivered.verify(&issuer.party.anchors(), NOW)?;
    let mut holdings = Holdings::of(&mut wallet.memory);
    let summary = arrived.summary(&holdings);
    Ok(arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut wallet.rng)?.saved().credentials[0])
}

#[test]
fn vci_e_a_wallet_shows_what_its_provider_says_and_each_time_another() {
    for challenge_endpoint in [true, false] {
        let (mut wallet, mut issuer) = world(|desk| desk.challenge_endpoint = challenge_endpoint);
        received(&mut wallet, &mut issuer).unwrap();
        let asked = wallet.asked.iter().filter(|(_, url)| url.ends_with("/challenge")).count();
        assert_eq!(asked, usize::from(challenge_endpoint), "where there is an endpoint, it is asked");
        received(&mut wallet, &mut issuer).unwrap();
        let [one, two] = &issuer.attestations[..] else { panic!("{}", issuer.attestations.len()) };
        let parts = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parts(one)[0], parts(two)[0]);
        assert_ne!(parts(one)[1], parts(two)[1], "another key");
    }
}

#[test]
fn vci_e_without_an_attestation_nothing_is_sent() {
    let (mut wallet, mut issuer) = world(|_| {});
    let offered = wallet.offered_by(&mut issuer).unwrap();
    let asked = wallet.asked.len();
    let refused = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).map(drop);
    assert_eq!(refused, Err(IssuanceError::AttestationWanted));
    assert_eq!((wallet.asked.len(), issuer.tokens), (asked, 0));
    assert!(IssuanceError::AttestationWanted.hint().contains("amparo attest"));
    // Where it is not demanded, it is not shown, whatever the wallet has: the fake issuer holds it to that.
    type Tamper = fn(&str, &mut Value);
    let both: Tamper = |path, v| {
        if path.contains("oauth-authorization-server") {
            v["token_endpoint_auth_methods_supported"] = value!(["attest_jwt_client_auth", "none"]);
        }
    };
    let anonymous: Tamper = |path, v| {
        if path.contains("oauth-authorization-server") {
            v["token_endpoint_auth_methods_supported"] = value!(["attest_jwt_client_auth"]);
            v["pre-authorized_grant_anonymous_access_supported"] = true.into();
        }
    };
    for tamper in [both, anonymous] {
        let (mut wallet, mut issuer) = world(|desk| (desk.providers, desk.tamper) = (None, tamper));
        let offered = wallet.offered_by(&mut issuer).unwrap();
        assert!(!offered.wants_attestation());
        let attestation = take(&mut wallet);
        let redeeming = offered.attested(attestation).accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng);
        run(redeeming.unwrap(), &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    }
}

#[test]
fn vci_e_the_pushed_request_and_the_code_are_of_one_attested_key() {
    let (mut wallet, mut issuer) = world(|desk| desk.code_flow = true);
    let offered = wallet.offered_by(&mut issuer).unwrap();
    assert_eq!(offered.authorize(BACK, None, NOW, &mut wallet.rng).map(drop), Err(IssuanceError::AttestationWanted));
    let attestation = take(&mut wallet);
    let pushing = offered.attested(attestation).authorize(BACK, None, NOW, &mut wallet.rng).unwrap();
    let authorization = run(pushing, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    let state = &issuer.pushed.as_ref().unwrap()["state"];
    let back = format!("/back?code=code-1&state={state}&iss=https%3A%2F%2Fissuer.example%2Ftenant");
    let redeeming = authorization.returned(&back, NOW, &mut wallet.rng).unwrap();
    // The person took their time: the challenge of before is no good any more.
    issuer.challenges += 1;
    run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    assert_eq!(issuer.attestations.len(), 1);
}

#[test]
fn vci_e_new_copies_take_a_new_attestation() {
    let (mut wallet, mut issuer) = world(|desk| desk.refills = true);
    let id = received(&mut wallet, &mut issuer).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    assert!(holdings.refill_wants_attestation(id));
    let refused = holdings.refill(id, None, NOW, &mut wallet.rng).map(drop);
    assert_eq!(refused, Err(IssuanceError::AttestationWanted));
    let attestation = holdings.take_attestation(NOW, &mut wallet.rng).unwrap().unwrap().saved();
    let refreshing = holdings.refill(id, Some(&attestation), NOW, &mut wallet.rng).unwrap();
    let refreshed = run(refreshing, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
    assert!(refreshed.is_ok());
    assert_eq!(issuer.attestations.len(), 2);
}

#[test]
fn vci_e_a_server_that_never_likes_the_challenge_is_left() {
    let (mut wallet, mut issuer) = world(|_| {});
    let offered = wallet.offered_by(&mut issuer).unwrap();
    let attestation = take(&mut wallet);
    let redeeming =
        offered.attested(attestation).accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).unwrap();
    let mut requests = 0;
    let refused = run(
        redeeming,
        &mut wallet.asked,
        |effect| {
            requests += usize::from(effect.url().path().ends_with("/token"));
            if effect.url().path().ends_with("/token") {
                issuer.challenges += 1;
            }
            issuer.answer(effect)
        },
        NOW,
        &mut wallet.rng,
    )
    .map(drop);
    let code = Some("use_attestation_challenge".to_owned());
    assert_eq!(refused, Err(IssuanceError::Refused { answer: Answer::Token, code }));
    assert_eq!(requests, 2);
}

type Tamper = fn(&str, &mut Value);

/// Metadata of an issuer that wants keys attested, by a proof with an attestation or by an attestation alone.
const WITH_PROOF: Tamper = |path, v| {
    if path.contains("openid-credential-issuer") {
        v["credential_configurations_supported"]["identity"]["proof_types_supported"] = value!({
            "jwt": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}},
            "attestation": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}},
        });
    }
};
const ALONE: Tamper = |path, v| {
    if path.contains("openid-credential-issuer") {
        v["credential_configurations_supported"]["identity"]["proof_types_supported"] =
            value!({"attestation": {"proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {}}});
    }
};

/// A whole issuance in which the provider attests the keys.
fn with_keys(tamper: Tamper, of_keys: fn(&mut Value)) -> (Result<Delivered, IssuanceError>, Issuer) {
    let (mut wallet, mut issuer, mut provider) = world_and_provider(|desk| {
        desk.tamper = tamper;
        desk.key_attesters = desk.providers.take();
    });
    provider.of_keys = of_keys;
    let offered = wallet.offered_by(&mut issuer).unwrap().attested_by(&Holdings::of(&mut wallet.memory));
    let redeeming = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).unwrap();
    let answer = |effect: &crate::effect::Effect| match effect.url().host_str() {
        Some("wallets.example") => provider.answer(effect),
        _ => issuer.answer(effect),
    };
    (run(redeeming, &mut wallet.asked, answer, NOW, &mut wallet.rng), issuer)
}

#[test]
fn vci_d_keys_are_attested_where_an_issuer_demands_it() {
    for (tamper, member) in [(WITH_PROOF, "jwt"), (ALONE, "attestation")] {
        let (delivered, issuer) = with_keys(tamper, |_| {});
        let arrived = delivered.unwrap().verify(&issuer.party.anchors(), NOW).unwrap();
        let (mut memory, _) = Memory::seeded(9);
        assert_eq!(arrived.summary(&Holdings::of(&mut memory)).credentials[0].copies, 30);
        let proofs = issuer.requests[0]["proofs"].as_object().unwrap();
        assert_eq!(proofs.keys().collect::<Vec<_>>(), [member]);
        assert_eq!(proofs[member].as_array().unwrap().len(), 1, "one says all of all keys");
    }
    // Nobody attests this wallet's keys: known before a code is spent.
    for tamper in [WITH_PROOF, ALONE] {
        let mut wallet = Wallet::new();
        let mut issuer = Issuer::new(Desk { tamper, ..Desk::default() });
        let offered = wallet.offered_by(&mut issuer).unwrap().attested_by(&Holdings::of(&mut wallet.memory));
        let asked = wallet.asked.len();
        let refused = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).map(drop);
        assert_eq!((refused, wallet.asked.len()), (Err(IssuanceError::AttestationWanted), asked));
    }
}

#[test]
fn attest_05_a_key_attestation_that_marks_its_holder_is_not_shown() {
    let marked = |of_keys: fn(&mut Value)| with_keys(ALONE, of_keys).0.map(drop).unwrap_err();
    let apart =
        |member: &str| IssuanceError::Provider(AttestationError::TellsApart(TellsApart { member: member.into() }));
    assert_eq!(marked(|claims| claims["key_storage"] = value!(["urn:holder:4711"])), apart("key_storage"));
    assert_eq!(marked(|claims| claims["user_authentication"] = value!("x")), apart("user_authentication"));
    let twice = marked(|claims| claims["key_storage"] = value!(["iso_18045_basic", "iso_18045_basic"]));
    let turned = marked(|claims| claims["key_storage"] = value!(["iso_18045_basic", "iso_18045_high"]));
    assert_eq!((twice, turned), (apart("key_storage"), apart("key_storage")));
    assert_eq!(marked(|claims| claims["attested_keys"][3]["kid"] = value!("4711")), apart("attested_keys"));
    let far = |claims: &mut Value| claims["exp"] = value!(NOW.floor_to(Seconds::DAY).plus(Seconds::DAY.times(4_711)));
    assert_eq!(marked(far), apart("exp"));
    assert_eq!(marked(|claims| claims["certification"] = value!("https://w.example/4711")), apart("certification"));
    assert_eq!(marked(|claims| claims["status"] = value!({"status_list": {"idx": 1, "uri": "x"}})), apart("status"));
    assert_eq!(marked(|claims| claims["iat"] = value!(NOW)), apart("iat"));
    assert_eq!(marked(|claims| claims["iss"] = value!("https://wallets.example/4711")), apart("iss"));
    let not_ours = IssuanceError::Provider(AttestationError::NotOurs);
    assert_eq!(marked(|claims| claims["nonce"] = value!("another")), not_ours);
    assert_eq!(marked(|claims| drop(claims["attested_keys"].as_array_mut().unwrap().pop())), not_ours);
    assert_eq!(marked(|claims| claims["attested_keys"].as_array_mut().unwrap().swap(0, 1)), not_ours);
}

/// An issuer that wants keys attested, and a wallet with thirty of its copies.
fn refillable() -> (Wallet, Issuer, Provider, crate::holdings::CredentialId) {
    let (mut wallet, mut issuer, mut provider) = world_and_provider(|desk| {
        desk.tamper = ALONE;
        desk.key_attesters = desk.providers.take();
        desk.refills = true;
    });
    let offered = wallet.offered_by(&mut issuer).unwrap().attested_by(&Holdings::of(&mut wallet.memory));
    let redeeming = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).unwrap();
    let answer = |effect: &crate::effect::Effect| match effect.url().host_str() {
        Some("wallets.example") => provider.answer(effect),
        _ => issuer.answer(effect),
    };
    let delivered = run(redeeming, &mut wallet.asked, answer, NOW, &mut wallet.rng).unwrap();
    let arrived = delivered.verify(&issuer.party.anchors(), NOW).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    let summary = arrived.summary(&holdings);
    let kept = arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut wallet.rng).unwrap().saved();
    (wallet, issuer, provider, kept.credentials[0])
}

#[test]
fn refill_07_without_a_provider_neither_token_nor_copy_is_spent() {
    let (mut wallet, _, _, id) = refillable();
    let mut holdings = Holdings::of(&mut wallet.memory);
    assert!(holdings.refill(id, None, NOW, &mut wallet.rng).is_ok());
    holdings.leave_provider(&mut wallet.rng).unwrap();
    let refused = holdings.refill(id, None, NOW, &mut wallet.rng).map(drop);
    assert_eq!(refused, Err(IssuanceError::AttestationWanted));
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 30);
}

#[test]
fn refill_08_a_provider_that_does_not_answer_costs_no_copy() {
    let (mut wallet, mut issuer, mut provider, id) = refillable();
    let mut prepared = |is_there: bool| {
        let mut answer = |effect: &crate::effect::Effect| match effect.url().host_str() {
            Some("wallets.example") if is_there => provider.answer(effect),
            Some("wallets.example") => Outcome::Unreachable,
            _ => issuer.answer(effect),
        };
        let refreshing = Holdings::of(&mut wallet.memory).refill(id, None, NOW, &mut wallet.rng).unwrap();
        let refreshed = run(refreshing, &mut wallet.asked, &mut answer, NOW, &mut wallet.rng).unwrap();
        let preparing = refreshed.keep(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap().saved();
        run(preparing, &mut wallet.asked, &mut answer, NOW, &mut wallet.rng)
    };
    assert_eq!(prepared(false).map(drop), Err(IssuanceError::Unreachable(Answer::KeyAttestation)));
    let back = prepared(true).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 30);
    let redeeming = back.show(&mut holdings, NOW, &mut wallet.rng).unwrap().saved();
    let delivered = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    let arrived = delivered.verify(&issuer.party.anchors(), NOW).unwrap();
    arrived.refill(id, &mut holdings, &mut wallet.rng).unwrap().saved();
    assert_eq!(holdings.credential(id).unwrap().copies_left(), 59);
}
