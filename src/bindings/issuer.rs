//! The issuer: claims in, token out; or what a key outside the module has to sign.

use js_sys::Uint8Array;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::keys::{ALGORITHMS, KeyParts};
use super::options::{Fields, invalid};
use super::value::{CLAIMS_DEPTH, read_object};
use super::{random, text};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::jwk::PublicJwk;
use crate::jws::{SigningKey, VerifyingKey};
use crate::jwt::issue::{Issuer, IssuerConfig, Overrides, SigningInput};
use crate::time::UnixTime;

/// How long a token lives where nothing else is said, in seconds.
const DEFAULT_EXPIRES_IN: u32 = 900;

/// A key that signs tokens, or what is known of one that signs elsewhere.
pub(super) struct TokenSigner {
    key: Key,
    kid: Option<String>,
}

enum Key {
    Here(Box<SigningKey>),
    /// With its public half, where that is known.
    Elsewhere(Algorithm, Option<PublicJwk>),
}

/// A token, or what a key outside the module has to sign for it.
pub(super) enum Issued {
    Token(String),
    Input(CoreSigningInput),
}

impl TokenSigner {
    /// Reads either a key or the description of one that signs elsewhere; `kid` replaces its own name.
    pub(super) fn read(key: &KeyParts, host: &JsValue, kid: Option<String>) -> Result<Self, Error> {
        let (key, own) = if host.is_undefined() {
            let key = SigningKey::from_private_jwk(&key.private()?)?;
            let own = key.kid().to_owned();
            (Key::Here(Box::new(key)), Some(own))
        } else {
            elsewhere(host)?
        };
        Ok(Self { key, kid: kid.or(own) })
    }

    /// An issuer whose tokens the key signs.
    pub(super) fn issuer(
        &self,
        issuer: String,
        audience: Vec<String>,
        expires_in: u32,
        typ: Option<String>,
    ) -> Result<Issuer, Error> {
        let algorithm = match &self.key {
            Key::Here(key) => key.algorithm(),
            Key::Elsewhere(algorithm, _) => *algorithm,
        };
        Issuer::new(IssuerConfig { issuer, audience, expires_in, typ, kid: self.kid.clone(), algorithm })
    }

    pub(super) fn issue(
        &self,
        issuer: &Issuer,
        claims: Value,
        overrides: &Overrides,
        now: UnixTime,
        random: &[u8; 16],
    ) -> Result<Issued, Error> {
        match &self.key {
            Key::Here(key) => issuer.issue(key, claims, overrides, now, random).map(Issued::Token),
            Key::Elsewhere(_, public) => {
                let input = issuer.prepare(claims, overrides, now, random)?;
                let check_with = public.as_ref().map(VerifyingKey::from_jwk);
                Ok(Issued::Input(CoreSigningInput { input: Some(input), check_with }))
            }
        }
    }

    /// The public key, under the name that the tokens carry.
    pub(super) fn public_jwk(&self) -> Result<Value, Error> {
        let public = match &self.key {
            Key::Here(key) => Some(key.public_jwk()),
            Key::Elsewhere(_, public) => public.as_ref(),
        };
        let public = public.ok_or_else(|| {
            let message =
                "The public half of this key is not known here: give publicKey beside sign, or an extractable key.";
            Error::new(ErrorCode::KeyUnsupported, message)
        })?;
        let mut jwk = public.to_value();
        if let (Some(members), Some(kid)) = (jwk.as_object_mut(), &self.kid) {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        Ok(jwk)
    }
}

/// A JWK Set in JSON.
pub(super) fn jwk_set(keys: Vec<Value>) -> String {
    let mut set = Map::new();
    set.insert("keys".to_owned(), Value::Array(keys));
    json::write(&Value::Object(set))
}

/// An issuer and its key.
#[wasm_bindgen]
pub struct CoreIssuer {
    issuer: Issuer,
    signer: TokenSigner,
}

#[wasm_bindgen]
impl CoreIssuer {
    /// Makes an issuer from its options and either a key or the description of one that signs elsewhere.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, key: &KeyParts, host: &JsValue) -> Result<Self, Error> {
        let mut fields = Fields::read(options)?;
        let (mut kid, mut typ, mut expires_in) = (None, None, DEFAULT_EXPIRES_IN);
        fields.string("kid", &mut kid)?;
        let signer = TokenSigner::read(key, host, kid)?;
        let (issuer, audience) = issuer_and_audience(&mut fields)?;
        fields.whole("expiresIn", &mut expires_in)?;
        fields.string("typ", &mut typ)?;
        let issuer = signer.issuer(issuer, audience, expires_in, typ)?;
        fields.finish()?;
        Ok(Self { issuer, signer })
    }

    /// Issues a token with a key that is held here, or prepares it for one that signs elsewhere.
    #[wasm_bindgen(unchecked_return_type = "string | CoreSigningInput")]
    pub fn issue(&self, claims: &JsValue, options: &JsValue, clock: &JsValue) -> Result<JsValue, Error> {
        let (overrides, now) = call_options(options, clock)?;
        let issued = self.signer.issue(&self.issuer, claims_to_issue(claims)?, &overrides, now, &random::bytes()?)?;
        Ok(match issued {
            Issued::Token(token) => token.into(),
            Issued::Input(input) => input.into(),
        })
    }

    /// The public key as a JWK Set in JSON.
    pub fn jwks(&self) -> Result<String, Error> {
        Ok(jwk_set(vec![self.signer.public_jwk()?]))
    }
}

/// What every issuer has to be told.
pub(super) fn issuer_and_audience(fields: &mut Fields) -> Result<(String, Vec<String>), Error> {
    let (mut issuer, mut audience) = (None::<String>, None::<Vec<String>>);
    fields.string("issuer", &mut issuer)?;
    let issuer = issuer.ok_or_else(|| invalid("issuer is required: it becomes the claim iss."))?;
    fields.strings("audience", true, &mut audience)?;
    Ok((issuer, audience.ok_or_else(|| invalid("audience is required: it becomes the claim aud."))?))
}

fn elsewhere(host: &JsValue) -> Result<(Key, Option<String>), Error> {
    let mut fields = Fields::read_under("key.", host)?;
    let (mut algorithm, mut kid) = (None::<Algorithm>, None::<String>);
    fields.word("alg", &ALGORITHMS, &mut algorithm)?;
    let algorithm = algorithm.ok_or_else(|| invalid("key.alg is required beside sign: \"ES256\" or \"RS256\"."))?;
    fields.string("kid", &mut kid)?;
    let public = fields.value("publicKey").map(|jwk| PublicJwk::from_value(&jwk)).transpose()?;
    fields.finish()?;
    if public.as_ref().is_some_and(|public| public.algorithm() != algorithm) {
        return Err(invalid("key.publicKey is not a key for key.alg."));
    }
    let own = public.as_ref().map(|jwk| jwk.kid().map_or_else(|| jwk.thumbprint(), str::to_owned));
    Ok((Key::Elsewhere(algorithm, public), kid.or(own)))
}

fn claims_to_issue(claims: &JsValue) -> Result<Value, Error> {
    read_object(claims, "claims", CLAIMS_DEPTH, ErrorCode::IssueClaims).map(Value::Object)
}

fn call_options(options: &JsValue, clock: &JsValue) -> Result<(Overrides, UnixTime), Error> {
    let mut fields = Fields::read(options)?;
    let now = text::now(&mut fields, clock)?;
    let mut overrides = Overrides::default();
    fields.whole("expiresIn", &mut overrides.expires_in)?;
    fields.string("typ", &mut overrides.typ)?;
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
        let finished = || Error::new(ErrorCode::Internal, "A token was finished twice.");
        let input = self.input.take().ok_or_else(finished)?;
        input.finish(&signature.to_vec(), self.check_with.as_ref())
    }
}
