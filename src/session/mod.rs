//! Sessions: an access token that lives for minutes, a refresh token that is rotated at every use, and a record of the
//! subject in a store that can compare and swap.
//!
//! | module | decides |
//! |---|---|
//! | [`policy`] | how long tokens and sessions live |
//! | [`record`] | what is stored, and for how long |
//! | [`token`] | what the tokens say |
//! | [`rotate`] | what a login, a presented refresh token and an end make of a record |
//! | [`gate`] | which session a request is of |
//! | [`flow`] | in which order a call reads, signs, swaps, revokes and answers |
//! | [`step`] | the words in which a call and its host speak |
//!
//! [`rotate`]'s functions are pure; a [`Flow`] is a state machine which the host drives, so that every order of steps,
//! every failure and every race can be tried without a store or a clock.

pub mod flow;
pub mod gate;
pub mod policy;
pub mod record;
mod refuse;
pub mod rotate;
pub mod step;
pub mod token;

pub use flow::Flow;
pub use gate::{Carried, Gate, GateConfig, Presented};
pub use policy::{OnReuse, SessionPolicy};
pub use record::{Session, SubjectRecord, record_key};
pub use rotate::{Refusal, Reuse};
pub use step::{Event, Outcome, Randomness, Release, Reply, Step, Task, Unavailable};
pub use token::{AccessToken, AppClaims, RefreshToken};
