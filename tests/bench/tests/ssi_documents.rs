//! W3C credentials that `ssi` secures are read here: the other side of decision 0046, which keeps it out of the product.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may stop where they stand"
)]

use data_integrity::{
    AcceptedType, BitstringStatus, CREDENTIALS_V2, Contexts, Controllers, DocumentRefused, Suite, VerifiedBitstring,
    Verifier,
};
use futures_executor::block_on;
use iref::IriBuf;
use serde_json::{Value, json};
use ssi::JWK;
use ssi::claims::data_integrity::{
    AnySelectionOptions, AnySignatureOptions, AnySuite, CryptographicSuite as _, ProofOptions,
};
use ssi::claims::vc::v2::JsonCredential;
use ssi::claims::{SignatureEnvironment, VerificationParameters};
use ssi::dids::{AnyDidMethod, DIDKey, VerificationMethodDIDResolver};
use ssi::verification_methods::{AnyMethod, SingleSecretSigner};

const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
const LIST: &str = "https://registry.example/status/3";
/// 131,072 entries; of the first the 94,567th is set, of the second none.
const LISTS: [&str; 2] = [
    "uH4sIAAAAAAACA-3QAQ0AAAwCIO1f2hz_IAIJAAAAAAAAAAAAAADfVAEAAADAOQNQdb5gAEAAAA",
    "uH4sIAAAAAAACA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA",
];

struct Registry {
    key: JWK,
    did: String,
    method: IriBuf,
}

impl Registry {
    fn of(key: JWK) -> Self {
        let did = DIDKey::generate(&key).unwrap().to_string();
        let method = IriBuf::new(DIDKey::generate_url(&key).unwrap().to_string()).unwrap();
        Self { key, did, method }
    }

    fn birth(&self, status: bool) -> Value {
        let mut document = json!({
            "@context": [CREDENTIALS_V2, EXAMPLES], "id": "urn:uuid:7a6cafb9-11c3-41a8-98d8-8b5a45c2548f",
            "type": ["VerifiableCredential", "BirthRecord"], "issuer": {"id": self.did, "name": "Registro Civil de Oaxaca"},
            "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2036-01-01T00:00:00Z",
            "credentialSubject": {
                "type": "Person", "givenName": "Ana \"Lucía\"", "familyName": "Peña\\O'Hara", "note": "line\nline",
                "birthDate": "2009-05-01", "order": 2, "living": true,
                "parents": [{"givenName": "Luz"}, {"givenName": "Juan", "alive": false}],
            },
        });
        if status {
            document["credentialStatus"] = json!({"id": format!("{LIST}#94567"), "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation", "statusListIndex": "94567", "statusListCredential": LIST});
        }
        document
    }

    fn list(&self, encoded: &str) -> Value {
        json!({
            "@context": [CREDENTIALS_V2], "id": LIST, "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.did, "validFrom": "2026-06-01T00:00:00Z",
            "credentialSubject": {"id": format!("{LIST}#list"), "type": "BitstringStatusList", "statusPurpose": "revocation",
                "encodedList": encoded},
        })
    }

    fn sign(&self, suite: AnySuite, document: Value) -> Value {
        serde_json::to_value(self.signed(suite, document)).unwrap()
    }

    fn signed(
        &self,
        suite: AnySuite,
        document: Value,
    ) -> ssi::claims::data_integrity::DataIntegrity<JsonCredential, AnySuite> {
        let credential: JsonCredential = serde_json::from_value(document).unwrap();
        let options = ProofOptions::from_method(self.method.clone().into());
        let signer = SingleSecretSigner::new(self.key.clone()).into_local();
        block_on(suite.sign_with(
            SignatureEnvironment::default(),
            credential,
            resolver(),
            signer,
            options,
            AnySignatureOptions::default(),
        ))
        .unwrap()
    }

    fn verify(&self, document: &Value) -> Result<data_integrity::VerifiedDocument, DocumentRefused> {
        with_desk(self, |desk| desk.verify(document.to_string().as_bytes()))
    }
}

fn resolver() -> VerificationMethodDIDResolver<AnyDidMethod, AnyMethod> {
    VerificationMethodDIDResolver::new(AnyDidMethod::default())
}

fn with_desk<T>(registry: &Registry, work: impl FnOnce(Verifier<'_>) -> T) -> T {
    let examples = include_bytes!("../../vectors/vc-data-integrity/examples-v2.jsonld");
    let accepted = [AcceptedType {
        type_name: "BirthRecord".to_owned(),
        contexts: vec![CREDENTIALS_V2.to_owned(), EXAMPLES.to_owned()],
        issuers: vec![registry.did.clone()],
    }];
    let contexts = Contexts::new().with(EXAMPLES, examples).unwrap();
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    work(Verifier { accepted: &accepted, contexts: &contexts, controllers: &Controllers::new(), now })
}

/// With `AMPARO_WRITE_VECTORS`, what was signed becomes a vector for the tests that have no peer.
fn keep(name: &str, document: &Value) {
    if let Some(folder) = std::env::var_os("AMPARO_WRITE_VECTORS") {
        std::fs::write(std::path::Path::new(&folder).join(name), serde_json::to_string_pretty(document).unwrap())
            .unwrap();
    }
}

#[test]
fn whole_documents_of_ssi_hold_until_they_are_changed() {
    for (registry, suite, kind, name) in [
        (Registry::of(JWK::generate_p256()), AnySuite::EcdsaRdfc2019, Suite::EcdsaRdfc2019, "ecdsa"),
        (Registry::of(JWK::generate_ed25519().unwrap()), AnySuite::EdDsaRdfc2022, Suite::EddsaRdfc2022, "eddsa"),
    ] {
        let good = registry.sign(suite.clone(), registry.birth(true));
        let verified = registry.verify(&good).unwrap();
        assert_eq!(verified.suite(), kind);
        assert_eq!(verified.subject()["givenName"], "Ana \"Lucía\"");
        let mut changed = good.clone();
        changed["credentialSubject"]["parents"][1]["givenName"] = json!("Pedro");
        assert!(registry.verify(&changed).is_err());
        let [revoked, clear] = LISTS.map(|encoded| registry.sign(suite.clone(), registry.list(encoded)));
        for (list, expected) in [(&revoked, BitstringStatus::Revoked), (&clear, BitstringStatus::Clear)] {
            let read = with_desk(&registry, |desk| {
                VerifiedBitstring::verify(list.to_string().as_bytes(), &registry.did, &desk)
            });
            assert_eq!(read.unwrap().status(&verified.statuses()[0], verified.issuer()).unwrap(), expected);
        }
        keep(&format!("ssi-{name}.json"), &good);
        keep(&format!("ssi-{name}-list-revoked.json"), &revoked);
        keep(&format!("ssi-{name}-list-clear.json"), &clear);
    }
}

#[test]
fn what_a_holder_chose_with_ssi_holds_and_no_more() {
    let registry = Registry::of(JWK::generate_p256());
    let mut options = AnySignatureOptions::default();
    options.mandatory_pointers = vec!["/issuer".parse().unwrap()];
    // With an `id`, `ssi` derives what its own check refuses as well.
    let mut document = registry.birth(false);
    document.as_object_mut().unwrap().remove("id");
    document["issuer"] = json!(registry.did);
    let credential: JsonCredential = serde_json::from_value(document).unwrap();
    let proof = ProofOptions::from_method(registry.method.clone().into());
    let signer = SingleSecretSigner::new(registry.key.clone()).into_local();
    let base = block_on(AnySuite::EcdsaSd2023.sign_with(
        SignatureEnvironment::default(),
        credential,
        resolver(),
        signer,
        proof,
        options,
    ))
    .unwrap();
    assert!(registry.verify(&serde_json::to_value(&base).unwrap()).is_err(), "the holder's own copy");
    let mut chosen = AnySelectionOptions::default();
    chosen.selective_pointers = vec!["/credentialSubject/birthDate".parse().unwrap()];
    let derived = block_on(base.select(VerificationParameters::from_resolver(resolver()), chosen)).unwrap();
    let mut derived = serde_json::to_value(&derived).unwrap();
    let verified = registry.verify(&derived).unwrap();
    assert_eq!(verified.suite(), Suite::EcdsaSd2023);
    assert_eq!(verified.subject()["birthDate"], "2009-05-01");
    assert!(!verified.subject().contains_key("familyName"));
    keep("ssi-sd-derived.json", &derived);
    derived["credentialSubject"]["birthDate"] = json!("2005-05-01");
    assert!(registry.verify(&derived).is_err());
}
