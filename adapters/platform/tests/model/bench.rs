//! What do the timelines share? A model with one account, and calls that say only what matters.

use wxtoken_platform::Account;
use wxtoken_platform::model::{Model, Reply, Request};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "5ecret5ecret5ecret5ecret5ecret00";
pub(crate) const CORP: &str = "ww0123456789abcdef";
/// 2023-11-14 16:00:00 UTC: 00:00 in UTC+8.
pub(crate) const MIDNIGHT: u64 = 1_699_977_600_000;
/// Noon of that day.
pub(crate) const T: u64 = MIDNIGHT + 12 * 3_600_000;

pub(crate) fn official() -> Account {
    Account::official(ID, SECRET)
}

pub(crate) fn work() -> Account {
    Account::work(CORP, SECRET)
}

pub(crate) fn model(account: Account) -> Model {
    let mut model = Model::new(7);
    model.add(account).unwrap();
    model
}

pub(crate) fn token_request() -> Request {
    Request::get(&format!("/cgi-bin/token?grant_type=client_credential&appid={ID}&secret={SECRET}"))
}

pub(crate) fn stable_request(force: bool) -> Request {
    let body =
        format!(r#"{{"grant_type":"client_credential","appid":"{ID}","secret":"{SECRET}","force_refresh":{force}}}"#);
    Request::post("/cgi-bin/stable_token", body)
}

pub(crate) fn work_request() -> Request {
    Request::get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret={SECRET}"))
}

pub(crate) fn fetch(model: &mut Model, now: u64) -> Reply {
    model.handle(now, &token_request())
}

pub(crate) fn stable(model: &mut Model, now: u64) -> Reply {
    model.handle(now, &stable_request(false))
}

pub(crate) fn force(model: &mut Model, now: u64) -> Reply {
    model.handle(now, &stable_request(true))
}

pub(crate) fn gettoken(model: &mut Model, now: u64) -> Reply {
    model.handle(now, &work_request())
}

/// The errcode that a call with this token gets; 0 when it is accepted.
pub(crate) fn using(model: &mut Model, now: u64, token: &str) -> i64 {
    let target = format!("/cgi-bin/getcallbackip?access_token={token}");
    model.handle(now, &Request::get(&target)).errcode()
}

pub(crate) fn token(reply: &Reply) -> String {
    reply.token().unwrap_or_else(|| panic!("no token: {}", reply.text()))
}
