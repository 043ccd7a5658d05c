//! Trust lists, each fault alone.

use super::*;
use crate::b64;
use crate::jws;
use crate::signer::{Signer as _, SoftwareKey};
use crate::status_list::{self, Bits, StatusError, StatusList};
use crate::testing::{Authority, NOW};
use crate::trust::{AnchorLimits, CertificateChain, ChainError, ChainPolicy, Trust, TrustAnchors, Usage};
use serde_json::{Map, Value, json};

const NAME: &str = "https://ministry.example/trust-list";

/// An authority that signs lists, and two that it may name.
struct World {
    ministry: Authority,
    chain: CertificateChain,
    key: SoftwareKey,
    shelter: Authority,
    registry: Authority,
}

fn world() -> World {
    let ministry = Authority::new("Ministry");
    let (chain, key) = ministry.leaf(Usage::TrustListSigning, &[], 1);
    World { ministry, chain, key, shelter: Authority::new("Shelter"), registry: Authority::new("Registry") }
}

fn der(authority: &Authority) -> Vec<u8> {
    authority.anchors().iter().next().unwrap().der().to_vec()
}

fn entry(authority: &Authority, usages: &[Usage], types: Option<&[&str]>) -> Entry {
    let types = types.map(|types| types.iter().map(|name| (*name).to_owned()).collect());
    Entry::new(der(authority), usages.to_vec(), AnchorLimits { types, status_hosts: None }).unwrap()
}

fn draft(entries: &[Entry]) -> TrustListDraft<'_> {
    let (expires_at, ttl) = (NOW.plus(Seconds::DAY), Seconds::HOUR);
    TrustListDraft { name: NAME, sequence: 7, issued_at: NOW, expires_at, ttl, entries }
}

impl World {
    fn sign(&self, draft: &TrustListDraft<'_>) -> String {
        draft.sign(&self.chain, &self.key).unwrap()
    }

    fn take(&self, draft: &TrustListDraft<'_>) -> VerifiedTrustList {
        verify(&self.sign(draft), &self.ministry.anchors(), None, draft.issued_at).unwrap()
    }

    fn shelter(&self) -> Entry {
        entry(&self.shelter, &[Usage::CredentialIssuing, Usage::StatusSigning], Some(&["urn:a"]))
    }
}

fn claims(entries: &[Entry]) -> Value {
    let entries: Vec<_> = entries.iter().map(Entry::to_wire).collect();
    json!({"sub": NAME, "seq": 7, "iat": NOW, "exp": NOW.plus(Seconds::DAY), "ttl": 3600, "entries": entries})
}

fn anchors_of(lists: &[&VerifiedTrustList]) -> TrustAnchors {
    let mut anchors = TrustAnchors::default();
    for list in lists {
        anchors.add_listed(list);
    }
    anchors
}

#[test]
fn a_trust_list_says_who_vouches_for_what_and_until_when() {
    let world = world();
    let list = world.take(&draft(&[world.shelter(), Entry::withdrawn(der(&world.registry)).unwrap()]));
    assert_eq!((list.name().as_str(), list.sequence(), list.signer()), (NAME, 7, "leaf 1"));
    assert_eq!((list.issued_at(), list.ends_at()), (NOW, NOW.plus(Seconds::DAY)));
    assert_eq!(list.refresh_at(NOW), NOW.plus(Seconds::HOUR));
    let late = NOW.plus(Seconds::DAY.times(3));
    assert_eq!(list.refresh_at(late), late.plus(Seconds::MINUTE), "after its end it is looked for again and again");
    let [shelter, registry] = list.entries() else { panic!() };
    assert_eq!((shelter.subject(), shelter.usages().len(), shelter.is_withdrawn()), ("Shelter", 2, false));
    assert_eq!((registry.subject(), registry.usages(), registry.is_withdrawn()), ("Registry", &[][..], true));
    let anchors = anchors_of(&[&list]);
    assert_eq!(anchors.len(), 1);
    assert_eq!(anchors.iter().next().unwrap().list_end(), Some(NOW.plus(Seconds::DAY)));
    assert_eq!(format!("{list:?}").matches("entries: 2").count(), 1);
}

#[test]
fn attack_36_an_anchor_of_a_trust_list_vouches_for_its_usages_and_types_only() {
    let world = world();
    let reader = entry(&world.registry, &[Usage::Verifier], None);
    let anchors = anchors_of(&[&world.take(&draft(&[world.shelter(), reader]))]);
    let (issuer, _) = world.shelter.leaf(Usage::CredentialIssuing, &[], 2);
    let (verifier, _) = world.registry.leaf(Usage::Verifier, &[], 3);
    let (forger, _) = world.registry.leaf(Usage::CredentialIssuing, &[], 4);
    let (asker, _) = world.shelter.leaf(Usage::Verifier, &[], 5);
    let known = issuer.verify(&anchors, Usage::CredentialIssuing, NOW).unwrap();
    assert!(known.may_issue("urn:a") && !known.may_issue("urn:b"));
    assert_eq!(verifier.verify(&anchors, Usage::Verifier, NOW).unwrap().trust(), Trust::Known);
    // What the list does not give, the certificates do not bring along: for this they are strangers.
    assert_eq!(forger.verify(&anchors, Usage::CredentialIssuing, NOW), Err(ChainError::UnknownIssuer));
    assert_eq!(asker.verify_or_unknown(&anchors, Usage::Verifier, NOW).unwrap().trust(), Trust::NotKnown);
    // Nor does one list say who signs others.
    let usages = vec![Usage::TrustListSigning];
    assert_eq!(Entry::new(der(&world.shelter), usages, AnchorLimits::default()), Err(EntryError::Delegates));
    let mut delegating = claims(&[world.shelter()]);
    delegating["entries"][0]["usages"] = json!(["trust-list", "a-usage-of-later"]);
    let list = verify(&world.signed(&delegating), &world.ministry.anchors(), None, NOW).unwrap();
    assert!(list.entries()[0].usages().is_empty(), "what is not known grants nothing");
    let (signer, _) = world.shelter.leaf(Usage::TrustListSigning, &[], 6);
    let refused = signer.verify(&anchors_of(&[&list]), Usage::TrustListSigning, NOW);
    assert_eq!(refused, Err(ChainError::UnknownIssuer));
}

#[test]
fn attack_65_an_ended_trust_list_vouches_for_nobody_and_what_it_withdrew_stays_withdrawn() {
    let world = world();
    let withdrawing = [world.shelter(), Entry::withdrawn(der(&world.registry)).unwrap()];
    let first = world.take(&draft(&withdrawing));
    let second = world.take(&TrustListDraft {
        name: "urn:other",
        expires_at: NOW.plus(Seconds::DAY.times(9)),
        ..draft(&[entry(&world.registry, &[Usage::CredentialIssuing], None)])
    });
    let anchors = anchors_of(&[&first, &second]);
    let (issuer, _) = world.shelter.leaf(Usage::CredentialIssuing, &[], 2);
    let (withdrawn, _) = world.registry.leaf(Usage::CredentialIssuing, &[], 3);
    let end = NOW.plus(Seconds::DAY);
    let verify = |policy: ChainPolicy<'_>, at| policy.verify(&issuer, Usage::CredentialIssuing, at);
    let cache = crate::trust::ChainCache::new();
    for policy in [ChainPolicy::known_only(&anchors), ChainPolicy::known_only(&anchors).with_cache(&cache)] {
        assert!(verify(policy, end.minus(Seconds::new(1))).is_ok());
        assert_eq!(verify(policy, end), Err(ChainError::ListEnded { ended: end }));
        // Whoever takes it all the same is told.
        let taken = verify(policy.with_ended_lists(), end).unwrap();
        assert_eq!((taken.list_end(), taken.may_issue("urn:b")), (Some(end), false));
    }
    // To a wallet it is a stranger again, and says so.
    let stranger = issuer.verify_or_unknown(&anchors, Usage::CredentialIssuing, end).unwrap();
    assert_eq!((stranger.trust(), stranger.list_end()), (Trust::NotKnown, None));
    // Ended or not, a list is not undone by one that was named after it.
    for at in [NOW, end.plus(Seconds::DAY)] {
        let refused = withdrawn.verify(&anchors, Usage::CredentialIssuing, at);
        assert_eq!(refused, Err(ChainError::UnknownIssuer));
    }
    // Ten years are ninety days.
    let forever = json!({"sub": NAME, "seq": 8, "iat": NOW, "exp": NOW.plus(Seconds::DAY.times(3650)), "entries": []});
    let forever = super::verify(&world.signed(&forever), &world.ministry.anchors(), None, NOW).unwrap();
    assert_eq!(forever.ends_at(), NOW.plus(MAX_LIFETIME));
    let ages = TrustListDraft { expires_at: NOW.plus(MAX_LIFETIME).plus(Seconds::new(1)), ..draft(&[]) };
    assert_eq!(ages.sign(&world.chain, &world.key), Err(TrustListIssueError::Lifetime));
}

#[test]
fn attack_65_a_status_list_holds_no_longer_than_the_trust_list_behind_it() {
    let world = world();
    let anchors = anchors_of(&[&world.take(&draft(&[world.shelter()]))]);
    let (chain, key) = world.shelter.leaf(Usage::StatusSigning, &[], 2);
    let list = StatusList::new(8, Bits::One).unwrap();
    let end = NOW.plus(Seconds::DAY.times(9));
    let token = list.to_token("https://s.example/1", NOW, end, Seconds::HOUR, &chain, &key).unwrap();
    let read = |at| status_list::verify(&token, "https://s.example/1", &anchors, at, None);
    assert_eq!(read(NOW).unwrap().ends_at(), NOW.plus(Seconds::DAY));
    assert!(matches!(read(NOW.plus(Seconds::DAY)), Err(StatusError::Chain(ChainError::ListEnded { .. }))));
}

#[test]
fn attack_66_a_trust_list_with_a_lower_number_or_the_same_and_other_words_is_refused() {
    let world = world();
    let (shelter, signers) = ([world.shelter()], world.ministry.anchors());
    let seen = world.take(&draft(&shelter));
    let verify = |draft: &TrustListDraft<'_>| verify(&world.sign(draft), &signers, Some(seen.known()), NOW);
    assert!(verify(&TrustListDraft { sequence: 8, ..draft(&shelter) }).is_ok());
    assert_eq!(verify(&draft(&shelter)).unwrap(), seen, "the same again, under another signature");
    let older = verify(&TrustListDraft { sequence: 6, issued_at: NOW.plus(Seconds::new(1)), ..draft(&shelter) });
    assert!(matches!(older, Err(TrustListError::RolledBack { seen: 7, got: 6 })));
    assert!(matches!(verify(&draft(&[])), Err(TrustListError::Contradiction(7))));
    let other = verify(&TrustListDraft { name: "https://ministry.example/other", sequence: 9, ..draft(&shelter) });
    assert!(matches!(other, Err(TrustListError::OtherList)));
    let future = TrustListDraft { issued_at: NOW.plus(Seconds::new(61)), ..draft(&shelter) };
    assert!(matches!(verify(&TrustListDraft { sequence: 8, ..future }), Err(TrustListError::IssuedLater { .. })));
}

#[test]
fn attack_64_a_trust_list_of_another_type_signer_or_usage_is_refused() {
    let world = world();
    let (signers, shelter) = (world.ministry.anchors(), [world.shelter()]);
    let read = |text: &str| verify(text, &signers, None, NOW);
    let payload = claims(&shelter);
    let headed = |header: Value, key: &SoftwareKey| {
        jws::sign(header.as_object().unwrap(), payload.to_string().as_bytes(), key).unwrap()
    };
    let header = |typ: &str, chain: &CertificateChain| json!({"alg": "ES256", "typ": typ, "x5c": chain.to_x5c()});
    assert!(read(&headed(header(TYP, &world.chain), &world.key)).is_ok());
    for typ in ["statuslist+jwt", "JWT", "dc+sd-jwt", "application/amparo-trust-list+jwt"] {
        assert!(
            matches!(read(&headed(header(typ, &world.chain), &world.key)), Err(TrustListError::WrongType)),
            "{typ}"
        );
    }
    let bare = headed(json!({"alg": "ES256", "typ": TYP}), &world.key);
    assert!(matches!(read(&bare), Err(TrustListError::NoChain)));
    let keyed =
        json!({"alg": "ES256", "typ": TYP, "x5c": world.chain.to_x5c(), "jwk": world.key.public_key().to_jwk()});
    assert!(matches!(read(&headed(keyed, &world.key)), Err(TrustListError::Jws(_))));
    assert!(matches!(
        read(&headed(header(TYP, &world.chain), &crate::testing::key(9))),
        Err(TrustListError::Signature)
    ));
    // Another authority, even one that the list itself names; and other leaves of this one.
    let (foreign, key) = world.shelter.leaf(Usage::TrustListSigning, &[], 8);
    assert!(matches!(read(&headed(header(TYP, &foreign), &key)), Err(TrustListError::OtherAuthority)));
    for usage in [Usage::StatusSigning, Usage::CredentialIssuing, Usage::Verifier] {
        let (chain, key) = world.ministry.leaf(usage, &[], 8);
        let refused = read(&headed(header(TYP, &chain), &key));
        assert!(matches!(refused, Err(TrustListError::Chain(ChainError::WrongUsage))), "{usage:?}");
    }
}

#[test]
fn attack_14_15_61_claims_and_entries_that_are_not_in_order_are_refused() {
    let world = world();
    let signers = world.ministry.anchors();
    let good = claims(&[world.shelter()]);
    let read = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut claims = good.clone();
        change(claims.as_object_mut().unwrap());
        verify(&world.signed(&claims), &signers, None, NOW)
    };
    assert!(read(&|_| ()).is_ok());
    for name in ["sub", "seq", "iat", "exp", "entries"] {
        let refused = read(&|claims| drop(claims.remove(name)));
        assert!(matches!(refused, Err(TrustListError::Claims)), "{name}");
    }
    let too_high = 1u64 << 53;
    for (name, value) in [
        ("seq", json!("7")),
        ("seq", json!(-1)),
        ("seq", json!(1.5)),
        ("seq", json!(too_high)),
        ("iat", json!("1")),
        ("exp", json!([])),
        ("ttl", json!(-1)),
        ("sub", json!("")),
        ("entries", json!({})),
        ("entries", json!([1])),
    ] {
        let refused = read(&|claims| drop(claims.insert(name.to_owned(), value.clone())));
        assert!(matches!(refused, Err(TrustListError::Claims)), "{name}: {value}");
    }
    let refused = read(&|claims| drop(claims.insert("exp".to_owned(), json!(NOW))));
    assert!(matches!(refused, Err(TrustListError::EndsBeforeIssued)));

    let entry = |member: &'static str, value: Value| read(&|claims| claims["entries"][0][member] = value.clone());
    // A member that is not known could narrow what the others say.
    assert!(matches!(entry("regions", json!(["north"])), Err(TrustListError::Claims)));
    let fault = |refused: Result<_, _>| match refused {
        Err(TrustListError::Entry { number: 1, source }) => source,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(entry("usages", json!([]))), EntryError::NoUsage);
    assert_eq!(fault(entry("withdrawn", json!(true))), EntryError::Members);
    assert_eq!(fault(entry("certificate", json!("%%"))), EntryError::BadCertificate);
    let leaf = b64::encode_standard(world.chain.leaf());
    assert_eq!(fault(entry("certificate", json!(leaf))), EntryError::NotACertificateAuthority);
    let twice = read(&|claims| {
        let first = claims["entries"][0].clone();
        claims["entries"].as_array_mut().unwrap().push(first);
    });
    assert!(matches!(twice, Err(TrustListError::Twice { number: 2 })));
    let many = read(&|claims| {
        let entry = json!({"certificate": "", "withdrawn": true});
        claims["entries"] = vec![entry; MOST + 1].into();
    });
    assert!(matches!(many, Err(TrustListError::TooMany { got: 501 })));
    let entries = [world.shelter(), world.shelter()];
    assert_eq!(draft(&entries).sign(&world.chain, &world.key), Err(TrustListIssueError::Twice { number: 2 }));
}

#[test]
fn the_first_word_on_an_anchor_counts() {
    let world = world();
    let narrow = world.take(&draft(&[world.shelter()]));
    let wide =
        world.take(&TrustListDraft { name: "urn:w", ..draft(&[entry(&world.shelter, &[Usage::Verifier], None)]) });
    let usages = |anchors: &TrustAnchors| {
        let (issuer, _) = world.shelter.leaf(Usage::CredentialIssuing, &[], 2);
        let (verifier, _) = world.shelter.leaf(Usage::Verifier, &[], 3);
        [(issuer, Usage::CredentialIssuing), (verifier, Usage::Verifier)]
            .map(|(chain, usage)| chain.verify(anchors, usage, NOW).is_ok())
    };
    assert_eq!(usages(&anchors_of(&[&narrow, &wide])), [true, false]);
    assert_eq!(usages(&anchors_of(&[&wide, &narrow])), [false, true]);
    // By hand before any list: believed for all, with no end.
    let mut by_hand = world.shelter.anchors();
    assert_eq!(by_hand.add_listed(&narrow), 0);
    assert_eq!((usages(&by_hand), by_hand.iter().next().unwrap().list_end()), ([true, true], None));
}

impl World {
    /// Any claims, signed by the authority itself.
    fn signed(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": TYP, "x5c": self.chain.to_x5c()});
        jws::sign(header.as_object().unwrap(), claims.to_string().as_bytes(), &self.key).unwrap()
    }
}
