//! Owns the crates as the house rules see them: their manifests, and how high each one stands.

use crate::source;
use std::path::Path;
use toml::Table;

/// How high each crate stands; an arrow must lead to a lower number.
const HEIGHTS: [(&str, u32); 9] = [
    ("glasshouse-pal", 0),
    ("glasshouse-telemetry", 1),
    ("glasshouse-scheduler", 2),
    ("glasshouse-diag", 3),
    ("glasshouse-lanes", 3),
    ("glasshouse-pty", 3),
    ("glasshouse-flow", 4),
    ("glasshouse-cli", 5),
    (FACADE, 5),
];

/// The root package, which re-exports the library.
const FACADE: &str = "glasshouse";

/// The sections of a manifest that hold dependencies. Those of tests must lead down as well.
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// One crate of the workspace.
pub struct Room {
    /// Its manifest's path from the repository's root.
    pub manifest: String,
    table: Table,
}

/// The root package and every crate below `crates/`, sorted by path.
pub fn all() -> Vec<Room> {
    let root = source::root();
    let crates = root.join("crates");
    let entries =
        std::fs::read_dir(&crates).unwrap_or_else(|e| panic!("{}: {e}", crates.display()));
    let mut manifests: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|name| format!("crates/{name}/Cargo.toml"))
        .filter(|manifest| root.join(manifest).is_file())
        .collect();
    manifests.push("Cargo.toml".to_owned());
    manifests.sort();
    manifests
        .into_iter()
        .map(|manifest| read(&root, manifest))
        .collect()
}

fn read(root: &Path, manifest: String) -> Room {
    let text =
        std::fs::read_to_string(root.join(&manifest)).unwrap_or_else(|e| panic!("{manifest}: {e}"));
    let table = text.parse().unwrap_or_else(|e| panic!("{manifest}: {e}"));
    Room { manifest, table }
}

impl Room {
    fn name(&self) -> &str {
        self.table["package"]["name"]
            .as_str()
            .expect("a package's name is a string")
    }

    /// Its folder of sources, with a `/` at the end.
    pub fn src(&self) -> String {
        format!("{}src/", self.manifest.trim_end_matches("Cargo.toml"))
    }

    /// Whether `path` is the file that the crate's attributes stand in.
    pub fn is_root_file(&self, path: &str) -> bool {
        ["lib.rs", "main.rs"]
            .iter()
            .any(|file| path == format!("{}{file}", self.src()))
    }

    /// Whether the workspace's lints apply to it.
    pub fn takes_workspace_lints(&self) -> bool {
        let lints = self.table.get("lints").and_then(|l| l.get("workspace"));
        lints.and_then(toml::Value::as_bool) == Some(true)
    }

    /// The crates of this workspace that it depends on, with the section that says so.
    fn arrows(&self) -> Vec<(String, String)> {
        let mut found = arrows_in(&self.table, "");
        if let Some(targets) = self.table.get("target").and_then(toml::Value::as_table) {
            for (cfg, table) in targets {
                if let Some(table) = table.as_table() {
                    found.extend(arrows_in(table, &format!("target.{cfg}.")));
                }
            }
        }
        found
    }

    /// A line for each dependency that does not lead down, and for a crate whose height is unknown.
    pub fn wrong_arrows(&self) -> Vec<String> {
        let Some(from) = height(self.name()) else {
            return vec![format!(
                "{}: say in tests/tidy how high it stands",
                self.manifest
            )];
        };
        self.arrows()
            .into_iter()
            .filter(|(to, _)| to == FACADE || height(to).is_none_or(|to| to >= from))
            .map(|(to, section)| format!("{}: [{section}] {to}", self.manifest))
            .collect()
    }
}

fn arrows_in(table: &Table, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in SECTIONS {
        let Some(dependencies) = table.get(section).and_then(toml::Value::as_table) else {
            continue;
        };
        for (key, value) in dependencies {
            // A renamed dependency names its package.
            let package = value.get("package").and_then(toml::Value::as_str);
            let name = package.unwrap_or(key);
            if name.starts_with(FACADE) {
                found.push((name.to_owned(), format!("{prefix}{section}")));
            }
        }
    }
    found
}

fn height(name: &str) -> Option<u32> {
    HEIGHTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, height)| height)
}
