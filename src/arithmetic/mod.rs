//! Arithmetic on public data, for the verification of signatures alone. Nothing here may ever see a private key: it is
//! free to take a time that depends on its input.

mod montgomery;
pub(crate) mod p256;
pub(crate) mod rsa;
