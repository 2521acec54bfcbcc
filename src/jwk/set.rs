//! Sets of verifying keys, and the choice of the one that a token is verified with.

use serde_json::Value;

use super::{PublicJwk, invalid};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::jws::{ProtectedHeader, VerifyingKey};
use crate::secret::forget;

/// The most keys, usable or not, that a set may have.
pub const MAX_KEYS: usize = 1000;

/// The longest text of a set, in bytes: a thousand keys of 4096 bits have about 800,000.
pub const MAX_SET_LENGTH: usize = 1 << 20;

/// At least one verifying key, or [none yet](KeySet::pending).
#[derive(Clone, Debug)]
pub struct KeySet(Vec<VerifyingKey>);

/// Why a text is no set that an issuer may publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublishedFault {
    /// It is not strict JSON.
    Json,
    /// It is not an object with an array `keys`.
    Form,
    /// It has more keys than were allowed.
    Count,
    /// A private or symmetric key is among them.
    Private,
    /// No key that can be used is among them.
    Empty,
}

impl KeySet {
    /// Reads one JWK, a JWK Set (RFC 7517 section 5), a PEM text, or an array of these.
    ///
    /// Entries of a JWK Set that cannot be used are skipped, as RFC 7517 section 5 asks; any other key that cannot be
    /// used is an error.
    ///
    /// # Errors
    /// [`ErrorCode::KeySetEmpty`] when no usable key is left, [`ErrorCode::KeyInvalid`] when there are more than
    /// [`MAX_KEYS`], and what [`PublicJwk::from_value`] reports.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let mut reader = SetReader { keys: Vec::new(), seen: 0 };
        match value {
            Value::Array(sources) => sources.iter().try_for_each(|source| reader.source(source))?,
            source => reader.source(source)?,
        }
        if reader.keys.is_empty() {
            return Err(Error::new(
                ErrorCode::KeySetEmpty,
                "The key set holds no usable key: a public P-256 or RSA key for signatures.",
            ));
        }
        Ok(Self(reader.keys))
    }

    /// Reads a JWK or JWK Set from JSON text of at most [`MAX_SET_LENGTH`] bytes, strictly: a member that stands twice is
    /// an error.
    ///
    /// # Errors
    /// As [`KeySet::from_value`].
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        if text.len() > MAX_SET_LENGTH {
            return Err(invalid("The key set is longer than 1 MiB."));
        }
        let mut value =
            json::parse_value(text).map_err(|fault| invalid(format!("The key set {}.", fault.describe())))?;
        let set = Self::from_value(&value);
        forget(&mut value);
        set
    }

    /// The keys of an issuer whose set is to be fetched: there are none, and every token is refused with
    /// [`ErrorCode::KeySetUnavailable`] until [`Verifier::set_keys`](crate::jwt::Verifier::set_keys) is called.
    #[must_use]
    pub fn pending() -> Self {
        Self(Vec::new())
    }

    /// Reads what an issuer publishes: a JWK Set and nothing else. Keys that cannot be used are skipped, but a private one
    /// refuses them all.
    pub(crate) fn published(text: &[u8], max_keys: usize) -> Result<Self, PublishedFault> {
        let value = json::parse_value(text).map_err(|_| PublishedFault::Json)?;
        let Some(Value::Array(entries)) = value.get("keys") else { return Err(PublishedFault::Form) };
        if entries.len() > max_keys {
            return Err(PublishedFault::Count);
        }
        let mut keys = Vec::with_capacity(entries.len());
        for entry in entries {
            match PublicJwk::from_value(entry) {
                Ok(jwk) => keys.push(VerifyingKey::from_jwk(&jwk)),
                Err(error) if error.code() == ErrorCode::KeyPrivate => return Err(PublishedFault::Private),
                Err(_) => {}
            }
        }
        if keys.is_empty() { Err(PublishedFault::Empty) } else { Ok(Self(keys)) }
    }

    /// Puts keys of an older set in the place of equal ones, which have what makes their next verification fast.
    pub(crate) fn keep(&mut self, older: &Self) {
        for key in &mut self.0 {
            if let Some(same) =
                older.0.iter().find(|old| old.thumbprint() == key.thumbprint() && old.kid() == key.kid())
            {
                *key = same.clone();
            }
        }
    }

    /// Whether a key of the set would be tried for this `kid`.
    pub(crate) fn names(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid().is_none_or(|own| own == kid))
    }

    /// The keys, in the order in which they stood.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }

    /// Chooses the one key for a token.
    ///
    /// With `kid`: the keys that have it as their own, and of those without an own `kid` the one that has it as its
    /// thumbprint; when there are none, the keys without an own `kid`. Without `kid`: all keys. Of these, the one for
    /// the algorithm that the header names.
    ///
    /// # Errors
    /// [`ErrorCode::AlgorithmNotAllowed`] when `algorithms` or the candidate keys exclude the header's algorithm,
    /// [`ErrorCode::KeySetUnavailable`] when the keys are pending, [`ErrorCode::KeyNotFound`] and [`ErrorCode::KeyAmbiguous`] when there is not exactly one key.
    pub fn select(&self, header: &ProtectedHeader, algorithms: &[Algorithm]) -> Result<&VerifyingKey, Error> {
        let algorithm = Algorithm::from_name(header.alg())
            .filter(|algorithm| algorithms.contains(algorithm))
            .ok_or_else(|| not_allowed("The token's algorithm is not allowed; see the algorithms option."))?;
        if self.0.is_empty() {
            let message = "The keys of the token's issuer have not been loaded; ready() says why.";
            return Err(Error::new(ErrorCode::KeySetUnavailable, message));
        }
        let named = |key: &&VerifyingKey| header.kid().is_none_or(|kid| key.kid().unwrap_or(key.thumbprint()) == kid);
        let any_named = self.0.iter().any(|key| named(&key));
        let candidates = self.0.iter().filter(|key| if any_named { named(key) } else { key.kid().is_none() });
        let mut fitting = candidates.clone().filter(|key| key.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorCode::KeyAmbiguous,
                "More than one key fits the token; give each key of the set its own kid, and tokens the kid.",
            )),
            (None, _) if candidates.count() == 0 => {
                Err(Error::new(ErrorCode::KeyNotFound, "No key of the set has the token's kid."))
            }
            (None, _) => Err(not_allowed("The key that the token names is for another algorithm.")),
        }
    }
}

/// The keys of a JWK Set to publish (RFC 7517 section 5): of every key its public half, with `kid`, `use` and `alg`. Takes what
/// [`KeySet::from_value`] takes, and private keys. A key that cannot be used is an error here, in a set as well: it is the
/// publisher's own.
///
/// # Errors
/// What [`PublicJwk::half_of`] reports, and [`ErrorCode::KeyInvalid`] for more than [`MAX_KEYS`] and for two keys of one
/// `kid`, which no verifier could choose between.
pub fn publish(value: &Value) -> Result<Vec<Value>, Error> {
    let mut keys = Vec::new();
    match value {
        Value::Array(sources) => sources.iter().try_for_each(|source| publish_source(source, &mut keys))?,
        source => publish_source(source, &mut keys)?,
    }
    Ok(keys)
}

fn publish_source(value: &Value, keys: &mut Vec<Value>) -> Result<(), Error> {
    if let Some(Value::Array(entries)) = value.get("keys") {
        return entries.iter().try_for_each(|entry| publish_key(entry, keys));
    }
    publish_key(value, keys)
}

fn publish_key(value: &Value, keys: &mut Vec<Value>) -> Result<(), Error> {
    add_published(&PublicJwk::half_of(value)?, keys)
}

/// Adds a key to those of a set to publish.
pub(crate) fn add_published(key: &PublicJwk, keys: &mut Vec<Value>) -> Result<(), Error> {
    let jwk = key.to_value();
    if keys.len() >= MAX_KEYS {
        return Err(too_many());
    }
    if keys.iter().any(|other| other.get("kid") == jwk.get("kid")) {
        return Err(invalid("Two keys have the same kid: give each key of the set its own."));
    }
    keys.push(jwk);
    Ok(())
}

fn too_many() -> Error {
    invalid("The key set holds more than 1000 keys.")
}

fn not_allowed(message: &'static str) -> Error {
    Error::new(ErrorCode::AlgorithmNotAllowed, message)
}

struct SetReader {
    keys: Vec<VerifyingKey>,
    seen: usize,
}

impl SetReader {
    fn source(&mut self, value: &Value) -> Result<(), Error> {
        if let Value::String(pem) = value {
            return self.add(PublicJwk::from_pem(pem));
        }
        match value.get("keys") {
            Some(Value::Array(entries)) => {
                for entry in entries {
                    self.count()?;
                    // RFC 7517 section 5: implementations should ignore keys that they cannot use.
                    if let Ok(jwk) = PublicJwk::from_value(entry) {
                        self.keys.push(VerifyingKey::from_jwk(&jwk));
                    }
                }
                Ok(())
            }
            Some(_) => Err(invalid("The keys member of a JWK Set must be an array.")),
            None => self.add(PublicJwk::from_value(value)),
        }
    }

    fn add(&mut self, jwk: Result<PublicJwk, Error>) -> Result<(), Error> {
        self.count()?;
        self.keys.push(VerifyingKey::from_jwk(&jwk?));
        Ok(())
    }

    fn count(&mut self) -> Result<(), Error> {
        self.seen += 1;
        if self.seen > MAX_KEYS { Err(too_many()) } else { Ok(()) }
    }
}
