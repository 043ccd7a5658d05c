use super::*;
use crate::policy::{AcceptedFormat, LinkScheme};
use crate::preset::Preset;
use credentials::consent::RequestIn;
use credentials::jwe::DecryptionKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::HashSet;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn asker() -> Asker {
    Asker { client_id: "x509_hash:abc".into(), name: "Border".into(), contact: None }
}

fn inquiry(preset: Preset, consent: ConsentMode) -> Inquiry {
    let query = Query::check(preset.query(AcceptedFormat::Any)).unwrap();
    Inquiry::new(query, Purpose::BorderEntry, Seconds::HOUR, consent).unwrap()
}

fn begin(seed: u64, consent: ConsentMode) -> Transaction {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Transaction::begin(inquiry(Preset::BorderIdentity, consent), &asker(), NOW, &mut rng).unwrap()
}

#[test]
fn every_transaction_has_five_secrets_of_its_own() {
    let mut seen = HashSet::new();
    for seed in 0..20 {
        let t = begin(seed, ConsentMode::Required);
        for text in [&t.request_handle, &t.response_handle, &t.nonce, &t.state].map(Secret::expose) {
            assert_eq!(b64::decode(text).unwrap().len(), 32);
            assert!(seen.insert(text.to_owned()));
        }
        assert!(seen.insert(t.id.as_str().to_owned()));
        assert_eq!(t.expires_at, NOW.plus(Seconds::new(300)));
        assert!(!format!("{t:?}").contains(t.nonce.expose()), "Debug shows no nonce");
    }
}

#[test]
fn the_link_names_the_client_and_where_the_request_is() {
    let endpoints = Endpoints::below("https://desk.example/v/");
    let t = begin(1, ConsentMode::Required);
    let link = url::Url::parse(&t.link(&endpoints, LinkScheme::OpenId4Vp)).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    assert_eq!(pairs[0], ("client_id".into(), "x509_hash:abc".into()));
    assert_eq!(pairs[1].1, format!("https://desk.example/v/openid4vp/request/{}", t.request_handle.expose()));
    assert_eq!(pairs[2], ("request_uri_method".into(), "post".into()));
    for hidden in [t.nonce.expose(), t.state.expose(), t.response_handle.expose(), t.id.as_str()] {
        assert!(!link.as_str().contains(hidden), "the link tells nothing but where to ask");
    }
}

#[test]
fn the_request_object_is_what_the_specification_asks_for() {
    let endpoints = Endpoints::below("https://desk.example");
    let key = DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    let t = begin(1, ConsentMode::Required);
    let object = t.request_object(&endpoints, Some("Border"), Some(&key), Some("wn"));
    assert_eq!(object.response_mode, "direct_post.jwt");
    assert_eq!(object.redirect_uri, None);
    assert_eq!(object.wallet_nonce.as_deref(), Some("wn"));
    let metadata = object.client_metadata.unwrap();
    assert_eq!(metadata.encrypted_response_enc_values_supported.unwrap(), ["A128GCM", "A256GCM"]);
    let jwk = &metadata.jwks.unwrap().keys[0];
    assert_eq!((jwk["alg"].as_str(), jwk["use"].as_str()), (Some("ECDH-ES"), Some("enc")));
    assert!(!jwk.contains_key("d"));
    let proposal = RequestIn::parse(object.transaction_data.as_deref().unwrap_or_default()).unwrap().unwrap();
    assert!(proposal.check_request(t.client_id(), t.inquiry().query(), NOW).is_ok());
    assert!(proposal.unexplained(t.inquiry().query()).is_empty(), "every claim asked for has its purpose");
    assert_eq!(proposal.retention(), Seconds::HOUR);
}

#[test]
fn without_encryption_no_key_is_offered() {
    let key = DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    let inquiry = inquiry(Preset::AgeOver18, ConsentMode::NotAsked).answered_by(ResponseMode::DirectPost);
    let t = Transaction::begin(inquiry, &asker(), NOW, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let object = t.request_object(&Endpoints::below("https://d"), Some("Border"), Some(&key), None);
    assert_eq!(object.response_mode, "direct_post");
    assert_eq!(object.transaction_data, None);
    let metadata = object.client_metadata.unwrap();
    assert!(metadata.jwks.is_none() && metadata.encrypted_response_enc_values_supported.is_none());
}

#[test]
fn an_unsigned_request_stands_in_its_link_and_names_the_place_of_its_answer() {
    let endpoints = Endpoints::below("https://desk.example");
    let key = DecryptionKey::generate(&mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let ask = |consent| inquiry(Preset::AgeOver18, consent);
    let t = Transaction::begin_unsigned(ask(ConsentMode::NotAsked), &endpoints, NOW, &mut rng).unwrap();
    let link = t.unsigned_link(&endpoints, LinkScheme::Haip, Some(&key)).unwrap();
    assert!(link.starts_with("haip-vp://?") && !link.contains("Border"), "{link}");
    let link = url::Url::parse(&link).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    let pairs = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let request = credentials::request_object::UnsignedRequestIn::parse(pairs).unwrap().check(NOW).unwrap();
    assert_eq!(request.client_id().as_str(), format!("redirect_uri:{}", endpoints.response_uri(&t)));
    assert_eq!(request.client_id().as_str(), t.client_id());
    assert_eq!(request.recipient().unwrap().key(), key.public_key());
    for consent in [ConsentMode::Required, ConsentMode::Offered] {
        let refused = Transaction::begin_unsigned(ask(consent), &endpoints, NOW, &mut rng).map(|_| ());
        assert_eq!(refused, Err(InquiryError::UnsignedConsent));
    }
}

#[test]
fn only_an_offered_consent_can_be_left_out() {
    assert!(begin(1, ConsentMode::Offered).without_offer().proposal().is_none());
    assert!(begin(1, ConsentMode::Required).without_offer().proposal().is_some());
}

#[test]
fn an_inquiry_has_a_retention_a_format_and_key_binding() {
    fn authority(type_: &str) -> Option<Vec<schemas::dcql::TrustedAuthority>> {
        let values = vec!["s9tIpPmhxdiuNkHMEWNpYim8S8Y".into()];
        Some(vec![schemas::dcql::TrustedAuthority { type_: type_.into(), values }])
    }
    let make = |change: fn(&mut schemas::dcql::CredentialQuery), retention| {
        let mut wire = Preset::AgeOver18.query(AcceptedFormat::Any);
        change(&mut wire.credentials[0]);
        let query = Query::check(wire).unwrap();
        Inquiry::new(query, Purpose::AgeCheck, Seconds::new(retention), ConsentMode::Required).map(|_| ())
    };
    assert_eq!(make(|_| {}, 60), Ok(()));
    assert_eq!(make(|_| {}, 0), Err(InquiryError::NoRetention));
    assert!(matches!(make(|_| {}, 91 * 86_400), Err(InquiryError::RetentionTooLong { .. })));
    assert!(matches!(make(|c| c.format = "ldp_vc".into(), 60), Err(InquiryError::Format { .. })));
    assert_eq!(make(|c| c.trusted_authorities = authority("aki"), 60), Ok(()));
    let unchecked = make(|c| c.trusted_authorities = authority("etsi_tl"), 60);
    assert!(
        matches!(unchecked, Err(InquiryError::Authority { .. })),
        "it asks for nothing that it does not check itself"
    );
    let unbound = |c: &mut schemas::dcql::CredentialQuery| c.require_cryptographic_holder_binding = Some(false);
    assert!(matches!(make(unbound, 60), Err(InquiryError::NoHolderBinding { .. })));
}

#[test]
fn a_transaction_survives_its_store() {
    let t = begin(3, ConsentMode::Offered);
    let back = Transaction::from(TransactionParts::from(t.clone()));
    assert_eq!(format!("{back:?}"), format!("{t:?}"));
    assert!(back.nonce().matches(t.nonce().expose()) && !back.nonce().matches(t.state().expose()));
}
