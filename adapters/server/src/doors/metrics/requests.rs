//! Which routes are asked, and how are they answered? Counted by fixed names: no path that a client makes up becomes a label.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyper::StatusCode;

use super::super::{SEGMENTS, cut};

const ROUTES: [&str; 14] = [
    "token", "ticket", "report", "rotate", "call", "events", "accounts", "status", "metrics", "health", "page",
    "openapi", "wechat", "none",
];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Requests by route and class of status.
#[derive(Debug)]
pub(in crate::doors) struct Requests([[AtomicU64; CLASSES.len()]; ROUTES.len()]);

impl Requests {
    pub(in crate::doors) const fn new() -> Self {
        Self([const { [const { AtomicU64::new(0) }; CLASSES.len()] }; ROUTES.len()])
    }

    pub(in crate::doors) fn count(&self, route: Route, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(2);
        if let Some(count) = self.0.get(route.0).and_then(|classes| classes.get(class)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Those that there were.
    pub(super) fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut all = Vec::new();
        for (route, classes) in ROUTES.iter().zip(&self.0) {
            let counts = CLASSES.iter().zip(classes).map(|(class, count)| (*route, *class, count.load(Relaxed)));
            all.extend(counts.filter(|(.., count)| *count > 0));
        }
        all
    }
}

/// A route by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::doors) struct Route(usize);

impl Route {
    /// The read of a token, which most requests are.
    pub(in crate::doors) const TOKEN: Self = Self(0);

    pub(in crate::doors) fn of(path: &str) -> Self {
        let mut segments = [""; SEGMENTS];
        let name = match cut(path, &mut segments) {
            ["v1", "accounts", _, "token"] => return Self::TOKEN,
            ["v1", "accounts", _, "tickets", _] => "ticket",
            ["v1", "accounts", _, "token", "report"] | ["v1", "accounts", _, "tickets", _, "report"] => "report",
            ["v1", "accounts", _, "token", "rotate"] | ["v1", "accounts", _, "tickets", _, "rotate"] => "rotate",
            ["v1", "accounts", _, "call", ..] => "call",
            ["v1", "accounts", _, "events"] | ["v1", "status", "events"] => "events",
            ["v1", "accounts"] => "accounts",
            ["v1", "status"] => "status",
            ["metrics"] => "metrics",
            ["healthz" | "readyz"] => "health",
            ["" | "page.css" | "page.js"] => "page",
            ["openapi.json"] => "openapi",
            ["cgi-bin", ..] => "wechat",
            _ => "none",
        };
        Self(ROUTES.iter().position(|known| *known == name).unwrap_or(ROUTES.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_path_is_made_up_it_is_one_of_the_list() {
        for (path, name) in [
            ("/v1/accounts/shop/token", "token"),
            ("/v1/accounts/shop/tickets/jsapi", "ticket"),
            ("/v1/accounts/shop/tickets/jsapi/rotate", "rotate"),
            ("/v1/accounts/shop/call/cgi-bin/user/get", "call"),
            ("/v1/status/events", "events"),
            ("/cgi-bin/token", "wechat"),
            ("/", "page"),
            ("/readyz", "health"),
            ("/v1/accounts/shop/token/", "none"),
            ("/1/2/3/4/5/6/7/8/9/10/11", "none"),
            ("", "page"),
        ] {
            assert_eq!(ROUTES[Route::of(path).0], name, "{path}");
        }
    }

    #[test]
    fn each_class_is_counted() {
        let requests = Requests::new();
        for status in [200, 204, 304, 403, 503] {
            requests.count(Route::TOKEN, StatusCode::from_u16(status).expect("a status"));
        }
        let all = [("token", "2xx", 2), ("token", "3xx", 1), ("token", "4xx", 1), ("token", "5xx", 1)];
        assert_eq!(requests.all(), all);
    }
}
