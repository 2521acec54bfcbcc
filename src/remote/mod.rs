//! JSON Web Key Sets that an issuer publishes at a URL (RFC 7517 section 5, RFC 8414 section 2 `jwks_uri`): when one is to
//! be fetched, what an answer means, how long its keys count, and what may be kept elsewhere. Nothing here fetches: the host
//! asks a [`RemoteSet`] what it needs, brings the answer, and says what time it is.
//!
//! | the copy is | a key that it has | a key that it does not have |
//! |---|---|---|
//! | not there, or past `max_age + stale_if_error` | fetched first | fetched first |
//! | fresh | used | fetched for, once per `cooldown` for all that are unknown together |
//! | in the last fifth of its life | used, and fetched again meanwhile | as above |
//! | past its life | fetched, waited for no longer than [`PATIENCE`], then used | fetched first |
//!
//! After a failure nothing is fetched for 1, 2, 4 … seconds, up to `cooldown`, and known keys wait for no fetch for some time.

mod absent;
mod answer;
mod copy;
mod freshness;
mod set;

pub use answer::{Answer, Failure};
pub use set::{Lookup, Need, RemoteSet, Restored};

use crate::error::Error;
use crate::origin::Origin;

/// How long a token whose key is known waits for a set that is past its life, in seconds.
pub const PATIENCE: u32 = 1;

/// The oldest copy that is taken from a store, in seconds since it was fetched.
pub const MAX_RESTORED_AGE: u32 = 86_400;

/// The longest URL, in bytes.
const MAX_URL_LENGTH: usize = 2048;

/// What bounds a remote set. Durations are seconds.
#[derive(Clone)]
pub struct RemoteConfig {
    /// How long a fetch may take, above 0 and at most 60; fractions are allowed.
    pub timeout: f64,
    /// The least time between two fetches for keys that are not in the set, 1 to 86400; and the longest pause after failures.
    pub cooldown: u32,
    /// An answer is fresh at least so long, whatever it says, 1 to `max_age`.
    pub min_age: u32,
    /// An answer is fresh at most so long, up to 86400; also if it does not say.
    pub max_age: u32,
    /// How much longer its keys are used while no better answer can be had, up to 86400.
    pub stale_if_error: u32,
    /// The longest answer, in bytes, 1 to 1048576.
    pub max_bytes: u32,
    /// The most keys of an answer, usable or not, 1 to 1000.
    pub max_keys: u32,
    /// Authenticates copies in a store, at least 32 bytes; without it a copy is only checked for damage.
    pub secret: Option<String>,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            timeout: 5.0,
            cooldown: 30,
            min_age: 60,
            max_age: 600,
            stale_if_error: 14_400,
            max_bytes: 1 << 18,
            max_keys: 100,
            secret: None,
        }
    }
}

impl RemoteConfig {
    fn validate(&self) -> Result<(), Error> {
        const DAY: u32 = 86_400;
        if !(self.timeout > 0.0 && self.timeout <= 60.0) {
            return Err(Error::option("timeout", "be a number of seconds above 0 and at most 60"));
        }
        for (name, value, least, most) in [
            ("cooldown", self.cooldown, 1, DAY),
            ("maxAge", self.max_age, 1, DAY),
            ("minAge", self.min_age, 1, self.max_age),
            ("staleIfError", self.stale_if_error, 0, DAY),
            ("maxBytes", self.max_bytes, 1, 1 << 20),
            ("maxKeys", self.max_keys, 1, 1000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::option(name, &format!("be a whole number from {least} to {most}")));
            }
        }
        if self.secret.as_ref().is_some_and(|secret| secret.len() < 32) {
            return Err(Error::option("cache.secret", "have at least 32 characters, drawn at random"));
        }
        Ok(())
    }
}

impl core::fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RemoteConfig").field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// The host of a URL from which keys may be fetched, with its port if it has one.
///
/// Whoever can change what is on the way chooses the keys, so it is `https`, and `http` to this machine alone. What looks
/// like a user, a fragment or another host to some reader is refused.
fn host(url: &str) -> Result<String, Error> {
    let plain = url.len() <= MAX_URL_LENGTH && url.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'\\');
    let origin = Origin::of_url(url).filter(|_| plain && !url.contains('#'));
    let host = origin.as_ref().map(Origin::as_str);
    let host = host.and_then(|text| text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")));
    host.map(str::to_owned).ok_or_else(|| {
        Error::option(
            "url",
            "be an absolute https URL (http for a loopback host alone) without user name, password and fragment",
        )
    })
}
