//! Sessions: requests in, calls out that the facade drives step by step.

use std::rc::Rc;

use js_sys::Array;
use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::call::CoreCall;
use super::issuer::{TokenSigner, jwk_set};
use super::object::texts;
use super::options::{Fields, invalid};
use super::random;
use super::session_options::{self, SessionOptions};
use super::text::{self, Head, identifier};
use super::verifier::{AcceptedTexts, accepted, call_time, decided, planned};
use crate::encoding::{base64url, sha256};
use crate::error::{Error, ErrorCode};
use crate::jwk::KeySet;
use crate::jwt::verify::REFRESH_TOKEN_TYPE;
use crate::jwt::{Issuer, PendingJwt};
use crate::request::credentials::Source;
use crate::session::gate::session_claims;
use crate::session::token::ACCESS_TOKEN_TYPE;
use crate::session::{AppClaims, Flow, Gate, GateConfig, Randomness, RefreshToken, SessionPolicy, Task};
use crate::time::UnixTime;

/// The longest label, in bytes: a hundred of them must fit into a record.
const MAX_LABEL: usize = 100;

/// What calls of sessions share.
pub(super) struct Shared {
    pub(super) policy: SessionPolicy,
    pub(super) gate: Gate,
    pub(super) access: (Issuer, TokenSigner),
    /// Without a signer of its own it is signed with that of access tokens.
    pub(super) refresh: (Issuer, Option<TokenSigner>),
}

/// Sessions by one set of options.
#[wasm_bindgen]
pub struct CoreSessions {
    shared: Rc<Shared>,
    jwks: String,
    timeout: f64,
}

#[wasm_bindgen]
impl CoreSessions {
    /// Makes sessions from options and keys. Each of the keys is a pair: the key, or the description of one that signs
    /// elsewhere. The first signs, all verify.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, keys: &Array, refresh_keys: &Array) -> Result<Self, Error> {
        let (access_signer, public) = signers(keys)?;
        let (refresh_signer, refresh_public) = match signers(refresh_keys) {
            Ok((signer, public)) => (Some(signer), public),
            Err(_) if refresh_keys.length() == 0 => (None, public.clone()),
            Err(error) => return Err(error),
        };
        let SessionOptions { policy, issuer, audience, refresh_audience, cookies, origins, timeout } =
            session_options::read(options)?;
        let gate = Gate::new(
            GateConfig {
                keys: KeySet::from_value(&Value::Array(public.clone()))?,
                refresh_keys: KeySet::from_value(&Value::Array(refresh_public))?,
                audience: audience.clone(),
                refresh_audience: refresh_audience.clone(),
                cookies,
                origins,
            },
            &policy,
        )?;
        let typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        let access = access_signer.issuer(issuer.clone(), audience, policy.access_lifetime, typ)?;
        let typ = Some(REFRESH_TOKEN_TYPE.to_owned());
        let signer = refresh_signer.as_ref().unwrap_or(&access_signer);
        let refresh = signer.issuer(issuer, vec![refresh_audience], policy.refresh_lifetime, typ)?;
        let shared = Shared { policy, gate, access: (access, access_signer), refresh: (refresh, refresh_signer) };
        Ok(Self { shared: Rc::new(shared), jwks: jwk_set(public), timeout })
    }

    /// The public keys of access tokens as a JWK Set in JSON.
    pub fn jwks(&self) -> String {
        self.jwks.clone()
    }

    /// How long a call may wait for the session store, in seconds.
    pub fn store_timeout(&self) -> f64 {
        self.timeout
    }

    /// How long it may wait for the revocation store, in seconds.
    pub fn revocation_timeout(&self) -> f64 {
        self.shared.policy.revocation.as_ref().map_or(0.0, |revocation| revocation.timeout.as_secs_f64())
    }

    /// The two `Set-Cookie` values that remove the cookies.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn clearing(&self) -> Array {
        texts(self.shared.gate.cookies().clearing().iter().map(String::as_str))
    }

    /// Refuses a request of another site.
    pub fn check_cross_site(&self, request: &Array) -> Result<(), Error> {
        self.shared.gate.check_cross_site(&Head::read(request)?.as_head())
    }

    /// Finds and verifies the access token of a request, up to revocation.
    pub fn authenticate(
        &self,
        request: &Array,
        options: &JsValue,
        clock: &JsValue,
    ) -> Result<CoreSessionPending, Error> {
        let now = call_time(options, clock)?;
        let head = Head::read(request)?;
        let (jwt, source) = self.shared.gate.authenticate(&head.as_head(), now)?;
        Ok(CoreSessionPending { shared: self.shared.clone(), jwt: Some(jwt), source, now, checked: None })
    }

    /// A login. Of the request, where there is one, the session that it carries is ended.
    pub fn login(
        &self,
        subject: &JsValue,
        options: &JsValue,
        request: Option<Array>,
        client: &JsValue,
        clock: &JsValue,
    ) -> Result<CoreCall, Error> {
        let now = text::clock(clock)?;
        let subject = identifier("subject", subject)?;
        let mut fields = Fields::read(options)?;
        let mut label = None::<String>;
        fields.string("label", &mut label)?;
        if label.as_ref().is_some_and(|label| label.len() > MAX_LABEL || label.chars().any(char::is_control)) {
            return Err(invalid("label must be text of at most 100 bytes in UTF-8, without control characters."));
        }
        let claims = match fields.value("claims") {
            None => AppClaims::default(),
            Some(Value::Object(claims)) => AppClaims::new(claims)?,
            Some(_) => return Err(invalid("claims must be an object.")),
        };
        fields.finish()?;
        let mut before = None;
        let mut replaces = None;
        if let Some(request) = request {
            let head = Head::read(&request)?;
            if let Some(carried) = self.shared.gate.arriving(&head.as_head(), now)? {
                if carried.subject == subject {
                    replaces = Some(carried.sid);
                } else {
                    before = Some(flow(Task::End { sid: carried.sid }, carried.subject, now)?);
                }
            }
        }
        let task = Task::Login { label, client: digest(client)?, replaces, claims };
        let login = flow(task, subject, now)?;
        Ok(CoreCall::new(self.shared.clone(), before, login))
    }

    /// A refresh with the cookies of a request.
    pub fn refresh(&self, request: &Array, client: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        let now = text::clock(clock)?;
        let presented = self.shared.gate.presented(&Head::read(request)?.as_head(), now)?;
        let call = self.present(presented.token, client, now)?;
        Ok(call.with_planted(presented.others))
    }

    /// A refresh with a token that a client without cookies presents.
    pub fn refresh_with(&self, token: &JsValue, client: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        let now = text::clock(clock)?;
        let token = self.shared.gate.verified(&text::token(token)?, now)?;
        self.present(token, client, now)
    }

    /// The end of the session that a request carries; `undefined` when it carries none.
    pub fn logout(&self, request: &Array, clock: &JsValue) -> Result<Option<CoreCall>, Error> {
        let now = text::clock(clock)?;
        let head = Head::read(request)?;
        let Some(carried) = self.shared.gate.leaving(&head.as_head(), now)? else { return Ok(None) };
        self.call(Task::End { sid: carried.sid }, carried.subject, now).map(Some)
    }

    /// The end of the session of a refresh token.
    pub fn logout_with(&self, token: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        let now = text::clock(clock)?;
        let token = self.shared.gate.verified(&text::token(token)?, now)?;
        self.call(Task::End { sid: token.sid }, token.subject, now)
    }

    /// The end of one session.
    pub fn end(&self, subject: &JsValue, sid: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        let sid = identifier("sessionId", sid)?;
        self.call(Task::End { sid }, identifier("subject", subject)?, text::clock(clock)?)
    }

    /// The end of every session of a subject.
    pub fn end_all(&self, subject: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        self.call(Task::EndAll, identifier("subject", subject)?, text::clock(clock)?)
    }

    /// The revocation entries of a subject that wait to be written.
    pub fn sweep(&self, subject: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        self.call(Task::Sweep, identifier("subject", subject)?, text::clock(clock)?)
    }

    /// The live sessions of a subject.
    pub fn list(&self, subject: &JsValue, clock: &JsValue) -> Result<CoreCall, Error> {
        self.call(Task::List, identifier("subject", subject)?, text::clock(clock)?)
    }
}

impl CoreSessions {
    fn present(&self, presented: RefreshToken, client: &JsValue, now: UnixTime) -> Result<CoreCall, Error> {
        let subject = presented.subject.clone();
        self.call(Task::Refresh { presented, client: digest(client)? }, subject, now)
    }

    fn call(&self, task: Task, subject: String, now: UnixTime) -> Result<CoreCall, Error> {
        Ok(CoreCall::new(self.shared.clone(), None, flow(task, subject, now)?))
    }
}

fn flow(task: Task, subject: String, now: UnixTime) -> Result<Flow, Error> {
    let (sid, jti, jitter) = (random::bytes()?, random::bytes()?, random::bytes::<16>()?);
    let [first, second, ..] = jitter;
    let random = Randomness { sid, jti, jitter: [first, second] };
    Ok(Flow::new(task, subject, u64::try_from(now.whole_seconds()).unwrap_or(0), random))
}

/// What the host says of a client is kept as a digest: it may be personal, and may be long.
fn digest(client: &JsValue) -> Result<Option<String>, Error> {
    if client.is_undefined() {
        return Ok(None);
    }
    let digest = base64url(&sha256(identifier("client", client)?.as_bytes()));
    Ok(digest.get(..22).map(str::to_owned))
}

/// The key that signs, and the public halves of all.
fn signers(pairs: &Array) -> Result<(TokenSigner, Vec<Value>), Error> {
    let mut first = None;
    let mut public = Vec::new();
    for pair in pairs.iter() {
        let pair: Array = pair.unchecked_into();
        let signer = TokenSigner::read(pair.get(0).unchecked_ref(), &pair.get(1), None)?;
        public.push(signer.public_jwk()?);
        first.get_or_insert(signer);
    }
    first.map(|signer| (signer, public)).ok_or_else(|| invalid("keys must hold at least one key."))
}

/// An access token that passed every step but revocation.
#[wasm_bindgen]
pub struct CoreSessionPending {
    shared: Rc<Shared>,
    jwt: Option<PendingJwt>,
    source: Source,
    now: UnixTime,
    checked: Option<(String, String, u32)>,
}

#[wasm_bindgen]
impl CoreSessionPending {
    /// The revocation entries to read, all at once.
    #[wasm_bindgen(unchecked_return_type = "string[]")]
    pub fn keys(&self) -> Array {
        planned(self.jwt.as_ref())
    }

    /// Decides from the answers, in the order of the keys.
    pub fn decide(&mut self, answers: &Array) -> Result<AcceptedTexts, Error> {
        let jwt = decided(&mut self.jwt, answers)?;
        let (sid, version) = session_claims(jwt.claims())?;
        self.checked = Some((jwt.claims().subject().unwrap_or_default().into_owned(), sid, version));
        Ok(accepted(&jwt, Some(self.source)))
    }

    /// Asks the session store about the session of the token that was accepted.
    pub fn check(&mut self) -> Result<CoreCall, Error> {
        let undecided = || Error::new(ErrorCode::Internal, "A session was asked for before its token was accepted.");
        let (subject, sid, version) = self.checked.take().ok_or_else(undecided)?;
        let flow = flow(Task::Check { sid, version }, subject, self.now)?;
        Ok(CoreCall::new(self.shared.clone(), None, flow))
    }
}
