use std::collections::BTreeSet;

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use serde_json::Value;

use super::{super::native::scene::Scene, *};
use crate::doors::Peer;

fn described() -> Value {
    serde_json::from_str(DOCUMENT).expect("JSON")
}

/// Each path with its methods.
fn paths(document: &Value) -> Vec<(String, BTreeSet<Method>)> {
    let paths = document["paths"].as_object().expect("an object");
    let methods = |item: &Value| {
        let names = item.as_object().expect("an object").keys().map(|name| name.to_ascii_uppercase());
        names.filter_map(|name| Method::from_bytes(name.as_bytes()).ok()).filter(is_known).collect()
    };
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

fn is_known(method: &Method) -> bool {
    METHODS.contains(method)
}

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];

/// A request's status, the type of its problem or its errcode, and its `Allow`.
async fn ask(scene: &Scene, method: &Method, path: &str) -> (u16, String, String) {
    let path = path.replace("{name}", "shop").replace("{kind}", "jsapi").replace("{path}", "nothing");
    let request = Request::builder().method(method).uri(path).header("authorization", "Bearer K1");
    let request = request.body(Full::new(Bytes::new())).expect("a request");
    let (head, body) = scene.doors.answer(&Peer { address: None }, request).await.into_parts();
    let kind = match head.headers.get("content-type").map(HeaderValue::as_bytes) {
        Some(b"application/json" | b"application/problem+json") => {
            let value: Value = serde_json::from_slice(&body.collect().await.expect("whole").to_bytes()).expect("JSON");
            value["type"].as_str().map_or_else(|| value["errcode"].to_string(), str::to_owned)
        }
        _ => String::new(),
    };
    let allow = head.headers.get("allow").map_or("", |allow| allow.to_str().expect("text"));
    (head.status.as_u16(), kind, allow.to_owned())
}

#[tokio::test]
async fn whatever_is_described_is_there_and_asked_with_these_methods_alone() {
    let scene = Scene::new().await;
    for (path, methods) in paths(&described()) {
        assert!(!methods.is_empty(), "{path}");
        for method in METHODS {
            let (status, kind, allow) = ask(&scene, &method, &path).await;
            assert!(status != 404 || kind == "urn:wxtoken:problem:ticket-not-kept", "{method} {path}: {status} {kind}");
            let is_described = methods.contains(&method) || method == Method::HEAD && methods.contains(&Method::GET);
            if path.starts_with("/cgi-bin/") {
                // 48001 is also what another's token gets, where a token is asked for: here none is given.
                assert!(kind != "48001", "{method} {path}");
                assert!(
                    is_described || ["43001", "43002"].contains(&&*kind) || method == Method::POST,
                    "{method} {path} {kind}"
                );
                continue;
            }
            assert_eq!(status != 405, is_described, "{method} {path}: {status}");
            if status == 405 {
                let allowed: BTreeSet<_> = allow.split(", ").map(str::to_owned).collect();
                let mut wanted: BTreeSet<_> = methods.iter().map(ToString::to_string).collect();
                wanted.extend(methods.contains(&Method::GET).then(|| "HEAD".to_owned()));
                assert_eq!(allowed, wanted, "{path}");
            }
        }
    }
}

#[test]
fn whatever_is_routed_is_described() {
    let document = described();
    let described: Vec<Vec<String>> =
        paths(&document).iter().map(|(path, _)| path.split('/').skip(1).map(str::to_owned).collect()).collect();
    // The arms of the router, as they are written: `["v1", "accounts", name, "token", rest @ ..] =>`.
    let arms = include_str!("../../doors.rs").lines().chain(include_str!("../native.rs").lines());
    let arms = arms.chain(include_str!("../wechat.rs").lines()).filter_map(|line| {
        let line = line.trim_start().trim_start_matches('(');
        Some(line.strip_prefix('[')?.split_once(']')?.0.to_owned()).filter(|_| line.contains("=>"))
    });
    let mut seen = 0;
    for arm in arms {
        let parts: Vec<&str> = arm.split(", ").collect();
        let fits = |path: &Vec<String>| {
            // Those that begin inside a path are looked for anywhere in it.
            (0..path.len()).any(|from| {
                let path = &path[from..];
                let open = parts.last().is_some_and(|last| last.ends_with("@ .."));
                let fixed = parts.len() - usize::from(open);
                (path.len() == fixed || open && path.len() >= fixed)
                    && parts.iter().take(fixed).zip(path).all(|(part, segment)| {
                        part.strip_prefix('"')
                            .map_or(segment.starts_with('{'), |literal| literal.trim_end_matches('"') == segment)
                    })
            })
        };
        assert!(arm.is_empty() || described.iter().any(fits), "[{arm}] is not described in openapi.json");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn the_document_is_of_this_version_and_holds_together() {
    let document = described();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    // Nothing is described that no route has.
    for (section, parts) in document["components"].as_object().expect("an object") {
        for name in parts.as_object().expect("an object").keys().filter(|_| section != "securitySchemes") {
            assert!(found.contains(&format!("#/components/{section}/{name}")), "{section} {name} is not used");
        }
    }
}
