//! Requests and answers encrypted beside TLS (OpenID4VCI 1.0 §10): wherever the issuer offers it, and then insisted on.

use super::*;
use crate::testing::Encrypts;

fn desk(encrypts: Encrypts) -> Desk {
    Desk { encrypts, ..Desk::default() }
}

#[test]
fn vci_10_what_can_be_encrypted_is_and_each_answer_has_a_key_of_its_own() {
    let both = Desk { configurations: &["identity", "identity-mdoc"], ..desk(Encrypts::Well) };
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(both));
    assert_eq!(wallet.kept(&mut issuer).unwrap().credentials.len(), 2);
    let keys = &issuer.answer_keys;
    assert_eq!((keys.len(), issuer.requests.len()), (2, 2));
    assert!(keys[0]["x"] != keys[1]["x"] && keys[0].get("d").is_none(), "nothing links two requests");
    assert_eq!((&keys[0]["alg"], &keys[0]["kid"]), (&keys[1]["alg"], &keys[1]["kid"]));
    // Offered, and not demanded: the same.
    let tamper = |path: &str, v: &mut Value| {
        if path.contains("issuer/tenant") {
            v["credential_request_encryption"]["encryption_required"] = false.into();
            v["credential_response_encryption"]["encryption_required"] = false.into();
        }
    };
    let mut issuer = Issuer::new(Desk { tamper, ..desk(Encrypts::Well) });
    Wallet::new().kept(&mut issuer).unwrap();
    assert_eq!(issuer.answer_keys.len(), 1);
}

#[test]
fn vci_10_an_answer_that_is_not_encrypted_as_it_was_wished_is_refused() {
    for encrypts in [Encrypts::NoAnswer, Encrypts::ToAnother, Encrypts::Weaker] {
        assert_eq!(refused(desk(encrypts)), IssuanceError::NotEncrypted(Answer::Credential));
        // The promise as well as what was promised.
        let later = Desk { later: 1, ..desk(encrypts) };
        assert_eq!(refused(later), IssuanceError::NotEncrypted(Answer::Credential));
    }
}

#[test]
fn vci_9_1_a_promise_is_asked_for_encrypted_also_after_a_restart() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk { later: 2, ..desk(Encrypts::Well) }));
    let promise = wallet.delivered(&mut issuer, Some("12345678")).unwrap().take_deferred().unwrap();
    let id = Holdings::of(&mut wallet.memory).defer(&promise, &mut wallet.rng).unwrap();
    for copies in [false, true] {
        let (_, promise) = Holdings::of(&mut wallet.memory).deferred().pop().unwrap();
        let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
        let asked = run(asking, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
        assert_eq!(asked.delivered.is_empty(), !copies);
        Holdings::of(&mut wallet.memory).settle_deferred(id, asked.left.as_ref(), &mut wallet.rng).unwrap();
    }
    assert_eq!(issuer.answer_keys.len(), 3, "a key for each answer");
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk { later: 1, ..desk(Encrypts::Well) }));
    let promise = wallet.delivered(&mut issuer, Some("12345678")).unwrap().take_deferred().unwrap();
    issuer.desk.encrypts = Encrypts::NoAnswer;
    let asking = promise.ask(NOW, &mut wallet.rng).unwrap();
    let asked = run(asking, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
    assert_eq!(asked.map(drop), Err(IssuanceError::NotEncrypted(Answer::Deferred)));
}

#[test]
fn vci_12_2_4_what_is_demanded_and_cannot_be_met_ends_it_before_a_code_is_sent() {
    fn requests(change: fn(&mut Value)) -> Value {
        let key = credentials::jwe::DecryptionKey::generate(&mut Memory::seeded(2).1).unwrap();
        let mut requests = value!({
            "jwks": {"keys": [key.to_public_jwk("k")]}, "enc_values_supported": ["A128GCM"], "encryption_required": false,
        });
        change(&mut requests);
        requests
    }
    fn answers(alg: &str, enc: &str, required: bool) -> Value {
        value!({"alg_values_supported": [alg], "enc_values_supported": [enc], "encryption_required": required})
    }
    const REQUESTS: &str = "credential_request_encryption";
    const ANSWERS: &str = "credential_response_encryption";
    let cases: [fn(&mut Value); 5] = [
        |v| {
            v[REQUESTS] = requests(|r| {
                r["encryption_required"] = true.into();
                r["enc_values_supported"] = value!(["A128CBC-HS256"]);
            })
        },
        |v| {
            v[REQUESTS] = requests(|r| {
                r["encryption_required"] = true.into();
                r["jwks"]["keys"][0].as_object_mut().unwrap().remove("kid");
            })
        },
        // To wish for an encrypted answer in the clear would be no protection.
        |v| v[ANSWERS] = answers("ECDH-ES", "A256GCM", true),
        |v| {
            v[REQUESTS] = requests(|_| {});
            v[ANSWERS] = answers("RSA-OAEP-256", "A256GCM", true);
        },
        |v| {
            v[REQUESTS] = requests(|_| {});
            v[ANSWERS] = answers("ECDH-ES", "A256CBC-HS512", true);
        },
    ];
    for (n, change) in cases.into_iter().enumerate() {
        let mut issuer = Issuer::new(Desk::default());
        let mut wallet = Wallet::new();
        let link = issuer.link();
        let answer = |effect: &crate::effect::Effect| {
            let outcome = issuer.answer(effect);
            let Outcome::Response(mut response) = outcome else { panic!() };
            if effect.url().path().contains("credential-issuer") {
                let mut metadata: Value = serde_json::from_slice(&response.body).unwrap();
                change(&mut metadata);
                response.body = serde_json::to_vec(&metadata).unwrap();
            }
            Outcome::Response(response)
        };
        let offered = run(follow(&link).unwrap(), &mut wallet.asked, answer, NOW, &mut wallet.rng);
        assert_eq!(offered.map(drop), Err(IssuanceError::EncryptionDemanded), "{n}");
    }
    // Not demanded, and of no use: in the clear, without a wish.
    let tamper = |path: &str, v: &mut Value| {
        if path.contains("issuer/tenant") {
            v[ANSWERS] = answers("ECDH-ES", "A256GCM", false);
        }
    };
    let mut issuer = Issuer::new(Desk { tamper, ..Desk::default() });
    Wallet::new().kept(&mut issuer).unwrap();
    assert!(issuer.requests[0].get("credential_response_encryption").is_none());
}
