use super::*;
use proptest::prelude::*;

fn read(hex: &str) -> Result<Value, CborError> {
    parse(&hex::decode(hex).unwrap(), &Limits::MESSAGE)
}

fn encoded(value: &Value) -> String {
    let mut writer = Writer::new();
    writer.value(value);
    hex::encode(writer.as_bytes())
}

#[test]
fn rfc8949_appendix_a_examples_are_read_and_written() {
    let text = |t: &str| Value::from(t);
    let n = Value::Integer;
    let examples = [
        ("00", n(0)),
        ("0a", n(10)),
        ("17", n(23)),
        ("1818", n(24)),
        ("1864", n(100)),
        ("1903e8", n(1000)),
        ("1a000f4240", n(1_000_000)),
        ("1b000000e8d4a51000", n(1_000_000_000_000)),
        ("20", n(-1)),
        ("3863", n(-100)),
        ("3903e7", n(-1000)),
        ("f4", Value::Bool(false)),
        ("f5", Value::Bool(true)),
        ("f6", Value::Null),
        ("c074323031332d30332d32315432303a30343a30305a", Value::Tag(0, Box::new(text("2013-03-21T20:04:00Z")))),
        ("d818456449455446", Value::Tag(24, Box::new(Value::Bytes(b"dIETF".to_vec())))),
        ("40", Value::Bytes(Vec::new())),
        ("4401020304", Value::Bytes(vec![1, 2, 3, 4])),
        ("60", text("")),
        ("62c3bc", text("ü")),
        ("80", Value::Array(Vec::new())),
        ("8301820203820405", Value::Array(vec![n(1), Value::Array(vec![n(2), n(3)]), Value::Array(vec![n(4), n(5)])])),
        ("a201020304", Value::Map(vec![(n(1), n(2)), (n(3), n(4))])),
        ("a26161016162820203", Value::Map(vec![(text("a"), n(1)), (text("b"), Value::Array(vec![n(2), n(3)]))])),
        ("fb3ff199999999999a", Value::Float(1.1)),
    ];
    for (hex, value) in examples {
        assert_eq!(read(hex).unwrap(), value, "{hex}");
        assert_eq!(encoded(&value), hex);
    }
    assert_eq!(read("f93c00").unwrap(), Value::Float(1.0));
    assert_eq!(read("fa47c35000").unwrap(), Value::Float(100_000.0));
    assert_eq!(read("1b7fffffffffffffff").unwrap(), n(i64::MAX));
    assert_eq!(read("3b7fffffffffffffff").unwrap(), n(i64::MIN));
}

#[test]
fn attack_39_indefinite_lengths_are_refused() {
    for hex in
        ["5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f018202039f0405ffff", "bfff", "ff", "8101ff"]
    {
        let expected = if hex == "8101ff" { CborError::Trailing } else { CborError::Indefinite };
        assert_eq!(read(hex), Err(expected), "{hex}");
    }
    assert_eq!(read("bf61610161629f0203ffff"), Err(CborError::Indefinite));
    assert_eq!(read("a161615f4101ff"), Err(CborError::Indefinite));
}

#[test]
fn attack_39_a_key_twice_is_refused_wherever_it_stands() {
    for hex in
        ["a201020103", "a2616101616102", "81a26161a2010201036162f6", "d818a2616101616102", "a3616101616202616103"]
    {
        assert_eq!(read(hex), Err(CborError::DuplicateKey), "{hex}");
    }
    // The same key in two forms: one of them is refused by itself.
    assert_eq!(read("a2010218010 3".replace(' ', "").as_str()), Err(CborError::NotShortest));
    // An integer and a text are two keys, however they sort.
    assert!(read("a2000060 01".replace(' ', "").as_str()).is_ok());
    assert!(read("a2613101 0102".replace(' ', "").as_str()).is_ok());
}

#[test]
fn attack_39_lengths_beyond_the_bytes_are_refused_at_once() {
    for hex in [
        "9b8000000000000000",
        "bb8000000000000000",
        "5b8000000000000000",
        "7b7fffffffffffffff",
        "9bffffffffffffffff00",
        "bb7fffffffffffffff00",
        "9a7fffffff00",
        "42aa",
        "19",
        "",
        "8201",
        "a101",
    ] {
        assert_eq!(read(hex), Err(CborError::Truncated), "{hex}");
    }
}

#[test]
fn attack_39_tags_and_containers_are_bounded() {
    let nested = |head: &str, n: usize| read(&format!("{}00", head.repeat(n)));
    assert!(nested("c1", 16).is_ok() && nested("81", 16).is_ok() && nested("a100", 16).is_ok());
    for head in ["c1", "81", "a100", "d818"] {
        assert_eq!(nested(head, 17), Err(CborError::TooDeep { most: 16 }), "{head}");
        assert_eq!(nested(head, 60_000), Err(CborError::TooDeep { most: 16 }), "{head}");
    }
    let many = |n: usize| {
        let mut writer = Writer::new();
        writer.array(n);
        (0..n).for_each(|_| {
            writer.null();
        });
        parse(writer.as_bytes(), &Limits::MESSAGE)
    };
    assert!(many(8191).is_ok());
    assert_eq!(many(8192), Err(CborError::TooMany { most: 8192 }));
    assert_eq!(
        parse(&vec![0; 256 * 1024 + 1], &Limits::MESSAGE),
        Err(CborError::TooLong { most: 262_144, got: 262_145 })
    );
}

#[test]
fn attack_39_one_value_has_one_form() {
    for hex in [
        "1800",
        "1817",
        "190017",
        "1a000000ff",
        "1b00000000ffffffff",
        "3800",
        "5800",
        "7801 61",
        "980100",
        "b9000100 00",
        "d80100",
    ] {
        assert_eq!(read(&hex.replace(' ', "")), Err(CborError::NotShortest), "{hex}");
    }
    assert_eq!(read("0000"), Err(CborError::Trailing));
    assert_eq!(read("1bffffffffffffffff"), Err(CborError::Range));
    assert_eq!(read("3bffffffffffffffff"), Err(CborError::Range));
    for hex in ["f7", "f0", "f820", "e0"] {
        assert_eq!(read(hex), Err(CborError::Simple), "{hex}");
    }
    for hex in ["1c", "3e", "5d", "7e", "9c", "bd", "dc", "fc", "61ff", "62c328"] {
        assert_eq!(read(hex), Err(CborError::Malformed), "{hex}");
    }
    for hex in ["a1f400", "a1400 0", "a1800 0", "a1f60 0", "a1f93c0000", "a1a000"] {
        assert_eq!(read(&hex.replace(' ', "")), Err(CborError::KeyKind), "{hex}");
    }
}

#[test]
fn times_are_utc_without_fractions() {
    let time = |text: &str| {
        let value = Value::Map(vec![("t".into(), Value::Tag(0, Box::new(text.into())))]);
        Fields::of(value, "x").unwrap().time("t")
    };
    assert_eq!(time("2020-10-01T13:30:02Z").unwrap().unix(), 1_601_559_002);
    for text in [
        "2020-10-01T13:30:02+00:00",
        "2020-10-01T13:30:02.5Z",
        "2020-10-01T13:30:02z",
        "2020-10-01",
        "",
        "2020-13-01T13:30:02Z",
    ] {
        assert_eq!(time(text), Err(FieldError::Malformed("t")), "{text}");
    }
    let untagged = Value::Map(vec![("t".into(), "2020-10-01T13:30:02Z".into())]);
    assert_eq!(Fields::of(untagged, "x").unwrap().time("t"), Err(FieldError::Malformed("t")));
}

#[test]
fn json_is_that_of_rfc8949_section_6_1() {
    let value = Value::Map(vec![
        ("b".into(), Value::Bytes(vec![0xff, 0xfe])),
        (Value::Integer(-7), Value::Tag(FULL_DATE, Box::new("1971-09-01".into()))),
        ("f".into(), Value::Array(vec![Value::Float(1.5), Value::Float(f64::NAN), Value::Null, true.into()])),
    ]);
    let json = serde_json::json!({"b": "__4", "-7": "1971-09-01", "f": [1.5, null, null, true]});
    assert_eq!(value.to_json(), json);
}

#[test]
fn debug_shows_no_value() {
    let value = Value::Map(vec![("name".into(), "Олена".into())]);
    assert_eq!(format!("{value:?} {:?} {:?}", Value::from("Олена"), Value::Integer(1990)), "Map(1) Text Integer");
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        "\\PC{0,20}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        (-1e9..1e9f64).prop_map(Value::Float),
    ];
    let key = prop_oneof![any::<i64>().prop_map(|n| (0, n, String::new())), "\\PC{0,6}".prop_map(|text| (1, 0, text)),];
    scalar.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            (any::<u64>(), inner.clone()).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
            proptest::collection::btree_map(key.clone(), inner, 0..5).prop_map(|members| {
                let key = |(kind, n, text)| if kind == 0 { Value::Integer(n) } else { Value::Text(text) };
                Value::Map(members.into_iter().map(|(k, value)| (key(k), value)).collect())
            }),
        ]
    })
}

/// Whether a float stands in it: those may come in another width than we write.
fn has_float(value: &Value) -> bool {
    match value {
        Value::Float(_) => true,
        Value::Array(items) => items.iter().any(has_float),
        Value::Map(members) => members.iter().any(|(_, value)| has_float(value)),
        Value::Tag(_, value) => has_float(value),
        _ => false,
    }
}

/// Found by a fuzzer: what was read was not equal to itself.
#[test]
fn numbers_that_are_none_are_refused() {
    for none in [
        "f97e00",
        "f97c00",
        "f9fc00",
        "fa7fc00000",
        "fa7f800000",
        "fb7ff8000000000000",
        "fbffff00ffffa200ff",
        "81f97e00",
    ] {
        assert_eq!(read(none), Err(CborError::NotFinite), "{none}");
    }
    assert_eq!(read("f97bff").unwrap(), Value::Float(65_504.0), "the largest of sixteen bits is a number");
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in value()) {
        let mut writer = Writer::new();
        writer.value(&value);
        prop_assert_eq!(parse(writer.as_bytes(), &Limits::MESSAGE), Ok(value));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic_and_have_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse(&bytes, &Limits::MESSAGE) && !has_float(&value) {
            let mut writer = Writer::new();
            writer.value(&value);
            prop_assert_eq!(writer.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn a_changed_byte_does_not_panic(value in value(), at: prop::sample::Index, byte: u8) {
        let mut writer = Writer::new();
        writer.value(&value);
        let mut bytes = writer.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = parse(&bytes, &Limits::MESSAGE);
    }
}
