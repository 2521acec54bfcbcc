//! What the two tokens of a session say. Both follow from the record, so that a token which has to be given again says
//! what it said the first time.

use core::fmt;

use serde_json::{Map, Value};

use super::record::Session;
use crate::encoding::sha256;
use crate::error::{Error, ErrorCode, Reason};
use crate::json::{self, Raw};
use crate::jwt::VerifiedJwt;

/// The media type of access tokens (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Claims that belong to the session; the issuer's own (`iss`, `aud`, `iat`, `exp`, `jti`) are refused where tokens are
/// issued.
const RESERVED: [&str; 9] = ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "ver", "gen"];

/// The claims that the application gave at the login, as JSON. They travel in the refresh token, so that every access
/// token of the session has them and no store does.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct AppClaims(Option<String>);

impl AppClaims {
    /// Takes the claims that an application gives.
    ///
    /// # Errors
    /// [`ErrorCode::IssueClaims`] for a claim that is the session's own, and for claims that nest too deeply to travel in
    /// the refresh token, one level further down.
    pub fn new(claims: Map<String, Value>) -> Result<Self, Error> {
        if let Some(name) = RESERVED.into_iter().find(|name| claims.contains_key(*name)) {
            let message = format!("The claim {name} is set by the session and cannot be given.");
            return Err(Error::new(ErrorCode::IssueClaims, message).with_claim(name, Reason::Invalid));
        }
        if claims.is_empty() {
            return Ok(Self(None));
        }
        let text = json::write(&Value::Object(claims));
        if json::parse_object(format!("{{\"app\":{text}}}").as_bytes()).is_err() {
            return Err(Error::new(ErrorCode::IssueClaims, "The claims are nested too deeply."));
        }
        Ok(Self(Some(text)))
    }

    pub(super) fn tree(&self) -> Map<String, Value> {
        let tree = self.0.as_ref().and_then(|text| json::parse_value(text.as_bytes()).ok());
        match tree {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
}

/// An access token that is to be signed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccessToken {
    /// `sub`
    pub subject: String,
    /// `sid`
    pub sid: String,
    /// `ver`: the subject's token version when the session began, whatever it is now.
    pub version: u32,
    /// `iat`: before the record was read, so that no token is younger than the state it rests on.
    pub issued_at: u64,
    /// From `iat` to `exp`, in seconds.
    pub lifetime: u32,
    /// `jti`
    pub jti: [u8; 16],
    /// The application's claims.
    pub claims: AppClaims,
}

impl AccessToken {
    /// The claims beyond those that the issuer sets.
    #[must_use]
    pub fn claims(&self) -> Value {
        let mut claims = self.claims.tree();
        claims.insert("sub".to_owned(), self.subject.as_str().into());
        claims.insert("sid".to_owned(), self.sid.as_str().into());
        claims.insert("ver".to_owned(), self.version.into());
        Value::Object(claims)
    }
}

/// A refresh token, to be signed or as it was presented and verified.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RefreshToken {
    /// `sub`
    pub subject: String,
    /// `sid`
    pub sid: String,
    /// `gen`
    pub generation: u32,
    /// `iat`
    pub issued_at: u64,
    /// `exp`
    pub expires_at: u64,
    /// The application's claims, for the access tokens.
    pub claims: AppClaims,
}

impl RefreshToken {
    /// The token of a session's current generation.
    #[must_use]
    pub fn current(session: &Session, subject: &str, claims: AppClaims) -> Self {
        Self {
            subject: subject.to_owned(),
            sid: session.sid.clone(),
            generation: session.generation,
            issued_at: session.refreshed_at,
            expires_at: session.expires_at,
            claims,
        }
    }

    /// `jti`: derived from session and generation, so that a token given again is the same token.
    #[must_use]
    pub fn jti(&self) -> [u8; 16] {
        let digest = sha256(format!("wx1 refresh {} {}", self.generation, self.sid).as_bytes());
        let mut jti = [0; 16];
        for (to, from) in jti.iter_mut().zip(digest) {
            *to = from;
        }
        jti
    }

    /// From `iat` to `exp`, in seconds.
    #[must_use]
    pub fn lifetime(&self) -> u32 {
        u32::try_from(self.expires_at.saturating_sub(self.issued_at)).unwrap_or(u32::MAX)
    }

    /// The claims beyond those that the issuer sets.
    #[must_use]
    pub fn claims(&self) -> Value {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.subject.as_str().into());
        claims.insert("sid".to_owned(), self.sid.as_str().into());
        claims.insert("gen".to_owned(), self.generation.into());
        if self.claims.0.is_some() {
            claims.insert("app".to_owned(), Value::Object(self.claims.tree()));
        }
        Value::Object(claims)
    }

    /// Takes a refresh token that has been verified, and whose header says that it is one.
    ///
    /// # Errors
    /// [`ErrorCode::ClaimInvalid`] when its claims are not as [`claims`](Self::claims) writes them: then the key signs
    /// for others too.
    pub fn from_verified(jwt: &VerifiedJwt) -> Result<Self, Error> {
        let claims = jwt.claims();
        let text = |name| claims.claim(name).and_then(Raw::string).map(std::borrow::Cow::into_owned);
        let number = |name| claims.claim(name).and_then(|raw| raw.text().parse().ok());
        let whole = |time: Option<crate::UnixTime>| time.and_then(|time| u64::try_from(time.whole_seconds()).ok());
        let app = match claims.claim("app") {
            Some(raw) => raw.object().map(|object| AppClaims(Some(object.text().to_owned()))),
            None => Some(AppClaims::default()),
        };
        let read = || {
            Some(Self {
                subject: text("sub")?,
                sid: text("sid")?,
                generation: number("gen")?,
                issued_at: whole(claims.issued_at())?,
                expires_at: whole(claims.expiration())?,
                claims: app?,
            })
        };
        read().ok_or_else(|| {
            let message = "The refresh token was signed with the right key, but not for a session.";
            Error::new(ErrorCode::ClaimInvalid, message).with_claim("gen", Reason::Invalid)
        })
    }
}

/// What the application says of its users is its own business.
impl fmt::Debug for AppClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppClaims")
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("version", &self.version)
            .field("issued_at", &self.issued_at)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("generation", &self.generation)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
