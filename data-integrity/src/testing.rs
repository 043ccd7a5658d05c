//! Issuers for tests, with real keys.

use crate::canonical::{Canonical, Hash};
use crate::contexts::{CREDENTIALS_V2, Contexts};
use crate::document::{AcceptedType, Verifier};
use crate::method::Controllers;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use schemas::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
pub(crate) const CITIZENSHIP: &str = "https://w3id.org/citizenship/v4rc1";

/// The file of a published vector.
macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/vectors/vc-data-integrity/", $name))
    };
}
pub(crate) use vector;

pub(crate) fn contexts() -> Contexts {
    let examples = include_bytes!("../../tests/vectors/vc-data-integrity/examples-v2.jsonld");
    let citizenship = include_bytes!("../../tests/vectors/vc-data-integrity/citizenship-v4rc1.jsonld");
    Contexts::new().with(EXAMPLES, examples).unwrap().with(CITIZENSHIP, citizenship).unwrap()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("not an object"),
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Whoever signs.
pub(crate) enum Issuer {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Issuer {
    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    fn multikey(&self) -> String {
        let bytes = match self {
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                [&[0x80, 0x24, 2 + (y[31] & 1)], x].concat()
            }
            Self::Ed25519(pair) => [&[0xed, 0x01], pair.public_key().as_ref()].concat(),
        };
        format!("z{}", bs58::encode(bytes).into_string())
    }

    pub(crate) fn did(&self) -> String {
        format!("did:key:{}", self.multikey())
    }

    /// Secures a document, with `own` members of the proof over the usual ones.
    pub(crate) fn sign(&self, document: Value, own: Value) -> Value {
        let key = self.multikey();
        let suite = match self {
            Self::P256(_) => "ecdsa-rdfc-2019",
            Self::Ed25519(_) => "eddsa-rdfc-2022",
        };
        let mut proof = object(json!({
            "type": "DataIntegrityProof", "cryptosuite": suite, "created": "2026-01-01T00:00:00Z",
            "verificationMethod": format!("{}#{key}", self.did()), "proofPurpose": "assertionMethod",
        }));
        proof.extend(object(own));
        let document = object(document);
        let mut options = proof.clone();
        options.insert("@context".to_owned(), document["@context"].clone());
        let digest = |of| Sha256::digest(Canonical::of(of, &contexts(), Hash::Sha256).unwrap().lines().concat());
        let message = [digest(&options), digest(&document)].concat();
        let signature = match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
        };
        proof.insert("proofValue".to_owned(), json!(format!("z{}", bs58::encode(signature).into_string())));
        let mut secured = document;
        secured.insert("proof".to_owned(), Value::Object(proof));
        Value::Object(secured)
    }

    /// A credential of this issuer, with `own` members over the usual ones.
    pub(crate) fn credential(&self, own: Value) -> Value {
        let mut credential = object(json!({
            "@context": [CREDENTIALS_V2, EXAMPLES], "type": ["VerifiableCredential", "BirthRecord"], "issuer": self.did(),
            "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z",
            "credentialSubject": {"givenName": "Ana", "parents": [{"givenName": "Luz"}, {"givenName": "Juan"}]},
        }));
        credential.extend(object(own));
        Value::Object(credential)
    }

    /// A status list of this issuer.
    pub(crate) fn list(&self, own: Value) -> Value {
        let mut credential = object(json!({
            "@context": [CREDENTIALS_V2], "id": "https://registry.example/status/3",
            "type": ["VerifiableCredential", "BitstringStatusListCredential"], "issuer": self.did(),
            "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z",
        }));
        credential.insert("credentialSubject".to_owned(), own);
        Value::Object(credential)
    }
}

/// What a verifier of `issuer`'s birth records has.
pub(crate) struct Desk {
    accepted: Vec<AcceptedType>,
    contexts: Contexts,
    controllers: Controllers,
    now: Timestamp,
}

impl Desk {
    pub(crate) fn of(issuer: &Issuer) -> Self {
        let accepted = AcceptedType {
            type_name: "BirthRecord".to_owned(),
            contexts: vec![CREDENTIALS_V2.to_owned(), EXAMPLES.to_owned()],
            issuers: vec![issuer.did()],
        };
        Self {
            accepted: vec![accepted],
            contexts: contexts(),
            controllers: Controllers::new(),
            now: at("2026-06-01T00:00:00Z"),
        }
    }

    pub(crate) fn at(self, now: &str) -> Self {
        Self { now: at(now), ..self }
    }

    pub(crate) fn verifier(&self) -> Verifier<'_> {
        let Self { accepted, contexts, controllers, now } = self;
        Verifier { accepted, contexts, controllers, now: *now }
    }
}
