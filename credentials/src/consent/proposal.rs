//! What the verifier proposes: one entry of `transaction_data`, parsed strictly.

use super::ConsentError;
use crate::dcql::{Query, check_path, is_identifier};
use crate::json::{self, Limits};
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest};
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How many entries of `transaction_data` there may be.
const MAX_ENTRIES: usize = 8;
/// How many bytes an entry may have, encoded.
const MAX_ENTRY: usize = 16 * 1024;
/// How many elements a list in a proposal may have.
const MAX_LIST: usize = 64;
/// How many bytes a text in a proposal may have.
const MAX_TEXT: usize = 512;

const MEMBERS: [&str; 9] = [
    "type",
    "credential_ids",
    "transaction_data_hashes_alg",
    "controller",
    "purposes",
    "retention",
    "onward",
    "not_after",
    "lang",
];
const CONTROLLER_MEMBERS: [&str; 3] = ["client_id", "name", "contact"];
const PURPOSE_MEMBERS: [&str; 4] = ["code", "dpv", "claims", "necessity"];

/// `transaction_data` as received.
#[derive(Debug)]
pub struct RequestIn;

impl RequestIn {
    /// Reads `transaction_data`; none when there is no entry.
    ///
    /// One entry that is not understood spoils them all: the holder would agree to something unseen.
    ///
    /// # Errors
    /// [`ConsentError`], its first group. Whether the proposal fits the rest of the request is checked by
    /// [`ProposedConsent::check_request`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 `transaction_data`, §8.5 `invalid_transaction_data`.
    pub fn parse(transaction_data: &[String]) -> Result<Option<ProposedConsent>, ConsentError> {
        if transaction_data.len() > MAX_ENTRIES {
            return Err(ConsentError::Count { got: transaction_data.len(), limit: MAX_ENTRIES });
        }
        let mut proposals =
            transaction_data.iter().map(|raw| ProposedConsent::parse(raw)).collect::<Result<Vec<_>, _>>()?;
        let first = proposals.pop();
        if proposals.is_empty() { Ok(first) } else { Err(ConsentError::MoreThanOne) }
    }
}

/// A well-formed proposal, together with the very text that was received: that text is what the holder signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedConsent {
    request: ConsentRequest,
    retention: Seconds,
    raw: String,
    hash: String,
}

impl ProposedConsent {
    /// Reads one entry of `transaction_data`.
    ///
    /// # Errors
    /// [`ConsentError`], its first group.
    pub fn parse(raw: &str) -> Result<Self, ConsentError> {
        if raw.len() > MAX_ENTRY {
            return Err(ConsentError::TooLong { limit: MAX_ENTRY });
        }
        let value = json::parse(&crate::b64::decode(raw)?, &Limits::TOKEN)?;
        let object = value.as_object().ok_or(ConsentError::Member("object"))?;
        if object.get("type").and_then(Value::as_str) != Some(CONSENT_REQUEST_TYPE) {
            return Err(ConsentError::UnknownType);
        }
        check_members(object)?;
        let request: ConsentRequest = serde_json::from_value(value).map_err(|_| ConsentError::Member("kind"))?;
        let retention = check_values(&request)?;
        Ok(Self { request, retention, hash: hash(raw), raw: raw.to_owned() })
    }

    /// Writes a proposal, for a verifier.
    ///
    /// # Errors
    /// [`ConsentError`], its first group, when no wallet would accept it.
    pub fn write(request: &ConsentRequest) -> Result<Self, ConsentError> {
        let text = serde_json::to_vec(request).map_err(|_| ConsentError::Member("kind"))?;
        Self::parse(&crate::b64::encode(&text))
    }

    /// The proposal.
    pub const fn request(&self) -> &ConsentRequest {
        &self.request
    }

    /// The entry of `transaction_data` as received.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// SHA-256 of the entry as received, not decoded, in base64url: an element of `transaction_data_hashes`.
    ///
    /// # Source
    /// OpenID4VP 1.0 §B.3.3.1 "A Profile of Transaction Data in SD-JWT VC".
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How long the verifier would keep the data.
    pub const fn retention(&self) -> Seconds {
        self.retention
    }

    /// The purposes proposed, each once.
    pub fn purposes(&self) -> impl Iterator<Item = Purpose> + '_ {
        self.request.purposes.iter().map(|purpose| purpose.code)
    }

    /// The claims proposed for any of `purposes`.
    pub fn claims_for<'p>(&'p self, purposes: &'p [Purpose]) -> impl Iterator<Item = &'p ClaimPath> + 'p {
        self.request.purposes.iter().filter(|p| purposes.contains(&p.code)).flat_map(|p| &p.claims)
    }

    /// What the query asks for and no purpose explains.
    ///
    /// # Source
    /// Our rule: nothing is asked for without a purpose.
    pub fn unexplained(&self, query: &Query) -> Vec<ClaimPath> {
        let explained = |path: &ClaimPath| self.request.purposes.iter().flat_map(|p| &p.claims).any(|c| c.covers(path));
        query.asked_paths().into_iter().filter(|path| !explained(path)).collect()
    }

    /// Checks the proposal against the request that it came with.
    ///
    /// # Errors
    /// [`ConsentError::OtherController`], [`ConsentError::OtherCredential`], [`ConsentError::RequestEnded`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.1 (`credential_ids`), §B.3.3 (key binding is required), §14.10 (the full client identifier).
    pub fn check_request(&self, client_id: &str, query: &Query, now: Timestamp) -> Result<(), ConsentError> {
        if self.request.controller.client_id != client_id {
            return Err(ConsentError::OtherController);
        }
        let bound =
            |id: &String| query.credential(id).is_some_and(|c| c.require_cryptographic_holder_binding.unwrap_or(true));
        if !self.request.credential_ids.iter().all(bound) {
            return Err(ConsentError::OtherCredential);
        }
        if now >= self.request.not_after {
            return Err(ConsentError::RequestEnded { not_after: self.request.not_after });
        }
        Ok(())
    }
}

/// SHA-256 over the ASCII of the base64url text, in base64url.
fn hash(raw: &str) -> String {
    crate::b64::encode(&Sha256::digest(raw.as_bytes()))
}

fn check_members(object: &Map<String, Value>) -> Result<(), ConsentError> {
    let known =
        |object: &Map<String, Value>, members: &[&str]| object.keys().all(|key| members.contains(&key.as_str()));
    let objects =
        |key: &str| object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let controller = object.get("controller").and_then(Value::as_object);
    if known(object, &MEMBERS)
        && controller.is_none_or(|controller| known(controller, &CONTROLLER_MEMBERS))
        && objects("purposes").all(|purpose| known(purpose, &PURPOSE_MEMBERS))
    {
        Ok(())
    } else {
        Err(ConsentError::UnknownMember)
    }
}

/// What serde cannot say; gives the retention.
fn check_values(request: &ConsentRequest) -> Result<Seconds, ConsentError> {
    let short = |text: &str| (1..=MAX_TEXT).contains(&text.len());
    let optional = |text: &Option<String>| text.as_deref().is_none_or(short);
    let require = |holds: bool, member: &'static str| if holds { Ok(()) } else { Err(ConsentError::Member(member)) };

    let ids = &request.credential_ids;
    require((1..=MAX_LIST).contains(&ids.len()) && ids.iter().all(|id| is_identifier(id)), "credential_ids")?;
    let algorithms = request.transaction_data_hashes_alg.as_ref();
    require(algorithms.is_none_or(|list| list.iter().any(|a| a == "sha-256")), "transaction_data_hashes_alg")?;
    let controller = &request.controller;
    require(short(&controller.client_id) && short(&controller.name) && optional(&controller.contact), "controller")?;
    require(request.onward.len() <= MAX_LIST && request.onward.iter().all(|party| short(party)), "onward")?;
    require(optional(&request.lang), "lang")?;

    let codes: BTreeSet<Purpose> = request.purposes.iter().map(|purpose| purpose.code).collect();
    require(!codes.is_empty() && codes.len() == request.purposes.len(), "purposes")?;
    for purpose in &request.purposes {
        require(purpose.claims.len() <= MAX_LIST && purpose.claims.iter().all(|p| check_path(p).is_ok()), "claims")?;
        require(optional(&purpose.dpv), "dpv")?;
        require(matches!(purpose.necessity.as_deref(), None | Some("required" | "optional")), "necessity")?;
    }

    let retention = Seconds::parse_iso8601(&request.retention).map_err(|_| ConsentError::Member("retention"))?;
    require(retention > Seconds::new(0), "retention")?;
    Ok(retention)
}
