//! Owns values that belong to a task: a key, and the scope in which it has a value.
//!
//! The value lies in the future that [`LocalKey::scope`] makes. While that future is polled or dropped the
//! value lies in a cell of the thread, where the key finds it, and what the cell held before lies in the
//! future. A task that uses no key pays nothing.

mod error;
mod future;

pub use error::AccessError;
pub use future::TaskLocalFuture;

use error::ScopeError;
use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::thread;

/// Declares keys whose values belong to tasks, each a [`task::LocalKey`](crate::task::LocalKey).
///
/// ```
/// glasshouse_scheduler::task_local! {
///     /// Whose request the task serves.
///     pub static USER: String;
///     static ATTEMPT: u32;
/// }
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(USER.scope("ada".to_owned(), async {
///     assert_eq!(USER.get(), "ada");
///     assert!(ATTEMPT.try_get().is_err());
/// }));
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $key:ident: $value:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $key: $value);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $key:ident: $value:ty) => {
        $(#[$attribute])*
        $visibility static $key: $crate::task::LocalKey<$value> = {
            ::std::thread_local! {
                static CELL: ::std::cell::RefCell<::std::option::Option<$value>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            $crate::task::LocalKey::over(CELL)
        };
    };
}

/// A key whose value belongs to a task, made by [`task_local!`](crate::task_local).
///
/// ```
/// use glasshouse_scheduler::task::LocalKey;
/// glasshouse_scheduler::task_local! { static DEPTH: u32; }
/// fn deeper(key: &'static LocalKey<u32>) -> u32 {
///     key.get() + 1
/// }
/// assert_eq!(DEPTH.sync_scope(1, || deeper(&DEPTH)), 2);
/// ```
pub struct LocalKey<T: 'static> {
    cell: thread::LocalKey<RefCell<Option<T>>>,
}

impl<T: 'static> LocalKey<T> {
    /// A key over a cell of the thread. For [`task_local!`](crate::task_local).
    #[doc(hidden)]
    pub const fn over(cell: thread::LocalKey<RefCell<Option<T>>>) -> LocalKey<T> {
        LocalKey { cell }
    }

    /// Runs `future` with this value: at each of its polls, and while it is dropped, the key has it. Tasks
    /// that it spawns do not.
    ///
    /// # Panics
    /// The future does when it is polled inside of [`with`](LocalKey::with) of the same key.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture::new(self, value, future)
    }

    /// Calls `f` with this value.
    ///
    /// # Panics
    /// Inside of [`with`](LocalKey::with) of the same key.
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        match self.hold(&mut value, f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    /// Outside of a scope; [`LocalKey::try_with`] does not.
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    /// Outside of a scope, and after [`TaskLocalFuture::take_value`].
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        // A thread that ends has dropped its cell: it is in no scope either.
        let found = self.cell.try_with(|cell| cell.borrow().as_ref().map(f));
        found.ok().flatten().ok_or(AccessError(()))
    }

    /// Calls `f` while the cell holds `value`, and what it held is in the place of `value`.
    fn hold<R>(
        &'static self,
        value: &mut Option<T>,
        f: impl FnOnce() -> R,
    ) -> Result<R, ScopeError> {
        struct Restore<'a, T: 'static> {
            key: &'static LocalKey<T>,
            value: &'a mut Option<T>,
        }
        impl<T> Drop for Restore<'_, T> {
            fn drop(&mut self) {
                // The cell was there and not borrowed before `f`, and a borrow ends within its `with`.
                let _ = self.key.swap(self.value);
            }
        }
        self.swap(value)?;
        let _restore = Restore { key: self, value };
        Ok(f())
    }

    fn swap(&'static self, value: &mut Option<T>) -> Result<(), ScopeError> {
        let swapped = self.cell.try_with(|cell| {
            let mut held = cell.try_borrow_mut().map_err(|_| ScopeError::Borrowed)?;
            mem::swap(&mut *held, value);
            Ok(())
        });
        swapped.unwrap_or(Err(ScopeError::Gone))
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    /// Outside of a scope; [`LocalKey::try_get`] does not.
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    /// Outside of a scope, and after [`TaskLocalFuture::take_value`].
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}
