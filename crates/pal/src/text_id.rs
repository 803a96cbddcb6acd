//! Owns the handles by which records name what lies in the log's arena.

/// A text in the log's arena: a name, a location's file, an error text. Zero is the empty text.
///
/// ```
/// use glasshouse_pal::{Pal, TextId};
/// let pal = Pal::memory();
/// assert_eq!(pal.text(""), TextId::EMPTY);
/// assert_eq!(pal.text("io"), pal.text("io"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextId(pub u32);

impl TextId {
    /// The empty text.
    pub const EMPTY: TextId = TextId(0);
    /// The text `_other`, which stands for those that found no room.
    pub const OTHER: TextId = TextId(1);
}

/// A spawn site in the log's arena: a source location and an optional name. Zero is unknown.
///
/// ```
/// use glasshouse_pal::{Pal, SiteId};
/// let pal = Pal::memory();
/// let site = pal.site("src/main.rs", 7, 5, Some("pump"));
/// assert_ne!(site, SiteId::UNKNOWN);
/// assert_eq!(pal.site("src/main.rs", 7, 5, Some("pump")), site);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

impl SiteId {
    /// No site.
    pub const UNKNOWN: SiteId = SiteId(0);
    /// The site that stands for those that found no room.
    pub const OTHER: SiteId = SiteId(1);
}
