use super::*;
use crate::holdings::Holdings;
use crate::holdings::testing::Memory;
use crate::issuance::{TxCode, follow};
use crate::testing::{Desk, Issuer, NOW, run};
use credentials::type_metadata::Bundled;
use serde_json::json;
use std::collections::BTreeMap;

const PERMIT: &str = "https://other.example/permit";

/// The card of what this desk issues, its type described by `document`.
fn card(desk: Desk, document: Option<Value>, language: &str) -> Card {
    let (mut memory, mut rng) = Memory::seeded(5);
    let mut issuer = Issuer::new(desk);
    let (link, mut asked) = (issuer.link(), Vec::new());
    let offered = run(follow(&link).unwrap(), &mut asked, |effect| issuer.answer(effect), NOW, &mut rng).unwrap();
    let redeeming = offered.accept(Some(TxCode::new("12345678")), Some(1), NOW, &mut rng).unwrap();
    let delivered = run(redeeming, &mut asked, |effect| issuer.answer(effect), NOW, &mut rng).unwrap();
    let arrived = delivered.verify(&issuer.party.anchors(), NOW).unwrap();
    let mut holdings = Holdings::of(&mut memory);
    let confirmed = arrived.summary(&holdings).confirmed();
    let id = arrived.keep(confirmed, &mut holdings, NOW, &mut rng).unwrap().saved().credentials[0];
    let held = holdings.credential(id).unwrap();
    let credential = holdings.look(&held).unwrap();
    let documents: BTreeMap<String, Vec<u8>> =
        document.into_iter().map(|document| (PERMIT.to_owned(), document.to_string().into_bytes())).collect();
    let words = Words::new(&[language.to_owned()], &Bundled::and(&documents), [PERMIT]);
    Card::of(&held, &credential, &words)
}

fn template(svg: &str) -> Value {
    let uri = format!("data:image/svg+xml;base64,{}", base64(svg));
    json!({"vct": PERMIT, "extends": "urn:amparo:identity:1", "display": [{"locale": "en", "name": "Permit",
        "rendering": {"simple": {"background_color": "#102030"}, "svg_templates": [{"uri": uri}]}}]})
}

fn base64(text: &str) -> String {
    credentials::b64::encode_standard(text.as_bytes())
}

fn permit() -> Desk {
    Desk { vct: PERMIT.into(), ..Desk::default() }
}

#[test]
fn our_types_have_templates_in_the_persons_language() {
    for (language, word) in [("en", "Identity"), ("es", "Identidad")] {
        let card = card(Desk::default(), None, language);
        assert!(card.is_template() && card.svg().contains(word) && card.svg().contains("Amina Diallo"), "{card:?}");
        assert!(!format!("{card:?}").contains("Amina"));
    }
}

#[test]
fn a_type_without_a_template_has_a_plain_card() {
    let plain = card(permit(), None, "en");
    assert!(!plain.is_template());
    for words in ["Casa Abierta", "given_name: Amina", "nationalities: GN, FR", "age_over_18: true"] {
        assert!(plain.svg().contains(words), "{words}: {}", plain.svg());
    }
    assert!(!plain.svg().contains("cnf") && !plain.svg().contains("picture"));
    // A template elsewhere is not fetched; the colours of the type hold.
    let mut elsewhere = template("<svg/>");
    elsewhere["display"][0]["rendering"]["svg_templates"][0] = json!({"uri": "https://other.example/card.svg"});
    let plain = card(permit(), Some(elsewhere), "en");
    assert!(!plain.is_template() && plain.svg().contains("#102030") && plain.svg().contains("Permit"));
}

#[test]
fn attack_56_templates_that_run_or_reach_outside_are_not_drawn() {
    let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">";
    let good = format!("{head}<text>{{{{given_name}}}}</text></svg>");
    assert!(card(permit(), Some(template(&good)), "en").is_template());
    for bad in [
        "<script>alert(1)</script>",
        "<image href=\"https://tracker.example/x.png\"/>",
        "<image href=\"file:///etc/passwd\"/>",
        "<a href=\"https://tracker.example\"><text>x</text></a>",
        "<rect onload=\"alert(1)\"/>",
        "<rect fill=\"url(https://tracker.example/x)\"/>",
        "<style>@import url(https://tracker.example)</style>",
        "<foreignObject><body/></foreignObject>",
        "<use href=\"#x\"/>",
    ] {
        let drawn = card(permit(), Some(template(&format!("{head}{bad}</svg>"))), "en");
        assert!(!drawn.is_template(), "{bad}");
        assert!(!drawn.svg().contains("tracker") && !drawn.svg().contains("alert"), "{bad}");
    }
    // A template with another digest than its document names is not drawn either.
    let mut other = template(&good);
    other["display"][0]["rendering"]["svg_templates"][0]["uri#integrity"] =
        json!(credentials::type_metadata::Integrity::of(b"other").to_string());
    assert!(!card(permit(), Some(other), "en").is_template());
}

#[test]
fn attack_13_56_values_are_text_on_either_card() {
    let evil = "</text><script>alert(1)</script>\u{202e}\u{0}&lt;{{given_name}}";
    let desk = |vct: &str| Desk {
        vct: vct.to_owned(),
        claims: json!({"given_name": evil, "family_name": evil, "birth_date": evil}),
        ..Desk::default()
    };
    for card in [card(desk("urn:amparo:identity:1"), None, "en"), card(desk(PERMIT), None, "en")] {
        let svg = card.svg();
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}') && !svg.contains('\0'), "{svg}");
        assert!(SvgTemplate::parse(svg.replace("{{", "").as_bytes()).is_ok(), "what is drawn is harmless: {svg}");
    }
}
