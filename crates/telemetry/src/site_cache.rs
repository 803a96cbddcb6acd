//! Owns a worker's memory of spawn sites: from a source location to the site's id in the log.

use crate::settings::SpawnSite;
use glasshouse_pal::{Pal, SiteId};
use std::cell::Cell;
use std::panic::Location;

/// How many sites are remembered; a guess at how many places spawn often. Two that fall on one place
/// displace each other, which costs a look-up in the log's own index.
const PLACES: usize = 64;

/// One remembered site.
type Place = Cell<Option<(&'static Location<'static>, SiteId)>>;

/// A direct-mapped cache of the sites without a name.
#[derive(Debug)]
pub(crate) struct SiteCache {
    places: [Place; PLACES],
}

impl SiteCache {
    pub(crate) fn new() -> SiteCache {
        SiteCache {
            places: [const { Cell::new(None) }; PLACES],
        }
    }

    /// The site's id, interned in `pal` if this cache does not know it.
    #[inline]
    pub(crate) fn id(&self, site: &SpawnSite<'_>, pal: &Pal) -> SiteId {
        if site.name.is_some() {
            return intern(site, pal);
        }
        let address = std::ptr::from_ref(site.location).addr();
        // A location is some 24 bytes long, so that its lower bits tell little apart.
        let place = &self.places[(address >> 3 ^ address >> 9) % PLACES];
        match place.get() {
            Some((location, id)) if std::ptr::eq(location, site.location) => id,
            _ => {
                let id = intern(site, pal);
                place.set(Some((site.location, id)));
                id
            }
        }
    }
}

/// The site's id in the log.
#[cold]
pub(crate) fn intern(site: &SpawnSite<'_>, pal: &Pal) -> SiteId {
    let location = site.location;
    pal.site(
        location.file(),
        location.line(),
        location.column(),
        site.name,
    )
}
