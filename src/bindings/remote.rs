//! Remote key sets: the facade fetches and stores, and is told when and what for.

use core::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, JsString};
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::options::{Fields, invalid};
use super::text::{clock, header};
use super::value::read;
use super::verifier::EntryWrite;
use crate::error::{Error, ErrorCode};
use crate::jwk::KeySet;
use crate::remote::{Answer, Failure, Lookup, Need, RemoteConfig, RemoteSet, Restored};
use crate::time::UnixTime;

/// What a copy in a store has beside the answer: URL, `ETag` and the like, in UTF-16 code units at most.
const MAX_COPY_HEAD: u32 = 4096;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** What came of a fetch or of a copy: whether the keys are others now and how many can be used; or why it failed. */
export type FetchOutcome = [changed: boolean, keys: number] | string;
";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "FetchOutcome")]
    pub type FetchOutcome;
}

/// A set at a URL. Verifiers that use it share it.
#[wasm_bindgen]
pub struct CoreRemoteSet {
    set: Rc<RefCell<RemoteSet>>,
}

#[wasm_bindgen]
impl CoreRemoteSet {
    /// Reads the URL and the options that are data.
    #[wasm_bindgen(constructor)]
    pub fn new(url: &JsValue, options: &JsValue) -> Result<Self, Error> {
        let Some(Value::String(url)) = read(url, "url", 1, ErrorCode::OptionInvalid)? else {
            return Err(invalid("url must be a string or a URL."));
        };
        let mut fields = Fields::read(options)?;
        let mut config = RemoteConfig::default();
        fields.number("timeout", &mut config.timeout)?;
        fields.whole("cooldown", &mut config.cooldown)?;
        fields.whole("maxAge", &mut config.max_age)?;
        config.min_age = config.min_age.min(config.max_age);
        fields.whole("minAge", &mut config.min_age)?;
        fields.whole("staleIfError", &mut config.stale_if_error)?;
        fields.whole("maxBytes", &mut config.max_bytes)?;
        fields.whole("maxKeys", &mut config.max_keys)?;
        if let Some(mut cache) = fields.nested("cache")? {
            cache.string("secret", &mut config.secret)?;
            cache.finish()?;
        }
        fields.finish()?;
        let set = Rc::new(RefCell::new(RemoteSet::new(&url, config)?));
        Ok(Self { set })
    }

    /// What does not change: the host of the URL, how long a fetch may take in seconds, the longest answer in bytes, and the
    /// key of the copy in a store.
    #[wasm_bindgen(unchecked_return_type = "[host: string, timeout: number, maxBytes: number, storeKey: string]")]
    pub fn facts(&self) -> Array {
        let set = self.set.borrow();
        let config = set.config();
        let (host, store_key) = (set.host().into(), set.store_key().into());
        Array::of4(&host, &config.timeout.into(), &config.max_bytes.into(), &store_key)
    }

    /// What has to be done before the first token, as [`CoreVerifier::need`](super::verifier::CoreVerifier::need).
    pub fn need(&self, clock: &JsValue) -> Result<u32, Error> {
        let now = self::clock(clock)?;
        Ok(number(self.set.borrow().need(Lookup::Found, now)))
    }

    /// An error if there are no keys to use.
    pub fn check(&self, clock: &JsValue) -> Result<(), Error> {
        let now = self::clock(clock)?;
        let set = self.set.borrow();
        set.keys(now).map(|_| ()).ok_or_else(|| set.error())
    }

    /// Notes that a fetch begins.
    pub fn begin(&self, unknown: Option<String>, clock: &JsValue) -> Result<(), Error> {
        let now = self::clock(clock)?;
        self.set.borrow_mut().begin(unknown, now);
        Ok(())
    }

    /// The value of `If-None-Match`, perhaps empty, if the fetch that has begun is still wanted.
    pub fn request(&self, clock: &JsValue) -> Result<Option<String>, Error> {
        let now = self::clock(clock)?;
        let set = self.set.borrow();
        Ok(set.is_wanted(now).then(|| set.etag().unwrap_or_default().to_owned()))
    }

    /// Ends a fetch that is not wanted.
    pub fn end(&self) {
        self.set.borrow_mut().end();
    }

    /// Whether the fetch that has begun should have ended, or been noticed by its waiters.
    pub fn overdue(&self, clock: &JsValue) -> Result<bool, Error> {
        let now = self::clock(clock)?;
        Ok(self.set.borrow().is_overdue(now))
    }

    /// Gives up a fetch of which nothing is heard.
    pub fn abandon(&self, clock: &JsValue) -> Result<(), Error> {
        let now = self::clock(clock)?;
        self.set.borrow_mut().abandon(now);
        Ok(())
    }

    /// Takes an answer. The headers are `Content-Type`, `Cache-Control`, `Age` and `ETag`.
    pub fn answered(&self, status: u16, headers: &Array, body: &[u8], clock: &JsValue) -> Result<FetchOutcome, Error> {
        let now = self::clock(clock)?;
        let mut texts = [const { None }; 4];
        for (place, index) in texts.iter_mut().zip(0..) {
            // What is no header that anybody sends counts as none.
            *place = header(&headers.get(index), ErrorCode::KeySetUnavailable).unwrap_or_default();
        }
        let [content_type, cache_control, age, etag] = texts.each_ref().map(Option::as_deref);
        let answer = Answer { status, content_type, cache_control, age, etag, body };
        let outcome = self.set.borrow_mut().answered(&answer, now);
        Ok(outcome.map_or_else(reason, |changed| self.usable(changed, now)))
    }

    /// Notes that nothing came, in time or at all.
    pub fn failed(&self, timed_out: bool, clock: &JsValue) -> Result<FetchOutcome, Error> {
        let now = self::clock(clock)?;
        let failure = if timed_out { Failure::Timeout } else { Failure::Network };
        self.set.borrow_mut().failed(failure, now);
        Ok(reason(failure))
    }

    /// The copy to store, or to keep in this process.
    pub fn stored(&self, in_process: bool) -> Option<EntryWrite> {
        let set = self.set.borrow();
        let (text, ttl) = set.stored(in_process)?;
        Some(Array::of3(&set.store_key().into(), &text.into(), &ttl.into()).unchecked_into())
    }

    /// Takes what a store holds; nothing comes of what is no copy that could be used.
    pub fn restore(&self, text: &JsValue, clock: &JsValue) -> Result<Option<FetchOutcome>, Error> {
        let now = self::clock(clock)?;
        let longest = self.set.borrow().config().max_bytes.saturating_add(MAX_COPY_HEAD);
        let text = text.dyn_ref::<JsString>().filter(|text| text.length() <= longest);
        let restored = text.map(|text| self.set.borrow_mut().restore(&String::from(text), now));
        Ok(match restored {
            None | Some(Restored::Refused) => None,
            Some(restored) => Some(self.usable(restored == Restored::Adopted, now)),
        })
    }

    fn usable(&self, changed: bool, now: UnixTime) -> FetchOutcome {
        let keys = self.set.borrow().keys(now).map_or(0, |(_, keys)| keys.keys().len());
        Array::of2(&changed.into(), &keys.into()).unchecked_into()
    }
}

fn reason(failure: Failure) -> FetchOutcome {
    JsValue::from_str(failure.name()).unchecked_into()
}

/// Needs as numbers.
fn number(need: Need) -> u32 {
    match need {
        Need::Nothing => 0,
        Need::Refresh => 1,
        Need::Wait => 2,
        Need::Load => 3,
    }
}

/// The sets of one verifier, each with the place of its issuer and the keys that the verifier has of it.
#[derive(Default)]
pub(super) struct Attached(Vec<(usize, Rc<RefCell<RemoteSet>>, u32)>);

impl Attached {
    pub(super) fn add(&mut self, issuer: usize, set: &CoreRemoteSet) {
        self.0.push((issuer, Rc::clone(&set.set), 0));
    }

    /// Hands on keys that have changed, or may not be used any longer.
    pub(super) fn renew(&mut self, now: UnixTime, mut replace: impl FnMut(usize, KeySet)) {
        for (issuer, set, known) in &mut self.0 {
            let set = set.borrow();
            let (version, keys) = set.keys(now).map_or((0, None), |(version, keys)| (version, Some(keys)));
            if version != *known {
                *known = version;
                replace(*issuer, keys.map_or_else(KeySet::pending, KeySet::clone));
            }
        }
    }

    /// The number of an issuer's set, and the set.
    pub(super) fn of(&self, issuer: usize) -> Option<(usize, &RefCell<RemoteSet>)> {
        let place = self.0.iter().position(|(place, ..)| *place == issuer)?;
        self.0.get(place).map(|(_, set, _)| (place, &**set))
    }
}

/// What a token needs of a set: in the lower two bits what to do, then whether its keys are stale, then the set's number.
pub(super) fn need(number_of_set: usize, set: &RemoteSet, lookup: Lookup<'_>, now: UnixTime) -> u32 {
    let place = u32::try_from(number_of_set).unwrap_or(u32::MAX);
    number(set.need(lookup, now)) | u32::from(set.is_stale(now)) << 2 | place << 3
}
