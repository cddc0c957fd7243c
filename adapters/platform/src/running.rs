//! How is a running platform told what to do, looked at, and stopped?

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::fault::{Fault, FaultScope};
use crate::model::{Counters, Medium, Message, Model, Quirks, Quotas, Refusal, UnknownAccount};
use crate::server::Shared;
use crate::tls::Leaf;

/// A platform that is listening. It stops when this is dropped.
///
/// Every method may be called from any thread, also inside an async runtime; none waits for the network, except
/// [`Running::wait`], [`Running::shutdown`] and the drop.
pub struct Running {
    pub(crate) shared: Shared,
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) control: SocketAddr,
    pub(crate) thread: Option<JoinHandle<()>>,
}

impl Running {
    /// `http://` and the address, without a slash at the end.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// `https://` and the address, when there is an HTTPS door. The certificate is also valid for `localhost` and the
    /// names of the real hosts.
    #[must_use]
    pub fn https_url(&self) -> Option<String> {
        self.https.map(|address| format!("https://{address}"))
    }

    /// `http://` and the address of the control port.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The address of the HTTP door.
    #[must_use]
    pub const fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// The address of the HTTPS door, when there is one.
    #[must_use]
    pub const fn https_addr(&self) -> Option<SocketAddr> {
        self.https
    }

    /// The certificate of the authority that a client has to trust, in PEM, when there is an HTTPS door.
    #[must_use]
    pub fn ca_pem(&self) -> Option<String> {
        self.shared.tls.as_ref().map(|tls| tls.ca_pem())
    }

    /// The same in DER.
    #[must_use]
    pub fn ca_der(&self) -> Option<Vec<u8>> {
        self.shared.tls.as_ref().map(|tls| tls.ca_der())
    }

    /// Shows another certificate to connections made from now on.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] without an HTTPS door; else what making the certificate reports.
    pub fn set_leaf(&self, leaf: Leaf) -> io::Result<()> {
        match &self.shared.tls {
            Some(tls) => tls.set_leaf(leaf),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The platform's time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.shared.engine.lock().now()
    }

    /// Steps the clock forward, also while it runs. What was held back until then has been executed when this returns.
    pub fn advance(&self, step: Duration) {
        self.shared.engine.change_clock(|clock| clock.advance(step));
    }

    /// Sets the clock, forward or back.
    pub fn set_now(&self, now_ms: u64) {
        self.shared.engine.change_clock(|clock| clock.set_now(now_ms));
    }

    /// Virtual milliseconds per real one. 0, as anything negative or not finite, stands still.
    pub fn set_speed(&self, speed: f64) {
        self.shared.engine.change_clock(|clock| clock.set_speed(speed));
    }

    /// Orders a fault. Of several that fit a call, the one ordered first happens.
    pub fn fault(&self, fault: Fault, scope: FaultScope) {
        let mut state = self.shared.engine.lock();
        let now = state.now();
        state.faults.add(now, fault, scope);
    }

    /// Takes back every fault. Those under way go on.
    pub fn clear_faults(&self) {
        self.shared.engine.lock().faults.clear();
    }

    /// Whether anybody listens at the HTTP and HTTPS doors. False is an outage: connections are refused, and those that
    /// there are break. The control port is always open, and the ports stay the platform's. Done when this returns.
    ///
    /// # Errors
    /// When a door cannot be opened again, because the system is out of sockets; when the platform has stopped.
    pub fn set_listening(&self, yes: bool) -> io::Result<()> {
        self.shared.switchboard.set_open(yes)
    }

    /// Sets the oddities of the replies from now on.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.shared.engine.lock().model.set_quirks(quirks);
    }

    /// Another program fetches; see [`Model::rotate_elsewhere`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn rotate_elsewhere(&self, name: &str) -> Result<(), UnknownAccount> {
        self.order(|now, model| model.rotate_elsewhere(now, name))
    }

    /// Another program forces a refresh of the stable token; see [`Model::force_elsewhere`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn force_elsewhere(&self, name: &str) -> Result<(), UnknownAccount> {
        self.order(|now, model| model.force_elsewhere(now, name))
    }

    /// The platform revokes every live token of the account; see [`Model::revoke_all`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn revoke_all(&self, name: &str) -> Result<(), UnknownAccount> {
        self.order(|now, model| model.revoke_all(now, name))
    }

    /// Refuses every fetch of the account with this errcode until [`Running::accept`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn refuse_with(&self, name: &str, errcode: i32) -> Result<(), UnknownAccount> {
        self.refuse(name, Refusal::fetching(errcode))
    }

    /// Gives an order to refuse, of any shape.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn refuse(&self, name: &str, refusal: Refusal) -> Result<(), UnknownAccount> {
        self.order(|now, model| model.refuse(now, name, refusal))
    }

    /// Takes back every order to refuse.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn accept(&self, name: &str) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.accept(name))
    }

    /// Allows an address; see [`Model::allow_address`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn allow_address(&self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.allow_address(name, ip))
    }

    /// Denies an address; see [`Model::deny_address`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn deny_address(&self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.deny_address(name, ip))
    }

    /// Switches the administrator's confirmation of new addresses on or off.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn ask_admin(&self, name: &str, yes: bool) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.ask_admin(name, yes))
    }

    /// The administrator confirms an address.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn admin_confirms(&self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.admin_confirms(name, ip))
    }

    /// The administrator refuses an address; see [`Model::admin_refuses`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn admin_refuses(&self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.order(|now, model| model.admin_refuses(now, name, ip))
    }

    /// Freezes or thaws the secret; see [`Model::freeze_secret`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn freeze_secret(&self, name: &str, frozen: bool) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.freeze_secret(name, frozen))
    }

    /// Replaces the secret; see [`Model::change_secret`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn change_secret(&self, name: &str, secret: &str) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.change_secret(name, secret))
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.engine.lock().counters()
    }

    /// The messages taken over, oldest first; at most the last 10 000.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.shared.engine.lock().model.messages()
    }

    /// The files that were uploaded and are kept, oldest first; see [`Model::media`].
    #[must_use]
    pub fn media(&self) -> Vec<Medium> {
        self.shared.engine.lock().model.media()
    }

    /// Whether the account would accept this token now; see [`Model::token_is_valid`].
    #[must_use]
    pub fn token_is_valid(&self, name: &str, token: &str) -> bool {
        self.order(|now, model| model.token_is_valid(now, name, token))
    }

    /// Every token of the account that was minted so far; see [`Model::minted_tokens`]. The control port does not tell
    /// them.
    #[must_use]
    pub fn minted_tokens(&self, name: &str) -> Vec<String> {
        self.order(|_, model| model.minted_tokens(name))
    }

    /// Whether a page signed with this ticket would be accepted now; see [`Model::ticket_is_valid`].
    #[must_use]
    pub fn ticket_is_valid(&self, name: &str, ticket: &str) -> bool {
        self.order(|now, model| model.ticket_is_valid(now, name, ticket))
    }

    /// Changes the quotas of an account; see [`Model::change_quotas`].
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn change_quotas(&self, name: &str, change: impl FnOnce(&mut Quotas)) -> Result<(), UnknownAccount> {
        self.order(|_, model| model.change_quotas(name, change))
    }

    /// Waits until the platform stops, which the control port can order.
    pub fn wait(mut self) {
        self.join();
    }

    /// Stops: no new connections, and a quarter of a second for calls under way.
    pub fn shutdown(self) {
        drop(self);
    }

    fn order<T>(&self, order: impl FnOnce(u64, &mut Model) -> T) -> T {
        let mut state = self.shared.engine.lock();
        let now = state.now();
        order(now, &mut state.model)
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the panic hook already.
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopper.send_replace(true);
        self.join();
    }
}

/// By hand, because the engine holds secrets and tokens.
impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("http", &self.http)
            .field("https", &self.https)
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}
