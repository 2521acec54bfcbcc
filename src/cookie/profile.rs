//! The two cookies of a session: the access token's, which goes with every request to the host, and the refresh
//! token's, which goes to the refresh path alone.

use core::fmt;

use crate::error::Error;
use crate::origin::Origin;

use super::attribute::{Prefix, SameSite};
use super::parse::parse;
use super::set_cookie::{SetCookie, SetCookieOptions};

/// How the cookies of a session are set. `Default` is `__Host-access` and `__Secure-refresh`, `SameSite=Strict`, and
/// the refresh path `/auth/refresh`.
#[derive(Clone, Debug)]
pub struct SessionCookieOptions {
    /// The path to which the refresh cookie is sent.
    pub refresh_path: String,
    /// `SameSite` of both cookies.
    pub same_site: SameSite,
    /// The access cookie's name instead of `__Host-access`; it must keep the prefix.
    pub access_name: Option<String>,
    /// The refresh cookie's name instead of `__Secure-refresh`; it must keep the prefix.
    pub refresh_name: Option<String>,
    /// Drops `Secure` and the prefixes, for development over plain http on this machine. The names are then
    /// `access-dev` and `refresh-dev`, which production does not read.
    pub insecure_development_mode: bool,
}

impl Default for SessionCookieOptions {
    fn default() -> Self {
        Self {
            refresh_path: "/auth/refresh".to_owned(),
            same_site: SameSite::Strict,
            access_name: None,
            refresh_name: None,
            insecure_development_mode: false,
        }
    }
}

/// The cookies of a session, their names and attributes checked.
///
/// The access cookie has the prefix `__Host-`, so no other host can plant one. The refresh cookie cannot have it, for
/// its path is not `/`: a sibling host can plant a second one, which is why every candidate is read, and the session
/// layer takes the one that belongs to the access token.
#[derive(Clone, Debug)]
pub struct SessionCookies {
    access: SetCookieOptions,
    refresh: SetCookieOptions,
    clearing: [String; 2],
}

/// The tokens that a request presents; nothing about them has been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedCookies<'h> {
    /// The value of the access cookie.
    pub access: Option<&'h str>,
    /// The values of all refresh cookies, in order.
    pub refresh: Vec<&'h str>,
}

/// The values are left out.
impl fmt::Debug for PresentedCookies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedCookies")
            .field("access", &self.access.is_some())
            .field("refresh", &self.refresh.len())
            .finish()
    }
}

impl SessionCookies {
    /// Checks the options. `issuer` and `origins` are the configured ones, and looked at in development mode alone.
    ///
    /// # Errors
    /// [`OptionInvalid`](crate::ErrorCode::OptionInvalid) when development mode meets an issuer or origin that is not
    /// on this machine, when a name lacks its prefix (or has one in development mode), and when both names are the
    /// same; and what [`SetCookie::build`] refuses.
    pub fn new<S: AsRef<str>>(options: &SessionCookieOptions, issuer: &str, origins: &[S]) -> Result<Self, Error> {
        let development = options.insecure_development_mode;
        if development {
            check_loopback(issuer, origins)?;
        }
        let [access_default, refresh_default] =
            if development { ["access-dev", "refresh-dev"] } else { ["__Host-access", "__Secure-refresh"] };
        let template = |name: &Option<String>, default: &str, path: &str| SetCookieOptions {
            secure: !development,
            same_site: Some(options.same_site),
            path: Some(path.to_owned()),
            ..SetCookieOptions::new(name.as_deref().unwrap_or(default), "")
        };
        let access = template(&options.access_name, access_default, "/");
        let refresh = template(&options.refresh_name, refresh_default, &options.refresh_path);
        check_names(&access.name, &refresh.name, development)?;
        let clearing = |template| SetCookie::build(template).map(|cookie| cookie.clearing().to_header());
        let clearing = [clearing(&access)?, clearing(&refresh)?];
        Ok(Self { access, refresh, clearing })
    }

    /// The access cookie's name.
    #[must_use]
    pub fn access_name(&self) -> &str {
        &self.access.name
    }

    /// The refresh cookie's name.
    #[must_use]
    pub fn refresh_name(&self) -> &str {
        &self.refresh.name
    }

    /// The access cookie for a token, to be kept for `max_age` seconds: as long as the session, not as the token, so
    /// that refresh and logout can tell the session from an expired token.
    ///
    /// # Errors
    /// [`CookieTooLarge`](crate::ErrorCode::CookieTooLarge) when the token is too big,
    /// [`CookieInvalid`](crate::ErrorCode::CookieInvalid) when it or `max_age` is not fit for a cookie.
    pub fn set_access(&self, token: &str, max_age: u32) -> Result<SetCookie, Error> {
        fill(&self.access, token, max_age)
    }

    /// The refresh cookie for a token, to be kept for `max_age` seconds.
    ///
    /// # Errors
    /// As [`SessionCookies::set_access`].
    pub fn set_refresh(&self, token: &str, max_age: u32) -> Result<SetCookie, Error> {
        fill(&self.refresh, token, max_age)
    }

    /// The two `Set-Cookie` values that remove the cookies, the access cookie's first.
    #[must_use]
    pub fn clearing(&self) -> &[String; 2] {
        &self.clearing
    }

    /// Reads both cookies from a `Cookie` header. An empty value is taken for no cookie.
    ///
    /// # Errors
    /// [`CookieDuplicate`](crate::ErrorCode::CookieDuplicate) when there are two access cookies,
    /// [`CookieHeaderInvalid`](crate::ErrorCode::CookieHeaderInvalid) when the header is too long.
    pub fn read<'h>(&self, header: &'h str) -> Result<PresentedCookies<'h>, Error> {
        let header = parse(header)?;
        Ok(PresentedCookies {
            access: header.one(self.access_name())?.filter(|value| !value.is_empty()),
            refresh: header.all(self.refresh_name()).filter(|value| !value.is_empty()).collect(),
        })
    }
}

fn fill(template: &SetCookieOptions, token: &str, max_age: u32) -> Result<SetCookie, Error> {
    let options = SetCookieOptions { value: token.to_owned(), max_age: Some(max_age), ..template.clone() };
    SetCookie::build(&options)
}

fn check_loopback<S: AsRef<str>>(issuer: &str, origins: &[S]) -> Result<(), Error> {
    let is_loopback = |origin: Option<Origin>| origin.is_some_and(|origin| origin.is_loopback());
    if !is_loopback(Origin::of_url(issuer)) {
        return Err(Error::option(
            "issuer",
            "be a URL of localhost, 127.0.0.1 or [::1] in cookies.insecureDevelopmentMode",
        ));
    }
    if !origins.iter().all(|origin| is_loopback(Origin::parse(origin.as_ref()))) {
        return Err(Error::option("origins", "be of localhost, 127.0.0.1 or [::1] in cookies.insecureDevelopmentMode"));
    }
    Ok(())
}

/// Names with a prefix in production and without one in development are never the same, so neither side reads what
/// the other one set. Production asks for the prefix letter by letter: older browsers enforce no other spelling.
fn check_names(access: &str, refresh: &str, development: bool) -> Result<(), Error> {
    if access == refresh {
        return Err(Error::option("cookies.names", "be different for the access and the refresh cookie"));
    }
    if development {
        if [access, refresh].into_iter().any(|name| Prefix::of(name) != Prefix::None) {
            return Err(Error::option("cookies.names", "have no prefix such as __Host- in insecureDevelopmentMode"));
        }
    } else if !access.starts_with("__Host-") {
        return Err(Error::option("cookies.names.access", "begin with __Host-, so that no other host can set it"));
    } else if !["__Secure-", "__Http-", "__Host-"].into_iter().any(|prefix| refresh.starts_with(prefix)) {
        return Err(Error::option("cookies.names.refresh", "begin with __Secure- or __Http-"));
    }
    Ok(())
}
