//! How does the command end, and who must act then? The one place where outcomes become exit codes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use wxtoken::{Act, Reason, TransportError};

use crate::lang::{Lang, pick};

/// The codes, by who must act. Part of the interface: scripts read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All is well.
    Ok = 0,
    /// This machine failed, or a promise of the demo was broken.
    Failed = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// Whoever configures the command.
    Configuration = 3,
    /// An administrator of the account, in its console.
    Person = 4,
    /// Nobody: it passes.
    Later = 5,
    /// Whoever runs this machine or its network: the server's certificate is not trusted.
    Untrusted = 6,
    /// Whoever decides whether it is sent again: it may have been executed.
    Unanswered = 7,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
}

/// The table of exit codes for `--help` and the manual page.
pub(crate) const TABLE: &str = "\
Exit codes, by who must act:
    0  nobody: all is well (also when the reader of the output left early, as `head` does)
    1  this machine failed (a file, a port), or the demo broke a promise
    2  you: the command was called wrongly
    3  you: the id, the secret, the base URL, a file or the call is wrong (40013, 40125, 40001,
       40091 ...; of a call 48001, 40003, 40007 ...)
    4  an administrator, in the account's console: the message names the address to allow (40164,
       60020 ...), the question to answer (89503 ...) or the lock to open (40243 ...)
    5  nobody, try later: platform busy, quota used up, no network, no sensible reply in time
    6  whoever runs this machine or its network: the server's certificate is not trusted
    7  you decide: a call may have been executed and was not answered; look before it is sent again
  130  nobody: interrupted by Ctrl-C or a termination signal";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Which code a fetch that failed for this reason ends with.
    pub(crate) fn of(reason: &Reason) -> Self {
        match reason {
            // Its own code: neither the account nor the platform is to blame, and trying again is no cure.
            Reason::Transport(TransportError::Certificate) => Self::Untrusted,
            Reason::Token(below) => Self::of(below),
            reason => match reason.act() {
                Act::Configuration | Act::Never => Self::Configuration,
                Act::Person => Self::Person,
                _ => Self::Later,
            },
        }
    }
}

/// Why a subcommand stopped before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With this code and this message, in the user's language.
    With(Exit, String),
    /// Standard output could not be written. When nobody reads it any more, that is no failure.
    Output(io::Error),
}

impl Stop {
    /// With more words at the end of its message.
    pub(crate) fn and(self, words: &str) -> Self {
        match self {
            Self::With(exit, message) => Self::With(exit, message + words),
            Self::Output(_) => self,
        }
    }

    /// Writes the message to standard error and names the code.
    pub(crate) fn tell(self, lang: Lang) -> ExitCode {
        let (exit, message) = match self {
            Self::With(exit, message) => (exit, message),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Ok.into(),
            Self::Output(error) => {
                let head = pick(lang, "standard output cannot be written", "无法写入标准输出");
                (Exit::Failed, format!("{head}: {error}"))
            }
        };
        // Nothing can be done about a standard error that is gone.
        let _ = writeln!(io::stderr(), "wxtoken: {message}");
        exit.into()
    }
}

impl From<io::Error> for Stop {
    /// Only errors of [`Output`](crate::output::Output) come this way; files say which file it was.
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
