//! Memory of one verifier that JavaScript reads and writes in place, so that a verification is one call that passes two
//! numbers: the token is written to a buffer that stays, and the claims are read from where they were decoded.
//!
//! The views that JavaScript holds end when the memory of the module grows. Their length is 0 then, and the facade asks for
//! new ones.

use std::sync::Arc;

use js_sys::{ArrayBuffer, Uint8Array, Uint32Array};
use wasm_bindgen::{JsCast as _, JsValue};

use super::text::token_length;
use crate::error::{Error, ErrorCode};
use crate::jws::ProtectedHeader;
use crate::jwt::VerifiedJwt;
use crate::request::credentials::Source;

/// How many protected headers are told apart by number; the facade keeps as many.
const HEADERS: usize = 4;

/// See the head of this file.
pub(super) struct Exchange {
    token: Vec<u8>,
    /// The addresses and lengths of the texts of the verified token, in the order of the facade's `Reply`.
    reply: Box<[u32; 6]>,
    /// Headers that were shown lately, with their numbers.
    shown: [Option<(u32, Arc<ProtectedHeader>)>; HEADERS],
    next: u32,
    /// Why the last token was refused.
    fault: Option<Error>,
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self { token: Vec::new(), reply: Box::new([0; 6]), shown: [const { None }; HEADERS], next: 0, fault: None }
    }

    /// Makes room for a token, or says why it is none, and gives the view to write it to.
    pub(super) fn room(&mut self, token: &JsValue) -> Result<Uint8Array, Error> {
        // UTF-8 has at most three bytes for each UTF-16 code unit.
        let needed = 3 * token_length(token)?;
        if needed > self.token.len() {
            self.token.resize(needed.next_power_of_two(), 0);
        }
        let (address, length) = place(&self.token);
        Ok(Uint8Array::new_with_byte_offset_and_length(&memory(), address, length))
    }

    /// The view of the reply.
    pub(super) fn reply(&self) -> Uint32Array {
        let address = u32::try_from(self.reply.as_ptr().expose_provenance()).unwrap_or_default();
        Uint32Array::new_with_byte_offset_and_length(&memory(), address, 6)
    }

    /// The token that was written, of so many bytes.
    pub(super) fn token(&self, length: u32) -> Result<&str, Error> {
        let bytes = usize::try_from(length).ok().and_then(|length| self.token.get(..length));
        bytes
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .ok_or_else(|| Error::new(ErrorCode::Internal, "The token was not written as UTF-8."))
    }

    /// Says where the texts of a verified token stand. They stay there until the verifier is used again.
    pub(super) fn accept(&mut self, jwt: &VerifiedJwt, source: Option<Source>) {
        let (claims, claims_length) = place(jwt.claims().json().as_bytes());
        let (header, header_length) = place(jwt.header().json().as_bytes());
        let source = match source {
            None => 0,
            Some(Source::Bearer) => 1,
            Some(Source::Cookie) => 2,
        };
        *self.reply = [claims, claims_length, self.number(jwt.header()), header, header_length, source];
    }

    /// The number of a header: the same as long as it is the very same.
    fn number(&mut self, header: &Arc<ProtectedHeader>) -> u32 {
        let known = self.shown.iter().flatten().find(|(_, shown)| Arc::ptr_eq(shown, header));
        if let Some((number, _)) = known {
            return *number;
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        let place = usize::try_from(number).unwrap_or_default() % HEADERS;
        if let Some(place) = self.shown.get_mut(place) {
            *place = Some((number, Arc::clone(header)));
        }
        number
    }

    pub(super) fn refuse(&mut self, why: Error) {
        self.fault = Some(why);
    }

    /// Why the last token was refused, once.
    pub(super) fn fault(&mut self) -> Error {
        self.fault.take().unwrap_or_else(|| Error::new(ErrorCode::Internal, "Nothing was refused."))
    }
}

/// Where bytes stand in the memory of the module. They are read and written by JavaScript from now on.
fn place(bytes: &[u8]) -> (u32, u32) {
    let address = u32::try_from(bytes.as_ptr().expose_provenance());
    address.ok().zip(u32::try_from(bytes.len()).ok()).unwrap_or_default()
}

fn memory() -> ArrayBuffer {
    wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer().unchecked_into()
}
