//! Keys: generating, thumbprints, and what the host must know of the keys that it holds itself.

use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::*;

use super::issuer::jwk_set;
use super::options::{Fields, invalid};
use super::random;
use super::value::{OPTIONS_DEPTH, read};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::jwk::set::publish;
use crate::jwk::{PrivateJwk, PublicJwk, read_and_forget};
use crate::jws::SigningKey;

/// The algorithms by the names that options use.
pub(super) const ALGORITHMS: [(&str, Algorithm); 2] = [("ES256", Algorithm::Es256), ("RS256", Algorithm::Rs256)];

fn key_value(key: &JsValue) -> Result<Value, Error> {
    read(key, "key", OPTIONS_DEPTH, ErrorCode::OptionInvalid)?.ok_or_else(|| invalid("key is required."))
}

/// Reads a private key from a JWK or PKCS#8 PEM.
pub(super) fn private_key(key: &JsValue) -> Result<PrivateJwk, Error> {
    read_and_forget(key_value(key)?, |key| match key {
        Value::String(pem) => PrivateJwk::from_pem(pem),
        Value::Object(_) => PrivateJwk::from_value(key),
        _ => Err(invalid("key must be a private JWK, PKCS#8 PEM, a CryptoKey, or an object with alg, kid and sign.")),
    })
}

/// The public half of an RSA private key, which the host has to import and sign with; `undefined` for a key that signs in
/// here.
#[wasm_bindgen]
pub fn host_key(key: &JsValue) -> Result<Option<String>, Error> {
    let key = private_key(key)?;
    Ok((key.algorithm() == Algorithm::Rs256).then(|| json::write(&key.public().to_value())))
}

/// A key pair as JSON, or `undefined` when the host has to generate it.
#[wasm_bindgen]
pub fn generate_key_pair(alg: &JsValue) -> Result<Option<String>, Error> {
    let alg = read(alg, "alg", OPTIONS_DEPTH, ErrorCode::OptionInvalid)?.unwrap_or_default();
    match Fields::one_of("alg", &alg, &ALGORITHMS)? {
        Algorithm::Rs256 => Ok(None),
        Algorithm::Es256 => loop {
            // Random bytes that are no scalar come once in 2^32 draws.
            if let Some(key) = SigningKey::generate(&random::bytes()?) {
                let public = json::write(&key.public_jwk().to_value());
                let private = key.to_private_json();
                break Ok(Some(format!("{{\"publicKey\":{public},\"privateKey\":{}}}", private.as_str())));
            }
        },
    }
}

/// The private JWK of a P-256 key in JSON, or `undefined` for RSA, which the host has to convert.
#[wasm_bindgen]
pub fn private_jwk(key: &JsValue) -> Result<Option<String>, Error> {
    let key = private_key(key)?;
    let here = (key.algorithm() == Algorithm::Es256).then(|| SigningKey::from_private_jwk(&key)).transpose()?;
    Ok(here.map(|key| key.to_private_json().as_str().to_owned()))
}

/// The JWK Set to publish in JSON, of one or more keys in any form.
#[wasm_bindgen]
pub fn public_jwks(keys: &JsValue) -> Result<String, Error> {
    read_and_forget(key_value(keys)?, publish).map(jwk_set)
}

/// The RFC 7638 thumbprint of a key in any form.
#[wasm_bindgen]
pub fn thumbprint(key: &JsValue) -> Result<String, Error> {
    read_and_forget(key_value(key)?, PublicJwk::half_of).map(|key| key.thumbprint())
}
