//! The parts of a `Set-Cookie` value: each exists only when it is valid.

use core::fmt;

use crate::error::{Error, ErrorCode};
use crate::origin::is_host_name;

use super::set_cookie::MAX_ATTRIBUTE_SIZE;

/// A cookie's name: a token of RFC 9110 section 5.6.2.
///
/// Browsers store more than that, names without a single character included; but such names do not survive every
/// proxy, parser and framework between the browser and the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`ErrorCode::CookieInvalid`] when it is not a token.
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.is_empty() || !name.bytes().all(is_tchar) {
            return Err(invalid("name", "be one or more of the characters A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn prefix(&self) -> Prefix {
        Prefix::of(&self.0)
    }
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What a cookie's name promises about its attributes (RFC 6265bis section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// No promise.
    None,
    /// `__Secure-`: `Secure`.
    Secure,
    /// `__Http-`: `Secure` and `HttpOnly`.
    Http,
    /// `__Host-`: `Secure`, `Path=/` and no `Domain`.
    Host,
    /// `__Host-Http-`: as `__Host-`, and `HttpOnly`.
    HostHttp,
}

impl Prefix {
    /// Reads the prefix without regard to case, as browsers do for the benefit of servers that ignore case
    /// (RFC 6265bis section 5.4).
    pub(super) fn of(name: &str) -> Self {
        let begins = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        // `__Http-` and `__Host-Http-` are younger than RFC 6265bis; browsers that know them enforce HttpOnly.
        if begins("__Host-Http-") {
            Self::HostHttp
        } else if begins("__Host-") {
            Self::Host
        } else if begins("__Http-") {
            Self::Http
        } else if begins("__Secure-") {
            Self::Secure
        } else {
            Self::None
        }
    }

    pub(super) fn needs_secure(self) -> bool {
        self != Self::None
    }

    pub(super) fn needs_http_only(self) -> bool {
        matches!(self, Self::Http | Self::HostHttp)
    }

    pub(super) fn needs_host(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }
}

/// A cookie's value: the cookie-octets of RFC 6265bis section 4.1.1, possibly none. The grammar's other form, a value
/// within double quotes, is left out: half of the parsers in use take the quotes for part of the value.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieValue(String);

impl CookieValue {
    /// Takes a value.
    ///
    /// # Errors
    /// [`ErrorCode::CookieInvalid`] when a character is not a cookie-octet; the message does not show the value.
    pub fn new(value: &str) -> Result<Self, Error> {
        if !value.bytes().all(is_cookie_octet) {
            return Err(invalid(
                "value",
                "hold visible ASCII characters except \" , ; and \\ alone: encode it first, for example with base64url \
                 or encodeURIComponent",
            ));
        }
        Ok(Self(value.to_owned()))
    }

    /// The empty value.
    #[must_use]
    pub fn empty() -> Self {
        Self(String::new())
    }

    /// The value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value may be a credential, so `Debug` shows its length alone.
impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieValue({} bytes)", self.0.len())
    }
}

fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// The `Path` attribute: begins with a slash and can be the beginning of a request's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookiePath(String);

impl CookiePath {
    /// Takes a path.
    ///
    /// # Errors
    /// [`ErrorCode::CookieInvalid`] when it does not begin with `/`, which makes browsers ignore it (RFC 6265bis
    /// section 5.6.4), when it holds a character that no request's path has, or `;`;
    /// [`ErrorCode::CookieTooLarge`] when it is longer than [`MAX_ATTRIBUTE_SIZE`].
    pub fn new(path: &str) -> Result<Self, Error> {
        check_size("path", path)?;
        if !path.starts_with('/') {
            return Err(invalid("path", "begin with /"));
        }
        // A space at the end would be trimmed by browsers; a query, a fragment or white space never matches.
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !b";?#".contains(&byte)) {
            return Err(invalid(
                "path",
                "hold visible ASCII characters except ; ? and # alone: percent-encode it as it stands in URLs",
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The `Domain` attribute: a host name that receives the cookie together with all of its subdomains.
///
/// Whether it is a public suffix, or covers the host that sends it, is known to browsers alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(String);

impl CookieDomain {
    /// Takes a domain.
    ///
    /// # Errors
    /// [`ErrorCode::CookieInvalid`] when it is not a host name in ASCII (RFC 6265bis section 4.1.1): a leading dot is
    /// ignored by browsers and not in the grammar, a trailing one makes them ignore the attribute, and an IP address
    /// has no subdomains. [`ErrorCode::CookieTooLarge`] when it is longer than [`MAX_ATTRIBUTE_SIZE`].
    pub fn new(domain: &str) -> Result<Self, Error> {
        check_size("domain", domain)?;
        if domain.starts_with('.') || domain.ends_with('.') {
            return Err(invalid("domain", "not begin or end with a dot: subdomains are included without one"));
        }
        if !is_host_name(domain) {
            return Err(invalid(
                "domain",
                "be a host name in ASCII, with punycode for other scripts: leave it out for an IP address",
            ));
        }
        Ok(Self(domain.to_owned()))
    }

    /// The domain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 6265bis section 5.6: browsers drop an attribute that is longer, and keep the cookie without it.
fn check_size(attribute: &str, value: &str) -> Result<(), Error> {
    if value.len() <= MAX_ATTRIBUTE_SIZE {
        return Ok(());
    }
    let message = format!(
        "`{attribute}` is {} bytes long, and browsers ignore an attribute over {MAX_ATTRIBUTE_SIZE}: shorten it.",
        value.len()
    );
    Err(Error::new(ErrorCode::CookieTooLarge, message))
}

/// The `SameSite` attribute: on which cross-site requests the cookie is sent (RFC 6265bis section 4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// On none.
    Strict,
    /// On top-level navigations with a safe method.
    Lax,
    /// On all.
    None,
}

impl SameSite {
    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }

    /// Reads the attribute's value, written as in [`SameSite::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Strict, Self::Lax, Self::None].into_iter().find(|each| each.name() == name)
    }
}

/// The `Priority` attribute of Chromium: which cookies of a full jar are evicted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// First.
    Low,
    /// As if the attribute were absent.
    Medium,
    /// Last.
    High,
}

impl Priority {
    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }

    /// Reads the attribute's value, written as in [`Priority::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|each| each.name() == name)
    }
}

/// An error about an attribute in its JavaScript spelling; `requirement` finishes the sentence "`attribute` must …".
pub(super) fn invalid(attribute: &str, requirement: &str) -> Error {
    Error::new(ErrorCode::CookieInvalid, format!("`{attribute}` must {requirement}."))
}
