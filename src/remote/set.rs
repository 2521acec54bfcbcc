//! The state of one remote set.

use super::absent::Absent;
use super::answer::{Answer, Failure};
use super::copy::{self, Kept};
use super::freshness::{Freshness, freshness};
use super::{MAX_RESTORED_AGE, PATIENCE, RemoteConfig, host};
use crate::error::{Error, ErrorCode};
use crate::jwk::KeySet;
use crate::time::UnixTime;

/// What a token asked of the set.
#[derive(Clone, Copy)]
pub enum Lookup<'a> {
    /// A key that it has, or any at all.
    Found,
    /// A key, by its `kid`, that it has not.
    Absent(&'a str),
}

/// What the host has to do before a token is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing: what is known decides.
    Nothing,
    /// Fetch, or leave it to the fetch under way, and decide meanwhile.
    Refresh,
    /// Fetch, or join the fetch under way, for [`PATIENCE`] seconds; then decide.
    Wait,
    /// Fetch, or join the fetch under way, to its end.
    Load,
}

/// What became of the text of a stored copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// It is no copy of this set, is damaged, too old, or holds no keys.
    Refused,
    /// It is a copy, but not younger than what is known.
    Known,
    /// Its keys are used now.
    Adopted,
}

/// A set of keys at a URL: what is known of it, and what to do next.
pub struct RemoteSet {
    url: String,
    host: String,
    config: RemoteConfig,
    held: Option<Held>,
    /// Grows when the keys change, and is never 0 when there are any.
    version: u32,
    absent: Absent,
    /// When the fetch under way began, and the key that it looks for.
    flight: Option<(UnixTime, Option<String>)>,
    /// When a fetch began last: any, one for an unknown key.
    began: Option<UnixTime>,
    looked: Option<UnixTime>,
    /// When a fetch under way was given up last.
    abandoned: Option<UnixTime>,
    failed: Option<Failed>,
}

struct Held {
    keys: KeySet,
    body: Vec<u8>,
    etag: Option<String>,
    fetched: UnixTime,
    /// For how long it is fresh, and for how long it is used at all.
    lifetime: u32,
    limit: u32,
    storable: bool,
}

struct Failed {
    at: UnixTime,
    count: u32,
    error: Error,
}

#[derive(Clone, Copy, PartialEq)]
enum Age {
    Fresh,
    Aging,
    Stale,
    Gone,
}

/// Whether two times are less than so many seconds apart. A clock that was set back makes nothing last longer than a clock
/// that was set forward.
pub(super) fn within(now: UnixTime, then: UnixTime, seconds: u32) -> bool {
    (now.as_seconds() - then.as_seconds()).abs() < f64::from(seconds)
}

impl RemoteSet {
    /// A set of which nothing is known yet.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`] for a URL that is not `https` (`http` to a loopback host), or has a user, a password or a
    /// fragment; and naming the first bound that is out of range.
    pub fn new(url: &str, config: RemoteConfig) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self {
            url: url.to_owned(),
            host: host(url)?,
            config,
            held: None,
            version: 0,
            absent: Absent::default(),
            flight: None,
            began: None,
            looked: None,
            abandoned: None,
            failed: None,
        })
    }

    /// The host of the URL, with its port if it has one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The bounds.
    #[must_use]
    pub fn config(&self) -> &RemoteConfig {
        &self.config
    }

    /// The keys that may be used, with a number that changes when they do; `None` when there are none, or no longer.
    #[must_use]
    pub fn keys(&self, now: UnixTime) -> Option<(u32, &KeySet)> {
        self.held.as_ref().filter(|_| self.age(now) != Age::Gone).map(|held| (self.version, &held.keys))
    }

    /// Whether the keys are past their life, and used because no others could be had.
    #[must_use]
    pub fn is_stale(&self, now: UnixTime) -> bool {
        self.age(now) == Age::Stale
    }

    /// What has to be done for a token.
    #[must_use]
    pub fn need(&self, lookup: Lookup<'_>, now: UnixTime) -> Need {
        let age = self.age(now);
        if let Some((began, _)) = self.flight.as_ref().filter(|_| !self.is_overdue(now)) {
            return match (age, lookup) {
                (Age::Gone, _) => Need::Load,
                (_, Lookup::Absent(kid)) if !self.is_absent(kid, now) => Need::Load,
                (Age::Stale, Lookup::Found) if within(now, *began, PATIENCE) && !self.has_failed_lately(now) => {
                    Need::Wait
                }
                _ => Need::Nothing,
            };
        }
        if self.failed.as_ref().is_some_and(|failed| within(now, failed.at, self.pause(failed.count))) {
            return Need::Nothing;
        }
        let recently = |then: Option<UnixTime>| then.is_some_and(|then| within(now, then, self.config.cooldown));
        match (age, lookup) {
            (Age::Gone, _) => Need::Load,
            (_, Lookup::Absent(kid)) if !recently(self.looked) && !self.is_absent(kid, now) => Need::Load,
            (Age::Stale, Lookup::Absent(_)) => Need::Load,
            // Whoever has seen the endpoint fail just now need not wait to see it again.
            (Age::Stale, Lookup::Found) if self.has_failed_lately(now) => Need::Refresh,
            (Age::Stale, Lookup::Found) => Need::Wait,
            // A fetch in the background may end with its request and say nothing.
            (Age::Aging, _) if !recently(self.began) => Need::Refresh,
            _ => Need::Nothing,
        }
    }

    /// Why there are no keys, when [`Need::Nothing`] would help: what the last fetch failed with.
    #[must_use]
    pub fn error(&self) -> Error {
        let fetched = self.failed.as_ref().map(|failed| failed.error.clone());
        fetched.unwrap_or_else(|| {
            let message = format!("The key set of {} has not been fetched.", self.host);
            Error::new(ErrorCode::KeySetUnavailable, message)
        })
    }

    /// The error of a call that cannot wait for a fetch.
    #[must_use]
    pub fn needs_async(&self) -> Error {
        let host = &self.host;
        let message = format!(
            "The key set of {host} has to be fetched, which a synchronous call cannot do; use verifyAsync, or ready() before."
        );
        Error::new(ErrorCode::KeySetNeedsAsync, message)
    }

    /// Notes that a fetch begins, for a key that the set has not if there is one.
    pub fn begin(&mut self, unknown: Option<String>, now: UnixTime) {
        self.began = Some(now);
        if unknown.is_some() {
            self.looked = Some(now);
        }
        self.flight = Some((now, unknown));
    }

    /// Whether the fetch that has begun is still wanted, now that a stored copy may have been adopted.
    #[must_use]
    pub fn is_wanted(&self, now: UnixTime) -> bool {
        let sought = self.flight.as_ref().and_then(|(_, kid)| kid.as_deref());
        let lacking = sought.is_some_and(|kid| !self.held.as_ref().is_some_and(|held| held.keys.names(kid)));
        lacking || self.age(now) != Age::Fresh
    }

    /// Ends a fetch that is not wanted any more, with nothing learnt.
    pub fn end(&mut self) {
        self.flight = None;
    }

    /// Whether a fetch that has begun goes on for longer than it may, with a store that it asked first: then nobody will
    /// hear of it any more.
    #[must_use]
    pub fn is_overdue(&self, now: UnixTime) -> bool {
        let began = self.flight.as_ref().map(|(began, _)| began.as_seconds());
        began.is_some_and(|began| (now.as_seconds() - began).abs() > self.config.timeout + 2.0)
    }

    /// Gives up a fetch of which nothing is heard any more: its request has ended, say. Another may begin at once, also for
    /// an unknown key, but not over and over.
    pub fn abandon(&mut self, now: UnixTime) {
        self.flight = None;
        if !self.abandoned.is_some_and(|then| within(now, then, self.config.cooldown)) {
            self.abandoned = Some(now);
            self.looked = None;
        }
    }

    /// The value of `If-None-Match` for a request (RFC 9110 section 13.1.2).
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.held.as_ref()?.etag.as_deref()
    }

    /// Takes an answer, and says whether the keys have changed.
    ///
    /// # Errors
    /// [`ErrorCode::KeyPrivate`], [`ErrorCode::KeySetEmpty`] or [`ErrorCode::KeySetUnavailable`], naming the host; keys that
    /// were known stay in use.
    pub fn answered(&mut self, answer: &Answer<'_>, now: UnixTime) -> Result<bool, Failure> {
        let (began, sought) = self.flight.take().unwrap_or((now, None));
        let Freshness { lifetime, storable } = freshness(answer.cache_control, answer.age, &self.config);
        let limit = lifetime.saturating_add(self.config.stale_if_error);
        let etag = answer.etag.filter(|etag| copy::is_etag(etag)).map(str::to_owned);
        let changed = match (&mut self.held, answer.status) {
            // RFC 9111 section 4.3.4; an answer of status 304 to what was not asked is a failure below.
            (Some(held), 304) if held.etag.is_some() => {
                (held.fetched, held.lifetime, held.limit, held.storable) = (began, lifetime, limit, storable);
                held.etag = etag.or_else(|| held.etag.take());
                false
            }
            _ => match answer.keys(&self.config) {
                Ok(keys) => {
                    let body = answer.body.to_vec();
                    self.hold(Held { keys, body, etag, fetched: began, lifetime, limit, storable })
                }
                Err(failure) => {
                    self.failed(failure, now);
                    return Err(failure);
                }
            },
        };
        self.failed = None;
        if let Some(kid) = sought.filter(|kid| self.held.as_ref().is_none_or(|held| !held.keys.names(kid))) {
            self.absent.add(&kid, now);
        }
        Ok(changed)
    }

    /// Notes that a fetch failed. Keys that were known stay in use.
    pub fn failed(&mut self, failure: Failure, now: UnixTime) {
        self.flight = None;
        let count = self.failed.as_ref().map_or(0, |failed| failed.count).saturating_add(1);
        self.failed = Some(Failed { at: now, count, error: failure.error(&self.host) });
    }

    /// The key under which a store keeps copies of this set.
    #[must_use]
    pub fn store_key(&self) -> String {
        copy::key(&self.url)
    }

    /// The text to store, with the seconds after which nothing will use it; `None` when there are no keys, or their issuer
    /// forbids to store them and it is not to stay in this process.
    #[must_use]
    pub fn stored(&self, in_process: bool) -> Option<(String, u32)> {
        let held = self.held.as_ref().filter(|held| held.storable || in_process)?;
        let kept = Kept {
            fetched: held.fetched.whole_seconds(),
            lifetime: held.lifetime,
            etag: held.etag.as_deref(),
            body: &held.body,
        };
        let text = copy::write(&self.url, &kept, self.config.secret.as_deref())?;
        // Workers KV takes no expiry under a minute.
        Some((text, held.limit.clamp(60, MAX_RESTORED_AGE)))
    }

    /// Takes the text of a copy from a store. It is read as strictly as an answer, and used if it is younger than what is
    /// known, not older than [`MAX_RESTORED_AGE`], and not from the future.
    pub fn restore(&mut self, text: &str, now: UnixTime) -> Restored {
        let Some(kept) = copy::read(text, &self.url, self.config.secret.as_deref()) else { return Restored::Refused };
        let Ok(fetched) = UnixTime::from_whole_seconds(kept.fetched) else { return Restored::Refused };
        let lifetime = kept.lifetime.clamp(self.config.min_age, self.config.max_age);
        let limit = lifetime.saturating_add(self.config.stale_if_error).min(MAX_RESTORED_AGE);
        // Another machine's clock may be ahead by a little.
        if fetched > now.plus(PATIENCE) || !within(now, fetched, limit) {
            return Restored::Refused;
        }
        if self.held.as_ref().is_some_and(|held| fetched <= held.fetched) {
            return Restored::Known;
        }
        let answer = Answer { status: 200, body: kept.body, ..Answer::default() };
        let Ok(keys) = answer.keys(&self.config) else { return Restored::Refused };
        let etag = kept.etag.map(str::to_owned);
        self.hold(Held { keys, body: kept.body.to_vec(), etag, fetched, lifetime, limit, storable: true });
        Restored::Adopted
    }

    /// Holds what was fetched or restored, and says whether the keys have changed.
    fn hold(&mut self, mut new: Held) -> bool {
        let changed = match &mut self.held {
            Some(old) if old.body == new.body => {
                core::mem::swap(&mut old.keys, &mut new.keys);
                false
            }
            Some(old) => {
                new.keys.keep(&old.keys);
                true
            }
            None => true,
        };
        if changed {
            self.version = self.version.wrapping_add(1).max(1);
            self.absent.clear();
        }
        self.held = Some(new);
        changed
    }

    /// Whether the last fetch failed not much longer ago than the longest pause.
    fn has_failed_lately(&self, now: UnixTime) -> bool {
        self.failed.as_ref().is_some_and(|failed| within(now, failed.at, self.config.cooldown.saturating_mul(2)))
    }

    fn is_absent(&self, kid: &str, now: UnixTime) -> bool {
        self.absent.has(kid, now, self.config.max_age)
    }

    /// For how long nothing is fetched after so many failures in a row.
    fn pause(&self, failures: u32) -> u32 {
        1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(self.config.cooldown)
    }

    fn age(&self, now: UnixTime) -> Age {
        let Some(held) = &self.held else { return Age::Gone };
        let seconds = (now.as_seconds() - held.fetched.as_seconds()).abs();
        let lifetime = f64::from(held.lifetime);
        if seconds >= f64::from(held.limit) {
            Age::Gone
        } else if seconds >= lifetime {
            Age::Stale
        } else if seconds >= lifetime * 0.8 {
            Age::Aging
        } else {
            Age::Fresh
        }
    }
}

impl core::fmt::Debug for RemoteSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RemoteSet").field("host", &self.host).field("version", &self.version).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // A kid is text of a token.
        f.write_str(match self {
            Self::Found => "Found",
            Self::Absent(_) => "Absent",
        })
    }
}
