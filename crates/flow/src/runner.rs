//! Owns the seam between a node's policy and what it runs: a command in a terminal, or, in tests, a script
//! in virtual time.

use crate::flow::Node;
use crate::live::Live;
use std::time::Duration;

/// Starts commands.
pub(crate) trait Runner: Send + Sync + 'static {
    /// What is started. Dropped before its end it must end all that it started.
    type Child: Child;

    /// Starts a node's command; `Err` says why it could not be.
    fn start(&self, node: &Node) -> impl Future<Output = Result<Self::Child, String>> + Send;
}

/// A command that was started.
pub(crate) trait Child: Send + 'static {
    /// A view of its output.
    fn live(&self) -> Live;

    /// Waits until the command has ended and all its output is in the view. May be dropped and called
    /// again.
    fn ended(&mut self) -> impl Future<Output = Exit> + Send;

    /// Asks the command, and all that it started, to end; ends them when the grace is over, and waits for
    /// that. Dropped before, it leaves them as they are then.
    fn terminate(&mut self, grace: Duration) -> impl Future<Output = ()> + Send;

    /// Ends them at once. The end is to be waited for.
    fn kill(&mut self);
}

/// How a command ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// It ended, and how could not be learnt.
    Lost(String),
}
