//! Owns the binary's own log lines: what `RUST_LOG` asks for, on standard error.

use crate::exit::Stop;
use tracing_subscriber::EnvFilter;

/// What is shown unless `RUST_LOG` says otherwise. Each spawn is an INFO event, too much unasked.
const UNASKED: &str = "warn,glasshouse::spawn=off";

/// The variable that asks for more.
const VARIABLE: &str = "RUST_LOG";

/// Installs the subscriber of this process. Called once, before anything logs.
///
/// # Errors
///
/// A filter in `RUST_LOG` that cannot be read.
pub fn install() -> Result<(), Stop> {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let filter = if asked.trim().is_empty() {
        EnvFilter::new(UNASKED)
    } else {
        EnvFilter::try_new(&asked).map_err(|error| {
            Stop::input(format_args!(
                "{VARIABLE}={asked}: {error}; write it as `{VARIABLE}=info` or `{VARIABLE}=pal=debug,warn`"
            ))
        })?
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
