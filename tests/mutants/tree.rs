//! Where are the bugs planted? In a copy of the checkout, which builds into a folder of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::list::Mutant;

pub(crate) struct Tree {
    root: PathBuf,
    target: PathBuf,
}

/// The checkout this program was built from.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text with the bug in it; `Err` says how often the place was found.
pub(crate) fn planted(mutant: &Mutant, text: &str) -> Result<String, usize> {
    match text.matches(mutant.from).count() {
        1 => Ok(text.replacen(mutant.from, mutant.to, 1)),
        found => Err(found),
    }
}

impl Tree {
    /// Copies what git would take, rewriting only what differs, so that a second run builds little, and a bug that an
    /// interrupted run left planted is gone.
    pub(crate) fn copy() -> io::Result<Self> {
        let from = checkout().canonicalize()?;
        let home = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| from.join("target"), PathBuf::from)
            .join("seeded-mutants");
        let tree = Self { root: home.join("tree"), target: home.join("target") };
        let list =
            Command::new("git").current_dir(&from).args(["ls-files", "-z", "-co", "--exclude-standard"]).output()?;
        if !list.status.success() {
            return Err(io::Error::other("git ls-files failed; run it inside the checkout"));
        }
        for name in String::from_utf8_lossy(&list.stdout).split('\0').filter(|name| !name.is_empty()) {
            let (source, target) = (from.join(name), tree.root.join(name));
            let Ok(wanted) = fs::read(&source) else { continue };
            if fs::read(&target).is_ok_and(|there| there == wanted) {
                continue;
            }
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&target, wanted)?;
        }
        Ok(tree)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Plants a bug, and returns the text to be put back.
    pub(crate) fn plant(&self, mutant: &Mutant) -> io::Result<String> {
        let file = self.root.join(mutant.file);
        let sound = fs::read_to_string(&file)?;
        let bug = planted(mutant, &sound)
            .map_err(|n| io::Error::other(format!("{}: its text stands {n} times in {}", mutant.name, mutant.file)))?;
        fs::write(file, bug)?;
        Ok(sound)
    }

    pub(crate) fn put_back(&self, mutant: &Mutant, sound: String) -> io::Result<()> {
        fs::write(self.root.join(mutant.file), sound)
    }
}
