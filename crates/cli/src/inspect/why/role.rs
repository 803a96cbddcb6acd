//! Owns how it is told what the tasks of a spawn site are: by their names, for the log does not say it.

use glasshouse_pal::reader::Site;
use glasshouse_pal::why::Role;

/// What a task is named that the scheduler spawns for a blocking function, before the name that it was given.
const FUNCTION: &str = "spawn_blocking";
/// Our own tasks, by their names, their packages, and the files that spawn them.
const OWN: [(&str, &str, &str, Role); 3] = [
    ("lanes", "lanes", "/src/lanes.rs", Role::Host),
    ("node-metrics", "diag", "/src/collector.rs", Role::Host),
    ("spill", "scheduler", "/src/spill.rs", Role::Upkeep),
];

/// What the tasks of this site are.
pub fn role(site: &Site) -> Role {
    let name = site.name.as_deref();
    let is_own = |(own, package, file, _): &&(&str, &str, &str, Role)| {
        let place = site.file.strip_suffix(file);
        // The package's directory bears its name, and, from a registry, its version.
        let directory = place.map(|place| place.rsplit('/').next().unwrap_or(place));
        name == Some(*own) && directory.is_some_and(|directory| directory.contains(package))
    };
    match OWN.iter().find(is_own) {
        Some((_, _, _, role)) => *role,
        None if name.is_some_and(is_function) => Role::Function,
        None => Role::Task,
    }
}

fn is_function(name: &str) -> bool {
    let given = name.strip_prefix(FUNCTION);
    given.is_some_and(|given| given.is_empty() || given.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_tasks_are_told_by_their_names_and_the_files_that_spawn_them() {
        let of = |name: Option<&str>, file: &str| {
            role(&Site {
                file: file.to_owned(),
                line: 1,
                column: 1,
                name: name.map(str::to_owned),
            })
        };
        let registry = "/home/me/.cargo/registry/src/index-1f/glasshouse-lanes-0.1.0/src/lanes.rs";
        assert_eq!(of(Some("lanes"), registry), Role::Host);
        assert_eq!(of(Some("lanes"), "crates/lanes/src/lanes.rs"), Role::Host);
        assert_eq!(of(Some("lanes"), "src/lanes.rs"), Role::Task, "a user's");
        assert_eq!(of(None, "crates/lanes/src/lanes.rs"), Role::Task);
        let spill = "crates/scheduler/src/spill.rs";
        assert_eq!(of(Some("spill"), spill), Role::Upkeep);
        assert_eq!(of(Some("spill"), "src/spill.rs"), Role::Task, "a user's");
        for (name, role) in [
            ("spawn_blocking", Role::Function),
            ("spawn_blocking:resize", Role::Function),
            ("spawn_blocking_all", Role::Task),
        ] {
            assert_eq!(of(Some(name), "src/main.rs"), role, "{name}");
        }
    }
}
