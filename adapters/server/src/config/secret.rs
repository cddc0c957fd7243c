//! Where is a secret? In the environment, in a file that nobody else can read, or in a systemd credential; never in the
//! configuration itself.

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use zeroize::Zeroizing;

/// More than any secret has; a file that is longer is another one.
const MAX_FILE: u64 = 4096;

/// The variables of the environment, by name.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What the configuration says of a secret.
#[derive(Debug)]
pub(super) struct Source(Table);

#[derive(Debug, Default, Deserialize)]
pub(super) struct Table {
    env: Option<String>,
    file: Option<PathBuf>,
    credential: Option<String>,
}

const REMEDY: &str =
    "a secret does not stand in this file; write { env = \"NAME\" }, { file = \"PATH\" } or { credential = \"NAME\" }";

/// Anything but a table is answered without repeating it: it may be the secret.
impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tables;
        impl<'de> Visitor<'de> for Tables {
            type Value = Source;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(Source)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Source, E> {
                Err(E::custom(REMEDY))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Source, E> {
                Err(E::custom(REMEDY))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Source, E> {
                Err(E::custom(REMEDY))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Source, E> {
                Err(E::custom(REMEDY))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Source, A::Error> {
                Err(A::Error::custom(REMEDY))
            }
        }
        deserializer.deserialize_any(Tables)
    }
}

impl Source {
    /// Reads the secret. The error says what to do, and nothing of what was read.
    pub(super) fn read(&self, folder: &Path, environment: &Environment<'_>) -> Result<Zeroizing<String>, String> {
        let mut text = match &self.0 {
            Table { env: Some(name), file: None, credential: None } => Zeroizing::new(
                environment(name).ok_or_else(|| format!("the variable {name} is not set, or not UTF-8; set it"))?,
            ),
            Table { env: None, file: Some(path), credential: None } => {
                let path = folder.join(path);
                from_file(&path).map_err(|why| format!("its secret's file {}: {why}", path.display()))?
            }
            Table { env: None, file: None, credential: Some(name) } => from_credential(name, environment)?,
            _ => return Err("its secret names none or several of env, file and credential; name one".to_owned()),
        };
        // A file's last newline is its editor's.
        let kept = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).map(str::len);
        if let Some(kept) = kept {
            text.truncate(kept);
        }
        Ok(text)
    }
}

/// What systemd passes by LoadCredential= or SetCredentialEncrypted=.
fn from_credential(name: &str, environment: &Environment<'_>) -> Result<Zeroizing<String>, String> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(format!("{name:?} is no name of a systemd credential; write the one that LoadCredential= has"));
    }
    let folder = environment("CREDENTIALS_DIRECTORY")
        .ok_or("systemd passes no credentials here; add LoadCredential= to the unit, or use { file = \"PATH\" }")?;
    // systemd sees to who can read it.
    read(&Path::new(&folder).join(name)).map_err(|why| format!("the systemd credential {name}: {why}"))
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let data = fs::metadata(path).map_err(|error| error.to_string())?;
    only_ours(&data)?;
    if data.len() > MAX_FILE {
        return Err("it is longer than a secret; is it the right file?".to_owned());
    }
    read(path)
}

/// Refuses a file that others can read.
pub(super) fn only_ours(data: &fs::Metadata) -> Result<(), String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = data.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!("others can read it (mode {mode:03o}); chmod 600 it"));
        }
    }
    #[cfg(not(unix))]
    let _ = data;
    Ok(())
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
