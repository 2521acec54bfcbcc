//! Errors on their way out: a plain object, which the facade turns into a `WaxsealError`.

use wasm_bindgen::JsValue;

use super::object::object;
use crate::error::{Error, Reason};

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let code = error.code();
        object(&[
            ("code", Some(code.as_str().into())),
            ("message", Some(error.message().into())),
            ("step", Some(code.step().name().into())),
            ("status", Some(code.status().into())),
            ("claim", error.claim().map(Self::from)),
            ("reason", error.reason().map(Reason::name).map(Self::from)),
            ("wwwAuthenticate", error.www_authenticate().map(Self::from)),
            ("retryAfter", error.retry_after().map(Self::from)),
        ])
    }
}
