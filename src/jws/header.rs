//! The protected header (RFC 7515 section 4): what it says is compared with what the caller configured, and never
//! followed. `jku`, `jwk`, `x5u` and `x5c` are not even read.

use core::fmt;

use crate::error::{Error, ErrorCode, Reason};
use crate::json::{self, Object, Raw};

/// Names that RFC 7515 section 4.1.11 forbids in `crit`, because the JWS, JWE and JWA specifications define them.
const REGISTERED: [&str; 20] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu",
    "apv", "iv", "tag", "p2s", "p2c",
];

/// A protected header whose form has been checked. Nothing in it is to be believed before the signature is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct ProtectedHeader {
    json: String,
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

impl ProtectedHeader {
    /// Reads the decoded first segment of a token: a strict JSON object whose `alg` is a string, whose `kid` and `typ`
    /// are strings where present, and which asks for no extension beyond `allowed_crit`.
    ///
    /// # Errors
    /// [`ErrorCode::HeaderInvalid`] when the form is wrong, [`ErrorCode::HeaderCritical`] when an extension is asked
    /// for that the caller has not allowed.
    pub fn parse(bytes: &[u8], allowed_crit: &[String]) -> Result<Self, Error> {
        let object = json::parse_object(bytes).map_err(|fault| {
            Error::new(ErrorCode::HeaderInvalid, format!("The protected header {}.", fault.describe()))
        })?;
        let alg = string_member(&object, "alg")?.ok_or_else(|| {
            // RFC 7515 section 4.1.1: "alg" MUST be present.
            Error::new(ErrorCode::HeaderInvalid, "The protected header has no alg.").with_claim("alg", Reason::Missing)
        })?;
        let kid = string_member(&object, "kid")?;
        let typ = string_member(&object, "typ")?;
        check_critical(&object, allowed_crit)?;
        check_payload_encoding(&object)?;
        Ok(Self { json: object.text().to_owned(), alg, kid, typ })
    }

    /// The algorithm that the token names. It is compared with the key's and chooses nothing.
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// The key that the token names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The media type of the token.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The header as it was written.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether `typ` is the media type `expected`: case is ignored and `application/` may be left out on either side
    /// (RFC 7515 section 4.1.9). A header without `typ` is of no type.
    #[must_use]
    pub fn typ_is(&self, expected: &str) -> bool {
        self.typ().is_some_and(|typ| media_subtype(typ).eq_ignore_ascii_case(media_subtype(expected)))
    }
}

impl fmt::Debug for ProtectedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedHeader").finish_non_exhaustive()
    }
}

fn invalid(name: &'static str, message: &'static str) -> Error {
    Error::new(ErrorCode::HeaderInvalid, message).with_claim(name, Reason::Invalid)
}

fn string_member(object: &Object<'_>, name: &'static str) -> Result<Option<String>, Error> {
    object
        .member(name)
        .map(|value| value.string().map(String::from))
        .map(|text| text.ok_or_else(|| invalid(name, "A member of the protected header must be a string.")))
        .transpose()
}

// RFC 7515 section 4.1.11
fn check_critical(object: &Object<'_>, allowed: &[String]) -> Result<(), Error> {
    let Some(crit) = object.member("crit") else { return Ok(()) };
    let names: Vec<_> = crit
        .array()
        .and_then(|elements| elements.into_iter().map(Raw::string).collect::<Option<_>>())
        .ok_or_else(|| invalid("crit", "crit must be an array of strings."))?;
    if names.is_empty() {
        return Err(invalid("crit", "crit must not be empty."));
    }
    for (i, name) in names.iter().enumerate() {
        if names.iter().take(i).any(|earlier| earlier == name) {
            return Err(invalid("crit", "crit names a member twice."));
        }
        if REGISTERED.contains(&name.as_ref()) {
            return Err(invalid("crit", "crit names a member that is no extension."));
        }
        if object.member(name).is_none() {
            return Err(invalid("crit", "crit names a member that the protected header does not have."));
        }
        if !allowed.iter().any(|known| known == name) {
            return Err(Error::new(
                ErrorCode::HeaderCritical,
                "The protected header marks an extension as critical; the crit option does not allow it.",
            )
            .with_claim("crit", Reason::CheckFailed));
        }
    }
    Ok(())
}

// RFC 7797 section 7: a JWT must not have `b64: false`; whoever ignores it verifies other bytes than were signed.
fn check_payload_encoding(object: &Object<'_>) -> Result<(), Error> {
    match object.member("b64").map(Raw::bool) {
        None | Some(Some(true)) => Ok(()),
        Some(Some(false)) => {
            Err(Error::new(ErrorCode::HeaderCritical, "An unencoded payload (b64: false) is not supported.")
                .with_claim("b64", Reason::CheckFailed))
        }
        Some(None) => Err(invalid("b64", "b64 must be true or false.")),
    }
}

/// RFC 7515 section 4.1.9: `application/` is implied where the value contains no other slash.
fn media_subtype(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ProtectedHeader, Error> {
        ProtectedHeader::parse(text.as_bytes(), &["https://example.com/ext".to_owned(), "b64".to_owned()])
    }

    #[test]
    fn the_members_are_read_and_the_text_is_kept() {
        let text = r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","jku":7,"x":[1]}"#;
        let header = parse(text).unwrap();
        assert_eq!((header.alg(), header.kid(), header.typ()), ("ES256", Some("k1"), Some("at+jwt")));
        assert_eq!(header.json(), text);
        assert!(!format!("{header:?}").contains("k1"));
    }

    #[test]
    fn a_member_of_the_wrong_type_is_refused_by_name() {
        for (text, member, reason) in [
            (r#"{"kid":"k"}"#, "alg", Reason::Missing),
            (r#"{"alg":1}"#, "alg", Reason::Invalid),
            (r#"{"alg":null}"#, "alg", Reason::Invalid),
            (r#"{"alg":"ES256","kid":1}"#, "kid", Reason::Invalid),
            (r#"{"alg":"ES256","kid":null}"#, "kid", Reason::Invalid),
            (r#"{"alg":"ES256","typ":["JWT"]}"#, "typ", Reason::Invalid),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.code(), ErrorCode::HeaderInvalid, "{text}");
            assert_eq!((error.claim(), error.reason()), (Some(member), Some(reason)), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_strict_object_is_refused() {
        for text in ["", "null", "[]", "\"x\"", r#"{"alg":"ES256","alg":"ES256"}"#, "\u{feff}{\"alg\":\"ES256\"}", "{"]
        {
            assert_eq!(parse(text).expect_err(text).code(), ErrorCode::HeaderInvalid, "{text}");
        }
    }

    // RFC 7515 section 4.1.11
    #[test]
    fn crit_must_be_well_formed_and_allowed() {
        assert!(parse(r#"{"alg":"ES256","https://example.com/ext":1,"crit":["https://example.com/ext"]}"#).is_ok());
        for crit in ["[]", "\"exp\"", "null", "[1]", r#"["alg"]"#, r#"["absent"]"#] {
            let text = format!(r#"{{"alg":"ES256","crit":{crit}}}"#);
            assert_eq!(parse(&text).expect_err(&text).code(), ErrorCode::HeaderInvalid, "{text}");
        }
        let twice = r#"{"alg":"ES256","b64":true,"crit":["b64","b64"]}"#;
        assert_eq!(parse(twice).unwrap_err().code(), ErrorCode::HeaderInvalid);
        let unknown = r#"{"alg":"ES256","exp":1,"crit":["exp"]}"#;
        assert_eq!(parse(unknown).unwrap_err().code(), ErrorCode::HeaderCritical);
    }

    // RFC 7797 section 7
    #[test]
    fn an_unencoded_payload_is_refused_even_where_b64_is_allowed() {
        assert!(parse(r#"{"alg":"ES256","b64":true,"crit":["b64"]}"#).is_ok());
        for text in [r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, r#"{"alg":"ES256","b64":false}"#] {
            assert_eq!(parse(text).unwrap_err().code(), ErrorCode::HeaderCritical, "{text}");
        }
        assert_eq!(parse(r#"{"alg":"ES256","b64":"no"}"#).unwrap_err().code(), ErrorCode::HeaderInvalid);
    }

    // RFC 7515 section 4.1.9
    #[test]
    fn types_are_compared_as_media_types() {
        let typ = |typ: &str| parse(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#)).unwrap();
        for (actual, expected) in
            [("at+jwt", "at+jwt"), ("AT+JWT", "at+jwt"), ("application/at+jwt", "at+jwt"), ("JWT", "Application/jwt")]
        {
            assert!(typ(actual).typ_is(expected), "{actual} {expected}");
        }
        for (actual, expected) in
            [("jwt", "at+jwt"), ("text/at+jwt", "at+jwt"), ("application/a/b", "a/b"), ("", "jwt")]
        {
            assert!(!typ(actual).typ_is(expected), "{actual} {expected}");
        }
        assert!(!parse(r#"{"alg":"ES256"}"#).unwrap().typ_is(""));
    }
}
