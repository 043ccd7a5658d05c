//! Type metadata: documents, extension, rules applied to real credentials, pictures filled in.

use crate::world::{WORLD, map};
use credentials::sd_jwt::{IssuanceDraft, PathFault, SdJwtVc, verify_presented};
use credentials::type_metadata::{
    Bundled, Color, ColorScheme, Contrast, Disclosing, DocumentError, FillError, Integrity, IntegrityError,
    MOST_EXTENSIONS, Orientation, ResolveError, ResolvedType, RuleError, SvgTemplate, TypeDocuments, TypeMetadata,
    resolve,
};
use schemas::{ClaimPath, credential_type};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const VCT: &str = "https://a.example/type";

fn documents(documents: &[(&str, Value)]) -> BTreeMap<String, Vec<u8>> {
    documents.iter().map(|(vct, document)| ((*vct).to_owned(), document.to_string().into_bytes())).collect()
}

/// A type with these claims.
fn of_claims(claims: Value) -> ResolvedType {
    resolve(VCT, None, &documents(&[(VCT, json!({"vct": VCT, "claims": claims}))])).unwrap()
}

fn parse(document: Value) -> Result<TypeMetadata, DocumentError> {
    TypeMetadata::parse(document.to_string().as_bytes())
}

fn path(value: Value) -> ClaimPath {
    serde_json::from_value(value).unwrap()
}

/// A credential of these claims, those at `disclosable` disclosable by themselves.
fn held(claims: Value, disclosable: &[Value]) -> SdJwtVc {
    let paths: Vec<ClaimPath> = disclosable.iter().cloned().map(path).collect();
    let mut draft = IssuanceDraft { vct: VCT.into(), disclosable: Map::new(), ..WORLD.draft() };
    for (name, value) in map(claims) {
        let is_disclosable = paths.contains(&ClaimPath::names([&name]));
        let to = if is_disclosable { &mut draft.disclosable } else { &mut draft.visible };
        to.insert(name, value);
    }
    draft.nested = paths.into_iter().filter(|path| path.elements().len() > 1).collect();
    WORLD.held(&draft)
}

/// What `rules` say of the presentation of `held` in which only `shown` is shown.
fn presented(rules: &ResolvedType, held: &SdJwtVc, shown: &[Value]) -> Result<(), RuleError> {
    let shown: Vec<ClaimPath> = shown.iter().cloned().map(path).collect();
    let text = held.select_exactly(&shown).unwrap().bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
    rules.check_presented(&verify_presented(&text, &WORLD.expected()).unwrap())
}

#[test]
fn the_example_of_the_draft_is_read_and_its_languages_chosen() {
    let example = include_str!("../../../tests/vectors/sd-jwt-vc/type-metadata.json");
    let education = "https://betelgeuse.example.com/education_credential/v42";
    let galactic = "https://galaxy.example.com/galactic-education-credential/v2";
    let read = TypeMetadata::parse(example.as_bytes()).unwrap();
    assert_eq!((read.vct(), read.extends()), (education, Some(galactic)));
    // The extended document is not published; another in its place does not have its digest.
    let mut with = documents(&[(galactic, json!({"vct": galactic}))]);
    with.insert(education.into(), example.into());
    let mismatch = ResolveError::Integrity { vct: galactic.into(), cause: IntegrityError::Mismatch };
    assert_eq!(resolve(education, None, &with), Err(mismatch));
    with.remove(galactic);
    assert_eq!(resolve(education, None, &with), Err(ResolveError::Missing { vct: galactic.into() }));
    // Without the digest it is as the draft says.
    let mut document: Value = serde_json::from_str(example).unwrap();
    document.as_object_mut().unwrap().remove("extends#integrity");
    let with = documents(&[(education, document), (galactic, json!({"vct": galactic}))]);
    let resolved = resolve(education, None, &with).unwrap();
    assert_eq!(resolved.types().collect::<Vec<_>>(), [education, galactic]);
    let german = resolved.display(&["de"]).unwrap();
    assert_eq!(german.name(), "Betelgeuse-Bildungsnachweis");
    assert_eq!(resolved.display(&["fr"]).unwrap().name(), "Betelgeuse Education Credential");
    let simple = german.simple().unwrap();
    assert_eq!((simple.background_color, simple.text_color), (Some(Color([0x12, 0x10, 0x7c])), Some(Color([255; 3]))));
    let background = &simple.background.as_ref().unwrap().resource;
    assert_eq!(background.url(), Some("https://betelgeuse.example.com/public/cred-background-de.png"));
    // Its digest is 31 bytes and a half long: nothing fits it.
    assert_eq!(background.check(b"x"), Err(IntegrityError::Malformed));
    assert!(german.svg_template(Orientation::Landscape, ColorScheme::Dark, Contrast::High).is_some());
    let street = resolved.claim(&ClaimPath::names(["address", "street_address"])).unwrap();
    assert_eq!(street.label(&["de-AT", "en"]).unwrap().label(), "Street Address", "en is what lookup finds first");
    assert_eq!(street.label(&["de"]).unwrap().label(), "Straße");
    assert_eq!((street.disclosing(), street.is_mandatory()), (Disclosing::Always, false));
    let degree = resolved.claim(&path(json!(["degrees", 2, "field_of_study"]))).unwrap();
    assert_eq!(
        (degree.disclosing(), degree.path()),
        (Disclosing::Never, &path(json!(["degrees", null, "field_of_study"])))
    );
}

#[test]
fn the_example_of_extension_gives_the_effective_claims() {
    let (base, child) = ("https://example.com/base-type-metadata", "https://example.com/custom-type-metadata");
    let label = |text: &str| json!([{"label": text, "locale": "en"}]);
    let resolved = resolve(child, None, &documents(&[
        (base, json!({"vct": base, "claims": [
            {"path": ["name"], "display": label("Full Name")}, {"path": ["address", "city"], "display": label("City")}]})),
        (child, json!({"vct": child, "extends": base, "claims": [
            {"path": ["address", "city"], "display": label("Town")}, {"path": ["nationalities"], "display": label("Nationalities")}]})),
    ])).unwrap();
    let labels: Vec<String> =
        resolved.claims().iter().map(|claim| claim.label(&["en"]).unwrap().label().into_owned()).collect();
    assert_eq!(labels, ["Full Name", "Town", "Nationalities"]);
}

#[test]
fn the_display_of_the_extended_type_holds_until_a_type_has_its_own() {
    let named = |name: &str| json!([{"locale": "en", "name": name}]);
    let with = |own: Option<Value>| {
        let mut child = json!({"vct": VCT, "extends": "urn:base"});
        if let Some(own) = own {
            child["display"] = own;
        }
        let base = json!({"vct": "urn:base", "display": named("Base")});
        let resolved = resolve(VCT, None, &documents(&[("urn:base", base), (VCT, child)])).unwrap();
        resolved.display(&["en"]).map(|display| display.name().into_owned())
    };
    assert_eq!(with(None), Some("Base".into()));
    assert_eq!(with(Some(named("Child"))), Some("Child".into()));
    assert_eq!(with(Some(json!([]))), None);
}

#[test]
fn attack_35_extension_in_a_circle_or_without_end_is_refused() {
    let extends = |vct: &str, base: &str| json!({"vct": vct, "extends": base});
    let circle = documents(&[("urn:a", extends("urn:a", "urn:b")), ("urn:b", extends("urn:b", "urn:a"))]);
    assert_eq!(resolve("urn:a", None, &circle), Err(ResolveError::Circular { vct: "urn:a".into() }));
    let own = documents(&[("urn:a", extends("urn:a", "urn:a"))]);
    assert_eq!(resolve("urn:a", None, &own), Err(ResolveError::Circular { vct: "urn:a".into() }));
    // Somebody who makes up a document for every name.
    struct Endless;
    impl TypeDocuments for Endless {
        fn document(&self, vct: &str) -> Option<std::borrow::Cow<'_, [u8]>> {
            Some(json!({"vct": vct, "extends": format!("{vct}x")}).to_string().into_bytes().into())
        }
    }
    assert_eq!(resolve("urn:a", None, &Endless), Err(ResolveError::TooDeep));
    let chain = |length: usize| {
        let mut chain = BTreeMap::new();
        for n in 0..length {
            let mut document = json!({"vct": format!("urn:{n}")});
            if n + 1 < length {
                document["extends"] = json!(format!("urn:{}", n + 1));
            }
            chain.insert(format!("urn:{n}"), document.to_string().into_bytes());
        }
        resolve("urn:0", None, &chain).map(|resolved| resolved.types().count())
    };
    assert_eq!(chain(MOST_EXTENSIONS), Ok(MOST_EXTENSIONS));
    assert_eq!(chain(MOST_EXTENSIONS + 1), Err(ResolveError::TooDeep));
}

#[test]
fn attack_35_another_document_than_the_one_that_is_meant_is_refused() {
    let document = json!({"vct": VCT}).to_string().into_bytes();
    let have = BTreeMap::from([(VCT.to_owned(), document.clone())]);
    let good = Integrity::of(&document).to_string();
    assert!(resolve(VCT, Some(&good), &have).is_ok());
    let integrity = |cause| Err::<(), _>(ResolveError::Integrity { vct: VCT.into(), cause });
    let resolve = |vct: &str, integrity: Option<&str>, have: &BTreeMap<String, Vec<u8>>| {
        resolve(vct, integrity, have).map(|_| ())
    };
    let wrong = Integrity::of(b"other").to_string();
    assert_eq!(resolve(VCT, Some(&wrong), &have), integrity(IntegrityError::Mismatch));
    assert_eq!(resolve(VCT, Some("sha1-AAAA"), &have), integrity(IntegrityError::Unsupported));
    assert_eq!(resolve(VCT, Some(""), &have), integrity(IntegrityError::Malformed));
    // One space more is another document.
    let spaced = BTreeMap::from([(VCT.to_owned(), [&document[..], b" "].concat())]);
    assert_eq!(resolve(VCT, Some(&good), &spaced), integrity(IntegrityError::Mismatch));
    // The same under `extends`.
    let child = |digest: &str| {
        let child = json!({"vct": "urn:child", "extends": VCT, "extends#integrity": digest});
        resolve("urn:child", None, &documents(&[(VCT, json!({"vct": VCT})), ("urn:child", child)]))
    };
    assert_eq!(child(&good), Ok(()));
    assert_eq!(child(&wrong), integrity(IntegrityError::Mismatch));
    // A document for another name, and names that only look alike.
    for vct in
        ["https://a.example/typ%65", "https://a.example/type ", "HTTPS://a.example/type", "https://a.example/type/"]
    {
        let other = documents(&[(vct, json!({"vct": VCT}))]);
        assert_eq!(resolve(vct, None, &other), Err(ResolveError::OtherType { vct: vct.into() }), "{vct}");
        assert_eq!(resolve(vct, None, &have), Err(ResolveError::Missing { vct: vct.into() }), "{vct}");
    }
}

#[test]
fn attack_35_44_documents_beyond_all_measure_or_not_of_their_form_are_refused() {
    let flood = format!("{{\"vct\":\"{}\"}}", "x".repeat(5 << 20));
    assert!(matches!(TypeMetadata::parse(flood.as_bytes()), Err(DocumentError::Json(_))));
    assert!(matches!(TypeMetadata::parse(br#"{"vct":"a","vct":"b"}"#), Err(DocumentError::Json(_))));
    let nested = format!("{{\"vct\":\"a\",\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(TypeMetadata::parse(nested.as_bytes()), Err(DocumentError::Json(_))));
    let label = json!({"locale": "en", "label": "x"});
    let display = json!({"locale": "en", "name": "x"});
    let with = |name: &str, value: Value| {
        let mut document = json!({"vct": VCT});
        document[name] = value;
        parse(document).unwrap_err()
    };
    let claim = |name: &str, value: Value| {
        let mut claim = json!({"path": ["a"]});
        claim[name] = value;
        with("claims", json!([claim]))
    };
    let shown = |name: &str, value: Value| {
        let mut shown = display.clone();
        shown[name] = value;
        with("display", json!([shown]))
    };
    use DocumentError::{Malformed, Missing, TooMany, Twice};
    let rendering = |rendering: Value| shown("rendering", rendering);
    let svg = |svgs: Value| rendering(json!({"svg_templates": svgs}));
    for (error, expected) in [
        (parse(json!({})).unwrap_err(), Missing("vct")),
        (with("vct", json!("")), Malformed("vct")),
        (with("vct", json!(7)), Malformed("vct")),
        (with("name", json!("x".repeat(1025))), Malformed("name")),
        (with("extends", json!(["urn:a"])), Malformed("extends")),
        (with("extends#integrity", json!("sha256-x")), Malformed("extends#integrity")),
        (with("extends#integrity", json!(Integrity::of(b"").to_string())), Missing("extends")),
        (with("claims", json!({})), Malformed("claims")),
        (with("claims", json!([7])), Malformed("claims")),
        (with("claims", vec![json!({}); 513].into()), TooMany { name: "claims", most: 512 }),
        (with("claims", json!([{}])), Missing("path")),
        (with("claims", json!([{"path": ["a"]}, {"path": ["a"]}])), Twice("path")),
        (claim("path", json!([])), Malformed("path")),
        (claim("path", json!("a")), Malformed("path")),
        (claim("path", json!([-1])), Malformed("path")),
        (claim("path", json!([1.5])), Malformed("path")),
        (claim("path", json!([{}])), Malformed("path")),
        (claim("path", vec!["a"; 17].into()), Malformed("path")),
        (claim("sd", json!("Always")), Malformed("sd")),
        (claim("sd", json!(true)), Malformed("sd")),
        (claim("mandatory", json!("true")), Malformed("mandatory")),
        (claim("svg_id", json!("1a")), Malformed("svg_id")),
        (claim("svg_id", json!("a-b")), Malformed("svg_id")),
        (claim("svg_id", json!("")), Malformed("svg_id")),
        (claim("display", json!([{"locale": "en"}])), Missing("label")),
        (claim("display", json!([{"label": "x"}])), Missing("locale")),
        (claim("display", json!([{"label": "x", "locale": "en_US"}])), Malformed("locale")),
        (claim("display", json!([label, label])), Twice("locale")),
        (with("claims", json!([{"path": ["a"], "svg_id": "x"}, {"path": ["b"], "svg_id": "x"}])), Twice("svg_id")),
        (with("display", json!([{"locale": "en"}])), Missing("name")),
        (with("display", json!([display, {"locale": "EN", "name": "y"}])), Twice("locale")),
        (with("display", vec![display.clone(); 65].into()), TooMany { name: "display", most: 64 }),
        (rendering(json!({"simple": {"text_color": "red"}})), Malformed("text_color")),
        (rendering(json!({"simple": {"background_color": "#12345"}})), Malformed("background_color")),
        (rendering(json!({"simple": {"background_color": "url(https://x.example)"}})), Malformed("background_color")),
        (rendering(json!({"simple": {"logo": {}}})), Missing("uri")),
        (rendering(json!({"simple": {"logo": {"uri": "http://a.example/x.png"}}})), Malformed("uri")),
        (rendering(json!({"simple": {"logo": {"uri": "javascript:alert(1)"}}})), Malformed("uri")),
        (svg(json!([{"uri": "https://a.example/1"}, {"uri": "https://a.example/2"}])), Missing("properties")),
        (svg(json!([{"uri": "https://a.example/1", "properties": {"contrast": "low"}}])), Malformed("contrast")),
        (
            svg(json!([{"uri": "https://a.example/1", "properties": {}}])),
            Missing("orientation, color_scheme or contrast"),
        ),
    ] {
        assert_eq!(error, expected);
    }
    // What nobody knows is not looked at.
    assert!(parse(json!({"vct": VCT, "claims": [{"path": ["a"], "x": 1}], "display": [], "y": {}})).is_ok());
}

#[test]
fn a_type_may_tighten_what_it_extends_and_never_loosen_it() {
    let outcome = |base: Value, child: Value| {
        let claim = |mut claim: Value| {
            claim["path"] = json!(["a"]);
            json!([claim])
        };
        let resolved = resolve(
            VCT,
            None,
            &documents(&[
                ("urn:base", json!({"vct": "urn:base", "claims": claim(base)})),
                (VCT, json!({"vct": VCT, "extends": "urn:base", "claims": claim(child)})),
            ]),
        )?;
        Ok((resolved.claims()[0].disclosing(), resolved.claims()[0].is_mandatory()))
    };
    use Disclosing::{Allowed, Always, Never};
    let loosened = || Err(ResolveError::Loosened { path: ClaimPath::names(["a"]) });
    for (base, child, expected) in [
        (json!({}), json!({}), Ok((Allowed, false))),
        (json!({}), json!({"sd": "always", "mandatory": true}), Ok((Always, true))),
        (json!({"sd": "allowed"}), json!({"sd": "never"}), Ok((Never, false))),
        (json!({"sd": "always", "mandatory": true}), json!({}), Ok((Always, true))),
        (json!({"sd": "never"}), json!({"sd": "never"}), Ok((Never, false))),
        (json!({"sd": "always"}), json!({"sd": "never"}), loosened()),
        (json!({"sd": "always"}), json!({"sd": "allowed"}), loosened()),
        (json!({"sd": "never"}), json!({"sd": "allowed"}), loosened()),
        (json!({"sd": "never"}), json!({"sd": "always"}), loosened()),
        (json!({"mandatory": true}), json!({"mandatory": false}), loosened()),
        (json!({"mandatory": false}), json!({"mandatory": true}), Ok((Allowed, true))),
    ] {
        assert_eq!(outcome(base.clone(), child.clone()), expected, "{base} {child}");
    }
    let both = resolve(
        VCT,
        None,
        &documents(&[
            ("urn:base", json!({"vct": "urn:base", "claims": [{"path": ["a"], "svg_id": "x"}]})),
            (VCT, json!({"vct": VCT, "extends": "urn:base", "claims": [{"path": ["b"], "svg_id": "x"}]})),
        ]),
    );
    assert_eq!(both, Err(ResolveError::Document { vct: VCT.into(), cause: DocumentError::Twice("svg_id") }));
}

#[test]
fn rules_about_disclosing_hold_for_holder_and_verifier() {
    let claims = || json!({"a": {"b": 1, "c": 2}, "l": [1, 2, 3]});
    let some = held(claims(), &[json!(["a", "b"]), json!(["l", 1])]);
    for (rule, fault) in [
        (json!({"path": ["a"], "sd": "never"}), None),
        (json!({"path": ["a"], "sd": "always"}), Some("not")),
        (json!({"path": ["a", "b"], "sd": "always"}), None),
        (json!({"path": ["a", "b"], "sd": "never"}), Some("is")),
        (json!({"path": ["a", "b"], "sd": "allowed"}), None),
        (json!({"path": ["a", "c"], "sd": "never"}), None),
        (json!({"path": ["l", 1], "sd": "always"}), None),
        (json!({"path": ["l", 1], "sd": "never"}), Some("is")),
        (json!({"path": ["l", 2], "sd": "never"}), None),
        (json!({"path": ["l", 2], "sd": "always"}), Some("not")),
        (json!({"path": ["l", null], "sd": "always"}), Some("not")),
        (json!({"path": ["l", null], "sd": "never"}), Some("is")),
        (json!({"path": ["x"], "sd": "always"}), None),
        (json!({"path": ["l", 9], "sd": "never"}), None),
    ] {
        let expected = match fault {
            None => Ok(()),
            Some("not") => Err(RuleError::NotDisclosable { path: path(rule["path"].clone()) }),
            Some(_) => Err(RuleError::Disclosable { path: path(rule["path"].clone()) }),
        };
        let rules = of_claims(json!([rule]));
        assert_eq!(rules.check_issued(&some), expected, "{rule}");
        // The verifier sees the same when all is shown, and of what is not shown nothing but elements of arrays.
        assert_eq!(presented(&rules, &some, &[json!(["a", "b"]), json!(["l", 1])]), expected, "{rule}");
        let hidden = if rule["path"] == json!(["a", "b"]) { Ok(()) } else { expected };
        assert_eq!(presented(&rules, &some, &[]), hidden, "{rule}");
    }
    // A disclosure above does not make what stands in it disclosable.
    let above = held(claims(), &[json!(["a"])]);
    let rules = of_claims(json!([{"path": ["a", "b"], "sd": "always"}]));
    assert_eq!(rules.check_issued(&above), Err(RuleError::NotDisclosable { path: path(json!(["a", "b"])) }));
}

#[test]
fn indices_count_what_is_not_shown() {
    // The first two of four are kept back: what is shown first stands third.
    let some = held(json!({"l": ["a", "b", {"x": 1}, "d"]}), &[json!(["l", 0]), json!(["l", 1]), json!(["l", 3])]);
    let rules = |path: Value, sd: &str| of_claims(json!([{"path": path, "sd": sd}]));
    for (index, disclosable) in [(0, true), (1, true), (2, false), (3, true)] {
        let sd = if disclosable { "always" } else { "never" };
        assert_eq!(presented(&rules(json!(["l", index]), sd), &some, &[]), Ok(()), "{index}");
        let other = if disclosable { "never" } else { "always" };
        assert!(presented(&rules(json!(["l", index]), other), &some, &[]).is_err(), "{index}");
    }
    assert_eq!(presented(&rules(json!(["l", 2, "x"]), "never"), &some, &[]), Ok(()));
    let mismatch = RuleError::Path { path: path(json!(["l", 3, "x"])), fault: PathFault::Mismatch };
    assert_eq!(presented(&rules(json!(["l", 3, "x"]), "never"), &some, &[json!(["l", 3])]), Err(mismatch));
    // Below what is not shown nothing is selected, and nothing is wrong.
    assert_eq!(presented(&rules(json!(["l", 3, "x"]), "never"), &some, &[]), Ok(()));
}

#[test]
fn a_path_that_does_not_fit_the_credential_refuses_it() {
    let some = held(json!({"a": "text", "o": {"x": 1}, "l": [1]}), &[]);
    for bad in [json!([0]), json!([null]), json!(["a", "b"]), json!(["a", null]), json!(["o", 0]), json!(["l", "x"])] {
        let rules = of_claims(json!([{"path": bad}]));
        let fault = RuleError::Path { path: path(bad.clone()), fault: PathFault::Mismatch };
        assert_eq!(rules.check_issued(&some), Err(fault), "{bad}");
    }
    // A member that is not there is no fault.
    assert_eq!(of_claims(json!([{"path": ["o", "y", "z"]}])).check_issued(&some), Ok(()));
    let many = held(json!({"l": vec![vec![0; 120]; 100]}), &[]);
    let rules = of_claims(json!([{"path": ["l", null, null]}]));
    assert!(matches!(rules.check_issued(&many), Err(RuleError::Path { fault: PathFault::TooMany, .. })));
}

#[test]
fn a_mandatory_claim_is_missed_by_whoever_can_tell() {
    let some = held(json!({"a": 1, "o": {"x": 1}, "l": [{}]}), &[json!(["a"])]);
    for (rule, holder, verifier) in [
        (json!({"path": ["a"], "sd": "always", "mandatory": true}), true, true),
        (json!({"path": ["b"], "mandatory": true}), false, true),
        (json!({"path": ["b"], "sd": "always", "mandatory": true}), false, true),
        // It may not be kept back: then it was not there.
        (json!({"path": ["b"], "sd": "never", "mandatory": true}), false, false),
        (json!({"path": ["o", "y"], "sd": "never", "mandatory": true}), false, false),
        (json!({"path": ["o", "y"], "mandatory": true}), false, true),
        (json!({"path": ["p", "y"], "sd": "never", "mandatory": true}), false, true),
        (json!({"path": ["l", null, "y"], "sd": "never", "mandatory": true}), false, true),
        (json!({"path": ["b"], "mandatory": false}), true, true),
    ] {
        let missing = || Err(RuleError::Missing { path: path(rule["path"].clone()) });
        let outcome = |holds| if holds { Ok(()) } else { missing() };
        let rules = of_claims(json!([rule]));
        assert_eq!(rules.check_issued(&some), outcome(holder), "{rule}");
        assert_eq!(presented(&rules, &some, &[]), outcome(verifier), "{rule}");
    }
    let other = resolve("urn:other", None, &documents(&[("urn:other", json!({"vct": "urn:other"}))])).unwrap();
    assert_eq!(other.check_issued(&some), Err(RuleError::OtherType));
}

/// What our own issuer would say of each claim.
fn sample(kind: credential_type::ClaimKind) -> Value {
    use credential_type::ClaimKind::{Boolean, Date, Integer, Picture, Text, TextList, TextMap};
    match kind {
        Text => json!("text"),
        Date => json!("2001-02-03"),
        TextList => json!(["one", "two"]),
        Boolean => json!(true),
        Integer => json!(170),
        TextMap => json!({"locality": "Львів"}),
        Picture => json!("data:image/jpeg;base64,/9j/"),
    }
}

#[test]
fn our_own_types_are_bundled_agree_with_what_we_issue_and_nobody_is_asked() {
    /// Others that would tell.
    struct Asked;
    impl TypeDocuments for Asked {
        fn document(&self, vct: &str) -> Option<std::borrow::Cow<'_, [u8]>> {
            panic!("asked for {vct}")
        }
    }
    for own in credential_type::ALL {
        let resolved = resolve(own.vct, None, &Bundled::and(&Asked)).unwrap();
        assert_eq!(resolved.display(&["en"]).unwrap().name(), own.label);
        assert_eq!(resolved.claims().len(), own.claims.len());
        for (metadata, claim) in resolved.claims().iter().zip(own.claims) {
            assert_eq!(metadata.path(), &ClaimPath::names([claim.name]));
            assert_eq!(metadata.label(&["en"]).unwrap().label(), claim.label);
            assert_eq!((metadata.disclosing(), metadata.is_mandatory()), (Disclosing::Always, claim.required));
        }
        let mut draft = IssuanceDraft { vct: own.vct.into(), disclosable: Map::new(), ..WORLD.draft() };
        for claim in own.claims {
            draft.disclosable.insert(claim.name.into(), sample(claim.kind));
        }
        let held = WORLD.held(&draft);
        assert_eq!(resolved.check_issued(&held), Ok(()));
        let mut less = draft.clone();
        less.disclosable.shift_remove(own.claims.iter().find(|claim| claim.required).unwrap().name);
        assert!(matches!(resolved.check_issued(&WORLD.held(&less)), Err(RuleError::Missing { .. })));
        for language in ["en", "es", "fr", "uk"] {
            let display = resolved.display(&[language]).unwrap();
            assert!(display.locale().is(language));
            let svg = display.svg_template(Orientation::Portrait, ColorScheme::Dark, Contrast::Normal).unwrap();
            let template = SvgTemplate::parse(svg.resource.data().unwrap().bytes()).unwrap();
            assert!(template.placeholders().count() >= 2);
            let filled = template.fill(&resolved, &held.as_issued()).unwrap();
            assert!(filled.contains("text") && !filled.contains("{{"), "{filled}");
            assert!(resolved.claims().iter().all(|claim| claim.label(&[language]).unwrap().locale().is(language)));
        }
    }
    assert!(Bundled::only().document("urn:example:other").is_none());
}

#[test]
fn the_documents_of_our_types_never_change() {
    // Credentials name these digests (`vct#integrity`): another text of the same type would refuse all that is out. What is
    // new, a language too, is a new type.
    for (vct, digest) in [
        ("urn:amparo:identity:1", "sha256-8jj1rFgk7mzoBO1yFu3Y2L7ceLHcogO+WcZGwS7PwCM="),
        ("urn:amparo:attestation:1", "sha256-SooNwyyCWSMTK4PQ4cGn1GI0QB13qoPrr9NpbEAbugY="),
    ] {
        assert_eq!(Integrity::of(&Bundled::only().document(vct).unwrap()).to_string(), digest, "{vct}");
        assert!(resolve(vct, Some(digest), &Bundled::only()).is_ok());
        assert!(resolve(vct, Some(&Integrity::of(b"other").to_string()), &Bundled::only()).is_err());
    }
}

#[test]
fn attack_57_a_type_that_is_a_path_is_a_name_and_nothing_else() {
    for vct in ["../identity.json", "urn:amparo:identity:1/../../etc/passwd", "/etc/passwd", "urn:amparo:identity:1\0"]
    {
        assert!(Bundled::only().document(vct).is_none(), "{vct}");
        assert_eq!(resolve(vct, None, &Bundled::only()), Err(ResolveError::Missing { vct: vct.into() }));
    }
}

/// A template that shows `{{a}}`, filled in with `value` as the claim `a`.
fn filled(value: &Value) -> Result<String, FillError> {
    let template = SvgTemplate::parse(br#"<svg xmlns="http://www.w3.org/2000/svg"><text>Name: {{a}}!</text></svg>"#);
    let rules = of_claims(json!([{"path": ["a"], "svg_id": "a"}]));
    template.unwrap().fill(&rules, &held(json!({"a": value}), &[]).as_issued())
}

#[test]
fn attack_56_values_are_text_whatever_they_look_like() {
    let inner = |value: Value| {
        let svg = filled(&value).unwrap();
        let shown = svg.strip_prefix(r#"<svg xmlns="http://www.w3.org/2000/svg"><text>Name: "#);
        shown.and_then(|rest| rest.strip_suffix("!</text></svg>")).unwrap().to_owned()
    };
    for (value, shown) in [
        (json!("Олена & Ñandú"), "Олена &amp; Ñandú"),
        (json!("</text><script>alert('1')</script>"), "&lt;/text&gt;&lt;script&gt;alert(&apos;1&apos;)&lt;/script&gt;"),
        (json!("\" onload=\"alert(1)"), "&quot; onload=&quot;alert(1)"),
        (json!("{{a}} {{7*7}} ${7} &amp; ]]>"), "{{a}} {{7*7}} ${7} &amp;amp; ]]&gt;"),
        (json!("a\u{202e}b\u{0}c\r\nd"), "a\\u{202e}b\\u{0}c\\u{d}\\u{a}d"),
        (json!(["UA", 7, true, null]), "UA, 7, true, "),
        (json!(170), "170"),
        (json!(null), ""),
        (json!("\u{ffff}"), "\u{fffd}"),
    ] {
        assert_eq!(inner(value), shown);
    }
    assert_eq!(inner(json!("я".repeat(1000))).chars().count(), 257);
    for value in [json!({"b": 1}), json!([[1]])] {
        assert_eq!(filled(&value), Err(FillError::NotText { id: "a".into() }));
    }
}

#[test]
fn what_is_not_shown_is_empty_and_what_nobody_knows_is_refused() {
    let template = |inner: &str| {
        let svg = format!(r#"<svg xmlns="http://www.w3.org/2000/svg"><text>{inner}</text></svg>"#);
        SvgTemplate::parse(svg.as_bytes()).unwrap()
    };
    let rules = of_claims(json!([
        {"path": ["a"], "svg_id": "a"}, {"path": ["l", null], "svg_id": "l"}, {"path": ["l", 1], "svg_id": "second"}]));
    let some = held(json!({"a": "x", "l": ["1", "2", "3"]}), &[json!(["a"]), json!(["l", 0])]);
    let text = some.select_exactly(&[]).unwrap().bind(&WORLD.key_binding(), &WORLD.holder).unwrap();
    let shown = verify_presented(&text, &WORLD.expected()).unwrap();
    let all = template("{{a}}/{{l}}/{{second}}").fill(&rules, &some.as_issued()).unwrap();
    assert!(all.contains(">x/1, 2, 3/2<"), "{all}");
    let part = template("{{a}}/{{l}}/{{second}}").fill(&rules, &shown.as_issued()).unwrap();
    assert!(part.contains(">/2, 3/2<"), "{part}");
    let unknown = template("{{b}}").fill(&rules, &some.as_issued());
    assert_eq!(unknown, Err(FillError::Unknown { id: "b".into() }));
    let misfit = of_claims(json!([{"path": ["a", "b"], "svg_id": "a"}]));
    let fault = FillError::Path { id: "a".into(), fault: PathFault::Mismatch };
    assert_eq!(template("{{a}}").fill(&misfit, &some.as_issued()), Err(fault));
}

#[test]
fn attack_13_words_are_safe_to_show() {
    let label = "a\u{202e}b\r\n";
    let document = json!({"vct": VCT,
        "display": [{"locale": "en", "name": label, "description": label}],
        "claims": [{"path": ["a"], "display": [{"locale": "en", "label": label, "description": label}]}]});
    let resolved = resolve(VCT, None, &documents(&[(VCT, document)])).unwrap();
    let display = resolved.display(&["en"]).unwrap();
    let claim = resolved.claims()[0].label(&["en"]).unwrap();
    let safe = "a\\u{202e}b\\u{d}\\u{a}";
    assert_eq!((display.name(), display.description()), (safe.into(), Some(safe.into())));
    assert_eq!((claim.label(), claim.description()), (safe.into(), Some(safe.into())));
}

#[test]
fn the_template_that_fits_best_is_chosen() {
    let svg =
        |name: &str, properties: Value| json!({"uri": format!("https://a.example/{name}"), "properties": properties});
    let document = json!({"vct": VCT, "display": [{"locale": "en", "name": "x", "rendering": {"svg_templates": [
        svg("1", json!({"orientation": "landscape", "color_scheme": "light"})),
        svg("2", json!({"orientation": "portrait", "color_scheme": "dark"})),
        svg("3", json!({"contrast": "high"})),
    ]}}]});
    let resolved = resolve(VCT, None, &documents(&[(VCT, document)])).unwrap();
    let display = resolved.display(&["en"]).unwrap();
    let chosen =
        |orientation, scheme, contrast| display.svg_template(orientation, scheme, contrast).unwrap().resource.url();
    use ColorScheme::{Dark, Light};
    assert_eq!(chosen(Orientation::Landscape, Light, Contrast::Normal), Some("https://a.example/1"));
    assert_eq!(chosen(Orientation::Portrait, Dark, Contrast::Normal), Some("https://a.example/2"));
    assert_eq!(chosen(Orientation::Portrait, Light, Contrast::High), Some("https://a.example/3"));
}
