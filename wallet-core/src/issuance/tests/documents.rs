//! Mobile documents, alone and beside the other format.

use super::*;

#[test]
fn vci_a_2_both_formats_of_one_offer_are_received_and_open_again() {
    let both = Desk { configurations: &["identity", "identity-mdoc"], ..Desk::default() };
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(both));
    let offered = wallet.offered_by(&mut issuer).unwrap();
    assert_eq!(offered.types().len(), 1, "one type, in two formats");
    let kept = wallet.kept(&mut issuer).unwrap();
    assert_eq!(kept.credentials.len(), 2);
    let proofs = |n: usize| issuer.requests[n]["proofs"]["jwt"].as_array().unwrap().len();
    assert_eq!((proofs(0), proofs(1)), (30, 30), "each format has keys of its own");
    let mut holdings = Holdings::of(&mut wallet.memory);
    let held = holdings.credential(kept.credentials[1]).unwrap();
    assert_eq!((held.format(), held.type_id(), held.copies_left()), (Format::Mdoc, "org.amparo.identity.1", 30));
    assert_eq!((held.label().as_str(), held.type_name().as_str()), ("Identity", "identity"));
    assert_eq!((held.standing(NOW), held.issuer_known()), (Standing::Valid, true));
    assert_eq!(held.expires_at(), Some(issuer.desk.expires_at));
    let said = holdings.look(&held).unwrap().claims();
    assert_eq!((&said["given_name"], &said["birth_date"]), (&value!("Amina"), &value!("1999-03-01")));
    assert_eq!(said["address"], value!({"locality": "Lyon", "country": "FR"}));
    assert_eq!(holdings.names().len(), 2);

    let first = holdings.spend(held.id(), false, &mut wallet.rng).unwrap().unwrap();
    let second = holdings.spend(held.id(), false, &mut wallet.rng).unwrap().unwrap();
    let (Some(Credential::Mdoc(one)), Some(Credential::Mdoc(other))) = (first.reopen(), second.reopen()) else {
        panic!()
    };
    use credentials::signer::Signer;
    assert_eq!((one.device_key(), other.device_key()), (first.key.public_key(), second.key.public_key()));
    assert_ne!(one.device_key(), other.device_key());
    assert_ne!(one.status(), other.status());
    assert!(one.authorizations().allow("org.amparo.consent.1", "grant"));
}

#[test]
fn vci_a_2_4_a_document_is_verified_before_it_is_kept() {
    use credentials::mdoc::VerifyError as Fault;
    let desk = || Desk { configurations: &["identity-mdoc"], ..Desk::default() };
    // One byte of an element, one of the signature at the end, and text that is none.
    let element: fn(&mut Vec<String>) = |copies| {
        let mut bytes = credentials::b64::decode(&copies[3]).unwrap();
        let at = bytes.windows(5).position(|window| window == b"Amina").unwrap();
        bytes[at] = b'E';
        copies[3] = credentials::b64::encode(&bytes);
    };
    assert!(matches!(refused(Desk { spoil: element, ..desk() }), IssuanceError::Document(Fault::Form(_))));
    let signature: fn(&mut Vec<String>) = |copies| {
        let mut bytes = credentials::b64::decode(&copies[3]).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        copies[3] = credentials::b64::encode(&bytes);
    };
    assert!(matches!(refused(Desk { spoil: signature, ..desk() }), IssuanceError::Document(Fault::IssuerAuth(_))));
    assert_eq!(refused(Desk { spoil: |copies| copies[3].push('='), ..desk() }), IssuanceError::DocumentEncoding);
    assert_eq!(refused(Desk { spoil: |copies| copies[1] = copies[0].clone(), ..desk() }), IssuanceError::WrongKey);
    let redraft: fn(usize, &mut credentials::mdoc::IssuanceDraft) =
        |_, draft| draft.doc_type = "org.iso.18013.5.1.mDL".into();
    assert_eq!(refused(Desk { redraft, ..desk() }), IssuanceError::WrongType);
    let redraft: fn(usize, &mut credentials::mdoc::IssuanceDraft) =
        |_, draft| draft.valid_until = NOW.minus(schemas::Seconds::new(1));
    let expired = refused(Desk { redraft, ..desk() });
    assert!(matches!(expired, IssuanceError::Document(Fault::Expired { .. })));
    assert!(expired.hint().contains("clock"));
    // The signer says nothing of a type that its certificate's usage does not allow: another chain is refused whole.
    let copies_of_sd_jwt: fn(&mut Vec<String>) = |copies| copies[0] = "e30.e30.e30~".into();
    assert_eq!(refused(Desk { spoil: copies_of_sd_jwt, ..desk() }), IssuanceError::DocumentEncoding);
}

#[test]
fn vci_batch_documents_that_do_not_say_the_same_are_refused() {
    let desk = || Desk { configurations: &["identity-mdoc"], ..Desk::default() };
    let vary: fn(usize, &mut serde_json::Map<String, Value>) = |n, claims| {
        if n == 29 {
            claims.insert("family_name".into(), "Mendez".into());
        }
    };
    assert_eq!(refused(Desk { vary, ..desk() }), IssuanceError::Unlike);
    let redraft: fn(usize, &mut credentials::mdoc::IssuanceDraft) = |n, draft| {
        if n == 29 {
            draft.authorizations = credentials::mdoc::KeyAuthorizations::new();
        }
    };
    assert_eq!(refused(Desk { redraft, ..desk() }), IssuanceError::Unlike, "what the key may say is the same as well");
    let vary: fn(usize, &mut serde_json::Map<String, Value>) =
        |n, claims| drop(claims.insert("picture".into(), format!("data:image/jpeg;base64,{n:04}").into()));
    Wallet::new().kept(&mut Issuer::new(Desk { vary, ..desk() })).unwrap();
}

#[test]
fn vci_a_2_2_a_document_must_be_signed_and_bound_as_this_wallet_can() {
    for (member, to) in [
        ("credential_signing_alg_values_supported", value!([-35])),
        ("cryptographic_binding_methods_supported", value!(["jwk"])),
        ("doctype", Value::Null),
        ("proof_types_supported", value!({"di_vp": {"proof_signing_alg_values_supported": ["ES256"]}})),
        ("proof_types_supported", value!({"attestation": {"proof_signing_alg_values_supported": ["ES384"]}})),
    ] {
        let mut issuer = Issuer::new(Desk { configurations: &["identity-mdoc"], ..Desk::default() });
        let link = issuer.link();
        let change = |outcome: Outcome| match outcome {
            Outcome::Response(response) => {
                let mut body: Value = serde_json::from_slice(&response.body).unwrap();
                if let Some(Value::Object(configuration)) =
                    body.pointer_mut("/credential_configurations_supported/identity-mdoc")
                {
                    configuration.insert(member.into(), to.clone());
                }
                json(response.status, &body)
            }
            outcome => outcome,
        };
        let mut wallet = Wallet::new();
        let offered = run(
            follow(&link).unwrap(),
            &mut wallet.asked,
            |effect| change(issuer.answer(effect)),
            NOW,
            &mut wallet.rng,
        );
        assert_eq!(offered.map(drop), Err(IssuanceError::NothingToHold), "{member}");
    }
}
