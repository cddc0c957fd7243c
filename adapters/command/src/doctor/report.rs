//! How is each finding told, and which exit code do all of them amount to?

use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::output::Output;

pub(crate) struct Report<'a> {
    out: &'a mut Output,
    pub(crate) lang: Lang,
    worst: Exit,
    warnings: usize,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(out: &'a mut Output, lang: Lang) -> Self {
        Self { out, lang, worst: Exit::Ok, warnings: 0 }
    }

    pub(crate) fn ok(&mut self, text: &str) -> Result<(), Stop> {
        self.line(pick(self.lang, "ok  ", "正常"), text)
    }

    /// Something that works and should be mended.
    pub(crate) fn warn(&mut self, text: &str, remedy: Option<&str>) -> Result<(), Stop> {
        self.warnings += 1;
        self.line(pick(self.lang, "warn", "注意"), text)?;
        remedy.map_or(Ok(()), |remedy| self.remedy(remedy))
    }

    /// Something that does not work. Ends the examination.
    pub(crate) fn fail<T>(&mut self, exit: Exit, text: &str, remedy: Option<&str>) -> Result<Option<T>, Stop> {
        self.worst = self.worst.max(exit);
        self.line(pick(self.lang, "FAIL", "失败"), text)?;
        if let Some(remedy) = remedy {
            self.remedy(remedy)?;
        }
        Ok(None)
    }

    /// What is to be done.
    pub(crate) fn remedy(&mut self, text: &str) -> Result<(), Stop> {
        Ok(self.out.line(format_args!("      -> {text}"))?)
    }

    /// A result of the options: its error is a finding like any other.
    pub(crate) fn take<T>(&mut self, result: Result<T, Stop>) -> Result<Option<T>, Stop> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::With(exit, text)) => self.fail(exit, &text, None),
            Err(stop) => Err(stop),
        }
    }

    fn line(&mut self, mark: &str, text: &str) -> Result<(), Stop> {
        Ok(self.out.line(format_args!("{mark}  {text}"))?)
    }

    pub(crate) fn sum_up(self) -> Result<Exit, Stop> {
        let text = match (self.worst, self.warnings) {
            (Exit::Ok, 0) => pick(self.lang, "All is well.", "一切正常。"),
            (Exit::Ok, _) => pick(self.lang, "It works; mind the warnings.", "可以使用；请留意上面的注意事项。"),
            (Exit::Configuration, _) => pick(self.lang, "You can mend this: see above.", "您可以自行修正：见上。"),
            (Exit::Person, _) => {
                pick(self.lang, "An administrator of the account must act: see above.", "需要账号管理员处理：见上。")
            }
            (Exit::Untrusted, _) => {
                pick(self.lang, "The connection cannot be trusted: see above.", "连接不可信：见上。")
            }
            _ => pick(self.lang, "It may pass by itself; otherwise see above.", "可能会自行恢复；否则请见上。"),
        };
        self.out.line(text)?;
        Ok(self.worst)
    }
}
