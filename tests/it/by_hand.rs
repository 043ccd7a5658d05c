//! The main job by hand, in another order than the demo's.

use crate::world::World;
use serde_json::json;

#[test]
fn a_request_waits_for_a_credential_that_comes_later_and_a_refusal_looks_like_absence() {
    let Some(world) = World::with_vault() else { return };
    // Asked before the person holds anything: nothing to show, and the verifier learns nothing.
    let (waiting, link) = world.request(&["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"]);
    world.holder("present", &[&link, "--yes"], 5);
    let data = world.text("verifier");
    let state = world.run("amparo-verifier", &["result", "--data", &data, &waiting], 0);
    assert_eq!(state.text("/state").unwrap(), "waiting");

    let (_, offer, code) = world.offer("3");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let list = world.holder("list", &[], 0).json;
    assert_eq!(list["credentials"][0]["type"], "identity");
    assert_eq!(list["credentials"][0]["copies"], 3);
    let id = list["credentials"][0]["id"].as_str().unwrap().to_owned();
    world.holder("show", &[&id], 0);
    let (svg, png) = (world.text("card.svg"), world.text("card.png"));
    world.holder("show", &[&id, "--card", &svg], 0);
    world.holder("show", &[&id, "--card", &png], 0);
    assert!(std::fs::read_to_string(&svg).unwrap().contains("Rivas"), "the holder's own card shows the holder's name");
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    // What is there is never overwritten.
    world.holder("show", &[&id, "--card", &png], 7);

    let (refused, link) = world.request(&["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"]);
    world.holder("refuse", &[&link], 0);
    assert_eq!(world.result(&refused, 4)["state"], "refused");

    let (transaction, link) =
        world.request(&["--preset", "age-over-18", "--purpose", "age-check", "--retention", "15m"]);
    let sent = world.holder("present", &[&link, "--for", "1h", "--yes"], 0).json;
    assert_eq!(sent["sent"], true);
    assert_eq!(sent["purpose"], "age-check");
    let result = world.result(&transaction, 0);
    assert_eq!(result["state"], "verified");
    assert_eq!(result["credentials"][0]["claims"], json!({"age_over_18": true}));
    // The same link again: answered once.
    world.holder("present", &[&link, "--yes"], 4);

    let history = world.holder("history", &[], 0).json.to_string();
    assert!(history.contains("age_over_18") && !history.contains("Alma") && !history.contains("Rivas"), "{history}");
    assert_eq!(world.holder("list", &[], 0).json["credentials"][0]["copies"], 2);
    world.holder("forget", &[&id], 0);
    assert_eq!(world.holder("list", &[], 0).json["credentials"], json!([]));
}

#[test]
fn without_our_consent_a_plain_answer_is_given_and_taken() {
    let Some(world) = World::with_vault() else { return };
    let (_, offer, code) = world.offer("2");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let arguments =
        ["--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m", "--consent", "none"];
    let (transaction, link) = world.request(&arguments);
    let sent = world.holder("present", &[&link, "--yes"], 0).json;
    assert!(sent["consent"].is_null(), "{sent}");
    let result = world.result(&transaction, 0);
    assert_eq!(result["credentials"][0]["claims"]["given_name"], "Alma");
}

#[test]
fn a_mobile_document_goes_the_same_way_and_says_the_same() {
    let Some(world) = World::with_vault() else { return };
    let (handle, offer, code) = world.offer_in("mdoc", "3");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let preset = ["--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m"];
    for format in ["any", "mdoc"] {
        let (transaction, link) = world.request(&[&preset[..], &["--format", format]].concat());
        let sent = world.holder("present", &[&link, "--only", "given_name,family_name,nationalities", "--yes"], 0).json;
        assert_eq!(sent["disclosed"][0]["type"], "identity");
        assert_eq!(sent["consent"]["purposes"], json!(["border-entry"]));
        let result = world.result(&transaction, 0);
        let shown = &result["credentials"][0];
        assert_eq!(shown["claims"], json!({"family_name": "Rivas", "given_name": "Alma", "nationalities": ["SV"]}));
        assert_eq!((&shown["type"], &shown["format"]), (&json!("identity"), &json!("mso_mdoc")));
        assert_eq!((&shown["status"], &result["consent"]["purpose"]), (&json!("valid"), &json!("border-entry")));
    }
    // Not in the other format, and not any more once it is revoked.
    let (_, link) = world.request(&[&preset[..], &["--format", "sd-jwt"]].concat());
    world.holder("present", &[&link, "--yes"], 5);
    let data = world.text("issuer");
    world.run("amparo-issuer", &["revoke", "--data", &data, "--handle", &handle], 0);
    let (transaction, link) = world.request(&preset);
    world.holder("present", &[&link, "--yes"], 4);
    assert_eq!(world.result(&transaction, 4)["error"]["code"], "revoked");
}

#[test]
fn two_credentials_answer_one_request_and_what_is_optional_is_the_persons_choice() {
    let Some(world) = World::with_vault() else { return };
    for format in ["sd-jwt", "mdoc"] {
        let (_, offer, code) = world.offer_in(format, "3");
        world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    }
    let dcql = json!({
        "credentials": [
            {"id": "who", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]}, "claims": [{"path": ["age_over_18"]}]},
            {"id": "from", "format": "mso_mdoc", "meta": {"doctype_value": "org.amparo.identity.1"},
             "claims": [{"path": ["eu.europa.ec.eudi.pid.1", "nationality"], "intent_to_retain": false}]},
        ],
        "credential_sets": [{"options": [["who"]]}, {"options": [["from"]], "required": false}],
    });
    std::fs::write(world.place("dcql.json"), dcql.to_string()).unwrap();
    let dcql = world.text("dcql.json");
    let arguments = ["--dcql", &dcql, "--purpose", "border-entry", "--retention", "15m"];
    for (also, claims) in [
        (&[][..], vec![json!({"age_over_18": true})]),
        (&["--also", "from"], vec![json!({"nationalities": ["SV"]}), json!({"age_over_18": true})]),
    ] {
        let (transaction, link) = world.request(&arguments);
        world.holder("present", &[&[&link, "--yes"][..], also].concat(), 0);
        let result = world.result(&transaction, 0);
        let shown: Vec<_> = result["credentials"].as_array().unwrap().iter().map(|c| c["claims"].clone()).collect();
        assert_eq!(shown, claims);
    }
    let (_, link) = world.request(&arguments);
    world.holder("present", &[&link, "--yes", "--also", "nothing"], 2);
}
