use super::*;
use proptest::prelude::*;
use serde_json::json;

fn fault(text: &str) -> Fault {
    parse_value(text.as_bytes()).expect_err(text)
}

#[test]
fn members_are_found_by_their_unescaped_names() {
    let object = parse_object(br#" {"\u0065xp" : 12, "a":"x\ny\ud83d\ude00", "o":{"k":[1,2]}} "#).unwrap();
    assert_eq!(object.member("exp").unwrap().number(), Some(12.0));
    assert_eq!(object.member("a").unwrap().string().unwrap(), "x\ny\u{1f600}");
    assert_eq!(object.member("o").unwrap().object().unwrap().member("k").unwrap().array().unwrap().len(), 2);
    assert!(object.member("exq").is_none());
}

#[test]
fn duplicate_members_are_refused_at_every_depth_and_in_every_spelling() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"exp":1,"\u0065xp":2}"#, r#"[{"b":{"c":1,"c":2}}]"#] {
        assert_eq!(fault(text), Fault::Duplicate, "{text}");
    }
    let many: Vec<String> = (0..100).map(|i| format!("\"m{}\":0", i % 99)).collect();
    assert_eq!(fault(&format!("{{{}}}", many.join(","))), Fault::Duplicate);
}

#[test]
fn nesting_stops_at_the_limit() {
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(parse_value(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(fault(&nested(MAX_DEPTH + 1)), Fault::Depth);
    assert_eq!(fault(&"[".repeat(100_000)), Fault::Depth);
}

#[test]
fn each_fault_has_its_name() {
    assert_eq!(parse_value(b"\xef\xbb\xbf{}").unwrap_err(), Fault::ByteOrderMark);
    assert_eq!(parse_value(b"\"\xff\"").unwrap_err(), Fault::Utf8);
    assert_eq!(parse_object(b"[]").unwrap_err(), Fault::NotObject);
    assert_eq!(fault("1e400"), Fault::NumberRange);
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#, r#""\ud800\ud800""#] {
        assert_eq!(fault(text), Fault::LoneSurrogate, "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "-",
        "nul",
        "tru",
        "'a'",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\u{1}\"",
        "{} {}",
        "{a:1}",
        "NaN",
        "\"\\u12g4\"",
        "\"\\u+123\"",
    ] {
        assert_eq!(fault(text), Fault::Syntax, "{text}");
    }
}

#[test]
fn equality_compares_numbers_by_value_and_members_in_any_order() {
    let raw = check(br#"{"a":[1.0,"x",null,true],"b":10}"#).unwrap();
    assert!(raw.equals(&json!({"b": 1e1, "a": [1, "x", null, true]})));
    assert!(!raw.equals(&json!({"b": 10, "a": [1, "x", null, false]})));
    assert!(!raw.equals(&json!({"b": 10})));
}

#[test]
fn debug_shows_no_content() {
    let object = parse_object(br#"{"k":"topsecret"}"#).unwrap();
    assert!(!format!("{:?}", object.member("k").unwrap()).contains("topsecret"));
}

#[test]
fn an_owned_object_has_the_same_members_and_faults_as_a_borrowed_one() {
    let text = br#" {"\u0065xp" : 12, "a":"x\ny", "":[ 1 , {"k":null} ] } "#;
    let owned = OwnedObject::parse(text.to_vec()).unwrap();
    let borrowed = parse_object(text).unwrap();
    let members = |pairs: Vec<(Cow<'_, str>, Raw<'_>)>| -> Vec<(String, String)> {
        pairs.into_iter().map(|(name, raw)| (name.into_owned(), raw.text().to_owned())).collect()
    };
    assert_eq!(members(owned.iter().collect()), members(borrowed.iter().collect()));
    assert_eq!(owned.member("exp").unwrap().number(), Some(12.0));
    assert_eq!(owned.text().as_bytes(), text);
    for wrong in [&b"[]"[..], b"\xef\xbb\xbf{}", b"\"\xff\"", b"{} {}", br#"{"a":1,"a":1}"#] {
        assert_eq!(OwnedObject::parse(wrong.to_vec()).unwrap_err(), parse_object(wrong).unwrap_err());
    }
    assert!(!format!("{owned:?}").contains("exp"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_back_the_same(value in any_json()) {
        let text = value.to_string();
        prop_assert_eq!(parse_value(text.as_bytes()).unwrap(), value.clone());
        prop_assert!(check(text.as_bytes()).unwrap().equals(&value));
    }

    #[test]
    fn whatever_is_accepted_serde_json_accepts_as_well(text in "[\\[\\]{}\",:0-9eE+. \\\\ua-f-]{0,40}") {
        if let Ok(value) = parse_value(text.as_bytes()) {
            prop_assert!(same(&serde_json::from_str::<Value>(&text).unwrap(), &value), "{}", text);
        }
    }

    #[test]
    fn json_with_one_character_changed_is_judged_as_serde_json_judges_it(
        value in any_json(), at in any::<prop::sample::Index>(), remove in any::<bool>(), insert in "[\\[\\]{}\",:0-9eE+. \\\\u\n\t\u{0}\u{feff}n-]?",
    ) {
        let mut characters: Vec<char> = value.to_string().chars().collect();
        let at = at.index(characters.len());
        if remove {
            characters.remove(at);
        }
        let insert: Vec<char> = insert.chars().collect();
        characters.splice(at..at, insert);
        let text: String = characters.into_iter().collect();
        match (parse_value(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(same(&theirs, &ours), "{}", text),
            (Err(_), Err(_)) | (Err(Fault::Duplicate), Ok(_)) => {}
            (ours, theirs) => prop_assert!(false, "{text}: {ours:?}, {theirs:?}"),
        }
    }
}

/// Equality but for the last bit of fractions, which `serde_json` rounds less exactly unless told to.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= left.abs() * 1e-15
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}
