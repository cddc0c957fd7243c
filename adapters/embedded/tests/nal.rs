//! Do the connectors over the ecosystem's stacks resolve, connect, close, and refuse to send a secret in the clear?

use std::{
    cell::RefCell,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use embedded_io::{Read, Write};
use embedded_nal::{AddrType, Dns, TcpClientStack, TcpError, TcpErrorKind, nb};
use wxtoken_embedded::{
    ConnectError, Nal, NalAsync, NalError, asynch,
    blocking::Connect,
    core::{Base, Instant},
};

#[derive(Default)]
struct State {
    now: u64,
    asked: Vec<String>,
    remotes: Vec<SocketAddr>,
    open: i32,
    /// Calls that are not ready yet.
    busy: u32,
    name_unknown: bool,
    refuse: bool,
    incoming: Vec<u8>,
}

#[derive(Clone, Default)]
struct Stack(Rc<RefCell<State>>);

#[derive(Debug)]
struct Error(TcpErrorKind);

impl TcpError for Error {
    fn kind(&self) -> TcpErrorKind {
        self.0
    }
}

impl Stack {
    /// Not ready so many times; each costs 10 ms.
    fn busy(&self) -> bool {
        let mut state = self.0.borrow_mut();
        state.now += 10;
        state.busy = state.busy.saturating_sub(1);
        state.busy > 0
    }
}

impl TcpClientStack for Stack {
    type TcpSocket = ();
    type Error = Error;

    fn socket(&mut self) -> Result<(), Error> {
        self.0.borrow_mut().open += 1;
        Ok(())
    }

    fn connect(&mut self, _: &mut (), remote: SocketAddr) -> nb::Result<(), Error> {
        if self.busy() {
            return Err(nb::Error::WouldBlock);
        }
        let mut state = self.0.borrow_mut();
        state.remotes.push(remote);
        if state.refuse { Err(nb::Error::Other(Error(TcpErrorKind::Other))) } else { Ok(()) }
    }

    fn send(&mut self, _: &mut (), bytes: &[u8]) -> nb::Result<usize, Error> {
        if self.busy() { Ok(0) } else { Ok(bytes.len().min(3)) }
    }

    fn receive(&mut self, _: &mut (), room: &mut [u8]) -> nb::Result<usize, Error> {
        if self.busy() {
            return Err(nb::Error::WouldBlock);
        }
        let mut state = self.0.borrow_mut();
        let n = room.len().min(state.incoming.len());
        if n == 0 {
            return Err(nb::Error::Other(Error(TcpErrorKind::PipeClosed)));
        }
        room[..n].copy_from_slice(&state.incoming[..n]);
        state.incoming.drain(..n);
        Ok(n)
    }

    fn close(&mut self, (): ()) -> Result<(), Error> {
        self.0.borrow_mut().open -= 1;
        Ok(())
    }
}

impl Dns for Stack {
    type Error = ();

    fn get_host_by_name(&mut self, host: &str, _: AddrType) -> nb::Result<IpAddr, ()> {
        if self.busy() {
            return Err(nb::Error::WouldBlock);
        }
        let mut state = self.0.borrow_mut();
        state.asked.push(host.to_owned());
        if state.name_unknown { Err(nb::Error::Other(())) } else { Ok(IpAddr::from([192, 0, 2, 1])) }
    }

    fn get_host_by_address(&mut self, _: IpAddr, _: &mut [u8]) -> nb::Result<usize, ()> {
        Err(nb::Error::Other(()))
    }
}

impl embedded_nal_async::TcpConnect for Stack {
    type Error = core::convert::Infallible;
    type Connection<'a> = Line;

    async fn connect(&self, remote: SocketAddr) -> Result<Line, Self::Error> {
        self.0.borrow_mut().remotes.push(remote);
        Ok(Line)
    }
}

impl embedded_nal_async::Dns for Stack {
    type Error = ();

    async fn get_host_by_name(&self, host: &str, _: AddrType) -> Result<IpAddr, ()> {
        self.0.borrow_mut().asked.push(host.to_owned());
        if self.0.borrow().name_unknown { Err(()) } else { Ok(IpAddr::from([192, 0, 2, 1])) }
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize, ()> {
        Err(())
    }
}

struct Line;

impl embedded_io::ErrorType for Line {
    type Error = core::convert::Infallible;
}

impl embedded_io_async::Read for Line {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(0)
    }
}

impl embedded_io_async::Write for Line {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn base(url: &str) -> Base<'_> {
    Base::parse(url).expect("a base")
}

/// Connects by either connector; what came of it, names asked, addresses connected to, sockets left open.
fn connect(
    asynchronous: bool,
    url: &str,
    set: impl Fn(&mut State),
) -> (Result<(), ConnectError>, Vec<String>, Vec<SocketAddr>, i32) {
    let stack = Stack::default();
    set(&mut stack.0.borrow_mut());
    let result = if asynchronous {
        let mut nal = NalAsync::new(stack.clone(), stack.clone());
        let mut work = pin!(asynch::Connect::connect(&mut nal, base(url)));
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(drop),
            Poll::Pending => unreachable!("the stack is always ready"),
        }
    } else {
        let clock = stack.clone();
        let mut nal = Nal::new(stack.clone(), move || Instant::from_millis(clock.0.borrow().now));
        nal.connect(base(url), Instant::from_millis(10_000)).map(drop)
    };
    let state = stack.0.borrow();
    (result, state.asked.clone(), state.remotes.clone(), state.open)
}

#[test]
fn names_are_resolved_and_addresses_are_not() {
    let to = |ip: &str, port| vec![SocketAddr::new(ip.parse().expect("an address"), port)];
    for asynchronous in [false, true] {
        let got = connect(asynchronous, "http://server.lan", |s| s.busy = 5);
        assert_eq!(got, (Ok(()), vec!["server.lan".to_owned()], to("192.0.2.1", 80), 0));
        let got = connect(asynchronous, "http://10.1.2.3:8080", |_| ());
        assert_eq!(got, (Ok(()), vec![], to("10.1.2.3", 8080), 0));
        let got = connect(asynchronous, "http://[2001:db8::1]", |_| ());
        assert_eq!(got, (Ok(()), vec![], to("2001:db8::1", 80), 0));
        let got = connect(asynchronous, "http://server.lan", |s| s.name_unknown = true);
        assert_eq!((got.0, got.2), (Err(ConnectError::NameNotFound), vec![]));
    }
}

#[test]
fn https_is_refused_before_anything_happens() {
    for asynchronous in [false, true] {
        let got = connect(asynchronous, "https://api.weixin.qq.com", |_| ());
        assert_eq!(got, (Err(ConnectError::NoTls), vec![], vec![], 0));
    }
}

#[test]
fn a_connection_that_is_not_made_is_closed_and_named() {
    let got = connect(false, "http://10.1.2.3", |s| s.refuse = true);
    assert_eq!((got.0, got.3), (Err(ConnectError::Refused), 0));
    // 300 calls of 10 ms are the three seconds.
    for (busy, want) in [(299, Ok(())), (301, Err(ConnectError::TimedOut))] {
        let got = connect(false, "http://10.1.2.3", |s| s.busy = busy);
        assert_eq!((got.0, got.3), (want, 0), "{busy}");
    }
    let got = connect(false, "http://server.lan", |s| s.busy = 400);
    assert_eq!(got.0, Err(ConnectError::TimedOut), "the resolver");
}

#[test]
fn reads_and_writes_wait_until_the_deadline() {
    let stack = Stack::default();
    let clock = stack.clone();
    let mut nal = Nal::new(stack.clone(), move || Instant::from_millis(clock.0.borrow().now));
    let mut line = nal.connect(base("http://10.1.2.3"), Instant::from_millis(1_000)).expect("connected");
    stack.0.borrow_mut().busy = 5;
    assert_eq!(line.write(b"12345"), Ok(3));
    stack.0.borrow_mut().busy = 5;
    stack.0.borrow_mut().incoming = b"abc".to_vec();
    let mut room = [0; 2];
    assert_eq!((line.read(&mut room), line.read(&mut room)), (Ok(2), Ok(1)));
    assert_eq!(line.read(&mut room), Ok(0), "closed by the peer");
    stack.0.borrow_mut().busy = 1_000;
    assert_eq!(line.read(&mut room), Err(NalError::TimedOut));
    assert!(stack.0.borrow().now <= 1_020);
    drop(line);
    assert_eq!(stack.0.borrow().open, 0);
}
