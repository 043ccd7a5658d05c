//! Which credentials answer, and what the person may pick of them.

use super::*;
use crate::holdings::Credential;
use credentials::dcql::authority_key_ids;

/// A wallet with an identity and an attestation.
static TWO: LazyLock<Wallet> = LazyLock::new(|| {
    let mut wallet = HOLDER.clone();
    wallet.receive(attestation());
    wallet
});

fn attestation() -> Desk {
    Desk {
        vct: "urn:amparo:attestation:1".into(),
        claims: value!({"attested_by": "Casa Abierta", "category": "A", "services": ["shelter", "language"]}),
        ..Desk::default()
    }
}

fn query(id: &str, vct: &str, names: &[&str]) -> Value {
    let claims: Vec<Value> = names.iter().map(|name| value!({"path": [name]})).collect();
    value!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims})
}

fn identity(id: &str, names: &[&str]) -> Value {
    query(id, "urn:amparo:identity:1", names)
}

fn attested(id: &str) -> Value {
    query(id, "urn:amparo:attestation:1", &["attested_by"])
}

fn support(dcql: Value) -> Checkpoint {
    Checkpoint { dcql, purpose: Some(Purpose::SupportService), ..Checkpoint::default() }
}

fn held(wallet: &mut Wallet, vct: &str) -> CredentialId {
    let all = Holdings::of(&mut wallet.memory).credentials();
    all.into_iter().find(|held| held.type_id() == vct).unwrap().id()
}

fn parts(offered: &[OfferedCredential]) -> Vec<(&str, Part)> {
    offered.iter().map(|offered| (offered.query.as_str(), offered.part)).collect()
}

/// The credential queries that an answer speaks of, checked as a verifier must check it.
fn answered(verifier: &Verifier, verified: &Verified) -> Vec<(String, usize)> {
    let check = verifier.query().check_answer(&verified.credentials);
    assert!(check.is_complete() && check.is_within_query() && check.discarded.is_empty(), "{check:?}");
    verified.credentials.iter().map(|(id, shown)| (id.clone(), shown.len())).collect()
}

#[test]
fn vp_6_2_what_is_optional_is_shown_only_if_the_person_says_so() {
    let dcql = value!({
        "credentials": [identity("who", &["given_name"]), attested("sent")],
        "credential_sets": [{"options": [["who"]]}, {"options": [["sent"]], "required": false}],
    });
    let mut verifier = Verifier::new(support(dcql));
    let of = |wallet: &Wallet| Wallet { anchors: verifier.party.anchors(), ..wallet.clone() };
    let (mut two, mut one) = (of(&TWO), of(&HOLDER));
    let offered = two.offered(&mut verifier);
    assert_eq!(parts(&offered.credentials()), [("who", Part::Shown)]);
    assert_eq!(parts(&offered.others()), [("sent", Part::Optional)]);
    assert_eq!(parts(&one.offered(&mut verifier).others()), []);
    // Kept back, and not there: the verifier sees the same.
    let (_, kept_back) = two.present(&mut verifier, &Choice::default());
    let (_, not_there) = one.present(&mut verifier, &Choice::default());
    assert_eq!(answered(&verifier, &kept_back), [("who".to_owned(), 1)]);
    assert_eq!(answered(&verifier, &not_there), answered(&verifier, &kept_back));

    let also = |id: &str| Choice { also: vec![id.to_owned()], ..Choice::default() };
    let (answer, both) = two.present(&mut verifier, &also("sent"));
    assert_eq!(answered(&verifier, &both), [("sent".to_owned(), 1), ("who".to_owned(), 1)]);
    let types: Vec<&str> = answer.receipt.disclosed.iter().map(|disclosed| disclosed.type_.as_str()).collect();
    assert_eq!(types, ["attestation", "identity"], "the person is told of both");
    assert_eq!(both.consent.unwrap().grant().claims.len(), 2, "one consent covers both");
    for (wallet, id) in [(&mut one, "sent"), (&mut two, "other")] {
        let refused = wallet.offered(&mut verifier).chosen(&also(id)).unwrap_err();
        assert!(matches!(refused, ChoiceError::NotOptional(_)), "{refused}");
        assert_eq!(refused.fault(), Fault::Input);
    }
}

#[test]
fn vp_6_4_3_the_person_picks_among_the_options() {
    let dcql = value!({
        "credentials": [identity("who", &["given_name"]), attested("sent")],
        "credential_sets": [{"options": [["who"], ["sent"]]}],
    });
    let mut verifier = Verifier::new(support(dcql));
    let mut wallet = Wallet { anchors: verifier.party.anchors(), ..TWO.clone() };
    let (identity, attestation) =
        (held(&mut wallet, "urn:amparo:identity:1"), held(&mut wallet, "urn:amparo:attestation:1"));
    assert_eq!(parts(&wallet.offered(&mut verifier).others()), [("sent", Part::Instead)]);
    let pick = |ids: &[CredentialId]| Choice { credentials: Some(ids.to_vec()), ..Choice::default() };
    let (_, preferred) = wallet.present(&mut verifier, &Choice::default());
    assert_eq!(answered(&verifier, &preferred), [("who".to_owned(), 1)]);
    let (_, picked) = wallet.present(&mut verifier, &pick(&[attestation]));
    assert_eq!(answered(&verifier, &picked), [("sent".to_owned(), 1)]);
    // Both named, and one option is enough: nothing is shown by mistake, and nothing left out in silence.
    let both = wallet.offered(&mut verifier).chosen(&pick(&[identity, attestation])).unwrap_err();
    assert_eq!(both, ChoiceError::NoPart(attestation));
    assert_eq!(wallet.offered(&mut verifier).chosen(&pick(&[])).unwrap_err(), ChoiceError::NotEnough);

    let mut age = Verifier::new(Checkpoint { dcql: asking(&["given_name"]), ..Checkpoint::default() });
    wallet.anchors = age.party.anchors();
    assert_eq!(wallet.offered(&mut age).chosen(&pick(&[attestation])).unwrap_err(), ChoiceError::NotEnough);
    let gone: CredentialId = "00000000000000000000000000000000".parse().unwrap();
    assert_eq!(wallet.offered(&mut age).chosen(&pick(&[gone])).unwrap_err(), ChoiceError::NoPart(gone));
}

#[test]
fn vp_6_1_several_answer_only_where_several_are_taken_and_the_person_names_them() {
    let mut wallet = TWO.clone();
    let second = wallet.receive(Desk {
        claims: value!({"attested_by": "Puente", "category": "A", "services": ["health"]}),
        batch_size: Some(2),
        ..attestation()
    });
    let first = held(&mut wallet, "urn:amparo:attestation:1");
    let first = if first == second {
        let all = Holdings::of(&mut wallet.memory).credentials();
        all.into_iter().find(|held| held.type_id() == "urn:amparo:attestation:1" && held.id() != second).unwrap().id()
    } else {
        first
    };
    let both = Choice { credentials: Some(vec![first, second]), ..Choice::default() };
    for (multiple, part) in [(true, Part::Besides), (false, Part::Instead)] {
        let mut sent = attested("sent");
        sent["multiple"] = multiple.into();
        let mut verifier = Verifier::new(support(value!({"credentials": [sent]})));
        wallet.anchors = verifier.party.anchors();
        let offered = wallet.offered(&mut verifier);
        assert_eq!(parts(&offered.credentials()), [("sent", Part::Shown)], "one, unless the person says more");
        assert_eq!(parts(&offered.others()), [("sent", part)]);
        if multiple {
            let (_, verified) = wallet.present(&mut verifier, &both);
            assert_eq!(answered(&verifier, &verified), [("sent".to_owned(), 2)]);
            let by: Vec<&Value> =
                verified.credentials["sent"].iter().map(|shown| &shown.claims()["attested_by"]).collect();
            assert_eq!(by, ["Casa Abierta", "Puente"]);
        } else {
            assert_eq!(offered.chosen(&both).unwrap_err(), ChoiceError::NoPart(second));
        }
    }
}

#[test]
fn vp_6_4_1_a_value_decides_which_claim_set_is_shown_and_the_person_sees_which() {
    let mut who = identity("who", &[]);
    who["claims"] = value!([
        {"id": "over", "path": ["age_over_18"], "values": [false]}, {"id": "name", "path": ["given_name"]},
    ]);
    who["claim_sets"] = value!([["over"], ["name"]]);
    let mut verifier =
        Verifier::new(Checkpoint { dcql: value!({"credentials": [who]}), purpose: None, ..Checkpoint::default() });
    let mut wallet = Wallet::knowing(&verifier);
    let offered = wallet.offered(&mut verifier).credentials();
    assert_eq!(offered[0].paths.iter().map(|shown| shown.path.clone()).collect::<Vec<_>>(), [path(&["given_name"])]);
    let (_, verified) = wallet.present(&mut verifier, &Choice::default());
    assert_eq!(answered(&verifier, &verified), [("who".to_owned(), 1)]);
}

#[test]
fn vp_6_1_1_only_credentials_of_the_authorities_named_answer() {
    let mut wallet = HOLDER.clone();
    let held = Holdings::of(&mut wallet.memory).credentials().remove(0);
    let Credential::SdJwtVc(credential) = Holdings::of(&mut wallet.memory).look(&held).unwrap() else { panic!() };
    let own = authority_key_ids(credential.as_str()).remove(0);
    let aki = |bytes: &[u8]| value!({"type": "aki", "values": [credentials::b64::encode(bytes)]});
    let list = value!({"type": "etsi_tl", "values": ["https://lotl.example"]});
    let federation = value!({"type": "openid_federation", "values": ["https://anchor.example"]});
    for (authorities, answers) in [
        (value!([aki(&own)]), true),
        (value!([list, aki(&own)]), true),
        (value!([aki(&[1; 20])]), false),
        (value!([list]), false),
        (value!([federation]), false),
    ] {
        let mut dcql = asking(&["given_name"]);
        dcql["credentials"][0]["trusted_authorities"] = authorities.clone();
        let mut verifier = Verifier::new(Checkpoint { dcql, ..Checkpoint::default() });
        wallet.anchors = verifier.party.anchors();
        let authenticated = wallet.authenticated(&mut verifier).unwrap();
        let matched = authenticated.match_against(&Holdings::of(&mut wallet.memory), NOW);
        assert_eq!(matched.is_ok(), answers, "{authorities}");
    }
}
