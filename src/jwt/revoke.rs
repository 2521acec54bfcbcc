//! What a verifier's owner writes to its store so that the verifier refuses tokens from then on.

use serde_json::Value;

use super::verify::Verifier;
use crate::error::Error;
use crate::revocation::{Kind, RevocationConfig, SubjectCut, Write};
use crate::time::UnixTime;

impl Verifier {
    /// What to write to revoke one token, given its claims as [`verify`](Self::verify) showed them.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`](crate::ErrorCode::OptionInvalid) when revocation is not configured, when the claims
    /// have no `jti`, or when their `iss` is not one that this verifier accepts: the entry would never be read.
    pub fn revoke_token(&self, claims: &Value, now: UnixTime) -> Result<Write, Error> {
        let config = self.revocation_config()?;
        let text = |name| claims.get(name).and_then(Value::as_str);
        let jti =
            text("jti").ok_or_else(|| Error::option("claims", "be those of a token, with a jti that is a string"))?;
        let issuer = match text("iss") {
            Some(issuer) => self.issuer_of_entries("claims.iss", Some(issuer))?,
            None => "",
        };
        let expiration = claims.get("exp").and_then(Value::as_f64).and_then(|exp| UnixTime::from_seconds(exp).ok());
        Ok(config.revoke_token(issuer, jti, expiration, now))
    }

    /// What to write to revoke every token of a session. `issuer` may be left out where the verifier accepts exactly
    /// one.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`](crate::ErrorCode::OptionInvalid) when revocation is not configured, `sid` is empty,
    /// or the issuer is needed or not one that this verifier accepts.
    pub fn revoke_session(&self, sid: &str, issuer: Option<&str>) -> Result<Write, Error> {
        let config = self.revocation_config()?;
        let issuer = self.issuer_of_entries("issuer", issuer)?;
        Ok(config.revoke_session(issuer, named("sid", sid)?))
    }

    /// The key to read before [`revoke_subject`](Self::revoke_subject).
    ///
    /// # Errors
    /// As [`revoke_session`](Self::revoke_session), for `sub`.
    pub fn subject_key(&self, sub: &str, issuer: Option<&str>) -> Result<String, Error> {
        self.revocation_config()?;
        let issuer = self.issuer_of_entries("issuer", issuer)?;
        Ok(Kind::Subject.key(issuer, named("sub", sub)?))
    }

    /// What to write to revoke tokens of a subject. `existing` is what the store holds under
    /// [`subject_key`](Self::subject_key); the new entry is never weaker. Two hosts that do this at the same moment can
    /// still lose one of the two changes in a store that cannot compare and swap.
    ///
    /// # Errors
    /// As [`revoke_session`](Self::revoke_session), for `sub`.
    pub fn revoke_subject(
        &self,
        sub: &str,
        issuer: Option<&str>,
        cut: SubjectCut,
        existing: Option<&str>,
        now: UnixTime,
    ) -> Result<Write, Error> {
        let config = self.revocation_config()?;
        let issuer = self.issuer_of_entries("issuer", issuer)?;
        Ok(config.revoke_subject(issuer, named("sub", sub)?, cut, existing, now))
    }

    fn revocation_config(&self) -> Result<&RevocationConfig, Error> {
        self.revocation
            .as_ref()
            .ok_or_else(|| Error::option("revocation", "be configured before anything can be revoked"))
    }

    /// Entries are found by the `iss` of the tokens, so one for another issuer would be written in vain.
    fn issuer_of_entries<'a>(&'a self, option: &str, given: Option<&'a str>) -> Result<&'a str, Error> {
        let mut configured: Vec<&str> = Vec::new();
        for issuer in self.sources.iter().filter_map(|source| source.policy.issuer.as_ref()).flatten() {
            configured.push(issuer);
        }
        match (given, configured.as_slice()) {
            (Some(given), []) => Ok(given),
            (Some(given), all) if all.contains(&given) => Ok(given),
            (Some(_), _) => Err(Error::option(option, "be an issuer that the verifier accepts")),
            (None, [only]) => Ok(only),
            (None, _) => {
                Err(Error::option(option, "be given, because the verifier does not accept exactly one issuer"))
            }
        }
    }
}

fn named<'a>(option: &str, identifier: &'a str) -> Result<&'a str, Error> {
    if identifier.is_empty() { Err(Error::option(option, "not be empty")) } else { Ok(identifier) }
}
