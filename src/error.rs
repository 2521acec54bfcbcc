//! One list of errors for every layer and language: the macro below makes the Rust enum, the stable code, the HTTP
//! status and the step, and `xtask codes` writes the TypeScript union and the README's table from the same rows.

use std::borrow::Cow;
use std::fmt;

/// What was being done when an error arose; the steps of verification come in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Options and keys given by the developer.
    Configuration,
    /// Credentials taken from an HTTP request.
    Request,
    /// The length of the token.
    Size,
    /// Three segments of strict base64url.
    Segments,
    /// The protected header.
    Header,
    /// Choice of the key.
    Key,
    /// The signature.
    Signature,
    /// The form of the claims set.
    Claims,
    /// Claims against the caller's policy.
    Policy,
    /// Revocation entries.
    Revocation,
    /// The session of a token.
    Session,
    /// Claims against the application's own schema.
    Schema,
    /// Issuing a token.
    Issue,
    /// Building or reading a cookie.
    Cookie,
    /// The WebAssembly module and its host.
    Runtime,
}

impl Step {
    /// The step's name in lower case, as shown to people and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Request => "request",
            Self::Size => "size",
            Self::Segments => "segments",
            Self::Header => "header",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Policy => "policy",
            Self::Revocation => "revocation",
            Self::Session => "session",
            Self::Schema => "schema",
            Self::Issue => "issue",
            Self::Cookie => "cookie",
            Self::Runtime => "runtime",
        }
    }
}

/// Why a claim or header member was at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Required and absent.
    Missing,
    /// Present with a wrong type or an unusable value.
    Invalid,
    /// Well formed, but not what the policy asks for.
    CheckFailed,
}

impl Reason {
    /// The name that crosses into JavaScript.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::CheckFailed => "check_failed",
        }
    }
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:literal, $step:ident;)+) => {
        /// A stable name for each thing that can go wrong. Codes do not change between versions; messages may.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the steps.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as text, `ERR_` and a name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status for a caller who answers a request; 500 marks a mistake in the program or its set-up.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The step that the code belongs to.
            #[must_use]
            pub fn step(self) -> Step {
                match self { $(Self::$variant => Step::$step,)+ }
            }

            /// What the code means, in a sentence or two.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => const { concat!($($doc,)+).trim_ascii_start() },)+ }
            }

            /// The summary of a code that a client is told of. A function of its own, so that a program that asks for
            /// no other summary does not carry the others.
            fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => const {
                        if $status == 400 || $status == 401 { concat!($($doc,)+).trim_ascii_start() } else { "" }
                    },)+
                }
            }
        }
    };
}

error_codes! {
    /// An option is missing, misspelt, of the wrong type or out of range; the message names it.
    OptionInvalid = "ERR_OPTION_INVALID", 500, Configuration;
    /// A key could not be read: not a JWK, JWK Set or PEM, or its members contradict one another.
    KeyInvalid = "ERR_KEY_INVALID", 500, Configuration;
    /// A key is well formed but of a kind that is not supported.
    KeyUnsupported = "ERR_KEY_UNSUPPORTED", 500, Configuration;
    /// An RSA key is shorter than 2048 or longer than 4096 bits, or its exponent is unusable.
    KeyWeak = "ERR_KEY_WEAK", 500, Configuration;
    /// A private key was given where a public key is meant.
    KeyPrivate = "ERR_KEY_PRIVATE", 500, Configuration;
    /// No usable key is in the key set.
    KeySetEmpty = "ERR_KEY_SET_EMPTY", 500, Configuration;

    /// The request carries no token.
    CredentialsMissing = "ERR_CREDENTIALS_MISSING", 401, Request;
    /// The Authorization header is not a single well-formed Bearer credential.
    AuthorizationMalformed = "ERR_AUTHORIZATION_MALFORMED", 400, Request;
    /// The request carries two cookies of the name that holds the token.
    CookieDuplicate = "ERR_COOKIE_DUPLICATE", 400, Request;
    /// The Cookie header is longer than what is read.
    CookieHeaderInvalid = "ERR_COOKIE_HEADER_INVALID", 400, Request;
    /// A request that is authenticated by cookie came from another site, or does not say where it came from.
    CrossSite = "ERR_CROSS_SITE", 403, Request;

    /// The token is longer than the limit.
    TokenTooLarge = "ERR_TOKEN_TOO_LARGE", 401, Size;
    /// The token is not three segments of unpadded base64url.
    TokenMalformed = "ERR_TOKEN_MALFORMED", 401, Segments;
    /// The protected header is not a strict JSON object with members of the right types.
    HeaderInvalid = "ERR_HEADER_INVALID", 401, Header;
    /// The protected header asks for an extension that the caller has not allowed.
    HeaderCritical = "ERR_HEADER_CRITICAL", 401, Header;
    /// The token's type (typ) is not the expected one.
    TokenType = "ERR_TOKEN_TYPE", 401, Header;
    /// The token's algorithm is not allowed, or is not the one of the key.
    AlgorithmNotAllowed = "ERR_ALGORITHM_NOT_ALLOWED", 401, Key;
    /// No key fits the token's kid and algorithm.
    KeyNotFound = "ERR_KEY_NOT_FOUND", 401, Key;
    /// More than one key fits the token.
    KeyAmbiguous = "ERR_KEY_AMBIGUOUS", 401, Key;
    /// The key set of the token's issuer could not be fetched; the message names its host and says why.
    KeySetUnavailable = "ERR_KEY_SET_UNAVAILABLE", 503, Key;
    /// A synchronous call cannot fetch the key set that it needs; call verifyAsync, or ready before.
    KeySetNeedsAsync = "ERR_KEY_SET_NEEDS_ASYNC", 503, Key;
    /// The token was not issued by any of the configured issuers.
    IssuerUnknown = "ERR_ISSUER_UNKNOWN", 401, Key;
    /// The signature does not verify.
    SignatureInvalid = "ERR_SIGNATURE_INVALID", 401, Signature;
    /// The claims set is not a strict JSON object.
    ClaimsInvalid = "ERR_CLAIMS_INVALID", 401, Claims;
    /// A claim has the wrong type or an unusable value.
    ClaimInvalid = "ERR_CLAIM_INVALID", 401, Claims;
    /// A required claim is absent.
    ClaimMissing = "ERR_CLAIM_MISSING", 401, Policy;
    /// The token has expired.
    TokenExpired = "ERR_TOKEN_EXPIRED", 401, Policy;
    /// The token is not valid yet.
    TokenNotYetValid = "ERR_TOKEN_NOT_YET_VALID", 401, Policy;
    /// The token says that it was issued in the future.
    TokenIssuedInFuture = "ERR_TOKEN_ISSUED_IN_FUTURE", 401, Policy;
    /// The token was issued longer ago than the policy allows.
    TokenTooOld = "ERR_TOKEN_TOO_OLD", 401, Policy;
    /// The token was issued by another issuer.
    IssuerMismatch = "ERR_ISSUER_MISMATCH", 401, Policy;
    /// The token is meant for another audience.
    AudienceMismatch = "ERR_AUDIENCE_MISMATCH", 401, Policy;
    /// A claim does not have the value that the policy asks for.
    ClaimMismatch = "ERR_CLAIM_MISMATCH", 401, Policy;
    /// The token lives longer than the revocation entries that could end it.
    TokenLifetime = "ERR_TOKEN_LIFETIME", 401, Policy;
    /// The token, its session or its subject was revoked.
    TokenRevoked = "ERR_TOKEN_REVOKED", 401, Revocation;
    /// The revocation store did not give a usable answer in time.
    RevocationUnavailable = "ERR_REVOCATION_UNAVAILABLE", 503, Revocation;
    /// A synchronous call cannot ask the revocation store; call verifyAsync.
    RevocationNeedsAsync = "ERR_REVOCATION_NEEDS_ASYNC", 500, Revocation;

    /// The session is not there any more: it was ended, its refresh token was used before, or it never was.
    SessionEnded = "ERR_SESSION_ENDED", 401, Session;
    /// No refresh token of the request belongs to the session of its access token.
    SessionMismatch = "ERR_SESSION_MISMATCH", 401, Session;
    /// The application's own check refused the claims.
    ClaimsRefused = "ERR_CLAIMS_REFUSED", 401, Session;
    /// The session store did not give a usable answer in time.
    StoreUnavailable = "ERR_STORE_UNAVAILABLE", 503, Session;

    /// The claims do not fit the schema of the application.
    SchemaMismatch = "ERR_SCHEMA_MISMATCH", 401, Schema;
    /// The schema threw, did not answer in time, or answered something that is no result.
    SchemaFailed = "ERR_SCHEMA_FAILED", 503, Schema;
    /// A synchronous call cannot wait for an asynchronous schema; call verifyAsync.
    SchemaNeedsAsync = "ERR_SCHEMA_NEEDS_ASYNC", 500, Schema;

    /// The claims to issue are not usable: a reserved name, a wrong type, or not JSON.
    IssueClaims = "ERR_ISSUE_CLAIMS", 500, Issue;
    /// The host's signing callback failed or returned something that is not a signature.
    SignerFailed = "ERR_SIGNER_FAILED", 503, Issue;

    /// A cookie attribute is not allowed by RFC 6265bis, or contradicts another one.
    CookieInvalid = "ERR_COOKIE_INVALID", 500, Cookie;
    /// A cookie is larger than browsers store.
    CookieTooLarge = "ERR_COOKIE_TOO_LARGE", 500, Cookie;

    /// The library was used before its WebAssembly module was loaded; call init first.
    NotInitialized = "ERR_NOT_INITIALIZED", 500, Runtime;
    /// The runtime lacks something that the library needs.
    RuntimeUnsupported = "ERR_RUNTIME_UNSUPPORTED", 500, Runtime;
    /// The handle was disposed of.
    Disposed = "ERR_DISPOSED", 500, Runtime;
    /// The host gave no random bytes, or the same ones twice.
    RandomUnavailable = "ERR_RANDOM_UNAVAILABLE", 503, Runtime;
    /// The clock gave something that is not a time.
    ClockInvalid = "ERR_CLOCK_INVALID", 503, Runtime;
    /// The WebAssembly module failed; the next call gets a new instance. Please report it.
    Internal = "ERR_INTERNAL", 503, Runtime;
}

/// An error: a stable code, a message that says what to do, and the claim and reason where a claim was at fault.
///
/// No message carries text of a token, cookie or key, so an `Error` can be logged as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    code: ErrorCode,
    message: Cow<'static, str>,
    claim: Option<Cow<'static, str>>,
    reason: Option<Reason>,
}

impl Error {
    /// Makes an error. The message must not contain text of a token, cookie or key.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts { code, message: message.into(), claim: None, reason: None }))
    }

    /// Misuse of an option, named as JavaScript spells it; `requirement` finishes the sentence "`option` must …".
    pub(crate) fn option(option: &str, requirement: &str) -> Self {
        Self::new(ErrorCode::OptionInvalid, format!("`{option}` must {requirement}."))
    }

    /// Names the claim (or header member) at fault and says why.
    #[must_use]
    pub fn with_claim(mut self, claim: impl Into<Cow<'static, str>>, reason: Reason) -> Self {
        self.0.claim = Some(claim.into());
        self.0.reason = Some(reason);
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What went wrong and what to do about it, for developers.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The claim or header member at fault, if one was.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.0.claim.as_deref()
    }

    /// Why the claim was at fault, if one was.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// The value of a `Retry-After` header for the response, in seconds: with 503. It lies inside the grace window of
    /// refresh tokens, so that a refresh whose fate is unknown gets, when repeated, what it made.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        (self.0.code.status() == 503).then_some(1)
    }

    /// The value of a `WWW-Authenticate` header for the response, where RFC 6750 section 3 asks for one: with 401, and
    /// with 400 when the Authorization header itself was at fault. The description is the code's summary, never the
    /// message, so a client learns nothing about the configuration.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        let error = match (self.0.code, self.0.code.status()) {
            // RFC 6750 section 3.1: no error code when the request carries no credentials at all.
            (ErrorCode::CredentialsMissing, _) => return Some("Bearer".to_owned()),
            (_, 401) => "invalid_token",
            (ErrorCode::AuthorizationMalformed, _) => "invalid_request",
            _ => return None,
        };
        Some(format!("Bearer error=\"{error}\", error_description=\"{}\"", self.0.code.description()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code.as_str())
            .field("message", &self.0.message)
            .field("claim", &self.0.claim)
            .field("reason", &self.0.reason)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.code.as_str())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for code in ErrorCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(text.starts_with("ERR_") && text.bytes().all(|b| b == b'_' || b.is_ascii_uppercase()), "{text}");
            assert!([400, 401, 403, 500, 503].contains(&code.status()), "{text}");
        }
    }

    #[test]
    fn a_challenge_is_a_valid_header_value_for_every_code() {
        for &code in ErrorCode::ALL {
            let error = Error::new(code, "secret detail");
            match error.www_authenticate() {
                Some(value) => {
                    assert!(value.starts_with("Bearer"));
                    // RFC 6750 section 3: printable ASCII without backslash; quotes only as delimiters.
                    assert!(value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'\\'), "{value}");
                    assert!([0, 4].contains(&value.matches('"').count()), "{value}");
                    assert!(!value.contains("secret"), "{value}");
                }
                None => assert_ne!(code.status(), 401),
            }
        }
    }
}
