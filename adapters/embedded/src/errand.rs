//! What came of an API call, and what is to be done next? What the two clients have in common.

use core::{fmt, time::Duration};

use wxtoken_core::{
    Call, EXCHANGE_LIMIT_MS, Errcode, ErrcodeReader, Failure, GaveUp, Healing, Instant, Phase, Product, Refusal,
};
use zeroize::Zeroize;

use crate::{Exchange, Fault, attempt::Desk};

/// The reply to a call, in the client's buffer, which is wiped when this is dropped.
///
/// It may be a refusal, one that neither waiting nor another token mends: look at [`errcode`](Self::errcode).
pub struct CallReply<'c> {
    end: End,
    product: Product,
    buffer: &'c mut [u8],
}

impl<'c> CallReply<'c> {
    pub(crate) const fn new(end: End, product: Product, buffer: &'c mut [u8]) -> Self {
        Self { end, product, buffer }
    }

    /// The HTTP status. 200 to 299, unless an errcode explains another.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.end.status
    }

    /// The platform's errcode; 0 when it accepted the call, whether it said so or not.
    #[must_use]
    pub fn errcode(&self) -> i32 {
        self.end.errcode.refused().unwrap_or(0)
    }

    /// The body; what the sink has not taken of it, if there was one.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.buffer.get(..self.end.len).unwrap_or(&[])
    }

    /// What the errcode means and who must act; `None` when the call was accepted.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let code = self.end.errcode.refused()?;
        // The whole body stands for its errmsg: address and trace id are found by their exact shapes alone.
        let text = core::str::from_utf8(self.body()).unwrap_or("");
        Some(Refusal::new(self.product, Phase::Using, code, text))
    }
}

impl Drop for CallReply<'_> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl fmt::Debug for CallReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallReply({}, errcode {}, {} bytes)", self.end.status, self.errcode(), self.end.len)
    }
}

/// Why a call has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct CallFailed {
    /// Why it was given up.
    pub why: GaveUp,
    /// The errcode of the last reply, if there was one.
    pub errcode: Option<i32>,
    /// What the last attempt met, if it had no reply.
    pub fault: Option<Fault>,
}

impl CallFailed {
    /// Whether the platform may have executed the call all the same.
    #[must_use]
    pub const fn maybe_executed(&self) -> bool {
        self.why.maybe_executed()
    }
}

impl fmt::Display for CallFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why.text())?;
        if let Some(fault) = self.fault {
            f.write_str(": ")?;
            f.write_str(fault.text())?;
        }
        Ok(())
    }
}

impl core::error::Error for CallFailed {}

/// How the last reply looked.
#[derive(Clone, Copy)]
pub(crate) struct End {
    status: u16,
    errcode: Errcode,
    /// Of its body in the buffer.
    len: usize,
}

/// One call on its way: the machine of the core, and what the last attempt brought.
pub(crate) struct Errand<'a> {
    pub(crate) call: Call<'a>,
    pub(crate) healing: Healing,
    /// Reads the errcode of the reply under way.
    pub(crate) reader: ErrcodeReader,
    /// Bytes of the reply were given away.
    pub(crate) gave: bool,
    /// Attempts begun.
    attempts: u8,
    streams: bool,
    fault: Option<Fault>,
    end: Option<End>,
    /// Ended on this side, whatever the machine says.
    cut_short: Option<GaveUp>,
}

impl<'a> Errand<'a> {
    pub(crate) fn new(call: Call<'a>, desk: &Desk<'_>, now: Instant, limit: Duration, gives: bool) -> Self {
        let product = desk.account.endpoint().product();
        let streams = gives || matches!(call.body(), wxtoken_core::Body::Stream { .. });
        Self {
            call,
            healing: Healing::new(&call, product, desk.seed, now, limit),
            reader: ErrcodeReader::new(),
            gave: false,
            attempts: 0,
            streams,
            fault: None,
            end: None,
            cut_short: None,
        }
    }

    /// An attempt begins: when it must have ended.
    pub(crate) fn begin(&mut self, now: Instant) -> Instant {
        self.reader = ErrcodeReader::new();
        self.attempts = self.attempts.saturating_add(1);
        let usual = now.saturating_add(Duration::from_millis(EXCHANGE_LIMIT_MS.into()));
        // What is streamed may take as long as the call may.
        if self.streams { usual.max(self.healing.ends_at()) } else { usual }
    }

    /// Whether source and sink must begin anew before this attempt.
    pub(crate) const fn is_retry(&self) -> bool {
        self.attempts > 1 && self.streams
    }

    /// Source or sink cannot begin anew.
    pub(crate) fn cannot_repeat(&mut self) {
        self.cut_short = Some(GaveUp::BodySpent);
    }

    /// Ends an attempt that had a connection. Whether what is left of the reply in the buffer is to be given away, too.
    pub(crate) fn ended(&mut self, now: Instant, exchange: Exchange<'_>) -> Option<usize> {
        let (status, fault) = match exchange.outcome() {
            Ok(reply) => {
                self.reader.push(reply.body());
                (reply.status(), None)
            }
            Err(fault) => (0, Some(fault)),
        };
        if let Some(fault) = fault {
            self.failed(now, exchange.failure(), fault);
            return None;
        }
        let errcode = self.reader.finish();
        self.healing.handle_reply(now, status, errcode);
        self.fault = None;
        // What is not the answer is wiped here and now.
        let len = if self.healing.is_done() { exchange.keep() } else { 0 };
        self.end = Some(End { status, errcode, len });
        let wanted = errcode.refused().is_none() || self.gave;
        (len > 0 && wanted).then_some(len)
    }

    /// The sink took what was left in the buffer, or did not.
    pub(crate) fn gave_the_rest(&mut self, taken: bool) {
        if let Some(end) = &mut self.end {
            end.len = 0;
        }
        if !taken {
            self.fault = Some(Fault::Sink);
            self.cut_short = Some(GaveUp::Unanswered);
        }
    }

    /// Ends an attempt that got no reply.
    pub(crate) fn failed(&mut self, now: Instant, failure: Failure, fault: Fault) {
        self.fault = Some(fault);
        self.end = None;
        self.healing.handle_failure(now, failure);
        if fault.is_ours() {
            self.cut_short = Some(if failure == Failure::NotSent { GaveUp::NotSent } else { GaveUp::Unanswered });
        }
    }

    /// What ended the call on this side, if anything did.
    pub(crate) const fn cut_short(&self) -> Option<GaveUp> {
        self.cut_short
    }

    /// The end of the call.
    pub(crate) fn close(&self, desk: &Desk<'_>, gave_up: Option<GaveUp>) -> Result<End, CallFailed> {
        let failed = |why| CallFailed { why, errcode: self.healing.errcode(), fault: self.fault };
        let result = match (gave_up, self.end) {
            (None, Some(end)) => Ok(end),
            (None, None) => Err(failed(GaveUp::Unanswered)),
            (Some(why), _) => Err(failed(why)),
        };
        self.log_close(desk, &result);
        result
    }

    #[cfg(not(feature = "defmt"))]
    #[allow(clippy::unused_self, reason = "its twin logs")]
    fn log_close(&self, _: &Desk<'_>, _: &Result<End, CallFailed>) {}

    /// Says how the call ended, and what a field engineer can do. The path holds no credential.
    #[cfg(feature = "defmt")]
    fn log_close(&self, desk: &Desk<'_>, result: &Result<End, CallFailed>) {
        use wxtoken_core::Lang;

        let (id, path) = (desk.account.id(), self.call.path());
        let meaning = |code| Refusal::new(desk.account.endpoint().product(), Phase::Using, code, "").meaning();
        match result {
            Ok(end) => match end.errcode.refused() {
                None => defmt::info!("{=str}: {=str}: done in {=u8} attempts", id, path, self.attempts),
                Some(code) => {
                    defmt::warn!(
                        "{=str}: {=str}: errcode {=i32}, {=str}",
                        id,
                        path,
                        code,
                        meaning(code).text(Lang::En)
                    );
                }
            },
            Err(CallFailed { why, errcode, fault }) => {
                defmt::warn!(
                    "{=str}: {=str}: given up after {=u8} attempts: {=str}; errcode {=i32}; {=str}",
                    id,
                    path,
                    self.attempts,
                    why.text(),
                    errcode.unwrap_or(0),
                    fault.map_or("there was a reply", Fault::text)
                );
            }
        }
    }

    /// Says that the token was refused and what follows.
    pub(crate) fn reported(&self, desk: &Desk<'_>, outcome: wxtoken_core::ReportOutcome) {
        #[cfg(feature = "defmt")]
        defmt::warn!(
            "{=str}: {=str}: the token was refused with errcode {=i32}; {}",
            desk.account.id(),
            self.call.path(),
            self.healing.errcode().unwrap_or(0),
            outcome
        );
        #[cfg(not(feature = "defmt"))]
        let _ = (desk, outcome);
    }
}
