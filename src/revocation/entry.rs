//! The text of an entry: `wx1 revoked`, or `wx1` and one or both of `after=<seconds>` and `version=<number>` in this
//! order, with single spaces. Read strictly, for what is not understood must not count as "not revoked".

use crate::time::UnixTime;

use super::key::Kind;

const PREFIX: &str = "wx1 ";
const REVOKED: &str = "revoked";
const AFTER: &str = "after=";
const VERSION: &str = "version=";

/// A well-formed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Revokes whatever has the key.
    Revoked,
    /// Revokes what is too old, or of too low a version.
    Cut {
        /// Tokens issued up to and including this second.
        after: Option<UnixTime>,
        /// Tokens of a version less than this.
        version: Option<u32>,
    },
}

impl Entry {
    /// Reads the text of an entry; `None` when it is not one of this kind.
    pub(super) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let fields = text.strip_prefix(PREFIX)?;
        match kind {
            Kind::Token | Kind::Session => (fields == REVOKED).then_some(Self::Revoked),
            Kind::Subject => {
                let (first, second) = match fields.split_once(' ') {
                    Some((first, second)) => (first, Some(second)),
                    None => (fields, None),
                };
                let Some(after) = first.strip_prefix(AFTER) else {
                    let version = Some(number(first.strip_prefix(VERSION)?)?);
                    return second.is_none().then_some(Self::Cut { after: None, version });
                };
                let after = Some(UnixTime::from_whole_seconds(number(after)?).ok()?);
                let version = match second {
                    Some(field) => Some(number(field.strip_prefix(VERSION)?)?),
                    None => None,
                };
                Some(Self::Cut { after, version })
            }
        }
    }

    pub(super) fn text(self) -> String {
        let mut text = PREFIX.to_owned();
        match self {
            Self::Revoked => text.push_str(REVOKED),
            Self::Cut { after, version } => {
                let after = after.map(|after| format!("{AFTER}{}", after.whole_seconds().max(0)));
                let version = version.map(|version| format!("{VERSION}{version}"));
                let space = if after.is_some() && version.is_some() { " " } else { "" };
                for part in [&after.unwrap_or_default(), space, &version.unwrap_or_default()] {
                    text.push_str(part);
                }
            }
        }
        text
    }

    /// Whether the entry revokes a token with this `iat` and `ver`.
    pub(super) fn revokes(self, issued_at: Option<UnixTime>, token_version: Option<f64>) -> bool {
        match self {
            Self::Revoked => true,
            Self::Cut { after, version } => {
                // The second counts as a whole: a token of 100.7 is not after a cut made somewhere within second 100.
                let too_old = after.is_some_and(|after| issued_at.is_none_or(|issued| issued.floor() <= after));
                let too_low = version.is_some_and(|least| {
                    !token_version.is_some_and(|version| version.fract() == 0.0 && version >= f64::from(least))
                });
                too_old || too_low
            }
        }
    }
}

/// Decimal digits in their one spelling: no sign, no leading zero.
fn number<T: core::str::FromStr>(digits: &str) -> Option<T> {
    let canonical = digits == "0" || !digits.starts_with('0');
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && decimal { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(after: Option<u32>, version: Option<u32>) -> Entry {
        Entry::Cut { after: after.map(|s| UnixTime::from_seconds(s.into()).unwrap()), version }
    }

    #[test]
    fn each_form_is_read() {
        for kind in [Kind::Token, Kind::Session] {
            assert_eq!(Entry::parse(kind, "wx1 revoked"), Some(Entry::Revoked));
        }
        let parse = |text| Entry::parse(Kind::Subject, text);
        assert_eq!(parse("wx1 after=0"), Some(cut(Some(0), None)));
        assert_eq!(parse("wx1 version=4294967295"), Some(cut(None, Some(u32::MAX))));
        assert_eq!(parse("wx1 after=1700000000 version=3"), Some(cut(Some(1_700_000_000), Some(3))));
    }

    #[test]
    fn anything_else_is_not_an_entry() {
        for kind in [Kind::Token, Kind::Session] {
            for text in [
                "",
                "wx1",
                "wx1 ",
                "revoked",
                "wx2 revoked",
                "wx1 revoked ",
                " wx1 revoked",
                "wx1 Revoked",
                "null",
                "wx1  revoked",
                "wx1 after=1",
                "wx1 revoked\n",
                "true",
                "1",
                "[object Object]",
                "\"wx1 revoked\"",
            ] {
                assert_eq!(Entry::parse(kind, text), None, "{text:?}");
            }
        }
        for text in [
            "",
            "wx1",
            "wx1 ",
            "wx1 revoked",
            "wx1 after=",
            "wx1 after=-1",
            "wx1 after=+1",
            "wx1 after=01",
            "wx1 after=1.5",
            "wx1 after=1e3",
            "wx1 after=inf",
            "wx1 after=NaN",
            "wx1 after=253402300800",
            "wx1 after=1700000000000",
            "wx1 version=-1",
            "wx1 version=4294967296",
            "wx1 version=1 after=1",
            "wx1 after=1 after=2",
            "wx1 version=1 version=1",
            "wx1 after=1  version=1",
            "wx1 after=1 version=1 ",
            "wx1 after=1 version=1 x=1",
            "wx1 after=1 x=1",
            "wx1 AFTER=1",
            "wx1 after=\u{0661}",
            "wx2 after=1",
        ] {
            assert_eq!(Entry::parse(Kind::Subject, text), None, "{text:?}");
        }
        let long = format!("wx1 after={}1", "0".repeat(100_000));
        assert_eq!(Entry::parse(Kind::Subject, &long), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(after in any::<Option<u32>>(), version in any::<Option<u32>>()) {
            let entry = cut(after, version);
            let expected = (after.is_some() || version.is_some()).then_some(entry);
            prop_assert_eq!(Entry::parse(Kind::Subject, &entry.text()), expected);
        }

        #[test]
        fn reading_any_text_gives_an_entry_with_exactly_that_text_or_none(
            text in "(wx1 )?(after=[0-9]{0,13})?( )?(version=[0-9]{0,11})?.?",
        ) {
            if let Some(entry) = Entry::parse(Kind::Subject, &text) {
                prop_assert_eq!(entry.text(), text);
            }
        }
    }
}
