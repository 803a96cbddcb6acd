//! Owns the call that starts a child: `posix_spawn`, with the terminal as its controlling one.
//!
//! `posix_spawn` shares this process's memory with the child until the child executes, and
//! suspends the calling thread meanwhile. It copies no page table, so that its price does not
//! grow with the memory of the process, and the error of each of the child's steps comes back as
//! the call's result. The child's steps, in order: every signal to its default, a session of its
//! own, an empty signal mask, the directory, the terminal on 0, 1 and 2, the program.
//! All other descriptors of this process must be close-on-exec, as the ones of this crate are.
//!
//! This is the crate's one file with unsafe code.

use rustix::process::Pid;
use std::ffi::{CStr, CString, c_char, c_int, c_short};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Everything that a child is started with.
pub(crate) struct Launch<'a> {
    /// The file to execute; a relative path counts from `cwd`.
    pub(crate) path: &'a CStr,
    /// The arguments, the program's own name first.
    pub(crate) argv: &'a [CString],
    /// The environment, each entry as `NAME=value`.
    pub(crate) env: &'a [CString],
    /// The directory to start in; this process's own if `None`.
    pub(crate) cwd: Option<&'a CStr>,
    /// The terminal's path.
    pub(crate) terminal: &'a CStr,
}

impl Launch<'_> {
    /// Starts the child and returns its process id, which is also that of its group and session.
    ///
    /// When this returns the child has executed its program; on error there is no child. The
    /// caller must reap it.
    pub(crate) fn start(&self) -> io::Result<Pid> {
        let attributes = Attributes::session_leader()?;
        let mut actions = FileActions::new()?;
        if let Some(cwd) = self.cwd {
            actions.change_directory(cwd)?;
        }
        // Without O_NOCTTY: opened by a session leader that has none, it becomes the controlling
        // terminal.
        actions.open(0, self.terminal, libc::O_RDWR)?;
        actions.duplicate(0, 1)?;
        actions.duplicate(0, 2)?;
        let argv = pointers(self.argv);
        let env = pointers(self.env);
        let mut pid: libc::pid_t = 0;
        // SAFETY: `actions` and `attributes` were initialised by their constructors and live until
        // after the call; `argv` and `env` end in a null pointer and point to strings that `self`
        // borrows; the system only reads them, whatever the type of the parameters says.
        let error = unsafe {
            libc::posix_spawn(
                &raw mut pid,
                self.path.as_ptr(),
                actions.0.as_ptr(),
                attributes.0.as_ptr(),
                argv.as_ptr(),
                env.as_ptr(),
            )
        };
        check(error)?;
        Pid::from_raw(pid).ok_or_else(|| io::Error::other("the system named no process"))
    }
}

/// The strings' addresses and a null pointer: what the system takes for a list.
fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    let addresses = strings.iter().map(|text| text.as_ptr().cast_mut());
    addresses.chain([ptr::null_mut()]).collect()
}

/// The `posix_spawn` family returns its error instead of setting `errno`.
fn check(error: c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Initialised spawn attributes. In a box, so that they stay where they were initialised.
struct Attributes(Box<MaybeUninit<libc::posix_spawnattr_t>>);

impl Attributes {
    /// A session of its own, every signal at its default, none blocked.
    fn session_leader() -> io::Result<Attributes> {
        const FLAGS: c_int = libc::POSIX_SPAWN_SETSID as c_int
            | libc::POSIX_SPAWN_SETSIGDEF
            | libc::POSIX_SPAWN_SETSIGMASK;
        let mut memory = Box::new(MaybeUninit::uninit());
        // SAFETY: the pointer is valid for writes; the call initialises what it points to.
        check(unsafe { libc::posix_spawnattr_init(memory.as_mut_ptr()) })?;
        let mut attributes = Attributes(memory);
        let (all, none) = (signals(true), signals(false));
        let raw = attributes.0.as_mut_ptr();
        // SAFETY: `raw` points to initialised attributes that this function owns, and the sets are
        // initialised and copied by the calls.
        unsafe {
            check(libc::posix_spawnattr_setflags(raw, FLAGS as c_short))?;
            check(libc::posix_spawnattr_setsigdefault(raw, &raw const all))?;
            check(libc::posix_spawnattr_setsigmask(raw, &raw const none))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised by the constructor, destroyed here alone, not used afterwards.
        let error = unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
        debug_assert_eq!(error, 0);
    }
}

/// The set of all signals, or of none.
fn signals(all: bool) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is valid for writes; either call initialises the set, and fails for an
    // invalid address only.
    unsafe {
        match all {
            true => libc::sigfillset(set.as_mut_ptr()),
            false => libc::sigemptyset(set.as_mut_ptr()),
        };
        set.assume_init()
    }
}

/// Initialised file actions: what the child does to its descriptors, in order. In a box, so that
/// they stay where they were initialised.
struct FileActions(Box<MaybeUninit<libc::posix_spawn_file_actions_t>>);

impl FileActions {
    fn new() -> io::Result<FileActions> {
        let mut memory = Box::new(MaybeUninit::uninit());
        // SAFETY: the pointer is valid for writes; the call initialises what it points to.
        check(unsafe { libc::posix_spawn_file_actions_init(memory.as_mut_ptr()) })?;
        Ok(FileActions(memory))
    }

    fn change_directory(&mut self, path: &CStr) -> io::Result<()> {
        // SAFETY: the actions are initialised; the call copies the path.
        check(unsafe {
            libc::posix_spawn_file_actions_addchdir_np(self.0.as_mut_ptr(), path.as_ptr())
        })
    }

    fn open(&mut self, fd: c_int, path: &CStr, flags: c_int) -> io::Result<()> {
        // SAFETY: the actions are initialised; the call copies the path.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(self.0.as_mut_ptr(), fd, path.as_ptr(), flags, 0)
        })
    }

    fn duplicate(&mut self, from: c_int, to: c_int) -> io::Result<()> {
        // SAFETY: the actions are initialised; descriptors are plain numbers to the call.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from, to) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised by the constructor, destroyed here alone, not used afterwards.
        let error = unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
        debug_assert_eq!(error, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, ExitStatus, Registry, Size, terminal::Terminal};
    use rustix::process::{WaitOptions, waitpid};

    /// Runs `f` with SIGUSR1 blocked in this thread.
    fn with_a_blocked_signal<R>(f: impl FnOnce() -> R) -> R {
        let mut set = signals(false);
        // SAFETY: the set is initialised; the calls only read it.
        unsafe {
            libc::sigaddset(&raw mut set, libc::SIGUSR1);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
        }
        let result = f();
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
        result
    }

    /// The child's own view, from /proc: it leads its group and session (fields 5 and 6 of stat),
    /// and no signal is ignored or blocked. SIGPIPE is ignored in this process, as in every Rust
    /// program, and SIGUSR1 blocked; both would be inherited. glibc's children ignore its two
    /// internal signals, 32 and 33, which no program can use anyway.
    const LOOK: &CStr = c"
        read -r pid comm state ppid group session rest < /proc/$$/stat
        [ $group = $$ ] && [ $session = $$ ] || exit 11
        while read -r key value; do
            case $key in
            SigIgn:) [ $((0x$value & ~0x180000000)) = 0 ] || exit 12;;
            SigBlk:) [ $((0x$value)) = 0 ] || exit 13;;
            esac
        done < /proc/$$/status
        exit 10
    ";

    #[test]
    fn a_child_leads_its_session_and_starts_with_default_signals() {
        let terminal = Terminal::open(Size::default()).expect("a pseudo-terminal");
        let launch = Launch {
            path: c"/bin/sh",
            argv: &[c"sh".into(), c"-c".into(), LOOK.into()],
            env: &[],
            cwd: None,
            terminal: &terminal.slave,
        };
        let pid = with_a_blocked_signal(|| launch.start()).expect("sh is there");
        let waited = waitpid(Some(pid), WaitOptions::empty()).expect("it is our child");
        let (_, status) = waited.expect("it blocks until there is one");
        assert_eq!(status.exit_status(), Some(10));
    }

    /// Set in the environment of the process that ignores SIGCHLD.
    const INNER: &str = "GLASSHOUSE_TEST_IGNORES_SIGCHLD";

    /// Ignoring SIGCHLD, which has the kernel reap every child, would disturb the other tests: this
    /// one starts itself anew as a process of its own.
    #[test]
    fn a_session_ends_though_its_status_is_lost() {
        if std::env::var_os(INNER).is_some() {
            // SAFETY: ignoring a signal runs no code, and nothing else of this process minds.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            return lose_a_status();
        }
        let inner = std::process::Command::new(std::env::current_exe().expect("it runs"))
            .args([
                "--exact",
                "spawn::tests::a_session_ends_though_its_status_is_lost",
            ])
            .arg("--nocapture")
            .env(INNER, "1")
            .output()
            .expect("it can be started again");
        let output = String::from_utf8_lossy(&inner.stdout);
        assert!(
            inner.status.success(),
            "{}",
            String::from_utf8_lossy(&inner.stderr)
        );
        assert!(
            output.contains("the status is lost"),
            "it ran idle: {output}"
        );
    }

    fn lose_a_status() {
        let scheduler = glasshouse_scheduler::Builder::new().workers(1).build();
        scheduler.expect("a scheduler").block_on(async {
            let registry = Registry::new();
            let command = Command::shell("echo complete; exit 3");
            let session = registry.spawn(&command).expect("sh is there");
            assert_eq!(session.wait().await, ExitStatus::Lost);
            assert_eq!(session.snapshot(), b"complete\r\n");
            assert_eq!((session.state().name(), registry.len()), ("lost", 0));
            println!("the status is lost");
        });
    }
}
