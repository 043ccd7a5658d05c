//! Several credentials in one answer, and an answer held against the verifier's own query.

use crate::issuer::{Card, Issuer};
use crate::world::*;
use credentials::b64;
use credentials::dcql::{Query, authority_key_ids};
use schemas::ClaimPath;
use serde_json::{Value, json};
use verifier::policy::{ConsentMode, ResponseMode};
use verifier::service::{Ask, Outcome};

const ATTESTATION: &str = "urn:amparo:attestation:1";

fn identity(id: &str) -> Value {
    json!({
        "id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [crate::issuer::VCT]}, "claims": [{"path": ["given_name"]}],
    })
}

fn attested(id: &str) -> Value {
    json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [ATTESTATION]}, "claims": [{"path": ["attested_by"]}]})
}

async fn asked(world: &World, dcql: Value) -> Asked {
    let query = Query::parse(dcql.to_string().as_bytes()).unwrap();
    world.ask_as(Ask { query, response_mode: ResponseMode::DirectPost, ..ask() }).await
}

fn attestation(world: &World, by: &str) -> Card {
    let mut draft = Issuer::draft(NOW, None);
    draft.vct = ATTESTATION.into();
    draft.disclosable = json!({"attested_by": by, "services": ["shelter"]}).as_object().unwrap().clone();
    draft.nested = Vec::new();
    world.issuer.issue(&draft)
}

fn show(world: &World, asked: &Asked, card: &Card, name: &str) -> String {
    present(card, &[ClaimPath::names([name])], &world.binding(asked))
}

#[tokio::test]
async fn vp_8_6_an_answer_has_all_that_is_required_and_what_is_optional_may_be_left_out() {
    let world = World::new().await;
    let (card, sent) = (world.short_lived(), attestation(&world, "Casa Abierta"));
    let dcql = json!({
        "credentials": [identity("who"), attested("sent")],
        "credential_sets": [{"options": [["who"]]}, {"options": [["sent"]], "required": false}],
    });
    for (ids, code) in [(&["who", "sent"][..], ""), (&["who"], ""), (&["sent"], "incomplete")] {
        let asked = asked(&world, dcql.clone()).await;
        let mut token = json!({});
        for id in ids {
            token[*id] = match *id {
                "who" => json!([show(&world, &asked, &card, "given_name")]),
                _ => json!([show(&world, &asked, &sent, "attested_by")]),
            };
        }
        let reply = world.post_token(&asked, token).await;
        assert_eq!(reply.code(), code);
        if code.is_empty() {
            let report = world.report(&asked);
            let held = report.held.unwrap();
            let mut queries: Vec<&str> = held.content().credentials().iter().map(|held| held.query()).collect();
            queries.sort_unstable();
            assert_eq!(queries.len(), ids.len(), "all that came is kept, under its own query: {queries:?}");
        } else {
            assert_eq!(world.stands(&asked), (Outcome::Refused, code.to_owned()));
        }
    }
}

#[tokio::test]
async fn vp_6_1_several_come_only_where_several_were_asked_for() {
    let world = World::new().await;
    let (one, two) = (attestation(&world, "Casa Abierta"), attestation(&world, "Puente"));
    for multiple in [true, false] {
        let mut query = attested("sent");
        query["multiple"] = multiple.into();
        let asked = asked(&world, json!({"credentials": [query]})).await;
        let shown = [&one, &two].map(|card| show(&world, &asked, card, "attested_by"));
        let reply = world.post_token(&asked, json!({"sent": shown})).await;
        assert_eq!(reply.code(), if multiple { "" } else { "not_as_asked" });
        if multiple {
            assert_eq!(world.report(&asked).held.unwrap().content().credentials().len(), 2);
        }
    }
}

#[tokio::test]
async fn vp_6_1_1_1_the_verifier_looks_itself_for_the_authority_that_it_named() {
    let world = World::new().await;
    let card = world.short_lived();
    let own = authority_key_ids(&card.text).remove(0);
    for (wanted, code) in [(own.as_slice(), ""), (&[7; 20], "not_as_asked")] {
        let mut query = identity("who");
        query["trusted_authorities"] = json!([{"type": "aki", "values": [b64::encode(wanted)]}]);
        let asked = asked(&world, json!({"credentials": [query]})).await;
        let shown = show(&world, &asked, &card, "given_name");
        assert_eq!(world.post_token(&asked, json!({"who": [shown]})).await.code(), code);
    }
}

#[tokio::test]
async fn vp_6_4_1_of_several_claim_sets_one_is_taken_and_two_are_too_many() {
    let world = World::new().await;
    let card = world.short_lived();
    let mut query = identity("who");
    query["claims"] = json!([{"id": "over", "path": ["age_over_18"]}, {"id": "born", "path": ["birth_date"]}]);
    query["claim_sets"] = json!([["over"], ["born"]]);
    for (names, code) in [
        (&["age_over_18"][..], ""),
        (&["birth_date"], ""),
        (&["age_over_18", "birth_date"], "over_disclosure"),
        (&[], "not_as_asked"),
    ] {
        let asked = asked(&world, json!({"credentials": [query]})).await;
        let paths: Vec<ClaimPath> = names.iter().map(|name| ClaimPath::names([*name])).collect();
        let shown = present(&card, &paths, &world.binding(&asked));
        assert_eq!(world.post_token(&asked, json!({"who": [shown]})).await.code(), code, "{names:?}");
    }
}

#[tokio::test]
async fn one_consent_covers_several_credentials_and_two_are_refused() {
    let world = World::new().await;
    let (card, sent) = (world.short_lived(), attestation(&world, "Casa Abierta"));
    let dcql = json!({"credentials": [identity("who"), attested("sent")]});
    let query = Query::parse(dcql.to_string().as_bytes()).unwrap();
    let (given, by) = ([ClaimPath::names(["given_name"])], [ClaimPath::names(["attested_by"])]);
    let all = [given.to_vec(), by.to_vec()].concat();
    for (granted, twice, code) in
        [(&all[..], false, ""), (&given[..], false, "consent_invalid"), (&all[..], true, "consent_invalid")]
    {
        let asking = Ask {
            query: query.clone(),
            consent: ConsentMode::Required,
            response_mode: ResponseMode::DirectPost,
            purpose: schemas::purpose::Purpose::SupportService,
            ..ask()
        };
        let asked = world.ask_as(asking).await;
        let signed = world.consenting(&asked, granted, 600);
        let plain = world.binding(&asked);
        let token = json!({
            "who": [present(&card, &given, &signed)],
            "sent": [present(&sent, &by, if twice { &signed } else { &plain })],
        });
        assert_eq!(world.post_token(&asked, token).await.code(), code);
    }
}
