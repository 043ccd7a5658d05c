//! What is kept of an answer: the claims and who vouches for them, and nothing that could be replayed or linked.

use super::StatusFinding;
use crate::guarded::Content;
use credentials::sd_jwt::PresentedCredential;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value, json};
use std::fmt;
use zeroize::Zeroizing;

/// How old the holder's verification may be to count as evidence of presence.
///
/// # Source
/// `security.md` §3.3: `now - auth_time` ≤ 300 s.
const PRESENCE_AGE: Seconds = Seconds::new(300);

/// Claims of the token itself: not about the holder, or handles by which presentations could be linked.
const NOT_ABOUT_THE_HOLDER: [&str; 9] =
    ["iss", "iat", "nbf", "exp", "vct", "vct#integrity", "cnf", "status", "_sd_alg"];

/// The credentials of one answer.
pub struct Held {
    pub(super) credentials: Vec<HeldCredential>,
}

/// One credential of an answer.
pub struct HeldCredential {
    query: String,
    vct: String,
    issuer: String,
    claims: Map<String, Value>,
    status: StatusFinding,
    acr: Option<String>,
    amr: Vec<String>,
    face_is_evidence: bool,
}

impl Held {
    /// The credentials.
    pub fn credentials(&self) -> &[HeldCredential] {
        &self.credentials
    }
}

impl HeldCredential {
    /// What is kept of a verified presentation that answers `query`.
    pub fn of(query: &str, credential: &PresentedCredential, status: StatusFinding, now: Timestamp) -> Self {
        let mut claims = credential.claims().clone();
        let key_is_assured = claims.contains_key("holder_key_assurance");
        claims.retain(|name, _| !NOT_ABOUT_THE_HOLDER.contains(&name.as_str()));
        let binding = credential.key_binding();
        let amr = binding.amr().to_vec();
        let recent = binding.auth_time().is_some_and(|at| at <= now && now.since(at) <= PRESENCE_AGE);
        let face_is_evidence = key_is_assured && recent && amr.iter().any(|method| method == "face");
        Self {
            query: query.to_owned(),
            vct: credential.vct().to_owned(),
            issuer: credential.issuer().subject().to_owned(),
            claims,
            status,
            acr: binding.acr().map(str::to_owned),
            amr,
            face_is_evidence,
        }
    }

    /// The credential query it answers.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Its type.
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// The name in its issuer's certificate, safe to show.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claims about the holder.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What was known of its status.
    pub const fn status(&self) -> StatusFinding {
        self.status
    }

    /// How the wallet says that it verified its holder, as a class; the wallet's word.
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// The methods by which the wallet says that it verified its holder; the wallet's word.
    pub fn amr(&self) -> &[String] {
        &self.amr
    }

    /// Whether `face` among the methods counts as evidence of presence: an issuer vouches for the holder's key, and the
    /// verification is no older than 300 s.
    pub const fn face_is_evidence(&self) -> bool {
        self.face_is_evidence
    }

    fn to_value(&self) -> Value {
        let Self { query, vct, issuer, claims, status, acr, amr, face_is_evidence } = self;
        json!({
            "query": query, "vct": vct, "issuer": issuer, "claims": claims, "status": status.as_str(),
            "acr": acr, "amr": amr, "face": face_is_evidence,
        })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            query: text("query")?,
            vct: text("vct")?,
            issuer: text("issuer")?,
            claims: value.get("claims")?.as_object()?.clone(),
            status: StatusFinding::by_word(&text("status")?)?,
            acr: text("acr"),
            amr: value.get("amr")?.as_array()?.iter().filter_map(|m| m.as_str().map(str::to_owned)).collect(),
            face_is_evidence: value.get("face")?.as_bool()?,
        })
    }
}

impl Content for Held {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let all = Value::Array(self.credentials.iter().map(HeldCredential::to_value).collect());
        Zeroizing::new(all.to_string().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let all: Value = serde_json::from_slice(bytes).ok()?;
        let credentials = all.as_array()?.iter().map(HeldCredential::from_value).collect::<Option<Vec<_>>>()?;
        Some(Self { credentials })
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credentials } = self;
        f.debug_list().entries(credentials).finish()
    }
}

impl fmt::Debug for HeldCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { query, vct, issuer: _, claims: _, status, acr: _, amr: _, face_is_evidence: _ } = self;
        f.debug_struct("HeldCredential")
            .field("query", query)
            .field("vct", vct)
            .field("status", status)
            .finish_non_exhaustive()
    }
}
