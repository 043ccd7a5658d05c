//! `ecdsa-sd-2023`: what a holder derived from their copy, each statement under a signature of its own.

use crate::canonical::{Canonical, Hash};
use crate::contexts::Contexts;
use crate::method::key_of;
use crate::proof::ProofError;
use credentials::algorithm::SignatureAlgorithm;
use credentials::b64;
use credentials::cbor::{self, Limits, Value as Cbor};
use credentials::key::{CheckSignature as _, IssuerKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The parts of a derived proof.
pub(crate) struct DerivedProof {
    base_signature: Vec<u8>,
    /// The key of this document alone, as a Multikey.
    public_key: Vec<u8>,
    signatures: Vec<Vec<u8>>,
    /// From `c14n7` to the name that the issuer gave the node.
    labels: BTreeMap<String, String>,
    mandatory: BTreeSet<usize>,
}

impl DerivedProof {
    /// From the text of `proofValue`.
    ///
    /// # Errors
    /// [`ProofError::BaseProof`], [`ProofError::Form`].
    ///
    /// # Source
    /// ECDSA Cryptosuites 1.0 §3.5.7 `parseDerivedProofValue`, §3.5.5 (label map).
    pub(crate) fn read(value: &str) -> Result<Self, ProofError> {
        let encoded = value.strip_prefix('u').filter(|text| text.len() <= MOST_PROOF).ok_or(ProofError::Form)?;
        let bytes = b64::decode(encoded).map_err(|_| ProofError::Form)?;
        let body = match bytes.as_slice() {
            [0xd9, 0x5d, 0x01, body @ ..] => body,
            [0xd9, 0x5d, 0x00, ..] => return Err(ProofError::BaseProof),
            _ => return Err(ProofError::Form),
        };
        Self::parts(body).ok_or(ProofError::Form)
    }

    fn parts(body: &[u8]) -> Option<Self> {
        let parsed = cbor::parse(body, &Limits::MESSAGE).ok()?;
        let [base_signature, public_key, signatures, labels, mandatory] =
            <[Cbor; 5]>::try_from(parsed.into_array()?).ok()?;
        let signature = |value: Cbor| value.into_bytes().filter(|bytes| bytes.len() == 64);
        let index = |value: &Cbor| value.as_integer().and_then(|n| usize::try_from(n).ok());
        let mut by_label = BTreeMap::new();
        let mut given = BTreeSet::new();
        for (number, label) in labels.into_map()? {
            let label = format!("u{}", b64::encode(&label.into_bytes().filter(|bytes| bytes.len() == 32)?));
            // Two nodes of one name would be one node to whoever checks.
            if !given.insert(label.clone()) {
                return None;
            }
            by_label.insert(format!("c14n{}", index(&number)?), label);
        }
        let mut places = BTreeSet::new();
        for place in mandatory.into_array()? {
            if !places.insert(index(&place)?) {
                return None;
            }
        }
        Some(Self {
            base_signature: signature(base_signature)?,
            public_key: public_key.into_bytes()?,
            signatures: signatures.into_array()?.into_iter().map(signature).collect::<Option<_>>()?,
            labels: by_label,
            mandatory: places,
        })
    }

    /// Whether the issuer signed every statement of `document` under these `options`.
    ///
    /// # Errors
    /// [`ProofError::Canonical`], [`ProofError::Form`].
    ///
    /// # Source
    /// ECDSA Cryptosuites 1.0 §3.5.8 `createVerifyData`, §3.6.6 "Verify Derived Proof".
    pub(crate) fn fits(
        &self,
        document: &Map<String, Value>,
        options: &[String],
        issuer: &IssuerKey,
        contexts: &Contexts,
    ) -> Result<bool, ProofError> {
        let canonical = Canonical::of(document, contexts, Hash::Sha256)?;
        let lines = canonical.relabelled(&self.labels).ok_or(ProofError::Form)?;
        if self.mandatory.last().is_some_and(|last| *last >= lines.len()) {
            return Err(ProofError::Form);
        }
        let mut mandatory = Sha256::new();
        let mut chosen = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            if self.mandatory.contains(&place) {
                mandatory.update(line);
            } else {
                chosen.push(line);
            }
        }
        let own = key_of(&self.public_key).filter(|key| key.algorithm() == SignatureAlgorithm::Es256);
        let own = own.ok_or(ProofError::Form)?;
        // A statement without a signature, or a signature without its statement.
        if chosen.len() != self.signatures.len() {
            return Ok(false);
        }
        let mut message = Sha256::digest(options.concat()).to_vec();
        message.extend(&self.public_key);
        message.extend(mandatory.finalize());
        let signed = issuer.checks(SignatureAlgorithm::Es256, &message, &self.base_signature);
        let mut pairs = chosen.into_iter().zip(&self.signatures);
        Ok(signed && pairs.all(|(line, signature)| own.checks(SignatureAlgorithm::Es256, line.as_bytes(), signature)))
    }
}

const MOST_PROOF: usize = 256 * 1024;
