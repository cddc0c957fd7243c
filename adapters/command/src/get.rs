//! `wxtoken get`: what is a valid token right now?

use std::time::Duration;

use serde_json::json;
use wxtoken::{Client, Clock as _, SystemClock, TokenRef};

use crate::args::Get;
use crate::exit::{Exit, Stop};
use crate::lang::Lang;
use crate::output::Output;
use crate::{source, words};

/// The client makes its one try however short the wait is, but a wait of zero means "what is held".
pub(crate) const ONE_TRY: Duration = Duration::from_millis(1);

pub(crate) fn run(args: &Get, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let (client, _) = source::ready(&args.account, None, lang)?;
    let wait = Duration::from(args.wait).max(ONE_TRY);
    let token = client.token_within(wait).map_err(|error| words::stop(&error, lang))?;
    if args.json {
        out.line(described(&client, &token))?
    } else {
        out.line(token.as_str())?
    }
    Ok(Exit::Ok)
}

fn described(client: &Client, token: &TokenRef) -> serde_json::Value {
    let left = client.remaining(token).as_secs();
    // Null when this machine does not know the time of day.
    let expires_at = SystemClock::new().unix_time().map(|now| now.as_secs().saturating_add(left));
    let source = match client.status().source {
        Some(wxtoken::Source::Cached) => "cached",
        _ => "fetched",
    };
    json!({ "access_token": token.as_str(), "expires_in": left, "expires_at": expires_at, "source": source })
}
