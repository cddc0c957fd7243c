//! How is an answer spelled in JSON, and what oddities may be asked of it?

use serde_json::Value;

use crate::content::Content;

/// Oddities of the platform's replies, each seen in published samples or handled by published clients. All off
/// unless asked for, except the odd `Content-Type`, which is the platform's everyday one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// `/` in strings is written `\/`.
    pub escape_slashes: bool,
    /// Fields that no document names are added: one flat, one nested.
    pub unknown_fields: bool,
    /// `errcode` is a JSON string.
    pub errcode_as_string: bool,
    /// `expires_in` is a JSON string.
    pub expires_in_as_string: bool,
    /// The body is spread over lines, as the documents print it.
    pub pretty: bool,
    /// This `Content-Type` instead of `application/json; encoding=utf-8` (WeCom: `application/json; charset=UTF-8`).
    pub content_type: Option<String>,
    /// Calls over plain HTTP get 43003.
    pub require_https: bool,
}

/// A flat JSON object that keeps the order of its fields, which the real replies have too.
#[derive(Debug, Default)]
pub(crate) struct Body {
    fields: Vec<(&'static str, Value)>,
    /// A file instead, and the headers that go with it.
    file: Option<(Content, Vec<(&'static str, String)>)>,
}

impl Body {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Not JSON, but a file with these headers.
    pub(crate) const fn file(content: Content, headers: Vec<(&'static str, String)>) -> Self {
        Self { fields: Vec::new(), file: Some((content, headers)) }
    }

    pub(crate) fn take_file(&mut self) -> Option<(Content, Vec<(&'static str, String)>)> {
        self.file.take()
    }

    pub(crate) fn render(mut self, quirks: &Quirks) -> Vec<u8> {
        if quirks.unknown_fields {
            let warning = "TLS v1 is going to be disabled, see https://open.work.weixin.qq.com";
            self = self
                .with("warning_msg", warning)
                .with("ext_info", serde_json::json!({ "list": [1, { "depth": [] }], "note": "新字段" }));
        }
        let (gap, space) = if quirks.pretty { ("\n    ", " ") } else { ("", "") };
        let mut text = String::from("{");
        for (index, (name, value)) in self.fields.into_iter().enumerate() {
            let as_string = (name == "errcode" && quirks.errcode_as_string)
                || (name == "expires_in" && quirks.expires_in_as_string);
            let value = if as_string { Value::String(value.to_string()) } else { value };
            if index > 0 {
                text.push(',');
            }
            text.push_str(&format!("{gap}\"{name}\":{space}{value}"));
        }
        if quirks.pretty {
            text.push('\n');
        }
        text.push('}');
        if quirks.escape_slashes {
            // Outside strings JSON has no slash.
            text = text.replace('/', "\\/");
        }
        text.into_bytes()
    }
}
