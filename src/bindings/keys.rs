//! Keys: generating, thumbprints, and what the host must know of the keys that it holds itself.

use js_sys::{Array, Uint8Array};
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::issuer::jwk_set;
use super::options::{Fields, invalid};
use super::random;
use super::value::{OPTIONS_DEPTH, read};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::jwk::pem::{self, PemKey};
use crate::jwk::set::add_published;
use crate::jwk::{MAX_TEXT_LENGTH, PrivateJwk, PublicJwk};
use crate::jws::SigningKey;
use crate::secret::on_clean_stack;

/// The algorithms by the names that options use.
pub(super) const ALGORITHMS: [(&str, Algorithm); 2] = [("ES256", Algorithm::Es256), ("RS256", Algorithm::Rs256)];

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/**
 * A key as the facade gives it: the members of a JWK, with any string in the place of `d`, and the text of `d`; or the bytes of
 * what a file holds.
 */
export type KeyParts = readonly [members: unknown, secret: Uint8Array | undefined];
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Array, typescript_type = "KeyParts")]
    pub type KeyParts;
}

impl KeyParts {
    /// The members of the JWK, if it is one.
    fn members(&self) -> Result<Option<Value>, Error> {
        match read(&self.get(0), "key", OPTIONS_DEPTH, ErrorCode::OptionInvalid)? {
            value @ (None | Some(Value::Object(_))) => Ok(value),
            Some(_) => Err(invalid(
                "key must be a JWK, its text, PKCS#8 in PEM or DER, a CryptoKey, or an object with alg, kid and sign.",
            )),
        }
    }

    /// Copies the secret into memory that is overwritten when it is dropped.
    fn secret(&self) -> Option<Zeroizing<Vec<u8>>> {
        let bytes: Uint8Array = self.get(1).dyn_into().ok()?;
        // One byte more than any key has, so that it is refused for its length.
        let most = u32::try_from(MAX_TEXT_LENGTH).ok()? + 1;
        Some(Zeroizing::new(bytes.subarray(0, most).to_vec()))
    }

    /// The key that it is, public or private.
    fn read(&self) -> Result<PemKey, Error> {
        match self.members()? {
            Some(members) => PemKey::from_members(&members, &|| self.secret()),
            None => pem::read(&self.secret().ok_or_else(|| invalid("key is required."))?),
        }
    }

    /// The private key that it is.
    pub(super) fn private(&self) -> Result<PrivateJwk, Error> {
        self.read()?.private()
    }

    /// The public key that it is, or whose private half it is.
    fn public_half(&self) -> Result<PublicJwk, Error> {
        self.read().map(PemKey::public_half)
    }
}

/// The public half of an RSA private key, which the host has to import and sign with; `undefined` for a key that signs in
/// here.
#[wasm_bindgen]
pub fn host_key(key: &KeyParts) -> Result<Option<String>, Error> {
    let key = key.private()?;
    Ok((key.algorithm() == Algorithm::Rs256).then(|| json::write(&key.public().to_value())))
}

/// A key pair, or `undefined` when the host has to generate it. The private half is given as text that is in the module no
/// longer.
#[wasm_bindgen(unchecked_return_type = "[publicKey: string, privateKey: string] | undefined")]
pub fn generate_key_pair(alg: &JsValue) -> Result<Option<Array>, Error> {
    let alg = read(alg, "alg", OPTIONS_DEPTH, ErrorCode::OptionInvalid)?.unwrap_or_default();
    match Fields::one_of("alg", &alg, &ALGORITHMS)? {
        Algorithm::Rs256 => Ok(None),
        Algorithm::Es256 => loop {
            let key = on_clean_stack(|| random::bytes().map(|random| SigningKey::generate(&random)))?;
            // Random bytes that are no scalar come once in 2^32 draws.
            if let Some(key) = key {
                let public = json::write(&key.public_jwk().to_value());
                break Ok(Some(Array::of2(&public.into(), &private_text(&key))));
            }
        },
    }
}

/// The private JWK of a P-256 key in JSON, or `undefined` for RSA, which the host has to convert.
#[wasm_bindgen(unchecked_return_type = "string | undefined")]
pub fn private_jwk(key: &KeyParts) -> Result<JsValue, Error> {
    let key = key.private()?;
    let here = (key.algorithm() == Algorithm::Es256).then(|| SigningKey::from_private_jwk(&key)).transpose()?;
    Ok(here.map_or(JsValue::UNDEFINED, |key| private_text(&key)))
}

/// A string that is returned would be freed as it is, and so is handed over here.
fn private_text(key: &SigningKey) -> JsValue {
    JsValue::from_str(&key.to_private_json())
}

/// The RFC 7638 thumbprint of a key in any form.
#[wasm_bindgen]
pub fn thumbprint(key: &KeyParts) -> Result<String, Error> {
    key.public_half().map(|key| key.thumbprint())
}

/// The JWK Set to publish in JSON, of one or more keys in any form.
#[wasm_bindgen]
pub fn public_jwks(#[wasm_bindgen(unchecked_param_type = "KeyParts[]")] keys: &Array) -> Result<String, Error> {
    let mut published = Vec::new();
    for key in keys.iter() {
        add_published(&key.unchecked_ref::<KeyParts>().public_half()?, &mut published)?;
    }
    Ok(jwk_set(published))
}
