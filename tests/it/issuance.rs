//! Issuance by the commands: both formats at once, and a registry that decides later.

use crate::world::World;
use serde_json::{Value, json};

impl World {
    /// An offer with more on the command line: its whole answer.
    fn offer_with(&self, more: &[&str]) -> Value {
        let claims = json!({"given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12"});
        std::fs::write(self.place("claims.json"), claims.to_string()).unwrap();
        let (data, claims) = (self.text("issuer"), self.text("claims.json"));
        let offer = ["offer", "--data", &data, "--type", "identity", "--claims", &claims, "--count", "3"];
        self.run("amparo-issuer", &[&offer[..], more].concat(), 0).json
    }

    fn issuer_command(&self, command: &str, more: &[&str], expected: i32) -> Value {
        let data = self.text("issuer");
        self.run("amparo-issuer", &[&[command, "--data", &data][..], more].concat(), expected).json
    }
}

#[test]
fn both_formats_come_at_once_and_a_promise_outlives_the_process() {
    let Some(world) = World::with_vault() else { return };
    let offer = world.offer_with(&["--format", "sd-jwt,mdoc"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let received = world.holder("receive", &[link, "--tx-code", code, "--yes", "--known-only"], 0).json;
    let formats: Vec<&Value> = received["credentials"].as_array().unwrap().iter().map(|c| &c["format"]).collect();
    assert_eq!(formats, [&json!("dc+sd-jwt"), &json!("mso_mdoc")]);
    let document = received["credentials"][1]["id"].as_str().unwrap();
    assert_eq!(received["credentials"][1]["doctype"], "org.amparo.identity.1");
    let shown = world.holder("show", &[document], 0).json;
    assert_eq!((&shown["claims"]["given_name"], &shown["copies"]), (&json!("Alma"), &json!(3)));
    assert!(shown["disclosable"].as_array().unwrap().contains(&json!(["eu.europa.ec.eudi.pid.1", "given_name"])));

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    let promised = world.holder("receive", &[link, "--tx-code", code, "--yes"], 0).json;
    assert_eq!((&promised["received"], promised["waiting"].as_array().unwrap().len()), (&json!(false), 1));
    assert_eq!(world.holder("list", &[], 0).json["waiting"].as_array().unwrap().len(), 1);
    let pending = world.issuer_command("pending", &[], 0);
    assert_eq!(pending["pending"][0]["reference"], offer["reference"]);
    world.issuer_command("approve", &["--handle", offer["handle"].as_str().unwrap()], 0);
    let received = world.holder("receive", &["--resume", "--wait", "20s", "--yes", "--known-only"], 0).json;
    assert_eq!((&received["received"], &received["credentials"][0]["copies"]), (&json!(true), &json!(3)));
    assert_eq!(received["waiting"], json!([]));
    assert_eq!(world.issuer_command("pending", &[], 0), json!({"pending": []}));
    let list = world.holder("list", &[], 0).json;
    assert_eq!((list["credentials"].as_array().unwrap().len(), &list["waiting"]), (3, &json!([])));

    let offer = world.offer_with(&["--deferred"]);
    let (link, code) = (offer["credential_offer_uri"].as_str().unwrap(), offer["tx_code"].as_str().unwrap());
    world.holder("receive", &[link, "--tx-code", code, "--yes"], 0);
    world.issuer_command("decline", &["--handle", offer["handle"].as_str().unwrap()], 0);
    let declined = world.holder("receive", &["--resume", "--wait", "20s", "--yes"], 0).json;
    assert_eq!((&declined["received"], &declined["declined"]), (&json!(false), &json!(["Identity"])));
    assert_eq!(declined["waiting"], json!([]));
}
