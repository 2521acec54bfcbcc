//! Why a token is accepted or refused, step by step, for the developer who holds it.
//!
//! Unlike verification, an explanation goes on after a failed step as far as it can, so that every problem shows at
//! once, and it may show the issuer, audience and type that the token names. It accepts nothing: no decision may rest
//! on it.

use super::claims::ClaimsSet;
use super::policy::Policy;
use super::verify::{Verifier, plan};
use crate::error::{Error, ErrorCode, Step};
use crate::json;
use crate::jws::compact::{CompactJws, HARD_MAX_LENGTH, Segments};
use crate::jws::{ProtectedHeader, VerifyingKey};
use crate::names::join;
use crate::time::UnixTime;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token passed it.
    Passed,
    /// The token failed it.
    Failed,
    /// It is not part of this verifier, or needs a store that an explanation does not ask.
    Skipped,
    /// An earlier failure left nothing to look at.
    NotReached,
}

impl Outcome {
    /// The name that crosses into JavaScript.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotReached => "not-reached",
        }
    }
}

/// One step of verification. Its `Debug` leaves out the detail, which may show values of the token.
#[derive(Clone)]
pub struct StepReport {
    /// Which.
    pub step: Step,
    /// How it went.
    pub outcome: Outcome,
    /// The error that verification reports for it.
    pub error: Option<Error>,
    /// What was found and what to do, in sentences. Where several rules of the step failed it names them all.
    pub detail: String,
}

/// Every step in its order, and the token's content as far as it could be read. The content is not verified.
#[derive(Clone)]
pub struct Explanation {
    /// Size, segments, header, key, signature, claims, policy, revocation.
    pub steps: Vec<StepReport>,
    /// The protected header, when it is a JSON object.
    pub header_json: Option<String>,
    /// The claims set, when it is a JSON object.
    pub claims_json: Option<String>,
}

impl core::fmt::Debug for Explanation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Explanation").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for StepReport {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StepReport")
            .field("step", &self.step)
            .field("outcome", &self.outcome)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Explains what a verifier does with a token at a time.
#[must_use]
pub fn explain(verifier: &Verifier, token: &str, now: UnixTime) -> Explanation {
    let mut report = Report(Vec::with_capacity(STEPS.len()));
    let segments = match Segments::decode(token, verifier.max_token_length) {
        Ok(segments) => segments,
        Err(error) => {
            if error.code().step() == Step::Segments {
                report.passed(Step::Size, size(token, verifier));
            }
            let detail = match error.code() {
                ErrorCode::TokenTooLarge => format!("{} {}", error.message(), size(token, verifier)),
                _ => error.message().to_owned(),
            };
            report.failed(error, detail);
            return Explanation { steps: report.finish(), header_json: None, claims_json: None };
        }
    };
    report.passed(Step::Size, size(token, verifier));
    report.passed(Step::Segments, "Three segments of base64url.".to_owned());
    let header_json = object_text(&segments.header);
    let claims_json = object_text(&segments.payload);

    let header = report.header(verifier, &segments.header);
    let payload = segments.payload.clone();
    let source = verifier.source(&payload, &mut json::Buffers::default());
    let key = match (&header, &source) {
        (Some(header), Ok((_, source))) => report.key(header, source.keys.select(header, &verifier.algorithms)),
        (Some(header), Err(error)) => report.key(header, Err(error.clone())),
        (None, _) => None,
    };
    if let (Some(header), Some(key)) = (header, key) {
        let signature = segments.signature.clone();
        report.signature(CompactJws::new(segments, header), &signature, key);
    }
    if let Some(claims) = report.claims(&payload) {
        if let Ok((_, source)) = source {
            report.policy(&source.policy, &claims, now);
        } else {
            // No issuer, so no policy of an issuer: what is common to all of them is left.
            let common = verifier.sources.first().map(|source| source.policy.clone()).unwrap_or_default();
            report.policy(&Policy { issuer: None, audience: None, ..common }, &claims, now);
        }
        report.revocation(verifier, &claims);
    }
    Explanation { steps: report.finish(), header_json, claims_json }
}

/// The protected header and the claims set of a token as JSON text, **without verifying anything**: anybody can have
/// written them. For display, never for a decision.
///
/// # Errors
/// [`ErrorCode::TokenTooLarge`] over [`HARD_MAX_LENGTH`] bytes, [`ErrorCode::TokenMalformed`],
/// [`ErrorCode::HeaderInvalid`] and [`ErrorCode::ClaimsInvalid`] when one of the two is not a strict JSON object.
pub fn decode_unverified(token: &str) -> Result<(String, String), Error> {
    let segments = Segments::decode(token, HARD_MAX_LENGTH)?;
    let read = |bytes: &[u8], code, what| match json::parse_object(bytes) {
        Ok(object) => Ok(object.text().to_owned()),
        Err(fault) => Err(Error::new(code, format!("The {what} {}.", fault.describe()))),
    };
    let header = read(&segments.header, ErrorCode::HeaderInvalid, "protected header")?;
    let claims = read(&segments.payload, ErrorCode::ClaimsInvalid, "claims set")?;
    Ok((header, claims))
}

const STEPS: [Step; 8] = [
    Step::Size,
    Step::Segments,
    Step::Header,
    Step::Key,
    Step::Signature,
    Step::Claims,
    Step::Policy,
    Step::Revocation,
];

struct Report(Vec<StepReport>);

impl Report {
    fn passed(&mut self, step: Step, detail: String) {
        self.0.push(StepReport { step, outcome: Outcome::Passed, error: None, detail });
    }

    fn failed(&mut self, error: Error, detail: String) {
        self.failed_at(error.code().step(), error, detail);
    }

    fn failed_at(&mut self, step: Step, error: Error, detail: String) {
        self.0.push(StepReport { step, outcome: Outcome::Failed, error: Some(error), detail });
    }

    /// All steps in order, those that nothing was said about as not reached.
    fn finish(mut self) -> Vec<StepReport> {
        let mut reported = |step| match self.0.iter().position(|report| report.step == step) {
            Some(at) => self.0.swap_remove(at),
            None => StepReport {
                step,
                outcome: Outcome::NotReached,
                error: None,
                detail: "Not reached, because an earlier step failed.".to_owned(),
            },
        };
        STEPS.into_iter().map(&mut reported).collect()
    }

    fn header(&mut self, verifier: &Verifier, bytes: &[u8]) -> Option<ProtectedHeader> {
        let header = match ProtectedHeader::parse(bytes, &verifier.crit) {
            Ok(header) => header,
            Err(error) => {
                let detail = error.message().to_owned();
                self.failed(error, detail);
                return None;
            }
        };
        match verifier.check_type(&header) {
            Ok(()) => {
                let member = |name: &str, value: Option<&str>| {
                    value.map_or_else(|| format!("no {name}"), |value| format!("{name} {}", quoted(value)))
                };
                let detail =
                    [member("alg", Some(header.alg())), member("kid", header.kid()), member("typ", header.typ())];
                self.passed(Step::Header, format!("It has {}.", join(&detail, ", ")));
            }
            Err(error) => {
                let says = header
                    .typ()
                    .map_or_else(|| "It has no typ".to_owned(), |typ| format!("It has typ {}", quoted(typ)));
                let asks = verifier
                    .typ
                    .as_deref()
                    .map_or_else(String::new, |typ| format!(", and typ asks for {}", quoted(typ)));
                let detail = format!("{} {says}{asks}.", error.message());
                self.failed(error, detail);
            }
        }
        Some(header)
    }

    fn key<'k>(&mut self, header: &ProtectedHeader, key: Result<&'k VerifyingKey, Error>) -> Option<&'k VerifyingKey> {
        match key {
            Ok(key) => {
                let own = key.kid().map_or_else(String::new, |kid| format!(" with kid {}", quoted(kid)));
                let name = key.algorithm().name();
                let thumbprint = key.thumbprint();
                self.passed(Step::Key, format!("Chosen is the {name} key{own}, whose thumbprint is {thumbprint}."));
                Some(key)
            }
            Err(error) => {
                let kid = header.kid().map_or_else(|| "no kid".to_owned(), |kid| format!("kid {}", quoted(kid)));
                let detail = format!("{} The header has alg {} and {kid}.", error.message(), quoted(header.alg()));
                self.failed(error, detail);
                None
            }
        }
    }

    fn signature(&mut self, jws: CompactJws<'_>, signature: &[u8], key: &VerifyingKey) {
        let length = signature.len();
        // RFC 7518 section 3.4 wants r and s; most tools other than JOSE's write a DER sequence of them.
        let looks_like_der = signature.first() == Some(&0x30) && (68..=72).contains(&length);
        let lengths = key.algorithm().signature_lengths();
        match jws.verify_signature(key) {
            Ok(_) => self.passed(Step::Signature, "The signature verifies.".to_owned()),
            Err(error) => {
                let hint = if lengths.contains(&length) {
                    "Either another key signed the token, or it was changed afterwards.".to_owned()
                } else if looks_like_der {
                    "It looks like DER; JWS wants r and s, 32 bytes each, one after the other.".to_owned()
                } else {
                    format!("It has {length} bytes, which no {} signature has.", key.algorithm().name())
                };
                let detail = format!("{} {hint}", error.message());
                self.failed_at(Step::Signature, error, detail);
            }
        }
    }

    fn claims(&mut self, payload: &[u8]) -> Option<ClaimsSet> {
        match ClaimsSet::parse(payload.to_vec()) {
            Ok(claims) => {
                self.passed(Step::Claims, format!("A strict JSON object with {} claims.", claims.iter().count()));
                Some(claims)
            }
            Err(error) => {
                let detail = error.message().to_owned();
                self.failed(error, detail);
                None
            }
        }
    }

    fn policy(&mut self, policy: &Policy, claims: &ClaimsSet, now: UnixTime) {
        let mut first = None;
        let mut details = Vec::new();
        for fault in policy.faults(claims, now) {
            details.push(elaborate(&fault, policy, claims));
            first.get_or_insert(fault);
        }
        match first {
            Some(first) => self.failed_at(Step::Policy, first, join(&details, " ")),
            None => self.passed(Step::Policy, satisfied(policy, claims, now)),
        }
    }

    fn revocation(&mut self, verifier: &Verifier, claims: &ClaimsSet) {
        let detail = if verifier.revocation.is_none() {
            "No revocation store is configured.".to_owned()
        } else {
            match plan(claims) {
                Ok(plan) => {
                    format!("The store is not asked here; verifyAsync reads {} entries of it.", plan.keys().len())
                }
                Err(error) => {
                    let detail = format!("{} Without it the token could not be revoked.", error.message());
                    self.failed_at(Step::Revocation, error, detail);
                    return;
                }
            }
        };
        self.0.push(StepReport { step: Step::Revocation, outcome: Outcome::Skipped, error: None, detail });
    }
}

fn elaborate(fault: &Error, policy: &Policy, claims: &ClaimsSet) -> String {
    let (has, accepted) = match fault.code() {
        ErrorCode::IssuerMismatch => (claims.issuer().into_iter().collect(), &policy.issuer),
        ErrorCode::AudienceMismatch => (claims.audience(), &policy.audience),
        _ => return fault.message().to_owned(),
    };
    let accepted = accepted.as_deref().unwrap_or_default();
    format!("{} The token has [{}], accepted is [{}].", fault.message(), listed(&has), listed(accepted))
}

fn satisfied(policy: &Policy, claims: &ClaimsSet, now: UnixTime) -> String {
    let rest = claims.expiration().map_or(0, |expiration| expiration.whole_seconds_since(now).max(0));
    let mut detail = format!("The token expires in {rest} s.");
    for (name, unchecked) in [("issuer", policy.issuer.is_none()), ("audience", policy.audience.is_none())] {
        if unchecked {
            detail.push_str(" The ");
            detail.push_str(name);
            detail.push_str(" is not checked.");
        }
    }
    detail
}

fn size(token: &str, verifier: &Verifier) -> String {
    format!("It has {} bytes, and the limit is {}.", token.len(), verifier.max_token_length)
}

fn object_text(bytes: &[u8]) -> Option<String> {
    json::parse_object(bytes).ok().map(|object| object.text().to_owned())
}

/// How many values of a list, and how many characters of a value, a detail shows.
const MOST_SHOWN: usize = 10;
const LONGEST_SHOWN: usize = 200;

fn listed<T: AsRef<str>>(values: &[T]) -> String {
    let mut shown = Vec::new();
    for value in values.iter().take(MOST_SHOWN) {
        shown.push(quoted(value.as_ref()));
    }
    join(&shown, ", ")
}

fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(LONGEST_SHOWN).collect();
    if shown.len() < value.len() {
        shown.push('\u{2026}');
    }
    format!("\u{201c}{shown}\u{201d}")
}
