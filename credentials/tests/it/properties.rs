//! What holds for every credential.

use crate::world::{NOW, WORLD, map, rng};
use credentials::sd_jwt::{SdJwtIn, issue, verify_issued, verify_presented};
use credentials::signer::Signer as _;
use proptest::prelude::*;
use schemas::{ClaimPath, PathElement};
use serde_json::{Map, Value, json};

/// Any JSON up to four deep.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    scalar.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn claims(prefix: &'static str) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("[a-z]{1,8}", value(), 0..6)
        .prop_map(move |members| members.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect())
}

/// Every path below the claims, which `pick` may choose to make disclosable by itself.
fn paths_below(claims: &Map<String, Value>) -> Vec<ClaimPath> {
    fn walk(value: &Value, path: &mut Vec<PathElement>, found: &mut Vec<ClaimPath>) {
        let members: Vec<(PathElement, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(name, value)| (PathElement::Name(name.clone()), value)).collect(),
            Value::Array(items) => (0..).map(PathElement::Index).zip(items).collect(),
            _ => return,
        };
        for (element, value) in members {
            path.push(element);
            if path.len() > 1 {
                found.push(ClaimPath::new(path.clone()));
            }
            walk(value, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(&Value::Object(claims.clone()), &mut Vec::new(), &mut found);
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_drafted_is_received_and_what_is_chosen_is_shown(
        visible in claims("v_"),
        disclosable in claims("d_"),
        picks in proptest::collection::vec(any::<bool>(), 64),
        choices in proptest::collection::vec(any::<bool>(), 64),
        decoys: bool,
        seed: u64,
    ) {
        let world = &*WORLD;
        let mut draft = world.draft();
        (draft.visible, draft.disclosable, draft.decoys) = (visible, disclosable, decoys);
        let all: Map<String, Value> = draft.visible.clone().into_iter().chain(draft.disclosable.clone()).collect();
        draft.nested = paths_below(&all).into_iter().zip(&picks).filter(|(_, pick)| **pick).map(|(path, _)| path).collect();
        let text = issue(&draft, &world.chain, world.holder.public_key(), &world.issuer, &mut rng(seed)).unwrap();
        let held = verify_issued(&text, &world.policy(), NOW).unwrap();
        for (name, value) in &all {
            prop_assert_eq!(&held.claims()[name], value);
        }
        prop_assert_eq!(held.disclosures().len(), draft.disclosable.len() + draft.nested.len());

        let chosen: Vec<ClaimPath> =
            held.disclosable_paths().into_iter().zip(&choices).filter(|(_, c)| **c).map(|(path, _)| path).collect();
        let selection = held.select(&chosen).unwrap();
        let presented =
            verify_presented(&selection.bind(&world.key_binding(), &world.holder).unwrap(), &world.expected()).unwrap();
        prop_assert_eq!(presented.claims(), &selection.shown());
        prop_assert_eq!(presented.disclosed_paths(), selection.paths());
        for path in &chosen {
            prop_assert!(selection.paths().contains(path));
        }
        for path in selection.paths() {
            prop_assert!(chosen.iter().any(|c| c.covers(&path) || path.covers(c)), "{} was not asked for", path);
        }
    }

    #[test]
    fn no_bit_of_a_presentation_can_be_changed(position: prop::sample::Index, bit in 0u8..7) {
        let world = &*WORLD;
        let mut draft = world.draft();
        draft.visible = map(json!({"level": 3}));
        let held = world.held(&draft);
        let selection = held.select(&[ClaimPath::names(["given_name"])]).unwrap();
        let text = selection.bind(&world.key_binding(), &world.holder).unwrap();
        let mut bytes = text.into_bytes();
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(verify_presented(&changed, &world.expected()).is_err(), "at {}: {}", at, changed);
    }

    #[test]
    fn no_bit_of_an_issued_credential_can_be_changed(position: prop::sample::Index, bit in 0u8..7) {
        let world = &*WORLD;
        let mut bytes = world.issue(&world.draft()).into_bytes();
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(verify_issued(&changed, &world.policy(), NOW).is_err(), "at {}: {}", at, changed);
    }

    #[test]
    fn parsers_do_not_panic(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let world = &*WORLD;
        let mangled = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &mangled, &format!("{text}~{mangled}~"), &format!("{}~{text}", world.issue(&world.draft()))] {
            let _ = SdJwtIn::parse(text).map(SdJwtIn::process);
            let _ = verify_issued(text, &world.policy(), NOW);
            let _ = verify_presented(text, &world.expected());
            let _ = credentials::jws::JwsIn::parse(text, &credentials::json::Limits::TOKEN);
            let _ = credentials::trust::CertificateChain::from_pem(text.as_bytes());
            let _ = credentials::trust::CertificateChain::from_der([bytes.clone()])
                .map(|chain| chain.verify_or_unknown(&world.anchors, credentials::trust::Usage::Verifier, NOW));
        }
    }

    #[test]
    fn parsers_of_documents_do_not_panic(
        text in "\\PC{0,200}",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        members in proptest::collection::vec((member(), member()), 0..8),
    ) {
        use credentials::{issuer_metadata, key, sd_jwt, status_list, type_metadata};
        let document: serde_json::Map<String, Value> =
            members.iter().map(|(name, value)| (name.clone(), serde_json::from_str(value).unwrap_or(json!(value)))).collect();
        let document = Value::Object(document).to_string();
        for bytes in [text.as_bytes(), &bytes, document.as_bytes()] {
            let _ = sd_jwt::SdJwtJsonIn::parse(bytes);
            let _ = status_list::Aggregation::parse(bytes);
            let _ = status_list::verify_cwt(bytes, "https://a.example/1", &WORLD.anchors, NOW, None);
            let _ = key::KeySet::parse(bytes);
            let _ = issuer_metadata::IssuerMetadata::parse(bytes, "https://a.example");
            let _ = type_metadata::TypeMetadata::parse(bytes);
            let _ = type_metadata::SvgTemplate::parse(bytes);
        }
        let _ = issuer_metadata::well_known_url(&text);
        let _ = type_metadata::Integrity::parse(&text).map(|integrity| integrity.check(&bytes));
        let _ = type_metadata::LanguageTag::parse(&text);
        let _ = type_metadata::DataUri::parse(&format!("data:image/png;base64,{text}"));
        let _ = type_metadata::DataUri::parse(&format!("data:image/svg+xml,{text}"));
        let _ = type_metadata::Color::parse(&text);
    }

    #[test]
    fn attack_56_what_is_read_as_svg_is_read_again_and_leads_nowhere(pieces in proptest::collection::vec(svg_piece(), 0..12)) {
        use credentials::type_metadata::{Bundled, SvgTemplate, resolve};
        let text = format!(r#"<svg xmlns="http://www.w3.org/2000/svg">{}</svg>"#, pieces.concat());
        let Ok(template) = SvgTemplate::parse(text.as_bytes()) else { return Ok(()) };
        let resolved = resolve("urn:amparo:identity:1", None, &Bundled::only()).unwrap();
        let held = WORLD.held(&WORLD.draft());
        let Ok(filled) = template.fill(&resolved, &held.as_issued()) else { return Ok(()) };
        let again = SvgTemplate::parse(filled.as_bytes()).unwrap();
        prop_assert_eq!(again.fill(&resolved, &held.as_issued()).unwrap(), filled.clone());
        let drawn = filled.replace("http://www.w3.org/2000/svg", "");
        for trace in ["<script", "<a ", "<use", "onload", "http", "javascript", "&#", "<!", "<?"] {
            prop_assert!(!drawn.contains(trace), "{} in {}", trace, drawn);
        }
    }
}

/// Names and values that documents have, so that more than the first check is reached.
fn member() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "vct",
        "extends",
        "display",
        "claims",
        "issuer",
        "jwks",
        "jwks_uri",
        "keys",
        "payload",
        "protected",
        "signature",
        "signatures",
        "header",
        "status_lists",
        "https://a.example",
        "AAAA",
        "[]",
        "{}",
        "[{}]",
        "[7]",
        "\"x\"",
        "null",
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
        r#"{"disclosures":["AA"],"kb_jwt":"a.b.c"}"#,
        r#"[{"path":["a",null,0],"sd":"always"}]"#,
        r#"[{"locale":"en","name":"x","rendering":{"simple":{}}}]"#,
    ])
    .prop_map(str::to_owned)
}

/// What templates are made of, good and bad.
fn svg_piece() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "<g>",
        "</g>",
        "<g/>",
        "<text>",
        "</text>",
        "{{given_name}}",
        "{{family_name}}",
        "{{x}}",
        "{{",
        "}}",
        "a &amp; b",
        "<rect fill='url(#a)'/>",
        "<rect fill='url(https://a.example)'/>",
        "<rect onload='x'/>",
        "<script/>",
        "<!-- x -->",
        "<?x y?>",
        "<a href='javascript:x'/>",
        "<use href='#a'/>",
        "<tspan x='1'>",
        "</tspan>",
        "<![CDATA[<script>]]>",
        "<image href='data:image/png;base64,AAEC'/>",
        "<image href='http://a.example'/>",
        "<title>t</title>",
        "<rect style='fill:red;stroke:url(#b)'/>",
        "<rect style='x:url(http://a.example)'/>",
        "&#x3c;script&#x3e;",
        "\u{202e}",
    ])
    .prop_map(str::to_owned)
}
