//! Where does a reply go that is a file? Into a temporary one beside its place, which takes the place when it is complete;
//! or to standard output.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use wxtoken::ReplySink;

use crate::exit::{Exit, Stop};
use crate::interrupt;
use crate::lang::Lang;

/// A file to be.
pub(crate) enum Target {
    /// Renamed when it is complete.
    Beside { half: NamedTempFile, place: PathBuf },
    /// A device or a pipe, which cannot be replaced.
    Through { file: File, touched: bool },
    /// Standard output.
    Output(io::Stdout, bool),
}

impl Target {
    /// Opens what is needed, so that a place where nothing can be written is known before anything is sent.
    pub(crate) fn new(place: &Path, lang: Lang) -> Result<Self, Stop> {
        if place.as_os_str() == "-" {
            return Ok(Self::Output(io::stdout(), false));
        }
        Self::open(place).map_err(|error| cannot_write(place, &error, lang))
    }

    fn open(place: &Path) -> io::Result<Self> {
        // A link stays one.
        let place = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        if let Ok(about) = std::fs::metadata(&place)
            && !about.is_file()
        {
            let file = File::options().write(true).open(&place)?;
            return Ok(Self::Through { file, touched: false });
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".wxtoken-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any other program's file: what the umask leaves of it.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let half = builder.tempfile_in(folder)?;
        interrupt::half_file(Some(half.path()));
        Ok(Self::Beside { half, place })
    }

    /// It is complete: takes its place.
    pub(crate) fn complete(self, lang: Lang) -> Result<(), Stop> {
        let Self::Beside { half, place } = self else { return Ok(()) };
        let kept = half.as_file().sync_all().and_then(|()| half.persist(&place).map(drop).map_err(|error| error.error));
        interrupt::half_file(None);
        kept.map_err(|error| cannot_write(&place, &error, lang))
    }
}

fn cannot_write(place: &Path, error: &io::Error, lang: Lang) -> Stop {
    let text = match lang {
        Lang::Zh => format!("无法写入 {}：{error}", place.display()),
        _ => format!("{} cannot be written: {error}", place.display()),
    };
    Stop::With(Exit::Failed, text)
}

impl Write for Target {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside { half, .. } => half.write(piece),
            Self::Through { file, touched } => {
                *touched = true;
                file.write(piece)
            }
            Self::Output(out, touched) => {
                *touched = true;
                out.write(piece)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside { half, .. } => half.flush(),
            Self::Through { file, .. } => file.flush(),
            Self::Output(out, _) => out.flush(),
        }
    }
}

impl ReplySink for Target {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        match self {
            Self::Beside { half, .. } => half.as_file_mut().begin(len),
            Self::Through { touched: true, .. } | Self::Output(_, true) => Err(io::ErrorKind::NotSeekable.into()),
            Self::Through { .. } | Self::Output(..) => Ok(()),
        }
    }
}
