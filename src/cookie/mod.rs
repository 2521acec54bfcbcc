//! Cookies by RFC 6265bis: `Set-Cookie` values that are valid by construction, the `Cookie` header as a server reads
//! it, and the two cookies of a session.
//!
//! Nothing here is trimmed, encoded or clamped silently: a value that browsers would change, or refuse, is an error.

mod attribute;
mod date;
mod parse;
mod profile;
mod set_cookie;
mod weight;

pub use attribute::{CookieDomain, CookieName, CookiePath, CookieValue, Priority, SameSite};
pub use parse::{CookieHeader, MAX_HEADER_LENGTH, parse};
pub use profile::{PresentedCookies, SessionCookieOptions, SessionCookies};
pub use set_cookie::{Complaint, MAX_AGE, MAX_ATTRIBUTE_SIZE, MAX_SIZE, Report, SetCookie, SetCookieOptions, check};
