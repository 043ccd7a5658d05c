//! Metadata that its issuer signed (OpenID4VCI 1.0 §12.2.3).

use super::*;
use crate::testing::{NOW, Party};
use credentials::trust::Usage;
use schemas::Seconds;

fn signing(signs: fn(&mut Value, &mut Value)) -> Issuer {
    Issuer::new(Desk { signs: Some(signs), ..Desk::default() })
}

/// What the person is shown by a wallet with these anchors, and how often the issuer was asked for its metadata.
fn shown(issuer: &mut Issuer, anchors: &TrustAnchors) -> (Result<Offered, IssuanceError>, usize) {
    let mut wallet = Wallet::new();
    let fetching = follow_trusting(&issuer.link(), anchors.clone()).unwrap();
    let offered = run(fetching, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng);
    let asked = wallet.asked.iter().filter(|(_, url)| url.contains("openid-credential-issuer")).count();
    (offered, asked)
}

#[test]
fn vci_12_2_3_an_issuer_that_an_anchor_vouches_for_is_known_before_a_code_is_given_to_it() {
    let mut issuer = signing(|_, _| {});
    let anchors = issuer.party.anchors();
    let (offered, asked) = shown(&mut issuer, &anchors);
    let offered = offered.unwrap();
    assert_eq!((offered.vouched_by().unwrap().as_str(), asked), ("Casa Abierta", 1));
    assert_eq!(offered.issuer_name().unwrap().as_str(), "Signed", "what is signed is what is used");
    // Without a signature nobody vouches, whatever the anchors.
    let (offered, asked) = shown(&mut Issuer::new(Desk::default()), &anchors);
    assert_eq!((offered.unwrap().vouched_by(), asked), (None, 1));
}

#[test]
fn vci_12_2_3_what_no_anchor_vouches_for_is_not_used() {
    let mut rng = Memory::seeded(5).1;
    let stranger = Party::new("Stranger", &["other.example"], Usage::CredentialIssuing, &mut rng);
    let (offered, asked) = shown(&mut signing(|_, _| {}), &stranger.anchors());
    let offered = offered.unwrap();
    assert_eq!((offered.vouched_by(), asked), (None, 2), "asked again for what nobody has signed");
    assert_ne!(offered.issuer_name().unwrap().as_str(), "Signed");
    // A wallet without anchors does not ask for a signature.
    let (offered, asked) = shown(&mut signing(|_, _| {}), &TrustAnchors::default());
    assert_eq!((offered.unwrap().issuer_name().unwrap().as_str() == "Signed", asked), (false, 1));
}

#[test]
fn vci_12_2_3_a_signature_that_is_wrong_ends_it() {
    let why = |spoil: fn(&mut Value, &mut Value)| {
        let mut issuer = signing(spoil);
        let anchors = issuer.party.anchors();
        shown(&mut issuer, &anchors).0.map(drop).unwrap_err()
    };
    let refused = |spoil, what: &str| assert_eq!(why(spoil), IssuanceError::MetadataSignature, "{what}");
    refused(|header, _| header["typ"] = "JWT".into(), "another type");
    refused(|header, _| drop(header.as_object_mut().unwrap().remove("typ")), "no type");
    refused(|header, _| drop(header.as_object_mut().unwrap().remove("x5c")), "no certificate");
    refused(|header, _| header["jwk"] = value!({"kty": "EC"}), "a key in the header");
    refused(|_, claims| claims["sub"] = "https://issuer.example/other".into(), "of another issuer");
    refused(|_, claims| drop(claims.as_object_mut().unwrap().remove("sub")), "of nobody");
    refused(|_, claims| drop(claims.as_object_mut().unwrap().remove("iat")), "of no time");
    refused(|_, claims| claims["exp"] = "never".into(), "without an end that is one");
    // A clock may be the reason, and the hint says so.
    assert_eq!(why(|_, claims| claims["iat"] = value!(NOW.plus(Seconds::new(301)))), IssuanceError::MetadataTime);
    assert_eq!(why(|_, claims| claims["exp"] = value!(NOW)), IssuanceError::MetadataTime);
    // By a key that is not the certificate's; and by a known issuer for another one's address.
    let mut rng = Memory::seeded(6).1;
    let mut issuer = signing(|_, _| {});
    let anchors = issuer.party.anchors();
    issuer.party.key = Party::new("x", &["issuer.example"], Usage::CredentialIssuing, &mut rng).key;
    assert_eq!(shown(&mut issuer, &anchors).0.map(drop), Err(IssuanceError::MetadataSignature));
    let mut issuer = signing(|_, _| {});
    issuer.party = Party::new("Neighbour", &["neighbour.example"], Usage::CredentialIssuing, &mut rng);
    let anchors = issuer.party.anchors();
    assert_eq!(shown(&mut issuer, &anchors).0.map(drop), Err(IssuanceError::MetadataSignature));
}

/// An offer of an issuer, by a wallet that remembers.
fn again(wallet: &mut Wallet, issuer: &mut Issuer, anchors: TrustAnchors) -> Result<Offered, IssuanceError> {
    let link = issuer.link();
    let signers = Holdings::of(&mut wallet.memory).signers();
    let errand = follow_remembering(&link, anchors, signers)?;
    run(errand, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng)
}

#[test]
fn vci_12_2_3_an_issuer_that_signed_once_is_held_to_it() {
    let signing = || Desk { signs: Some(|_, _| {}), ..Desk::default() };
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(signing()));
    let anchors = issuer.party.anchors();
    let offered = again(&mut wallet, &mut issuer, anchors.clone()).unwrap();
    offered.remember_signer(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap();
    offered.remember_signer(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap();
    assert_eq!(wallet.memory.ids_of(RecordKind::SIGNER).len(), 1);
    again(&mut wallet, &mut issuer, anchors.clone()).unwrap();
    // A proxy that strips the signature; a wallet that has lost its anchors; a stranger who signs.
    let mut stripped = Issuer::new(Desk::default());
    assert_eq!(again(&mut wallet, &mut stripped, anchors.clone()).map(drop), Err(IssuanceError::OtherSigner));
    assert_eq!(again(&mut wallet, &mut issuer, TrustAnchors::default()).map(drop), Err(IssuanceError::OtherSigner));
    // Another anchor in the place of the one that vouched for it, as when its trust list has ended: no stranger.
    let mut rng = <ChaCha20Rng as rand_core::SeedableRng>::from_seed([78; 32]);
    let others =
        crate::testing::Party::new("Registro", &[], credentials::trust::Usage::CredentialIssuing, &mut rng).anchors();
    let ended = again(&mut wallet, &mut issuer, others).map(drop).unwrap_err();
    assert_eq!(ended, IssuanceError::NobodyVouches);
    assert!(ended.hint().contains("trust --list") && !ended.hint().contains("--new-signer"));
    let mut stranger = Issuer::new(signing());
    let mut rng = <ChaCha20Rng as rand_core::SeedableRng>::from_seed([77; 32]);
    let usage = credentials::trust::Usage::CredentialIssuing;
    stranger.party = crate::testing::Party::new("Casa Falsa", &["issuer.example"], usage, &mut rng);
    assert_eq!(again(&mut wallet, &mut stranger, anchors.clone()).map(drop), Err(IssuanceError::OtherSigner));
    // Also where the person trusts that stranger for something else.
    let mut both = anchors.clone();
    both.add_pem(stranger.party.anchor_pem.as_bytes()).unwrap();
    assert_eq!(again(&mut wallet, &mut stranger, both.clone()).map(drop), Err(IssuanceError::OtherSigner));
    assert!(IssuanceError::OtherSigner.hint().contains("--new-signer"));
    // Until the person says so: then the new one is remembered, and the old one is another.
    let offered = run(
        follow_trusting(&stranger.link(), both.clone()).unwrap(),
        &mut wallet.asked,
        |effect| stranger.answer(effect),
        NOW,
        &mut wallet.rng,
    )
    .unwrap();
    offered.remember_signer(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap();
    again(&mut wallet, &mut stranger, both.clone()).unwrap();
    assert_eq!(again(&mut wallet, &mut issuer, both).map(drop), Err(IssuanceError::OtherSigner));
}

#[test]
fn vci_12_2_3_an_authority_that_borrows_the_name_of_the_remembered_one_is_another() {
    let signing = || Desk { signs: Some(|_, _| {}), ..Desk::default() };
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(signing()));
    let usage = credentials::trust::Usage::CredentialIssuing;
    let seeded = |seed| <ChaCha20Rng as rand_core::SeedableRng>::from_seed([seed; 32]);
    issuer.party = Party::new("Casa Abierta", &["issuer.example"], usage, &mut seeded(78));
    let mut anchors = issuer.party.anchors();
    let offered = again(&mut wallet, &mut issuer, anchors.clone()).unwrap();
    offered.remember_signer(&mut Holdings::of(&mut wallet.memory), &mut wallet.rng).unwrap();
    // Another anchor of this wallet, whose certificates say that the first one's key made them.
    let honest = issuer.party.chain.verify(&anchors, usage, NOW).unwrap();
    let key_id = honest.authority_key_ids()[0].clone();
    let mut other = Issuer::new(signing());
    other.party = Party::calling_itself("Casa Falsa", &["issuer.example"], usage, Some(key_id), &mut seeded(79));
    anchors.add_pem(other.party.anchor_pem.as_bytes()).unwrap();
    let forged = other.party.chain.verify(&anchors, usage, NOW).unwrap();
    assert_eq!(forged.authority_key_ids(), honest.authority_key_ids());
    assert_eq!(again(&mut wallet, &mut other, anchors.clone()).map(drop), Err(IssuanceError::OtherSigner));
    // The same issuer with a new certificate under the same authority's key is the same.
    issuer.party = Party::new("Casa Abierta", &["issuer.example", "www.issuer.example"], usage, &mut seeded(78));
    again(&mut wallet, &mut issuer, anchors).unwrap();
}
