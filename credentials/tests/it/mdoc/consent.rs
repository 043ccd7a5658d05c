//! Consent in an mdoc: the same grant, the same checks, under the device key.

use super::world::{SPACE, draft, held, later, transcript, verified};
use crate::world::{NOW, WORLD, rng};
use credentials::consent::{
    AgreedConsent, Choice, ConsentError, ConsentId, ProposedConsent, check_mdoc_grant, grant, grant_elements,
    holder_authorizations,
};
use credentials::mdoc::{Elements, PresentError, device_response};
use schemas::ClaimPath;
use schemas::consent::{CONSENT_REQUEST_TYPE, Grant};
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT};
use serde_json::json;

const VERIFIER: &str = "x509_san_dns:verifier.example";

fn path(name: &str) -> ClaimPath {
    ClaimPath::names([SPACE, name])
}

fn proposal(retention: &str) -> ProposedConsent {
    let request = json!({
        "type": CONSENT_REQUEST_TYPE, "credential_ids": ["id"], "transaction_data_hashes_alg": ["sha-256"],
        "controller": {"client_id": VERIFIER, "name": "Border"},
        "purposes": [{"code": "amparo:border-entry", "claims": [[SPACE, "given_name"], [SPACE, "age_over_18"]]}],
        "retention": retention, "onward": [], "not_after": NOW.unix() + 3_600,
    });
    ProposedConsent::parse(&credentials::b64::encode(request.to_string().as_bytes())).unwrap()
}

fn granted(proposal: &ProposedConsent) -> Grant {
    let choice = Choice { claims: vec![path("given_name"), path("age_over_18")], ..Choice::default() };
    grant(proposal, &choice, ConsentId::generate(&mut rng(1)), &[7; 32], NOW).unwrap()
}

fn checked(
    own: &Elements,
    shown: &[&str],
    proposal: &ProposedConsent,
    seconds: i64,
) -> Result<AgreedConsent, ConsentError> {
    let mut draft = draft();
    draft.authorizations = holder_authorizations();
    let held = held(&draft);
    let paths: Vec<ClaimPath> = shown.iter().map(|name| path(name)).collect();
    let document = held.select(&paths).unwrap().sign(&transcript(), own, &WORLD.holder).unwrap();
    let presented = verified(&device_response(&[document])).unwrap();
    check_mdoc_grant(&presented, proposal, VERIFIER, &[], NOW, later(seconds))
}

#[test]
fn a_grant_signed_by_the_device_key_is_a_consent() {
    let proposal = proposal("PT24H");
    let grant = granted(&proposal);
    let agreed = checked(&grant_elements(&grant), &["given_name"], &proposal, 0).unwrap();
    assert_eq!(agreed.grant(), &grant);
    assert_eq!(agreed.ends_at(), later(86_400));
}

#[test]
fn attack_68_69_70_a_grant_in_an_mdoc_is_checked_like_any_other() {
    let proposal = proposal("PT24H");
    let good = granted(&proposal);
    let check = |grant: &Grant, shown: &[&str]| checked(&grant_elements(grant), shown, &proposal, 0).unwrap_err();
    let with = |change: &dyn Fn(&mut Grant)| {
        let mut grant = good.clone();
        change(&mut grant);
        check(&grant, &["given_name"])
    };
    // 68: over, too long.
    let over = checked(&grant_elements(&good), &["given_name"], &proposal, 86_400).unwrap_err();
    assert_eq!(over, ConsentError::Ended { ended: later(86_400) });
    assert!(matches!(with(&|g| g.exp = later(91 * 86_400)), ConsentError::TooLasting { .. }));
    // 69: shown beyond the grant; granted beyond the request.
    assert_eq!(check(&good, &["given_name", "family_name"]), ConsentError::OverDisclosure);
    assert_eq!(with(&|g| g.claims.push(path("portrait"))), ConsentError::WiderThanRequest);
    // 70: for another verifier, for another proposal of this one.
    assert_eq!(with(&|g| g.aud = "x509_san_dns:other.example".into()), ConsentError::WrongAudience);
    let other = granted(&self::proposal("PT12H"));
    assert_eq!(check(&other, &["given_name"]), ConsentError::NotSigned);
    // None, one that is no grant, one that says more than a grant can.
    assert_eq!(checked(&Elements::new(), &["given_name"], &proposal, 0).unwrap_err(), ConsentError::NoGrant);
    let raw = |bytes: &[u8]| {
        let mut own = Elements::new();
        own.insert(CONSENT_NAME_SPACE, GRANT, bytes);
        checked(&own, &["given_name"], &proposal, 0).unwrap_err()
    };
    assert_eq!(raw(b"{}"), ConsentError::Grant("grant"));
    assert!(matches!(raw(b"{\"v\":1,\"v\":1}"), ConsentError::Json(_)));
    let mut more = serde_json::to_value(&good).unwrap();
    more["onward"] = json!(["anybody"]);
    assert_eq!(raw(more.to_string().as_bytes()), ConsentError::Grant("grant"));
    let mut text = Elements::new();
    text.insert(CONSENT_NAME_SPACE, GRANT, "text");
    assert_eq!(checked(&text, &["given_name"], &proposal, 0).unwrap_err(), ConsentError::Grant("grant"));
}

#[test]
fn openid4vp_b_2_1_without_the_issuers_leave_no_grant_is_signed() {
    let mut silent = draft();
    silent.authorizations = credentials::mdoc::KeyAuthorizations::new();
    let own = grant_elements(&granted(&proposal("PT24H")));
    let refused = held(&silent).select(&[]).unwrap().sign(&transcript(), &own, &WORLD.holder).unwrap_err();
    assert_eq!(refused, PresentError::NotAuthorized(ClaimPath::names([CONSENT_NAME_SPACE, GRANT])));
    // What is allowed is just that.
    let allowed = holder_authorizations();
    assert!(allowed.allow(CONSENT_NAME_SPACE, GRANT) && allowed.allow("org.amparo.presence.1", "acr"));
    assert!(!allowed.allow(CONSENT_NAME_SPACE, "other") && !allowed.allow(SPACE, "given_name"));
}
