//! What is JSON here, by itself; `waxseal` has the published vectors.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

fn check(text: &str) -> Result<Vec<Child>, Fault> {
    let mut children = Vec::new();
    Scanner::default().check(text, &mut children).map(|_| children)
}

#[test]
fn children_of_the_outermost_value_alone_are_told_with_their_places() {
    let text = r#" { "a" : [1, {"b": 2}] , "\u0063":{"d":3}, "a long name that fills blocks":-1.5e3 } "#;
    let children = check(text).unwrap();
    let told: Vec<_> = children.iter().map(|c| (&text[c.name.clone()], c.escaped, &text[c.value.clone()])).collect();
    let expected = [
        ("a", false, r#"[1, {"b": 2}]"#),
        (r"\u0063", true, r#"{"d":3}"#),
        ("a long name that fills blocks", false, "-1.5e3"),
    ];
    assert_eq!(told, expected);
    assert_eq!(check("[1,[2],{}]").unwrap().len(), 3);
    assert!(check("\"text\"").unwrap().is_empty());
}

#[test]
fn strings_end_where_they_end_whatever_their_length_and_what_follows() {
    for length in 0..70 {
        for (inner, valid) in
            [("", true), ("\\n", true), ("\u{e9}", true), ("\u{1}", false), ("\\", false), ("\"", false)]
        {
            for after in ["", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
                let text = format!("[\"{}{inner}{after}\"]", "a".repeat(length));
                // A backslash before a letter is no escape, and before the quote hides it.
                let valid = valid && !inner.ends_with('\\');
                assert_eq!(check(&text).is_ok(), valid, "{text:?}");
                assert_eq!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), valid, "{text:?}");
            }
        }
    }
}

#[test]
fn a_duplicate_is_found_among_few_and_among_many_and_however_it_is_spelt() {
    for count in [2, PAIRWISE, PAIRWISE + 1, 100, 1000] {
        for (first, second) in [(0, count - 1), (0, 1), (count - 2, count - 1), (count / 2 - 1, count - 1)] {
            let mut names: Vec<String> = (0..count).map(|i| format!("name{i:04}")).collect();
            let text = |names: &[String]| format!("[{{\"{}\":{{}}}}]", names.join("\":{},\""));
            assert!(check(&text(&names)).is_ok());
            names[second] = names[first].clone();
            assert_eq!(check(&text(&names)).unwrap_err(), Fault::Duplicate, "{count} {first} {second}");
            names[second] = names[first].replace('a', "\\u0061");
            assert_eq!(check(&text(&names)).unwrap_err(), Fault::Duplicate, "{count} {first} {second}");
        }
    }
}

#[test]
fn the_same_name_in_two_objects_is_no_duplicate() {
    for text in [r#"{"a":{"a":{"a":1}}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"b":{"a":1},"a":2}"#, r#"{"":1,"a":{"":1}}"#] {
        assert!(check(text).is_ok(), "{text}");
    }
}

#[test]
fn thousands_of_members_in_any_order_are_judged_quickly() {
    for order in [|i: u32| i, |i: u32| 60_000 - i, |i: u32| i.wrapping_mul(2_654_435_761)] {
        let members: Vec<String> = (0..60_000).map(|i| format!("\"{}\":0", order(i))).collect();
        assert!(check(&format!("{{{}}}", members.join(","))).is_ok());
    }
}

proptest! {
    #[test]
    fn duplicates_are_those_of_a_set(names in prop::collection::vec("[ab]{0,3}|[abc]{4,6}|[a-z]{3}", 0..40)) {
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
        prop_assert_eq!(check(&format!("{{{}}}", members.join(","))).is_ok(), distinct);
    }

    #[test]
    fn a_scanner_that_was_used_before_judges_the_same(texts in prop::collection::vec(r#"[\[\]{}",:0-9ab\\]{0,24}|\{"a":\{"b":[0-9]\},"(a|b)":1\}?"#, 1..20)) {
        let (mut used, mut children) = (Scanner::default(), Vec::new());
        for text in texts {
            let found = used.check(&text, &mut children).map(|_| children.len());
            prop_assert_eq!(found, check(&text).map(|children| children.len()));
        }
    }
}
