//! A provider vouches for a wallet, and may not mark it.

use super::*;
use crate::fault::{Blame, Fault};
use crate::holdings::Holdings;
use crate::holdings::testing::Memory;
use crate::testing::{NOW, Provider, run};
use crate::vault::RecordKind;
use rand_chacha::ChaCha20Rng;
use schemas::Seconds;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const URL: &str = "https://wallets.example";

fn enrolled(provider: &mut Provider, rng: &mut ChaCha20Rng) -> Result<Enrolled, AttestationError> {
    let code = ProviderCode::parse(Provider::CODE).unwrap();
    run(enrol(URL, code)?, &mut Vec::new(), |effect| provider.answer(effect), NOW, rng)
}

/// What comes of a provider that marks its wallets so.
fn marked(mark: fn(usize, &mut Value, &mut Value)) -> AttestationError {
    let (_, mut rng) = Memory::seeded(1);
    enrolled(&mut Provider { mark, ..Provider::new(URL) }, &mut rng).map(drop).unwrap_err()
}

#[test]
fn attest_01_each_attestation_is_for_a_fresh_key_and_taken_once() {
    let (mut memory, mut rng) = Memory::seeded(1);
    let mut provider = Provider::new(URL);
    let mut holdings = Holdings::of(&mut memory);
    assert_eq!(holdings.restock(&mut rng).map(drop), Err(AttestationError::NotEnrolled));
    assert!(holdings.take_attestation(NOW, &mut rng).unwrap().is_none());
    let first = enrolled(&mut provider, &mut rng).unwrap();
    assert_eq!((first.attestations(), first.wallet_name().as_str()), (8, "Amparo"));
    assert!(!format!("{first:?}").contains(Provider::CODE));
    holdings.enrol(first, &mut rng).unwrap();
    assert_eq!(holdings.provider().unwrap().as_str(), URL);
    for left in (0..8).rev() {
        let taken = holdings.take_attestation(NOW, &mut rng).unwrap().unwrap().saved();
        assert_eq!((taken.client_id(), holdings.attestations_left(NOW)), ("org.amparo.wallet", left));
    }
    assert!(holdings.take_attestation(NOW, &mut rng).unwrap().is_none());
    let stock =
        run(holdings.restock(&mut rng).unwrap(), &mut Vec::new(), |e| provider.answer(e), NOW, &mut rng).unwrap();
    holdings.stock(stock, &mut rng).unwrap();
    assert_eq!(holdings.attestations_left(NOW), 8);
    let keys: BTreeSet<String> = provider.keys.iter().map(|key| key["x"].to_string()).collect();
    assert_eq!((keys.len(), provider.keys.len()), (16, 16), "the provider sees no key twice");
    // At their end they are worth nothing, and an hour before they are not begun with.
    let end = NOW.floor_to(Seconds::DAY).plus(Seconds::DAY.times(7));
    assert_eq!(holdings.attestations_left(end.minus(Seconds::new(3_601))), 8);
    assert_eq!(holdings.attestations_left(end.minus(Seconds::HOUR)), 0);
}

#[test]
fn attest_02_a_new_provider_leaves_nothing_of_the_old_one() {
    let (mut memory, mut rng) = Memory::seeded(2);
    let first = enrolled(&mut Provider::new(URL), &mut rng).unwrap();
    Holdings::of(&mut memory).enrol(first, &mut rng).unwrap();
    let old = memory.clone();
    let other = "https://others.example";
    let code = ProviderCode::parse(Provider::CODE).unwrap();
    let mut provider = Provider::new(other);
    let second = run(enrol(other, code).unwrap(), &mut Vec::new(), |e| provider.answer(e), NOW, &mut rng).unwrap();
    Holdings::of(&mut memory).enrol(second, &mut rng).unwrap();
    assert_eq!(memory.ids_of(RecordKind::PROVIDER).len(), 1);
    assert_eq!(memory.ids_of(RecordKind::WALLET_ATTESTATION).len(), 8);
    // Even where one of the old ones were still there: it remembers whose it is.
    memory.records.extend(old.records.into_iter().filter(|(_, (kind, _))| *kind == RecordKind::WALLET_ATTESTATION));
    assert_eq!(memory.ids_of(RecordKind::WALLET_ATTESTATION).len(), 16);
    let mut holdings = Holdings::of(&mut memory);
    assert_eq!(holdings.attestations_left(NOW), 8);
    assert!(holdings.leave_provider(&mut rng).unwrap() && !holdings.leave_provider(&mut rng).unwrap());
    assert!(memory.records.is_empty());
}

#[test]
fn attest_03_what_tells_one_wallet_from_another_is_refused() {
    type Mark = fn(usize, &mut Value, &mut Value);
    let marks: [(&str, Mark); 17] = [
        ("sub", |n, _, claims| claims["sub"] = format!("org.amparo.wallet.{n}").into()),
        ("sub", |_, _, claims| claims["sub"] = "org.amparo.wallet.4711".into()),
        ("iss", |n, _, claims| claims["iss"] = format!("{URL}/{n}").into()),
        ("wallet_name", |_, _, claims| claims["wallet_name"] = "Amparo for A. D.".into()),
        ("wallet_link", |_, _, claims| claims["wallet_link"] = format!("{URL}/about").into()),
        ("iat", |_, _, claims| claims["iat"] = json!(NOW)),
        ("exp", |n, _, claims| {
            claims["exp"] = json!(NOW.floor_to(Seconds::DAY).plus(Seconds::DAY.times(2 + n as u64)))
        }),
        // Midnights, and the same for all: a number of this wallet's own all the same.
        ("exp", |_, _, claims| claims["exp"] = json!(NOW.floor_to(Seconds::DAY).plus(Seconds::DAY.times(4_711)))),
        ("iat", |_, _, claims| claims["iat"] = json!(Seconds::DAY.times(4_711).get())),
        ("nbf", |_, _, claims| claims["nbf"] = json!(Seconds::DAY.times(4_711).get())),
        ("jti", |n, _, claims| claims["jti"] = n.into()),
        ("status", |n, _, claims| claims["status"] = json!({"status_list": {"idx": n, "uri": URL}})),
        ("kid", |_, header, _| header["kid"] = "4711".into()),
        ("x5c", |n, header, _| {
            let leaf = header["x5c"][0].clone();
            header["x5c"] = if n == 3 { json!([leaf.clone(), leaf]) } else { json!([leaf]) };
        }),
        ("cnf.jwk.kid", |n, _, claims| claims["cnf"]["jwk"]["kid"] = n.into()),
        ("nbf", |n, _, claims| {
            if n % 2 == 0 {
                claims["nbf"] = json!(NOW.floor_to(Seconds::DAY));
            }
        }),
        // The same members, in another order.
        ("form", |n, _, claims| {
            if n == 5 {
                let claims = claims.as_object_mut().unwrap();
                let iss = claims.shift_remove("iss").unwrap();
                claims.insert("iss".into(), iss);
            }
        }),
    ];
    for (member, mark) in marks {
        let refused = marked(mark);
        assert_eq!(refused, AttestationError::TellsApart(TellsApart { member: member.into() }), "{member}");
        assert_eq!(refused.fault(), Fault::Peer);
        assert!(refused.hint().contains("use another"));
    }
}

#[test]
fn attest_04_a_provider_is_read_strictly() {
    let refused = |tamper: fn(&str, &mut Value)| {
        let (_, mut rng) = Memory::seeded(3);
        enrolled(&mut Provider { tamper, ..Provider::new(URL) }, &mut rng).map(drop).unwrap_err()
    };
    assert_eq!(refused(|_, v| v["provider"] = "https://other.example".into()), AttestationError::OtherProvider);
    assert_eq!(refused(|_, v| v["client_id"] = "org.amparo.wallet.4711".into()), AttestationError::OtherProvider);
    let elsewhere = refused(|_, v| v["wallet_attestation_endpoint"] = "https://other.example/wallets".into());
    assert_eq!(elsewhere, AttestationError::OtherProvider);
    let inside = refused(|_, v| v["wallet_attestation_endpoint"] = "http://127.0.0.1:1/wallets".into());
    assert!(matches!(inside, AttestationError::Address(_)));
    assert_eq!(refused(|_, v| drop(v.as_object_mut().unwrap().remove("lifetime"))), AttestationError::Malformed);
    // Days by the thousand could be this wallet's number.
    let for_years = refused(|path, v| {
        if path != "/wallets" {
            v["lifetime"] = json!(86_400_u64 * 4_711);
        }
    });
    assert_eq!(for_years, AttestationError::TellsApart(TellsApart { member: "exp".into() }));
    let fewer: fn(&str, &mut Value) = |path, v| {
        if path == "/wallets" {
            v["attestations"].as_array_mut().unwrap().pop();
        }
    };
    assert_eq!(refused(fewer), AttestationError::NotOurs);
    let swapped: fn(&str, &mut Value) = |path, v| {
        if path == "/wallets" {
            v["attestations"].as_array_mut().unwrap().swap(0, 1);
        }
    };
    assert_eq!(refused(swapped), AttestationError::NotOurs);
    assert_eq!(marked(|_, header, _| header["typ"] = "JWT".into()), AttestationError::NotOurs);
    // Another code, and no address.
    let (_, mut rng) = Memory::seeded(4);
    let mut provider = Provider::new(URL);
    let wrong = enrol(URL, ProviderCode::parse("another").unwrap()).unwrap();
    let refused = run(wrong, &mut Vec::new(), |effect| provider.answer(effect), NOW, &mut rng).map(drop);
    assert_eq!(refused, Err(AttestationError::Refused { code: true }));
    for code in ["", " ", "a b", "a\nb"] {
        assert!(matches!(ProviderCode::parse(code), Err(AttestationError::Code)), "{code:?}");
    }
    for url in ["http://wallets.example", "wallets.example", "https://wallets.example/?x=1", "file:///etc/passwd"] {
        let refused = enrol(url, ProviderCode::parse("x").unwrap()).map(drop);
        assert!(matches!(refused, Err(AttestationError::Address(_))), "{url}");
    }
}
