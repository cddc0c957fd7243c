//! `wxtoken call`: what does the platform answer to one call?

use wxtoken::{Call, CallError, CallReply, Metered};

use crate::args::{self, Method};
use crate::calling::{self, Desk, file::Target, progress::Progress};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::output::Output;

pub(crate) fn run(args: &args::Call, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let data = args.data.as_deref().map(|data| calling::text(data, &args.calling.account, lang)).transpose()?;
    let query: Vec<_> = args.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let call = described(args, data.as_deref(), &query, lang)?;
    let desk = Desk::new(&args.calling, lang)?;
    let mut target = args.output.as_deref().map(|place| Target::new(place, lang)).transpose()?;
    let progress = Progress::new();
    let result = match &mut target {
        None => desk.client.call_within(&call, desk.limit),
        Some(target) => {
            let mut sink = Metered::new(target, |done, total| progress.tell(done, total));
            desk.client.call_with(&call.with_any_reply(), desk.limit, &mut std::io::empty(), &mut sink)
        }
    };
    progress.end(result.is_ok());
    match (result, target) {
        (Ok(_), Some(target)) => target.complete(lang)?,
        (Ok(reply), None) => print(&reply, out)?,
        (Err(error), _) => return Err(refused(&error, &desk, out)?),
    }
    Ok(Exit::Ok)
}

fn described<'a>(
    args: &'a args::Call,
    data: Option<&'a [u8]>,
    query: &'a [(&'a str, &'a str)],
    lang: Lang,
) -> Result<Call<'a>, Stop> {
    let call = match (args.method, data) {
        (Method::Get, Some(_)) => {
            let text =
                pick(lang, "a GET has no --data; use POST, or --query", "GET 不能带 --data；请用 POST 或 --query");
            return Err(Stop::With(Exit::Usage, text.to_owned()));
        }
        (Method::Get, None) => Call::get(&args.path),
        (Method::Post, data) => {
            Call::post(&args.path, data.unwrap_or_default()).map(|call| call.with_idempotence(args.idempotent))
        }
    };
    call.and_then(|call| call.with_query(query)).map_err(|why| calling::stop(&CallError::from(why), lang))
}

/// The reply as it came, and a newline if it has none.
fn print(reply: &CallReply, out: &mut Output) -> Result<(), Stop> {
    out.bytes(reply.body())?;
    if !reply.body().ends_with(b"\n") {
        out.bytes(b"\n")?;
    }
    Ok(())
}

/// A refusal is printed, too: a script may want its errcode, and what else is in it.
fn refused(error: &CallError, desk: &Desk, out: &mut Output) -> Result<Stop, Stop> {
    if let Some(refused) = error.refused() {
        out.line(desk.shown(refused.body()).trim_end())?;
    }
    Ok(desk.stop(error))
}
