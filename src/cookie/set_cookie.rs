//! `Set-Cookie` values that are valid by construction.

use core::fmt::{self, Write as _};

use crate::error::{Error, ErrorCode};
use crate::time::UnixTime;

use super::attribute::{CookieDomain, CookieName, CookiePath, CookieValue, Prefix, Priority, SameSite, invalid};
use super::date::imf_fixdate;
use super::weight::heaviest_claims;

/// The most bytes of name and value together that browsers store (RFC 6265bis section 5.6).
pub const MAX_SIZE: usize = 4096;
/// The most bytes of an attribute's value that browsers heed (RFC 6265bis section 5.6).
pub const MAX_ATTRIBUTE_SIZE: usize = 1024;
/// The longest life of a cookie in seconds, 400 days (RFC 6265bis section 5.5).
pub const MAX_AGE: u32 = 400 * 86_400;

/// A cookie as a developer describes it. [`SetCookieOptions::new`] gives the secure defaults.
#[derive(Clone)]
pub struct SetCookieOptions {
    /// The name: see [`CookieName`].
    pub name: String,
    /// The value: see [`CookieValue`].
    pub value: String,
    /// `HttpOnly`: scripts cannot read the cookie. On by default.
    pub http_only: bool,
    /// `Secure`: the cookie is sent over https alone. On by default.
    pub secure: bool,
    /// `SameSite`; `Lax` by default. `None` leaves the attribute out, and each browser chooses for itself.
    pub same_site: Option<SameSite>,
    /// `Path`; `/` by default. `None` leaves the attribute out, and browsers take the directory of the request's path.
    pub path: Option<String>,
    /// `Domain`: see [`CookieDomain`]. Absent by default, and the cookie goes to the host that set it alone.
    pub domain: Option<String>,
    /// `Max-Age` in seconds, 0 to [`MAX_AGE`]. 0 ends the cookie at once: every user agent does so by RFC 6265bis
    /// section 5.6.2, although the grammar for servers begins at 1. Without it and `expires`, the cookie lives as long
    /// as the browser's session.
    pub max_age: Option<u32>,
    /// `Expires`, in the years 1601 to 9999; `Max-Age` goes before it. Whether it lies more than 400 days ahead cannot
    /// be told without a clock: browsers shorten it then. Prefer `max_age`, which does not need the browser's clock to
    /// be right either.
    pub expires: Option<UnixTime>,
    /// `Partitioned`: a separate cookie for each top-level site in which this one is embedded.
    pub partitioned: bool,
    /// `Priority`, which only Chromium knows.
    pub priority: Option<Priority>,
}

impl SetCookieOptions {
    /// A session cookie with the secure defaults: `HttpOnly; Secure; SameSite=Lax; Path=/`.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            http_only: true,
            secure: true,
            same_site: Some(SameSite::Lax),
            path: Some("/".to_owned()),
            domain: None,
            max_age: None,
            expires: None,
            partitioned: false,
            priority: None,
        }
    }
}

/// The value may be a credential and is left out.
impl fmt::Debug for SetCookieOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookieOptions")
            .field("name", &self.name)
            .field("http_only", &self.http_only)
            .field("secure", &self.secure)
            .field("same_site", &self.same_site)
            .field("path", &self.path)
            .field("domain", &self.domain)
            .field("max_age", &self.max_age)
            .field("expires", &self.expires)
            .field("partitioned", &self.partitioned)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// A `Set-Cookie` value that browsers store with all of its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie {
    name: CookieName,
    value: CookieValue,
    http_only: bool,
    secure: bool,
    same_site: Option<SameSite>,
    path: Option<CookiePath>,
    domain: Option<CookieDomain>,
    max_age: Option<u32>,
    expires: Option<String>,
    partitioned: bool,
    priority: Option<Priority>,
}

/// One thing that is wrong with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The attribute at fault in its JavaScript spelling, as in `sameSite`.
    pub attribute: &'static str,
    /// What is wrong and what to do about it.
    pub error: Error,
}

/// What [`check`] found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The `Set-Cookie` value, when there is nothing to complain about.
    pub header: Option<String>,
    /// Bytes of name and value together, of which [`MAX_SIZE`] are stored.
    pub size: usize,
    /// Everything that is wrong.
    pub complaints: Vec<Complaint>,
}

/// Says everything that is wrong with a description, where [`SetCookie::build`] stops at the first.
#[must_use]
pub fn check(options: &SetCookieOptions) -> Report {
    let mut complaints = Complaints::default();
    let cookie = judge(options, &mut complaints);
    Report { header: cookie.map(|cookie| cookie.to_header()), size: size(options), complaints: complaints.0 }
}

impl SetCookie {
    /// Builds a cookie from its description.
    ///
    /// # Errors
    /// The first complaint that [`check`] has: [`ErrorCode::CookieInvalid`] or [`ErrorCode::CookieTooLarge`].
    pub fn build(options: &SetCookieOptions) -> Result<Self, Error> {
        let mut complaints = Complaints::default();
        let cookie = judge(options, &mut complaints);
        // No cookie means a complaint; the other error is out of reach.
        cookie.ok_or_else(|| {
            complaints.0.into_iter().next().map_or_else(|| invalid("name", "be valid"), |first| first.error)
        })
    }

    /// The cookie that removes this one from the browser: the same name and attributes, an empty value, and an end in
    /// the past. Browsers remove a cookie only when name, domain, path and partition are the ones it was set with, and
    /// refuse a prefixed name without its attributes.
    #[must_use]
    pub fn clearing(&self) -> Self {
        Self {
            value: CookieValue::empty(),
            max_age: Some(0),
            // RFC 6265bis section 3.1 removes a cookie by a date in the past; Max-Age=0 alone is not in the grammar of
            // section 4.1.1, though browsers take it.
            expires: Some("Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
            ..self.clone()
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &CookieName {
        &self.name
    }

    /// The value of the `Set-Cookie` header (RFC 6265bis section 4.1.1).
    #[must_use]
    pub fn to_header(&self) -> String {
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let flag = |on: bool| on.then_some("");
        let attributes = [
            ("Max-Age", max_age.as_deref()),
            ("Expires", self.expires.as_deref()),
            ("Domain", self.domain.as_ref().map(CookieDomain::as_str)),
            ("Path", self.path.as_ref().map(CookiePath::as_str)),
            ("HttpOnly", flag(self.http_only)),
            ("Secure", flag(self.secure)),
            ("SameSite", self.same_site.map(SameSite::name)),
            ("Partitioned", flag(self.partitioned)),
            ("Priority", self.priority.map(Priority::name)),
        ];
        let mut header = format!("{}={}", self.name.as_str(), self.value.as_str());
        for (name, value) in attributes {
            let Some(value) = value else { continue };
            header.push_str("; ");
            header.push_str(name);
            if !value.is_empty() {
                header.push('=');
                header.push_str(value);
            }
        }
        header
    }
}

#[derive(Default)]
struct Complaints(Vec<Complaint>);

impl Complaints {
    fn add(&mut self, attribute: &'static str, error: Error) {
        self.0.push(Complaint { attribute, error });
    }

    /// A part that may not exist: a complaint in its place.
    fn part<T>(&mut self, attribute: &'static str, part: Result<T, Error>) -> Option<T> {
        part.map_err(|error| self.add(attribute, error)).ok()
    }
}

/// Every rule in one place: a cookie, or at least one complaint.
fn judge(options: &SetCookieOptions, complaints: &mut Complaints) -> Option<SetCookie> {
    let name = complaints.part("name", CookieName::new(&options.name));
    let value = complaints.part("value", CookieValue::new(&options.value));
    complaints.part("value", check_size(options));
    let path = options.path.as_deref().map(CookiePath::new).transpose();
    let path = complaints.part("path", path);
    let domain = options.domain.as_deref().map(CookieDomain::new).transpose();
    let domain = complaints.part("domain", domain);
    let expires = options.expires.map(|time| imf_fixdate(time).ok_or(())).transpose();
    let expires = expires.map_err(|()| invalid("expires", "not be before the year 1601"));
    let expires = complaints.part("expires", expires);
    check_rules(options, name.as_ref(), complaints);

    let cookie = SetCookie {
        name: name?,
        value: value?,
        http_only: options.http_only,
        secure: options.secure,
        same_site: options.same_site,
        path: path?,
        domain: domain?,
        max_age: options.max_age,
        expires: expires?,
        partitioned: options.partitioned,
        priority: options.priority,
    };
    complaints.0.is_empty().then_some(cookie)
}

/// The rules that hold or do not, each with the requirement that it stands for.
fn check_rules(options: &SetCookieOptions, name: Option<&CookieName>, complaints: &mut Complaints) {
    let prefix = name.map_or(Prefix::None, CookieName::prefix);
    let rules = [
        // RFC 6265bis section 5.5. Clamping would let the program believe in a life that the browser cuts short.
        (
            options.max_age.is_none_or(|max_age| max_age <= MAX_AGE),
            "maxAge",
            "be at most 34560000 seconds (400 days), the longest that browsers keep a cookie: renew it instead",
        ),
        // RFC 6265bis section 5.7: browsers refuse a cookie that does not keep what its name promises.
        (
            options.secure || !prefix.needs_secure(),
            "secure",
            "be on for a name that begins with __Secure-, __Host- or __Http-",
        ),
        (
            options.http_only || !prefix.needs_http_only(),
            "httpOnly",
            "be on for a name that begins with __Http- or __Host-Http-",
        ),
        (
            options.path.as_deref() == Some("/") || !prefix.needs_host(),
            "path",
            "be / for a name that begins with __Host-",
        ),
        (options.domain.is_none() || !prefix.needs_host(), "domain", "be left out for a name that begins with __Host-"),
        // RFC 6265bis section 5.7
        (
            options.secure || options.same_site != Some(SameSite::None),
            "sameSite",
            "be Strict or Lax without secure: turn secure on for None",
        ),
        // CHIPS, draft-cutler-httpbis-partitioned-cookies section 2.1
        (options.secure || !options.partitioned, "partitioned", "be off without secure"),
    ];
    for (holds, attribute, requirement) in rules {
        if !holds {
            complaints.add(attribute, invalid(attribute, requirement));
        }
    }
}

fn size(options: &SetCookieOptions) -> usize {
    options.name.len() + options.value.len()
}

fn check_size(options: &SetCookieOptions) -> Result<(), Error> {
    let size = size(options);
    if size <= MAX_SIZE {
        return Ok(());
    }
    let mut message = format!("`name` and `value` are {size} bytes together, and browsers store at most {MAX_SIZE}");
    match heaviest_claims(&options.value) {
        // Writing to a String cannot fail.
        Some(weights) => _ = write!(message, "; the value looks like a JWT: {weights}."),
        None => message.push_str(": keep the data on the server and an identifier in the cookie."),
    }
    Err(Error::new(ErrorCode::CookieTooLarge, message))
}
