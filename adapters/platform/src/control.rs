//! What can be ordered over the control port? The same as in-process, as small JSON over HTTP.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::download::Outgoing;
use crate::fault::{Fault, FaultScope};
use crate::model::{Refusal, UnknownAccount};
use crate::server::Shared;
use crate::tls::Leaf;

const MAX_BODY: usize = 1 << 20;

/// Why an order was not followed: status and words.
struct Refused(u16, String);

impl From<UnknownAccount> for Refused {
    fn from(unknown: UnknownAccount) -> Self {
        Self(404, unknown.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ms {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speed {
    speed: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    fault: Fault,
    #[serde(default)]
    scope: FaultScope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalOrder {
    errcode: i32,
    #[serde(default)]
    using: bool,
    times: Option<u32>,
    lasting_ms: Option<u64>,
    younger_than_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    ip: IpAddr,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ticket {
    ticket: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quota {
    path: String,
    per_minute: Option<u32>,
    per_hour: Option<u32>,
    per_day: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafOrder {
    leaf: Leaf,
}

pub(crate) async fn answer(
    shared: Shared,
    request: hyper::Request<Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    let (head, body) = request.into_parts();
    let result = match Limited::new(body, MAX_BODY).collect().await {
        // A page in a browser must not reach this port by posting to it; programs send no Origin.
        _ if head.headers.contains_key("origin") => Err(Refused(403, "not for browsers".to_owned())),
        Ok(body) => follow(&shared, head.method.as_str(), head.uri.path(), &body.to_bytes()),
        Err(_) => Err(Refused(413, "the body is too large".to_owned())),
    };
    let (status, body) = match result {
        Ok(value) => (200, value),
        Err(Refused(status, error)) => (status, json!({ "error": error })),
    };
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(format!("{body}\n")))));
    if let Ok(status) = hyper::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn follow(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Result<Value, Refused> {
    let engine = &shared.engine;
    // An account's name may hold a slash of its own (`corpid/agentid`), so it is what lies between the first and the
    // last part.
    if let Some((name, order)) = path.strip_prefix("/accounts/").and_then(|rest| rest.rsplit_once('/')) {
        if method != "POST" {
            return Err(Refused(405, "use POST".to_owned()));
        }
        return order_account(shared, name, order, body);
    }
    match (method, path) {
        ("GET", "/clock") => {}
        ("POST", "/clock/advance") => {
            let Ms { ms } = read(body)?;
            engine.change_clock(|clock| clock.advance(Duration::from_millis(ms)));
        }
        ("POST", "/clock/set") => {
            let Ms { ms } = read(body)?;
            engine.change_clock(|clock| clock.set_now(ms));
        }
        ("POST", "/clock/speed") => {
            let Speed { speed } = read(body)?;
            engine.change_clock(|clock| clock.set_speed(speed));
        }
        ("POST", "/faults") => {
            let FaultOrder { fault, scope } = read(body)?;
            let mut state = engine.lock();
            let now = state.now();
            state.faults.add(now, fault, scope);
            return Ok(json!({}));
        }
        ("DELETE", "/faults") => {
            engine.lock().faults.clear();
            return Ok(json!({}));
        }
        ("POST", "/listening") => {
            let Switch { on } = read(body)?;
            // The doors answer from other tasks, which must not wait for this one's thread.
            tokio::task::block_in_place(|| shared.switchboard.set_open(on))
                .map_err(|error| Refused(500, error.to_string()))?;
            return Ok(json!({}));
        }
        ("POST", "/leaf") => {
            let LeafOrder { leaf } = read(body)?;
            let tls = shared.tls.as_ref().ok_or_else(|| Refused(409, "there is no HTTPS door".to_owned()))?;
            tls.set_leaf(leaf).map_err(|error| Refused(500, error.to_string()))?;
            return Ok(json!({}));
        }
        ("GET", "/counters") => return Ok(to_json(&engine.lock().counters())),
        ("GET", "/messages") => return Ok(to_json(&engine.lock().model.messages())),
        ("GET", "/media") => return Ok(to_json(&engine.lock().model.media())),
        ("POST", "/shutdown") => {
            shared.stopper.send_replace(true);
            return Ok(json!({}));
        }
        _ => return Err(Refused(404, "no such order".to_owned())),
    }
    let mut state = engine.lock();
    Ok(json!({ "now_ms": state.now(), "speed": state.clock.speed() }))
}

fn order_account(shared: &Shared, name: &str, order: &str, body: &[u8]) -> Result<Value, Refused> {
    let mut state = shared.engine.lock();
    let now = state.now();
    let model = &mut state.model;
    match order {
        "rotate" => model.rotate_elsewhere(now, name)?,
        "force" => model.force_elsewhere(now, name)?,
        "revoke" => model.revoke_all(now, name)?,
        "refuse" => {
            let order: RefusalOrder = read(body)?;
            model.refuse(now, name, order.into())?;
        }
        "accept" => model.accept(name)?,
        "allow" => model.allow_address(name, read::<Address>(body)?.ip)?,
        "deny" => model.deny_address(name, read::<Address>(body)?.ip)?,
        "ask-admin" => model.ask_admin(name, read::<Switch>(body)?.on)?,
        "admin-confirms" => model.admin_confirms(name, read::<Address>(body)?.ip)?,
        "admin-refuses" => model.admin_refuses(now, name, read::<Address>(body)?.ip)?,
        "freeze" => model.freeze_secret(name, read::<Switch>(body)?.on)?,
        "secret" => model.change_secret(name, &read::<Secret>(body)?.secret)?,
        "valid" => {
            let Token { token } = read(body)?;
            return Ok(json!({ "valid": model.token_is_valid(now, name, &token) }));
        }
        "ticket-valid" => {
            let Ticket { ticket } = read(body)?;
            return Ok(json!({ "valid": model.ticket_is_valid(now, name, &ticket) }));
        }
        "quota" => {
            let Quota { path, per_minute, per_hour, per_day } = read(body)?;
            model.change_quotas(name, |quotas| {
                let quota = quotas.api(&path);
                quota.per_minute = per_minute.unwrap_or(quota.per_minute);
                quota.per_hour = per_hour.unwrap_or(quota.per_hour);
                quota.per_day = per_day.unwrap_or(quota.per_day);
            })?;
        }
        _ => return Err(Refused(404, "no such order".to_owned())),
    }
    Ok(json!({}))
}

impl From<RefusalOrder> for Refusal {
    fn from(order: RefusalOrder) -> Self {
        let mut refusal = if order.using { Self::using(order.errcode) } else { Self::fetching(order.errcode) };
        if let Some(times) = order.times {
            refusal = refusal.times(times);
        }
        if let Some(ms) = order.lasting_ms {
            refusal = refusal.lasting_ms(ms);
        }
        if let Some(ms) = order.younger_than_ms {
            refusal = refusal.younger_than_ms(ms);
        }
        refusal
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| {
        // Line and column only: the message proper may quote the body, which may hold a secret.
        let (line, column) = (error.line(), error.column());
        Refused(400, format!("the body is not what this order takes (line {line}, column {column})"))
    })
}

fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
