//! How are accounts and faults written on the command line?

use serde_json::{Map, Value};
use wxtoken_platform::{Account, Fault, FaultScope};

/// A fault and the calls it happens to.
#[derive(Clone, Debug)]
pub(crate) struct FaultOrder {
    pub(crate) fault: Fault,
    pub(crate) scope: FaultScope,
}

/// The keys that say which calls are meant; all others belong to the fault itself.
const SCOPE: [&str; 8] = ["next", "skip", "path", "probability", "seed", "executed", "younger_than_ms", "lasting_ms"];

/// `KIND:ID:SECRET`. The error never repeats the text: a real secret may have been pasted.
pub(crate) fn account(spec: &str) -> Result<Account, String> {
    let mut parts = spec.splitn(3, ':');
    let (Some(kind), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("write it as KIND:ID:SECRET".to_owned());
    };
    if id.is_empty() || secret.is_empty() {
        return Err("neither ID nor SECRET may be empty".to_owned());
    }
    of_kind(kind, id, secret)
        .ok_or_else(|| "KIND is one of official, test, mini-program, work; an agent id is a number".to_owned())
}

/// The account of this kind, if there is such a kind.
pub(crate) fn of_kind(kind: &str, id: &str, secret: &str) -> Option<Account> {
    Some(match kind {
        "official" => Account::official(id, secret),
        "test" => Account::official_test(id, secret),
        "mini-program" => Account::mini_program(id, secret),
        "work" => match id.split_once('/') {
            Some((corp, agent)) => Account::work(corp, secret).agent(agent.parse().ok()?),
            None => Account::work(id, secret),
        },
        _ => return None,
    })
}

/// `KIND[,KEY=VALUE]...`, or a JSON object with the same keys and the kind under `kind`.
pub(crate) fn fault(spec: &str) -> Result<FaultOrder, String> {
    let mut fields = if spec.trim_start().starts_with('{') {
        serde_json::from_str(spec).map_err(|error| format!("this is not a JSON object: {error}"))?
    } else {
        fields(spec)?
    };
    let scope: Map<String, Value> =
        SCOPE.into_iter().filter_map(|key| fields.remove(key).map(|value| (key.to_owned(), value))).collect();
    let fault: Fault = serde_json::from_value(Value::Object(fields.clone())).map_err(|error| error.to_string())?;
    let known = serde_json::to_value(&fault).map_err(|error| error.to_string())?;
    if let Some(stranger) = fields.keys().find(|key| known.get(key.as_str()).is_none()) {
        return Err(format!("this fault has no key {stranger}"));
    }
    let scope = serde_json::from_value(Value::Object(scope)).map_err(|error| error.to_string())?;
    Ok(FaultOrder { fault, scope })
}

fn fields(spec: &str) -> Result<Map<String, Value>, String> {
    let mut parts = spec.split(',');
    let kind = parts.next().unwrap_or_default();
    let mut fields = Map::from_iter([("kind".to_owned(), Value::from(kind))]);
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("write {part} as KEY=VALUE"))?;
        // Numbers and truth values as such, everything else as text.
        let value = match serde_json::from_str(value) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            _ => Value::from(value),
        };
        fields.insert(key.to_owned(), value);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_every_kind() {
        for (spec, name) in [
            ("official:wx1:s", "wx1"),
            ("test:wx1:s", "wx1"),
            ("mini-program:wx1:s:with:colons", "wx1"),
            ("work:ww1:s", "ww1"),
            ("work:ww1/7:s", "ww1/7"),
        ] {
            assert_eq!(account(spec).map(|a| a.name()), Ok(name.to_owned()), "{spec}");
        }
        for spec in ["", "official", "official:wx1", "official::s", "official:wx1:", "other:wx1:s", "work:ww1/x:s"] {
            let error = account(spec).expect_err(spec);
            assert!(!error.contains("wx1"), "{error}");
        }
    }

    #[test]
    fn short_and_json_mean_the_same() {
        let short = fault("trickle,bytes=1,every_ms=20,path=/cgi-bin/token,next=2,probability=0.5").unwrap();
        let json =
            fault(r#"{"kind":"trickle","bytes":1,"every_ms":20,"path":"/cgi-bin/token","next":2,"probability":0.5}"#)
                .unwrap();
        assert_eq!(short.fault, Fault::Trickle { bytes: 1, every_ms: 20 });
        assert_eq!((&short.fault, &short.scope), (&json.fault, &json.scope));
        assert_eq!(short.scope, FaultScope::next(2).on_path("/cgi-bin/token").with_probability(0.5, 0));
    }

    #[test]
    fn tokens_refused_while_young_or_for_a_while() {
        let young = fault("token_refused,younger_than_ms=30000,next=1").unwrap();
        assert_eq!(young.fault, Fault::TokenRefused { errcode: None });
        assert_eq!(young.scope, FaultScope::next_call().younger_than_ms(30_000));
        let every = fault("token_refused,errcode=42001,lasting_ms=60000").unwrap();
        assert_eq!(every.fault, Fault::TokenRefused { errcode: Some(42_001) });
        assert_eq!(every.scope, FaultScope::every_call().lasting_ms(60_000));
    }

    #[test]
    fn a_mistyped_fault_is_refused() {
        for spec in ["", "lattency,ms=1", "latency", "latency,ms=soon", "latency,ms", "silence,msx=1", "{", "[]"] {
            assert!(fault(spec).is_err(), "{spec}");
        }
    }
}
