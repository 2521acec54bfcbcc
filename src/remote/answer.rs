//! What came of a fetch.

use super::RemoteConfig;
use crate::error::{Error, ErrorCode};
use crate::jwk::KeySet;
use crate::jwk::set::PublishedFault;

/// An answer of an endpoint, its headers as they stood.
#[derive(Clone, Copy, Default)]
pub struct Answer<'a> {
    /// The status; 0 where a browser hides that it was a redirect.
    pub status: u16,
    /// `Content-Type`. It decides nothing: many endpoints say something else than JSON.
    pub content_type: Option<&'a str>,
    /// `Cache-Control`.
    pub cache_control: Option<&'a str>,
    /// `Age`.
    pub age: Option<&'a str>,
    /// `ETag`.
    pub etag: Option<&'a str>,
    /// The body, or as much of it as shows that it is too long.
    pub body: &'a [u8],
}

/// Why a fetch gave no set of keys. No reason ends the use of keys that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not within the time.
    Timeout,
    /// No connection, or one that broke.
    Network,
    /// Longer than `max_bytes`.
    TooLarge,
    /// A redirect, which is not followed: the URL was chosen, where it leads was not.
    Redirect,
    /// A status that is not 200, nor 304 to a request with an `ETag`.
    Status(u16),
    /// Not strict JSON.
    NotJson,
    /// A page for people.
    Html,
    /// JSON, but not an object with an array `keys`.
    NotASet,
    /// More keys than `max_keys`.
    TooManyKeys,
    /// A private or symmetric key is among them.
    Private,
    /// No key that can be used is among them.
    Unusable,
}

impl Failure {
    /// The name in events and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::TooLarge => "too-large",
            Self::Redirect => "redirect",
            Self::Status(_) => "status",
            Self::NotJson | Self::Html => "not-json",
            Self::NotASet => "not-a-set",
            Self::TooManyKeys => "too-many-keys",
            Self::Private => "private",
            Self::Unusable => "unusable",
        }
    }

    pub(super) fn error(self, host: &str) -> Error {
        let code = match self {
            Self::Private => ErrorCode::KeyPrivate,
            Self::Unusable => ErrorCode::KeySetEmpty,
            _ => ErrorCode::KeySetUnavailable,
        };
        let status;
        let why = match self {
            Self::Timeout => "did not come in time",
            Self::Network => "could not be fetched: no connection, or a broken one",
            Self::TooLarge => "is longer than maxBytes",
            Self::Redirect => "was answered with a redirect, which is not followed; give the URL where it leads",
            Self::Status(number) => {
                status = format!("was answered with status {number}");
                status.as_str()
            }
            Self::NotJson => "is not strict JSON",
            Self::Html => "is an HTML page; is the URL right?",
            Self::NotASet => "is JSON, but not a JWK Set: an object with an array `keys`",
            Self::TooManyKeys => "has more keys than maxKeys",
            Self::Private => "contains a private or symmetric key; tell its issuer, and have the key replaced",
            Self::Unusable => "holds no usable key: a public P-256 or RSA key for signatures",
        };
        Error::new(code, format!("The key set of {host} {why}."))
    }
}

impl Answer<'_> {
    /// The keys of an answer with status 200.
    pub(super) fn keys(&self, config: &RemoteConfig) -> Result<KeySet, Failure> {
        let limit = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        match self.status {
            200 if self.body.len() > limit(config.max_bytes) => Err(Failure::TooLarge),
            200 => KeySet::published(self.body, limit(config.max_keys)).map_err(|fault| match fault {
                PublishedFault::Json if self.is_html() => Failure::Html,
                PublishedFault::Json => Failure::NotJson,
                PublishedFault::Form => Failure::NotASet,
                PublishedFault::Count => Failure::TooManyKeys,
                PublishedFault::Private => Failure::Private,
                PublishedFault::Empty => Failure::Unusable,
            }),
            // RFC 9110 section 15.4
            0 | 301 | 302 | 303 | 307 | 308 => Err(Failure::Redirect),
            status => Err(Failure::Status(status)),
        }
    }

    fn is_html(&self) -> bool {
        let start = self.content_type.and_then(|value| value.trim_ascii_start().get(..9));
        start.is_some_and(|start| start.eq_ignore_ascii_case("text/html"))
    }
}

impl core::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
