//! `isomdl` takes the other side of every flow of mobile documents that it knows: issuing, and both roles in person.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may stop where they stand"
)]

use credentials::cbor::Value;
use credentials::mdoc::{
    DeviceProof, Elements, Expected, IssuanceDraft, KeyAuthorizations, device_response, issue, verify_issued,
    verify_response,
};
use credentials::proximity::{
    Ble, DocumentRequest, HolderEngagement, IntentToRetain, ReaderEngagement, Received, RequestIn, Retrieval,
    write_request,
};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, TrustAnchors, Usage};
use isomdl::cbor;
use isomdl::definitions::device_engagement::{CentralClientMode, DeviceRetrievalMethods};
use isomdl::definitions::device_key::cose_key::{EC2Curve, EC2Y};
use isomdl::definitions::device_request::{DataElements, Namespaces};
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::TrustAnchorRegistry;
use isomdl::definitions::{
    BleOptions, CoseKey, DeviceKeyInfo, DeviceRetrievalMethod, DigestAlgorithm, IssuerSigned, SessionEstablishment,
    ValidityInfo,
};
use isomdl::issuance::Mdoc as TheirMdoc;
use isomdl::presentation::authentication::AuthenticationStatus;
use isomdl::presentation::authentication::mdoc::issuer_authentication;
use isomdl::presentation::device::{Document, Documents, SessionManagerInit};
use isomdl::presentation::reader;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use schemas::{ClaimPath, Timestamp};
use std::collections::BTreeMap;
use time::OffsetDateTime;

const MDL: &str = "org.iso.18013.5.1.mDL";
const SPACE: &str = "org.iso.18013.5.1";

struct Point([u8; 65]);

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

/// Our key as their crypto has it.
fn their_key(key: &SoftwareKey) -> p256_013::ecdsa::SigningKey {
    p256_013::ecdsa::SigningKey::from_slice(&key.scalar().unwrap()[..]).unwrap()
}

struct World {
    anchors: TrustAnchors,
    issuing: CertificateChain,
    reading: CertificateChain,
    now: Timestamp,
}

/// The peer reads the clock of the machine: so do we.
fn world() -> World {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&root_key).unwrap().pem();
    let root = Issuer::new(params, root_key);
    let chain = |name: &str, usage: Usage, seed| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(usage.oid().to_vec())];
        let leaf = params.signed_by(&Point(key(seed).public_key().to_sec1()), &root).unwrap();
        CertificateChain::from_der([leaf.der().to_vec()]).unwrap()
    };
    World {
        issuing: chain("Issuer", Usage::MdocIssuing, 1),
        reading: chain("Border post", Usage::MdocReader, 3),
        anchors: TrustAnchors::from_pem(pem.as_bytes()).unwrap(),
        now: Timestamp::from_unix(OffsetDateTime::now_utc().unix_timestamp()),
    }
}

impl World {
    fn policy(&self) -> ChainPolicy<'_> {
        ChainPolicy::known_only(&self.anchors)
    }

    fn draft(&self) -> IssuanceDraft {
        let mut elements = Elements::new();
        elements.insert(SPACE, "family_name", "Коваль");
        elements.insert(SPACE, "age_over_21", true);
        elements.insert(SPACE, "portrait", vec![0xff, 0xd8]);
        elements.insert(SPACE, "birth_date", Value::Tag(1004, Box::new("1990-02-28".into())));
        IssuanceDraft {
            doc_type: MDL.into(),
            elements,
            signed_at: self.now,
            valid_from: self.now,
            valid_until: Timestamp::from_unix(self.now.unix() + 3_600),
            expected_update: None,
            status: None,
            authorizations: KeyAuthorizations::new().with_name_space("org.amparo.consent.1"),
            decoys: true,
        }
    }

    fn issued(&self) -> Vec<u8> {
        let rng = &mut ChaCha20Rng::seed_from_u64(9);
        issue(&self.draft(), &self.issuing, key(2).public_key(), &key(1), rng).unwrap()
    }

    fn issued_by_them(&self) -> TheirMdoc {
        let point = key(2).public_key().to_sec1();
        let device_key =
            CoseKey::EC2 { crv: EC2Curve::P256, x: point[1..33].to_vec(), y: EC2Y::Value(point[33..].to_vec()) };
        let names =
            [("family_name", ciborium::Value::Text("Коваль".into())), ("age_over_21", ciborium::Value::Bool(true))];
        let elements = names.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let signed = OffsetDateTime::from_unix_timestamp(self.now.unix()).unwrap();
        TheirMdoc::builder()
            .doc_type(MDL.to_owned())
            .namespaces(BTreeMap::from([(SPACE.to_owned(), elements)]))
            .validity_info(ValidityInfo {
                signed,
                valid_from: signed,
                valid_until: signed + time::Duration::hours(1),
                expected_update: None,
            })
            .digest_algorithm(DigestAlgorithm::SHA256)
            .device_key_info(DeviceKeyInfo { device_key, key_authorizations: None, key_info: None })
            .issue::<p256_013::ecdsa::SigningKey, p256_013::ecdsa::Signature>(self.their_chain(), their_key(&key(1)))
            .unwrap()
    }

    fn their_chain(&self) -> X5Chain {
        X5Chain::builder().with_der_certificate(self.issuing.leaf()).unwrap().build().unwrap()
    }
}

#[test]
fn isomdl_verifies_what_we_issue() {
    let world = world();
    let theirs: IssuerSigned = cbor::from_slice(&world.issued()).unwrap();
    issuer_authentication(world.their_chain(), &theirs).unwrap();
    assert_eq!(theirs.namespaces.unwrap().into_inner()[SPACE].len(), 4);
}

#[test]
fn we_verify_what_isomdl_issues() {
    let world = world();
    let TheirMdoc { namespaces, issuer_auth, .. } = world.issued_by_them();
    let bytes = cbor::to_vec(&IssuerSigned { namespaces: Some(namespaces), issuer_auth }).unwrap();
    let held = verify_issued(&bytes, &world.policy(), world.now).unwrap();
    assert_eq!(held.doc_type(), MDL);
    assert_eq!(held.elements().get(SPACE, "family_name"), Some(&"Коваль".into()));
    assert_eq!(held.device_key(), key(2).public_key());
}

#[test]
fn isomdl_reads_what_we_present_in_person() {
    let world = world();
    let way = Retrieval::Ble(Ble { peripheral: None, central: Some([7; 16]) });
    let holder = HolderEngagement::new(key(11), vec![way]);
    let asked = Namespaces::new(SPACE.into(), DataElements::new("age_over_21".into(), false));
    let (mut reader, message, _) =
        reader::SessionManager::establish_session(holder.qr_uri(), asked, TrustAnchorRegistry::default()).unwrap();
    let (session, request) = holder.accept(&message).unwrap();
    let asked =
        RequestIn::parse(&request).unwrap().authenticate(&world.policy(), session.transcript(), world.now).unwrap();
    let paths: Vec<ClaimPath> = asked[0].request.elements().map(|(path, _)| path).collect();
    assert_eq!(paths, [ClaimPath::names([SPACE, "age_over_21"])]);
    let held = verify_issued(&world.issued(), &world.policy(), world.now).unwrap();
    let mut own = Elements::new();
    own.insert("org.amparo.consent.1", "grant", b"{}".to_vec());
    let document = held.select(&paths).unwrap().sign(session.transcript(), &own, &key(2)).unwrap();
    let (_, message) = session.send(&device_response(&[document])).unwrap();
    let seen = reader.handle_response(&message);
    assert_eq!(seen.device_authentication, AuthenticationStatus::Valid, "{:?}", seen.errors);
    assert_eq!(seen.response[SPACE]["age_over_21"], true);
    assert_eq!(seen.response[SPACE].as_object().unwrap().len(), 1);
}

#[test]
fn we_read_what_isomdl_presents_in_person() {
    let world = world();
    let documents = Documents::new(MDL.to_owned(), Document::from(world.issued_by_them()));
    let way = BleOptions {
        peripheral_server_mode: None,
        central_client_mode: Some(CentralClientMode { uuid: uuid::Uuid::new_v4() }),
    };
    let ways = DeviceRetrievalMethods::new(DeviceRetrievalMethod::BLE(way));
    let (device, uri) = SessionManagerInit::initialise(documents, Some(ways), None).unwrap().qr_engagement().unwrap();
    let reader = ReaderEngagement::scan(&uri, key(12)).unwrap();
    assert!(matches!(reader.engagement().retrieval(), [Retrieval::Ble(Ble { peripheral: None, central: Some(_) })]));
    let ask = DocumentRequest::new(MDL).with(SPACE, "age_over_21", IntentToRetain::No);
    let request = write_request(&[ask], reader.transcript(), Some((&world.reading, &key(3)))).unwrap();
    let (session, message) = reader.establish(&request).unwrap();
    let establishment: SessionEstablishment = cbor::from_slice(&message).unwrap();
    let (mut device, asked) =
        device.process_session_establishment(establishment, TrustAnchorRegistry::default()).unwrap();
    assert_eq!(asked.common_name.as_deref(), Some("Border post"));
    // Their rules for certificates are those of driving licences; the signature itself verifies.
    assert!(!format!("{:?}", asked.errors).contains("failed to verify"), "{:?}", asked.errors);
    let permitted = BTreeMap::from([(SPACE.to_owned(), vec!["age_over_21".to_owned()])]);
    device.prepare_response(&asked.items_request, BTreeMap::from([(MDL.to_owned(), permitted)]));
    let (_, payload) = device.get_next_signature_payload().unwrap();
    let signature: p256_013::ecdsa::Signature = signature::Signer::sign(&their_key(&key(2)), payload);
    device.submit_next_signature(signature.to_vec()).unwrap();
    let message = device.retrieve_response().unwrap();
    let transcript = session.transcript().clone();
    let response = match session.receive(&message).unwrap() {
        Received::Message(_, response) | Received::Last(response) => response,
        Received::Ended(status) => panic!("{status:?}"),
    };
    let seen = verify_response(&response, &Expected::new(world.policy(), &transcript, world.now)).unwrap();
    assert_eq!(seen.documents[0].proof(), DeviceProof::Signature);
    assert_eq!(seen.documents[0].elements().get(SPACE, "age_over_21"), Some(&true.into()));
    assert_eq!(seen.documents[0].elements().len(), 1);
}
