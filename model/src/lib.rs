//! Waxseal's sessions, checked as a state machine.
//!
//! What is checked is the code that ships: a call of [`waxseal::session::Flow`] says what its host must do next and is
//! resumed with the answer, and holds all of its state. Here the host is a world in which everything can happen in every
//! order: a step of one call, a step of another, a tick of the clock, a store that fails, a host that dies, an answer
//! that is lost. Two drivers go through it:
//!
//! - [`checker`] explores every order of events of small scenarios with stateright. The `cargo test` of this crate
//!   explores the scenarios of [`catalogue`]; `make proof` explores them again in larger bounds;
//! - [`schedule`] runs long random programs of 2 to 8 clients in a random order.
//!
//! | module | what it is |
//! |---|---|
//! | [`property`] | what must hold, S1 to S9 and L1 to L6, in the words of the specification |
//! | [`history`] | what of the past the properties need, and where each one is judged |
//! | [`world`] | the state, what may happen next, and what it leads to; liveness, judged when nothing may happen any more |
//! | [`call`] | a call: the real flow, and the step at which it is |
//! | [`environment`] | the record store, the stale revocation store with verifiers before it, and the clients |
//! | [`scenario`] | who takes part, when the clock ticks, which faults there may be |
//! | [`plant`] | faults that are planted around the flow, to show that the check can fail |
//! | [`sight`] | what must be seen on the way, or a scenario proves nothing |
//!
//! # What is taken for granted
//!
//! - Signatures are unforgeable: a refresh token that no flow has released cannot be presented. That a forged one reads
//!   and writes nothing (S7) is shown by the tests of the gate and of the facade.
//! - The record store is linearizable, which is its contract. A swap that was said to have failed may happen at any later
//!   time, or a swap that was denied may have happened.
//! - A read of the revocation store may give whatever was in force within the staleness. What a token is worth is decided
//!   by [`waxseal::revocation::Plan`] over every combination of such reads. A write that nobody heard of happens within a
//!   minute or never.
//! - A host gives up a call at its timeout, which is shorter than the window; the clock cannot pass the end of a call but
//!   by a fault.
//! - A subject who has more sessions than it may can lose from its record one that has just run out, by the clock of one
//!   host. Its last access token may pass elsewhere for as long as clocks differ and verifiers are tolerant, whatever is
//!   signed out in these seconds; where this can happen, runs have a staleness as large as that, or no tolerance.
//! - Browsers do with cookies what they are told. That a failed refresh sends no clearing header (S9) is for the tests of
//!   the facade to show; here a browser is left as it was.
//! - Faults are finite in number, so that every run ends. Liveness is judged at the ends of runs.

pub mod call;
pub mod catalogue;
pub mod checker;
pub mod environment;
pub mod history;
pub mod plant;
pub mod property;
pub mod scenario;
pub mod schedule;
pub mod sight;
pub mod world;
