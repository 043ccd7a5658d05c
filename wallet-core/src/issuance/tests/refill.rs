//! New copies without the desk: a refresh token, a copy shown to its issuer, and what comes compared with what is held.

use super::*;
use crate::holdings::CredentialId;
use crate::issuance::Prepared;
use credentials::type_metadata::{Bundled, Integrity, TypeDocuments as _};
use schemas::Seconds;

fn refills() -> Desk {
    Desk { refills: true, ..Desk::default() }
}

/// A wallet with thirty copies, all but `left` of them shown.
fn with_copies(issuer: &mut Issuer, left: usize) -> (Wallet, CredentialId) {
    let mut wallet = Wallet::new();
    let id = wallet.kept(issuer).unwrap().credentials[0];
    spend(&mut wallet, id, 30 - left);
    (wallet, id)
}

fn spend(wallet: &mut Wallet, id: CredentialId, count: usize) {
    for _ in 0..count {
        let mut holdings = Holdings::of(&mut wallet.memory);
        holdings.spend(id, false, &mut wallet.rng).unwrap().unwrap();
    }
}

fn prepared(wallet: &mut Wallet, issuer: &mut Issuer, id: CredentialId) -> Result<Prepared, IssuanceError> {
    let refreshing = Holdings::of(&mut wallet.memory).refill(id, None, NOW, &mut wallet.rng)?;
    let refreshed = run(refreshing, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)?;
    let preparing = refreshed.keep(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng)?.saved();
    run(preparing, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)
}

fn refilled(wallet: &mut Wallet, issuer: &mut Issuer, id: CredentialId) -> Result<usize, IssuanceError> {
    let prepared = prepared(wallet, issuer, id)?;
    let redeeming = prepared.show(&mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng)?.saved();
    let delivered = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)?;
    let arrived = delivered.verify(&issuer.party.anchors(), NOW)?;
    let mut holdings = Holdings::of(&mut wallet.memory);
    assert_eq!(arrived.refill(id, &mut holdings, &mut wallet.rng)?.saved().credentials, [id]);
    Ok(holdings.credential(id).unwrap().copies_left())
}

#[test]
fn refill_01_a_copy_is_shown_whole_to_its_issuer_and_new_ones_come() {
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    assert!(Holdings::of(&mut wallet.memory).credential(id).unwrap().is_refillable(NOW));
    wallet.asked.clear();
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 34, "one was shown, thirty came");
    let hosts: Vec<bool> = wallet.asked.iter().map(|(_, url)| url.starts_with("https://issuer.example/")).collect();
    assert!(hosts.iter().all(|own| *own), "nobody else is asked: {:?}", wallet.asked);
    let [shown] = &issuer.shown[..] else { panic!() };
    for (name, value) in issuer.desk.claims.as_object().unwrap() {
        assert_eq!(shown.get(name), Some(value), "{name}");
    }
    // The next time with the next token, and every new copy is good.
    spend(&mut wallet, id, 30);
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 33);
    assert_eq!((issuer.refreshes, issuer.shown.len()), (3, 2));
    let mut holdings = Holdings::of(&mut wallet.memory);
    for _ in 0..33 {
        let copy = holdings.spend(id, false, &mut wallet.rng).unwrap().unwrap();
        let Some(Credential::SdJwtVc(credential)) = copy.reopen() else { panic!() };
        assert_eq!(credential.confirmation_key(), credentials::signer::Signer::public_key(&copy.key));
    }
}

#[test]
fn refill_02_with_the_last_copy_or_none_left_and_for_documents() {
    for left in [1, 0] {
        let mut issuer = Issuer::new(refills());
        let (mut wallet, id) = with_copies(&mut issuer, left);
        // The last one stays when it is shown; with new ones it goes.
        assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 30, "{left}");
        assert_eq!(wallet.memory.records.values().filter(|(kind, _)| *kind == RecordKind::COPY).count(), 30);
    }
    let both = Desk { configurations: &["identity", "identity-mdoc"], ..refills() };
    let mut issuer = Issuer::new(both);
    let mut wallet = Wallet::new();
    let ids = wallet.kept(&mut issuer).unwrap().credentials;
    assert_eq!(refilled(&mut wallet, &mut issuer, ids[1]).unwrap(), 59, "the document");
    assert_eq!(refilled(&mut wallet, &mut issuer, ids[0]).unwrap(), 59, "and the other, with the token that followed");
    assert_eq!(issuer.shown[0]["given_name"], issuer.shown[1]["given_name"]);
}

#[test]
fn refill_03_the_next_token_is_kept_and_the_copy_gone_before_anything_is_shown() {
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    let prepared = prepared(&mut wallet, &mut issuer, id).unwrap();
    let shown = issuer.shown.len();
    drop(prepared.show(&mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng).unwrap());
    // Killed here: the copy counts as shown, and the issuer takes the token that stands in the vault, and the same copy again.
    assert_eq!((shown, Holdings::of(&mut wallet.memory).credential(id).unwrap().copies_left()), (0, 4));
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 34);
}

#[test]
fn refill_08_whoever_is_not_reached_costs_no_copy_and_a_request_that_is_lost_costs_one_however_often() {
    let left = |wallet: &mut Wallet, id| Holdings::of(&mut wallet.memory).credential(id).unwrap().copies_left();
    // Token and nonce are had before a copy is taken; the next token is not lost with them.
    for out_of_reach in ["/token", "/nonce"] {
        let mut issuer = Issuer::new(refills());
        let (mut wallet, id) = with_copies(&mut issuer, 5);
        let mut answer = |effect: &crate::effect::Effect| match effect.url().path().ends_with(out_of_reach) {
            true => Outcome::Unreachable,
            false => issuer.answer(effect),
        };
        let refreshing = Holdings::of(&mut wallet.memory).refill(id, None, NOW, &mut wallet.rng).unwrap();
        let refused = run(refreshing, &mut wallet.asked, &mut answer, NOW, &mut wallet.rng).and_then(|refreshed| {
            let preparing = refreshed.keep(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap().saved();
            run(preparing, &mut wallet.asked, &mut answer, NOW, &mut wallet.rng).map(drop)
        });
        assert!(matches!(refused, Err(IssuanceError::Unreachable(_))), "{out_of_reach}");
        assert_eq!(left(&mut wallet, id), 5, "{out_of_reach}");
        assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 34);
    }
    // The request with the copy may have arrived: that copy is for no verifier any more, and the same one is shown again.
    for copies in [5, 1] {
        let mut issuer = Issuer::new(refills());
        let (mut wallet, id) = with_copies(&mut issuer, copies);
        for _ in 0..3 {
            let prepared = prepared(&mut wallet, &mut issuer, id).unwrap();
            let redeeming = prepared.show(&mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng).unwrap().saved();
            let lost = run(redeeming, &mut wallet.asked, |_| Outcome::Unreachable, NOW, &mut wallet.rng).map(drop);
            assert_eq!(lost, Err(IssuanceError::Unreachable(Answer::Credential)));
            assert_eq!(left(&mut wallet, id), copies - 1);
        }
        if copies > 1 {
            spend(&mut wallet, id, copies - 1);
        }
        let mut holdings = Holdings::of(&mut wallet.memory);
        assert!(
            holdings.spend(id, false, &mut wallet.rng).unwrap().is_none(),
            "what was set aside is shown to nobody unasked"
        );
        assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 30, "with what was set aside");
        assert_eq!(wallet.memory.records.values().filter(|(kind, _)| *kind == RecordKind::COPY).count(), 30);
    }
}

#[test]
fn refill_04_what_comes_must_say_what_is_held_by_the_same_issuer() {
    let refused = |change: fn(&mut Issuer), expected: IssuanceError| {
        let mut issuer = Issuer::new(refills());
        let (mut wallet, id) = with_copies(&mut issuer, 5);
        change(&mut issuer);
        assert_eq!(refilled(&mut wallet, &mut issuer, id), Err(expected));
        assert_eq!(Holdings::of(&mut wallet.memory).credential(id).unwrap().copies_left(), 4, "nothing was kept");
    };
    refused(|issuer| issuer.desk.claims["family_name"] = "Mendez".into(), IssuanceError::Changed);
    refused(|issuer| drop(issuer.desk.claims.as_object_mut().unwrap().remove("address")), IssuanceError::Changed);
    refused(|issuer| issuer.desk.bare = |_| &["sex"], IssuanceError::Changed);
    refused(|issuer| issuer.desk.vct = "urn:amparo:attestation:1".into(), IssuanceError::WrongType);
    // Ages are of the day.
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    issuer.desk.claims["age_over_18"] = false.into();
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 34);

    // What the type says is looked at where it is looked up: its document may have become another since.
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    let document = Bundled::only().document(&issuer.desk.vct).unwrap().into_owned();
    issuer.desk.claims["vct#integrity"] = Integrity::of(&document).to_string().into();
    issuer.desk.bare = |_| &["vct#integrity"];
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 34);

    // A known issuer's copies are not followed by those of somebody whom no anchor vouches for.
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    let prepared = prepared(&mut wallet, &mut issuer, id).unwrap();
    let redeeming = prepared.show(&mut Holdings::of(&mut wallet.memory), NOW, &mut wallet.rng).unwrap().saved();
    let delivered = run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    let arrived = delivered.verify(&TrustAnchors::default(), NOW).unwrap();
    let refused = arrived.refill(id, &mut Holdings::of(&mut wallet.memory), &mut wallet.rng);
    assert_eq!(refused.map(drop), Err(IssuanceError::NotKnown));
}

#[test]
fn refill_05_where_there_is_no_way_the_person_is_sent_to_the_desk() {
    // The issuer gave none, or none that a key binds.
    for desk in [Desk::default(), Desk { dpop: false, dpop_nonce: false, ..refills() }] {
        let mut issuer = Issuer::new(desk);
        let (mut wallet, id) = with_copies(&mut issuer, 5);
        let holdings = Holdings::of(&mut wallet.memory);
        assert!(!holdings.credential(id).unwrap().is_refillable(NOW));
        assert_eq!(holdings.refill(id, None, NOW, &mut wallet.rng).map(drop), Err(IssuanceError::NotRefillable));
        assert!(holdings.records.ids(RecordKind::RENEWAL).is_empty());
    }
    // Revoked, or the token is over.
    let mut issuer = Issuer::new(refills());
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    issuer.desk.refills = false;
    let refused = refilled(&mut wallet, &mut issuer, id).unwrap_err();
    assert_eq!((&refused, refused.fault()), (&IssuanceError::NoMoreCopies, Fault::Peer));
    assert!(refused.hint().contains("desk"));
    assert_eq!(
        Holdings::of(&mut wallet.memory).credential(id).unwrap().copies_left(),
        5,
        "no copy was shown for nothing"
    );
    // Expired.
    let late = issuer.desk.expires_at.plus(Seconds::new(1));
    let mut holdings = Holdings::of(&mut wallet.memory);
    assert!(!holdings.credential(id).unwrap().is_refillable(late));
    assert_eq!(holdings.refill(id, None, late, &mut wallet.rng).map(drop), Err(IssuanceError::NotRefillable));
    // Forgotten with the credential.
    holdings.forget(id, &mut wallet.rng).unwrap();
    assert!(holdings.records.ids(RecordKind::RENEWAL).is_empty());
    // An issuer without nonces would get a copy that whoever sees it could show again.
    let mut issuer = Issuer::new(Desk { nonce_endpoint: false, ..refills() });
    let (mut wallet, id) = with_copies(&mut issuer, 5);
    let refused = refilled(&mut wallet, &mut issuer, id);
    assert_eq!(refused, Err(IssuanceError::Malformed(Answer::Nonce)));
}

#[test]
fn refill_06_what_was_promised_for_later_is_renewed_as_well() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk { later: 1, ..refills() }));
    let promise = wallet.delivered(&mut issuer, Some("12345678")).unwrap().take_deferred().unwrap();
    let place = Holdings::of(&mut wallet.memory).defer(&promise, &mut wallet.rng).unwrap();
    let (_, promise) = Holdings::of(&mut wallet.memory).deferred().pop().unwrap();
    let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
    let asked = run(asking, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
    let mut holdings = Holdings::of(&mut wallet.memory);
    holdings.settle_deferred(place, None, &mut wallet.rng).unwrap();
    let arrived = asked.delivered.verify(&issuer.party.anchors(), NOW).unwrap();
    let confirmed = arrived.summary(&holdings).confirmed();
    let id = arrived.keep(confirmed, &mut holdings, NOW, &mut wallet.rng).unwrap().saved().credentials[0];
    assert_eq!(refilled(&mut wallet, &mut issuer, id).unwrap(), 59);
}
