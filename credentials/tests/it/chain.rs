//! Certificate chains, good and bad.

use crate::world::{Authority, NOW, World, authority_params, key, leaf_params};
use credentials::sd_jwt::{VerifyError, verify_issued};
use credentials::signer::Signer as _;
use credentials::trust::{
    AnchorError, CertificateChain, ChainCache, ChainError, ChainPolicy, Trust, TrustAnchors, Usage, VerifiedChain,
};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    SanType,
};
use schemas::{Seconds, Timestamp};
use std::time::{Duration, Instant};

fn leaf() -> CertificateParams {
    leaf_params("Issuer", Usage::CredentialIssuing)
}

fn chain(ders: &[&[u8]]) -> CertificateChain {
    CertificateChain::from_der(ders.iter().map(|der| der.to_vec())).unwrap()
}

/// What comes of a leaf under an authority under a root; by an anchor, and without any.
fn both(
    root: CertificateParams,
    middle: CertificateParams,
    leaf: &CertificateParams,
) -> [Result<Trust, ChainError>; 2] {
    let root = Authority::root(root);
    let middle = root.below(middle);
    let chain = chain(&[&middle.leaf(leaf, key(1).public_key()), &middle.der]);
    let trust = |v: VerifiedChain| v.trust();
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let none = TrustAnchors::default();
    [
        chain.verify(&known, Usage::CredentialIssuing, NOW).map(trust),
        chain.verify_or_unknown(&none, Usage::CredentialIssuing, NOW).map(trust),
    ]
}

fn usual(leaf: &CertificateParams) -> [Result<Trust, ChainError>; 2] {
    both(authority_params("Root", None), authority_params("Middle", Some(0)), leaf)
}

fn refused(error: ChainError) -> [Result<Trust, ChainError>; 2] {
    [Err(error), Err(error)]
}

#[test]
fn a_good_chain_is_known_by_its_anchor_and_says_so_without() {
    assert_eq!(usual(&leaf()), [Ok(Trust::Known), Ok(Trust::NotKnown)]);
    let root = Authority::root(authority_params("Root", None));
    let good = chain(&[&root.leaf(&leaf(), key(1).public_key())]);
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let verified = good.verify(&anchors, Usage::CredentialIssuing, NOW).unwrap();
    assert_eq!(verified.leaf_key(), key(1).public_key());
    assert_eq!(verified.subject(), "Issuer");
    assert_eq!(verified.dns_names(), ["issuer.example"]);
    assert_eq!(good.verify(&TrustAnchors::default(), Usage::CredentialIssuing, NOW), Err(ChainError::UnknownIssuer));
    let unknown = good.verify_or_unknown(&TrustAnchors::default(), Usage::CredentialIssuing, NOW).unwrap();
    assert_eq!(unknown.trust(), Trust::NotKnown);
}

#[test]
fn attack_11_a_leaf_for_other_usages_is_refused() {
    for usages in [
        vec![ExtendedKeyUsagePurpose::ServerAuth],
        vec![ExtendedKeyUsagePurpose::Any],
        vec![ExtendedKeyUsagePurpose::Other(Usage::StatusSigning.oid().to_vec())],
        vec![ExtendedKeyUsagePurpose::Other(Usage::Verifier.oid().to_vec())],
    ] {
        let mut leaf = leaf();
        leaf.extended_key_usages = usages;
        assert_eq!(usual(&leaf), refused(ChainError::WrongUsage));
    }
    let mut leaf = leaf();
    leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    assert_eq!(usual(&leaf), refused(ChainError::WrongUsage));
}

#[test]
fn attack_11_a_leaf_that_names_no_usage_signs_credentials_and_requests_but_no_status_list() {
    let root = Authority::root(authority_params("Root", None));
    let mut silent = leaf();
    silent.extended_key_usages = vec![];
    let chain = chain(&[&root.leaf(&silent, key(1).public_key())]);
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    for usage in [Usage::CredentialIssuing, Usage::Verifier] {
        assert_eq!(chain.verify(&known, usage, NOW).unwrap().trust(), Trust::Known);
        assert_eq!(chain.verify_or_unknown(&TrustAnchors::default(), usage, NOW).unwrap().trust(), Trust::NotKnown);
    }
    assert_eq!(chain.verify(&known, Usage::StatusSigning, NOW), Err(ChainError::WrongUsage));
    let none = TrustAnchors::default();
    assert_eq!(chain.verify_or_unknown(&none, Usage::StatusSigning, NOW), Err(ChainError::WrongUsage));
    assert_eq!(chain.verify(&known, Usage::TrustListSigning, NOW), Err(ChainError::WrongUsage));
}

#[test]
fn attack_11_an_authority_for_another_usage_is_refused() {
    let mut middle = authority_params("Middle", Some(0));
    middle.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(Usage::Verifier.oid().to_vec())];
    assert_eq!(both(authority_params("Root", None), middle, &leaf()), refused(ChainError::WrongUsage));
    let mut middle = authority_params("Middle", Some(0));
    middle.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert_eq!(both(authority_params("Root", None), middle, &leaf()), refused(ChainError::Authority));
}

#[test]
fn attack_11_certificates_out_of_their_time_are_refused() {
    let mut old = leaf();
    old.not_after = rcgen::date_time_ymd(2026, 6, 1);
    assert_eq!(usual(&old), refused(ChainError::Expired));
    let mut young = leaf();
    young.not_before = rcgen::date_time_ymd(2027, 6, 1);
    assert_eq!(usual(&young), refused(ChainError::NotYetValid));
    let mut middle = authority_params("Middle", Some(0));
    middle.not_after = rcgen::date_time_ymd(2026, 6, 1);
    assert_eq!(both(authority_params("Root", None), middle, &leaf()), refused(ChainError::Expired));
    // One whose time ends before it begins breaks RFC 5280, whatever the time.
    let mut never = leaf();
    (never.not_before, never.not_after) = (never.not_after, never.not_before);
    assert_eq!(usual(&never), refused(ChainError::BadCertificate));
}

#[test]
fn attack_11_a_self_signed_leaf_is_refused_even_as_an_anchor() {
    let params = leaf();
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let chain = chain(&[certificate.der()]);
    let none = TrustAnchors::default();
    assert_eq!(chain.verify(&none, Usage::CredentialIssuing, NOW), Err(ChainError::SelfSigned));
    assert_eq!(chain.verify_or_unknown(&none, Usage::CredentialIssuing, NOW), Err(ChainError::SelfSigned));
    let anchor = TrustAnchors::from_pem(certificate.pem().as_bytes());
    assert_eq!(anchor.unwrap_err(), AnchorError::NotACertificateAuthority);
}

#[test]
fn attack_11_an_authority_that_is_none_is_refused() {
    let mut middle = authority_params("Middle", None);
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        middle.is_ca = is_ca;
        assert_eq!(both(authority_params("Root", None), middle.clone(), &leaf()), refused(ChainError::Authority));
    }
    let mut authority_as_leaf = leaf();
    authority_as_leaf.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_eq!(usual(&authority_as_leaf), refused(ChainError::Authority));
}

#[test]
fn attack_11_a_path_longer_than_allowed_is_refused() {
    let root = Authority::root(authority_params("Root", None));
    let first = root.below(authority_params("First", Some(0)));
    let second = first.below(authority_params("Second", None));
    let chain = chain(&[&second.leaf(&leaf(), key(1).public_key()), &second.der, &first.der]);
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    assert_eq!(chain.verify(&known, Usage::CredentialIssuing, NOW), Err(ChainError::PathLength));
    let none = TrustAnchors::default();
    assert_eq!(chain.verify_or_unknown(&none, Usage::CredentialIssuing, NOW), Err(ChainError::PathLength));
}

#[test]
fn attack_11_a_name_outside_the_constraints_is_refused() {
    let mut middle = authority_params("Middle", Some(0));
    middle.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("shelter.example".into())],
        excluded_subtrees: vec![],
    });
    assert_eq!(both(authority_params("Root", None), middle.clone(), &leaf()), refused(ChainError::NameConstraint));
    let mut inside = leaf();
    inside.subject_alt_names = vec![SanType::DnsName("a.shelter.example".try_into().unwrap())];
    assert_eq!(both(authority_params("Root", None), middle, &inside), [Ok(Trust::Known), Ok(Trust::NotKnown)]);
}

#[test]
fn attack_11_a_forged_signature_under_a_known_name_is_refused_and_not_merely_unknown() {
    let (root, impostor) =
        (Authority::root(authority_params("Root", None)), Authority::root(authority_params("Root", None)));
    let chain = chain(&[&impostor.leaf(&leaf(), key(1).public_key())]);
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    assert_eq!(chain.verify_or_unknown(&known, Usage::CredentialIssuing, NOW), Err(ChainError::Signature));
}

#[test]
fn attack_11_certificates_out_of_order_or_beside_the_chain_are_refused() {
    let root = Authority::root(authority_params("Root", None));
    let (middle, stranger) =
        (root.below(authority_params("Middle", Some(0))), root.below(authority_params("Stranger", Some(0))));
    let leaf = middle.leaf(&leaf(), key(1).public_key());
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    for ders in
        [&[&leaf[..], &stranger.der][..], &[&leaf, &stranger.der, &middle.der], &[&leaf, &middle.der, &stranger.der]]
    {
        assert_eq!(chain(ders).verify(&known, Usage::CredentialIssuing, NOW), Err(ChainError::NotAChain));
    }
    let with_root = chain(&[&leaf, &middle.der, &root.der]);
    assert!(with_root.verify(&known, Usage::CredentialIssuing, NOW).is_ok());
}

/// The key identifier of an authority, as the certificates below it name it.
fn key_id_of(authority: &Authority) -> Vec<u8> {
    let below = chain(&[&authority.leaf(&named(leaf()), key(3).public_key())]);
    let anchors = TrustAnchors::from_pem(authority.pem.as_bytes()).unwrap();
    below.verify(&anchors, Usage::CredentialIssuing, NOW).unwrap().authority_key_ids()[0].clone()
}

fn named(mut params: CertificateParams) -> CertificateParams {
    params.use_authority_key_identifier_extension = true;
    params
}

/// Somebody who signs in the name of an authority, with its key identifier and another key.
fn impostor_of(name: &str, key_id: &[u8]) -> rcgen::Issuer<'static, KeyPair> {
    let mut params = authority_params(name, None);
    params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(key_id.to_vec());
    rcgen::Issuer::new(params, KeyPair::generate().unwrap())
}

#[test]
fn attack_11_a_certificate_beside_the_verified_path_says_nothing_of_the_chain() {
    let (a, b) = (Authority::root(authority_params("A", None)), Authority::root(authority_params("B", None)));
    let key_id = key_id_of(&a);
    let impostor = impostor_of("A", &key_id);
    let leaf = b.leaf(&named(leaf()), key(1).public_key());
    let both = TrustAnchors::from_pem(format!("{}{}", a.pem, b.pem).as_bytes()).unwrap();
    let only_b = TrustAnchors::from_pem(b.pem.as_bytes()).unwrap();
    let usage = Usage::CredentialIssuing;
    let alone = chain(&[&leaf]).verify(&both, usage, NOW).unwrap();
    assert!(!alone.authority_key_ids().contains(&key_id));
    // "B, certified by A": with a key of the holder's own, and with B's key. A has signed neither.
    let own = KeyPair::generate().unwrap();
    let own = named(authority_params("B", None)).signed_by(&own, &impostor).unwrap();
    let crossed = named(authority_params("B", None)).signed_by(b.issuer.key(), &impostor).unwrap();
    for forged in [own.der(), crossed.der()] {
        let forged = chain(&[&leaf, forged]);
        assert_eq!(forged.verify(&both, usage, NOW), Err(ChainError::Signature));
        assert_eq!(forged.verify_or_unknown(&both, usage, NOW), Err(ChainError::Signature));
        assert!(forged.verify(&only_b, usage, NOW).is_err());
        let stranger = forged.verify_or_unknown(&only_b, usage, NOW);
        assert!(stranger.is_err() || stranger.is_ok_and(|chain| chain.trust() == Trust::NotKnown));
    }
}

#[test]
fn a_chain_may_bring_its_anchor_or_another_certificate_that_the_anchor_signed() {
    let usage = Usage::CredentialIssuing;
    let root = Authority::root(authority_params("Root", None));
    let middle = root.below(authority_params("Middle", Some(0)));
    let leaf = middle.leaf(&leaf(), key(1).public_key());
    // Whichever of the two is an anchor, and when both are.
    let anchors = |pems: &[&str]| TrustAnchors::from_pem(pems.concat().as_bytes()).unwrap();
    let known = |ders: &[&[u8]], anchors: &TrustAnchors| chain(ders).verify(anchors, usage, NOW).map(|v| v.trust());
    for anchors in [anchors(&[&root.pem, &middle.pem]), anchors(&[&middle.pem, &root.pem]), anchors(&[&root.pem])] {
        assert_eq!(known(&[&leaf, &middle.der, &root.der], &anchors), Ok(Trust::Known));
        assert_eq!(known(&[&leaf, &middle.der], &anchors), Ok(Trust::Known));
    }
    let middle_only = anchors(&[&middle.pem]);
    assert_eq!(known(&[&leaf, &middle.der], &middle_only), Ok(Trust::Known));
    assert_eq!(known(&[&leaf], &middle_only), Ok(Trust::Known));
    // What stands above an anchor is not looked at, so the chain does not end at it.
    assert_eq!(known(&[&leaf, &middle.der, &root.der], &middle_only), Err(ChainError::UnknownIssuer));
    // The anchor's certificate, renewed under the same key.
    let mut renewed = authority_params("Root", None);
    renewed.not_after = rcgen::date_time_ymd(2030, 1, 1);
    let renewed = renewed.self_signed(root.issuer.key()).unwrap();
    assert_eq!(known(&[&leaf, &middle.der, renewed.der()], &anchors(&[&root.pem])), Ok(Trust::Known));
}

#[test]
fn attack_11_fifty_certificates_are_refused_at_once() {
    let root = Authority::root(authority_params("Root", None));
    let texts: Vec<String> = vec![chain(&[&root.der]).to_x5c().remove(0); 50];
    assert_eq!(CertificateChain::from_x5c(&texts), Err(ChainError::TooLong));
    // One more than are read, and as many.
    assert_eq!(CertificateChain::from_x5c(&texts[..6]), Err(ChainError::TooLong));
    assert_eq!(CertificateChain::from_x5c(&texts[..5]).unwrap().to_x5c(), texts[..5]);
    assert_eq!(CertificateChain::from_der(vec![root.der.clone(); 6]), Err(ChainError::TooLong));
    // The longest chain that is read, all of one name, so that every one could be the issuer of every other.
    let same = Authority::root(authority_params("Same", None));
    let others: Vec<Vec<u8>> = (0..4).map(|_| same.below(authority_params("Same", None)).der).collect();
    let mut ders = vec![same.leaf(&leaf(), key(1).public_key())];
    ders.extend(others);
    let chain = CertificateChain::from_der(ders).unwrap();
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    // The best of ten: the machine may be busy with something else.
    let times = (0..10).map(|_| {
        let start = Instant::now();
        assert!(CertificateChain::from_x5c(&texts).is_err());
        assert!(chain.verify_or_unknown(&known, Usage::CredentialIssuing, NOW).is_err());
        start.elapsed()
    });
    assert!(times.min().unwrap() < Duration::from_millis(50));
}

#[test]
fn attack_11_an_issuer_that_is_not_in_the_certificate_is_refused() {
    let world = &*crate::world::WORLD;
    for (iss, accepted) in [
        ("https://issuer.example", true),
        ("https://issuer.example/tenant/7", true),
        ("https://ISSUER.example", true),
        ("http://issuer.example", false),
        ("https://issuer.example.attacker.example", false),
        ("https://issuer.example@attacker.example", false),
        ("https://sub.issuer.example", false),
        ("issuer.example", false),
        ("did:web:issuer.example", false),
        ("", false),
    ] {
        let text = world.forged(serde_json::json!({"iss": iss}), &[]);
        let result = verify_issued(&text, &world.policy(), NOW).map(|_| ());
        assert_eq!(result, if accepted { Ok(()) } else { Err(VerifyError::IssuerName) }, "{iss}");
    }
    let mut payload = world.payload();
    payload.remove("iss");
    let text = world.forge(&world.header(), &serde_json::to_vec(&payload).unwrap(), &[]);
    assert!(verify_issued(&text, &world.policy(), NOW).is_ok(), "without iss the issuer is the leaf's subject");
}

#[test]
fn an_issuer_is_named_by_a_uri_in_its_certificate_to_the_byte() {
    let root = Authority::root(authority_params("Root", None));
    let mut named = leaf();
    named.subject_alt_names = vec![SanType::URI("https://other.example/tenant/7".try_into().unwrap())];
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let chain = chain(&[&root.leaf(&named, key(1).public_key())]);
    let verified = chain.verify(&anchors, Usage::CredentialIssuing, NOW).unwrap();
    assert_eq!(verified.uri_names(), ["https://other.example/tenant/7"]);
    assert!(verified.is_named("https://other.example/tenant/7"));
    for other in ["https://other.example", "https://other.example/tenant/", "https://OTHER.example/tenant/7"] {
        assert!(!verified.is_named(other), "{other}");
    }
}

#[test]
fn two_chains_are_the_same_only_certificate_by_certificate() {
    let root = Authority::root(authority_params("Root", None));
    let ders = [1, 2].map(|seed| root.leaf(&leaf(), key(seed).public_key()));
    assert_eq!(chain(&[&ders[0], &root.der]), chain(&[&ders[0], &root.der]));
    for other in [chain(&[&ders[1], &root.der]), chain(&[&ders[0]]), chain(&[&root.der, &ders[0]])] {
        assert_ne!(chain(&[&ders[0], &root.der]), other);
    }
}

#[test]
fn attack_03_a_leaf_with_a_p384_key_is_refused() {
    let root = Authority::root(authority_params("Root", None));
    let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let chain = chain(&[leaf().signed_by(&p384, &root.issuer).unwrap().der()]);
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    assert_eq!(chain.verify(&known, Usage::CredentialIssuing, NOW), Err(ChainError::LeafKey));
}

#[test]
fn attack_13_the_subject_is_safe_to_show() {
    let root = Authority::root(authority_params("Root", None));
    let chain =
        chain(&[&root.leaf(&leaf_params("Frontera\u{202e}\r\nofficial", Usage::Verifier), key(1).public_key())]);
    let known = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let verified = chain.verify(&known, Usage::Verifier, NOW).unwrap();
    assert_eq!(verified.subject(), "Frontera\\u{202e}\\u{d}\\u{a}official");
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(CertificateChain::from_x5c(&[]), Err(ChainError::Empty));
    assert_eq!(CertificateChain::from_x5c(&["%%".into()]), Err(ChainError::BadCertificate));
    assert_eq!(CertificateChain::from_der([vec![0; 8193]]), Err(ChainError::TooLong));
    assert_eq!(CertificateChain::from_der([vec![0; 8192]]).unwrap().leaf().len(), 8192, "the longest that is read");
    let junk = chain(&[b"\x30\x03\x02\x01\x01"]);
    let none = TrustAnchors::default();
    assert_eq!(junk.verify_or_unknown(&none, Usage::Verifier, NOW), Err(ChainError::BadCertificate));
    for pem in ["", "no pem", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"] {
        assert!(TrustAnchors::from_pem(pem.as_bytes()).is_err());
    }
}

#[test]
fn anchors_are_counted_once_and_listed() {
    let (a, b) = (Authority::root(authority_params("A", None)), Authority::root(authority_params("B", None)));
    let mut anchors = TrustAnchors::from_pem(a.pem.as_bytes()).unwrap();
    assert_eq!(anchors.add_pem(format!("{}{}", a.pem, b.pem).as_bytes()), Ok(1));
    assert_eq!(anchors.len(), 2);
    assert_eq!(anchors.iter().map(|anchor| anchor.subject().to_owned()).collect::<Vec<_>>(), ["A", "B"]);
}

#[test]
fn a_cache_answers_for_the_same_anchors_usage_and_time_only() {
    let World { anchors, chain, .. } = &*crate::world::WORLD;
    let cache = ChainCache::new();
    let none = TrustAnchors::default();
    let known = ChainPolicy::known_only(anchors).with_cache(&cache);
    let late = NOW.plus(Seconds::DAY.times(400));
    let usage = Usage::CredentialIssuing;
    for _ in 0..2 {
        assert_eq!(known.verify(chain, usage, NOW).unwrap().trust(), Trust::Known);
        assert_eq!(known.verify(chain, Usage::Verifier, NOW), Err(ChainError::WrongUsage));
        assert_eq!(known.verify(chain, usage, late), Err(ChainError::Expired));
        assert_eq!(known.verify(chain, usage, Timestamp::from_unix(0)), Err(ChainError::NotYetValid));
        let strangers = ChainPolicy::unknown_allowed(&none).with_cache(&cache);
        assert_eq!(strangers.verify(chain, usage, NOW).unwrap().trust(), Trust::NotKnown);
        let nobody = ChainPolicy::known_only(&none).with_cache(&cache);
        assert_eq!(nobody.verify(chain, usage, NOW), Err(ChainError::UnknownIssuer));
    }
}
