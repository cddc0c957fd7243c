//! `wxtoken upload`: under which media_id does the platform keep the file?

use std::path::Path;

use wxtoken::core::Product;
use wxtoken::{BadMedia, CallError, CallReason, MEDIA_LIMIT, MediaType};

use crate::args::{self, Kind};
use crate::calling::{self, Desk, progress::Progress};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::output::Output;
use crate::source;

pub(crate) fn run(args: &args::Upload, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let progress = Progress::new();
    let mut upload = opened(&args.file, args.media_type.into(), lang)?
        .on_progress(|done, total| progress.tell(done, Some(total)))
        .within(args.calling.limit.map_or(MEDIA_LIMIT, Into::into));
    if let Some(name) = &args.name {
        upload = upload.named(name);
    }
    // Before the secret is asked for, too.
    check(&upload, args, lang)?;
    let desk = Desk::new(&args.calling, lang)?;
    let result = desk.client.upload(upload);
    progress.end(result.is_ok());
    match result {
        Ok(uploaded) => out.line(uploaded.media_id)?,
        Err(error) => return Err(desk.stop(&error).and(&progress.how_far_of(&error, lang))),
    }
    Ok(Exit::Ok)
}

fn opened(file: &Path, media_type: MediaType, lang: Lang) -> Result<wxtoken::Upload<'_>, Stop> {
    wxtoken::Upload::from_path(media_type, file).map_err(|error| match error.reason() {
        CallReason::Source(kind) => source::cannot_read(&file.display().to_string(), &(*kind).into(), lang),
        _ => calling::stop(&error, lang),
    })
}

fn check(upload: &wxtoken::Upload<'_>, args: &args::Upload, lang: Lang) -> Result<(), Stop> {
    let kind = args.calling.account.kind;
    if kind == Kind::MiniProgram && args.media_type != args::MediaType::Image {
        let text = pick(lang, "a mini program takes images only; use --type image", "小程序只支持 --type image");
        return Err(Stop::With(Exit::Configuration, text.to_owned()));
    }
    let product = if kind == Kind::Work { Product::Work } else { Product::Platform };
    let bad = |why: BadMedia| calling::stop(&CallError::Caller(CallReason::BadMedia(why)), lang);
    upload.check(product).map_err(bad)
}

impl From<args::MediaType> for MediaType {
    fn from(media_type: args::MediaType) -> Self {
        match media_type {
            args::MediaType::Image => Self::Image,
            args::MediaType::Voice => Self::Voice,
            args::MediaType::Video => Self::Video,
            args::MediaType::Thumb => Self::Thumb,
            args::MediaType::File => Self::File,
        }
    }
}
