//! `isomdl` 0.2.0. Verifying is all it does to a document: issuer's signature and device signature. It compares no digest
//! with the security object and its rules for certificates (those of driving licences) are left out here.

use super::mdoc::{Document as Begun, SPACE, TYPE, transcript};
use super::{Contestant, Job, NOW, key_point};
use isomdl::cbor;
use isomdl::definitions::device_key::cose_key::{EC2Curve, EC2Y};
use isomdl::definitions::device_request::{DataElements, ItemsRequest, Namespaces};
use isomdl::definitions::device_response::DeviceResponse;
use isomdl::definitions::device_signed::DeviceAuthType;
use isomdl::definitions::helpers::Tag24;
use isomdl::definitions::session::SessionTranscript180135;
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::{CoseKey, DeviceKeyInfo, DigestAlgorithm, IssuerSigned, Mso, ValidityInfo};
use isomdl::issuance::Mdoc;
use isomdl::presentation::authentication::mdoc::{device_authentication, issuer_authentication};
use isomdl::presentation::device::{DeviceSession, Document, Documents, PermittedItems};
use p256_013::ecdsa::{Signature, SigningKey};
use std::collections::BTreeMap;
use time::OffsetDateTime;

pub struct Isomdl {
    elements: BTreeMap<String, ciborium::Value>,
    device_key: CoseKey,
    chain: X5Chain,
    issuer: SigningKey,
    holder: SigningKey,
    request: Vec<ItemsRequest>,
    permitted: PermittedItems,
    transcript: SessionTranscript180135,
    issued: Vec<u8>,
    presented: Vec<u8>,
}

/// The holder's side of a session, as the crate wants it.
struct Session {
    documents: Documents,
    transcript: SessionTranscript180135,
}

impl DeviceSession for Session {
    type ST = SessionTranscript180135;

    fn documents(&self) -> &Documents {
        &self.documents
    }

    fn session_transcript(&self) -> Self::ST {
        self.transcript.clone()
    }

    fn device_auth_type(&self) -> DeviceAuthType {
        DeviceAuthType::Sign1
    }
}

impl Isomdl {
    pub fn new(job: &Job, begun: &Begun<'_>) -> Self {
        let point = key_point(&job.holder);
        let key = |key: &credentials::signer::SoftwareKey| {
            SigningKey::from_slice(&key.scalar().expect("scalar")[..]).expect("key")
        };
        let mut asked: Option<DataElements> = None;
        for name in &job.presented {
            match &mut asked {
                Some(elements) => _ = elements.insert(name.clone(), false),
                None => asked = Some(DataElements::new(name.clone(), false)),
            }
        }
        let namespaces = Namespaces::new(SPACE.to_owned(), asked.expect("claims"));
        let permitted = BTreeMap::from([(SPACE.to_owned(), job.presented.clone())]);
        let text = |value: &serde_json::Value| ciborium::Value::Text(value.as_str().expect("text").to_owned());
        let mut this = Self {
            elements: job.claims.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            device_key: CoseKey::EC2 {
                crv: EC2Curve::P256,
                x: point[1..33].to_vec(),
                y: EC2Y::Value(point[33..].to_vec()),
            },
            chain: X5Chain::builder().with_der_certificate(begun.chain).expect("chain").build().expect("chain"),
            issuer: key(&job.issuer),
            holder: key(&job.holder),
            request: vec![ItemsRequest { doc_type: TYPE.to_owned(), namespaces, request_info: None }],
            permitted: BTreeMap::from([(TYPE.to_owned(), permitted)]),
            transcript: cbor::from_slice(transcript().as_bytes()).expect("transcript"),
            issued: begun.issued.to_vec(),
            presented: Vec::new(),
        };
        // It reads what we issued before it issues its own.
        this.present();
        this.verify();
        this.issue();
        this.present();
        this.verify();
        this
    }
}

impl Contestant for Isomdl {
    fn name(&self) -> &'static str {
        "isomdl 0.2.0 (no digests, no chain)"
    }

    fn issue(&mut self) {
        let signed = OffsetDateTime::from_unix_timestamp(NOW).expect("time");
        let validity = ValidityInfo {
            signed,
            valid_from: signed,
            valid_until: signed + time::Duration::days(30),
            expected_update: None,
        };
        let device_key =
            DeviceKeyInfo { device_key: self.device_key.clone(), key_authorizations: None, key_info: None };
        let Mdoc { namespaces, issuer_auth, .. } = Mdoc::issue::<_, Signature>(
            TYPE.to_owned(),
            BTreeMap::from([(SPACE.to_owned(), self.elements.clone())]),
            validity,
            DigestAlgorithm::SHA256,
            device_key,
            self.chain.clone(),
            false,
            self.issuer.clone(),
        )
        .expect("issue");
        self.issued = cbor::to_vec(&IssuerSigned { namespaces: Some(namespaces), issuer_auth }).expect("encode");
    }

    fn present(&mut self) {
        let IssuerSigned { namespaces, issuer_auth } = cbor::from_slice(&self.issued).expect("decode");
        let mso: Tag24<Mso> = cbor::from_slice(issuer_auth.payload.as_ref().expect("payload")).expect("decode");
        let mdoc = Mdoc {
            doc_type: TYPE.to_owned(),
            mso: mso.into_inner(),
            namespaces: namespaces.expect("items"),
            issuer_auth,
        };
        let documents = Documents::new(TYPE.to_owned(), Document::from(mdoc));
        let session = Session { documents, transcript: self.transcript.clone() };
        let mut prepared = session.prepare_response(&self.request, self.permitted.clone());
        let (_, payload) = prepared.get_next_signature_payload().expect("payload");
        let signature: Signature = signature::Signer::sign(&self.holder, payload);
        prepared.submit_next_signature(signature.to_vec());
        self.presented = cbor::to_vec(&prepared.finalize_response()).expect("encode");
    }

    fn verify(&mut self) {
        let response: DeviceResponse = cbor::from_slice(&self.presented).expect("decode");
        let document = response.documents.expect("documents").into_inner().remove(0);
        device_authentication(&document, self.transcript.clone()).expect("device");
        issuer_authentication(self.chain.clone(), &document.issuer_signed).expect("issuer");
    }
}
