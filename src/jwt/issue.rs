//! Issuing: registered claims set by the issuer, the rest by the caller, written by `jwt-compact` with our keys as its
//! algorithms. What the host signs is prepared here and finished here.

use core::fmt;

use jwt_compact::{AlgorithmExt as _, Claims, Header, Renamed};
use serde_json::{Map, Value};

use crate::encoding::{base64url, from_base64url};
use crate::error::{Error, ErrorCode, Reason};
use crate::json::{self, MAX_DEPTH};
use crate::jwa::Algorithm;
use crate::jws::compact::DEFAULT_MAX_LENGTH;
use crate::jws::es256::Es256;
use crate::jws::rs256::{HostKey, Rs256};
use crate::jws::{SigningKey, VerifyingKey};
use crate::time::UnixTime;

/// The greatest life of a token, in seconds: a year.
pub const MAX_EXPIRES_IN: u32 = 31_536_000;

/// Claims that the issuer sets. A caller's value would either be a second opinion or a duplicate.
const RESERVED: [&str; 5] = ["iss", "aud", "exp", "iat", "jti"];

/// The options of an issuer.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// `iss`
    pub issuer: String,
    /// `aud`, at least one: a string when it is one, else an array.
    pub audience: Vec<String>,
    /// From `iat` to `exp`, in seconds, 1 to [`MAX_EXPIRES_IN`].
    pub expires_in: u32,
    /// The header's `typ`; `None` is `JWT`.
    pub typ: Option<String>,
    /// The header's `kid`; `None` is the key's own, and none for a key that the host alone knows.
    pub kid: Option<String>,
    /// The algorithm of the key.
    pub algorithm: Algorithm,
}

/// What one token has otherwise than the issuer's options say.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// From `iat` to `exp`, in seconds, 1 to [`MAX_EXPIRES_IN`].
    pub expires_in: Option<u32>,
    /// The header's `typ`.
    pub typ: Option<String>,
}

/// Issues tokens.
#[derive(Clone, Debug)]
pub struct Issuer(IssuerConfig);

impl Issuer {
    /// Checks the options and makes an issuer.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] naming the first option, as JavaScript spells it, that is out of range or empty.
    pub fn new(config: IssuerConfig) -> Result<Self, Error> {
        // An empty string is nearly always an environment variable that is not set.
        if config.issuer.is_empty() {
            return Err(Error::option("issuer", "not be empty"));
        }
        if config.audience.is_empty() || config.audience.iter().any(String::is_empty) {
            return Err(Error::option("audience", "be one or more strings that are not empty"));
        }
        if config.kid.as_ref().is_some_and(String::is_empty) {
            return Err(Error::option("kid", "not be empty"));
        }
        check_expires_in(config.expires_in)?;
        check_typ(config.typ.as_deref())?;
        Ok(Self(config))
    }

    /// The algorithm of the tokens.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// Issues a token with a key that is held here.
    ///
    /// `claims` is an object: any claims but `iss`, `aud`, `exp`, `iat` and `jti`, which are set here; `sub` must be a
    /// string and `nbf` a number of seconds before `exp`. `random` makes the `jti` and must be fresh.
    ///
    /// # Errors
    /// - [`ErrorCode::IssueClaims`] naming the claim that is reserved or has the wrong type, or saying by how much the
    ///   token would be too large and which claims weigh most;
    /// - [`ErrorCode::OptionInvalid`] for `overrides` out of range and for a key of another algorithm;
    /// - [`ErrorCode::RandomUnavailable`] for random bytes that are all zero, [`ErrorCode::ClockInvalid`] for a time
    ///   before 1970 or one whose token would expire after the year 9999.
    pub fn issue(
        &self,
        key: &SigningKey,
        claims: Value,
        overrides: &Overrides,
        now: UnixTime,
        random: &[u8; 16],
    ) -> Result<String, Error> {
        if key.algorithm() != self.0.algorithm {
            return Err(Error::option("key", "be for the algorithm of the issuer"));
        }
        let header = self.header(overrides, Some(key.kid()))?;
        let claims = Claims::new(self.claims(claims, overrides, now, random)?);
        let token = Es256.token(&header, &claims, key).map_err(|_| not_json())?;
        check_size(&token)?;
        Ok(token)
    }

    /// Prepares a token for a key that the host holds (`WebCrypto`, a key management service): the host signs
    /// [`SigningInput::bytes`] and gives the signature to [`SigningInput::finish`].
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    pub fn prepare(
        &self,
        claims: Value,
        overrides: &Overrides,
        now: UnixTime,
        random: &[u8; 16],
    ) -> Result<SigningInput, Error> {
        let header = self.header(overrides, None)?;
        let claims = Claims::new(self.claims(claims, overrides, now, random)?);
        let algorithm = self.0.algorithm;
        // Whatever the algorithm, what the host signs leaves jwt-compact with an empty signature, as RS256 does.
        let mut text =
            Renamed::new(Rs256, algorithm.name()).token(&header, &claims, &HostKey).map_err(|_| not_json())?;
        text.pop();
        check_size(&text)?;
        Ok(SigningInput { text, algorithm })
    }

    fn header(&self, overrides: &Overrides, own_kid: Option<&str>) -> Result<Header, Error> {
        check_typ(overrides.typ.as_deref())?;
        let typ = overrides.typ.as_deref().or(self.0.typ.as_deref()).unwrap_or("JWT");
        let header = Header::empty().with_token_type(typ);
        Ok(match self.0.kid.as_deref().or(own_kid) {
            Some(kid) => header.with_key_id(kid),
            None => header,
        })
    }

    fn claims(
        &self,
        claims: Value,
        overrides: &Overrides,
        now: UnixTime,
        random: &[u8; 16],
    ) -> Result<Map<String, Value>, Error> {
        if random.iter().all(|byte| *byte == 0) {
            // A source that gives zeros once gives them again, and every token would have the same jti.
            return Err(Error::new(ErrorCode::RandomUnavailable, "The host's random bytes are all zero."));
        }
        let expires_in = overrides.expires_in.unwrap_or(self.0.expires_in);
        check_expires_in(expires_in)?;
        let now = now.floor();
        let expiration = now.plus(expires_in);
        let issued = now.whole_seconds();
        if issued < 0 || expiration.whole_seconds() != issued + i64::from(expires_in) {
            return Err(Error::new(ErrorCode::ClockInvalid, "The clock gave a time that no token can be issued at."));
        }
        let Value::Object(mut claims) = claims else {
            return Err(Error::new(ErrorCode::IssueClaims, "The claims must be an object."));
        };
        check_claims(&claims, expiration)?;
        let audience = match self.0.audience.as_slice() {
            [only] => Value::from(only.as_str()),
            several => Value::from(several),
        };
        for (name, value) in [
            ("iss", Value::from(self.0.issuer.as_str())),
            ("aud", audience),
            ("iat", Value::from(issued)),
            ("exp", Value::from(expiration.whole_seconds())),
            ("jti", Value::from(base64url(random))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        Ok(claims)
    }
}

/// A token without its signature: the signing input of RFC 7515 section 5.1.
pub struct SigningInput {
    text: String,
    algorithm: Algorithm,
}

impl SigningInput {
    /// The bytes to sign.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Completes the token with the host's signature. Where the verifying key is known, the signature is verified, so
    /// that a wrong key or encoding shows here and not at every reader of the tokens.
    ///
    /// # Errors
    /// [`ErrorCode::SignerFailed`] when the signature has the wrong length or does not verify,
    /// [`ErrorCode::IssueClaims`] when the token is too large with it.
    pub fn finish(self, signature: &[u8], check_with: Option<&VerifyingKey>) -> Result<String, Error> {
        let name = self.algorithm.name();
        if !self.algorithm.signature_lengths().contains(&signature.len()) {
            let length = signature.len();
            let message = format!(
                "The signer returned {length} bytes, which no {name} signature has; JWS wants ES256 as r and s, not \
                 as DER."
            );
            return Err(Error::new(ErrorCode::SignerFailed, message));
        }
        if check_with.is_some_and(|key| !key.verify(self.bytes(), signature)) {
            let message =
                "What the signer returned does not verify with its public key: is it another key, or another hash?";
            return Err(Error::new(ErrorCode::SignerFailed, message));
        }
        let token = format!("{}.{}", self.text, base64url(signature));
        check_size(&token)?;
        Ok(token)
    }
}

impl fmt::Debug for SigningInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningInput").field("alg", &self.algorithm.name()).finish_non_exhaustive()
    }
}

fn check_expires_in(seconds: u32) -> Result<(), Error> {
    if (1..=MAX_EXPIRES_IN).contains(&seconds) {
        return Ok(());
    }
    Err(Error::option("expiresIn", "be a whole number of seconds from 1 to 31536000"))
}

fn check_typ(typ: Option<&str>) -> Result<(), Error> {
    if typ == Some("") { Err(Error::option("typ", "not be empty")) } else { Ok(()) }
}

/// No token may leave here that a strict verifier would refuse for its form.
fn check_claims(claims: &Map<String, Value>, expiration: UnixTime) -> Result<(), Error> {
    if let Some(name) = RESERVED.into_iter().find(|name| claims.contains_key(*name)) {
        return Err(refused(name, "is set by the issuer and cannot be given"));
    }
    if claims.get("sub").is_some_and(|value| !value.is_string()) {
        return Err(refused("sub", "must be a string"));
    }
    if let Some(value) = claims.get("nbf") {
        let seconds = value.as_f64().ok_or_else(|| refused("nbf", "must be a number of seconds"))?;
        let time = UnixTime::from_seconds(seconds)
            .map_err(|_| refused("nbf", "lies after the year 9999: it looks like milliseconds, but must be seconds"))?;
        if time >= expiration {
            return Err(refused("nbf", "must lie before exp, or the token would never be valid"));
        }
    }
    if claims.values().all(|value| nests_within(value, MAX_DEPTH - 1)) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::IssueClaims, "The claims are nested too deeply."))
}

fn nests_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| nests_within(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| nests_within(item, levels - 1)),
        _ => true,
    }
}

fn refused(claim: &'static str, what: &str) -> Error {
    Error::new(ErrorCode::IssueClaims, format!("The claim {claim} {what}.")).with_claim(claim, Reason::Invalid)
}

fn not_json() -> Error {
    Error::new(ErrorCode::IssueClaims, "The claims cannot be written as JSON.")
}

/// A token over the limit that verifiers have unless told otherwise would be refused everywhere; the developer is told
/// what to take out of it. `token` is the whole token or its signing input.
fn check_size(token: &str) -> Result<(), Error> {
    let length = token.len();
    if length <= DEFAULT_MAX_LENGTH {
        return Ok(());
    }
    let payload = token.split('.').nth(1).and_then(|segment| from_base64url(segment.as_bytes())).unwrap_or_default();
    let heaviest = json::parse_object(&payload).map(|claims| claims.heaviest()).unwrap_or_default();
    let message = format!(
        "The token would have {length} bytes, and the limit is {DEFAULT_MAX_LENGTH}; the claims that weigh most are \
         {heaviest}."
    );
    Err(Error::new(ErrorCode::IssueClaims, message))
}
