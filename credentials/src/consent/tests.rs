//! Proposals that are not understood, grants that are wider than they may be, and grants carried elsewhere.

use super::check::{Signed, check_signed};
use super::*;
use crate::dcql::Query;
use crate::testing::{NOW, rng};
use proptest::prelude::*;
use schemas::ClaimPath;
use schemas::consent::{CONSENT_REQUEST_TYPE, Grant};
use schemas::purpose::Purpose;
use serde_json::{Value, json};

const VERIFIER: &str = "x509_san_dns:border.example";

fn request() -> Value {
    json!({
        "type": CONSENT_REQUEST_TYPE,
        "credential_ids": ["sx"],
        "transaction_data_hashes_alg": ["sha-256"],
        "controller": {"client_id": VERIFIER, "name": "Border", "contact": "desk@border.example"},
        "purposes": [
            {"code": "amparo:border-entry", "dpv": "dpv:LegalObligation", "necessity": "required",
             "claims": [["given_name"], ["age_over_18"], ["address"]]},
            {"code": "amparo:age-check", "claims": [["age_over_21"]]},
        ],
        "retention": "PT72H",
        "onward": [],
        "not_after": NOW.plus(Seconds::HOUR),
        "lang": "es",
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut request = request();
    *request.pointer_mut(pointer).unwrap() = value;
    request
}

fn encode(value: &Value) -> String {
    crate::b64::encode(value.to_string().as_bytes())
}

fn proposal() -> ProposedConsent {
    ProposedConsent::parse(&encode(&request())).unwrap()
}

fn names(names: &[&str]) -> Vec<ClaimPath> {
    names.iter().map(|name| ClaimPath::names([*name])).collect()
}

fn query(claims: Value, binding: bool) -> Query {
    Query::parse(
        json!({"credentials": [{"id": "sx", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]},
               "require_cryptographic_holder_binding": binding, "claims": claims}]})
        .to_string()
        .as_bytes(),
    )
    .unwrap()
}

/// A grant for the proposal, a signature around it, and the check of both.
#[derive(Clone)]
struct Case {
    proposal: ProposedConsent,
    grant: Grant,
    hashes: Vec<String>,
    algorithm: Option<String>,
    audience: String,
    disclosed: Vec<ClaimPath>,
}

impl Case {
    fn new() -> Self {
        let proposal = proposal();
        let choice = Choice {
            claims: names(&["given_name", "age_over_18"]),
            purposes: Some(vec![Purpose::BorderEntry]),
            ..Choice::default()
        };
        let grant = grant(&proposal, &choice, ConsentId::generate(&mut rng(1)), &[7; 32], NOW).unwrap();
        Self {
            hashes: vec![proposal.hash().to_owned()],
            algorithm: Some("sha-256".to_owned()),
            audience: VERIFIER.to_owned(),
            disclosed: grant.claims.clone(),
            proposal,
            grant,
        }
    }

    fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut case = self.clone();
        change(&mut case);
        case
    }

    fn check_at(&self, received: Timestamp, now: Timestamp) -> Result<AgreedConsent, ConsentError> {
        let signed = Signed {
            grant: Some(&self.grant),
            transaction_data_hashes: Some(&self.hashes),
            transaction_data_hashes_alg: self.algorithm.as_deref(),
            audience: &self.audience,
        };
        check_signed(&signed, &self.proposal, VERIFIER, &self.disclosed, received, now)
    }

    fn check(&self) -> Result<AgreedConsent, ConsentError> {
        self.check_at(NOW, NOW)
    }
}

#[test]
fn consent_01_a_proposal_is_read_as_it_was_sent() {
    let raw = encode(&request());
    let proposal = RequestIn::parse(std::slice::from_ref(&raw)).unwrap().unwrap();
    assert_eq!(proposal.raw(), raw);
    assert_eq!(proposal.request().controller.name, "Border");
    assert_eq!(proposal.retention(), Seconds::HOUR.times(72));
    assert_eq!(proposal.purposes().collect::<Vec<_>>(), [Purpose::BorderEntry, Purpose::AgeCheck]);
    assert_eq!(ProposedConsent::write(proposal.request()).unwrap().request(), proposal.request());
    assert_eq!(RequestIn::parse(&[]), Ok(None));
    // The hash is over the text, not over what it encodes: OpenID4VP 1.0 §B.3.3.1.
    let spaced = crate::b64::encode(format!("{} ", request()).as_bytes());
    assert_ne!(ProposedConsent::parse(&spaced).unwrap().hash(), proposal.hash());
}

#[test]
fn consent_02_the_hash_is_sha_256_of_the_text_as_received() {
    use sha2::{Digest as _, Sha256};
    let proposal = proposal();
    assert_eq!(proposal.hash(), crate::b64::encode(&Sha256::digest(proposal.raw().as_bytes())));
    assert_eq!(proposal.hash().len(), 43);
}

#[test]
fn attack_46_one_entry_not_understood_spoils_them_all() {
    let refused = |entries: &[String]| RequestIn::parse(entries).unwrap_err();
    let good = encode(&request());
    let unknown = encode(&json!({"type": "payment", "credential_ids": ["sx"]}));
    assert_eq!(refused(std::slice::from_ref(&unknown)), ConsentError::UnknownType);
    assert_eq!(refused(&[good.clone(), unknown.clone()]), ConsentError::UnknownType);
    assert_eq!(refused(&[unknown, good.clone()]), ConsentError::UnknownType);
    assert_eq!(refused(&[good.clone(), good.clone()]), ConsentError::MoreThanOne);
    assert!(matches!(refused(&vec![good; 9]), ConsentError::Count { got: 9, .. }));
    for value in [
        json!({"credential_ids": ["sx"]}),
        with("/type", json!("urn:amparo:consent-request:2")),
        with("/type", json!(1)),
    ] {
        assert_eq!(refused(&[encode(&value)]), ConsentError::UnknownType);
    }
    assert!(matches!(refused(&["{}".to_owned()]), ConsentError::Base64(_)));
    assert!(matches!(refused(&[crate::b64::encode(b"{\"type\":1,\"type\":2}")]), ConsentError::Json(_)));
    assert!(matches!(refused(&["A".repeat(16 * 1024 + 1)]), ConsentError::TooLong { .. }));

    let unknown_members =
        [("/surprise", ""), ("/controller/surprise", "/controller"), ("/purposes/1/surprise", "/purposes/1")];
    for (member, parent) in unknown_members {
        let mut request = request();
        request.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert("surprise".to_owned(), json!(1));
        assert_eq!(refused(&[encode(&request)]), ConsentError::UnknownMember, "{member}");
    }
}

#[test]
fn attack_46_values_that_make_no_sense_are_refused() {
    for (pointer, value) in [
        ("/credential_ids", json!([])),
        ("/credential_ids", json!(["a b"])),
        ("/credential_ids", json!("sx")),
        ("/transaction_data_hashes_alg", json!(["sha-1"])),
        ("/transaction_data_hashes_alg", json!([])),
        ("/controller/client_id", json!("")),
        ("/controller/name", json!("n".repeat(513))),
        ("/controller", json!({"client_id": VERIFIER})),
        ("/purposes", json!([])),
        ("/purposes/0/code", json!("border-entry")),
        ("/purposes/0/code", json!("amparo:marketing")),
        ("/purposes/1/code", json!("amparo:border-entry")),
        ("/purposes/0/necessity", json!("maybe")),
        ("/purposes/0/claims/0", json!([])),
        ("/purposes/0/claims/0", json!([0])),
        ("/retention", json!("72h")),
        ("/retention", json!("P1M")),
        ("/retention", json!("PT0S")),
        ("/retention", json!(3600)),
        ("/onward", json!([""])),
        ("/not_after", json!("2026-11-23")),
        ("/not_after", json!(1.5)),
        ("/lang", json!("")),
    ] {
        let refused = ProposedConsent::parse(&encode(&with(pointer, value.clone()))).unwrap_err();
        assert!(matches!(refused, ConsentError::Member(_)), "{pointer} {value}: {refused}");
    }
}

#[test]
fn consent_03_a_proposal_must_fit_the_request_it_came_with() {
    let proposal = proposal();
    let good = query(json!([{"path": ["given_name"]}]), true);
    assert_eq!(proposal.check_request(VERIFIER, &good, NOW), Ok(()));
    for other in ["border.example", "x509_hash:border.example", "X509_SAN_DNS:border.example"] {
        assert_eq!(proposal.check_request(other, &good, NOW), Err(ConsentError::OtherController));
    }
    let unbound = query(json!([{"path": ["given_name"]}]), false);
    assert_eq!(proposal.check_request(VERIFIER, &unbound, NOW), Err(ConsentError::OtherCredential));
    let elsewhere = ProposedConsent::parse(&encode(&with("/credential_ids", json!(["sx", "sy"])))).unwrap();
    assert_eq!(elsewhere.check_request(VERIFIER, &good, NOW), Err(ConsentError::OtherCredential));
    let ended = NOW.plus(Seconds::HOUR);
    assert!(matches!(proposal.check_request(VERIFIER, &good, ended), Err(ConsentError::RequestEnded { .. })));
}

#[test]
fn attack_47_claims_beyond_the_purpose_are_over_asking() {
    let over = |purpose, asked: &[&str]| {
        over_asking(&[purpose], &names(asked)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        over(Purpose::AgeCheck, &["age_over_18", "picture", "birth_date"]),
        [r#"["picture"]"#, r#"["birth_date"]"#]
    );
    assert_eq!(over(Purpose::AgeCheck, &["age_over_12", "age_over_16", "age_over_21"]), [""; 0]);
    assert_eq!(over(Purpose::AgeCheck, &["age_over_1", "age_over_", "age_over_18x", "age_over_xx"]).len(), 4);
    assert_eq!(over(Purpose::BorderEntry, &["given_name", "picture", "nationalities"]), [""; 0]);
    assert_eq!(over(Purpose::BorderEntry, &["category", "case_reference", "address", "email"]).len(), 4);
    assert_eq!(over(Purpose::SupportService, &["attested_by", "category", "services", "given_name"]), [""; 0]);
    assert_eq!(over(Purpose::SupportService, &["picture", "nationalities", "document_number"]).len(), 3);
    // Below a claim that fits, everything does; what is unknown fits nothing; two purposes need what either needs.
    assert!(fits(Purpose::BorderEntry, &ClaimPath::names(["birth_place", "country"])));
    assert!(Purpose::ALL.iter().all(|purpose| !fits(*purpose, &ClaimPath::names(["blood_group"]))));
    assert_eq!(over_asking(&[Purpose::AgeCheck, Purpose::SupportService], &names(&["category", "age_over_18"])), []);
    assert_eq!(over_asking(&[], &names(&["given_name"])).len(), 1);

    // And what the query asks for without any purpose at all is seen as well.
    let asked =
        query(json!([{"path": ["given_name"]}, {"path": ["picture"]}, {"path": ["address", "locality"]}]), true);
    assert_eq!(proposal().unexplained(&asked), names(&["picture"]));
}

#[test]
fn attack_47_every_claim_of_our_types_was_thought_of() {
    // A claim added to a type must be put into a purpose or into this list.
    let nobodys = ["address"];
    for claim in schemas::credential_type::ALL.iter().flat_map(|t| t.claims) {
        let needed = Purpose::ALL.iter().any(|purpose| fits(*purpose, &ClaimPath::names([claim.name])));
        assert_eq!(needed, !nobodys.contains(&claim.name), "{}", claim.name);
    }
}

#[test]
fn consent_04_a_grant_is_narrowed_and_clipped() {
    let proposal = proposal();
    let id = ConsentId::generate(&mut rng(2));
    let granted = |choice: Choice| grant(&proposal, &choice, id, &[1; 32], NOW);
    let usual = granted(Choice { claims: names(&["given_name"]), ..Choice::default() }).unwrap();
    assert_eq!((usual.nbf, usual.exp), (NOW, NOW.plus(Seconds::DAY)));
    // Both purposes proposed are agreed to, so the shorter caps of the age check hold.
    assert_eq!(usual.ret, "PT24H");
    assert_eq!(usual.purpose, [Purpose::BorderEntry, Purpose::AgeCheck]);
    assert_eq!((usual.req.as_str(), usual.aud.as_str()), (proposal.hash(), VERIFIER));
    assert_eq!(usual.id.parse::<ConsentId>().unwrap(), id);
    assert_eq!(usual.rev, revocation_digest(&[1; 32]));

    let border = Some(vec![Purpose::BorderEntry]);
    let long = granted(Choice {
        purposes: border.clone(),
        lasting: Some(Seconds::DAY.times(365)),
        retention: Some(Seconds::DAY.times(365)),
        ..Choice::default()
    })
    .unwrap();
    // Never beyond what the verifier itself proposed.
    assert_eq!((long.exp, long.ret.as_str()), (NOW.plus(Seconds::HOUR.times(72)), "PT72H"));
    let short =
        granted(Choice { lasting: Some(Seconds::new(5)), purposes: border, uses: Some(1), ..Choice::default() });
    assert_eq!(short.as_ref().unwrap().exp, NOW.plus(Seconds::new(5)));
    assert_eq!(short.unwrap().uses, Some(1));

    let stray = ClaimPath::names(["picture"]);
    assert_eq!(
        granted(Choice { claims: vec![stray.clone()], ..Choice::default() }),
        Err(GrantError::NotAskedFor(stray))
    );
    // A claim of a purpose that is not agreed to.
    let age_only =
        Choice { claims: names(&["given_name"]), purposes: Some(vec![Purpose::AgeCheck]), ..Choice::default() };
    assert!(matches!(granted(age_only), Err(GrantError::NotAskedFor(_))));
    for purposes in [vec![], vec![Purpose::SupportService]] {
        assert_eq!(granted(Choice { purposes: Some(purposes), ..Choice::default() }), Err(GrantError::Purpose));
    }
    assert_eq!(granted(Choice { lasting: Some(Seconds::new(0)), ..Choice::default() }), Err(GrantError::Nothing));
    assert_eq!(granted(Choice { uses: Some(0), ..Choice::default() }), Err(GrantError::Nothing));
    let late = grant(&proposal, &Choice::default(), id, &[1; 32], NOW.plus(Seconds::HOUR));
    assert!(matches!(late, Err(GrantError::RequestEnded { .. })));
}

#[test]
fn consent_05_a_grant_within_the_proposal_is_agreed() {
    let agreed = Case::new().check().unwrap();
    assert_eq!(agreed.purposes(), [Purpose::BorderEntry]);
    assert_eq!(agreed.ends_at(), NOW.plus(Seconds::DAY));
    assert_eq!(agreed.retention(), Seconds::HOUR.times(72));
    assert_eq!((agreed.uses(), agreed.id().to_string()), (None, agreed.grant().id.clone()));
    assert_eq!(agreed.revocation(), revocation_digest(&[7; 32]));
    // Kept at most as long as the holder said, counted from when it came.
    let brief = Case::new().but(|case| case.grant.ret = "PT10S".to_owned());
    assert_eq!(brief.check().unwrap().ends_at(), NOW.plus(Seconds::new(10)));
    assert!(matches!(brief.check_at(NOW, NOW.plus(Seconds::new(10))), Err(ConsentError::Ended { .. })));
    assert_eq!(Case::new().but(|case| case.grant.uses = Some(3)).check().unwrap().uses(), Some(3));
    // A verifier that does not name an algorithm is answered with the same one.
    assert!(Case::new().but(|case| case.algorithm = None).check().is_ok());
}

#[test]
fn consent_06_a_grant_that_is_not_well_formed_is_refused() {
    let case = Case::new();
    let changes = [
        ("v", (|grant| grant.v = 2) as fn(&mut Grant)),
        ("id", |grant| grant.id = crate::b64::encode(&[0; 15])),
        ("id", |grant| grant.id = "not base64url!".to_owned()),
        ("req", |grant| grant.req.push('A')),
        ("rev", |grant| grant.rev = String::new()),
        ("claims", |grant| grant.claims = vec![ClaimPath::new(Vec::new())]),
        ("claims", |grant| grant.claims = names(&["a"; 65])),
        ("purpose", |grant| grant.purpose = vec![Purpose::BorderEntry; 4]),
        ("uses", |grant| grant.uses = Some(0)),
        ("ret", |grant| grant.ret = "1d".to_owned()),
    ];
    for (member, change) in changes {
        assert_eq!(case.but(|case| change(&mut case.grant)).check(), Err(ConsentError::Grant(member)));
    }
    // The longest lists that are well-formed.
    assert!(case.but(|case| case.grant.claims.resize(64, ClaimPath::names(["given_name"]))).check().is_ok());
    let every = case.but(|case| case.grant.purpose = Purpose::ALL.to_vec());
    assert_eq!(every.check(), Err(ConsentError::WrongPurpose), "for what was proposed, and not for its length");
    for exp in [NOW, NOW.minus(Seconds::new(1))] {
        assert_eq!(case.but(|case| case.grant.exp = exp).check(), Err(ConsentError::Grant("exp")));
    }
    let nobody =
        Signed { grant: None, transaction_data_hashes: None, transaction_data_hashes_alg: None, audience: VERIFIER };
    assert_eq!(check_signed(&nobody, &proposal(), VERIFIER, &[], NOW, NOW), Err(ConsentError::NoGrant));
}

#[test]
fn attack_68_a_consent_outside_its_time_is_refused() {
    let case = Case::new();
    let end = case.grant.exp;
    assert!(case.check_at(NOW, end.minus(Seconds::new(1))).is_ok());
    // At `exp` itself, and one second later, it has ended.
    for now in [end, end.plus(Seconds::new(1))] {
        assert_eq!(case.check_at(NOW, now), Err(ConsentError::Ended { ended: end }));
    }
    let begins = |after: u64| {
        let not_before = NOW.plus(Seconds::new(after));
        (not_before, case.but(|case| case.grant.nbf = not_before).check())
    };
    assert!(begins(60).1.is_ok());
    assert_eq!(begins(61).1, Err(ConsentError::NotYet { not_before: begins(61).0 }));
    let lasting = |span: Seconds| case.but(|case| case.grant.exp = NOW.plus(span)).check();
    assert!(lasting(Seconds::DAY.times(30)).is_ok());
    let over = Seconds::DAY.times(30).get() + 1;
    assert!(matches!(lasting(Seconds::new(over)), Err(ConsentError::TooLasting { got, .. }) if got.get() == over));
    // The proposal itself could be agreed to until `not_after` only.
    let late = NOW.plus(Seconds::HOUR);
    assert!(matches!(case.check_at(late, late), Err(ConsentError::RequestEnded { .. })));
}

#[test]
fn attack_69_a_grant_wider_than_the_request_is_refused() {
    let case = Case::new();
    let over = case.but(|case| case.disclosed.push(ClaimPath::names(["nationalities"])));
    assert_eq!(over.check(), Err(ConsentError::OverDisclosure));
    // Granting a child does not cover its parent.
    let parent = case.but(|case| {
        case.grant.claims = vec![ClaimPath::names(["address", "locality"])];
        case.disclosed = vec![ClaimPath::names(["address", "street_address"])];
    });
    assert_eq!(parent.check(), Err(ConsentError::OverDisclosure));
    let child = case.but(|case| {
        case.grant.claims = vec![ClaimPath::names(["address"])];
        case.disclosed = vec![ClaimPath::names(["address", "street_address"])];
    });
    assert!(child.check().is_ok());
    let wider = case.but(|case| case.grant.claims.push(ClaimPath::names(["picture"])));
    assert_eq!(wider.check(), Err(ConsentError::WiderThanRequest));
    for purposes in [vec![], vec![Purpose::SupportService], vec![Purpose::BorderEntry, Purpose::SupportService]] {
        assert_eq!(case.but(|case| case.grant.purpose = purposes).check(), Err(ConsentError::WrongPurpose));
    }
    // A claim that only another purpose of the proposal needs.
    assert_eq!(case.but(|case| case.grant.purpose = vec![Purpose::AgeCheck]).check(), Err(ConsentError::WrongPurpose));
    let kept = case.but(|case| case.grant.ret = "PT73H".to_owned());
    assert!(matches!(kept.check(), Err(ConsentError::WiderRetention { .. })));
    // Disclosing less than granted is the holder's right.
    assert!(case.but(|case| case.disclosed.clear()).check().is_ok());
}

#[test]
fn attack_70_a_consent_for_another_verifier_or_request_is_refused() {
    let case = Case::new();
    for other in ["x509_san_dns:other.example", "border.example", "x509_hash:border.example"] {
        assert_eq!(case.but(|case| case.grant.aud = other.to_owned()).check(), Err(ConsentError::WrongAudience));
        assert_eq!(case.but(|case| case.audience = other.to_owned()).check(), Err(ConsentError::WrongAudience));
    }
    // The verifier's own proposal names another controller.
    let foreign =
        ProposedConsent::parse(&encode(&with("/controller/client_id", json!("x509_san_dns:other.example")))).unwrap();
    let foreign = case.but(|case| {
        case.hashes = vec![foreign.hash().to_owned()];
        case.grant.req = foreign.hash().to_owned();
        case.proposal = foreign;
    });
    assert_eq!(foreign.check(), Err(ConsentError::WrongAudience));

    // The grant of one request carried into the key binding of another.
    let other = ProposedConsent::parse(&encode(&with("/retention", json!("PT71H")))).unwrap();
    let moved = case.but(|case| {
        case.hashes = vec![other.hash().to_owned()];
        case.proposal = other.clone();
    });
    assert_eq!(moved.check(), Err(ConsentError::OtherRequest));
    let unsigned = case.but(|case| case.grant.req = other.hash().to_owned());
    assert_eq!(unsigned.check(), Err(ConsentError::OtherRequest));
    for hashes in [vec![], vec![other.hash().to_owned()], vec![case.hashes[0].clone(), other.hash().to_owned()]] {
        assert_eq!(case.but(|case| case.hashes = hashes).check(), Err(ConsentError::NotSigned));
    }
    let sha512 = case.but(|case| case.algorithm = Some("sha-512".to_owned()));
    assert_eq!(sha512.check(), Err(ConsentError::NotSigned));
}

#[test]
fn consent_07_of_two_faults_the_earlier_check_speaks() {
    // security.md §4.1: parse, hash, audience, disclosure, purpose, time, retention.
    let mut case = Case::new();
    let faults = [
        ((|case| case.grant.ret = "PT73H".to_owned()) as fn(&mut Case), "WiderRetention"),
        (|case| case.grant.exp = NOW.plus(Seconds::DAY.times(31)), "TooLasting"),
        (|case| case.grant.nbf = NOW.plus(Seconds::HOUR), "NotYet"),
        (|case| case.grant.purpose = vec![Purpose::SupportService], "WrongPurpose"),
        (|case| case.grant.claims.push(ClaimPath::names(["picture"])), "WiderThanRequest"),
        (|case| case.disclosed.push(ClaimPath::names(["email"])), "OverDisclosure"),
        (|case| case.grant.aud = "x509_san_dns:other.example".to_owned(), "WrongAudience"),
        (|case| case.hashes.clear(), "NotSigned"),
        (|case| case.grant.v = 2, "Grant"),
    ];
    for (fault, speaks) in faults {
        fault(&mut case);
        let refused = case.check().unwrap_err();
        assert!(format!("{refused:?}").starts_with(speaks), "{refused}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ProposedConsent::parse(&text);
        let _ = ProposedConsent::parse(&crate::b64::encode(&bytes));
    }

    /// Whatever the holder chooses, if it is granted at all, the verifier agrees to it, within every cap.
    #[test]
    fn what_is_granted_is_agreed(
        lasting in prop::option::of(1_u64..10_000_000),
        retention in prop::option::of(1_u64..10_000_000),
        uses in prop::option::of(1_u32..5),
        both in any::<bool>(),
        chosen in prop::sample::subsequence(vec!["given_name", "age_over_18", "age_over_21", "picture"], 0..4),
    ) {
        let proposal = proposal();
        let choice = Choice {
            claims: names(&chosen),
            purposes: (!both).then(|| vec![Purpose::BorderEntry]),
            lasting: lasting.map(Seconds::new),
            retention: retention.map(Seconds::new),
            uses,
        };
        let Ok(grant) = grant(&proposal, &choice, ConsentId::generate(&mut rng(3)), &[9; 32], NOW) else { return Ok(()) };
        let agreed = Case { disclosed: grant.claims.clone(), grant, ..Case::new() }.check().unwrap();
        prop_assert!(agreed.ends_at() > NOW && agreed.ends_at() <= NOW.plus(MAX_LASTING));
        prop_assert!(agreed.retention() <= proposal.retention());
        if let Some(lasting) = lasting {
            prop_assert!(agreed.ends_at() <= NOW.plus(Seconds::new(lasting)));
        }
    }
}
