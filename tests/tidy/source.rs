//! Owns the repository's Rust files as the house rules see them: path, text, and text with comments,
//! strings and character literals blanked out, so that a rule finds code and nothing else.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One Rust file.
#[derive(Clone)]
pub struct Source {
    /// Its path from the repository's root, with `/` between the parts.
    pub path: String,
    /// The text as it is.
    pub text: String,
    /// The text with spaces where comments, strings and character literals were; lines stay lines.
    pub code: String,
}

impl Source {
    /// The numbers of the lines whose code holds `word` as a whole word.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let numbered = self.code.lines().enumerate();
        numbered
            .filter(|(_, line)| has_word(line, word))
            .map(|(index, _)| index + 1)
            .collect()
    }

    /// Whether the file lies in the folder `dir`.
    pub fn is_under(&self, dir: &str) -> bool {
        self.path.starts_with(dir)
    }
}

/// The repository's root: the folder of the root package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the repository, sorted by path. Hidden folders and build output are left out.
/// Read once for all rules.
pub fn all() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut paths = Vec::new();
        collect(&root(), &mut paths);
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    });
    &ALL
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    for entry in entries {
        let entry = entry.unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry
            .file_type()
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if kind.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&path, into);
        } else if kind.is_file() && name.ends_with(".rs") {
            into.push(path);
        }
    }
}

fn read(path: &Path) -> Source {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let below = path.strip_prefix(root()).expect("collected below the root");
    Source {
        path: below.to_string_lossy().replace('\\', "/"),
        code: blank(&text),
        text,
    }
}

/// Whether `line` holds `word` with no letter, digit or underscore on either side.
pub fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !joins(before.chars().next_back()) && !joins(after.chars().next())
    })
}

/// `text` with comments, strings and character literals turned to spaces.
pub fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = literal_len(rest, out.chars().next_back());
        if len == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, left) = rest.split_at(len);
            out.extend(gone.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = left;
        }
    }
    out
}

/// How many bytes of `rest` are one comment, string or character literal; 0 if it begins with none.
fn literal_len(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_len(rest);
    }
    if rest.starts_with('"') {
        return quoted_len(rest, '"');
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with('r') && (!in_word || before == Some('b') || before == Some('c')) {
        return raw_string_len(rest);
    }
    if rest.starts_with('\'') {
        return char_len(rest);
    }
    0
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn raw_string_len(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|&c| c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    rest[body..]
        .find(&end)
        .map_or(rest.len(), |at| body + at + end.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn char_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => quoted_len(rest, '\''),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[test]
fn blanking_leaves_code_and_lines_only() {
    let text = "a // b\n/* c /* d */ e */ f \"g \\\" h\" i r#\"j \" k\"# l 'm' n<'o> '\\'' p br\"q\" \"r\ns\" t";
    let words: Vec<String> = blank(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a", "f", "i", "l", "n<'o>", "p", "b", "t"]);
    assert_eq!(blank(text).lines().count(), text.lines().count());
}

#[test]
fn a_word_is_found_whole_only() {
    assert!(has_word("pub unsafe fn f()", "unsafe"));
    assert!(has_word("unsafe{", "unsafe"));
    assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    assert!(!has_word("my_metrics::x", "metrics"));
}
