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
//! [`rotate`](mod@rotate)'s functions are pure; a [`Flow`] is a state machine which the host drives, so that every order
//! of steps, every failure and every race can be tried without a store or a clock:
//!
//! ```
//! use std::collections::HashMap;
//! use waxseal::session::{AppClaims, Flow, Outcome, Randomness, Reply, SessionPolicy, Step, Task, record_key};
//!
//! let policy = SessionPolicy { revocation: None, ..SessionPolicy::new("https://app.example") };
//! let mut store: HashMap<String, String> = HashMap::new();
//!
//! // The time and random bytes come from the host.
//! let login = Task::Login { label: None, client: None, replaces: None, claims: AppClaims::default() };
//! let random = Randomness { sid: [1; 16], jti: [2; 16], jitter: [3; 2] };
//! let mut flow = Flow::new(login, "alice", 1_700_000_000, random);
//!
//! let key = record_key("https://app.example", "alice");
//! let mut reply = Reply::Start;
//! let outcome = loop {
//!     reply = match flow.resume(&policy, reply) {
//!         Step::Read => Reply::Record(store.get(&key).cloned()),
//!         // The claims are here; `jwt::Issuer` makes tokens of them.
//!         Step::Sign(_release) => Reply::Signed,
//!         Step::Swap { expected, next, .. } => {
//!             let same = store.get(&key) == expected.as_ref();
//!             if same {
//!                 store.insert(key.clone(), next);
//!             }
//!             Reply::Swapped(same)
//!         }
//!         Step::WriteEntries(writes) => Reply::Written(vec![true; writes.len()]),
//!         Step::Done(outcome) => break outcome,
//!     };
//! };
//! assert!(matches!(outcome, Outcome::Released(release) if release.refresh.generation == 0));
//! ```

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
