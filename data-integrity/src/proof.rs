//! The proof of a document: read strictly, and checked under the key it names.

use crate::canonical::{Canonical, CanonicalError, Hash};
use crate::contexts::Contexts;
use crate::method::{Controllers, MethodError, base58};
use crate::selective::DerivedProof;
use credentials::algorithm::SignatureAlgorithm;
use credentials::key::{CheckSignature as _, IssuerKey};
use schemas::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384};

/// A cryptographic suite that is checked here.
///
/// `bbs-2023` is none of them: no crate that implements it is free of advisories (decision 0046).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// `ecdsa-rdfc-2019`, on P-256 or P-384.
    EcdsaRdfc2019,
    /// `eddsa-rdfc-2022`, on Ed25519.
    EddsaRdfc2022,
    /// `ecdsa-sd-2023`, on P-256: what its holder chose to show of a document.
    EcdsaSd2023,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// There is no proof, more than one, or one with members missing or of another kind.
    #[error("the document has not one Data Integrity proof in the form of its standard")]
    Form,
    /// A suite that is not checked here.
    #[error("the proof is of a cryptographic suite that is not checked here")]
    Suite,
    /// Made for another purpose than statements, or as the answer to somebody's question.
    #[error("the proof was not made for a statement to everybody")]
    Purpose,
    /// Its own time is over, or has not come.
    #[error("the proof is out of its time")]
    Time,
    /// The key.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A base proof of `ecdsa-sd-2023`: it is the holder's own, from which a shown one is derived.
    #[error("this is the holder's own copy, not what they derived to be shown")]
    BaseProof,
    /// The signature.
    #[error("the signature does not fit the document")]
    Signature,
}

/// A document and its proof, parted; not checked.
pub(crate) struct Secured {
    document: Map<String, Value>,
    options: Map<String, Value>,
    suite: Suite,
    method: String,
    value: String,
}

/// Who signed.
pub(crate) struct Signed {
    pub(crate) document: Map<String, Value>,
    pub(crate) controller: String,
    pub(crate) suite: Suite,
}

impl Secured {
    /// Parts them.
    ///
    /// # Errors
    /// [`ProofError::Form`], [`ProofError::Suite`], [`ProofError::Purpose`], [`ProofError::Time`].
    ///
    /// # Source
    /// Data Integrity 1.0 §2.1, §4.4 "Verify Proof"; ECDSA Cryptosuites 1.0 §2.2.1; EdDSA Cryptosuites 1.0 §2.2.1.
    pub(crate) fn read(mut document: Map<String, Value>, now: Timestamp) -> Result<Self, ProofError> {
        let proof = match document.shift_remove("proof").ok_or(ProofError::Form)? {
            Value::Object(proof) => proof,
            Value::Array(proofs) => match <[Value; 1]>::try_from(proofs) {
                Ok([Value::Object(proof)]) => proof,
                _ => return Err(ProofError::Form),
            },
            _ => return Err(ProofError::Form),
        };
        let text = |name: &str| match proof.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(ProofError::Form),
        };
        let required = |name| text(name)?.ok_or(ProofError::Form);
        if required("type")? != "DataIntegrityProof" || proof.contains_key("previousProof") {
            return Err(ProofError::Form);
        }
        let suite = match required("cryptosuite")? {
            "ecdsa-rdfc-2019" => Suite::EcdsaRdfc2019,
            "eddsa-rdfc-2022" => Suite::EddsaRdfc2022,
            "ecdsa-sd-2023" => Suite::EcdsaSd2023,
            _ => return Err(ProofError::Suite),
        };
        if required("proofPurpose")? != "assertionMethod"
            || proof.contains_key("domain")
            || proof.contains_key("challenge")
        {
            return Err(ProofError::Purpose);
        }
        let time = |name| -> Result<Option<Timestamp>, ProofError> {
            text(name)?.map(|text| text.parse().map_err(|_| ProofError::Form)).transpose()
        };
        let early = time("created")?.is_some_and(|created| created > now.plus(crate::document::CLOCK_SKEW));
        if early || time("expires")?.is_some_and(|expires| expires <= now) {
            return Err(ProofError::Time);
        }
        let (method, value) = (required("verificationMethod")?.to_owned(), required("proofValue")?.to_owned());
        let contexts = document.get("@context").cloned().ok_or(ProofError::Form)?;
        let mut options = proof;
        options.shift_remove("proofValue");
        // One that names its own must name those of the document: anything else could give its members another meaning.
        if options.get("@context").is_some_and(|own| *own != contexts) {
            return Err(ProofError::Form);
        }
        options.insert("@context".to_owned(), contexts);
        Ok(Self { document, options, suite, method, value })
    }

    /// Checks the proof.
    ///
    /// # Errors
    /// [`ProofError`].
    ///
    /// # Source
    /// ECDSA Cryptosuites 1.0 §3.2.2, §3.4.11 (`ecdsa-sd-2023`), §3.6.6; EdDSA Cryptosuites 1.0 §3.2.2.
    pub(crate) fn verify(self, contexts: &Contexts, controllers: &Controllers) -> Result<Signed, ProofError> {
        let (controller, key) = controllers.key(&self.method)?;
        let fits = match (self.suite, key.algorithm()) {
            (Suite::EcdsaRdfc2019, SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384)
            | (Suite::EddsaRdfc2022, SignatureAlgorithm::Ed25519) => self.whole(&key, contexts)?,
            (Suite::EcdsaSd2023, SignatureAlgorithm::Es256) => {
                let proof = DerivedProof::read(&self.value)?;
                let options = Canonical::of(&self.options, contexts, Hash::Sha256)?.lines();
                proof.fits(&self.document, &options, &key, contexts)?
            }
            _ => return Err(ProofError::Method(MethodError::Key)),
        };
        let controller = controller.to_owned();
        if fits {
            Ok(Signed { document: self.document, controller, suite: self.suite })
        } else {
            Err(ProofError::Signature)
        }
    }

    fn whole(&self, key: &IssuerKey, contexts: &Contexts) -> Result<bool, ProofError> {
        let algorithm = key.algorithm();
        let p384 = algorithm == SignatureAlgorithm::Es384;
        let hash = if p384 { Hash::Sha384 } else { Hash::Sha256 };
        let digest = |lines: String| if p384 { Sha384::digest(lines).to_vec() } else { Sha256::digest(lines).to_vec() };
        let signature = base58(&self.value, MOST_SIGNATURE).ok_or(ProofError::Form)?;
        if signature.len() != algorithm.signature_length() {
            return Err(ProofError::Form);
        }
        let mut message = digest(Canonical::of(&self.options, contexts, hash)?.lines().concat());
        message.extend(digest(Canonical::of(&self.document, contexts, hash)?.lines().concat()));
        Ok(key.checks(algorithm, &message, &signature))
    }
}

/// 96 bytes take 132 characters.
const MOST_SIGNATURE: usize = 140;
