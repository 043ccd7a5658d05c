use super::*;

fn parse(text: &str) -> Result<SvgTemplate, SvgError> {
    SvgTemplate::parse(text.as_bytes())
}

/// Something inside an `svg` element.
fn with(inner: &str) -> Result<SvgTemplate, SvgError> {
    parse(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:x="urn:x">{inner}</svg>"#
    ))
}

fn text(template: &SvgTemplate) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Placeholder(id) => format!("[{id}]"),
    };
    template.pieces.iter().map(piece).collect()
}

#[test]
fn what_draws_is_kept() {
    let drawn = concat!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><defs><linearGradient id="a"><stop offset="0" "##,
        r##"style="stop-color:rgb(1, 2, 3);stop-opacity:.5"></stop></linearGradient></defs><g transform="translate(1 2) "##,
        r##"rotate(45)"><rect x="1" y="1" width="2" height="2" fill="url(#a)"></rect><path d="M0 0L1 1z" stroke="#fff">"##,
        r##"</path></g><text x="1" y="2" font-family="&quot;Noto Sans&quot;, sans-serif">A &amp; &lt;b&gt;</text></svg>"##
    );
    assert_eq!(text(&parse(drawn).unwrap()), drawn);
    let again = text(&parse(drawn).unwrap());
    assert_eq!(parse(&again), parse(drawn));
    // Comments, instructions and what nobody sees stay behind.
    let silent = with("<?xml-stylesheet href='x'?><!-- {{x}} --><metadata><x:script/></metadata><g></g>").unwrap();
    assert_eq!(text(&silent), r#"<svg xmlns="http://www.w3.org/2000/svg"><g></g></svg>"#);
}

#[test]
fn the_example_of_the_draft_is_read() {
    let example = concat!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">"#,
        r#"<text x="10" y="20">Street address: {{address_street_address}}</text></svg>"#
    );
    let template = parse(example).unwrap();
    assert_eq!(template.placeholders().collect::<Vec<_>>(), ["address_street_address"]);
}

#[test]
fn attack_56_elements_that_run_fetch_change_or_repeat_are_refused() {
    for (name, inner) in [
        ("script", "<script>alert(1)</script>"),
        ("script", "<script href='https://attacker.example/x.js'/>"),
        ("foreignObject", "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"),
        ("a", "<a href='https://attacker.example'><text>x</text></a>"),
        ("style", "<style>@import url(https://attacker.example)</style>"),
        ("animate", "<rect><animate attributeName='href' values='javascript:alert(1)'/></rect>"),
        ("set", "<set attributeName='onload' to='alert(1)'/>"),
        ("use", "<use href='#a'/>"),
        ("use", "<use xlink:href='https://attacker.example/x.svg#a'/>"),
        ("filter", "<filter><feImage href='https://attacker.example'/></filter>"),
        ("pattern", "<pattern/>"),
        ("mask", "<mask/>"),
        ("iframe", "<iframe src='https://attacker.example'/>"),
        ("script", "<script xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("rect", "<x:rect/>"),
        ("svg", "<svg/>"),
        ("SCRIPT", "<SCRIPT/>"),
    ] {
        assert_eq!(with(inner), Err(SvgError::Element(name.to_owned())), "{inner}");
    }
    for document in ["<html/>", "<svg/>", r#"<x:svg xmlns:x="urn:x"/>"#] {
        assert_eq!(parse(document), Err(SvgError::NotSvg), "{document}");
    }
}

#[test]
fn attack_56_event_handlers_and_unknown_attributes_are_refused() {
    for (name, inner) in [
        ("onload", "<g onload='alert(1)'/>"),
        ("onclick", "<rect onclick='alert(1)'/>"),
        ("ONLOAD", "<rect ONLOAD='alert(1)'/>"),
        ("href", "<rect href='#a'/>"),
        ("href", "<linearGradient xlink:href='#a'/>"),
        ("src", "<image src='https://attacker.example'/>"),
        ("class", "<rect class='x'/>"),
        ("filter", "<rect filter='url(#a)'/>"),
        ("clip-path", "<rect clip-path='url(#a)'/>"),
        ("onload", "<g x:onload='alert(1)'/>"),
        ("base", "<g xml:base='https://attacker.example/'/>"),
    ] {
        assert_eq!(with(inner), Err(SvgError::Attribute(name.to_owned())), "{inner}");
    }
}

#[test]
fn attack_56_values_that_leave_the_template_are_refused() {
    for value in [
        "url(https://attacker.example/a.svg#b)",
        "url(//attacker.example)",
        "url('#a')",
        "url( #a)",
        "URL(https://attacker.example)",
        "url(#a) url(https://attacker.example)",
        "url(#a",
        "url()",
        "url(#)",
        "u\\72l(https://attacker.example)",
        "/**/url(x)",
        "javascript:alert(1)",
        "expression(alert(1))",
        "image-set(x)",
        "src(x)",
        "env(x)",
        "var(--x)",
        "attr(x)",
        "red;behavior",
        "{{given_name}}",
        "a}b",
        "@x",
    ] {
        let escaped = value.replace('&', "&amp;").replace('\'', "&apos;");
        assert_eq!(with(&format!("<rect fill='{escaped}'/>")), Err(SvgError::Value("fill".into())), "{value}");
        let style = with(&format!("<rect style='fill:{escaped}'/>"));
        assert_eq!(style, Err(SvgError::Value("style".into())), "{value}");
    }
    for style in ["background:red", "fill", "-moz-binding:x", "fill:red;position:fixed", "--x:1"] {
        assert_eq!(with(&format!("<rect style='{style}'/>")), Err(SvgError::Value("style".into())), "{style}");
    }
    for href in [
        "https://attacker.example/a.png",
        "http://attacker.example/a.png",
        "//attacker.example",
        "a.png",
        "file:///etc/passwd",
        "data:image/svg+xml,%3Csvg%3E",
        "data:text/html,x",
        "javascript:alert(1)",
        "data:image/png,x#https://attacker.example'",
    ] {
        let image = with(&format!("<image href=\"{href}\"/>")).map(|template| text(&template));
        match image {
            Err(error) => assert_eq!(error, SvgError::Value("href".into()), "{href}"),
            // What is read as a picture is written anew, so that it is nothing else.
            Ok(svg) => assert!(svg.contains("data:image/png;base64,") && !svg.contains("attacker"), "{svg}"),
        }
    }
    let image = with("<image xlink:href='data:image/png;base64,AAEC' width='1'/>").unwrap();
    assert!(text(&image).contains(r#" href="data:image/png;base64,AAEC""#));
}

#[test]
fn attack_56_placeholders_stand_in_text_only() {
    for inner in [
        "<g>{{given_name}}</g>",
        "<text>{{given_name</text>",
        "<text>{{ given_name }}</text>",
        "<text>{{7*7}}</text>",
        "<text>{{1a}}</text>",
        "<text>{{}}</text>",
        "<text>{{a<tspan>}}</tspan></text>",
    ] {
        assert_eq!(with(inner), Err(SvgError::Placeholder), "{inner}");
    }
    let template = with("<text>{{a}}<tspan>}} {{b}}</tspan>{ {c} ${d}</text>").unwrap();
    assert_eq!(template.placeholders().collect::<Vec<_>>(), ["a", "b"]);
    assert!(text(&template).ends_with("[a]<tspan>}} [b]</tspan>{ {c} ${d}</text></svg>"));
}

#[test]
fn attack_16_44_what_is_too_much_is_refused() {
    let deep = |depth: usize| with(&format!("{}{}", "<g>".repeat(depth), "</g>".repeat(depth)));
    assert!(deep(31).is_ok());
    assert_eq!(deep(32), Err(SvgError::TooDeep));
    assert!(matches!(deep(4000), Err(SvgError::TooDeep | SvgError::NotXml)));
    assert_eq!(deep(20_000), Err(SvgError::NotXml));
    assert_eq!(with(&"<g/>".repeat(5000)), Err(SvgError::NotXml));
    let long = "x".repeat(SvgTemplate::MOST_BYTES + 1);
    assert_eq!(parse(&long), Err(SvgError::TooLong { got: long.len() }));
    for entity in [
        "<!DOCTYPE svg [<!ENTITY a 'x'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&a;</text></svg>",
        "<!DOCTYPE svg SYSTEM 'file:///etc/passwd'><svg xmlns='http://www.w3.org/2000/svg'/>",
        "<!DOCTYPE svg><svg xmlns='http://www.w3.org/2000/svg'/>",
        "<svg xmlns='http://www.w3.org/2000/svg'>&x;</svg>",
        "<svg xmlns='http://www.w3.org/2000/svg'>",
        "",
        "\u{0}",
    ] {
        assert_eq!(parse(entity), Err(SvgError::NotXml), "{entity}");
    }
    assert_eq!(SvgTemplate::parse(b"<svg>\xff</svg>"), Err(SvgError::NotXml));
    let many = (0..4000).map(|n| format!(" a{n}='1'")).collect::<String>();
    assert!(with(&format!("<g{many}/>")).is_err());
}
