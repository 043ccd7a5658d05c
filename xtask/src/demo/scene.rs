//! The scenes, in order. Each holds or the demo ends there.

use super::DemoError;
use super::cast::{Cast, Paths};
use serde_json::json;
use std::time::{Duration, Instant};
use tests::{Answer, CommandError};

/// How long the person agrees. Long enough to look at, short enough to wait for.
const CONSENT: Duration = Duration::from_secs(4);

struct Show {
    cast: Cast,
    paths: Paths,
    number: usize,
}

impl Show {
    /// Plays one scene, prints one sentence and its time.
    fn scene<T>(
        &mut self,
        title: &'static str,
        play: impl FnOnce(&mut Self) -> Result<(T, String), CommandError>,
    ) -> Result<T, DemoError> {
        self.number += 1;
        let started = Instant::now();
        match play(self) {
            Ok((value, sentence)) => {
                println!("{:>2}. {sentence} ({:.1} s)", self.number, started.elapsed().as_secs_f64());
                Ok(value)
            }
            Err(source) => Err(DemoError::Step { number: self.number, title, source }),
        }
    }

    fn holder(&self, command: &str, rest: &[&str], expected: i32) -> Result<Answer, CommandError> {
        let mut arguments = vec![command];
        arguments.extend(self.cast.unlock(&self.paths));
        arguments.extend(rest);
        self.cast.run("amparo", &arguments, expected)
    }

    /// A request for two claims of the identity, for a border, with our consent.
    fn request(&self, dcql: &str) -> Result<(String, String), CommandError> {
        let answer = self.cast.run(
            "amparo-verifier",
            &[
                "request",
                "--data",
                &self.paths.verifier,
                "--dcql",
                dcql,
                "--purpose",
                "border-entry",
                "--retention",
                "15m",
            ],
            0,
        )?;
        Ok((answer.text("/transaction")?, answer.text("/request_uri")?))
    }
}

/// Plays every scene and prints the summary.
pub(super) fn play(cast: Cast, started: Instant) -> Result<(), DemoError> {
    let paths = cast.paths();
    let mut show = Show { cast, paths, number: 0 };
    println!("\nAmparo: a credential that its holder alone opens, shows in part, and for a while.\n");
    services(&mut show)?;
    enrol(&mut show)?;
    let handle = receive(&mut show)?;
    lock_and_unlock(&mut show)?;
    present(&mut show)?;
    revoke(&mut show, &handle)?;
    summary(&show, started);
    Ok(())
}

fn services(show: &mut Show) -> Result<(), DemoError> {
    show.scene("setting up an issuer and a verifier", |s| {
        let (issuer_url, verifier_url) = (s.cast.issuer_url.clone(), s.cast.verifier_url.clone());
        s.cast.run("amparo-issuer", &["init", "--data", &s.paths.issuer, "--url", &issuer_url, "--name", "Civil registry"], 0)?;
        s.cast.run("amparo-verifier", &["init", "--data", &s.paths.verifier, "--url", &verifier_url, "--name", "Border post"], 0)?;
        let anchor = format!("{}/trust-anchor.pem", s.paths.issuer);
        s.cast.run("amparo-verifier", &["trust", "--data", &s.paths.verifier, "--anchor", &anchor], 0)?;
        s.cast.serve("amparo-issuer", "issuer", &issuer_url)?;
        s.cast.serve("amparo-verifier", "verifier", &verifier_url)?;
        Ok(((), format!("A civil registry issues at {issuer_url}, a border post verifies at {verifier_url}; the post trusts the registry.")))
    })
}

fn enrol(show: &mut Show) -> Result<(), DemoError> {
    show.scene("enrolling", |s| {
        s.cast.write("pin.txt", "48213957\n")?;
        let mut arguments =
            vec!["new", "--vault", &s.paths.vault, "--pin-file", &s.paths.pin, "--device-key", &s.paths.device_key];
        for face in &s.paths.enrolled {
            arguments.extend(["--face", face]);
        }
        s.cast.run("amparo", &arguments, 0)?;
        for data in [&s.paths.issuer, &s.paths.verifier] {
            s.holder("trust", &["--anchor", &format!("{data}/trust-anchor.pem")], 0)?;
        }
        let size = std::fs::metadata(&s.paths.vault).map(|m| m.len()).unwrap_or_default();
        Ok((
            (),
            format!(
                "A person made a vault from {} photographs, a PIN and this device: {size} bytes that look random.",
                s.paths.enrolled.len()
            ),
        ))
    })
}

fn receive(show: &mut Show) -> Result<String, DemoError> {
    let identity = json!({
        "given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12", "birth_place": "San Miguel",
        "nationalities": ["SV"], "sex": "F", "personal_number": "04812998-4", "languages": ["es", "fr"],
        "address": {"locality": "Tapachula", "region": "Chiapas", "country": "MX"}, "email": "alma@example.org",
        "phone_number": "+52 962 000 0000", "height": 163, "eye_color": "brown", "document_number": "A0042917",
        "issuing_authority": "Civil registry", "issuing_country": "MX"
    });
    let attestation = json!({
        "attested_by": "House of the South", "category": "protected status", "services": ["shelter", "legal aid", "health"],
        "valid_until": "2027-11-23", "case_reference": "2217"
    });
    let handle = show.scene("receiving an identity", |s| receive_one(s, "identity", &identity.to_string()))?;
    show.scene("receiving an attestation", |s| receive_one(s, "attestation", &attestation.to_string()))?;
    Ok(handle)
}

fn receive_one(s: &mut Show, type_: &str, claims: &str) -> Result<(String, String), CommandError> {
    let file = s.cast.write(&format!("{type_}.json"), claims)?;
    let file = file.to_string_lossy();
    let offer = s.cast.run(
        "amparo-issuer",
        &["offer", "--data", &s.paths.issuer, "--type", type_, "--claims", &file, "--count", "12"],
        0,
    )?;
    let (link, code) = (offer.text("/credential_offer_uri")?, offer.text("/tx_code")?);
    s.holder("receive", &[&link, "--tx-code", &code, "--yes"], 0)?;
    let list = s.holder("list", &[], 0)?;
    let held = list.json.pointer("/credentials").and_then(|c| c.as_array()).cloned().unwrap_or_default();
    let copies =
        held.iter().find(|c| c.get("type").and_then(|t| t.as_str()) == Some(type_)).and_then(|c| c.get("copies"));
    let copies =
        copies.ok_or_else(|| CommandError::Unexpected(format!("the vault lists no {type_} after it was received")))?;
    Ok((
        offer.text("/handle")?,
        format!("With an eight-digit code on paper the person received an {type_}: {copies} copies, each usable once."),
    ))
}

fn lock_and_unlock(show: &mut Show) -> Result<(), DemoError> {
    show.scene("unlocking with another photograph of the same person", |s| {
        s.holder("unlock", &[], 0)?;
        Ok(((), "The vault was locked; another photograph of the same person opened it.".into()))
    })?;
    show.scene("refusing another person", |s| {
        let mut arguments = vec!["unlock"];
        arguments.extend(
            s.cast.unlock(&s.paths).into_iter().map(|a| if a == s.paths.probe { s.paths.other.as_str() } else { a }),
        );
        let refused = s.cast.run("amparo", &arguments, 3)?;
        expect_unavailable(&refused)?;
        Ok(((), "A photograph of another person did not: the answer was `unavailable`, and nothing more.".into()))
    })?;
    show.scene("refusing another device", |s| {
        let (vault, key) = (s.cast.place("other-vault.amparo"), s.cast.place("other-device.key"));
        let (vault, key) = (vault.to_string_lossy().into_owned(), key.to_string_lossy().into_owned());
        let mut arguments = vec!["new", "--vault", &vault, "--pin-file", &s.paths.pin, "--device-key", &key];
        for face in &s.paths.enrolled {
            arguments.extend(["--face", face]);
        }
        s.cast.run("amparo", &arguments, 0)?;
        let mut arguments = vec!["unlock"];
        arguments.extend(
            s.cast.unlock(&s.paths).into_iter().map(|a| if a == s.paths.device_key { key.as_str() } else { a }),
        );
        let refused = s.cast.run("amparo", &arguments, 3)?;
        expect_unavailable(&refused)?;
        Ok(((), "The right face and PIN with another device's key did not open it either: the same answer.".into()))
    })
}

fn expect_unavailable(answer: &Answer) -> Result<(), CommandError> {
    match answer.text("/error/code")?.as_str() {
        "unavailable" => Ok(()),
        other => Err(CommandError::Unexpected(format!("expected the code `unavailable`, got `{other}`"))),
    }
}

fn dcql() -> String {
    json!({"credentials": [{"id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:amparo:identity:1"]},
        "claims": [{"path": ["given_name"]}, {"path": ["age_over_18"]}]}]})
    .to_string()
}

fn present(show: &mut Show) -> Result<(), DemoError> {
    let file = show.scene("asking", |s| {
        let file = s.cast.write("two-claims.dcql.json", &dcql())?.to_string_lossy().into_owned();
        Ok((file, "The officer wrote down what is asked: the given name, and whether the person is of age.".into()))
    })?;
    let transaction = show.scene("presenting", |s| {
        let (transaction, link) = s.request(&file)?;
        let consent = format!("{}s", CONSENT.as_secs());
        let sent = s.holder("present", &[&link, "--for", &consent, "--yes"], 0)?;
        let until = sent.text("/consent/expires_at")?;
        Ok((transaction, format!("The person showed these two of 20 claims and agreed until {until}.")))
    })?;
    let shown = Instant::now();
    show.scene("verifying", |s| {
        let result = s.cast.run("amparo-verifier", &["result", "--data", &s.paths.verifier, &transaction, "--wait", "5s"], 0)?;
        let claims = result.json.pointer("/credentials/0/claims").cloned().unwrap_or_default();
        let expected = json!({"given_name": "Alma", "age_over_18": true});
        if result.text("/state")? != "verified" || claims != expected {
            return Err(CommandError::Unexpected(format!("expected state verified and exactly {expected}, got {}", result.json)));
        }
        Ok(((), format!("The officer sees {claims}: signed by the registry, bound to the person's key, not revoked, and nothing else.")))
    })?;
    show.scene("ending the consent", |s| {
        std::thread::sleep((CONSENT + Duration::from_secs(1)).saturating_sub(shown.elapsed()));
        let result = s.cast.run("amparo-verifier", &["result", "--data", &s.paths.verifier, &transaction], 5)?;
        let claims = result.json.pointer("/credentials").and_then(|c| c.as_array()).is_some_and(|c| !c.is_empty());
        if result.text("/state")? != "ended" || claims {
            return Err(CommandError::Unexpected(format!("expected state ended and no claims, got {}", result.json)));
        }
        Ok(((), "The consent ended: the verifier destroyed the key, and cannot open what it stored any more.".into()))
    })
}

fn revoke(show: &mut Show, handle: &str) -> Result<(), DemoError> {
    show.scene("revoking", |s| {
        s.cast.run("amparo-issuer", &["revoke", "--data", &s.paths.issuer, "--handle", handle], 0)?;
        Ok(((), "The registry revoked the identity; the new status list is served.".into()))
    })?;
    show.scene("refusing a revoked credential", |s| {
        let file = s.cast.place("two-claims.dcql.json").to_string_lossy().into_owned();
        let (transaction, link) = s.request(&file)?;
        // The verifier may say no at once, or when it is asked: either way the result is what counts.
        let mut arguments = vec!["present"];
        arguments.extend(s.cast.unlock(&s.paths));
        arguments.extend([link.as_str(), "--yes"]);
        if let Err(error) = s.cast.run("amparo", &arguments, 0) {
            let CommandError::ExitCode { got: Some(4), .. } = error else { return Err(error) };
        }
        let result =
            s.cast.run("amparo-verifier", &["result", "--data", &s.paths.verifier, &transaction, "--wait", "5s"], 4)?;
        if result.text("/state")? != "refused" {
            return Err(CommandError::Unexpected(format!("expected state refused, got {}", result.json)));
        }
        Ok(((), "The next presentation of it was refused.".into()))
    })
}

fn summary(show: &Show, started: Instant) {
    let p = &show.paths;
    let unlock = show.cast.unlock(p).join(" ");
    println!(
        "
All {} steps held, in {:.0} s.

What happened: a registry signed facts about a person. The person keeps them in one encrypted file that opens only with
their face, their PIN and their device together. An officer saw two facts, could check that they are true, and lost
them when the person's consent ran out. No central database took part, and the registry was not asked.

What was made, in {}:
  vault.amparo     the person's vault (random-looking, always the same size)
  device.key       this device's key; a phone would keep it in its secure chip
  issuer/          the registry's keys and database; trust-anchor.pem is what verifiers need
  verifier/        the border post's keys and database

A face is not a secret: anyone may have a photograph. It is the PIN and the device key that keep the vault shut (SECURITY.md).

To try by hand (the two servers have stopped; start them again first):
  amparo-issuer serve --data {} --listen {}
  amparo-verifier serve --data {} --listen {}
  amparo list {unlock}
  amparo history {unlock}
The identity was revoked in step 12; a new one, and what is asked of it:
  amparo-issuer offer --data {} --type identity --claims {}        → a link and a code
  amparo receive {unlock} LINK --tx-code CODE
  amparo-verifier request --data {} --preset age-over-18 --purpose age-check --retention 15m        → a link and a transaction
  amparo present {unlock} LINK
  amparo-verifier result --data {} TRANSACTION
The commands are in {}.",
        show.number,
        started.elapsed().as_secs_f64(),
        show.cast.folder.display(),
        p.issuer,
        show.cast.issuer_url.trim_start_matches("http://"),
        p.verifier,
        show.cast.verifier_url.trim_start_matches("http://"),
        p.issuer,
        show.cast.folder.join("identity.json").display(),
        p.verifier,
        p.verifier,
        show.cast.commands.bins().display(),
    );
}
