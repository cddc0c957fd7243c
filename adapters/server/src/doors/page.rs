//! What does a person see who opens the server in a browser? One page with its style and its script, in the program itself.
//! It holds nothing of any account: it asks for that with the key that is entered.

use http_body_util::{Either, Full};
use hyper::{
    Response,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
};

use super::Reply;

/// Nothing from elsewhere, nothing inline, nothing that frames it or that it sends a form to.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One of the page's files; none has anything to hide.
pub(super) fn html() -> Reply {
    file("text/html; charset=utf-8", include_str!("page/page.html"))
}

pub(super) fn style() -> Reply {
    file("text/css; charset=utf-8", include_str!("page/page.css"))
}

pub(super) fn script() -> Reply {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

fn file(content_type: &'static str, text: &'static str) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(Bytes::from_static(text.as_bytes()))));
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // Of another version after an update, and small.
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use hyper::{Request, body::Bytes};

    use super::super::{Peer, native::scene::Scene};

    #[tokio::test]
    async fn the_page_is_given_without_a_key_and_only_fetches_what_is_here() {
        let scene = Scene::new().await;
        for (path, content_type) in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")] {
            let request = Request::get(path).body(Full::new(Bytes::new())).expect("a request");
            let (head, body) = scene.doors.answer(&Peer { address: None }, request).await.into_parts();
            assert_eq!(head.status, 200);
            assert!(head.headers["content-type"].to_str().is_ok_and(|value| value.starts_with(content_type)), "{path}");
            let policy = head.headers["content-security-policy"].to_str().expect("text");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!((&head.headers["x-content-type-options"], &head.headers["referrer-policy"]).0, "nosniff");
            let text = String::from_utf8(body.collect().await.expect("whole").to_bytes().to_vec()).expect("UTF-8");
            // What the policy would refuse, and what would let text become markup.
            for never in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                " style=\"",
                " onclick",
                "https://",
            ] {
                assert!(!text.contains(never), "{path}: {never}");
            }
        }
    }
}
