//! How is an uploaded file read without holding it? The form is read as a stream, its file goes to a temporary file.

use std::fs::File;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use http_body_util::Limited;
use hyper::body::{Body, Bytes, Incoming};
use multer::{Field, Multipart};
use sha2::{Digest, Sha256};

use crate::content::Content;
use crate::model::Upload;

/// The body could not be read to its end: it was too large, or broken off.
pub(crate) struct Unread;

/// Reads a form to its end. `None` when it is not well-formed, or has no part named `media` with a file name.
///
/// # Errors
/// [`Unread`].
pub(crate) async fn read(body: Limited<Incoming>, boundary: String) -> Result<Option<Upload>, Unread> {
    let mut pieces = Paced { body, waits: false, broken: false };
    let upload = match parts(Multipart::new(&mut pieces, boundary)).await {
        Ok(upload) => upload,
        Err(error) => {
            // The text of a parser's error may quote a header of the form, which is the caller's own.
            tracing::debug!(%error, "the form is not well-formed");
            None
        }
    };
    pieces.drain().await;
    if pieces.broken { Err(Unread) } else { Ok(upload) }
}

async fn parts(mut form: Multipart<'_>) -> Result<Option<Upload>, multer::Error> {
    let mut upload = None;
    // To the closing boundary: a form that breaks off before it is no form.
    while let Some(field) = form.next_field().await? {
        if let (Some("media"), Some(filename), None) = (field.name(), field.file_name(), &upload) {
            let filename = filename.to_owned();
            let content_type = field.content_type().map(ToString::to_string);
            upload = Some(Upload { filename, content_type, content: spool(field).await? });
        }
    }
    Ok(upload)
}

/// Into a temporary file that has no name, and so vanishes with the last who holds it, however that ends.
async fn spool(mut field: Field<'_>) -> Result<Content, multer::Error> {
    let disk = |error: io::Error| multer::Error::StreamReadFailed(error.into());
    let mut file: File = tempfile::tempfile().map_err(disk)?;
    let mut digest = Sha256::new();
    let mut len = 0;
    while let Some(piece) = field.chunk().await? {
        digest.update(&piece);
        len += piece.len() as u64;
        // A piece is some kilobytes, and the page cache takes them: not worth a thread of its own.
        file.write_all(&piece).map_err(disk)?;
    }
    Ok(Content::in_file(file, len, digest.finalize().into()))
}

/// The data of a body, one piece at a time. The parser reads on for as long as data is at hand, which from a fast client
/// is the whole body; a pause after each piece makes it take what it has first, and so keeps its memory constant.
struct Paced {
    body: Limited<Incoming>,
    waits: bool,
    broken: bool,
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.waits) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => {
                    self.broken = true;
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                None => return Poll::Ready(None),
            };
            if let Ok(data) = frame.into_data() {
                self.waits = true;
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }
}

impl Paced {
    /// Reads what follows the form: whoever answers early makes the client's writing fail.
    async fn drain(&mut self) {
        while !self.broken && std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.is_some() {}
    }
}
