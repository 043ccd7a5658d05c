//! Whether attestations tell one wallet from another.

use crate::wire;
use credentials::b64;
use credentials::json::{Limits, parse_object};
use schemas::wallet_provider::ProviderMetadata;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};

/// A provider has put something into an attestation by which this wallet could be known again.
///
/// In a cohort all must be the same, byte for byte, but for the coordinates of the key; what a provider says of itself and
/// of its wallets must be what it says to everybody, and times must be those of whoever asks today. Not seen: what is hidden in signatures and
/// keys, and a provider that lies to one wallet in its metadata as well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider marks this wallet: {member} of an attestation is not what it is for every wallet")]
pub struct TellsApart {
    /// What differs: a claim, a member of the header, or `form` for how they are written.
    pub member: String,
}

/// What all attestations of a cohort have in common: the header, and the claims without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Likeness {
    header: String,
    /// The payload as it is written, the coordinates of the key left out.
    payload: String,
}

/// One attestation, taken apart.
struct Read {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    likeness: Likeness,
}

/// Holds the attestations of one cohort against each other, and against what the provider says to everybody.
///
/// # Errors
/// [`TellsApart`].
///
/// # Source
/// HAIP 1.0 §4.4.1: "They MUST NOT introduce a unique identifier specific to a single Wallet instance"; OpenID4VCI 1.0 §15.4.4.
pub(super) fn check(texts: &[String], provider: &ProviderMetadata, now: Timestamp) -> Result<(), TellsApart> {
    let mut first: Option<Likeness> = None;
    for text in texts {
        let Read { header, claims, likeness } = read(text).ok_or_else(|| apart("form"))?;
        expect(&header, &claims, provider, now)?;
        match &first {
            None => first = Some(likeness),
            Some(first) if *first == likeness => {}
            Some(_) => return Err(difference(texts, text)),
        }
    }
    Ok(())
}

/// What one attestation alone must not say.
fn expect(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    metadata: &ProviderMetadata,
    now: Timestamp,
) -> Result<(), TellsApart> {
    plain_header(header)?;
    let ProviderMetadata { provider, client_id, wallet_name, wallet_link, .. } = metadata;
    let said = [
        ("iss", Some(provider)),
        ("sub", Some(client_id)),
        ("wallet_name", Some(wallet_name)),
        ("wallet_link", wallet_link.as_ref()),
    ];
    for (name, expected) in said {
        if claims.get(name).and_then(Value::as_str) != expected.map(String::as_str) {
            return Err(apart(name));
        }
    }
    usual_times(claims, metadata, now)?;
    let known = ["iss", "sub", "wallet_name", "wallet_link", "iat", "nbf", "exp", "cnf"];
    match claims.keys().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(apart(other)),
        None => Ok(()),
    }
}

/// A header has room for a number of this wallet's own, so nothing is in it but what must be.
pub(super) fn plain_header(header: &Map<String, Value>) -> Result<(), TellsApart> {
    match header.keys().find(|name| !["alg", "typ", "x5c"].contains(&name.as_str())) {
        Some(other) => Err(apart(other)),
        None => Ok(()),
    }
}

/// Times as every wallet gets them that asks today: from the last midnight, or the one before where the clocks differ, for as long
/// as the provider says to everybody. Any other midnight could be a number of this wallet's own.
pub(super) fn usual_times(
    claims: &Map<String, Value>,
    provider: &ProviderMetadata,
    now: Timestamp,
) -> Result<(), TellsApart> {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix);
    let today = now.plus(AHEAD).floor_to(Seconds::DAY);
    let begun = time("iat").filter(|at| [today, today.minus(Seconds::DAY)].contains(at)).ok_or_else(|| apart("iat"))?;
    if claims.contains_key("nbf") && time("nbf") != Some(begun) {
        return Err(apart("nbf"));
    }
    let ProviderMetadata { lifetime, .. } = provider;
    let is_usual =
        (LEAST_DAYS..=MOST_DAYS).contains(&lifetime.get()) && lifetime.get().is_multiple_of(Seconds::DAY.get());
    if is_usual && time("exp") == Some(begun.plus(*lifetime)) { Ok(()) } else { Err(apart("exp")) }
}

fn read(text: &str) -> Option<Read> {
    let mut parts = text.split('.');
    let (header, payload) = (parts.next()?, b64::decode(parts.next()?).ok()?);
    let members = parse_object(&b64::decode(header).ok()?, &Limits::TOKEN).ok()?;
    let claims = wire::object(&payload).ok()?;
    let jwk = claims.get("cnf")?.get("jwk")?;
    let mut payload = String::from_utf8(payload).ok()?;
    for name in ["x", "y"] {
        let coordinate = jwk.get(name)?.as_str().filter(|text| text.len() == COORDINATE)?;
        payload = payload.replacen(coordinate, "", 1);
    }
    Some(Read { header: members, claims, likeness: Likeness { header: header.to_owned(), payload } })
}

/// Where two differ, for whoever must tell the provider.
fn difference(texts: &[String], other: &str) -> TellsApart {
    let Some((one, two)) = texts.first().and_then(|first| read(first)).zip(read(other)) else { return apart("form") };
    let differing = |one: &Map<String, Value>, two: &Map<String, Value>| {
        let names = one.keys().chain(two.keys());
        names.filter(|name| name.as_str() != "cnf").find(|name| one.get(*name) != two.get(*name)).cloned()
    };
    let in_key = || {
        let [one, two] =
            [&one, &two].map(|read| read.claims.get("cnf").and_then(|cnf| cnf.get("jwk")?.as_object().cloned()));
        let (one, two) = one.zip(two)?;
        let names = one.keys().chain(two.keys()).filter(|name| !["x", "y"].contains(&name.as_str()));
        names.clone().find(|name| one.get(*name) != two.get(*name)).map(|name| format!("cnf.jwk.{name}"))
    };
    let member = differing(&one.header, &two.header).or_else(|| differing(&one.claims, &two.claims)).or_else(in_key);
    apart(member.as_deref().unwrap_or("form"))
}

pub(super) fn apart(member: &str) -> TellsApart {
    // The provider's own word: shown to people, so short and plain.
    let plain = member.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect();
    TellsApart { member: plain }
}

/// How far the provider's clock may be ahead of ours.
const AHEAD: Seconds = Seconds::MINUTE.times(5);
/// How long attestations are good: as `amparo-attester` makes them.
const LEAST_DAYS: u64 = Seconds::DAY.get() * 2;
const MOST_DAYS: u64 = Seconds::DAY.get() * 31;
/// A coordinate of P-256, base64url.
const COORDINATE: usize = 43;
