//! The text of a record: what it looks like, and what is not one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is how a test fails")]

mod sessions;

use proptest::prelude::*;
use serde_json::{Value, json};
use sessions::*;
use waxseal::session::record::MAX_RECORD;
use waxseal::session::{Outcome, Reply, Session, Step, SubjectRecord, Unavailable, record_key};

/// Schema 1, as it stands in stores: a change of it needs another number.
const GOLDEN: &str = concat!(
    r#"{"sessions":["#,
    r#"{"at":1700000060,"born":1700000000,"client":"c","end":1702592000,"exp":1700604860,"gen":2,"label":"Firefox","#,
    r#""sid":"AAAAAAAAAAAAAAAAAAAAAA","ver":2},"#,
    r#"{"at":1690000000,"born":1690000000,"end":1692592000,"ended":1690000100,"exp":1690604800,"gen":0,"pending":true,"#,
    r#""sid":"AQEBAQEBAQEBAQEBAQEBAQ","ver":0}],"#,
    r#""version":3,"wx":1}"#
);

fn golden() -> SubjectRecord {
    let live = Session {
        sid: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        generation: 2,
        created_at: 1_700_000_000,
        refreshed_at: 1_700_000_060,
        expires_at: 1_700_604_860,
        absolute: 1_702_592_000,
        version: 2,
        ended: None,
        pending: false,
        client: Some("c".to_owned()),
        label: Some("Firefox".to_owned()),
    };
    let over = Session {
        sid: "AQEBAQEBAQEBAQEBAQEBAQ".to_owned(),
        generation: 0,
        created_at: 1_690_000_000,
        refreshed_at: 1_690_000_000,
        expires_at: 1_690_604_800,
        absolute: 1_692_592_000,
        version: 0,
        ended: Some(1_690_000_100),
        pending: true,
        client: None,
        label: None,
    };
    SubjectRecord { version: 3, sessions: vec![live, over] }
}

/// The golden record with one thing changed.
fn changed(change: impl FnOnce(&mut Value)) -> Option<SubjectRecord> {
    let mut value = serde_json::from_str(GOLDEN).unwrap();
    change(&mut value);
    SubjectRecord::parse(&value.to_string())
}

#[test]
fn a_record_of_schema_1_is_written_byte_for_byte() {
    assert_eq!(golden().write(), GOLDEN);
    assert_eq!(SubjectRecord::default().write(), r#"{"sessions":[],"version":0,"wx":1}"#);
}

#[test]
fn a_record_of_schema_1_is_read() {
    assert_eq!(SubjectRecord::parse(GOLDEN), Some(golden()));
    let spaced = r#" { "wx" : 1 , "version" : 0 , "sessions" : [ ] } "#;
    assert_eq!(SubjectRecord::parse(spaced), Some(SubjectRecord::default()), "in any order, with any spaces");
}

#[test]
fn the_key_of_a_record_is_the_documented_digest_and_no_other_kind_of_entry_has_it() {
    // printf '\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\2bc' | sha256sum, in base64url
    assert_eq!(record_key("a", "bc"), "wx1:sessions:P6-hzy8Zp8ESm-sgzwmD9zpImiIfwN0vFtG-KS0IkgU");
    assert_ne!(record_key("a", "bc"), record_key("ab", "c"));
}

#[test]
fn another_schema_is_not_read() {
    for schema in [json!(0), json!(2), json!("1"), json!(true), json!(null), json!([1])] {
        assert_eq!(changed(|record| record["wx"] = schema.clone()), None, "{schema}");
    }
}

#[test]
fn an_unknown_member_is_not_read_over() {
    assert_eq!(changed(|record| record["more"] = json!(1)), None);
    assert_eq!(changed(|record| record["sessions"][0]["more"] = json!(1)), None);
    assert_eq!(changed(|record| record["sessions"][1]["Sid"] = json!("AAAAAAAAAAAAAAAAAAAAAA")), None);
}

#[test]
fn every_member_is_needed_but_those_that_are_left_out_when_there_is_nothing_to_say() {
    for name in ["wx", "version", "sessions"] {
        assert_eq!(changed(|record| drop(record.as_object_mut().unwrap().remove(name))), None, "{name}");
    }
    for name in ["sid", "gen", "born", "at", "exp", "end", "ver"] {
        let without = |record: &mut Value| drop(record["sessions"][0].as_object_mut().unwrap().remove(name));
        assert_eq!(changed(without), None, "{name}");
    }
    let bare = changed(|record| {
        for (at, name) in [(0, "client"), (0, "label"), (1, "ended"), (1, "pending")] {
            record["sessions"][at].as_object_mut().unwrap().remove(name);
        }
    });
    let mut expected = golden();
    (expected.sessions[0].client, expected.sessions[0].label) = (None, None);
    (expected.sessions[1].ended, expected.sessions[1].pending) = (None, false);
    assert_eq!(bare, Some(expected));
}

#[test]
fn a_member_of_another_type_is_not_read() {
    let values = [json!(null), json!(true), json!("1"), json!(1), json!([]), json!({}), json!(["s"])];
    let members = [
        ("wx", "number"),
        ("version", "number"),
        ("sessions", "array"),
        ("sid", "string"),
        ("gen", "number"),
        ("born", "number"),
        ("at", "number"),
        ("exp", "number"),
        ("end", "number"),
        ("ver", "number"),
        ("ended", "number"),
        ("pending", "bool"),
        ("client", "string"),
        ("label", "string"),
    ];
    for (position, (name, kind)) in members.into_iter().enumerate() {
        for value in &values {
            let fits = match kind {
                "number" => value.is_number(),
                "string" => value.is_string(),
                "bool" => value.is_boolean(),
                _ => value.as_array().is_some_and(Vec::is_empty),
            };
            let read = changed(|record| {
                let object = if position < 3 { record } else { &mut record["sessions"][1] };
                object[name] = value.clone();
            });
            assert_eq!(read.is_some(), fits, "{name}: {value}");
        }
    }
}

#[test]
fn numbers_are_digits_alone_and_in_range() {
    let number = |name: &str, text: &str| {
        let found = GOLDEN.split_once(&format!("\"{name}\":")).unwrap();
        let rest = found.1.trim_start_matches(|c: char| c.is_ascii_digit());
        SubjectRecord::parse(&format!("{}\"{name}\":{text}{rest}", found.0))
    };
    for name in ["version", "gen", "born", "at", "exp", "end", "ver", "ended"] {
        assert!(number(name, "0").is_some() && number(name, "7").is_some(), "{name}");
        for text in ["-1", "-0", "1.5", "1.0", "1e1", "1E1", "+1", "01", "0x1", "", "1 2", "NaN", "Infinity"] {
            assert_eq!(number(name, text), None, "{name}: {text}");
        }
        for text in ["253402300800", "1700000000000", "18446744073709551616", &"9".repeat(400)] {
            assert_eq!(number(name, text), None, "{name}: {text}");
        }
    }
    for name in ["version", "gen", "ver"] {
        assert!(number(name, "4294967295").is_some());
        assert_eq!(number(name, "4294967296"), None, "{name}");
    }
    assert!(number("end", "253402300799").is_some(), "the last second of the year 9999");
}

#[test]
fn a_member_that_stands_there_twice_is_not_read() {
    for (once, twice) in [
        (r#""wx":1"#, r#""wx":1,"wx":1"#),
        (r#""version":3"#, r#""version":3,"version":4"#),
        (r#""gen":2"#, r#""gen":2,"gen":1"#),
        (r#""ended":1690000100"#, r#""ended":1690000100,"ended":1690000100"#),
        (r#""ver":2"#, r#""ver":2,"v\u0065r":2"#),
    ] {
        assert!(GOLDEN.contains(once));
        assert_eq!(SubjectRecord::parse(&GOLDEN.replace(once, twice)), None, "{twice}");
    }
}

#[test]
fn other_texts_are_not_records() {
    let cut = &GOLDEN[..GOLDEN.len() - 1];
    let more = format!("{GOLDEN}{GOLDEN}");
    let marked = format!("\u{feff}{GOLDEN}");
    for text in
        ["", " ", "null", "{}", "[]", "1", "\"\"", "wx1 revoked", "undefined", "[object Object]", cut, &more, &marked]
    {
        assert_eq!(SubjectRecord::parse(text), None, "{text:?}");
    }
    assert_eq!(SubjectRecord::parse(&"[".repeat(50_000)), None);
    assert_eq!(SubjectRecord::parse(&GOLDEN.replace("Firefox", r"\ud800")), None, "half of a surrogate pair");
}

#[test]
fn a_text_beyond_the_greatest_length_is_not_read() {
    let padded = |length: usize| format!("{GOLDEN}{}", " ".repeat(length - GOLDEN.len()));
    assert!(SubjectRecord::parse(&padded(MAX_RECORD)).is_some());
    assert_eq!(SubjectRecord::parse(&padded(MAX_RECORD + 1)), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(record in any_record()) {
        prop_assert_eq!(SubjectRecord::parse(&record.write()), Some(record));
    }

    #[test]
    fn reading_a_damaged_text_does_not_panic_and_what_is_read_can_be_written(
        at in any::<prop::sample::Index>(), with in "[\\x00-\\x7f]{0,3}", gone in 0..4usize,
    ) {
        let start = at.index(GOLDEN.len());
        let end = (start + gone).min(GOLDEN.len());
        let text = [&GOLDEN[..start], &with, &GOLDEN[end..]].concat();
        if let Some(record) = SubjectRecord::parse(&text) {
            prop_assert_eq!(SubjectRecord::parse(&record.write()), Some(record));
        }
    }
}

#[test]
fn a_record_of_the_greatest_length_is_read_and_written_and_a_longer_one_is_not() {
    let refreshed = |padding: usize| {
        let label = Some("x".repeat(padding));
        let crowd = (0..90).map(|number| session(&format!("{number}")));
        let before = record([Session { label, ..session("s") }].into_iter().chain(crowd));
        let mut flow = call(refresh(&session("s")));
        flow.resume(&policy(), Reply::Start);
        let step = flow.resume(&policy(), Reply::Record(Some(before.write())));
        (before.write().len(), if let Step::Sign(_) = step { flow.resume(&policy(), Reply::Signed) } else { step })
    };
    let spare = MAX_RECORD - refreshed(0).0;
    let (length, step) = refreshed(spare);
    assert_eq!(length, MAX_RECORD);
    let Step::Swap { next, .. } = step else { panic!("{step:?}") };
    assert_eq!(next.len(), MAX_RECORD);
    let (_, step) = refreshed(spare + 1);
    assert!(matches!(step, Step::Done(Outcome::Unavailable(Unavailable::Record))), "{step:?}");
}
