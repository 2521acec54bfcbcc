//! The `Cookie` header as a server reads it.

use core::fmt;

use crate::error::{Error, ErrorCode};
use crate::names::repeated;

/// The most bytes of a `Cookie` header that are read. Servers accept 8 to 64 KiB of headers altogether.
pub const MAX_HEADER_LENGTH: usize = 65_536;

/// A `Cookie` header: the pairs are taken from the text when asked for.
#[derive(Clone, Copy)]
pub struct CookieHeader<'h>(&'h str);

/// Takes a `Cookie` header (RFC 6265bis section 4.2).
///
/// Every text is some list of pairs, for servers are to read what browsers send, and browsers send what any site of
/// the registrable domain, over plain http even, made them store (RFC 6265bis section 8.6). So:
///
/// - pairs stand between semicolons; SP and HTAB around a pair are dropped, and pairs of nothing with them;
/// - the name ends at the first `=` and is compared byte by byte;
/// - the value is what follows, raw: not decoded, double quotes kept, for they are part of the value by section 4.1.1;
/// - nothing within a pair is trimmed, so that the pair `name =value`, which a browser sends for a cookie without a
///   name, is not taken for a cookie called `name`;
/// - a pair without `=` has the empty name, which is how browsers send a cookie without a name (section 5.8.3), and
///   so has a pair that begins with `=`. No name that is asked for is empty.
///
/// # Errors
/// [`ErrorCode::CookieHeaderInvalid`] when the header is longer than [`MAX_HEADER_LENGTH`].
pub fn parse(header: &str) -> Result<CookieHeader<'_>, Error> {
    if header.len() > MAX_HEADER_LENGTH {
        let message =
            format!("The Cookie header is {} bytes long; at most {MAX_HEADER_LENGTH} are read.", header.len());
        return Err(Error::new(ErrorCode::CookieHeaderInvalid, message));
    }
    Ok(CookieHeader(header))
}

impl<'h> CookieHeader<'h> {
    /// The pairs of name and value, in order.
    pub fn pairs(self) -> impl Iterator<Item = (&'h str, &'h str)> {
        self.0
            .split(';')
            .map(|pair| pair.trim_matches([' ', '\t']))
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or(("", pair)))
    }

    /// The values of every cookie of a name, in order.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'h str> {
        self.pairs().filter_map(move |(each, value)| (each == name).then_some(value))
    }

    /// The value of the one cookie of a name; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorCode::CookieDuplicate`] when there are two, even of the same value: one may have been planted by another
    /// host of the domain, and nothing in the header tells which.
    pub fn one(self, name: &str) -> Result<Option<&'h str>, Error> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            let message = "The request carries two cookies of the name that holds the token; another host of the \
                           domain or another path may have set one, so neither is believed.";
            return Err(Error::new(ErrorCode::CookieDuplicate, message));
        }
        Ok(first)
    }

    /// The names that stand twice or more, each once, sorted.
    #[must_use]
    pub fn duplicates(self) -> Vec<&'h str> {
        repeated(self.pairs().map(|(name, _)| name).collect())
    }
}

/// The values may be credentials, so `Debug` shows the names alone.
impl fmt::Debug for CookieHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs().map(|(name, _)| name)).finish()
    }
}
