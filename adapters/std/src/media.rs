//! How does a file get to the platform and back? Temporary media, which live three days, in constant memory either way.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use wxtoken_core::{Call, Product};

use crate::{
    call::{BodySource, CallError, CallReason, Once, ReplySink},
    client::Client,
};

mod form;
mod limits;

use form::Form;
pub use limits::{BadMedia, MediaLimits, MediaType};

/// How long the upload or download of a file goes on, unless another limit is set: ten minutes.
pub const MEDIA_LIMIT: Duration = Duration::from_secs(600);

/// A file to be uploaded. From a path or memory it is sent again where that helps; a reader's bytes are gone once they were
/// sent.
pub struct Upload<'a> {
    media_type: MediaType,
    file_name: String,
    len: u64,
    file: Box<dyn BodySource + 'a>,
    replayable: bool,
    tell: Box<dyn FnMut(u64, u64) + 'a>,
    limit: Duration,
}

impl<'a> Upload<'a> {
    /// The file at `path`, under its own name.
    ///
    /// # Errors
    /// [`CallError::Caller`] when it cannot be opened or is no file.
    pub fn from_path(media_type: MediaType, path: impl AsRef<Path>) -> Result<Self, CallError> {
        let path = path.as_ref();
        let failed = |error: io::Error| CallError::Caller(CallReason::Source(error.kind()));
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            let kind = if about.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
            return Err(failed(kind.into()));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self::new(media_type, name, about.len(), Box::new(file), true))
    }

    /// These bytes, under this name, whose ending says what they are.
    #[must_use]
    pub fn from_bytes(media_type: MediaType, file_name: impl Into<String>, bytes: &'a [u8]) -> Self {
        let len = bytes.len() as u64;
        Self::new(media_type, file_name.into(), len, Box::new(io::Cursor::new(bytes)), true)
    }

    /// `len` bytes from `reader`, which cannot begin anew: when the token is refused, the error is
    /// [`GaveUp::BodySpent`](crate::GaveUp::BodySpent), and another upload gets another token.
    #[must_use]
    pub fn from_reader(media_type: MediaType, file_name: impl Into<String>, len: u64, reader: impl Read + 'a) -> Self {
        Self::new(media_type, file_name.into(), len, Box::new(Once::new(reader)), false)
    }

    fn new(
        media_type: MediaType,
        file_name: String,
        len: u64,
        file: Box<dyn BodySource + 'a>,
        replayable: bool,
    ) -> Self {
        Self { media_type, file_name, len, file, replayable, tell: Box::new(|_, _| {}), limit: MEDIA_LIMIT }
    }

    /// Under another name than the file's; the receiver of a WeCom file sees it.
    #[must_use]
    pub fn named(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = file_name.into();
        self
    }

    /// Tells `tell` how many of the file's bytes are on their way, and how many there are. It begins at 0 again with another
    /// attempt.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(u64, u64) + 'a) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// Goes on for so long instead of [`MEDIA_LIMIT`].
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Whether `product` takes it, as far as name and length tell.
    ///
    /// # Errors
    /// [`BadMedia`] says what it does not take.
    pub fn check(&self, product: Product) -> Result<(), BadMedia> {
        let limits = self.media_type.limits(product).ok_or(BadMedia::Type(self.media_type))?;
        limits.look_at(&self.file_name, self.len)
    }
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("media_type", &self.media_type)
            .field("file_name", &self.file_name)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// What the platform says of a file that it took over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Uploaded {
    /// Under which it is sent and downloaded, for three days. A thumb's comes under a name of its own.
    #[serde(alias = "thumb_media_id")]
    pub media_id: String,
}

/// What came of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Downloaded {
    /// The sink has the file.
    File,
    /// It is a video of an official account, of which the platform gives the address. No token is needed there.
    VideoAt(String),
}

/// Tells how a reply grows on its way to a sink: bytes so far, and in all if that is known.
pub struct Metered<S, F> {
    sink: S,
    tell: F,
    done: u64,
    total: Option<u64>,
}

impl<S: ReplySink, F: FnMut(u64, Option<u64>)> Metered<S, F> {
    /// Around `sink`.
    pub const fn new(sink: S, tell: F) -> Self {
        Self { sink, tell, done: 0, total: None }
    }

    /// The sink.
    pub fn into_inner(self) -> S {
        self.sink
    }
}

impl<S: ReplySink, F: FnMut(u64, Option<u64>)> Write for Metered<S, F> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let n = self.sink.write(piece)?;
        self.done += n as u64;
        (self.tell)(self.done, self.total);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl<S: ReplySink, F: FnMut(u64, Option<u64>)> ReplySink for Metered<S, F> {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        self.sink.begin(len)?;
        (self.done, self.total) = (0, len);
        (self.tell)(0, len);
        Ok(())
    }
}

impl<S, F> fmt::Debug for Metered<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered").field("done", &self.done).field("total", &self.total).finish_non_exhaustive()
    }
}

impl Client {
    /// Uploads a file. Its type, name and length are checked before a byte is sent.
    ///
    /// Uploading a file twice does no harm, so that is done when no answer came.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`CallReason::BadMedia`] when the platform would not take it.
    pub fn upload(&self, upload: Upload<'_>) -> Result<Uploaded, CallError> {
        let product = self.shared().who.endpoint().product();
        upload.check(product).map_err(|why| CallError::Caller(CallReason::BadMedia(why)))?;
        let with_length = product == Product::Work;
        let (mut form, boundary) = Form::new(&upload.file_name, upload.file, upload.len, with_length, upload.tell);
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let query = [("type", upload.media_type.as_str())];
        let call = Call::stream("/cgi-bin/media/upload", &content_type, form.len())?
            .with_query(&query)?
            .with_idempotence(upload.replayable);
        let call = if upload.replayable { call } else { call.sent_once() };
        self.call_from(&call, upload.limit, &mut form)?.json()
    }

    /// Downloads the file with this media_id into `sink`; [`Metered`] around it tells how far it got.
    ///
    /// # Errors
    /// As [`call`](Self::call). What `sink` has taken is then not the file.
    pub fn download(&self, media_id: &str, sink: &mut dyn ReplySink) -> Result<Downloaded, CallError> {
        self.download_within(media_id, MEDIA_LIMIT, sink)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`download`](Self::download).
    pub fn download_within(
        &self,
        media_id: &str,
        limit: Duration,
        sink: &mut dyn ReplySink,
    ) -> Result<Downloaded, CallError> {
        #[derive(Deserialize)]
        struct Video {
            video_url: String,
        }
        let query = [("media_id", media_id)];
        let call = Call::get("/cgi-bin/media/get")?.with_query(&query)?.with_any_reply();
        let reply = self.call_for_file(&call, limit, sink)?;
        if reply.body().is_empty() {
            Ok(Downloaded::File)
        } else {
            Ok(Downloaded::VideoAt(reply.json::<Video>()?.video_url))
        }
    }
}
