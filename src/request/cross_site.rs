//! Refusal of requests that another site made the browser send (cross-site request forgery).
//!
//! It is the browser's word that is taken, for it is the browser that holds the cookie: a client which can forge these
//! headers does not have the user's cookies, and one which has them needs no forgery.

use crate::error::{Error, ErrorCode};
use crate::origin::Origin;

/// The name of the WebSocket protocol in an `Upgrade` header, in any case (RFC 6455 section 4.2.1).
const WEBSOCKET: &[u8] = b"websocket";

/// The origins from which requests with cookies are welcome besides the server's own, which browsers call
/// `same-origin` themselves. They are configured, and never derived from a `Host` header that the client chose.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// Reads a list of origins, as in `https://app.example`: see [`Origin::parse`]. The list may be empty.
    ///
    /// # Errors
    /// [`ErrorCode::OptionInvalid`], which names `origins` and the number of the entry, counted from 1.
    pub fn parse<S: AsRef<str>>(origins: &[S]) -> Result<Self, Error> {
        let read = |(index, text): (usize, &S)| {
            Origin::parse(text.as_ref()).ok_or_else(|| {
                let requirement = format!(
                    "be origins such as https://app.example, without a path, and http for localhost alone; entry {} is \
                     none",
                    index + 1
                );
                Error::option("origins", &requirement)
            })
        };
        origins.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The origins, as browsers write them.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }

    fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|each| each.as_str() == origin)
    }
}

/// What a request says about where it comes from: its method and the texts of three headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provenance<'h> {
    /// The method. None counts as an unsafe one.
    pub method: Option<&'h str>,
    /// `Sec-Fetch-Site`
    pub sec_fetch_site: Option<&'h str>,
    /// `Origin`
    pub origin: Option<&'h str>,
    /// `Upgrade`
    pub upgrade: Option<&'h str>,
}

impl Provenance<'_> {
    /// Whether the request is meant to change nothing (RFC 9110 section 9.2.1): GET, HEAD and OPTIONS, written so, for
    /// methods are case-sensitive. A WebSocket is opened by GET from any site, with cookies and without a preflight
    /// (RFC 6455 section 10.2), so it is not safe.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        let websocket = self.upgrade.is_some_and(|upgrade| {
            upgrade.as_bytes().windows(WEBSOCKET.len()).any(|part| part.eq_ignore_ascii_case(WEBSOCKET))
        });
        matches!(self.method, Some("GET" | "HEAD" | "OPTIONS")) && !websocket
    }
}

/// Refuses an unsafe request of another site; to be asked when a request is authenticated by cookie.
///
/// # Errors
/// [`ErrorCode::CrossSite`]: see [`check_always`].
pub fn check(provenance: &Provenance<'_>, origins: &Origins) -> Result<(), Error> {
    if provenance.is_safe() { Ok(()) } else { check_always(provenance, origins) }
}

/// Refuses a request of another site whatever its method; for login, refresh and logout, which change the session and
/// need no cookie to do harm.
///
/// `Sec-Fetch-Site: same-origin` passes, and `none`, which is the user's own doing (the address bar, a bookmark).
/// Otherwise, and where a browser sends no such header, `Origin` must be one of `origins`.
///
/// # Errors
/// [`ErrorCode::CrossSite`] when neither holds, which includes requests that have neither header and those of the
/// opaque origin `null`.
pub fn check_always(provenance: &Provenance<'_>, origins: &Origins) -> Result<(), Error> {
    // Fetch Metadata section 2.3: a structured token, so compared with regard to case.
    if matches!(provenance.sec_fetch_site, Some("same-origin" | "none")) {
        return Ok(());
    }
    match provenance.origin {
        Some(origin) if origins.contains(origin) => Ok(()),
        Some(_) => Err(refusal("The request comes from an origin that is not one of the configured origins.")),
        None => Err(refusal(
            "The request does not say which origin it comes from: it has no Origin header and no Sec-Fetch-Site that \
             vouches for it.",
        )),
    }
}

fn refusal(message: &'static str) -> Error {
    Error::new(ErrorCode::CrossSite, message)
}
