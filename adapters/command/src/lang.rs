//! Which language does the user read?

pub(crate) use wxtoken::Lang;

/// What `--lang` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Choice {
    /// English
    En,
    /// 简体中文
    Zh,
}

/// The language asked for, else that of the locale.
pub(crate) fn of(choice: Option<Choice>) -> Lang {
    match choice {
        Some(Choice::En) => Lang::En,
        Some(Choice::Zh) => Lang::Zh,
        None => of_locale(|name| std::env::var(name).ok()),
    }
}

/// POSIX order: LC_ALL, then LC_MESSAGES, then LANG; the first that is set and not empty decides.
fn of_locale(var: impl Fn(&str) -> Option<String>) -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(var).find(|value| !value.is_empty());
    if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
}

/// One of two texts.
pub(crate) const fn pick<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        _ => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let with = |vars: &'static [(&str, &str)]| {
            of_locale(move |name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[]), Lang::En);
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
        assert_eq!(with(&[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW"), ("LANG", "en_US")]), Lang::Zh);
        assert_eq!(with(&[("LC_MESSAGES", "en_US"), ("LANG", "zh_CN")]), Lang::En);
    }
}
