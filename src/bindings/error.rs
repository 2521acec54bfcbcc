//! Errors on their way out: a plain object, which the facade turns into a `WaxsealError`. Step and status of a code are in
//! the facade's own table, which is made from the same rows as this crate's.

use wasm_bindgen::JsValue;

use super::object::object;
use crate::error::{Error, Reason};

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        object(&[
            ("code", Some(error.code().as_str().into())),
            ("message", Some(error.message().into())),
            ("claim", error.claim().map(Self::from)),
            ("reason", error.reason().map(Reason::name).map(Self::from)),
            ("wwwAuthenticate", error.www_authenticate().map(Self::from)),
            ("retryAfter", error.retry_after().map(Self::from)),
        ])
    }
}
