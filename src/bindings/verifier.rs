//! The verifier: options in, texts of claims and header out.

use core::cell::RefCell;
use core::time::Duration;

use js_sys::{Array, JsString, Uint8Array, Uint32Array};
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::exchange::Exchange;
use super::object::texts;
use super::options::{Fields, invalid};
use super::random;
use super::remote::{Attached, CoreRemoteSet, need};
use super::text::{self, Head, identifier};
use super::tools::explanation;
use super::value::{CLAIMS_DEPTH, read_object};
use super::verifier_options::{VerifierOptions, options};
use crate::error::{Error, ErrorCode};
use crate::jws::CacheConfig;
use crate::jwt::verify::{PendingJwt, VerifiedJwt, Verifier};
use crate::jwt::{WarmVerifier, explain};
use crate::remote::Lookup;
use crate::request;
use crate::request::credentials::Source;
use crate::request::cross_site::{self, Origins};
use crate::revocation::{Answer, SubjectCut, Write};
use crate::time::UnixTime;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** The texts of a token that nobody has verified. */
export type TokenTexts = [claims: string, header: string];
/** The texts of a verified token, what revocation said and where the token was found. */
export type AcceptedTexts = [claims: string, header: string, revocation: string, source: string | undefined];
/** An entry to write to the revocation store. */
export type EntryWrite = [key: string, value: string, expirationTtl: number];
";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "TokenTexts")]
    pub type TokenTexts;
    #[wasm_bindgen(typescript_type = "AcceptedTexts")]
    pub type AcceptedTexts;
    #[wasm_bindgen(typescript_type = "EntryWrite")]
    pub type EntryWrite;
}

/// The longest entry that is copied, in UTF-16 code units; the core accepts no entry that comes near.
const MAX_ENTRY: u32 = 256;

/// A verifier, and what it needs to find tokens in requests.
#[wasm_bindgen]
pub struct CoreVerifier {
    // Neither is borrowed while code of the caller's can run.
    warm: RefCell<WarmVerifier>,
    remote: RefCell<Attached>,
    exchange: RefCell<Exchange>,
    store_timeout: Duration,
    cookie: Option<String>,
    origins: Origins,
}

#[wasm_bindgen]
impl CoreVerifier {
    /// Makes a verifier from its options.
    #[wasm_bindgen(constructor)]
    pub fn new(value: &JsValue, remote: &[u32]) -> Result<Self, Error> {
        let VerifierOptions { config, cache, cookie, origins } = options(value, remote)?;
        let store_timeout = config.revocation.as_ref().map_or(Duration::ZERO, |revocation| revocation.timeout);
        let verifier = Verifier::new(config)?;
        let cache = match cache {
            Some(max) => Some(CacheConfig { max, secret: random::bytes()? }),
            None => None,
        };
        let warm = RefCell::new(WarmVerifier::new(verifier, cache.as_ref())?);
        let (remote, exchange) = (RefCell::default(), RefCell::new(Exchange::new()));
        Ok(Self { warm, remote, exchange, store_timeout, cookie, origins })
    }

    /// Says which set the keys of an issuer come from.
    pub fn attach(&self, issuer: usize, set: &CoreRemoteSet) {
        self.remote.borrow_mut().add(issuer, set);
    }

    /// Takes over what has been fetched, and drops what may not be used any longer. With sets, to be called before each
    /// verification, with the time of the clock.
    pub fn renew(&self, now: f64) -> Result<(), Error> {
        let now = text::clock_seconds(now)?;
        let mut warm = self.warm.borrow_mut();
        warm.forget_lookup();
        self.remote.borrow_mut().renew(now, |issuer, keys| warm.set_keys(issuer, keys));
        Ok(())
    }

    /// What the last token needs before it is decided on: in the lower two bits 0 for nothing, 1 to refresh a set
    /// meanwhile, 2 to wait for it a while, 3 to wait to the end; then a bit that says whether its keys are stale; then the
    /// number of the set.
    pub fn need(&self, now: f64) -> Result<u32, Error> {
        let now = text::clock_seconds(now)?;
        let (warm, remote) = (self.warm.borrow(), self.remote.borrow());
        let Some((issuer, lookup)) = warm.last_lookup() else { return Ok(0) };
        Ok(remote.of(issuer).map_or(0, |(number, set)| need(number, &set.borrow(), lookup, now)))
    }

    /// The key that the last token asked for and its set has not.
    pub fn lacking(&self) -> Option<String> {
        match self.warm.borrow().last_lookup() {
            Some((_, Lookup::Absent(kid))) => Some(kid.to_owned()),
            _ => None,
        }
    }

    /// The error of a synchronous call whose token needs a fetch.
    pub fn needs_async(&self) -> JsValue {
        let (warm, remote) = (self.warm.borrow(), self.remote.borrow());
        let set = warm.last_lookup().and_then(|(issuer, _)| remote.of(issuer));
        let error = set.map(|(_, set)| set.borrow().needs_async());
        error.unwrap_or_else(|| Error::new(ErrorCode::Internal, "No set is needed.")).into()
    }

    /// Says of a token whose issuer's keys are missing why they are.
    fn explained(&self, error: Error) -> Error {
        if error.code() != ErrorCode::KeySetUnavailable {
            return error;
        }
        let (warm, remote) = (self.warm.borrow(), self.remote.borrow());
        let set = warm.last_lookup().and_then(|(issuer, _)| remote.of(issuer));
        set.map_or(error, |(_, set)| set.borrow().error())
    }

    /// The time of a call in seconds, from its options and what the clock said.
    #[expect(clippy::unused_self, reason = "a verifier that was disposed of tells no time")]
    pub fn time(&self, options: &JsValue, clock: &JsValue) -> Result<f64, Error> {
        call_time(options, clock).map(UnixTime::as_seconds)
    }

    /// Makes room for a token and gives the view to write it to.
    pub fn room(&self, token: &JsValue) -> Result<Uint8Array, Error> {
        self.exchange.borrow_mut().room(token)
    }

    /// The view of what a verification replies.
    pub fn reply(&self) -> Uint32Array {
        self.exchange.borrow().reply()
    }

    /// Verifies the token that was written, of so many bytes, at a time in seconds, without a store. If it is accepted the
    /// reply says where its texts are, otherwise `fault` says why not.
    pub fn verify(&self, length: u32, now: f64) -> bool {
        let mut exchange = self.exchange.borrow_mut();
        let exchange = &mut *exchange;
        let mut warm = self.warm.borrow_mut();
        let verified = text::clock_seconds(now).and_then(|now| warm.verify(exchange.token(length)?, now));
        let why = match verified {
            Ok(jwt) => {
                exchange.accept(jwt, None);
                return true;
            }
            Err(why) => why,
        };
        drop(warm);
        exchange.refuse(self.explained(why));
        false
    }

    /// Why the last token was refused.
    pub fn fault(&self) -> JsValue {
        self.exchange.borrow_mut().fault().into()
    }

    /// Performs every step but revocation on the token that was written, and says which entries to read.
    pub fn begin(&self, length: u32, now: f64) -> Result<CorePending, Error> {
        let now = text::clock_seconds(now)?;
        let exchange = self.exchange.borrow();
        let begun = self.warm.borrow_mut().begin(exchange.token(length)?, now);
        Ok(CorePending { jwt: Some(begun.map_err(|error| self.explained(error))?), source: None })
    }

    /// Finds the token of a request, refuses requests of other sites, and goes on as `verify` does where there is no
    /// store, with the source in the reply.
    pub fn authenticate(&self, request: &Array, now: f64) -> Result<(), Error> {
        let now = text::clock_seconds(now)?;
        let head = Head::read(request)?;
        let credential = request::credential(&head.as_head(), self.cookie.as_deref(), &self.origins)?;
        let mut warm = self.warm.borrow_mut();
        let verified = warm.verify(credential.token, now).map(|jwt| {
            self.exchange.borrow_mut().accept(jwt, Some(credential.source));
        });
        drop(warm);
        verified.map_err(|error| self.explained(error))
    }

    /// Finds the token of a request, refuses requests of other sites, and goes on as `begin` does.
    pub fn begin_authenticate(&self, request: &Array, now: f64) -> Result<CorePending, Error> {
        let now = text::clock_seconds(now)?;
        let head = Head::read(request)?;
        let credential = request::credential(&head.as_head(), self.cookie.as_deref(), &self.origins)?;
        let begun = self.warm.borrow_mut().begin(credential.token, now);
        let jwt = begun.map_err(|error| self.explained(error))?;
        Ok(CorePending { jwt: Some(jwt), source: Some(credential.source) })
    }

    /// What the cache has done: how many signatures it remembers, hits and misses. `undefined` without a cache.
    #[wasm_bindgen(unchecked_return_type = "[size: number, hits: number, misses: number] | undefined")]
    pub fn cache_figures(&self) -> JsValue {
        let Some(figures) = self.warm.borrow().cache_figures() else { return JsValue::UNDEFINED };
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "nobody counts beyond 2^53")]
        let [size, hits, misses] = [figures.size as f64, figures.hits as f64, figures.misses as f64];
        Array::of3(&size.into(), &hits.into(), &misses.into()).into()
    }

    /// Every step of verification with its outcome. `options` hold the time.
    pub fn explain(&self, token: &JsValue, options: &JsValue, clock: &JsValue) -> Result<JsValue, Error> {
        let token = text::token(token)?;
        let now = call_time(options, clock)?;
        Ok(explanation(&explain::explain(self.warm.borrow().verifier(), &token, now)))
    }

    /// Refuses a request of another site, whatever its method and whether or not it carries a token.
    pub fn check_cross_site(&self, request: &Array) -> Result<(), Error> {
        cross_site::check_always(&Head::read(request)?.as_head().provenance, &self.origins)
    }

    /// How long the host may wait for the revocation store, in seconds.
    pub fn store_timeout(&self) -> f64 {
        self.store_timeout.as_secs_f64()
    }

    /// What to write to revoke one token.
    pub fn revoke_token(&self, claims: &JsValue, clock: &JsValue) -> Result<EntryWrite, Error> {
        let now = text::clock(clock)?;
        let claims = read_object(claims, "claims", CLAIMS_DEPTH, ErrorCode::OptionInvalid)?;
        Ok(entry(&self.warm.borrow().verifier().revoke_token(&Value::Object(claims), now)?))
    }

    /// What to write to revoke every token of a session.
    pub fn revoke_session(&self, sid: &JsValue, options: &JsValue) -> Result<EntryWrite, Error> {
        let sid = identifier("sid", sid)?;
        let mut fields = Fields::read(options)?;
        let mut issuer = None::<String>;
        fields.string("issuer", &mut issuer)?;
        fields.finish()?;
        Ok(entry(&self.warm.borrow().verifier().revoke_session(&sid, issuer.as_deref())?))
    }

    /// The entry of a subject, to be read before it is revoked.
    pub fn subject_key(&self, sub: &JsValue, options: &JsValue) -> Result<String, Error> {
        let (issuer, _) = subject_cut(options)?;
        let sub = identifier("sub", sub)?;
        self.warm.borrow().verifier().subject_key(&sub, issuer.as_deref())
    }

    /// What to write to revoke tokens of a subject, given what was read: never less than what stood there.
    pub fn revoke_subject(
        &self,
        sub: &JsValue,
        options: &JsValue,
        existing: &JsValue,
        clock: &JsValue,
    ) -> Result<EntryWrite, Error> {
        let now = text::clock(clock)?;
        let sub = identifier("sub", sub)?;
        let (issuer, cut) = subject_cut(options)?;
        let existing = match answer(existing) {
            Answer::Missing => None,
            Answer::Value(text) => Some(text),
            Answer::Failed => {
                let message = "The subject's entry could not be read, and writing blindly could weaken it; try again.";
                return Err(Error::new(ErrorCode::RevocationUnavailable, message));
            }
        };
        Ok(entry(&self.warm.borrow().verifier().revoke_subject(
            &sub,
            issuer.as_deref(),
            cut,
            existing.as_deref(),
            now,
        )?))
    }
}

fn subject_cut(options: &JsValue) -> Result<(Option<String>, SubjectCut), Error> {
    let mut fields = Fields::read(options)?;
    let (mut issuer, mut before, mut version) = (None::<String>, None::<f64>, None::<u32>);
    fields.string("issuer", &mut issuer)?;
    fields.number("before", &mut before)?;
    let before = match before.map(UnixTime::from_seconds) {
        None => None,
        Some(Ok(time)) => Some(time),
        Some(Err(_)) => return Err(invalid("before must be a Date, or seconds before the year 10000.")),
    };
    fields.whole("version", &mut version)?;
    fields.finish()?;
    Ok((issuer, SubjectCut { before, version }))
}

pub(super) fn call_time(options: &JsValue, clock: &JsValue) -> Result<UnixTime, Error> {
    let mut fields = Fields::read(options)?;
    let now = text::now(&mut fields, clock)?;
    fields.finish()?;
    Ok(now)
}

pub(super) fn entry(write: &Write) -> EntryWrite {
    // At most some years of seconds: a double holds them exactly.
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
    let ttl = write.ttl_seconds as f64;
    Array::of3(&write.key.as_str().into(), &write.value.as_str().into(), &ttl.into()).unchecked_into()
}

/// A token that passed every step but revocation.
#[wasm_bindgen]
pub struct CorePending {
    jwt: Option<PendingJwt>,
    source: Option<Source>,
}

#[wasm_bindgen]
impl CorePending {
    /// The entries to read, all at once.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn keys(&self) -> Array {
        planned(self.jwt.as_ref())
    }

    /// Decides from the answers, in the order of the keys: a string is an entry, `null` is none, all else is a failure.
    pub fn decide(&mut self, answers: &Array) -> Result<AcceptedTexts, Error> {
        Ok(accepted(&decided(&mut self.jwt, answers)?, self.source))
    }
}

/// The entries to read for a token, all at once.
pub(super) fn planned(jwt: Option<&PendingJwt>) -> Array {
    texts(jwt.into_iter().flat_map(PendingJwt::plan).map(String::as_str))
}

/// Decides on a token from the answers, in the order of the keys, once.
pub(super) fn decided(jwt: &mut Option<PendingJwt>, answers: &Array) -> Result<VerifiedJwt, Error> {
    let twice = || Error::new(ErrorCode::Internal, "A decision was asked for twice.");
    let mut read = Vec::new();
    for value in answers.iter() {
        read.push(answer(&value));
    }
    jwt.take().ok_or_else(twice)?.decide(&read)
}

/// What the facade is told of a token that passed every step.
pub(super) fn accepted(jwt: &VerifiedJwt, source: Option<Source>) -> AcceptedTexts {
    let source = source.map_or(JsValue::UNDEFINED, |source| source.name().into());
    let (claims, header) = (jwt.claims().json().into(), jwt.header().json().into());
    Array::of4(&claims, &header, &jwt.revocation().name().into(), &source).unchecked_into()
}

fn answer(value: &JsValue) -> Answer {
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() <= MAX_ENTRY => Answer::Value(String::from(text)),
        None if value.is_null() => Answer::Missing,
        _ => Answer::Failed,
    }
}
