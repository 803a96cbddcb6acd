//! Owns what the kernel says of processes: their numbers, when they started, whether they live.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// A process, told apart from every other of this machine: numbers come back, start times with
/// them do not, and a boot begins the count anew.
///
/// ```
/// use glasshouse_pal::ProcessId;
/// let this = ProcessId::current();
/// assert_eq!(this.pid, std::process::id());
/// assert!(this.is_alive());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProcessId {
    /// The process's number.
    pub pid: u32,
    /// Its start, in the kernel's ticks since boot; zero where it could not be read.
    pub start_time: u64,
    /// The boot it belongs to; zero where it could not be read.
    pub boot_id: u128,
    /// The namespace that the number belongs to, by the kernel's number of it; zero where it could not be read.
    pub namespace: u64,
}

impl ProcessId {
    /// This process.
    pub fn current() -> ProcessId {
        let pid = std::process::id();
        ProcessId {
            pid,
            // Not by number: what is mounted on /proc may be of another namespace.
            start_time: start_time("self").unwrap_or(0),
            boot_id: boot_id().unwrap_or(0),
            namespace: namespace().unwrap_or(0),
        }
    }

    /// Whether this very process still runs. A process that ended and was not waited for does not. Of one in
    /// another namespace it cannot be told by its number: `false`.
    pub fn is_alive(&self) -> bool {
        if self.pid == 0 || !self.is_of_this_boot() || self.is_elsewhere() {
            return false;
        }
        start_time(&self.pid.to_string()).is_some_and(|start| start == self.start_time)
    }

    /// Whether the process belongs to another namespace: its number means another process here, or none.
    ///
    /// ```
    /// assert!(!glasshouse_pal::ProcessId::current().is_elsewhere());
    /// ```
    pub fn is_elsewhere(&self) -> bool {
        let known = namespace().filter(|_| self.namespace != 0);
        known.is_some_and(|namespace| namespace != self.namespace)
    }

    pub(crate) fn is_of_this_boot(&self) -> bool {
        match boot_id() {
            Some(boot_id) if self.boot_id != 0 => boot_id == self.boot_id,
            // Without boot ids, number and start time must do.
            _ => true,
        }
    }
}

/// When a running process started, in ticks since boot.
fn start_time(pid: &str) -> Option<u64> {
    start_time_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The 22nd field of the kernel's line; `None` for a process that has ended (a zombie).
fn start_time_of(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, and may itself hold both blanks and
    // parentheses: the fields that follow begin behind the last one.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The namespace that processes' numbers are looked up in here.
fn namespace() -> Option<u64> {
    Some(fs::metadata("/proc/self/ns/pid").ok()?.ino())
}

fn boot_id() -> Option<u128> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_hides_no_field() {
        let rest = "R 1 1 1 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 777 1000 50";
        assert_eq!(start_time_of(&format!("12 (a) b (c) {rest}")), Some(777));
        assert_eq!(start_time_of("12 (gone) Z 1 1"), None);
        assert_eq!(start_time_of(""), None);
        assert_eq!(start_time_of("12 (cut) R 1"), None);
    }

    #[test]
    fn another_start_time_boot_or_namespace_is_another_process() {
        let this = ProcessId::current();
        assert!(this.is_alive());
        let earlier = ProcessId {
            start_time: this.start_time.wrapping_sub(1),
            ..this
        };
        assert!(!earlier.is_alive());
        let boot_id = this.boot_id ^ 1;
        assert!(!ProcessId { boot_id, ..this }.is_alive() || boot_id == 0);
        assert!(!ProcessId::default().is_alive());
        let namespace = this.namespace ^ 1;
        assert!(!ProcessId { namespace, ..this }.is_alive());
        // As in logs of a writer that could not tell.
        assert!(
            ProcessId {
                namespace: 0,
                ..this
            }
            .is_alive()
        );
    }
}
