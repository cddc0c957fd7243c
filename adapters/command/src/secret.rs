//! Where does the secret come from? The environment, a file, standard input, or a person who types it; never an
//! argument, which every user of the machine could read.

use std::fmt;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::args::Account;
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};

/// More than any secret has; a mistaken file is not read to its end.
const LIMIT: u64 = 4_096;

/// The variable that is looked at when nothing else was said.
const VARIABLE: &str = "WXTOKEN_SECRET";

/// The same for a client's key.
const KEY: &str = "WXTOKEN_KEY";

/// A secret, and from where it is.
pub(crate) struct Secret {
    pub(crate) text: Zeroizing<String>,
    pub(crate) from: From,
    /// Whether other users of the machine can read the file.
    pub(crate) exposed: bool,
}

/// Where a secret was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum From {
    Variable(String),
    File(String),
    StandardInput,
    Terminal,
}

impl From {
    pub(crate) fn words(&self, lang: Lang) -> String {
        match self {
            Self::Variable(name) => format!("{} {name}", pick(lang, "the variable", "环境变量")),
            Self::File(path) => format!("{} {path}", pick(lang, "the file", "文件")),
            Self::StandardInput => pick(lang, "standard input", "标准输入").to_owned(),
            Self::Terminal => pick(lang, "the terminal", "终端").to_owned(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Finds the secret.
pub(crate) fn find(account: &Account, lang: Lang) -> Result<Secret, Stop> {
    if let Some(name) = &account.secret_env {
        return variable(name, lang)?.ok_or_else(|| {
            let text = match lang {
                Lang::Zh => format!("环境变量 {name} 未设置；请设置，或改用 --secret-file"),
                _ => format!("the variable {name} is not set; set it, or use --secret-file"),
            };
            Stop::With(Exit::Configuration, text)
        });
    }
    match &account.secret_file {
        Some(path) if path.as_os_str() == "-" => standard_input(lang),
        Some(path) => file(path, lang),
        None => match variable(VARIABLE, lang)? {
            Some(secret) => Ok(secret),
            None => standard_input(lang),
        },
    }
}

/// The key of a token server's client.
pub(crate) fn key(path: Option<&Path>, lang: Lang) -> Result<Secret, Stop> {
    match path {
        Some(path) => file(path, lang),
        None => variable(KEY, lang)?.ok_or_else(|| {
            let text = match lang {
                Lang::Zh => format!("没有 key：请设置环境变量 {KEY}，或使用 --key-file"),
                _ => format!("there is no key: set the variable {KEY}, or use --key-file"),
            };
            Stop::With(Exit::Configuration, text)
        }),
    }
}

/// Whether that is where [`find`] would read it from.
pub(crate) fn is_from_standard_input(account: &Account) -> bool {
    match (&account.secret_env, &account.secret_file) {
        (Some(_), _) => false,
        (None, Some(path)) => path.as_os_str() == "-",
        (None, None) => std::env::var_os(VARIABLE).is_none(),
    }
}

fn variable(name: &str, lang: Lang) -> Result<Option<Secret>, Stop> {
    match std::env::var(name) {
        Ok(text) => {
            let from = From::Variable(name.to_owned());
            Ok(Some(Secret { text: stripped(Zeroizing::new(text)), from, exposed: false }))
        }
        Err(std::env::VarError::NotPresent) => Ok(None),
        // The error would show what is in the variable.
        Err(_) => Err(Stop::With(
            Exit::Configuration,
            match lang {
                Lang::Zh => format!("环境变量 {name} 不是 UTF-8 文本"),
                _ => format!("the variable {name} is not UTF-8 text"),
            },
        )),
    }
}

fn file(path: &Path, lang: Lang) -> Result<Secret, Stop> {
    let name = path.display().to_string();
    let cannot = |error: &io::Error| cannot_read(&name, error, lang);
    let open = std::fs::File::open(path).map_err(|e| cannot(&e))?;
    let exposed = is_exposed(&open);
    let text = read(open).map_err(|e| cannot(&e))?;
    Ok(Secret { text, from: From::File(name), exposed })
}

fn standard_input(lang: Lang) -> Result<Secret, Stop> {
    let input = io::stdin();
    let name = pick(lang, "standard input", "标准输入");
    if input.is_terminal() {
        let ask = pick(lang, "secret (not shown): ", "密钥（不回显）：");
        // It restores the terminal also at Ctrl-C.
        let text = rpassword::prompt_password(ask).map_err(|e| cannot_read(name, &e, lang))?;
        return Ok(Secret { text: stripped(Zeroizing::new(text)), from: From::Terminal, exposed: false });
    }
    let text = read(input.lock()).map_err(|e| cannot_read(name, &e, lang))?;
    if text.is_empty() {
        let text = pick(
            lang,
            "no secret: set WXTOKEN_SECRET, use --secret-file or --secret-env, or write it to standard input",
            "没有密钥：请设置 WXTOKEN_SECRET，使用 --secret-file 或 --secret-env，或从标准输入传入",
        );
        return Err(Stop::With(Exit::Configuration, text.to_owned()));
    }
    Ok(Secret { text, from: From::StandardInput, exposed: false })
}

fn cannot_read(name: &str, error: &io::Error, lang: Lang) -> Stop {
    let text = match lang {
        Lang::Zh => format!("无法从 {name} 读取密钥：{error}"),
        _ => format!("the secret cannot be read from {name}: {error}"),
    };
    Stop::With(Exit::Configuration, text)
}

fn read(from: impl Read) -> io::Result<Zeroizing<String>> {
    // Room for all of it from the start: growing would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LIMIT as usize + 1));
    if from.take(LIMIT + 1).read_to_string(&mut text)? as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than any secret is"));
    }
    Ok(stripped(text))
}

/// Drops exactly one newline: what `echo` adds and an editor leaves. More is a mistake that the user should hear of.
fn stripped(mut text: Zeroizing<String>) -> Zeroizing<String> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(unix)]
fn is_exposed(file: &std::fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_file: &std::fs::File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_newline_is_dropped() {
        for (given, want) in [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), ("s \n", "s "), ("", "")] {
            assert_eq!(*read(given.as_bytes()).unwrap(), want, "{given:?}");
        }
    }

    #[test]
    fn a_mistaken_file_is_not_taken() {
        assert!(read("x".repeat(4_096).as_bytes()).is_ok());
        assert!(read("x".repeat(4_097).as_bytes()).is_err());
        let not_text: &[u8] = &[0xff, 0xfe];
        assert!(read(not_text).is_err());
    }

    #[test]
    fn debug_shows_where_it_is_from_and_not_what_it_is() {
        let secret = Secret { text: Zeroizing::new("s3cr3t".to_owned()), from: From::Terminal, exposed: false };
        assert!(!format!("{secret:?}").contains("s3cr3t"));
    }
}
