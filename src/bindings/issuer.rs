//! The issuer: claims in, token out; or what a key outside the module has to sign.

use js_sys::Uint8Array;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::keys::{self, ALGORITHMS};
use super::options::{Fields, invalid};
use super::value::{CLAIMS_DEPTH, read_object};
use super::{random, text};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwk::PublicJwk;
use crate::jws::{SigningKey, VerifyingKey};
use crate::jwt::issue::{Issuer, IssuerConfig, Overrides, SigningInput};
use crate::time::UnixTime;

/// How long a token lives where nothing else is said, in seconds.
const DEFAULT_EXPIRES_IN: u32 = 900;

/// An issuer and its key, or what is known of a key that signs elsewhere.
#[wasm_bindgen]
pub struct CoreIssuer {
    issuer: Issuer,
    key: Key,
    kid: Option<String>,
}

enum Key {
    Here(Box<SigningKey>),
    /// With its public half, where that is known.
    Elsewhere(Option<PublicJwk>),
}

#[wasm_bindgen]
impl CoreIssuer {
    /// Makes an issuer from its options and either a key or the description of one that signs elsewhere.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, key: &JsValue, host: &JsValue) -> Result<Self, Error> {
        let mut fields = Fields::read(options)?;
        let kid = fields.string("kid")?;
        let (key, algorithm, own_kid) = if host.is_undefined() {
            let key = SigningKey::from_private_jwk(&keys::private_key(key)?)?;
            let (algorithm, own_kid) = (key.algorithm(), key.kid().to_owned());
            (Key::Here(Box::new(key)), algorithm, Some(own_kid))
        } else {
            elsewhere(host)?
        };
        let kid = kid.or(own_kid);
        let issuer = Issuer::new(IssuerConfig {
            issuer: fields.string("issuer")?.ok_or_else(|| invalid("issuer is required: it becomes the claim iss."))?,
            audience: fields
                .strings("audience", true)?
                .ok_or_else(|| invalid("audience is required: it becomes the claim aud."))?,
            expires_in: fields.whole("expiresIn")?.unwrap_or(DEFAULT_EXPIRES_IN),
            typ: fields.string("typ")?,
            kid: kid.clone(),
            algorithm,
        })?;
        fields.finish()?;
        Ok(Self { issuer, key, kid })
    }

    /// Issues a token with a key that is held here.
    pub fn issue(&self, claims: &JsValue, options: &JsValue, clock: &JsValue) -> Result<String, Error> {
        let Key::Here(key) = &self.key else {
            return Err(Error::new(ErrorCode::Internal, "This issuer's key signs elsewhere."));
        };
        let (overrides, now) = call_options(options, clock)?;
        self.issuer.issue(key, claims_to_issue(claims)?, &overrides, now, &random::bytes()?)
    }

    /// Prepares a token for a key that signs elsewhere.
    pub fn prepare(&self, claims: &JsValue, options: &JsValue, clock: &JsValue) -> Result<CoreSigningInput, Error> {
        let (overrides, now) = call_options(options, clock)?;
        let input = self.issuer.prepare(claims_to_issue(claims)?, &overrides, now, &random::bytes()?)?;
        let check_with = match &self.key {
            Key::Here(key) => Some(key.verifying_key()),
            Key::Elsewhere(public) => public.as_ref().map(VerifyingKey::from_jwk),
        };
        Ok(CoreSigningInput { input: Some(input), check_with })
    }

    /// The public key as a JWK Set in JSON.
    pub fn jwks(&self) -> Result<String, Error> {
        let public = match &self.key {
            Key::Here(key) => Some(key.public_jwk()),
            Key::Elsewhere(public) => public.as_ref(),
        };
        let public = public.ok_or_else(|| {
            let message =
                "The public half of this key is not known here: give publicKey beside sign, or an extractable key.";
            Error::new(ErrorCode::KeyUnsupported, message)
        })?;
        let mut jwk = public.to_value();
        // What is published must carry the name that the tokens carry.
        if let (Some(members), Some(kid)) = (jwk.as_object_mut(), &self.kid) {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        Ok(format!("{{\"keys\":[{}]}}", json::write(&jwk)))
    }
}

fn elsewhere(host: &JsValue) -> Result<(Key, crate::jwa::Algorithm, Option<String>), Error> {
    let mut fields = Fields::read_under("key.", host)?;
    let algorithm = fields
        .word("alg", &ALGORITHMS)?
        .ok_or_else(|| invalid("key.alg is required beside sign: \"ES256\" or \"RS256\"."))?;
    let kid = fields.string("kid")?;
    let public = fields.value("publicKey").map(|jwk| PublicJwk::from_value(&jwk)).transpose()?;
    fields.finish()?;
    if public.as_ref().is_some_and(|public| public.algorithm() != algorithm) {
        return Err(invalid("key.publicKey is not a key for key.alg."));
    }
    let own = public.as_ref().map(|jwk| jwk.kid().map_or_else(|| jwk.thumbprint(), str::to_owned));
    Ok((Key::Elsewhere(public), algorithm, kid.or(own)))
}

fn claims_to_issue(claims: &JsValue) -> Result<Value, Error> {
    read_object(claims, "claims", CLAIMS_DEPTH, ErrorCode::IssueClaims).map(Value::Object)
}

fn call_options(options: &JsValue, clock: &JsValue) -> Result<(Overrides, UnixTime), Error> {
    let mut fields = Fields::read(options)?;
    let now = text::now(&mut fields, clock)?;
    let overrides = Overrides { expires_in: fields.whole("expiresIn")?, typ: fields.string("typ")? };
    fields.finish()?;
    Ok((overrides, now))
}

/// A token that waits for its signature.
#[wasm_bindgen]
pub struct CoreSigningInput {
    input: Option<SigningInput>,
    check_with: Option<VerifyingKey>,
}

#[wasm_bindgen]
impl CoreSigningInput {
    /// The bytes to sign.
    pub fn bytes(&self) -> Uint8Array {
        self.input.as_ref().map_or_else(|| Uint8Array::new_with_length(0), |input| input.bytes().into())
    }

    /// The token with its signature, which is checked where the public key is known.
    pub fn finish(&mut self, signature: &Uint8Array) -> Result<String, Error> {
        /// The longest signature there is: RSA with 4096 bits.
        const LONGEST: u32 = 512;
        let finished = || Error::new(ErrorCode::Internal, "A token was finished twice.");
        let input = self.input.take().ok_or_else(finished)?;
        if signature.length() > LONGEST {
            return Err(Error::new(
                ErrorCode::SignerFailed,
                "The signing key returned more bytes than any signature has.",
            ));
        }
        input.finish(&signature.to_vec(), self.check_with.as_ref())
    }
}
