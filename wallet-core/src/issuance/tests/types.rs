//! Types of what comes: looked up once, at their issuer, and held to.

use super::*;
use crate::effect::{Effect, Progress, Response};
use credentials::type_metadata::{IntegrityError, MOST_EXTENSIONS, ResolveError, RuleError};
use schemas::ClaimPath;
use std::collections::BTreeMap;

const PERMIT: &str = "https://issuer.example/tenant/types/permit/1";
const IDENTITY: &str = "urn:amparo:identity:1";

/// Documents by their addresses.
type Documents = BTreeMap<String, (u16, Vec<u8>)>;

fn documents(all: &[(&str, Value)]) -> Documents {
    all.iter().map(|(url, document)| ((*url).to_owned(), (200, document.to_string().into_bytes()))).collect()
}

fn permit(more: Value) -> Value {
    let mut document = value!({"vct": PERMIT, "extends": IDENTITY});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

fn serve(documents: &Documents, effect: &Effect) -> Outcome {
    assert_eq!(effect.method(), Method::Get);
    assert!(effect.max_body() < 262_144, "no more than a record of the vault holds");
    let (status, body) = documents.get(effect.url().as_str()).cloned().unwrap_or((404, Vec::new()));
    Outcome::Response(Response { status, headers: Vec::new(), body })
}

impl Wallet {
    /// What came from that desk, its types looked up among `documents`; with the addresses that were asked for them.
    fn looked_up(
        &mut self,
        issuer: &mut Issuer,
        documents: &Documents,
    ) -> (Result<Arrived, IssuanceError>, Vec<String>) {
        let anchors = issuer.party.anchors();
        let arrived = self.arrived(issuer, &anchors).unwrap();
        let mut asked = Vec::new();
        let looked = match arrived.look_up(&Holdings::of(&mut self.memory)) {
            Ok(Progress::Ready(arrived)) => Ok(arrived),
            Ok(Progress::Waiting(errand)) => {
                run(errand, &mut asked, |effect| serve(documents, effect), NOW, &mut self.rng)
            }
            Err(error) => Err(error),
        };
        (looked, asked.into_iter().map(|(_, url)| url).collect())
    }

    fn keeps(&mut self, arrived: Arrived) -> Result<Kept, IssuanceError> {
        let mut holdings = Holdings::of(&mut self.memory);
        let summary = arrived.summary(&holdings);
        Ok(arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut self.rng)?.saved())
    }
}

fn of_type(vct: &str) -> Desk {
    Desk { vct: vct.to_owned(), ..Desk::default() }
}

fn english() -> Vec<String> {
    vec!["en".to_owned()]
}

#[test]
fn a_type_is_looked_up_at_its_issuer_kept_and_forgotten_with_its_last_credential() {
    let base = "https://issuer.example/tenant/types/base/1";
    let published = documents(&[
        (PERMIT, permit(value!({"extends": base, "display": [{"locale": "en", "name": "Permit"}]}))),
        (
            base,
            value!({"vct": base, "extends": IDENTITY, "claims": [
            {"path": ["sex"], "mandatory": true, "display": [{"locale": "en", "label": "Marker"}]}]}),
        ),
    ]);
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(of_type(PERMIT)));
    let (arrived, asked) = wallet.looked_up(&mut issuer, &published);
    let arrived = arrived.unwrap();
    assert_eq!(asked, [PERMIT, base]);
    let sex = ClaimPath::names(["sex"]);
    let words = arrived.words(&Holdings::of(&mut wallet.memory), &english());
    assert_eq!(words.claim(PERMIT, &sex).as_str(), "Marker (sex)", "before the person says yes");
    let first = wallet.keeps(arrived).unwrap();
    assert_eq!(wallet.memory.records.values().filter(|(kind, _)| *kind == RecordKind::TYPE_METADATA).count(), 2);
    let words = Holdings::of(&mut wallet.memory).words(&english());
    assert_eq!(words.claim(PERMIT, &sex).as_str(), "Marker (sex)");
    assert_eq!(words.type_name(PERMIT, &crate::display::Shown::name("x")).as_str(), "Permit");

    // A second time nobody is asked.
    let mut again = Issuer::new(of_type(PERMIT));
    let (arrived, asked) = wallet.looked_up(&mut again, &Documents::new());
    assert!(asked.is_empty());
    let second = wallet.keeps(arrived.unwrap()).unwrap();
    let kinds =
        |wallet: &Wallet| wallet.memory.records.values().filter(|(kind, _)| *kind == RecordKind::TYPE_METADATA).count();
    for (id, left) in [(first.credentials[0], 2), (second.credentials[0], 0)] {
        Holdings::of(&mut wallet.memory).forget(id, &mut wallet.rng).unwrap();
        assert_eq!(kinds(&wallet), left);
    }
}

#[test]
fn an_issuer_that_breaks_the_rules_of_its_own_type_is_refused() {
    let missing = permit(value!({"claims": [{"path": ["permit"], "mandatory": true}]}));
    let never = permit(value!({"extends": "https://issuer.example/tenant/types/none", "claims": []}));
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(of_type(PERMIT)));
    let (refused, _) = wallet.looked_up(&mut issuer, &documents(&[(PERMIT, missing)]));
    let error = refused.map(drop).unwrap_err();
    assert!(matches!(error, IssuanceError::TypeRules(RuleError::Missing { .. })), "{error}");
    assert_eq!(error.fault(), Fault::Peer);
    // What it extends cannot be had: then nothing of it is used (§5.7), and the credential comes without words.
    let (arrived, asked) = wallet.looked_up(&mut Issuer::new(of_type(PERMIT)), &documents(&[(PERMIT, never)]));
    assert_eq!(asked.len(), 2);
    assert!(wallet.keeps(arrived.unwrap()).is_ok());
    // Of our own types nobody is asked for the rules.
    let desk = Desk { bare: |_| &["sex"], ..Desk::default() };
    let (refused, asked) = wallet.looked_up(&mut Issuer::new(desk), &Documents::new());
    let error = refused.map(drop).unwrap_err();
    assert!(asked.is_empty() && matches!(error, IssuanceError::TypeRules(RuleError::NotDisclosable { .. })), "{error}");
    // Nor does anything slip in where nobody looked it up.
    let desk = Desk { bare: |_| &["sex"], ..Desk::default() };
    assert!(matches!(refused_by(desk), IssuanceError::TypeRules(_)));
}

fn refused_by(desk: Desk) -> IssuanceError {
    Wallet::new().kept(&mut Issuer::new(desk)).unwrap_err()
}

#[test]
fn attack_35_documents_that_are_not_the_ones_that_are_meant_refuse_the_credential() {
    let deep = |n: usize| format!("https://issuer.example/tenant/types/deep/{n}");
    let mut chain: Vec<(String, Value)> =
        (0..=MOST_EXTENSIONS).map(|n| (deep(n), value!({"vct": deep(n), "extends": deep(n + 1)}))).collect();
    chain.push((PERMIT.to_owned(), permit(value!({"extends": deep(0)}))));
    let chain: Vec<(&str, Value)> = chain.iter().map(|(url, document)| (url.as_str(), document.clone())).collect();
    let wrong = credentials::type_metadata::Integrity::of(b"other").to_string();
    for (published, what) in [
        (documents(&[(PERMIT, permit(value!({"extends": PERMIT})))]), "a circle"),
        (documents(&chain), "too deep"),
        (documents(&[(PERMIT, value!({"vct": IDENTITY}))]), "another type"),
        (documents(&[(PERMIT, value!([]))]), "no document"),
        (documents(&[(PERMIT, permit(value!({"extends#integrity": wrong})))]), "another digest"),
    ] {
        let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(of_type(PERMIT)));
        let (refused, asked) = wallet.looked_up(&mut issuer, &published);
        assert!(matches!(refused.map(drop), Err(IssuanceError::TypeDocument(_))), "{what}");
        assert!(asked.len() <= 2 * MOST_EXTENSIONS && wallet.memory.records.is_empty(), "{what}");
    }
    let desk = Desk {
        vary: |_, claims| {
            let wrong = credentials::type_metadata::Integrity::of(b"other").to_string();
            claims.insert("vct#integrity".into(), wrong.into());
        },
        bare: |_| &["vct#integrity"],
        ..of_type(PERMIT)
    };
    let (refused, _) = Wallet::new().looked_up(&mut Issuer::new(desk), &documents(&[(PERMIT, permit(value!({})))]));
    let mismatch = ResolveError::Integrity { vct: PERMIT.into(), cause: IntegrityError::Mismatch };
    assert_eq!(refused.map(drop), Err(IssuanceError::TypeDocument(mismatch)));
}

#[test]
fn attack_43_44_nobody_else_is_asked_for_a_type_and_what_is_too_much_is_done_without() {
    // Another host, this machine, a private address, another scheme: none of them is the issuer that is being talked to.
    for vct in [
        "https://other.example/types/1",
        "https://issuer.example.evil.example/types/1",
        "https://issuer.example:8443/types/1",
        "http://issuer.example/types/1",
        "http://127.0.0.1/types/1",
        "https://10.0.0.1/types/1",
        "https://user@issuer.example/types/1",
        "file:///etc/passwd",
        "urn:example:permit:1",
    ] {
        let mut wallet = Wallet::new();
        let (arrived, asked) = wallet.looked_up(&mut Issuer::new(of_type(vct)), &Documents::new());
        assert!(asked.is_empty(), "{vct}");
        assert!(wallet.keeps(arrived.unwrap()).is_ok(), "{vct}");
    }
    // Nor by way of what a type extends.
    let outside = permit(value!({"extends": "https://other.example/types/1"}));
    let mut wallet = Wallet::new();
    let (arrived, asked) = wallet.looked_up(&mut Issuer::new(of_type(PERMIT)), &documents(&[(PERMIT, outside)]));
    assert_eq!(asked, [PERMIT]);
    wallet.keeps(arrived.unwrap()).unwrap();
    // Redirects are not followed, errors are no documents, and what does not fit the vault is not taken.
    let huge = permit(value!({"name": "x".repeat(200_000)})).to_string().into_bytes();
    for (status, body) in [(302, Vec::new()), (404, permit(value!({})).to_string().into_bytes()), (200, huge)] {
        let mut wallet = Wallet::new();
        let published = BTreeMap::from([(PERMIT.to_owned(), (status, body))]);
        let (arrived, asked) = wallet.looked_up(&mut Issuer::new(of_type(PERMIT)), &published);
        assert_eq!(asked, [PERMIT]);
        wallet.keeps(arrived.unwrap()).unwrap();
        assert!(!wallet.memory.records.values().any(|(kind, _)| *kind == RecordKind::TYPE_METADATA));
    }
}
