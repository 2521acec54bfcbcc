//! The keys of entries.

use crate::encoding::{base64url, sha256};

/// The kinds of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One token, by `jti`.
    Token,
    /// Every token of a session, by `sid`.
    Session,
    /// Tokens of a subject up to a time or under a version, by `sub`.
    Subject,
}

impl Kind {
    /// The claim that identifies what an entry of this kind revokes.
    #[must_use]
    pub fn claim(self) -> &'static str {
        match self {
            Self::Token => "jti",
            Self::Session => "sid",
            Self::Subject => "sub",
        }
    }

    /// The key of an entry: `wx1:`, the kind, and the digest of issuer and identifier.
    #[must_use]
    pub fn key(self, issuer: &str, identifier: &str) -> String {
        let kind = match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Subject => "subject",
        };
        digest_key(kind, issuer, identifier)
    }
}

/// The key of what is stored of one identifier of an issuer. The digest makes every key 43 characters after the kind and shows no e-mail address; the lengths before the two texts keep an
/// identifier from being crafted so that it names the entry of another (`a` + `bc` and `ab` + `c` differ).
pub(crate) fn digest_key(kind: &str, issuer: &str, identifier: &str) -> String {
    let mut bytes = Vec::with_capacity(16 + issuer.len() + identifier.len());
    for text in [issuer, identifier] {
        bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    format!("wx1:{kind}:{}", base64url(&sha256(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_the_documented_digest() {
        // printf '\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\2bc' | sha256sum, in base64url
        assert_eq!(Kind::Token.key("a", "bc"), "wx1:token:P6-hzy8Zp8ESm-sgzwmD9zpImiIfwN0vFtG-KS0IkgU");
    }

    proptest! {
        #[test]
        fn different_names_have_different_keys(a in ".{0,4}", b in ".{0,4}", c in ".{0,4}", d in ".{0,4}") {
            let same = (&a, &b) == (&c, &d);
            prop_assert_eq!(Kind::Subject.key(&a, &b) == Kind::Subject.key(&c, &d), same);
            prop_assert_ne!(Kind::Subject.key(&a, &b), Kind::Session.key(&a, &b));
        }

        #[test]
        fn moving_the_border_between_issuer_and_identifier_changes_the_key(
            text in "[a-c]{1,8}", i in 0usize..8, j in 0usize..8,
        ) {
            let (i, j) = (i.min(text.len()), j.min(text.len()));
            let key = |at: usize| Kind::Token.key(&text[..at], &text[at..]);
            prop_assert_eq!(key(i) == key(j), i == j);
        }
    }
}
