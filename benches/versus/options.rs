//! Owns what is asked for on the command line.

use crate::versus::line::Allocator;
use crate::versus::row::{ROWS, Row};
use crate::versus::subject::Subject;
use crate::versus::work::{Clock, Size};

const USAGE: &str = "usage: versus [--rows a,b] [--subjects on,off,push,tokio,async-ex,tokio-ct] \
[--workers 1,2] [--allocators glibc,mimalloc] [--pairs N] [--quick] [--cpu] [--json]";

/// Pairs by default: the fewest that a row is judged by.
const PAIRS: usize = 15;

/// What to run, and how to print it.
#[derive(Debug)]
pub struct Options {
    pub rows: Vec<&'static Row>,
    pub subjects: Vec<Subject>,
    pub workers: Vec<usize>,
    pub allocators: Vec<Allocator>,
    pub pairs: usize,
    pub size: Size,
    pub clock: Clock,
    /// One JSON object with all samples on standard output, and the table on standard error.
    pub is_json: bool,
}

impl Options {
    /// Reads the arguments; those that cargo adds are ignored.
    pub fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            rows: ROWS.iter().collect(),
            subjects: Subject::ALL.to_vec(),
            workers: vec![1, 2],
            allocators: Allocator::ALL.to_vec(),
            pairs: PAIRS,
            size: Size::FULL,
            clock: Clock::Wall,
            is_json: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| USAGE.to_owned());
            match argument.as_str() {
                "--bench" => {}
                "--quick" => options.size = Size::QUICK,
                "--cpu" => options.clock = Clock::Processor,
                "--json" => options.is_json = true,
                "--rows" => options.rows = list(value()?, Row::by_name)?,
                "--subjects" => options.subjects = list(value()?, Subject::by_name)?,
                "--workers" => options.workers = list(value()?, count)?,
                "--allocators" => options.allocators = list(value()?, Allocator::by_name)?,
                "--pairs" => options.pairs = one(value()?, count)?,
                _ => return Err(format!("{argument} is not an option; {USAGE}")),
            }
        }
        Ok(options)
    }
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    text.split(',').map(|word| one(word, &read)).collect()
}

fn one<T>(word: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    read(word).ok_or_else(|| {
        let rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        format!("{word} is not known; {USAGE}; rows: {}", rows.join(" "))
    })
}

/// A number of workers or pairs.
fn count(word: &str) -> Option<usize> {
    word.parse().ok().filter(|&count| count > 0)
}
