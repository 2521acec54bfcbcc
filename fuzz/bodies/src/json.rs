//! The strict reader of JSON against `serde_json`.

use core::fmt;
use std::collections::HashSet;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use waxseal::json::{Fault, Kind, MAX_DEPTH, Object, OwnedObject, Raw, parse_object, parse_value};

/// Takes the input for a JSON text.
pub fn run(input: &[u8]) {
    let reference = serde_json::from_slice::<Value>(input);
    match parse_value(input) {
        Ok(value) => {
            let reference = reference.as_ref().expect("serde_json refuses what was accepted");
            assert!(is_near(&value, reference), "{value} is {reference}");
        }
        Err(fault) => {
            if let Some(rule) = reference.as_ref().ok().map(|_| stricter(fault, input)) {
                assert!(rule, "refused without a rule: {fault:?}");
            }
        }
    }
    match parse_object(input) {
        Ok(object) => {
            // Numbers are judged when they are asked for, and serde_json refuses those out of range at once.
            if let Ok(reference) = &reference {
                check_object(&object, reference);
            } else {
                assert_eq!(parse_value(input).unwrap_err(), Fault::NumberRange);
            }
            let owned = OwnedObject::parse(input.to_vec()).expect("both readers of objects agree");
            assert_eq!(owned.text(), object.text());
            assert!(owned.iter().zip(object.iter()).all(|(a, b)| a.0 == b.0 && a.1.text() == b.1.text()));
        }
        Err(fault) => {
            assert_eq!(OwnedObject::parse(input.to_vec()).unwrap_err(), fault);
            match fault {
                Fault::NotObject => assert!(!matches!(reference, Ok(Value::Object(_)))),
                _ => assert!(parse_value(input).is_err()),
            }
        }
    }
}

/// Whether the text breaks the rule that a fault names: each is a refusal that RFC 8259 allows, or asks for, and that
/// `serde_json` does not make.
fn stricter(fault: Fault, input: &[u8]) -> bool {
    let text = core::str::from_utf8(input).expect("serde_json reads UTF-8 alone");
    match fault {
        Fault::Duplicate => serde_json::from_str(text).is_ok_and(|Repeats(found)| found),
        // No more brackets than this, in strings or not, is no nesting either.
        Fault::Depth => text.matches(['[', '{']).count() > MAX_DEPTH,
        Fault::Utf8
        | Fault::ByteOrderMark
        | Fault::Syntax
        | Fault::LoneSurrogate
        | Fault::NumberRange
        | Fault::NotObject => false,
    }
}

/// Whether a name stands twice in an object of the text.
struct Repeats(bool);

impl<'de> Deserialize<'de> for Repeats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seek)
    }
}

struct Seek;

impl<'de> Visitor<'de> for Seek {
    type Value = Repeats;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<Repeats, E> {
        Ok(Repeats(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Repeats, A::Error> {
        let mut found = false;
        while let Some(Repeats(one)) = elements.next_element()? {
            found |= one;
        }
        Ok(Repeats(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Repeats, A::Error> {
        let (mut found, mut names) = (false, HashSet::new());
        while let Some((name, Repeats(one))) = members.next_entry::<String, _>()? {
            found |= one | !names.insert(name);
        }
        Ok(Repeats(found))
    }
}

fn check_object(object: &Object<'_>, reference: &Value) {
    let reference = reference.as_object().expect("an object to both");
    assert_eq!(object.iter().count(), reference.len());
    for (name, raw) in object.iter() {
        let value = reference.get(name.as_ref()).expect("a name that both read");
        assert_eq!(object.member(&name).map(Raw::text), Some(raw.text()));
        assert!(raw.equals(&raw.value().expect("serde_json has read every number")));
        check(raw, value);
    }
}

/// Every way of looking at a value says what `serde_json` says.
fn check(raw: Raw<'_>, value: &Value) {
    match value {
        Value::Null => assert_eq!(raw.kind(), Kind::Null),
        Value::Bool(flag) => assert_eq!(raw.bool(), Some(*flag)),
        Value::String(text) => assert_eq!(raw.string().as_deref(), Some(text.as_str())),
        Value::Number(_) => {
            // The nearest double, which the standard library finds, for every text that a program wrote for one.
            let nearest: f64 = raw.text().parse().unwrap();
            let digits = raw.text().split(['e', 'E']).next().unwrap().bytes().filter(u8::is_ascii_digit).count();
            if digits <= 17 && !nearest.is_subnormal() {
                assert_eq!(raw.number(), Some(nearest), "{}", raw.text());
            }
            assert!(is_near(&raw.value().unwrap(), value), "{} is {value}", raw.text());
        }
        Value::Array(items) => {
            let elements = raw.array().unwrap();
            assert_eq!(elements.len(), items.len());
            elements.into_iter().zip(items).for_each(|(raw, value)| check(raw, value));
        }
        Value::Object(_) => check_object(&raw.object().unwrap(), value),
    }
}

/// Whether two trees are equal, but for the last digit of numbers: we read eighteen digits of them.
pub(crate) fn is_near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs().max(b.abs()) * 4.0 * f64::EPSILON + f64::MIN_POSITIVE
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_near(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_near(a, b)))
        }
        _ => a == b,
    }
}
