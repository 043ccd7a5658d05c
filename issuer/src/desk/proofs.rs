//! The key proofs of a credential request: which keys want a copy, and how well they are kept.

use super::Issuer;
use super::issuance::{CredentialError, KEY_SEEN};
use crate::metadata::BATCH_SIZE;
use crate::nonce::{self, LiveNonce};
use credentials::key::PublicKey;
use credentials::key_attestation::{self, KeyAttestationError};
use credentials::proof::{self, ProofError};
use credentials::trust::TrustAnchors;
use schemas::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// The keys that copies are to be bound to.
#[derive(Default)]
pub(super) struct Holders {
    /// In the order of the proofs.
    pub(super) keys: Vec<PublicKey>,
    /// What an attestation says of all of them.
    pub(super) assurance: Option<Map<String, Value>>,
}

impl Issuer {
    /// Verifies every key proof; gives the keys, and the nonces they bear.
    ///
    /// A single proof with an attestation of several keys is good for all of these.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, Appendix D.1, F.1, F.3, F.4.
    pub(super) fn verify_proofs(
        &self,
        request: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(Holders, BTreeMap<String, LiveNonce>), CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let proofs = request.get("proofs").ok_or(refuse("proofs is missing"))?;
        let proofs = proofs.as_object().filter(|p| p.len() == 1).ok_or(refuse("proofs must have one member"))?;
        let mut nonces: BTreeMap<String, LiveNonce> = BTreeMap::new();
        let holders = match (proofs.get("jwt"), proofs.get("attestation"), &self.demands.key_attesters) {
            (Some(proofs), _, _) => self.by_jwt(proofs, &mut nonces, now)?,
            (None, Some(proofs), Some(attesters)) => self.by_attestation(proofs, attesters, &mut nonces, now)?,
            (None, Some(_), None) => return Err(refuse("the proof type attestation is not supported here")),
            (None, None, _) => return Err(refuse("only the proof types jwt and attestation are supported")),
        };
        let mut seen = HashSet::new();
        if !holders.keys.iter().all(|key| seen.insert(key)) {
            return Err(refuse("two proofs of one key"));
        }
        if holders.keys.len() > BATCH_SIZE as usize {
            return Err(refuse("more attested keys than batch_size"));
        }
        // Both are spent for good in the commit; looking now spares work, and tells the wallet which it was.
        for live in nonces.values() {
            if self.store.is_spent(&live.spent)? {
                return Err(CredentialError::InvalidNonce);
            }
        }
        for key in &holders.keys {
            if self.store.is_spent(&self.holder_key(key))? {
                return Err(refuse(KEY_SEEN));
            }
        }
        Ok((holders, nonces))
    }

    /// The keys of proofs of possession, and of the attestation beside a single one.
    fn by_jwt(
        &self,
        proofs: &Value,
        nonces: &mut BTreeMap<String, LiveNonce>,
        now: Timestamp,
    ) -> Result<Holders, CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let proofs =
            proofs.as_array().filter(|p| !p.is_empty()).ok_or(refuse("proofs.jwt must be a non-empty array"))?;
        if proofs.len() > BATCH_SIZE as usize {
            return Err(refuse("more proofs than batch_size"));
        }
        let mut keys = Vec::with_capacity(proofs.len());
        let mut assurances = Vec::with_capacity(proofs.len());
        for proof in proofs {
            let proof = proof.as_str().ok_or(refuse("a proof must be a string"))?;
            let mut has_nonce = false;
            let is_ours = |text: &str| {
                has_nonce = true;
                self.note(text, nonces, now)
            };
            let verified = proof::verify_attested(proof, self.config.url.as_str(), is_ours, now);
            let (key, attestation) = match verified {
                Ok(verified) => verified,
                Err(ProofError::Nonce) if has_nonce => return Err(CredentialError::InvalidNonce),
                // §8.3.1.2 (3): a proof without a c_nonce is an invalid proof.
                Err(ProofError::Nonce) => return Err(refuse("a proof has no c_nonce")),
                Err(_) => return Err(refuse("a proof does not verify")),
            };
            let Holders { keys: attested, assurance } = self.attested(&key, attestation.as_deref(), nonces, now)?;
            keys.push(key);
            if proofs.len() == 1 {
                let first = keys.first().cloned();
                keys.extend(attested.into_iter().filter(|key| Some(key) != first.as_ref()));
            }
            assurances.push(assurance);
        }
        // All copies say the same, or they could be told apart.
        let assurance = assurances.pop().flatten();
        if assurances.iter().any(|other| *other != assurance) {
            return Err(refuse("the keys of a batch must be attested alike"));
        }
        Ok(Holders { keys, assurance })
    }

    /// The keys of one attestation, which nothing proves beside it.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix F.3: exactly one.
    fn by_attestation(
        &self,
        proofs: &Value,
        attesters: &TrustAnchors,
        nonces: &mut BTreeMap<String, LiveNonce>,
        now: Timestamp,
    ) -> Result<Holders, CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let Some([Value::String(text)]) = proofs.as_array().map(Vec::as_slice) else {
            return Err(refuse("proofs.attestation must have exactly one member"));
        };
        self.attestation(text, attesters, nonces, now)
    }

    /// What is attested with a proof: the keys, and how well they are kept. Attestations are read where the operator has said
    /// whose; from whom nobody is asked for one, nobody is believed.
    fn attested(
        &self,
        key: &PublicKey,
        attestation: Option<&str>,
        nonces: &mut BTreeMap<String, LiveNonce>,
        now: Timestamp,
    ) -> Result<Holders, CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let Some(attesters) = &self.demands.key_attesters else { return Ok(Holders::default()) };
        let Some(text) = attestation else {
            return if self.demands.key_attestation {
                Err(refuse("a key attestation is missing"))
            } else {
                Ok(Holders::default())
            };
        };
        let holders = self.attestation(text, attesters, nonces, now)?;
        if holders.keys.contains(key) {
            Ok(holders)
        } else {
            Err(refuse("a proof is not signed by a key of its attestation"))
        }
    }

    /// What an attestation says that holds: by whom the operator believes, for a nonce of ours, not revoked.
    fn attestation(
        &self,
        text: &str,
        attesters: &TrustAnchors,
        nonces: &mut BTreeMap<String, LiveNonce>,
        now: Timestamp,
    ) -> Result<Holders, CredentialError> {
        let refuse = CredentialError::InvalidProof;
        let mut has_nonce = false;
        let is_ours = |text: &str| {
            has_nonce = true;
            self.note(text, nonces, now)
        };
        let attestation = match key_attestation::verify(text, attesters, is_ours, now) {
            Ok(attestation) => attestation,
            Err(KeyAttestationError::Nonce) if has_nonce => return Err(CredentialError::InvalidNonce),
            Err(_) => return Err(refuse("a key attestation does not verify")),
        };
        if !self.statuses.stands(attestation.status.as_ref(), attesters, now) {
            return Err(refuse("a key attestation was revoked, or its status cannot be had"));
        }
        let assurance = attestation.assurance();
        Ok(Holders { keys: attestation.keys, assurance })
    }

    /// Whether a nonce is ours; noted, to be spent.
    fn note(&self, text: &str, nonces: &mut BTreeMap<String, LiveNonce>, now: Timestamp) -> bool {
        let live = nonce::recognise(&*self.keys, text, now);
        live.map(|live| nonces.insert(text.to_owned(), live)).is_some()
    }
}
