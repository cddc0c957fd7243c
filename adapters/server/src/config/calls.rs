//! Which API calls may a client have forwarded? Those whose path is listed: whole, or everything below one.

use std::fmt;

/// One entry of a client's `call`: `/cgi-bin/message/send`, or `/cgi-bin/user/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPath {
    /// Without the star.
    path: Box<str>,
    below: bool,
}

impl CallPath {
    /// Reads one entry.
    ///
    /// # Errors
    /// What is wrong with it, with the remedy.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (path, below) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        let is_one = is_call(if below { path.strip_suffix('/').unwrap_or("") } else { path });
        if is_one || (below && path == "/cgi-bin/") {
            Ok(Self { path: path.into(), below })
        } else {
            Err(format!(
                "call: {text:?} is not the path of an API; write it from /cgi-bin/ on, without a query, or end it with /* for all below it"
            ))
        }
    }

    /// Whether this path, which [`is_call`], is meant.
    pub(crate) fn covers(&self, path: &str) -> bool {
        if self.below { path.starts_with(&*self.path) } else { path == &*self.path }
    }
}

impl fmt::Display for CallPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.path, if self.below { "*" } else { "" })
    }
}

/// Whether this is the path of an API, in the one spelling it has: no empty segment, no `.` or `..`, nothing encoded. What
/// can be spelled in two ways could be listed in one and called in the other.
pub(crate) fn is_call(path: &str) -> bool {
    path.strip_prefix("/cgi-bin/").is_some_and(|rest| {
        rest.split('/').all(|part| {
            !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_covered_whole_or_from_a_slash_on() {
        let covers = |entry: &str, path: &str| CallPath::parse(entry).expect(entry).covers(path);
        assert!(covers("/cgi-bin/message/send", "/cgi-bin/message/send"));
        assert!(!covers("/cgi-bin/message/send", "/cgi-bin/message/send_all"));
        assert!(!covers("/cgi-bin/message/send", "/cgi-bin/message/send/x"));
        assert!(covers("/cgi-bin/user/*", "/cgi-bin/user/info/batchget"));
        assert!(!covers("/cgi-bin/user/*", "/cgi-bin/user") && !covers("/cgi-bin/user/*", "/cgi-bin/users/get"));
        assert!(covers("/cgi-bin/*", "/cgi-bin/get_api_domain_ip"));
    }

    #[test]
    fn what_could_be_spelled_otherwise_is_no_path() {
        for bad in [
            "",
            "*",
            "/*",
            "/",
            "/cgi-bin",
            "/cgi-bin/",
            "cgi-bin/x",
            "/cgi-bin/user*",
            "/cgi-bin/user/**",
            "/cgi-bin//x",
            "/cgi-bin/../x",
            "/cgi-bin/./x",
            "/cgi-bin/x/",
            "/cgi-bin/%2e%2e/x",
            "/cgi-bin/a%2fb",
            "/cgi-bin/a\\b",
            "/cgi-bin/a?b",
            "/cgi-bin/a;b",
            "/cgi-bin/é",
            "/cgi-bin/a b",
            "/CGI-BIN/a",
            "/sns/userinfo",
            "/cgi-bin/..*",
        ] {
            assert!(CallPath::parse(bad).is_err() && !is_call(bad), "{bad}");
        }
        assert!(is_call("/cgi-bin/a/b-c_d.e") && !is_call("/cgi-bin/user/*"));
    }
}
