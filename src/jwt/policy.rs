//! The claims against the caller's policy: times, issuer, audience, subject, required claims and exact values.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims::ClaimsSet;
use crate::error::{Error, ErrorCode, Reason};
use crate::time::UnixTime;

/// The greatest clock tolerance, in seconds. Clocks further apart than this want mending, not tolerance.
pub const MAX_CLOCK_TOLERANCE: u32 = 300;

/// What a claims set must say. `None` checks nothing, and for `issuer` and `audience` only an explicit `null` in the
/// options becomes `None`.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// `iss` must equal one of these.
    pub issuer: Option<Vec<String>>,
    /// One of the token's `aud` must equal one of these.
    pub audience: Option<Vec<String>>,
    /// `sub` must equal this.
    pub subject: Option<String>,
    /// How far the clocks of issuer and verifier may differ, in seconds, 0 to [`MAX_CLOCK_TOLERANCE`].
    pub clock_tolerance: u32,
    /// The greatest age of the token by its `iat`, in seconds, at least 1.
    pub max_token_age: Option<u32>,
    /// The greatest time from `iat` to `exp`, in seconds: what revocation entries are sure to outlive.
    pub token_lifetime: Option<u32>,
    /// Claims that must be present, with any value.
    pub required_claims: Vec<String>,
    /// Claims that must have exactly these values: numbers compared by value, objects without regard to order.
    /// Shared by the policies of all issuers.
    pub claims: Arc<Map<String, Value>>,
}

type Check = fn(&Policy, &ClaimsSet, UnixTime) -> Result<(), Error>;

/// The order in which faults are reported.
const CHECKS: [Check; 10] = [
    Policy::expiration,
    Policy::not_before,
    Policy::issued_at,
    Policy::age,
    Policy::issuer,
    Policy::audience,
    Policy::subject,
    Policy::required,
    Policy::exact,
    Policy::lifetime,
];

impl Policy {
    /// Checks a claims set at a time.
    ///
    /// # Errors
    /// The first fault: one of the codes of the policy step, with the claim and reason. No message shows the text of a
    /// claim.
    pub fn check(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        CHECKS.iter().try_for_each(|check| check(self, claims, now))
    }

    /// Checks whose token it is, and not how long it lives: for what an expired token may still say.
    pub(super) fn check_identity(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        const CHECKS: [Check; 4] = [Policy::issued_at, Policy::issuer, Policy::audience, Policy::required];
        CHECKS.iter().try_for_each(|check| check(self, claims, now))
    }

    /// Every fault of a claims set, in the order in which [`check`](Self::check) would meet them.
    pub fn faults<'a>(&'a self, claims: &'a ClaimsSet, now: UnixTime) -> impl Iterator<Item = Error> {
        CHECKS.iter().filter_map(move |check| check(self, claims, now).err())
    }

    /// Checks the options themselves.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] naming the first option that is out of range or empty.
    pub fn validate(&self) -> Result<(), Error> {
        // An empty string is nearly always an environment variable that is not set.
        for (option, list) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if list.as_ref().is_some_and(|list| list.is_empty() || list.iter().any(String::is_empty)) {
                return Err(Error::option(
                    option,
                    "be one or more strings that are not empty, or null to check nothing",
                ));
            }
        }
        if self.subject.as_ref().is_some_and(String::is_empty) {
            return Err(Error::option("subject", "not be empty"));
        }
        if self.clock_tolerance > MAX_CLOCK_TOLERANCE {
            return Err(Error::option("clockTolerance", "be a whole number of seconds from 0 to 300"));
        }
        if self.max_token_age == Some(0) {
            return Err(Error::option("maxTokenAge", "be a whole number of seconds, at least 1"));
        }
        Ok(())
    }

    fn tolerance(&self) -> u32 {
        self.clock_tolerance.min(MAX_CLOCK_TOLERANCE)
    }

    // RFC 7519 section 4.1.4: refused on or after the time.
    fn expiration(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        let expiration = claims.expiration().ok_or_else(|| missing("exp"))?;
        if now < expiration.plus(self.tolerance()) {
            return Ok(());
        }
        let ago = now.whole_seconds_since(expiration);
        let hint = if ago < MAX_CLOCK_TOLERANCE.into() {
            " If the clocks are known to differ, set clockTolerance."
        } else {
            ""
        };
        Err(failed(ErrorCode::TokenExpired, "exp", format!("The token expired {ago} s ago; get a new one.{hint}")))
    }

    // RFC 7519 section 4.1.5: refused before the time.
    fn not_before(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        match claims.not_before() {
            Some(time) if now < time.minus(self.tolerance()) => {
                let ahead = seconds_ahead(time, now);
                let message = format!("The token is not valid for another {ahead} s; wait, or check the clocks.");
                Err(failed(ErrorCode::TokenNotYetValid, "nbf", message))
            }
            _ => Ok(()),
        }
    }

    fn issued_at(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        match claims.issued_at() {
            Some(time) if time > now.plus(self.tolerance()) => {
                let ahead = seconds_ahead(time, now);
                let message = format!(
                    "The token says that it was issued {ahead} s in the future; the clocks differ, set them right."
                );
                Err(failed(ErrorCode::TokenIssuedInFuture, "iat", message))
            }
            _ => Ok(()),
        }
    }

    fn age(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        let Some(limit) = self.max_token_age else {
            return Ok(());
        };
        let issued = claims.issued_at().ok_or_else(|| missing("iat"))?;
        if now.minus(self.tolerance()) <= issued.plus(limit) {
            return Ok(());
        }
        let age = now.whole_seconds_since(issued);
        let message = format!("The token was issued {age} s ago, and maxTokenAge is {limit} s; get a new one.");
        Err(failed(ErrorCode::TokenTooOld, "iat", message))
    }

    fn issuer(&self, claims: &ClaimsSet, _: UnixTime) -> Result<(), Error> {
        let Some(accepted) = &self.issuer else {
            return Ok(());
        };
        let issuer = claims.issuer().ok_or_else(|| missing("iss"))?;
        if accepted.iter().any(|one| *one == issuer) {
            return Ok(());
        }
        let message =
            "The token is from another issuer: compare its iss with the option issuer, character by character.";
        Err(failed(ErrorCode::IssuerMismatch, "iss", message.into()))
    }

    fn audience(&self, claims: &ClaimsSet, _: UnixTime) -> Result<(), Error> {
        let Some(accepted) = &self.audience else {
            return Ok(());
        };
        if claims.audiences().any(|one| accepted.iter().any(|other| one == *other)) {
            return Ok(());
        }
        if claims.claim("aud").is_none() {
            return Err(missing("aud"));
        }
        let message = "The token is meant for another audience: compare its aud with the option audience.";
        Err(failed(ErrorCode::AudienceMismatch, "aud", message.into()))
    }

    fn subject(&self, claims: &ClaimsSet, _: UnixTime) -> Result<(), Error> {
        let Some(expected) = &self.subject else {
            return Ok(());
        };
        let subject = claims.subject().ok_or_else(|| missing("sub"))?;
        if subject == expected.as_str() {
            return Ok(());
        }
        Err(failed(ErrorCode::ClaimMismatch, "sub", "The token is for another subject than the option subject.".into()))
    }

    fn required(&self, claims: &ClaimsSet, _: UnixTime) -> Result<(), Error> {
        match self.required_claims.iter().find(|name| claims.claim(name).is_none()) {
            Some(name) => Err(missing(name)),
            None => Ok(()),
        }
    }

    fn exact(&self, claims: &ClaimsSet, _: UnixTime) -> Result<(), Error> {
        for (name, expected) in self.claims.iter() {
            let value = claims.claim(name).ok_or_else(|| missing(name))?;
            if !value.equals(expected) {
                let message = format!("The claim {name} does not have the value that the option claims asks for.");
                return Err(failed(ErrorCode::ClaimMismatch, name, message));
            }
        }
        Ok(())
    }

    /// A token that outlives the entries written to revoke it would come back to life when they expire. Its whole life
    /// counts, not what is left of it: a token of ten years would pass on its last day. A token without `iat` does not
    /// say how long its life is, and is held to what is left.
    fn lifetime(&self, claims: &ClaimsSet, now: UnixTime) -> Result<(), Error> {
        let (Some(limit), Some(expiration)) = (self.token_lifetime, claims.expiration()) else {
            return Ok(());
        };
        let latest = match claims.issued_at() {
            Some(issued) => issued.plus(limit),
            None => now.plus(limit).plus(self.tolerance()),
        };
        if expiration <= latest {
            return Ok(());
        }
        let message = format!(
            "The token lives longer than revocation entries are kept for: issue it for at most {limit} s, or raise \
             revocation.tokenLifetime."
        );
        Err(failed(ErrorCode::TokenLifetime, "exp", message))
    }
}

fn seconds_ahead(later: UnixTime, now: UnixTime) -> i64 {
    now.whole_seconds_since(later).saturating_neg()
}

pub(super) fn missing(claim: &str) -> Error {
    Error::new(ErrorCode::ClaimMissing, format!("The token has no claim {claim}, which is required."))
        .with_claim(claim.to_owned(), Reason::Missing)
}

fn failed(code: ErrorCode, claim: &str, message: String) -> Error {
    Error::new(code, message).with_claim(claim.to_owned(), Reason::CheckFailed)
}
