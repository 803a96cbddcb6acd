//! Owns the guess at what a misspelt word was meant to be.

/// Of `known`, the word closest to `word`, if it is close enough to be worth naming: at most a third
/// of its letters wrong, added, missing or swapped with their neighbour, and one of them right. The first
/// of equals.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = lowercase(word);
    known
        .into_iter()
        .map(|candidate| {
            let wanted = lowercase(candidate);
            let longer = letters.len().max(wanted.len());
            (edits(&letters, &wanted), longer, candidate)
        })
        .filter(|&(edits, longer, _)| edits < longer && edits * 3 <= longer.max(3))
        .min_by_key(|&(edits, ..)| edits)
        .map(|(.., candidate)| candidate)
}

/// The longest word compared: the work grows with the product of the lengths.
const LETTERS_MAX: usize = 64;

fn lowercase(word: &str) -> Vec<char> {
    word.chars()
        .flat_map(char::to_lowercase)
        .take(LETTERS_MAX)
        .collect()
}

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, &a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let replaced = row[j] + usize::from(a != b);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["name", "run", "lane", "needs", "timeout", "retries"];

    #[test]
    fn a_near_miss_finds_its_word() {
        for (word, meant) in [
            ("need", "needs"),
            ("nedes", "needs"),
            ("Run", "run"),
            ("rnu", "run"),
            ("time_out", "timeout"),
            ("retires", "retries"),
            ("lanes", "lane"),
        ] {
            assert_eq!(nearest(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_far_from_all_finds_none() {
        for word in ["", "x", "rxx", "command", "depends_on", "ttttttt"] {
            assert_eq!(nearest(word, KEYS), None, "{word}");
        }
    }

    #[test]
    fn distances_are_those_of_the_definition() {
        let distance = |a: &str, b: &str| edits(&lowercase(a), &lowercase(b));
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("ca", "abc"), 3);
    }
}
