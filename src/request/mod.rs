//! What a request says about who makes it: the token it carries, and the site it comes from.
//!
//! All functions take header values as texts. A header that stands twice is to be given as HTTP combines it, the
//! values joined by a comma (RFC 9110 section 5.3), or by a semicolon for `Cookie`; never as the first of them.

pub mod credentials;
pub mod cross_site;
mod guard;

pub use guard::{RequestHead, authenticate, credential};
