//! A call of sessions as the facade drives it: it is told what to do next, does it, and brings back what came of it.
//! Whatever is not an answer counts as a failure of the step.

use std::rc::Rc;

use js_sys::{Array, JsString};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::issuer::{CoreSigningInput, Issued};
use super::object::texts;
use super::sessions::Shared;
use super::verifier::entry;
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwt::Overrides;
use crate::session::record::MAX_RECORD;
use crate::session::{Event, Flow, Outcome, Release, Reply, Session, Step, record_key};
use crate::time::UnixTime;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a call wants done next. Whatever is brought back that is not the answer counts as a failure. */
export type CallStep =
  | [step: "read", key: string]
  | [step: "swap", key: string, expected: string | undefined, next: string, expiresAt: number]
  | [step: "sign", access: Uint8Array | undefined, refresh: Uint8Array | undefined]
  | [step: "write", entries: EntryWrite[]]
  | [step: "released", accessToken: string, refreshToken: string, sessionId: string, expiresAt: number, refreshAfter: number, setCookies: string[]]
  | [step: "ended", found: boolean]
  | [step: "sessions", json: string]
  | [step: "live"];
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "CallStep")]
    pub type CallStep;
}

/// A call.
#[wasm_bindgen]
pub struct CoreCall {
    shared: Rc<Shared>,
    /// A call that comes first, with nothing of it shown.
    before: Option<Flow>,
    flow: Flow,
    asked: Asked,
    signing: [Option<CoreSigningInput>; 2],
    tokens: [String; 2],
    cookies: Vec<String>,
    planted: usize,
    events: Vec<(String, Event)>,
    /// What is being signed.
    release: Option<Box<Release>>,
    /// How the call ended; `None` also when it ended in an error of its own.
    outcome: Option<Outcome>,
}

/// What the facade was asked for last.
#[derive(Clone, Copy)]
enum Asked {
    Start,
    Read,
    Signatures,
    Swap,
    Writes(usize),
}

impl CoreCall {
    pub(super) fn new(shared: Rc<Shared>, before: Option<Flow>, flow: Flow) -> Self {
        Self {
            shared,
            before,
            flow,
            asked: Asked::Start,
            signing: [None, None],
            tokens: [String::new(), String::new()],
            cookies: Vec::new(),
            planted: 0,
            events: Vec::new(),
            release: None,
            outcome: None,
        }
    }

    pub(super) fn with_planted(mut self, planted: usize) -> Self {
        self.planted = planted;
        self
    }
}

#[wasm_bindgen]
impl CoreCall {
    /// The claims that the access token of a refresh will have, for the application to judge.
    pub fn claims(&self) -> Option<String> {
        self.flow.claims().map(|claims| json::write(&claims))
    }

    /// Takes what came of the last step, and says the next.
    pub fn resume(&mut self, answer: &JsValue) -> Result<CallStep, Error> {
        let mut reply = self.reply(answer)?;
        loop {
            let flow = self.before.as_mut().unwrap_or(&mut self.flow);
            match flow.resume(&self.shared.policy, reply) {
                Step::Sign(release) => match self.sign(&release)? {
                    Some(step) => return Ok(step),
                    None => reply = Reply::Signed,
                },
                Step::Done(outcome) => {
                    let (subject, events) = (flow.subject().to_owned(), flow.events().to_vec());
                    self.events.extend(events.into_iter().map(|event| (subject.clone(), event)));
                    let first = self.before.take().is_some();
                    if !first || matches!(outcome, Outcome::Unavailable(_)) {
                        return self.done(outcome);
                    }
                    reply = Reply::Start;
                }
                step => return Ok(self.ask(step)),
            }
        }
    }

    /// What happened, as JSON, once the call is over, however it ended.
    pub fn events(&self) -> String {
        let mut list: Vec<Value> = Vec::new();
        for _ in 0..self.planted {
            list.push(event("duplicate-cookie", self.flow.subject(), self.flow.session(), None));
        }
        for (subject, what) in &self.events {
            list.push(match what {
                Event::ReuseDetected { sid, kind } => {
                    event("reuse-detected", subject, Some(sid), Some(("kind", kind.name().into())))
                }
                Event::SessionEnded { sid } => event("revoked", subject, Some(sid), Some(("kind", "session".into()))),
                Event::SubjectEnded => event("revoked", subject, None, Some(("kind", "subject".into()))),
                Event::RevocationPending => event("revocation-pending", subject, None, None),
            });
        }
        if let Some(Outcome::Released(release)) = &self.outcome {
            let (name, member) = if self.flow.is_login() {
                ("issued", None)
            } else {
                ("refreshed", Some(("rotated", release.rotated.into())))
            };
            list.push(event(name, self.flow.subject(), Some(&release.access.sid), member));
        }
        json::write(&Value::Array(list))
    }
}

impl CoreCall {
    fn reply(&mut self, answer: &JsValue) -> Result<Reply, Error> {
        Ok(match self.asked {
            Asked::Start => Reply::Start,
            Asked::Read => match answer.dyn_ref::<JsString>() {
                // What no record is long enough to be is not copied; that it is no record shows all the same.
                Some(text) if usize::try_from(text.length()).is_ok_and(|length| length > MAX_RECORD) => {
                    Reply::Record(Some(String::new()))
                }
                Some(text) => Reply::Record(Some(String::from(text))),
                None if answer.is_null() => Reply::Record(None),
                None => Reply::Failed,
            },
            Asked::Swap => answer.as_bool().map_or(Reply::Failed, Reply::Swapped),
            Asked::Writes(count) => match answer.dyn_ref::<Array>() {
                Some(written) => Reply::Written((0..).take(count).map(|i| written.get(i).is_truthy()).collect()),
                None => Reply::Failed,
            },
            Asked::Signatures => match answer.dyn_ref::<Array>() {
                Some(signatures) => {
                    self.finish(signatures)?;
                    Reply::Signed
                }
                None => Reply::Failed,
            },
        })
    }

    fn finish(&mut self, signatures: &Array) -> Result<(), Error> {
        for ((input, token), index) in self.signing.iter_mut().zip(&mut self.tokens).zip(0..) {
            if let Some(mut input) = input.take() {
                *token = input.finish(&signatures.get(index).unchecked_into())?;
            }
        }
        self.set_cookies()
    }

    /// Signs what can be signed here; `None` when that is all.
    fn sign(&mut self, release: &Release) -> Result<Option<CallStep>, Error> {
        let time = |seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            UnixTime::from_whole_seconds(seconds)
                .map_err(|_| Error::new(ErrorCode::ClockInvalid, "The clock gave a time beyond the year 9999."))
        };
        let lasting = |seconds| Overrides { expires_in: Some(seconds), typ: None };
        let (access, refresh) = (&release.access, &release.refresh);
        let shared = &self.shared;
        let (issuer, signer) = &shared.access;
        let made = [
            signer.issue(issuer, access.claims(), &lasting(access.lifetime), time(access.issued_at)?, &access.jti)?,
            shared.refresh.1.as_ref().unwrap_or(signer).issue(
                &shared.refresh.0,
                refresh.claims(),
                &lasting(refresh.lifetime()),
                time(refresh.issued_at)?,
                &refresh.jti(),
            )?,
        ];
        let step = Array::of1(&"sign".into());
        for ((made, token), input) in made.into_iter().zip(&mut self.tokens).zip(&mut self.signing) {
            let bytes = match made {
                Issued::Token(text) => {
                    *token = text;
                    JsValue::UNDEFINED
                }
                Issued::Input(waiting) => input.insert(waiting).bytes().into(),
            };
            step.push(&bytes);
        }
        self.release = Some(Box::new(release.clone()));
        if self.signing.iter().all(Option::is_none) {
            self.set_cookies()?;
            return Ok(None);
        }
        self.asked = Asked::Signatures;
        Ok(Some(step.unchecked_into()))
    }

    /// Makes the cookies before anything is written: tokens that are too large for one must not cost a session.
    fn set_cookies(&mut self) -> Result<(), Error> {
        let Some(release) = &self.release else { return Ok(()) };
        let now = release.access.issued_at;
        // Both live until the refresh token expires: an access token that has expired still says which session it is.
        let max_age = u32::try_from(release.refresh.expires_at.saturating_sub(now)).unwrap_or(u32::MAX);
        let [access, refresh] = &self.tokens;
        let cookies = self.shared.gate.cookies();
        self.cookies = vec![cookies.set_access(access, max_age)?.to_header()];
        // Who presented this very token has it. To set it again could only do harm: an answer that comes late would put it
        // in the place of a newer one.
        if !self.flow.presents(&release.refresh) {
            self.cookies.push(cookies.set_refresh(refresh, max_age)?.to_header());
        }
        Ok(())
    }

    fn ask(&mut self, step: Step) -> CallStep {
        let subject = self.before.as_ref().unwrap_or(&self.flow).subject();
        let key = || JsValue::from(record_key(&self.shared.policy.issuer, subject));
        let (asked, step) = match step {
            Step::Read => (Asked::Read, Array::of2(&"read".into(), &key())),
            Step::Swap { expected, next, expires_at } => {
                #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
                let expires_at = expires_at as f64;
                let step =
                    Array::of5(&"swap".into(), &key(), &JsValue::from(expected), &next.into(), &expires_at.into());
                (Asked::Swap, step)
            }
            Step::WriteEntries(writes) => {
                let entries = Array::new();
                for write in &writes {
                    entries.push(&entry(write));
                }
                (Asked::Writes(writes.len()), Array::of2(&"write".into(), &entries))
            }
            // The loop above takes these itself.
            Step::Sign(_) | Step::Done(_) => (Asked::Start, Array::new()),
        };
        self.asked = asked;
        step.unchecked_into()
    }

    fn done(&mut self, outcome: Outcome) -> Result<CallStep, Error> {
        let step = match &outcome {
            Outcome::Refused(why) => return Err((*why).into()),
            Outcome::Unavailable(part) => return Err((*part).into()),
            Outcome::Released(release) => {
                let [access, refresh] = core::mem::take(&mut self.tokens);
                #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
                let expires_at = release.access.issued_at.saturating_add(release.access.lifetime.into()) as f64;
                let step = Array::of5(
                    &"released".into(),
                    &access.into(),
                    &refresh.into(),
                    &release.access.sid.as_str().into(),
                    &expires_at.into(),
                );
                step.push(&release.refresh_after.into());
                step.push(&texts(self.cookies.iter().map(String::as_str)));
                step
            }
            Outcome::Ended { found } => Array::of2(&"ended".into(), &(*found).into()),
            Outcome::Sessions(sessions) => {
                let list = json::write(&sessions.iter().map(listed).collect());
                Array::of2(&"sessions".into(), &list.into())
            }
            Outcome::Live => Array::of1(&"live".into()),
        };
        self.outcome = Some(outcome);
        Ok(step.unchecked_into())
    }
}

/// A session as it is listed.
fn listed(session: &Session) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("sessionId", session.sid.as_str().into());
    put("createdAt", session.created_at.into());
    put("refreshedAt", session.refreshed_at.into());
    put("expiresAt", session.expires_at.into());
    if let Some(label) = &session.label {
        put("label", label.as_str().into());
    }
    Value::Object(object)
}

fn event(name: &str, subject: &str, sid: Option<&str>, member: Option<(&str, Value)>) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("type", name.into());
    if let Some((name, value)) = member {
        put(name, value);
    }
    put("subject", subject.into());
    if let Some(sid) = sid {
        put("sessionId", sid.into());
    }
    Value::Object(object)
}
