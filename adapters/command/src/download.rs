//! `wxtoken download`: where is the file, whole or not at all?

use wxtoken::{Downloaded, MEDIA_LIMIT, Metered};

use crate::args;
use crate::calling::{Desk, file::Target, progress::Progress};
use crate::exit::{Exit, Stop};
use crate::lang::Lang;
use crate::source;

mod video;

pub(crate) fn run(args: &args::Download, lang: Lang) -> Result<Exit, Stop> {
    let desk = Desk::new(&args.calling, lang)?;
    let mut target = Target::new(&args.output, lang)?;
    let progress = Progress::new();
    let result = {
        let limit = args.calling.limit.map_or(MEDIA_LIMIT, Into::into);
        let mut sink = Metered::new(&mut target, |done, total| progress.tell(done, total));
        match desk.client.download_within(&args.media_id, limit, &mut sink) {
            Ok(Downloaded::VideoAt(url)) => {
                let roots = source::roots(&args.calling.account, lang)?;
                video::fetch(&url, roots, limit, &mut sink, lang).map_err(|stop| stop.and(&progress.how_far(lang)))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(desk.stop(&error).and(&progress.how_far_of(&error, lang))),
        }
    };
    progress.end(result.is_ok());
    // What is half is removed with its last holder.
    result.and_then(|()| target.complete(lang)).map(|()| Exit::Ok)
}
