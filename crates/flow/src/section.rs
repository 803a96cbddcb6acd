//! Owns one table of a flow's TOML while it is read: typed look-ups that know where they stand.

use crate::error::{FlowError, Problem};
use crate::quantity::QuantityError;
use crate::source::{At, Source, excerpt};
use crate::suggestion::nearest;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table, and what to call it in a message.
pub(crate) struct Section<'a, 'i> {
    source: Source<'a>,
    table: &'a DeTable<'i>,
    span: Range<usize>,
    name: &'static str,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Opens a table that may hold only `known` keys.
    pub(crate) fn open(
        source: Source<'a>,
        table: At<&'a DeTable<'i>>,
        name: &'static str,
        known: &'static [&'static str],
    ) -> Result<Section<'a, 'i>, FlowError> {
        let section = Section {
            source,
            table: table.value,
            span: table.span,
            name,
        };
        for (key, _) in section.entries() {
            if !known.contains(&key.value) {
                let problem = Problem::UnknownKey {
                    suggestion: nearest(key.value, known.iter().copied()).map(String::from),
                    key: excerpt(key.value),
                    section: name,
                    known,
                };
                return Err(source.error(&key.span, problem));
            }
        }
        Ok(section)
    }

    /// The keys and values in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(At<&'a str>, &'a Spanned<DeValue<'i>>)> {
        entries(self.table)
    }

    /// The table under this key, where there is one.
    pub(crate) fn table(
        &self,
        key: &'static str,
        example: &'static str,
    ) -> Result<Option<At<&'a DeTable<'i>>>, FlowError> {
        self.find(key)
            .map(|value| self.source.table(key, value, example))
            .transpose()
    }

    /// The string under this key, where there is one.
    pub(crate) fn string(
        &self,
        key: &'static str,
        example: &'static str,
    ) -> Result<Option<At<&'a str>>, FlowError> {
        self.find(key)
            .map(|value| self.source.string(key, value, example))
            .transpose()
    }

    /// The strings in the array under this key; empty where there is none.
    pub(crate) fn strings(
        &self,
        key: &'static str,
        example: &'static str,
    ) -> Result<Vec<At<&'a str>>, FlowError> {
        let Some(value) = self.find(key) else {
            return Ok(Vec::new());
        };
        let Some(array) = value.get_ref().as_array() else {
            return Err(self.source.wrong_type(key, value, example));
        };
        array
            .iter()
            .map(|item| self.source.string(key, item, example))
            .collect()
    }

    /// The whole number under this key, where there is one.
    pub(crate) fn number(
        &self,
        key: &'static str,
        range: RangeInclusive<u64>,
        example: &'static str,
    ) -> Result<Option<u64>, FlowError> {
        let Some(value) = self.find(key) else {
            return Ok(None);
        };
        let Some(integer) = value.get_ref().as_integer() else {
            return Err(self.source.wrong_type(key, value, example));
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let problem = Problem::OutOfRange {
                    key,
                    value: excerpt(&integer.to_string()),
                    min: *range.start(),
                    max: *range.end(),
                };
                Err(self.source.error(&value.span(), problem))
            }
        }
    }

    /// The quantity in the string under this key, read by `read`, where there is one.
    pub(crate) fn quantity<T>(
        &self,
        key: &'static str,
        example: &'static str,
        read: impl FnOnce(&str) -> Result<T, QuantityError>,
    ) -> Result<Option<T>, FlowError> {
        let Some(text) = self.string(key, example)? else {
            return Ok(None);
        };
        let value = read(text.value).map_err(|reason| {
            let problem = Problem::Quantity {
                key,
                value: excerpt(text.value),
                reason,
                example,
            };
            self.source.error(&text.span, problem)
        })?;
        Ok(Some(value))
    }

    /// The error for a key that must be there and is not.
    pub(crate) fn missing(&self, key: &'static str, example: &'static str) -> FlowError {
        let problem = Problem::MissingKey {
            key,
            section: self.name,
            example,
        };
        self.source.error(&self.span, problem)
    }

    /// The value under this key, as it stands.
    pub(crate) fn find(&self, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table.get(key)
    }
}

/// A table's keys and values in the order of the file.
pub(crate) fn entries<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(At<&'a str>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let span = key.span();
            let value_of_key: &str = key.get_ref();
            (
                At {
                    value: value_of_key,
                    span,
                },
                value,
            )
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    entries
}
