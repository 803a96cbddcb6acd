//! Owns the real runner: each command in a pseudo-terminal of its own.

use crate::flow::{Command, Node};
use crate::live::{Live, Output};
use crate::runner::{Child, Exit, Runner};
use glasshouse_pty::{ExitStatus, Session};
use std::sync::Arc;
use std::time::Duration;

/// Starts commands in pseudo-terminals.
pub(crate) struct Terminals;

impl Runner for Terminals {
    type Child = TerminalChild;

    async fn start(&self, node: &Node) -> Result<TerminalChild, String> {
        match Session::spawn(&command(node)) {
            Ok(session) => Ok(TerminalChild {
                session: Arc::new(session),
            }),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn command(node: &Node) -> glasshouse_pty::Command {
    let mut command = match &node.run {
        Command::Shell(line) => glasshouse_pty::Command::shell(line),
        Command::Exec(argv) => {
            // Reading refuses a command without a program.
            let (program, args) = argv.split_first().expect("a command names its program");
            let mut command = glasshouse_pty::Command::new(program);
            command.args(args);
            command
        }
    };
    command.name(&*node.name).ring_bytes(node.output_bytes);
    if let Some(cwd) = &node.cwd {
        command.cwd(cwd);
    }
    for (key, value) in &node.env {
        command.env(key, value);
    }
    command
}

/// A session that ends with its child's handle, however many views of its output are left.
pub(crate) struct TerminalChild {
    session: Arc<Session>,
}

impl Child for TerminalChild {
    fn live(&self) -> Live {
        Live::new(Arc::new(View(self.session.clone())))
    }

    async fn ended(&mut self) -> Exit {
        match self.session.wait().await {
            ExitStatus::Exited { code } => Exit::Code(code),
            ExitStatus::Killed { signal } => Exit::Signal(signal),
            lost @ ExitStatus::Lost => Exit::Lost(lost.to_string()),
        }
    }

    async fn terminate(&mut self, grace: Duration) {
        self.session.terminate(grace).await;
    }

    fn kill(&mut self) {
        self.session.kill();
    }
}

impl Drop for TerminalChild {
    fn drop(&mut self) {
        self.session.kill();
    }
}

struct View(Arc<Session>);

impl Output for View {
    fn written_bytes(&self) -> u64 {
        self.0.info().output_bytes
    }

    fn dropped_bytes(&self) -> u64 {
        self.0.info().dropped_bytes
    }

    fn tail(&self, bytes: usize) -> Vec<u8> {
        self.0.tail(bytes)
    }
}
