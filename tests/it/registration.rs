//! Registered verifiers by the commands: a registrar, a verifier that shows what it says, and a holder who trusts it for that.

use crate::world::World;
use serde_json::{Value, json};

const BORDER: [&str; 6] = ["--preset", "border-identity", "--purpose", "border-entry", "--retention", "15m"];

impl World {
    fn registrar(&self) {
        let data = self.text("registrar");
        self.run("amparo-verifier", &["registrar", "init", "--data", &data, "--name", "Registry of verifiers"], 0);
        let anchor = self.text("registrar/trust-anchor.pem");
        self.holder("trust", &["--registers-verifiers", "--anchor", &anchor], 0);
    }

    /// Registers the verifier for what this preset asks for; gives the file.
    fn register(&self, preset: &str, purpose: &str) -> (String, Value) {
        let (data, file) = (self.text("registrar"), self.text(&format!("{preset}.jwt")));
        let arguments = [
            "registrar",
            "register",
            "--data",
            &data,
            "--subject",
            "Desk",
            "--name",
            "Border post",
            "--purpose",
            purpose,
            "--preset",
            preset,
            "--contact",
            "post@border.example",
            "--authority",
            "Data protection office",
            "--out",
            &file,
        ];
        let registered = self.run("amparo-verifier", &arguments, 0).json;
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), registered["registration"].as_str().unwrap());
        (file, registered)
    }
}

#[test]
fn attack_69_a_registered_verifier_is_shown_as_such_and_asks_for_no_more() {
    let Some(world) = World::with_vault() else { return };
    let (_, offer, code) = world.offer("4");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    world.registrar();
    let (identity, registered) = world.register("border-identity", "border-entry");
    assert_eq!((&registered["subject"], &registered["purposes"]), (&json!("Desk"), &json!(["border-entry"])));

    // Without its registration it is a verifier like any other, and the person is told that nobody registered it.
    let (_, link) = world.request(&BORDER);
    let sent = world.holder("present", &[&link, "--yes"], 0).json;
    assert_eq!((&sent["known"], &sent["registered"]), (&json!(true), &json!([])));

    let (transaction, link) = world.request(&[&BORDER[..], &["--registration", &identity]].concat());
    let sent = world.holder("present", &[&link, "--yes", "--known-only"], 0).json;
    let by = &sent["registered"][0];
    assert_eq!((&by["registrar"], &by["name"]), (&json!("Registry of verifiers"), &json!("Border post")));
    assert_eq!(
        (&by["purposes"], &by["supervisory_authority"]),
        (&json!(["border-entry"]), &json!("Data protection office"))
    );
    assert_eq!(world.result(&transaction, 0)["credentials"][0]["claims"]["given_name"], "Alma");

    // It asks for more than it is registered for: that is not shown, whatever is agreed to; the rest is.
    let (age, _) = world.register("age-over-18", "border-entry");
    let over = [&BORDER[..], &["--registration", &age]].concat();
    let (_, link) = world.request(&over);
    let refused = world.holder("present", &[&link, "--yes", "--beyond-purpose"], 4).json;
    assert!(refused["error"]["message"].as_str().unwrap().contains("nationalities"), "{refused}");

    // For another purpose than the registered: refused before anything is looked at, and the verifier hears what a refusal sounds like.
    let other = [
        "--preset",
        "border-identity",
        "--purpose",
        "support-service",
        "--retention",
        "15m",
        "--registration",
        &identity,
    ];
    let (transaction, link) = world.request(&other);
    let refused = world.holder("present", &[&link, "--yes"], 4).json;
    assert!(refused["error"]["message"].as_str().unwrap().contains("not registered for the purpose"), "{refused}");
    assert_eq!(world.result(&transaction, 4)["error"]["code"], "access_denied");

    // No purpose at all takes a yes of its own.
    let (_, link) = world.request(&[&BORDER[..], &["--consent", "none", "--registration", &identity]].concat());
    world.holder("present", &[&link, "--yes"], 5);
    world.holder("present", &[&link, "--yes", "--beyond-purpose"], 0);
}

#[test]
fn vp_30_an_unsigned_request_goes_the_whole_way_and_a_refusal_leaves_no_trace() {
    let Some(world) = World::with_vault() else { return };
    let (_, offer, code) = world.offer("3");
    world.holder("receive", &[&offer, "--tx-code", &code, "--yes"], 0);
    let arguments =
        [&BORDER[..], &["--client-id", "redirect_uri", "--consent", "none", "--scheme", "haip-vp"]].concat();
    let (transaction, link) = world.request(&arguments);
    assert!(link.starts_with("haip-vp://?"));
    world.holder("present", &[&link, "--yes", "--known-only"], 4);
    let refused = world.holder("refuse", &[&link], 0).json;
    assert_eq!((&refused["refused"], &refused["told"]), (&json!(true), &json!(false)));
    let data = world.text("verifier");
    let state = world.run("amparo-verifier", &["result", "--data", &data, &transaction], 0);
    assert_eq!(state.text("/state").unwrap(), "waiting", "nothing was sent to it");
    let sent = world.holder("present", &[&link, "--yes"], 0).json;
    let host = world.verifier_url.trim_start_matches("http://");
    assert_eq!((&sent["signed"], &sent["known"], &sent["verifier"]), (&json!(false), &json!(false), &json!(host)));
    assert_eq!(world.result(&transaction, 0)["credentials"][0]["claims"]["given_name"], "Alma");
}
