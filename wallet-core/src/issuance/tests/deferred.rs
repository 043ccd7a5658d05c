//! What an issuer promises for later, and what it is told when it came.

use super::*;

/// A wallet that was told "later", with the promise in its records.
fn promised(desk: Desk) -> (Wallet, Issuer, DeferredId) {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(desk));
    let mut delivered = wallet.delivered(&mut issuer, Some("12345678")).unwrap();
    assert!(delivered.is_empty());
    let promise = delivered.take_deferred().unwrap();
    assert_eq!((promise.issuer().as_str(), promise.types()[0].as_str()), (issuer.desk.url.as_str(), "Identity"));
    assert_eq!(promise.ask_again_at(), NOW.plus(schemas::Seconds::HOUR));
    let id = Holdings::of(&mut wallet.memory).defer(&promise, &mut wallet.rng).unwrap();
    (wallet, issuer, id)
}

/// Asks as a process does that knows only the records.
fn ask(wallet: &mut Wallet, issuer: &mut Issuer) -> Result<crate::issuance::Asked, IssuanceError> {
    let (_, promise) = Holdings::of(&mut wallet.memory).deferred().pop().unwrap();
    let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
    run(asking, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)
}

#[test]
fn vci_9_what_is_promised_survives_a_restart_and_comes_once() {
    let (mut wallet, mut issuer, id) = promised(Desk { later: 2, ..Desk::default() });
    let asked = ask(&mut wallet, &mut issuer).unwrap();
    assert!(asked.delivered.is_empty() && asked.declined.is_empty());
    let left = asked.left.unwrap();
    assert_eq!(left.ask_again_at(), NOW.plus(schemas::Seconds::MINUTE), "the issuer may change the interval");
    Holdings::of(&mut wallet.memory).settle_deferred(id, Some(&left), &mut wallet.rng).unwrap();

    let asked = ask(&mut wallet, &mut issuer).unwrap();
    assert!(asked.left.is_none());
    let arrived = asked.delivered.verify(&issuer.party.anchors(), NOW).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    let confirmed = arrived.summary(&holdings).confirmed();
    let kept = arrived.keep(confirmed, &mut holdings, NOW, &mut wallet.rng).unwrap().saved();
    assert_eq!(holdings.credential(kept.credentials[0]).unwrap().copies_left(), 30);
    let copy = holdings.spend(kept.credentials[0], false, &mut wallet.rng).unwrap().unwrap();
    let Some(Credential::SdJwtVc(credential)) = copy.reopen() else { panic!() };
    use credentials::signer::Signer;
    assert_eq!(credential.confirmation_key(), copy.key.public_key(), "the keys of the first request are still there");

    // A process that was killed before it saved asks again: the identifier is dead, and the promise is dropped.
    let asked = ask(&mut wallet, &mut issuer).unwrap();
    assert!(asked.delivered.is_empty() && asked.left.is_none());
    assert_eq!(asked.declined.len(), 1);
    let mut holdings = Holdings::of(&mut wallet.memory);
    holdings.settle_deferred(id, None, &mut wallet.rng).unwrap();
    assert!(holdings.deferred().is_empty());
}

#[test]
fn vci_9_3_a_promise_that_is_declined_is_dropped_and_one_unanswered_is_kept() {
    let (mut wallet, mut issuer, _) = promised(Desk { later: 1, declines: true, ..Desk::default() });
    let asked = ask(&mut wallet, &mut issuer).unwrap();
    assert_eq!((asked.declined.len(), asked.left.is_none(), asked.delivered.is_empty()), (1, true, true));

    let (mut wallet, _, _) = promised(Desk { later: 1, ..Desk::default() });
    for (outcome, fault) in [(None, Fault::Network), (Some(500), Fault::Network), (Some(400), Fault::Peer)] {
        let (_, promise) = Holdings::of(&mut wallet.memory).deferred().pop().unwrap();
        let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
        let answer = |_: &crate::effect::Effect| match outcome {
            None => Outcome::Unreachable,
            Some(status) => json(status, &value!({"error": "server_error"})),
        };
        let error = run(asking, &mut Vec::new(), answer, NOW, &mut wallet.rng).map(drop).unwrap_err();
        assert_eq!(error.fault(), fault);
    }
    assert_eq!(Holdings::of(&mut wallet.memory).deferred().len(), 1, "nothing was dropped");
}

#[test]
fn vci_9_2_a_promise_is_held_to_its_identifier_and_to_its_keys() {
    let other = Desk {
        later: 2,
        tamper: |path, v| set(path, "/deferred", v, "transaction_id", "t-2".into()),
        ..Desk::default()
    };
    let (mut wallet, mut issuer, _) = promised(other);
    assert_eq!(ask(&mut wallet, &mut issuer).map(drop), Err(IssuanceError::Malformed(Answer::Deferred)));

    // Two copies for one key do not pass for what was promised either.
    let (mut wallet, mut issuer, _) = promised(Desk { later: 1, ..Desk::default() });
    let (_, promise) = Holdings::of(&mut wallet.memory).deferred().pop().unwrap();
    let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
    let answer = |effect: &crate::effect::Effect| match issuer.answer(effect) {
        Outcome::Response(response) if response.body.starts_with(br#"{"credentials""#) => {
            let mut answer: Value = serde_json::from_slice(&response.body).unwrap();
            let copy = answer["credentials"][0].clone();
            answer["credentials"][1] = copy;
            json(200, &answer)
        }
        outcome => outcome,
    };
    let asked = run(asking, &mut Vec::new(), answer, NOW, &mut wallet.rng).unwrap();
    assert_eq!(asked.delivered.verify(&issuer.party.anchors(), NOW).map(drop), Err(IssuanceError::WrongKey));

    let nowhere = Desk {
        later: 1,
        tamper: |path, v| {
            if path.ends_with("issuer/tenant") {
                v.as_object_mut().unwrap().remove("deferred_credential_endpoint");
            }
        },
        ..Desk::default()
    };
    assert_eq!(refused(nowhere), IssuanceError::NowhereToAsk);
}

#[test]
fn vci_11_the_issuer_is_told_that_it_arrived_and_nothing_later() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let delivered = wallet.delivered(&mut issuer, Some("12345678")).unwrap();
    let notices = delivered.notices();
    drop(delivered);
    for (event, said) in [(Event::Accepted, "credential_accepted"), (Event::Failure, "credential_failure")] {
        let telling = notices.clone().tell(event, NOW, &mut wallet.rng).unwrap().unwrap();
        run(telling, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
        assert_eq!(issuer.notices.pop().unwrap(), value!({"notification_id": "n-1", "event": said}));
    }
    // An issuer that has no place for it hears nothing.
    let tamper: fn(&str, &mut Value) = |path, v| {
        if path.ends_with("issuer/tenant") {
            v.as_object_mut().unwrap().remove("notification_endpoint");
        }
    };
    let mut issuer = Issuer::new(Desk { tamper, ..Desk::default() });
    let delivered = Wallet::new().delivered(&mut issuer, Some("12345678")).unwrap();
    assert!(delivered.notices().tell(Event::Accepted, NOW, &mut wallet.rng).unwrap().is_none());
    // Forgetting a credential is nobody's business: no exchange exists for it.
    let kept = wallet.kept(&mut Issuer::new(Desk::default())).unwrap();
    let asked = wallet.asked.len();
    Holdings::of(&mut wallet.memory).forget(kept.credentials[0], &mut wallet.rng).unwrap();
    assert_eq!(wallet.asked.len(), asked);
}
