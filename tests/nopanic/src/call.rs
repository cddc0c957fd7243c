//! Call, its request, the errcode reader and the machine that heals.

use core::{fmt::Write as _, hint::black_box, time::Duration};

use wxtoken_core::{
    BadCall, Call, Errcode, ErrcodeReader, Failure, GaveUp, Healing, Instant, Product, Todo, Token, write_json_text,
};

use crate::{sink::Sink, text};

pub(crate) fn drive() {
    let query = black_box([(text(), text()), (text(), text())]);
    let calls = [
        Call::get(text()),
        Call::post(text(), text().as_bytes()),
        Call::stream(text(), text(), black_box(9)).map(Call::sent_once),
    ];
    for call in calls {
        let call = call.and_then(|call| black_box(call).with_query(&query));
        match call.and_then(|call| black_box(call).with_credential(text())) {
            Ok(call) => one(&black_box(call.with_idempotence(black_box(true)))),
            Err(why) => complain(black_box(why)),
        }
    }
    let _ = write_json_text(text(), &mut Sink);
}

fn one(call: &Call<'_>) {
    black_box((call.method(), call.path(), call.body().len(), call.base(), call.is_idempotent()));
    let Ok(token) = black_box(Token::new(text())) else { return };
    let now = black_box(Instant::ZERO);
    let limit = black_box(Duration::ZERO);
    let mut healing = black_box(Healing::new(call, black_box(Product::Platform), black_box(0), now, limit));
    loop {
        let now = black_box(now);
        match healing.poll(now, black_box(Some(&token)), black_box(now)) {
            Todo::Send(token) => {
                let Ok(base) = wxtoken_core::Base::parse(text()) else { return };
                let request = black_box(call.request(base, token));
                black_box((request.base(), request.content_type(), request.target_len()));
                let _ = request.write_target(&mut Sink);
                let _ = request.write_url(&mut Sink);
                let _ = black_box(request.write_head(&mut Sink, black_box(true)));
                healing = black_box(healing);
                healing.handle_reply(now, black_box(200), read());
                healing = black_box(healing);
                healing.handle_failure(now, black_box(Failure::NotSent));
            }
            Todo::Report(seen) => drop(black_box(seen)),
            Todo::Refresh(until) | Todo::Wait(until) => drop(black_box(until)),
            Todo::Done => return,
            Todo::GiveUp(why) => return give_up(black_box(why)),
        }
        black_box((healing.errcode(), healing.ends_at(), healing.is_sent()));
        healing = black_box(healing);
    }
}

fn read() -> Errcode {
    let mut reader = ErrcodeReader::new();
    while black_box(true) {
        reader.push(text().as_bytes());
        reader = black_box(reader);
    }
    black_box((reader.may_refuse(), reader.finish().refused()));
    black_box(reader.finish())
}

fn give_up(why: GaveUp) {
    black_box(why.maybe_executed());
    let _ = write!(Sink, "{why}");
}

fn complain(why: BadCall) {
    let _ = write!(Sink, "{why}");
}
