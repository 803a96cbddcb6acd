//! Owns the filter by name: what was typed, and which spawn sites it lets through.

use crate::inspect::names::Names;
use glasshouse_pal::SiteId;
use glasshouse_pal::reader::Site;
use std::collections::HashMap;

/// The characters that a filter can have.
const FILTER_MAX: usize = 40;

/// A filter; an empty one lets all tasks through.
#[derive(Debug, Default)]
pub struct Filter {
    text: String,
    /// Keys go into it.
    pub is_typed: bool,
    /// What is known of sites already, of which there are few.
    passes: HashMap<SiteId, bool>,
}

impl Filter {
    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn push(&mut self, c: char) {
        if self.text.chars().count() < FILTER_MAX {
            self.text.extend(c.to_lowercase());
            self.passes.clear();
        }
    }

    pub fn pop(&mut self) {
        self.text.pop();
        self.passes.clear();
    }

    /// Whether a task that was spawned there passes: its name, or the place where it has none, holds what was
    /// typed, whether in capitals or not.
    pub fn passes(&mut self, site: Option<SiteId>, names: &mut Names<'_>) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let Some(site) = site else {
            return false;
        };
        let text = &self.text;
        let known = self.passes.entry(site);
        *known.or_insert_with(|| {
            let site = names.of_site(site);
            site.is_some_and(|site| label(&site).to_lowercase().contains(text))
        })
    }
}

/// What a task is called that was spawned there: its name, or the place where it has none.
pub fn label(site: &Site) -> String {
    match &site.name {
        Some(name) => name.clone(),
        None => format!("{}:{}", site.file, site.line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshouse_pal::Pal;

    fn typed(text: &str) -> Filter {
        let mut filter = Filter::default();
        text.chars().for_each(|c| filter.push(c));
        filter
    }

    #[test]
    fn a_filter_looks_at_the_name_and_at_the_place_where_there_is_none() {
        let pal = Pal::memory();
        let named = Some(pal.site("src/main.rs", 4, 9, Some("Pump")));
        let nameless = Some(pal.site("src/pump.rs", 7, 1, None));
        let log = pal.log();
        let mut names = Names::new(&log);
        let mut pass = |text: &str| {
            let mut filter = typed(text);
            [named, nameless, None].map(|site| filter.passes(site, &mut names))
        };
        assert_eq!(pass("pump"), [true, true, false]);
        assert_eq!(pass("PUMP.RS:7"), [false, true, false]);
        assert_eq!(pass("main"), [false, false, false]);
        assert_eq!(pass(""), [true, true, true]);
    }

    #[test]
    fn what_is_typed_and_taken_back_counts_anew() {
        let pal = Pal::memory();
        let site = Some(pal.site("src/main.rs", 4, 9, Some("pump")));
        let log = pal.log();
        let mut names = Names::new(&log);
        let mut filter = typed("pumps");
        assert!(!filter.passes(site, &mut names));
        filter.pop();
        assert!(filter.passes(site, &mut names));
        assert_eq!(filter.text(), "pump");
        for _ in 0..100 {
            filter.push('x');
        }
        assert_eq!(filter.text().len(), FILTER_MAX);
    }
}
