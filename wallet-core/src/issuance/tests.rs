mod attested;
mod authorization;
mod deferred;
mod documents;
mod encryption;
mod refill;
mod signed_metadata;
mod types;

use super::*;
use crate::effect::{AddressError, Method, Outcome};
use crate::fault::{Blame, Fault};
use crate::holdings::testing::Memory;
use crate::holdings::{Credential, Format, Holdings, HoldingsError, Standing};
use crate::testing::{Asked, Desk, Issuer, NOW, json, run};
use crate::vault::{RecordError, RecordKind};
use credentials::sd_jwt::VerifyError;
use credentials::trust::{Trust, TrustAnchors};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json as value};

struct Wallet {
    memory: Memory,
    rng: ChaCha20Rng,
    asked: Asked,
}

impl Wallet {
    fn new() -> Self {
        let (memory, rng) = Memory::seeded(1);
        Self { memory, rng, asked: Vec::new() }
    }

    fn offered(&mut self, issuer: &mut Issuer, link: &str) -> Result<Offered, IssuanceError> {
        run(follow(link)?, &mut self.asked, |effect| issuer.answer(effect), NOW, &mut self.rng)
    }

    fn offered_by(&mut self, issuer: &mut Issuer) -> Result<Offered, IssuanceError> {
        let link = issuer.link();
        self.offered(issuer, &link)
    }

    fn delivered(&mut self, issuer: &mut Issuer, code: Option<&str>) -> Result<Delivered, IssuanceError> {
        let offered = self.offered_by(issuer)?;
        let redeeming = offered.accept(code.map(TxCode::new), None, NOW, &mut self.rng)?;
        run(redeeming, &mut self.asked, |effect| issuer.answer(effect), NOW, &mut self.rng)
    }

    fn arrived(&mut self, issuer: &mut Issuer, anchors: &TrustAnchors) -> Result<Arrived, IssuanceError> {
        let code = issuer.desk.tx_code;
        self.delivered(issuer, code)?.verify(anchors, NOW)
    }

    fn kept(&mut self, issuer: &mut Issuer) -> Result<Kept, IssuanceError> {
        let anchors = issuer.party.anchors();
        let arrived = self.arrived(issuer, &anchors)?;
        let mut holdings = Holdings::of(&mut self.memory);
        let summary = arrived.summary(&holdings);
        Ok(arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut self.rng)?.saved())
    }
}

/// The ceremony with a well-behaved desk but for one thing.
fn refused(desk: Desk) -> IssuanceError {
    let mut wallet = Wallet::new();
    let error = wallet.kept(&mut Issuer::new(desk)).unwrap_err();
    assert!(wallet.memory.records.is_empty(), "nothing is kept of what was refused");
    assert!(!error.hint().is_empty());
    error
}

#[test]
fn a_whole_issuance_by_value_and_by_reference() {
    for by_reference in [false, true] {
        let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
        let link = if by_reference { issuer.link_by_reference() } else { issuer.link() };
        let offered = wallet.offered(&mut issuer, &link).unwrap();
        assert_eq!(offered.issuer().as_str(), "https://issuer.example/tenant");
        assert_eq!(offered.issuer_name().unwrap().as_str(), "Casa\\u{202e} Abierta");
        assert_eq!(offered.types()[0].as_str(), "Identity");
        let wanted = offered.tx_code().unwrap();
        assert!(wanted.numeric && wanted.length == Some(8));
        assert_eq!(wanted.description.unwrap().as_str(), "on the paper\\u{202e}");
        assert_eq!((offered.copies(None), offered.copies(Some(5)), offered.copies(Some(99))), (30, 5, 30));

        let redeeming = offered.accept(Some(TxCode::new(" 1234 5678 ")), None, NOW, &mut wallet.rng).unwrap();
        let delivered =
            run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
        let arrived = delivered.verify(&issuer.party.anchors(), NOW).unwrap();
        let mut holdings = Holdings::of(&mut wallet.memory);
        let summary = arrived.summary(&holdings);
        assert_eq!((summary.issuer_name.as_str(), summary.trust), ("Casa Abierta", Trust::Known));
        let [entry] = &summary.credentials[..] else { panic!() };
        assert_eq!(entry.subject.as_ref().unwrap().as_str(), "A. D.");
        assert_eq!((entry.copies, entry.other_subject, entry.expires_at), (30, false, Some(issuer.desk.expires_at)));
        let kept = arrived.keep(summary.confirmed(), &mut holdings, NOW, &mut wallet.rng).unwrap().saved();

        let [held] = &holdings.credentials()[..] else { panic!() };
        assert_eq!(held.id(), kept.credentials[0]);
        assert_eq!((held.copies_left(), held.standing(NOW), held.issuer_known()), (30, Standing::Valid, true));
        let asked: Vec<&str> =
            wallet.asked.iter().map(|(_, url)| url.strip_prefix("https://issuer.example").unwrap()).collect();
        let mut expected = vec![
            "/.well-known/openid-credential-issuer/tenant",
            "/.well-known/oauth-authorization-server/tenant",
            "/tenant/token",
            "/tenant/token",
            "/tenant/nonce",
            "/tenant/credential",
            "/tenant/credential",
        ];
        if by_reference {
            expected.insert(0, "/tenant/offers/1");
        }
        assert_eq!(asked, expected, "a DPoP nonce was asked for at the token and at the credential endpoint");
        assert_eq!(wallet.asked.iter().filter(|(method, _)| *method == Method::Get).count(), expected.len() - 5);
    }
}

#[test]
fn vci_8_2_every_copy_has_a_key_of_its_own() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    wallet.kept(&mut issuer).unwrap();
    let proofs = issuer.requests[0]["proofs"]["jwt"].as_array().unwrap();
    let keys: std::collections::BTreeSet<&str> =
        proofs.iter().map(|p| p.as_str().unwrap().split('.').next().unwrap()).collect();
    assert_eq!(keys.len(), 30);
    assert_eq!(issuer.requests[0]["credential_configuration_id"], "identity");
}

#[test]
fn fewer_copies_where_the_issuer_offers_fewer() {
    for (batch_size, copies) in [(None, 1), (Some(2), 2), (Some(1_000_000), 30)] {
        let mut wallet = Wallet::new();
        let mut issuer = Issuer::new(Desk { batch_size, ..Desk::default() });
        let kept = wallet.kept(&mut issuer).unwrap();
        assert_eq!(Holdings::of(&mut wallet.memory).credential(kept.credentials[0]).unwrap().copies_left(), copies);
    }
    // The issuer decides to issue fewer than keys (§8.3), and in another order.
    let spoil: fn(&mut Vec<String>) = |copies| {
        copies.reverse();
        copies.truncate(7);
    };
    let mut wallet = Wallet::new();
    let kept = wallet.kept(&mut Issuer::new(Desk { spoil, ..Desk::default() })).unwrap();
    assert_eq!(Holdings::of(&mut wallet.memory).credential(kept.credentials[0]).unwrap().copies_left(), 7);
}

#[test]
fn an_issuer_without_dpop_without_nonces_without_code() {
    let desk = Desk { dpop: false, nonce_endpoint: false, tx_code: None, ..Desk::default() };
    let mut wallet = Wallet::new();
    wallet.kept(&mut Issuer::new(desk)).unwrap();
    assert_eq!(wallet.asked.len(), 4);
}

#[test]
fn vci_8_3_1_2_a_refused_nonce_is_fetched_anew_once() {
    let mut wallet = Wallet::new();
    wallet.kept(&mut Issuer::new(Desk { refuse_nonces: 1, ..Desk::default() })).unwrap();
    let code = Some("invalid_nonce".to_owned());
    assert_eq!(
        refused(Desk { refuse_nonces: 2, ..Desk::default() }),
        IssuanceError::Refused { answer: Answer::Credential, code }
    );
}

#[test]
fn vci_6_2_credential_identifiers_are_used_when_given() {
    let details = value!([{"type": "openid_credential", "credential_configuration_id": "identity", "credential_identifiers": ["a", "b"]}]);
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk { identifiers: Some(details), ..Desk::default() }));
    assert_eq!(wallet.kept(&mut issuer).unwrap().credentials.len(), 2);
    assert_eq!(issuer.requests[0]["credential_identifier"], "a");
    assert_eq!(issuer.requests[1]["credential_identifier"], "b");
    assert!(issuer.requests[0].get("credential_configuration_id").is_none());
}

#[test]
fn attack_53_nothing_is_kept_before_the_person_confirms_what_came() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let anchors = issuer.party.anchors();
    let first = wallet.arrived(&mut issuer, &anchors).unwrap();
    assert!(wallet.memory.records.is_empty());
    // The attacker's own account, offered to the victim: another issuer answers, another person is in it.
    let claims = value!({"given_name": "Oscar", "family_name": "Mendez"});
    let mut other = Issuer::new(Desk { claims, ..Desk::default() });
    let injected = wallet.arrived(&mut other, &anchors).unwrap();

    let mut holdings = Holdings::of(&mut wallet.memory);
    let seen = first.summary(&holdings);
    let refused = injected.keep(seen.clone().confirmed(), &mut holdings, NOW, &mut wallet.rng).map(drop);
    assert_eq!(refused, Err(IssuanceError::NotConfirmed), "what was confirmed is not what would be kept");
    first.keep(seen.confirmed(), &mut holdings, NOW, &mut wallet.rng).unwrap().saved();

    let mut other = Issuer::new(Desk { claims: other.desk.claims.clone(), ..Desk::default() });
    let injected = wallet.arrived(&mut other, &anchors).unwrap();
    let summary = injected.summary(&Holdings::of(&mut wallet.memory));
    assert_eq!(summary.credentials[0].subject.as_ref().unwrap().as_str(), "O. M.");
    assert!(summary.credentials[0].other_subject, "the wallet is somebody else's");
    assert_eq!(refused.unwrap_err().fault(), Fault::Person);
}

#[test]
fn an_issuer_without_an_anchor_is_shown_as_not_known() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let arrived = wallet.arrived(&mut issuer, &TrustAnchors::default()).unwrap();
    let summary = arrived.summary(&Holdings::of(&mut wallet.memory));
    assert_eq!(summary.trust, Trust::NotKnown);
    assert_eq!(summary.require_known(), Err(IssuanceError::NotKnown));
}

#[test]
fn attack_28_a_copy_that_is_no_bare_sd_jwt_is_refused() {
    let spoils: [fn(&mut Vec<String>); 3] = [
        |copies| copies[3] = copies[3].trim_end_matches('~').to_owned(),
        |copies| copies[3].push('~'),
        |copies| {
            let jwt = copies[3].split('~').next().unwrap().to_owned();
            copies[3].push_str(&jwt);
        },
    ];
    for spoil in spoils {
        assert!(matches!(refused(Desk { spoil, ..Desk::default() }), IssuanceError::Copy(_)));
    }
    let with_key_binding: fn(&mut Vec<String>) = |copies| {
        let jwt = copies[0].split('~').next().unwrap().to_owned();
        copies[0].push_str(&jwt);
    };
    assert_eq!(
        refused(Desk { spoil: with_key_binding, ..Desk::default() }),
        IssuanceError::Copy(VerifyError::KeyBindingPresent)
    );
}

#[test]
fn a_copy_for_the_same_key_twice_or_for_a_strange_key_is_refused() {
    assert_eq!(
        refused(Desk { spoil: |copies| copies[1] = copies[0].clone(), ..Desk::default() }),
        IssuanceError::WrongKey
    );
    // Copies of another wallet's request.
    let mut other = Issuer::new(Desk::default());
    let delivered = Wallet { rng: rand_core::SeedableRng::from_seed([77; 32]), ..Wallet::new() };
    let mut strange = delivered;
    strange.kept(&mut other).unwrap();
    let copy = strange.memory.ids_of(RecordKind::COPY)[0];
    let text = String::from_utf8(strange.memory.records[&copy].1[33..].to_vec()).unwrap();
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let anchors = issuer.party.anchors();
    let offered = wallet.offered_by(&mut issuer).unwrap();
    let redeeming = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).unwrap();
    let swap = |outcome: Outcome| match outcome {
        Outcome::Response(response) if response.body.starts_with(br#"{"credentials""#) => {
            json(200, &value!({"credentials": [{"credential": text}]}))
        }
        outcome => outcome,
    };
    let delivered =
        run(redeeming, &mut wallet.asked, |effect| swap(issuer.answer(effect)), NOW, &mut wallet.rng).unwrap();
    assert_eq!(delivered.verify(&anchors, NOW).map(drop), Err(IssuanceError::WrongKey));
}

#[test]
fn copies_that_do_not_say_the_same_are_refused() {
    let vary: fn(usize, &mut serde_json::Map<String, Value>) = |n, claims| {
        if n == 29 {
            claims.insert("family_name".into(), "Mendez".into());
        }
    };
    assert_eq!(refused(Desk { vary, ..Desk::default() }), IssuanceError::Unlike);
    // The portrait's bytes differ from copy to copy, so that nobody can link them (security.md §3.2).
    let vary: fn(usize, &mut serde_json::Map<String, Value>) =
        |n, claims| drop(claims.insert("picture".into(), format!("data:image/jpeg;base64,{n:04}").into()));
    Wallet::new().kept(&mut Issuer::new(Desk { vary, ..Desk::default() })).unwrap();
}

#[test]
fn attack_47_a_copy_that_hides_less_than_the_others_is_refused() {
    // The person is asked by the look of one copy, and another is shown: it must be able to hide what the first can.
    let bare: fn(usize) -> &'static [&'static str] = |n| if n == 29 { &["birth_date"] } else { &[] };
    assert_eq!(refused(Desk { bare, ..Desk::default() }), IssuanceError::Unlike);
    // An issuer that lets nobody hide it says so with every copy.
    let bare: fn(usize) -> &'static [&'static str] = |_| &["birth_date"];
    let vct = "urn:example:other:1".to_owned();
    Wallet::new().kept(&mut Issuer::new(Desk { bare, vct, ..Desk::default() })).unwrap();
    // Only the portrait's picture may differ, not what else an issuer would put in its place.
    let vary: fn(usize, &mut serde_json::Map<String, Value>) =
        |n, claims| drop(claims.insert("picture".into(), value!({ "case": n })));
    assert_eq!(refused(Desk { vary, ..Desk::default() }), IssuanceError::Unlike);
}

#[test]
fn vci_12_2_metadata_must_be_of_the_issuer_itself() {
    use AddressError::{Embellished, NotHttps};
    use Answer::{IssuerMetadata, ServerMetadata};
    use IssuanceError::*;
    let issuer =
        tampered(|path, v| set(path, "issuer/tenant", v, "credential_issuer", "https://issuer.example/tenant/".into()));
    assert_eq!(issuer, OtherIssuer);
    let no_server = tampered(|path, v| set(path, "issuer/tenant", v, "authorization_servers", value!([])));
    assert_eq!(no_server, Malformed(IssuerMetadata));
    let case = tampered(|path, v| set(path, "server/tenant", v, "issuer", "https://issuer.example/Tenant".into()));
    assert_eq!(case, OtherServer);
    let grant =
        tampered(|path, v| set(path, "server/tenant", v, "grant_types_supported", value!(["authorization_code"])));
    assert_eq!(grant, GrantNotSupported);
    let plain =
        tampered(|path, v| set(path, "issuer/tenant", v, "credential_endpoint", "http://127.0.0.1/credential".into()));
    assert_eq!(plain, Address(IssuerMetadata, NotHttps));
    let named =
        tampered(|path, v| set(path, "server/tenant", v, "token_endpoint", "https://a:b@issuer.example/token".into()));
    assert_eq!(named, Address(ServerMetadata, Embellished));
    let number = tampered(|path, v| set(path, "server/tenant", v, "token_endpoint", value!(7)));
    assert_eq!(number, Malformed(ServerMetadata));
    let format = tampered(|path, v| {
        if path.ends_with("issuer/tenant") {
            v["credential_configurations_supported"]["identity"]["format"] = "jwt_vc_json".into();
        }
    });
    assert_eq!(format, NothingToHold);
}

/// The ceremony with an issuer whose answers are changed on the way.
fn tampered(tamper: fn(&str, &mut Value)) -> IssuanceError {
    refused(Desk { tamper, ..Desk::default() })
}

fn set(path: &str, at: &str, object: &mut Value, member: &str, to: Value) {
    if path.ends_with(at) {
        object[member] = to;
    }
}

#[test]
fn tokens_and_answers_are_read_strictly() {
    let bearer = tampered(|path, v| set(path, "/token", v, "token_type", "Bearer".into()));
    assert_eq!(bearer, IssuanceError::TokenNotBound);
    let header = tampered(|path, v| set(path, "/token", v, "access_token", "a\r\nx: y".into()));
    assert_eq!(header, IssuanceError::Malformed(Answer::Token));
    let none = tampered(|path, v| set(path, "/credential", v, "credentials", value!([])));
    assert_eq!(none, IssuanceError::CopyCount { got: 0, keys: 30 });
    let later = tampered(|path, v| set(path, "/credential", v, "transaction_id", "later".into()));
    assert_eq!(later, IssuanceError::Malformed(Answer::Credential), "now and later at once");
    let too_many: fn(&mut Vec<String>) = |copies| copies.push(copies[0].clone());
    assert_eq!(refused(Desk { spoil: too_many, ..Desk::default() }), IssuanceError::CopyCount { got: 31, keys: 30 });
    let other_type = tampered(|path, v| {
        if path.ends_with("issuer/tenant") {
            v["credential_configurations_supported"]["identity"]["vct"] = "urn:amparo:attestation:1".into();
        }
    });
    assert_eq!(other_type, IssuanceError::WrongType);
    let ended = Desk { expires_at: NOW, ..Desk::default() };
    assert!(matches!(refused(ended), IssuanceError::Copy(_)), "ended at this very second");
}

const BACK: &str = "http://127.0.0.1:51004/back";

#[test]
fn a_transaction_code_that_cannot_be_right_is_not_sent() {
    let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let offered = wallet.offered_by(&mut issuer).unwrap();
    let sent = wallet.asked.len();
    let mut accept = |code: Option<&str>| offered.accept(code.map(TxCode::new), None, NOW, &mut wallet.rng).map(drop);
    assert_eq!(accept(None), Err(IssuanceError::TxCodeMissing));
    for code in ["", "1234567", "123456789", "1234567x", "١٢٣٤٥٦٧٨"] {
        assert_eq!(accept(Some(code)), Err(IssuanceError::TxCodeShape { length: Some(8) }), "{code}");
    }
    assert_eq!(wallet.asked.len(), sent);
    let wrong = wallet.delivered(&mut issuer, Some("87654321")).map(drop);
    assert_eq!(wrong, Err(IssuanceError::GrantRefused { with_tx_code: true }));
    assert_eq!(format!("{:?}", TxCode::new("12345678")), "TxCode { .. }");
    // The person may try again with the same offer.
    let redeeming = offered.accept(Some(TxCode::new("12345678")), None, NOW, &mut wallet.rng).unwrap();
    assert!(!format!("{redeeming:?} {offered:?}").contains("code-of-256"), "no code in a log");
    run(redeeming, &mut wallet.asked, |effect| issuer.answer(effect), NOW, &mut wallet.rng).unwrap();
}

#[test]
fn links_are_read_strictly() {
    let link = |query: &str| follow(&format!("openid-credential-offer://?{query}")).map(drop);
    assert_eq!(follow("").map(drop), Err(IssuanceError::NotALink));
    assert_eq!(follow("https://issuer.example/offer").map(drop), Err(IssuanceError::NotALink));
    assert_eq!(link("x=1"), Err(IssuanceError::LinkParameters));
    assert_eq!(
        link("credential_offer={}&credential_offer_uri=https%3A%2F%2Fi.example"),
        Err(IssuanceError::LinkParameters)
    );
    assert_eq!(link("credential_offer={}&credential_offer={}"), Err(IssuanceError::LinkParameters));
    assert_eq!(link("credential_offer=[]"), Err(IssuanceError::Malformed(Answer::Offer)));
    let not_https = Err(IssuanceError::Address(Answer::Offer, AddressError::NotHttps));
    assert_eq!(link("credential_offer_uri=http%3A%2F%2Fi.example%2Fo"), not_https);
    assert_eq!(link("credential_offer_uri=file%3A%2F%2F%2Fetc%2Fpasswd"), not_https);
    let offer = |offer: Value| {
        let mut link = url::Url::parse("openid-credential-offer://").unwrap();
        link.query_pairs_mut().append_pair("credential_offer", &offer.to_string());
        follow(link.as_str()).map(drop)
    };
    let good = Issuer::new(Desk::default()).offer();
    assert_eq!(offer(good.clone()), Ok(()));
    // HAIP's own way to call a wallet.
    let mut haip = url::Url::parse("haip-vci://").unwrap();
    haip.query_pairs_mut().append_pair("credential_offer", &good.to_string());
    assert_eq!(follow(haip.as_str()).map(drop), Ok(()));
    assert_eq!(follow(&haip.as_str().replace("haip-vci", "haip-vp")).map(drop), Err(IssuanceError::NotALink));
    let change = |member: &str, to: Value| {
        let mut changed = good.clone();
        changed[member] = to;
        offer(changed)
    };
    assert_eq!(change("credential_issuer", "http://issuer.example".into()), not_https);
    assert_eq!(change("credential_configuration_ids", value!([])), Err(IssuanceError::Malformed(Answer::Offer)));
    assert_eq!(
        change("credential_configuration_ids", value!(["a", "a"])),
        Err(IssuanceError::Malformed(Answer::Offer))
    );
    assert_eq!(change("grants", value!({"authorization_code": {}})), Ok(()));
    assert_eq!(change("grants", value!({"implicit": {}})), Err(IssuanceError::NoGrant));
    assert_eq!(
        link("credential_offer={\"credential_issuer\":\"a\",\"credential_issuer\":\"b\"}"),
        Err(IssuanceError::Malformed(Answer::Offer))
    );
}

#[test]
fn attack_43_a_public_issuer_never_leads_to_this_machine() {
    let tamper = |path: &str, v: &mut Value| {
        set(path, "issuer/tenant", v, "authorization_servers", value!(["http://127.0.0.1:8080"]))
    };
    assert_eq!(
        refused(Desk { tamper, ..Desk::default() }),
        IssuanceError::Address(Answer::IssuerMetadata, AddressError::NotHttps)
    );
    // An offer that was fetched from this machine may name a public issuer, and from there nothing leads back.
    let mut mixed = Issuer::new(Desk {
        tamper: |path, v| set(path, "server/tenant", v, "token_endpoint", "https://127.0.0.1/token".into()),
        ..Desk::default()
    });
    let link = mixed.link_by_reference().replace("https%3A%2F%2Fissuer.example", "http%3A%2F%2Flocalhost");
    let refused = Wallet::new().offered(&mut mixed, &link).map(drop);
    assert_eq!(refused, Err(IssuanceError::Address(Answer::ServerMetadata, AddressError::ThisMachine)));
    // The person's own link names this machine: all of the ceremony may go there, over plain HTTP.
    let (mut wallet, mut issuer) =
        (Wallet::new(), Issuer::new(Desk { url: "http://127.0.0.1:8080/tenant".into(), ..Desk::default() }));
    wallet.kept(&mut issuer).unwrap();
    let (mut wallet, link) = (Wallet::new(), issuer.link_by_reference());
    wallet.offered(&mut issuer, &link).unwrap();
}

#[test]
fn the_network_and_the_vault_have_their_own_faults() {
    let (mut wallet, issuer) = (Wallet::new(), Issuer::new(Desk::default()));
    let fetch = |outcome: Outcome| {
        let mut rng = Wallet::new().rng;
        run(
            follow(&issuer.link()).unwrap(),
            &mut Vec::new(),
            |_| match &outcome {
                Outcome::Unreachable => Outcome::Unreachable,
                Outcome::Response(r) => json(r.status, &value!({})),
            },
            NOW,
            &mut rng,
        )
        .map(drop)
        .unwrap_err()
    };
    assert_eq!(fetch(Outcome::Unreachable).fault(), Fault::Network);
    assert_eq!(fetch(json(503, &value!({}))).fault(), Fault::Network);
    assert_eq!(fetch(json(404, &value!({}))).fault(), Fault::Peer);
    assert_eq!(fetch(json(302, &value!({}))).fault(), Fault::Peer, "redirects are not followed");

    wallet.memory.room = Some(12);
    let mut issuer = issuer;
    let full = wallet.kept(&mut issuer).unwrap_err();
    assert_eq!(full, IssuanceError::Holdings(HoldingsError::Record(RecordError::Full)));
    assert_eq!(full.fault(), Fault::Storage);
    assert!(wallet.memory.records.is_empty());
}

#[test]
fn the_same_seed_replays_the_same_ceremony() {
    let ceremony = || {
        let mut wallet = Wallet::new();
        wallet.kept(&mut Issuer::new(Desk::default())).unwrap();
        wallet.memory.ids_of(RecordKind::COPY)
    };
    assert_eq!(ceremony(), ceremony());
}

/// Bytes that a peer might send: noise, JSON of any shape, and near misses.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let json = prop::sample::select(vec![
        "{}",
        "[]",
        "null",
        "{\"credentials\":[{}]}",
        "{\"credentials\":[{\"credential\":1}]}",
        "{\"c_nonce\":\"\"}",
        "{\"access_token\":\"\",\"token_type\":\"DPoP\"}",
        "{\"credential_issuer\":[]}",
        "{\"error\":\"\\u0000\"}",
        "{\"credentials\":[{\"credential\":\"~\"}]}",
        "{\"credential_configurations_supported\":{\"identity\":7}}",
    ]);
    prop_oneof![
        any::<Vec<u8>>(),
        json.prop_map(|text| text.as_bytes().to_vec()),
        any::<String>().prop_map(String::into_bytes)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_back_is_refused_without_a_panic(body in bytes(), status in prop::sample::select(vec![200u16, 202, 400, 401]), at in 0usize..8) {
        let (mut wallet, mut issuer) = (Wallet::new(), Issuer::new(Desk::default()));
        let mut exchange = 0;
        let mut answer = |effect: &crate::effect::Effect| {
            exchange += 1;
            let headers = vec![("dpop-nonce".to_owned(), "dpop-nonce-true".to_owned())];
            if exchange > at {
                Outcome::Response(crate::effect::Response { status, headers, body: body.clone() })
            } else {
                issuer.answer(effect)
            }
        };
        let offered = run(follow(&Issuer::new(Desk::default()).link_by_reference()).unwrap(), &mut Vec::new(), &mut answer, NOW, &mut wallet.rng);
        if let Ok(offered) = offered {
            let redeeming = offered.accept(Some(TxCode::new("12345678")), Some(2), NOW, &mut wallet.rng).unwrap();
            if let Ok(delivered) = run(redeeming, &mut Vec::new(), &mut answer, NOW, &mut wallet.rng) {
                let _ = delivered.verify(&TrustAnchors::default(), NOW);
            }
        }
        let _ = follow(&String::from_utf8_lossy(&body));
    }
}
