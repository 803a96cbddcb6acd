//! What must hold of reading a log: it gives back what was written, in order, and says what it lost
//! (`model`); beside a writer it gives no mixture of records (`beside`); whatever it finds, it does
//! not panic, loop, or take memory without bound (`hostile`).

mod beside;
mod hostile;
mod model;
