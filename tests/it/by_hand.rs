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
