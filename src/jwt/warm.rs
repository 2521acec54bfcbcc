//! A verifier that keeps what makes the next token cheap.

use super::verify::{Desk, PendingJwt, VerifiedJwt, Verifier};
use crate::error::Error;
use crate::jwk::KeySet;
use crate::jws::cache::SignatureCache;
use crate::jws::{CacheConfig, CacheFigures, MAX_ENTRIES};
use crate::remote::Lookup;
use crate::time::UnixTime;

/// A [`Verifier`] for one thread that decides exactly as it does, and keeps for the next token:
///
/// - its buffers, so that tokens no longer than those before cost no allocation;
/// - the protected headers of the last few issuers, by how they are written, so that they are not read again;
/// - with a [`CacheConfig`], which signatures it has verified. A token that comes again is decided on as if it had not
///   come before, its time, claims, policy and revocation included: the arithmetic of its signature alone is saved, and
///   no longer than until its `exp`. The module `cache` of the sources argues why that is safe.
pub struct WarmVerifier {
    verifier: Verifier,
    desk: Desk,
    /// What was verified last, whose room the next token takes.
    last: Option<VerifiedJwt>,
}

impl WarmVerifier {
    /// Makes a verifier from one; without `cache` no signature is remembered.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`](crate::ErrorCode::OptionInvalid) when the cache is of no entry or of more than
    /// [`MAX_ENTRIES`].
    pub fn new(verifier: Verifier, cache: Option<&CacheConfig>) -> Result<Self, Error> {
        if cache.is_some_and(|config| !(1..=MAX_ENTRIES).contains(&config.max)) {
            return Err(Error::option("cache.max", "be a whole number from 1 to 65536"));
        }
        let mut desk = Desk::default();
        desk.memory.cache = cache.map(SignatureCache::new);
        Ok(Self { verifier, desk, last: None })
    }

    /// The verifier itself, which keeps nothing.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// As [`Verifier::set_keys`].
    pub fn set_keys(&mut self, issuer: usize, keys: KeySet) {
        self.verifier.set_keys(issuer, keys);
    }

    /// Whose keys the last token was to be verified with: the place of its issuer among the options, and the token's `kid`
    /// if none of them has it. `None` for a token that came to no issuer.
    #[must_use]
    pub fn last_lookup(&self) -> Option<(usize, Lookup<'_>)> {
        let lookup = self.desk.lacking.as_deref().map_or(Lookup::Found, Lookup::Absent);
        self.desk.chosen.map(|issuer| (issuer, lookup))
    }

    /// Forgets the [last lookup](Self::last_lookup), for a call that may end before there is another.
    pub fn forget_lookup(&mut self) {
        (self.desk.chosen, self.desk.lacking) = (None, None);
    }

    /// As [`Verifier::verify`].
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify(&mut self, token: &str, now: UnixTime) -> Result<&VerifiedJwt, Error> {
        if let Some(last) = self.last.take() {
            self.desk.clear(last);
        }
        let jwt = self.verifier.verify_in(token, now, &mut self.desk)?;
        Ok(self.last.insert(jwt))
    }

    /// As [`Verifier::begin`].
    ///
    /// # Errors
    /// As [`Verifier::begin`].
    pub fn begin(&mut self, token: &str, now: UnixTime) -> Result<PendingJwt, Error> {
        self.verifier.begin_in(token, now, &mut self.desk)
    }

    /// What the cache has done so far, if there is one.
    #[must_use]
    pub fn cache_figures(&self) -> Option<CacheFigures> {
        self.desk.memory.cache.as_ref().map(SignatureCache::figures)
    }
}

impl core::fmt::Debug for WarmVerifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WarmVerifier").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}
