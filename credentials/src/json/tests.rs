use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, JsonError> {
    parse(text.as_bytes(), &Limits::TOKEN)
}

#[test]
fn attack_12_a_name_twice_is_refused_wherever_it_stands() {
    for text in [r#"{"alg":"ES256","alg":"none"}"#, r#"{"a":1,"\u0061":2}"#, r#"[1,{"x":{"y":[{"k":1,"k":1}]}}]"#] {
        assert_eq!(read(text), Err(JsonError::DuplicateName), "{text}");
    }
    assert!(read(r#"{"a":1,"b":{"a":1}}"#).is_ok());
}

#[test]
fn attack_13_bad_utf8_surrogates_and_bom_are_refused_and_twins_stay_apart() {
    for bytes in [
        &b"\xef\xbb\xbf{}"[..],
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        br#"{"a":"\ud800"}"#,
        br#"{"a":"\udc00\ud800"}"#,
        br#"{"\ud83d":1}"#,
        b"{\"a\":\"\x01\"}",
        b"{} {}",
        b"",
        b"{\"a\":1,}",
        b"{'a':1}",
    ] {
        assert_eq!(parse(bytes, &Limits::TOKEN), Err(JsonError::Syntax), "{bytes:?}");
    }
    let twins = read("{\"\u{e9}\":1,\"e\u{301}\":2,\"\u{430}\":3,\"a\":4}").unwrap();
    assert_eq!(twins.as_object().unwrap().len(), 4);
}

#[test]
fn attack_14_numbers_out_of_range_are_refused() {
    for text in ["1e999", "-1e999", "NaN", "Infinity", "01", "+1", "0x1", ".5"] {
        assert_eq!(read(text), Err(JsonError::Syntax), "{text}");
    }
    // "-0" is a double to the reader: never an integer, so never a time.
    assert_eq!(read("-0").unwrap().as_i64(), None);
}

#[test]
fn attack_16_nesting_is_bounded() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(read(&nested(16)).is_ok());
    assert_eq!(read(&nested(17)), Err(JsonError::TooDeep { most: 16 }));
    assert_eq!(read(&nested(10_000)), Err(JsonError::TooDeep { most: 16 }));
    assert_eq!(read(&"{\"a\":".repeat(10_000)), Err(JsonError::TooDeep { most: 16 }));
    assert_eq!(read(&"[".repeat(300_000)), Err(JsonError::TooLong { most: 262_144, got: 300_000 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_panics_and_agrees_with_the_lax_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = parse(&bytes, &Limits::TOKEN) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
        }
    }
}

const NAMES: &[&str] = &["alg", "typ"];

fn known(text: &str) -> Result<Vec<(&'static str, Value)>, JsonError> {
    let mut known = parse_known(text.as_bytes(), &Limits::TOKEN, NAMES)?;
    Ok(NAMES.iter().filter_map(|name| Some((*name, known.take(name)?))).collect())
}

#[test]
fn attack_12_a_name_twice_is_refused_also_where_only_some_names_are_kept() {
    for text in [
        r#"{"alg":"ES256","alg":"none"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"x":1,"alg":"ES256","\u0078":2}"#,
        r#"{"x":{"k":1,"k":1}}"#,
        r#"{"alg":{"k":1,"k":1}}"#,
    ] {
        assert_eq!(known(text), Err(JsonError::DuplicateName), "{text}");
    }
}

#[test]
fn where_only_some_names_are_kept_the_rest_is_read_as_strictly() {
    assert_eq!(known(r#"{"x":[1],"typ":"a","y":{}}"#), Ok(vec![("typ", Value::from("a"))]));
    assert_eq!(known("{}"), Ok(Vec::new()));
    for text in ["[1]", "7", "null", "\"alg\""] {
        assert_eq!(known(text), Err(JsonError::NotAnObject), "{text}");
    }
    for text in ["", "{", "{}}", "{\"x\":01}", "{\"x\":\"\\ud800\"}", "{\"alg\":1,}"] {
        assert_eq!(known(text), Err(JsonError::Syntax), "{text}");
    }
    let nested = |n: usize| format!("{{\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(known(&nested(15)).is_ok());
    assert_eq!(known(&nested(16)), Err(JsonError::TooDeep { most: 16 }));
    assert_eq!(known(&nested(200_000)), Err(JsonError::TooLong { most: 262_144, got: 400_006 }));
}
