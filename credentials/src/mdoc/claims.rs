//! Claims of our credential types as elements, and back.

use super::Elements;
use crate::b64;
use crate::cbor::{FULL_DATE, Value};
use schemas::credential_type::ClaimKind;
use schemas::mdoc::{DocumentType, ElementForm, PID_NAME_SPACE};
use serde_json::{Map, Value as Json};

/// A claim that cannot stand in a document of the type: unknown to it, or of another kind than it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("claim {name} is not one of the document type, or of another kind")]
pub struct ClaimMismatch {
    /// Its name, escaped.
    pub name: String,
}

/// The elements that stand for `claims` in a document of `document_type`.
///
/// What fits the form of its element in the European name space stands there; everything else under its own name in ours.
///
/// # Errors
/// [`ClaimMismatch`] for a claim that the type does not have, or of another kind.
///
/// # Source
/// The table of [`schemas::mdoc`].
pub fn elements_of(document_type: &DocumentType, claims: &Map<String, Json>) -> Result<Elements, ClaimMismatch> {
    let mut elements = Elements::new();
    for (name, claim) in claims {
        let mismatch = || ClaimMismatch { name: crate::escape::escaped(name).into_owned() };
        let kind = document_type.own_kind(name).ok_or_else(mismatch)?;
        let own = own_value(kind, claim).ok_or_else(mismatch)?;
        let mut place = |member: Option<&str>, value: &Json| {
            let element = document_type.element(name, member)?;
            elements.insert(PID_NAME_SPACE, element.identifier, value_of(element.form, value)?);
            Some(())
        };
        match (own, claim) {
            (Value::Map(mut members), Json::Object(object)) => {
                members.retain(|(key, _)| {
                    let placed = key.as_text().and_then(|member| place(Some(member), object.get(member)?));
                    placed.is_none()
                });
                if !members.is_empty() {
                    elements.insert(document_type.doc_type, name, Value::Map(members));
                }
            }
            (own, claim) => {
                if place(None, claim).is_none() {
                    elements.insert(document_type.doc_type, name, own);
                }
            }
        }
    }
    Ok(elements)
}

/// The claims that `elements` stand for in a document of `document_type`. Elements that stand for none are left out: they
/// are where they were.
pub fn claims_of(document_type: &DocumentType, elements: &Elements) -> Map<String, Json> {
    let mut claims = Map::new();
    for (name_space, identifier, value) in elements.iter() {
        if name_space == document_type.doc_type
            && let Some(kind) = document_type.own_kind(identifier)
        {
            merge(&mut claims, identifier, own_json(kind, value));
        }
        if name_space == PID_NAME_SPACE
            && let Some(element) = document_type.elements.iter().find(|element| element.identifier == identifier)
        {
            let json = json_of(element.form, value);
            let json = match element.member {
                Some(member) => Json::Object([(member.to_owned(), json)].into_iter().collect()),
                None => json,
            };
            merge(&mut claims, element.claim, json);
        }
    }
    claims
}

/// Puts a claim in; objects of several elements become one.
fn merge(claims: &mut Map<String, Json>, name: &str, json: Json) {
    match (claims.get_mut(name), json) {
        (Some(Json::Object(there)), Json::Object(more)) => there.extend(more),
        (_, json) => _ = claims.insert(name.to_owned(), json),
    }
}

/// A claim of `kind` as CBOR of the same shape; `None` for one of another kind.
fn own_value(kind: ClaimKind, claim: &Json) -> Option<Value> {
    let text = |json: &Json| json.as_str().map(Value::from);
    match kind {
        ClaimKind::Text => text(claim),
        ClaimKind::Date => claim.as_str().filter(|date| is_date(date)).map(full_date),
        ClaimKind::TextList => claim.as_array()?.iter().map(text).collect::<Option<_>>().map(Value::Array),
        ClaimKind::Boolean => claim.as_bool().map(Value::Bool),
        ClaimKind::Integer => claim.as_i64().map(Value::Integer),
        ClaimKind::TextMap => {
            let members = claim.as_object()?.iter().map(|(name, json)| Some((name.as_str().into(), text(json)?)));
            members.collect::<Option<_>>().map(Value::Map)
        }
        ClaimKind::Picture => picture(claim.as_str()?),
    }
}

/// The reverse of [`own_value`].
fn own_json(kind: ClaimKind, value: &Value) -> Json {
    match (kind, value) {
        (ClaimKind::Picture, Value::Bytes(jpeg)) => data_url(jpeg),
        (_, value) => value.to_json(),
    }
}

/// A claim as an element of `form`; `None` when it does not fit.
fn value_of(form: ElementForm, claim: &Json) -> Option<Value> {
    let short = |text: &&str| text.chars().count() <= LONGEST_TEXT;
    match form {
        ElementForm::Text => claim.as_str().filter(short).map(Value::from),
        ElementForm::CountryCode => claim.as_str().filter(|code| is_country(code)).map(Value::from),
        ElementForm::CountryCodes => {
            let codes = claim.as_array().filter(|codes| !codes.is_empty())?;
            codes.iter().map(|code| value_of(ElementForm::CountryCode, code)).collect::<Option<_>>().map(Value::Array)
        }
        ElementForm::FullDate => claim.as_str().filter(|date| is_date(date)).map(full_date),
        ElementForm::Sex => SEXES.iter().find(|(_, name)| claim == *name).map(|(number, _)| Value::Integer(*number)),
        ElementForm::PlaceOfBirth => {
            let locality = claim.as_str().filter(short)?;
            Some(Value::Map(vec![("locality".into(), locality.into())]))
        }
        ElementForm::Telephone => {
            let is_number = |text: &&str| {
                let digits = text.strip_prefix('+').unwrap_or_default();
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
            };
            claim.as_str().filter(short).filter(is_number).map(Value::from)
        }
        ElementForm::Portrait => picture(claim.as_str()?),
    }
}

/// The reverse of [`value_of`]; what is not of the form, because another issuer made it, comes as it is.
fn json_of(form: ElementForm, value: &Value) -> Json {
    match (form, value) {
        (ElementForm::Sex, Value::Integer(n)) => {
            SEXES.iter().find(|(number, _)| number == n).map_or_else(|| Json::from(*n), |(_, name)| Json::from(*name))
        }
        (ElementForm::PlaceOfBirth, Value::Map(members)) => {
            let part = |name: &&str| members.iter().find(|(key, _)| key.as_text() == Some(*name))?.1.as_text();
            let parts: Vec<&str> = ["locality", "region", "country"].iter().filter_map(part).collect();
            Json::from(parts.join(", "))
        }
        (ElementForm::Portrait, Value::Bytes(jpeg)) => data_url(jpeg),
        (_, value) => value.to_json(),
    }
}

/// The most characters of a text (PID Rulebook 1.4 §3.1.1).
const LONGEST_TEXT: usize = 150;
/// PID Rulebook 1.4 §2.3 `sex`.
const SEXES: [(i64, &str); 8] = [
    (0, "not known"),
    (1, "male"),
    (2, "female"),
    (3, "other"),
    (4, "inter"),
    (5, "diverse"),
    (6, "open"),
    (9, "not applicable"),
];
const JPEG: &str = "data:image/jpeg;base64,";

fn full_date(date: &str) -> Value {
    Value::Tag(FULL_DATE, Box::new(date.into()))
}

/// Whether it has the shape of `YYYY-MM-DD`; whether the calendar has the day is seen when claims are taken in.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// The JPEG in a data URL; no bytes for the empty text, which means that no picture was wanted.
fn picture(url: &str) -> Option<Value> {
    if url.is_empty() {
        return Some(Value::Bytes(Vec::new()));
    }
    b64::decode_standard(url.strip_prefix(JPEG)?).ok().map(Value::Bytes)
}

fn data_url(jpeg: &[u8]) -> Json {
    if jpeg.is_empty() { Json::from("") } else { Json::from(format!("{JPEG}{}", b64::encode_standard(jpeg))) }
}
