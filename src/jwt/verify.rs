//! Verification: the steps in their order, first failure wins, and a type that only the last step gives.

use core::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims::{ClaimsBuffers, ClaimsSet};
use super::policy::Policy;
use crate::error::{Error, ErrorCode, Reason};
use crate::json::{self, Buffers};
use crate::jwa::Algorithm;
use crate::jwk::KeySet;
use crate::jws::compact::{DEFAULT_MAX_LENGTH, HARD_MAX_LENGTH};
use crate::jws::memory::Memory;
use crate::jws::{CompactJws, ProtectedHeader};
use crate::names::repeated;
use crate::revocation::{Answer, FailurePolicy, Plan, Revocable, RevocationConfig, RevocationState};
use crate::time::UnixTime;

/// The type of refresh tokens. They are for one endpoint alone, so a verifier takes them only where `typ` names them.
pub const REFRESH_TOKEN_TYPE: &str = "rt+jwt";

/// An issuer whose tokens are accepted, with its keys.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// What `iss` may be; `None` only where the caller said `null`: not checked.
    pub issuer: Option<Vec<String>>,
    /// What `aud` may name; `None` only where the caller said `null`: not checked.
    pub audience: Option<Vec<String>>,
    /// The keys of this issuer, used for no other.
    pub keys: KeySet,
}

/// The options of a verifier.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// One or more; of several, a token's `iss` chooses one by exact comparison.
    pub issuers: Vec<TrustedIssuer>,
    /// The algorithms that are accepted, at least one.
    pub algorithms: Vec<Algorithm>,
    /// The media type that the header's `typ` must be; `None` takes any but [`REFRESH_TOKEN_TYPE`].
    pub typ: Option<String>,
    /// Extensions in `crit` that the caller understands (RFC 7515 section 4.1.11).
    pub crit: Vec<String>,
    /// The longest token, in bytes, 1 to [`HARD_MAX_LENGTH`].
    pub max_token_length: usize,
    /// `sub` must equal this.
    pub subject: Option<String>,
    /// How far the clocks of issuer and verifier may differ, in seconds, 0 to 300.
    pub clock_tolerance: u32,
    /// The greatest age of a token by its `iat`, in seconds, at least 1.
    pub max_token_age: Option<u32>,
    /// Claims that must be present.
    pub required_claims: Vec<String>,
    /// Claims that must have exactly these values.
    pub claims: Map<String, Value>,
    /// Asks the host's store, see [`Verifier::begin`].
    pub revocation: Option<RevocationConfig>,
}

impl VerifierConfig {
    /// The defaults: both algorithms, any type but refresh tokens, 8192 bytes, no tolerance, no revocation.
    #[must_use]
    pub fn new(issuers: Vec<TrustedIssuer>) -> Self {
        Self {
            issuers,
            algorithms: Algorithm::ALL.to_vec(),
            typ: None,
            crit: Vec::new(),
            max_token_length: DEFAULT_MAX_LENGTH,
            subject: None,
            clock_tolerance: 0,
            max_token_age: None,
            required_claims: Vec::new(),
            claims: Map::new(),
            revocation: None,
        }
    }
}

/// Verifies tokens. Made once, used for many.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(super) sources: Vec<Source>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) typ: Option<String>,
    pub(super) crit: Vec<String>,
    pub(super) max_token_length: usize,
    pub(super) revocation: Option<RevocationConfig>,
}

/// The keys of one issuer, and the policy for its tokens.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) keys: KeySet,
    pub(super) policy: Policy,
}

/// What is used again for token after token: see [`WarmVerifier`](super::WarmVerifier), which keeps one.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) claims: ClaimsBuffers,
    /// The issuer that the last token named, by its place among the options, and the `kid` that none of its keys has.
    pub(super) chosen: Option<usize>,
    pub(super) lacking: Option<String>,
}

impl Desk {
    /// Takes back the room that a token took.
    pub(super) fn clear(&mut self, jwt: VerifiedJwt) {
        self.memory.take_payload(jwt.claims.into_payload(&mut self.claims));
    }
}

impl Verifier {
    /// Checks the options and makes a verifier.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] naming the first option, as JavaScript spells it, that is out of range, empty or
    /// contradicts another.
    pub fn new(config: VerifierConfig) -> Result<Self, Error> {
        if config.algorithms.is_empty() {
            return Err(Error::option("algorithms", "name at least one algorithm"));
        }
        if config.typ.as_ref().is_some_and(String::is_empty) {
            return Err(Error::option("typ", "not be empty"));
        }
        if config.crit.iter().any(String::is_empty) {
            return Err(Error::option("crit", "not contain an empty name"));
        }
        if !(1..=HARD_MAX_LENGTH).contains(&config.max_token_length) {
            return Err(Error::option("maxTokenLength", "be a whole number of bytes from 1 to 65536"));
        }
        if let Some(revocation) = &config.revocation {
            revocation.validate()?;
        }
        check_issuers(&config.issuers)?;
        let common = Policy {
            issuer: None,
            audience: None,
            subject: config.subject,
            clock_tolerance: config.clock_tolerance,
            max_token_age: config.max_token_age,
            token_lifetime: config.revocation.as_ref().map(|revocation| revocation.token_lifetime),
            required_claims: config.required_claims,
            claims: Arc::new(config.claims),
        };
        let mut sources = Vec::with_capacity(config.issuers.len());
        for TrustedIssuer { issuer, audience, keys } in config.issuers {
            let pending = keys.keys().is_empty();
            if !pending && !keys.keys().iter().any(|key| config.algorithms.contains(&key.algorithm())) {
                return Err(Error::option("algorithms", "include the algorithm of at least one key of each issuer"));
            }
            let policy = Policy { issuer, audience, ..common.clone() };
            policy.validate()?;
            sources.push(Source { keys, policy });
        }
        Ok(Self {
            sources,
            algorithms: config.algorithms,
            typ: config.typ,
            crit: config.crit,
            max_token_length: config.max_token_length,
            revocation: config.revocation,
        })
    }

    /// Replaces the keys of an issuer, by its place among the options. What was remembered of signatures stays sound: a
    /// signature is remembered together with its key, which is chosen anew for every token.
    pub fn set_keys(&mut self, issuer: usize, keys: KeySet) {
        if let Some(source) = self.sources.get_mut(issuer) {
            source.keys = keys;
        }
    }

    /// Performs every step but revocation.
    ///
    /// # Errors
    /// [`ErrorCode::RevocationNeedsAsync`], before any work, when revocation is configured; otherwise the first step's
    /// that fails. No message contains text of the token.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<VerifiedJwt, Error> {
        self.verify_in(token, now, &mut Desk::default())
    }

    pub(super) fn verify_in(&self, token: &str, now: UnixTime, desk: &mut Desk) -> Result<VerifiedJwt, Error> {
        if self.revocation.is_some() {
            return Err(Error::new(
                ErrorCode::RevocationNeedsAsync,
                "This verifier asks a revocation store, which a synchronous call cannot do; use verifyAsync.",
            ));
        }
        let (header, claims) = self.check(token, now, desk, Policy::check)?;
        Ok(VerifiedJwt { header, claims, revocation: RevocationState::NotChecked })
    }

    /// Which session a token is of, though it may have expired: a session outlives its access tokens, and can be ended
    /// or refreshed by who holds the last of them, also when the lifetime has been shortened since. It gives access to
    /// nothing, so no revocation is checked.
    pub(crate) fn identify(&self, token: &str, now: UnixTime) -> Result<ClaimsSet, Error> {
        self.check(token, now, &mut Desk::default(), Policy::check_identity).map(|(_, claims)| claims)
    }

    /// Performs every step up to revocation and says which keys of the store to read. No key is planned for a token
    /// whose signature and claims have not passed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), without [`ErrorCode::RevocationNeedsAsync`]; with revocation configured, also
    /// [`ErrorCode::TokenLifetime`], [`ErrorCode::ClaimMissing`] for a token without `jti` and
    /// [`ErrorCode::ClaimInvalid`] for a `sid` that is not a string.
    pub fn begin(&self, token: &str, now: UnixTime) -> Result<PendingJwt, Error> {
        self.begin_in(token, now, &mut Desk::default())
    }

    pub(super) fn begin_in(&self, token: &str, now: UnixTime, desk: &mut Desk) -> Result<PendingJwt, Error> {
        let (header, claims) = self.check(token, now, desk, Policy::check)?;
        let revocation = match &self.revocation {
            Some(config) => Some((plan(&claims)?, config.on_failure)),
            None => None,
        };
        Ok(PendingJwt { header, claims, revocation })
    }

    fn check(
        &self,
        token: &str,
        now: UnixTime,
        desk: &mut Desk,
        policy: fn(&Policy, &ClaimsSet, UnixTime) -> Result<(), Error>,
    ) -> Result<(Arc<ProtectedHeader>, ClaimsSet), Error> {
        let Desk { memory, claims: buffers, chosen, lacking } = desk;
        (*chosen, *lacking) = (None, None);
        let jws = CompactJws::parse_in(token, self.max_token_length, &self.crit, memory)?;
        self.check_type(jws.header())?;
        let (number, source) = self.source(jws.unverified_payload(), &mut buffers.json)?;
        *chosen = Some(number);
        let key = source.keys.select(jws.header(), &self.algorithms).inspect_err(|error| {
            if error.code() == ErrorCode::KeyNotFound {
                *lacking = jws.header().kid().map(str::to_owned);
            }
        })?;
        let verified = jws.verify_signature_in(key, now, memory)?;
        let fresh = verified.fresh();
        let (header, payload) = verified.into_parts();
        let claims = ClaimsSet::parse_in(payload, buffers)?;
        policy(&source.policy, &claims, now)?;
        // What the policy refuses is not worth remembering.
        if let (Some(tag), Some(cache), Some(expires)) = (fresh, &mut memory.cache, claims.expiration())
            && now < expires
        {
            cache.insert(tag, expires);
        }
        Ok((header, claims))
    }

    // RFC 8725 section 3.11: explicit typing keeps one kind of token from being used as another.
    pub(super) fn check_type(&self, header: &ProtectedHeader) -> Result<(), Error> {
        let message = match &self.typ {
            Some(expected) if header.typ_is(expected) => return Ok(()),
            Some(_) => "The token's typ is not the one that the option typ asks for.",
            None if header.typ_is(REFRESH_TOKEN_TYPE) => {
                "A refresh token was presented where none is accepted; present the access token."
            }
            None => return Ok(()),
        };
        let reason = if header.typ().is_some() { Reason::CheckFailed } else { Reason::Missing };
        Err(Error::new(ErrorCode::TokenType, message).with_claim("typ", reason))
    }

    /// The source of keys for a payload. Its `iss` is read before the signature is verified for this one purpose; the
    /// policy of the source compares it again afterwards.
    pub(super) fn source(&self, unverified_payload: &[u8], buffers: &mut Buffers) -> Result<(usize, &Source), Error> {
        if let [only] = self.sources.as_slice() {
            return Ok((0, only));
        }
        let issuer = buffers.member(unverified_payload, "iss").and_then(json::Raw::string);
        let trusts = |(_, source): &(usize, &Source)| {
            let accepted = source.policy.issuer.iter().flatten();
            issuer.as_ref().is_some_and(|issuer| accepted.into_iter().any(|one| one == issuer))
        };
        self.sources.iter().enumerate().find(trusts).ok_or_else(|| {
            Error::new(ErrorCode::IssuerUnknown, "The token's iss is none of the issuers of the option issuers.")
                .with_claim("iss", if issuer.is_some() { Reason::CheckFailed } else { Reason::Missing })
        })
    }
}

fn check_issuers(issuers: &[TrustedIssuer]) -> Result<(), Error> {
    if issuers.is_empty() {
        return Err(Error::option("issuers", "not be empty"));
    }
    if issuers.len() > 1 {
        let mut names: Vec<&str> = Vec::new();
        for one in issuers {
            let Some(accepted) = &one.issuer else {
                return Err(Error::option("issuers", "name the issuer of each entry: it chooses the keys"));
            };
            names.extend(accepted.iter().map(String::as_str));
        }
        if !repeated(names).is_empty() {
            return Err(Error::option("issuers", "not name an issuer twice"));
        }
    }
    Ok(())
}

/// What of a claims set revocation needs. A token without `jti` could not be revoked and is refused.
pub(super) fn plan(claims: &ClaimsSet) -> Result<Plan, Error> {
    let token = claims.token_id().ok_or_else(|| super::policy::missing("jti"))?;
    let session = match claims.claim("sid") {
        Some(value) => Some(value.string().ok_or_else(|| super::claims::invalid("sid", "must be a string"))?),
        None => None,
    };
    Ok(Plan::new(&Revocable {
        issuer: claims.issuer().as_deref().unwrap_or_default(),
        token: &token,
        session: session.as_deref(),
        subject: claims.subject().as_deref(),
        issued_at: claims.issued_at(),
        version: claims.claim("ver").and_then(json::Raw::number),
    }))
}

/// A token that has passed every step but revocation. It shows no claims.
pub struct PendingJwt {
    header: Arc<ProtectedHeader>,
    claims: ClaimsSet,
    revocation: Option<(Plan, FailurePolicy)>,
}

impl PendingJwt {
    /// The keys to read from the store, all at once; none when revocation is not configured.
    #[must_use]
    pub fn plan(&self) -> &[String] {
        self.revocation.as_ref().map_or(&[], |(plan, _)| plan.keys())
    }

    /// Decides from the store's answers, which come in the order of [`plan`](Self::plan).
    ///
    /// # Errors
    /// [`ErrorCode::TokenRevoked`] or [`ErrorCode::RevocationUnavailable`], see [`Plan::verdict`].
    pub fn decide(self, answers: &[Answer]) -> Result<VerifiedJwt, Error> {
        let revocation = match &self.revocation {
            Some((plan, on_failure)) => plan.verdict(answers, *on_failure)?,
            None => RevocationState::NotChecked,
        };
        Ok(VerifiedJwt { header: self.header, claims: self.claims, revocation })
    }
}

/// A token that has passed every step. Only [`Verifier::verify`] and [`PendingJwt::decide`] make one.
#[derive(Clone)]
pub struct VerifiedJwt {
    header: Arc<ProtectedHeader>,
    claims: ClaimsSet,
    revocation: RevocationState,
}

impl VerifiedJwt {
    /// The claims set.
    #[must_use]
    pub fn claims(&self) -> &ClaimsSet {
        &self.claims
    }

    /// The protected header.
    #[must_use]
    pub fn header(&self) -> &Arc<ProtectedHeader> {
        &self.header
    }

    /// What is known about revocation.
    #[must_use]
    pub fn revocation(&self) -> RevocationState {
        self.revocation
    }
}

impl fmt::Debug for PendingJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingJwt").finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJwt").field("revocation", &self.revocation).finish_non_exhaustive()
    }
}
