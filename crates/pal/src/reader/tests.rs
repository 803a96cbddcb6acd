//! What must hold of reading a log: it gives back what was written, in order, and says what it lost
//! (`model`); beside a writer it gives no mixture of records (`beside`); whatever it finds, it does
//! not panic, loop, or take memory without bound (`hostile`); and what earlier releases wrote is written and read
//! as ever (`golden`).

mod beside;
pub(crate) mod golden;
mod hostile;
mod model;
