//! `wxtoken send`: was the message taken over?

use wxtoken::{CustomMessage, TemplateMessage, WorkMessage, WorkSent};

use crate::args::{self, Calling, Kind, Message};
use crate::calling::{self, Desk};
use crate::exit::{Exit, Stop};
use crate::lang::Lang;
use crate::output::Output;
use crate::words;

pub(crate) fn run(args: &mut args::Send, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    match &mut args.message {
        Message::Template(args) => template(args, lang, out),
        Message::Custom(args) => custom(args, lang),
        Message::Work(args) => {
            // It is WeCom's: nobody needs to say so.
            args.calling.account.kind = Kind::Work;
            work(args, lang, out)
        }
    }
}

fn template(args: &args::Template, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let mut message = TemplateMessage::new(&args.to, &args.template);
    for (name, value) in &args.value {
        message = message.value(name, value);
    }
    if let Some(url) = &args.url {
        message = message.url(url);
    }
    if let Some((appid, page)) = &args.mini_program {
        message = message.mini_program(appid, page);
    }
    if let Some(id) = &args.message_id {
        message = message.client_msg_id(id);
    }
    let desk = Desk::new(&args.calling, lang)?;
    let id = desk.client.send_template_within(&message, desk.limit).map_err(|error| desk.stop(&error))?;
    out.line(id)?;
    Ok(Exit::Ok)
}

fn custom(args: &args::Custom, lang: Lang) -> Result<Exit, Stop> {
    let message = match (&args.image, &args.text) {
        (Some(media_id), _) => CustomMessage::image(&args.to, media_id),
        (None, text) => CustomMessage::text(&args.to, &said(text.as_ref(), &args.calling, lang)?),
    };
    let desk = Desk::new(&args.calling, lang)?;
    desk.client.send_custom_within(&message, desk.limit).map_err(|error| desk.stop(&error))?;
    Ok(Exit::Ok)
}

fn work(args: &args::Work, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let mut message = match &args.markdown {
        Some(markdown) => WorkMessage::markdown(args.agent, &said(Some(markdown), &args.calling, lang)?),
        None => WorkMessage::text(args.agent, &said(args.text.as_ref(), &args.calling, lang)?),
    };
    if !args.to_user.is_empty() {
        message = message.to_users(&args.to_user);
    }
    if !args.to_party.is_empty() {
        message = message.to_parties(&args.to_party);
    }
    if !args.to_tag.is_empty() {
        message = message.to_tags(&args.to_tag);
    }
    if args.confidential {
        message = message.confidential();
    }
    if let Some(window) = args.once_within {
        message = message.once_within(window.into());
    }
    let desk = Desk::new(&args.calling, lang)?;
    let sent = desk.client.send_work_within(&message, desk.limit).map_err(|error| desk.stop(&error))?;
    warn_of_missed(&sent, lang);
    out.line(&sent.msgid)?;
    Ok(Exit::Ok)
}

fn said(text: Option<&String>, calling: &Calling, lang: Lang) -> Result<String, Stop> {
    calling::words_of(text.map(String::as_str).unwrap_or_default(), &calling.account, lang)
}

fn warn_of_missed(sent: &WorkSent, lang: Lang) {
    let missed: Vec<_> = sent.missed().collect();
    if !missed.is_empty() {
        words::warn(&match lang {
            Lang::Zh => {
                format!("警告：以下接收者收不到：{}；不存在、不在应用可见范围内或没有接口许可", missed.join("、"))
            }
            _ => format!(
                "warning: these do not get it: {}; they do not exist, may not see the app, or have no licence",
                missed.join(", ")
            ),
        });
    }
}
