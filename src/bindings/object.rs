//! Results of fixed shape as plain JavaScript objects. They are few and small: a serializer for them would weigh more
//! than all of them written out.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    type Plain;

    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Plain, name: &str, value: &JsValue);
}

/// An object with those of the members that have a value.
pub(super) fn object(members: &[(&str, Option<JsValue>)]) -> JsValue {
    let object = Object::new().unchecked_into::<Plain>();
    for (name, value) in members {
        if let Some(value) = value {
            object.set(name, value);
        }
    }
    object.into()
}

/// An array of texts.
pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Array {
    let array = Array::new();
    for text in texts {
        array.push(&text.into());
    }
    array
}
