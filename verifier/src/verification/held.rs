//! What is kept of an answer: the claims and who vouches for them, and nothing that could be replayed or linked.

use super::{Presentation, StatusFinding};
use crate::guarded::Content;
use credentials::cbor::{DATE_TIME, Value as CborValue};
use credentials::dcql::FORMAT;
use credentials::key_binding::KeyBinding;
use credentials::mdoc::{Elements, claims_of};
use schemas::mdoc::{PRESENCE, PRESENCE_NAME_SPACE};
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
    format: String,
    type_name: String,
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
    pub fn of(query: &str, presentation: &Presentation, status: StatusFinding, now: Timestamp) -> Self {
        let (claims, presence) = match presentation {
            Presentation::SdJwtVc(credential) => {
                let mut claims = credential.claims().clone();
                claims.retain(|name, _| !NOT_ABOUT_THE_HOLDER.contains(&name.as_str()));
                (claims, Presence::of_key_binding(credential.key_binding()))
            }
            Presentation::Mdoc(document) => {
                (claims_in(document.doc_type(), document.elements()), Presence::of_elements(document.own_elements()))
            }
        };
        let Presence { acr, amr, auth_time } = presence;
        let recent = auth_time.is_some_and(|at| at <= now && now.since(at) <= PRESENCE_AGE);
        let key_is_assured = claims.contains_key("holder_key_assurance");
        let face_is_evidence = key_is_assured && recent && amr.iter().any(|method| method == "face");
        Self {
            query: query.to_owned(),
            format: presentation.format().to_owned(),
            type_name: presentation.type_name().to_owned(),
            issuer: presentation.issuer().subject().to_owned(),
            claims,
            status,
            acr,
            amr,
            face_is_evidence,
        }
    }

    /// The credential query it answers.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Its format: `dc+sd-jwt` or `mso_mdoc`.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Its type: a `vct` or a document type.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The name in its issuer's certificate, safe to show.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claims about the holder, under the claim names of its type whatever the format. Elements of an mdoc that stand for
    /// none of these stand under their name spaces.
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
        let Self { query, format, type_name, issuer, claims, status, acr, amr, face_is_evidence } = self;
        json!({
            "query": query, "format": format, "vct": type_name, "issuer": issuer, "claims": claims, "status": status.as_str(),
            "acr": acr, "amr": amr, "face": face_is_evidence,
        })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            query: text("query")?,
            // What was kept before there were two.
            format: text("format").unwrap_or_else(|| FORMAT.to_owned()),
            type_name: text("vct")?,
            issuer: text("issuer")?,
            claims: value.get("claims")?.as_object()?.clone(),
            status: StatusFinding::by_word(&text("status")?)?,
            acr: text("acr"),
            amr: value.get("amr")?.as_array()?.iter().filter_map(|m| m.as_str().map(str::to_owned)).collect(),
            face_is_evidence: value.get("face")?.as_bool()?,
        })
    }
}

/// What the wallet says of how it verified its holder.
struct Presence {
    acr: Option<String>,
    amr: Vec<String>,
    auth_time: Option<Timestamp>,
}

impl Presence {
    fn of_key_binding(binding: &KeyBinding) -> Self {
        Self { acr: binding.acr().map(str::to_owned), amr: binding.amr().to_vec(), auth_time: binding.auth_time() }
    }

    /// # Source
    /// `security.md` §3.3: the same, as device-signed elements.
    fn of_elements(own: &Elements) -> Self {
        let [amr, acr, auth_time] = PRESENCE.map(|name| own.get(PRESENCE_NAME_SPACE, name));
        let text = |value: &CborValue| value.as_text().map(str::to_owned);
        Self {
            acr: acr.and_then(text),
            amr: match amr {
                Some(CborValue::Array(methods)) => methods.iter().filter_map(text).collect(),
                _ => Vec::new(),
            },
            auth_time: match auth_time {
                Some(CborValue::Tag(DATE_TIME, time)) => time.as_text().and_then(|time| time.parse().ok()),
                _ => None,
            },
        }
    }
}

/// Claims by the names of the type, and what stands for none of them where it was.
fn claims_in(doc_type: &str, elements: &Elements) -> Map<String, Value> {
    let Some(known) = schemas::mdoc::by_doc_type(doc_type) else { return elements.to_json() };
    let mut claims = claims_of(known, elements);
    let strange = elements.iter().filter(|(space, name, _)| known.claim_path(space, name).is_none());
    claims.extend(strange.map(|(space, name, value)| (space, name, value.clone())).collect::<Elements>().to_json());
    claims
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
        let Self { query, format, type_name, issuer: _, claims: _, status, acr: _, amr: _, face_is_evidence: _ } = self;
        f.debug_struct("HeldCredential")
            .field("query", query)
            .field("format", format)
            .field("type_name", type_name)
            .field("status", status)
            .finish_non_exhaustive()
    }
}
