//! A call of a client: the real flow, the step at which it is, and what the properties need to know of it.

use waxseal::session::{Session, Step, Task};

use crate::plant::Planted;

/// Why something is written: the call, and what it was for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    /// Which client's.
    pub client: usize,
    /// What for.
    pub task: Task,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Why.
    pub cause: Cause,
    /// The clock of its host when it began.
    pub now: u64,
    /// By when it must be over.
    pub deadline: u64,
    /// The flow, with a planted fault around it if there is one.
    pub flow: Planted,
    /// What the flow asks for.
    pub step: Step,
    /// How many steps it has asked for.
    pub steps: u16,
    /// What the properties have to remember.
    pub notes: Notes,
}

/// What was so when the call began, and what it has seen and done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes {
    /// The end of its session had been acknowledged.
    pub after_end: bool,
    /// The sessions that there were, if it is to end all.
    pub covers: Vec<String>,
    /// What it has read last of the session that it presents, if that was live.
    pub live: Option<Session>,
    /// Whether the presentation was inside the grace window when the record was read last.
    pub inside: bool,
    /// Whether it has changed something in the record, apart from clearing flags.
    pub wrote: bool,
}

impl Call {
    /// Whether it is over, and its answer on its way.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.step, Step::Done(_))
    }
}
