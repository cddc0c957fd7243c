//! What does one attempt bring? The body goes out, the reply comes in, both piece by piece; the errcode is read on the way.

use std::{
    io::{self, Read},
    time::Duration,
};

use wxtoken_core::{Base, Body, Call, Errcode, ErrcodeReader, Failure, GaveUp, Healing, Phase, Product, Refusal};
use zeroize::Zeroizing;

use super::{BodySource, CallError, CallReason, CallReply, GivenUp, MAX_CALL_REPLY_LEN, Refused, ReplySink};
use crate::{
    error::Error,
    held::TokenRef,
    http::reading_failed,
    shared::Shared,
    transport::{CallResponse, TransportError},
};

/// How much of a reply that may be a refusal is kept from the sink: more than any refusal has.
const HELD_BACK: usize = 64 << 10;

const PIECE: usize = 16 << 10;

/// One call on its way, and what its last attempt brought.
pub(super) struct Errand<'a> {
    call: &'a Call<'a>,
    source: &'a mut dyn BodySource,
    sink: Option<&'a mut dyn ReplySink>,
    /// A JSON object that is no file is not for the sink.
    for_a_file: bool,
    attempts: u8,
    transport: Option<TransportError>,
    sent: u64,
    received: u64,
    end: Option<End>,
    /// What ended the call on this side.
    cut_short: Option<CallReason>,
}

struct End {
    status: u16,
    errcode: Errcode,
    body: Zeroizing<Vec<u8>>,
}

impl End {
    /// A refusal without the token, should the peer have put it in: its text is shown to people.
    fn masked(mut self, token: &str) -> Self {
        while self.errcode.refused().is_some() {
            let at = self.body.windows(token.len().max(1)).position(|window| window == token.as_bytes());
            let Some(hit) = at.and_then(|at| self.body.get_mut(at..at + token.len())) else { break };
            hit.fill(b'*');
        }
        self
    }
}

impl<'a> Errand<'a> {
    pub(super) fn new(call: &'a Call<'a>, source: &'a mut dyn BodySource, sink: Option<&'a mut dyn ReplySink>) -> Self {
        Self {
            call,
            source,
            sink,
            for_a_file: false,
            attempts: 0,
            transport: None,
            sent: 0,
            received: 0,
            end: None,
            cut_short: None,
        }
    }

    pub(super) fn for_a_file(mut self) -> Self {
        self.for_a_file = true;
        self
    }

    pub(super) const fn call(&self) -> &'a Call<'a> {
        self.call
    }

    pub(super) const fn attempts(&self) -> u8 {
        self.attempts
    }

    /// One attempt with this token, the request written anew for it.
    pub(super) fn attempt(&mut self, shared: &Shared, healing: &mut Healing, base: Base<'_>, token: &TokenRef) {
        self.attempts = self.attempts.saturating_add(1);
        self.end = None;
        (self.sent, self.received) = (0, 0);
        let streams = self.sink.is_some() || matches!(self.call.body(), Body::Stream { .. });
        let usual = shared.exchange_limit;
        // What is streamed may take as long as the call may.
        let left = healing.ends_at().saturating_since(shared.now());
        let limit = if streams { usual.max(left) } else { usual };
        match self.exchange(shared, base, token, limit) {
            Ok(end) => {
                self.transport = None;
                healing.handle_reply(shared.now(), end.status, end.errcode);
                self.end = Some(end);
            }
            Err(Broke::There(error, failure)) => {
                self.transport = Some(error);
                healing.handle_failure(shared.now(), failure);
                if error == TransportError::Unsupported {
                    self.cut_short = Some(self.gave_up(GaveUp::NotSent, None));
                }
            }
            Err(Broke::Here(reason)) => self.cut_short = Some(reason),
        }
    }

    fn exchange(&mut self, shared: &Shared, base: Base<'_>, token: &TokenRef, limit: Duration) -> Result<End, Broke> {
        let call: Call<'_> = *self.call;
        let request = call.request(base, token);
        let mut bytes;
        let source: &mut dyn Read = match call.body() {
            Body::Bytes(all) => {
                bytes = all;
                &mut bytes
            }
            Body::Stream { .. } => {
                self.source.begin().map_err(|error| match self.attempts {
                    1 => Broke::Here(CallReason::Source(error.kind())),
                    _ => Broke::Here(self.gave_up(GaveUp::BodySpent, None)),
                })?;
                &mut *self.source
            }
            _ => &mut io::empty(),
        };
        let mut body = Outgoing { source, left: call.body().len(), failed: None };
        let reply = shared.transport.call(&request, &mut body, limit);
        let (left, failed) = (body.left, body.failed);
        self.sent = call.body().len() - left;
        if let Some(kind) = failed {
            return Err(Broke::Here(CallReason::Source(kind)));
        }
        match reply {
            Ok(reply) => self.receive(reply).map(|end| end.masked(token.as_str())),
            // What was not sent to its end cannot be executed: the platform waits for as much as was announced.
            Err(error) if matches!(call.body(), Body::Stream { .. }) && left > 0 => {
                Err(Broke::There(error, Failure::NotSent))
            }
            Err(error) => Err(Broke::There(error, error.failure())),
        }
    }

    fn receive(&mut self, mut reply: CallResponse) -> Result<End, Broke> {
        let status = reply.status();
        if (300..400).contains(&status) {
            // Not even read: whatever it says, it is not the platform that says it.
            return Ok(End { status, errcode: Errcode::NoObject, body: Zeroizing::default() });
        }
        let is_file = self.call.takes_any_reply() && reply.is_attachment();
        let is_page = reply.is_page() && !is_file;
        let is_answer = (200..300).contains(&status) && !is_page;
        let sink: Option<&mut dyn ReplySink> = match &mut self.sink {
            Some(sink) if is_answer => Some(&mut **sink),
            _ => None,
        };
        let mut incoming = Incoming::new(sink, is_file, reply.content_length());
        incoming.keeps_objects = self.for_a_file;
        incoming.distrusted = self.for_a_file && reply.is_text();
        let mut room = [0; PIECE];
        loop {
            let piece = match reply.read(&mut room) {
                Ok(0) => break,
                Ok(n) => room.get(..n).unwrap_or(&[]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broke::There(reading_failed(&error), Failure::MaybeSent)),
            };
            self.received += piece.len() as u64;
            match incoming.take(piece) {
                // Enough of a page has been seen.
                Err(CallReason::TooLong) if !is_answer => break,
                result => result.map_err(Broke::Here)?,
            }
        }
        if is_answer && reply.content_length().is_some_and(|len| self.received < len) {
            return Err(Broke::There(TransportError::Broken, Failure::MaybeSent));
        }
        let (errcode, body) = incoming.finish().map_err(Broke::Here)?;
        // A page in place of what was asked for, of a captive portal say, is no answer.
        let errcode = if is_page && errcode == Errcode::NoObject { Errcode::Unclear } else { errcode };
        Ok(End { status, errcode, body })
    }

    /// What ended the call on this side, whatever the machine says.
    pub(super) fn cut_short(&mut self) -> Option<CallError> {
        self.cut_short.take().map(|reason| CallError::new(reason, self.call.is_idempotent()))
    }

    /// The machine gave up.
    pub(super) fn given_up(&self, why: GaveUp, healing: &Healing, token: Option<Error>) -> CallError {
        let reason = match token {
            Some(error) => CallReason::NoToken { error: Box::new(error), errcode: healing.errcode() },
            None => self.gave_up(why, healing.errcode()),
        };
        CallError::new(reason, self.call.is_idempotent())
    }

    fn gave_up(&self, why: GaveUp, errcode: Option<i32>) -> CallReason {
        let Self { transport, sent, received, .. } = *self;
        CallReason::GaveUp(Box::new(GivenUp { why, errcode, transport, sent, received }))
    }

    /// The machine is done: the last reply is the answer.
    pub(super) fn reply(&mut self, product: Product) -> Result<CallReply, CallError> {
        let Some(End { status, errcode, body }) = self.end.take() else {
            return Err(CallError::new(self.gave_up(GaveUp::Unanswered, None), self.call.is_idempotent()));
        };
        let Some(code) = errcode.refused() else { return Ok(CallReply::new(status, body)) };
        // The whole body stands for its errmsg: address and trace id are found by their exact shapes alone.
        let refusal = Refusal::new(product, Phase::Using, code, std::str::from_utf8(&body).unwrap_or(""));
        Err(CallError::new(CallReason::Refused(Box::new(Refused::new(refusal, product, body))), false))
    }
}

/// Why an attempt has no reply.
enum Broke {
    /// On the way or over there.
    There(TransportError, Failure),
    /// On this side: the same again would be the same.
    Here(CallReason),
}

/// The body on its way out: as much of the source as was announced, neither less nor more.
struct Outgoing<'s> {
    source: &'s mut dyn Read,
    left: u64,
    failed: Option<io::ErrorKind>,
}

impl Read for Outgoing<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(room.len());
        let Some(room) = room.get_mut(..most).filter(|room| !room.is_empty()) else { return Ok(0) };
        match self.source.read(room) {
            // Not passed on as an end: a transport could wait for the rest for ever.
            Ok(0) => {
                self.failed = Some(io::ErrorKind::UnexpectedEof);
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Ok(n) => {
                self.left = self.left.saturating_sub(n as u64);
                Ok(n)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failed = Some(error.kind());
                }
                Err(error)
            }
        }
    }
}

/// The reply on its way in. What may be a refusal is kept from the sink.
struct Incoming<'s> {
    sink: Option<&'s mut dyn ReplySink>,
    flows: bool,
    /// A file that was asked for is no refusal, whatever is in it.
    is_file: bool,
    keeps_objects: bool,
    /// It says that it is a text: unless it is an object, it is not what was asked for.
    distrusted: bool,
    len: Option<u64>,
    reader: ErrcodeReader,
    held: Zeroizing<Vec<u8>>,
}

impl<'s> Incoming<'s> {
    fn new(sink: Option<&'s mut dyn ReplySink>, is_file: bool, len: Option<u64>) -> Self {
        // Room for all of a short reply: growing would leave a copy behind.
        let room = len.and_then(|len| usize::try_from(len).ok()).unwrap_or(PIECE).min(HELD_BACK);
        let held = Zeroizing::new(Vec::with_capacity(room));
        Self {
            sink,
            flows: false,
            is_file,
            keeps_objects: false,
            distrusted: false,
            len,
            reader: ErrcodeReader::new(),
            held,
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), CallReason> {
        if !self.is_file {
            self.reader.push(piece);
        }
        match &mut self.sink {
            Some(sink) if self.flows => return sink.write_all(piece).map_err(|error| CallReason::Sink(error.kind())),
            None if self.held.len().saturating_add(piece.len()) > MAX_CALL_REPLY_LEN => {
                return Err(CallReason::TooLong);
            }
            _ => self.held.extend_from_slice(piece),
        }
        let clear =
            if self.reader.may_refuse() { self.is_file || self.held.len() > HELD_BACK } else { !self.strange() };
        if self.strange() {
            // Enough of it has been seen.
            self.held.clear();
        }
        if self.sink.is_some() && clear { self.flow() } else { Ok(()) }
    }

    fn strange(&self) -> bool {
        self.distrusted && !self.is_file && !self.reader.may_refuse()
    }

    /// From here on the sink has it.
    fn flow(&mut self) -> Result<(), CallReason> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        self.flows = true;
        let result = sink.begin(self.len).and_then(|()| sink.write_all(&self.held));
        self.held.clear();
        result.map_err(|error| CallReason::Sink(error.kind()))
    }

    fn finish(mut self) -> Result<(Errcode, Zeroizing<Vec<u8>>), CallReason> {
        let errcode = match self.reader.finish() {
            _ if self.is_file => Errcode::NoObject,
            Errcode::NoObject if self.distrusted => Errcode::Unclear,
            errcode => errcode,
        };
        let for_the_sink = match errcode {
            Errcode::NoObject => true,
            Errcode::Absent | Errcode::Is(0) => !self.keeps_objects,
            _ => false,
        };
        if !self.flows && for_the_sink {
            self.flow()?;
        }
        if let Some(sink) = &mut self.sink {
            sink.flush().map_err(|error| CallReason::Sink(error.kind()))?;
        }
        Ok((errcode, self.held))
    }
}
