//! The claims set: a strict JSON object whose registered claims have the types of RFC 7519 section 4.1.

use std::borrow::Cow;

use crate::error::{Error, ErrorCode, Reason};
use crate::json::{Buffers, Child, Kind, OwnedObject, Raw};
use crate::time::{TimeFault, UnixTime};

/// A claims set whose form has been checked. It says nothing about who wrote it: that is
/// `VerifiedJwt`'s to say. Its `Debug` shows no content.
///
/// The text is scanned once; claims are decoded where they stand when they are asked for, and no tree is built.
#[derive(Clone)]
pub struct ClaimsSet {
    object: OwnedObject,
    expiration: Option<UnixTime>,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
    /// Where the elements of `aud` stand in its text; empty where it is a single string.
    audience: Vec<Child>,
}

/// What reading claims sets needs, to be used again for the next one.
#[derive(Debug, Default)]
pub(super) struct ClaimsBuffers {
    pub(super) json: Buffers,
    audience: Vec<Child>,
}

impl ClaimsSet {
    /// Reads a payload: a JSON object without duplicate members, in which `iss`, `sub` and `jti` are strings, `aud` is
    /// a string or an array of strings, and `exp`, `nbf` and `iat` are numbers of seconds, each if present.
    ///
    /// # Errors
    /// [`ErrorCode::ClaimsInvalid`] when the payload is not such an object, [`ErrorCode::ClaimInvalid`] when a
    /// registered claim has another type or is a time after the year 9999.
    pub fn parse(payload: Vec<u8>) -> Result<Self, Error> {
        Self::parse_in(payload, &mut ClaimsBuffers::default())
    }

    /// As [`parse`](Self::parse), with buffers that were used before.
    pub(super) fn parse_in(payload: Vec<u8>, buffers: &mut ClaimsBuffers) -> Result<Self, Error> {
        let object = OwnedObject::parse_in(payload, &mut buffers.json)
            .map_err(|fault| Error::new(ErrorCode::ClaimsInvalid, format!("The claims set {}.", fault.describe())))?;
        let (mut expiration, mut not_before, mut issued_at) = (None, None, None);
        buffers.audience.clear();
        for (name, value) in object.iter() {
            match name.as_ref() {
                "exp" => expiration = Some(numeric_date("exp", value)?),
                "nbf" => not_before = Some(numeric_date("nbf", value)?),
                "iat" => issued_at = Some(numeric_date("iat", value)?),
                "iss" => string("iss", value)?,
                "sub" => string("sub", value)?,
                "jti" => string("jti", value)?,
                "aud" => audience(value, buffers)?,
                _ => {}
            }
        }
        let audience = core::mem::take(&mut buffers.audience);
        Ok(Self { object, expiration, not_before, issued_at, audience })
    }

    /// Gives the buffers back, and the payload.
    pub(super) fn into_payload(self, buffers: &mut ClaimsBuffers) -> Vec<u8> {
        buffers.audience = self.audience;
        self.object.into_bytes(&mut buffers.json)
    }

    /// The claims set as it was written: what JavaScript hands to `JSON.parse`.
    #[must_use]
    pub fn json(&self) -> &str {
        self.object.text()
    }

    /// The value of any claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<Raw<'_>> {
        self.object.member(name)
    }

    /// The names and values of all claims in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Raw<'_>)> {
        self.object.iter()
    }

    /// `iss` (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> Option<Cow<'_, str>> {
        self.string("iss")
    }

    /// `sub` (RFC 7519 section 4.1.2).
    #[must_use]
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        self.string("sub")
    }

    /// `aud` as a list (RFC 7519 section 4.1.3): a single string is a list of one; empty when absent.
    #[must_use]
    pub fn audience(&self) -> Vec<Cow<'_, str>> {
        self.audiences().collect()
    }

    pub(super) fn audiences(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let claim = self.claim("aud");
        let single = claim.and_then(Raw::string);
        let elements = claim.into_iter().flat_map(|claim| self.audience.iter().map(move |element| claim.part(element)));
        single.into_iter().chain(elements.filter_map(Raw::string))
    }

    /// `exp` (RFC 7519 section 4.1.4).
    #[must_use]
    pub fn expiration(&self) -> Option<UnixTime> {
        self.expiration
    }

    /// `nbf` (RFC 7519 section 4.1.5).
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// `iat` (RFC 7519 section 4.1.6).
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// `jti` (RFC 7519 section 4.1.7).
    #[must_use]
    pub fn token_id(&self) -> Option<Cow<'_, str>> {
        self.string("jti")
    }

    fn string(&self, name: &str) -> Option<Cow<'_, str>> {
        self.claim(name).and_then(Raw::string)
    }
}

impl core::fmt::Debug for ClaimsSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClaimsSet").finish_non_exhaustive()
    }
}

fn string(claim: &'static str, value: Raw<'_>) -> Result<(), Error> {
    if value.kind() == Kind::String { Ok(()) } else { Err(invalid(claim, "must be a string")) }
}

// RFC 7519 section 4.1.3
fn audience(value: Raw<'_>, buffers: &mut ClaimsBuffers) -> Result<(), Error> {
    if value.kind() == Kind::Array {
        buffers.json.elements(value, &mut buffers.audience);
    }
    let elements_valid = buffers.audience.iter().all(|element| value.part(element).kind() == Kind::String);
    let valid = matches!(value.kind(), Kind::String | Kind::Array) && elements_valid;
    if valid { Ok(()) } else { Err(invalid("aud", "must be a string or an array of strings")) }
}

// RFC 7519 section 2, NumericDate
fn numeric_date(claim: &'static str, value: Raw<'_>) -> Result<UnixTime, Error> {
    let seconds = value.number().ok_or_else(|| invalid(claim, "must be a finite number of seconds"))?;
    UnixTime::from_seconds(seconds).map_err(|fault| match fault {
        TimeFault::LooksLikeMilliseconds => {
            invalid(claim, "lies after the year 9999: it looks like milliseconds, but must be seconds")
        }
        TimeFault::NotFinite => invalid(claim, "must be a finite number of seconds"),
    })
}

pub(super) fn invalid(claim: &'static str, what: &str) -> Error {
    Error::new(ErrorCode::ClaimInvalid, format!("The claim {claim} {what}.")).with_claim(claim, Reason::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ClaimsSet, Error> {
        ClaimsSet::parse(json.as_bytes().to_vec())
    }

    #[test]
    fn registered_claims_are_typed_and_others_are_left_alone() {
        let claims = parse(
            r#"{"iss":"a\u002fb","sub":"","jti":"j","aud":["x","y"],"exp":-1.5,"nbf":0,"iat":1e3,"ver":null,"":[]}"#,
        )
        .unwrap();
        assert_eq!(claims.issuer().unwrap(), "a/b");
        assert_eq!(claims.subject().unwrap(), "");
        assert_eq!(claims.token_id().unwrap(), "j");
        assert_eq!(claims.audience(), ["x", "y"]);
        assert_eq!(claims.expiration().unwrap().as_seconds().to_bits(), (-1.5f64).to_bits());
        assert_eq!(claims.issued_at().unwrap().whole_seconds(), 1000);
        assert_eq!(claims.claim("ver").unwrap().kind(), Kind::Null);
        assert_eq!(claims.iter().count(), 9);
        assert_eq!(parse(r#"{"aud":"x"}"#).unwrap().audience(), ["x"]);
        assert!(parse("{}").unwrap().audience().is_empty());
    }

    #[test]
    fn a_registered_claim_of_another_type_is_refused_by_name() {
        let cases = [
            ("iss", &["1", "null", "[\"a\"]", "{}", "true"][..]),
            ("sub", &["1", "null"]),
            ("jti", &["1", "null"]),
            ("aud", &["1", "null", "{}", "[1]", "[\"a\",null]", "[[\"a\"]]"]),
            ("exp", &["\"1\"", "null", "true", "[1]", "{}", "1e400", "-1e400"]),
            ("nbf", &["\"1\"", "null", "1e400"]),
            ("iat", &["\"1\"", "null", "1e400"]),
        ];
        for (claim, values) in cases {
            for value in values {
                let error = parse(&format!("{{\"{claim}\":{value}}}")).unwrap_err();
                assert_eq!(error.code(), ErrorCode::ClaimInvalid, "{claim}: {value}");
                assert_eq!((error.claim(), error.reason()), (Some(claim), Some(Reason::Invalid)));
            }
        }
    }

    #[test]
    fn a_time_in_milliseconds_is_refused_and_the_message_says_so() {
        for claim in ["exp", "nbf", "iat"] {
            let error = parse(&format!("{{\"{claim}\":1700000000000}}")).unwrap_err();
            assert_eq!((error.code(), error.claim()), (ErrorCode::ClaimInvalid, Some(claim)));
            assert!(error.message().contains("looks like milliseconds"), "{error}");
            assert!(parse(&format!("{{\"{claim}\":253402300799}}")).is_ok());
        }
    }

    #[test]
    fn a_payload_that_is_not_a_strict_object_is_refused() {
        for payload in ["", "[]", "null", "{", "{\"exp\":1,\"exp\":2}", "{\"exp\":1,\"\\u0065xp\":2}", "\u{feff}{}"] {
            assert_eq!(parse(payload).unwrap_err().code(), ErrorCode::ClaimsInvalid, "{payload}");
        }
        assert_eq!(ClaimsSet::parse(vec![b'"', 0xff, b'"']).unwrap_err().code(), ErrorCode::ClaimsInvalid);
    }

    #[test]
    fn debug_shows_no_content() {
        let claims = parse(r#"{"iss":"hidden","exp":1}"#).unwrap();
        assert_eq!(format!("{claims:?}"), "ClaimsSet { .. }");
    }
}
