//! What an issuer may send, and what comes of it.

use super::world::*;
use crate::at;
use crate::world::{NOW, WORLD, key, rng};
use credentials::cbor::{CborError, FieldError, Value};
use credentials::cose::CoseError;
use credentials::mdoc::{Elements, IssueError, ItemError, ResponseError, VerifyError, issue, verify_issued};
use credentials::signer::Signer as _;
use credentials::trust::{ChainError, Trust, TrustAnchors, Usage};
use schemas::status::StatusReference;
use std::collections::BTreeSet;

fn received(bytes: &[u8]) -> Result<credentials::mdoc::Mdoc, VerifyError> {
    verify_issued(bytes, &WORLD.policy(), NOW)
}

fn form(error: FieldError) -> VerifyError {
    VerifyError::Form(ResponseError::Form(error))
}

fn object(error: impl Into<CoseError>) -> VerifyError {
    VerifyError::Form(ResponseError::IssuerAuth(error.into()))
}

fn item(error: ItemError) -> VerifyError {
    VerifyError::Form(ResponseError::Item(error))
}

#[test]
fn what_is_drafted_is_received() {
    let mut draft = draft();
    draft.status = Some(StatusReference { idx: 412, uri: "https://issuer.example/status/1".into() });
    draft.expected_update = Some(later(3_600));
    let bytes = issued(&draft);
    let held = received(&bytes).unwrap();
    assert_eq!(held.elements(), draft.elements);
    assert_eq!(held.doc_type(), TYPE);
    assert_eq!(held.device_key(), WORLD.holder.public_key());
    assert_eq!(held.status(), draft.status.as_ref());
    assert_eq!((held.signed_at(), held.valid_from(), held.valid_until()), (NOW, NOW, later(86_400)));
    assert_eq!(held.expected_update(), draft.expected_update);
    assert!(held.authorizations().allow(OWN, "grant") && held.authorizations().allow("org.amparo.presence.1", "acr"));
    assert!(!held.authorizations().allow("org.amparo.presence.1", "amr") && !held.authorizations().allow(SPACE, "x"));
    assert_eq!(held.issuer().unwrap().trust(), Trust::Known);
    assert_eq!(held.as_bytes(), bytes);
    let again = credentials::mdoc::Mdoc::reopen(&bytes).unwrap();
    assert_eq!(again.elements(), draft.elements);
    assert!(again.issuer().is_none());
}

#[test]
fn iso18013_9_1_2_5_salts_are_fresh_and_identifiers_and_decoys_say_nothing() {
    let (mut salts, mut orders) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..20 {
        let bytes = issue(&draft(), &WORLD.chain, WORLD.holder.public_key(), &WORLD.issuer, &mut rng(seed)).unwrap();
        let mut value = decode(&bytes);
        let mut order = Vec::new();
        for space in [SPACE, "org.amparo.identity.1"] {
            for mut signed in items(at!(&mut value, "nameSpaces", space)).clone() {
                within(&mut signed, |signed| {
                    let salt = at!(signed, "random").as_bytes().unwrap().to_vec();
                    assert!(salt.len() >= 16 && salts.insert(salt));
                    order.push(at!(signed, "digestID").as_integer().unwrap());
                });
            }
        }
        orders.insert(order);
        let mut payload = decode(items(at!(&mut value, "issuerAuth"))[2].as_bytes().unwrap());
        within(&mut payload, |object| {
            for space in [SPACE, "org.amparo.identity.1"] {
                assert_eq!(members(at!(object, "valueDigests", space)).len(), 8);
            }
        });
    }
    assert!(orders.len() > 10, "identifiers must not follow the order of elements");
    let mut plain = draft();
    plain.decoys = false;
    let mut value = decode(&issued(&plain));
    reissued(&mut value, |object| assert_eq!(members(at!(object, "valueDigests", SPACE)).len(), 4));
}

#[test]
fn drafts_that_no_verifier_would_accept_are_refused() {
    let refused = |edit: &dyn Fn(&mut credentials::mdoc::IssuanceDraft)| {
        let mut draft = draft();
        edit(&mut draft);
        issue(&draft, &WORLD.chain, WORLD.holder.public_key(), &WORLD.issuer, &mut rng(1)).unwrap_err()
    };
    assert_eq!(refused(&|d| d.doc_type.clear()), IssueError::EmptyType);
    assert_eq!(refused(&|d| d.elements = Elements::new()), IssueError::Empty);
    assert_eq!(refused(&|d| d.valid_from = later(-1)), IssueError::NeverValid);
    assert_eq!(refused(&|d| d.valid_until = d.valid_from), IssueError::NeverValid);
    assert_eq!(refused(&|d| d.valid_until = schemas::Timestamp::from_unix(i64::MAX)), IssueError::Range);
    assert_eq!(refused(&|d| d.status = Some(StatusReference { idx: u64::MAX, uri: "u".into() })), IssueError::Range);
    let many = |d: &mut credentials::mdoc::IssuanceDraft| {
        for n in 0..253 {
            d.elements.insert(SPACE, &format!("e{n}"), 1);
        }
    };
    assert_eq!(refused(&many), IssueError::TooMany { most: 256, got: 258 });
    let deep = (0..16).fold(Value::Null, |value, _| Value::Array(vec![value]));
    assert!(matches!(refused(&|d| _ = d.elements.insert(SPACE, "a", deep.clone())), IssueError::Value { at: 0 }));
    let twice = Value::Map(vec![(1.into(), Value::Null), (1.into(), Value::Null)]);
    assert!(matches!(refused(&|d| _ = d.elements.insert(SPACE, "a", twice.clone())), IssueError::Value { at: 0 }));
    let long = vec![0; 256 * 1024];
    assert!(matches!(refused(&|d| _ = d.elements.insert(SPACE, "a", long.clone())), IssueError::TooLong { .. }));
    let other = issue(&draft(), &WORLD.chain, WORLD.holder.public_key(), &key(9), &mut rng(1));
    assert_eq!(other.unwrap_err(), IssueError::WrongKey);
    // The deepest that is drafted is read.
    let mut deepest = draft();
    let value = (0..15).fold(Value::Null, |value, _| Value::Array(vec![value]));
    deepest.elements.insert(SPACE, "deep", value);
    assert!(received(&issued(&deepest)).is_ok());
}

#[test]
fn attack_39_an_item_with_another_salt_or_value_is_refused() {
    for (name, value) in
        [("random", Value::Bytes(vec![9; 16])), ("elementValue", "Олена".into()), ("elementIdentifier", "x".into())]
    {
        let bytes = edited(&issued(&draft()), |value_| {
            within(at!(value_, "nameSpaces", SPACE, 0), |item| *at!(item, name) = value.clone());
        });
        assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Digest), "{name}");
    }
}

#[test]
fn attack_39_an_item_that_is_not_in_the_security_object_is_refused() {
    let bytes = edited(&issued(&draft()), |value| {
        within(at!(value, "nameSpaces", SPACE, 0), |item| *at!(item, "digestID") = 4_000.into());
    });
    assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Unsigned));
    // A signed item under another name space.
    let bytes = edited(&issued(&draft()), |value| {
        members(at!(value, "nameSpaces"))[0].0 = "org.iso.18013.5.1".into();
    });
    assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Unsigned));
}

#[test]
fn attack_39_the_same_item_element_or_digest_twice_is_refused() {
    let bytes = edited(&issued(&draft()), |value| {
        let space = items(at!(value, "nameSpaces", SPACE));
        space.push(space[0].clone());
    });
    assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Duplicate));
    // Another digest identifier, the same element.
    let bytes = edited(&issued(&draft()), |value| {
        let space = items(at!(value, "nameSpaces", SPACE));
        let mut twin = space[0].clone();
        within(&mut twin, |item| *at!(item, "digestID") = 77.into());
        space.push(twin);
    });
    assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Duplicate));
    // Another element, the same digest identifier.
    let bytes = edited(&issued(&draft()), |value| {
        let space = items(at!(value, "nameSpaces", SPACE));
        let mut twin = space[0].clone();
        within(&mut twin, |item| *at!(item, "elementIdentifier") = "twin".into());
        space.push(twin);
    });
    assert_eq!(received(&bytes).unwrap_err(), item(ItemError::Duplicate));
    // A name space twice is a key twice.
    let mut bytes = issued(&draft());
    let twice = edited(&bytes, |value| {
        let spaces = members(at!(value, "nameSpaces"));
        spaces.push(spaces[0].clone());
    });
    assert_eq!(received(&twice).unwrap_err(), form(CborError::DuplicateKey.into()));
    bytes.push(0);
    assert_eq!(received(&bytes).unwrap_err(), form(CborError::Trailing.into()));
}

#[test]
fn attack_39_items_of_another_form_are_refused() {
    let malformed = |edit: &dyn Fn(&mut Value)| {
        received(&edited(&issued(&draft()), |value| within(at!(value, "nameSpaces", SPACE, 0), edit))).unwrap_err()
    };
    let error = |what| item(ItemError::Form(FieldError::Malformed(what)));
    assert_eq!(malformed(&|i| *at!(i, "random") = Value::Bytes(vec![1; 15])), error("random"));
    assert_eq!(malformed(&|i| *at!(i, "digestID") = Value::Integer(-1)), error("digestID"));
    assert_eq!(malformed(&|i| *at!(i, "digestID") = Value::Integer(1 << 31)), error("digestID"));
    assert_eq!(malformed(&|i| members(i).push(("more".into(), Value::Null))), error("IssuerSignedItem"));
    let missing = malformed(&|i| members(i).retain(|(key, _)| key.as_text() != Some("elementValue")));
    assert_eq!(missing, item(ItemError::Form(FieldError::Missing("elementValue"))));
    // Not embedded: a map in its place.
    let bytes = edited(&issued(&draft()), |value| items(at!(value, "nameSpaces", SPACE))[0] = Value::Map(vec![]));
    assert_eq!(received(&bytes).unwrap_err(), error("IssuerSignedItemBytes"));
    // `nameSpaces` under another name would be a document without elements.
    let renamed = edited(&issued(&draft()), |value| members(value)[0].0 = "namespaces".into());
    assert_eq!(received(&renamed).unwrap_err(), form(FieldError::Malformed("issuerSigned")));
    let empty = edited(&issued(&draft()), |value| items(at!(value, "nameSpaces", SPACE)).clear());
    assert_eq!(received(&empty).unwrap_err(), error("nameSpaces"));
    // 257 items.
    let many = edited(&issued(&draft()), |value| {
        let space = items(at!(value, "nameSpaces", SPACE));
        *space = vec![space[0].clone(); 257];
    });
    assert_eq!(received(&many).unwrap_err(), item(ItemError::TooMany));
}

#[test]
fn attack_39_a_security_object_of_another_form_is_refused() {
    let malformed =
        |edit: &dyn Fn(&mut Value)| received(&edited(&issued(&draft()), |value| reissued(value, edit))).unwrap_err();
    let error = |what| object(FieldError::Malformed(what));
    assert!(received(&edited(&issued(&draft()), |value| reissued(value, |_| ()))).is_ok());
    assert_eq!(malformed(&|o| *at!(o, "version") = "2.0".into()), error("version"));
    for name in ["SHA-1", "sha-256", "MD5", ""] {
        assert_eq!(malformed(&|o| *at!(o, "digestAlgorithm") = name.into()), error("digestAlgorithm"), "{name}");
    }
    assert_eq!(
        malformed(&|o| members(at!(o, "valueDigests", SPACE))[0].1 = Value::Bytes(vec![0; 31])),
        error("valueDigests")
    );
    assert_eq!(malformed(&|o| members(at!(o, "valueDigests", SPACE))[0].0 = Value::Integer(-1)), error("valueDigests"));
    assert_eq!(malformed(&|o| *at!(o, "docType") = "".into()), error("docType"));
    let mut crowd = Vec::new();
    for id in 0..2049 {
        crowd.push((Value::Integer(id), Value::Bytes(vec![0; 32])));
    }
    assert_eq!(malformed(&|o| *at!(o, "valueDigests", SPACE) = Value::Map(crowd.clone())), error("valueDigests"));
    for (name, text) in [("validFrom", "2026-01-01T00:00:00Z"), ("validUntil", "2027-01-15T08:00:00Z")] {
        let time = Value::Tag(0, Box::new(text.into()));
        assert_eq!(malformed(&|o| *at!(o, "validityInfo", name) = time.clone()), error("validityInfo"), "{name}");
    }
    assert_eq!(malformed(&|o| *at!(o, "validityInfo", "signed") = "2026-01-01T00:00:00Z".into()), error("signed"));
    // Allowed whole and in part.
    let both = |o: &mut Value| {
        let part = Value::Map(vec![(OWN.into(), Value::Array(vec!["grant".into()]))]);
        *at!(o, "deviceKeyInfo", "keyAuthorizations", "dataElements") = part;
    };
    assert_eq!(malformed(&both), error("dataElements"));
}

/// A document whose digests are by the algorithm called `name`, signed anew.
fn digested(name: &'static str, digest: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    edited(&issued(&draft()), |value| {
        let sent = members(at!(value, "nameSpaces")).clone();
        let digest_id = |signed: &Value| {
            let Value::Tag(24, inner) = signed else { panic!("nothing embedded") };
            at!(&mut decode(inner.as_bytes().unwrap()), "digestID").clone()
        };
        reissued(value, |object| {
            *at!(object, "digestAlgorithm") = name.into();
            for (space, digests) in members(at!(object, "valueDigests")) {
                let (_, mut signed) = sent.iter().find(|(sent, _)| sent == space).unwrap().clone();
                for (id, value) in members(digests) {
                    let item = items(&mut signed).iter().find(|item| digest_id(item) == *id);
                    *value = Value::Bytes(digest(&item.map_or_else(|| b"a decoy".to_vec(), encode)));
                }
            }
        });
    })
}

#[test]
fn iso18013_9_1_2_5_digests_of_all_three_algorithms_are_read_and_none_is_another() {
    use sha2::{Digest as _, Sha256, Sha384, Sha512};
    let long = |name| match name {
        "SHA-256" => digested(name, |bytes| Sha256::digest(bytes).to_vec()),
        "SHA-384" => digested(name, |bytes| Sha384::digest(bytes).to_vec()),
        _ => digested(name, |bytes| Sha512::digest(bytes).to_vec()),
    };
    for name in ["SHA-256", "SHA-384", "SHA-512"] {
        let bytes = long(name);
        assert_eq!(received(&bytes).unwrap().elements(), held(&draft()).elements(), "{name}");
        let changed = edited(&bytes, |value| {
            within(at!(value, "nameSpaces", SPACE, 0), |item| *at!(item, "random") = Value::Bytes(vec![9; 16]));
        });
        assert_eq!(received(&changed).unwrap_err(), item(ItemError::Digest), "{name}");
    }
    // Of the length that is asked for, and of something else.
    let cut = digested("SHA-384", |bytes| Sha512::digest(bytes)[..48].to_vec());
    assert_eq!(received(&cut).unwrap_err(), item(ItemError::Digest));
    let short = digested("SHA-512", |bytes| Sha384::digest(bytes).to_vec());
    assert_eq!(received(&short).unwrap_err(), object(FieldError::Malformed("valueDigests")));
}

#[test]
fn attack_61_a_status_that_cannot_be_looked_up_is_refused() {
    let with = |status: Value| {
        let bytes = edited(&issued(&draft()), |value| {
            reissued(value, |object| members(object).push(("status".into(), status)));
        });
        received(&bytes).map(|held| held.status().cloned())
    };
    let list = |idx: Value, uri: Value| {
        Value::Map(vec![("status_list".into(), Value::Map(vec![("idx".into(), idx), ("uri".into(), uri)]))])
    };
    let found = with(list(5.into(), "https://a.example".into())).unwrap().unwrap();
    assert_eq!((found.idx, found.uri.as_str()), (5, "https://a.example"));
    for bad in [
        list((-1).into(), "u".into()),
        list("5".into(), "u".into()),
        list(Value::Float(1.5), "u".into()),
        list(1.into(), "".into()),
        list(1.into(), 2.into()),
        Value::Map(vec![("identifier_list".into(), Value::Null)]),
        Value::Map(vec![]),
        Value::Null,
    ] {
        assert!(matches!(with(bad).unwrap_err(), VerifyError::Form(ResponseError::IssuerAuth(_))));
    }
}

#[test]
fn attack_01_04_an_unsigned_or_wrongly_signed_document_is_refused() {
    let edit = |edit: &dyn Fn(&mut Vec<Value>)| {
        received(&edited(&issued(&draft()), |value| edit(items(at!(value, "issuerAuth"))))).unwrap_err()
    };
    assert_eq!(edit(&|auth| auth[3] = Value::Bytes(vec![])), object(CoseError::Signature));
    assert_eq!(edit(&|auth| auth[3] = Value::Bytes(vec![0; 64])), VerifyError::IssuerAuth(CoseError::Signature));
    assert_eq!(edit(&|auth| auth[2] = Value::Null), object(CoseError::Payload));
    assert_eq!(edit(&|auth| auth[0] = Value::Bytes(vec![0xa0])), object(CoseError::Algorithm));
    assert_eq!(edit(&|auth| auth[0] = Value::Bytes(vec![])), object(FieldError::Cbor(CborError::Truncated)));
    assert_eq!(edit(&|auth| members(&mut auth[1]).clear()), VerifyError::Chain(ChainError::Empty));
    let bytes = edited(&issued(&draft()), |value| {
        let auth = at!(value, "issuerAuth");
        *auth = Value::Tag(18, Box::new(auth.clone()));
    });
    assert_eq!(received(&bytes).unwrap_err(), object(FieldError::Malformed("issuerAuth")));
}

#[test]
fn attack_11_the_chain_is_verified_for_its_usage_and_up_to_an_anchor() {
    use crate::world::{Authority, authority_params, leaf_params};
    let root = Authority::root(authority_params("Other root", None));
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let policy = credentials::trust::ChainPolicy::known_only(&anchors);
    let with = |usage: Usage| {
        let signer = key(31);
        let leaf = root.leaf(&leaf_params("Signer", usage), signer.public_key());
        let chain = credentials::trust::CertificateChain::from_der([leaf]).unwrap();
        let bytes = issue(&draft(), &chain, WORLD.holder.public_key(), &signer, &mut rng(1)).unwrap();
        verify_issued(&bytes, &policy, NOW).map(|_| ())
    };
    assert_eq!(with(Usage::CredentialIssuing), Ok(()));
    assert_eq!(with(Usage::MdocIssuing), Ok(()));
    for usage in [Usage::Verifier, Usage::StatusSigning, Usage::MdocReader] {
        assert_eq!(with(usage), Err(VerifyError::Chain(ChainError::WrongUsage)), "{usage:?}");
    }
    let stranger = verify_issued(&issued(&draft()), &policy, NOW).map(|_| ());
    assert_eq!(stranger, Err(VerifyError::Chain(ChainError::UnknownIssuer)));
}

#[test]
fn attack_11_a_certificate_appended_to_the_unsigned_header_is_refused() {
    use crate::world::{Authority, authority_params, leaf_params};
    let root = Authority::root(authority_params("Root", None));
    let anchors = TrustAnchors::from_pem(root.pem.as_bytes()).unwrap();
    let policy = credentials::trust::ChainPolicy::known_only(&anchors);
    let signer = key(31);
    let leaf = root.leaf(&leaf_params("Signer", Usage::MdocIssuing), signer.public_key());
    let chain = credentials::trust::CertificateChain::from_der([leaf.clone()]).unwrap();
    let bytes = issue(&draft(), &chain, WORLD.holder.public_key(), &signer, &mut rng(1)).unwrap();
    assert!(verify_issued(&bytes, &policy, NOW).is_ok());
    let with = |above: &[u8]| {
        let bytes = edited(&bytes, |value| {
            let chain = [leaf.as_slice(), above].map(|der| Value::Bytes(der.to_vec()));
            members(&mut items(at!(value, "issuerAuth"))[1])[0].1 = Value::Array(chain.into());
        });
        verify_issued(&bytes, &policy, NOW).map(|_| ())
    };
    let impostor = Authority::root(authority_params("Root", None));
    assert_eq!(with(&impostor.der), Err(VerifyError::Chain(ChainError::Signature)));
    assert_eq!(with(&root.der), Ok(()));
}

#[test]
fn iso18013_9_3_1_a_document_signed_outside_the_time_of_its_certificate_is_refused() {
    // The certificates of the world begin on 2026-01-01.
    let mut early = draft();
    early.signed_at = "2025-12-31T23:59:59Z".parse().unwrap();
    assert_eq!(received(&issued(&early)).unwrap_err(), VerifyError::SignedOutOfTime);
}

#[test]
fn attack_37_boundaries_of_time_for_the_holder() {
    let mut ahead = draft();
    ahead.valid_from = later(300);
    assert!(received(&issued(&ahead)).is_ok());
    ahead.valid_from = later(301);
    assert_eq!(received(&issued(&ahead)).unwrap_err(), VerifyError::NotYetValid { valid_from: later(301) });
    let mut old = draft();
    (old.signed_at, old.valid_from, old.valid_until) = (later(-60), later(-60), NOW);
    assert!(received(&issued(&old)).is_ok());
    old.valid_until = later(-1);
    assert_eq!(received(&issued(&old)).unwrap_err(), VerifyError::Expired { valid_until: later(-1) });
}
